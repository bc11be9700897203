"""A report of findings of one policy, each with a command of its own that deletes its key."""

from msgspec import structs

from keyaudit.model.results.findings import Outcome
from keyaudit.model.results.run import Report, UnderProfile
from tests.report.example import FINDINGS, OVERDUE, REPORT, holding, tallies, total


def fixed_apart(count: int) -> Report:
    """So many failed keys, codesign-0000 and so on, and nothing else."""
    [overdue] = [each for each in FINDINGS if each.policy is OVERDUE and each.outcome is Outcome.FAIL]
    found = [
        structs.replace(
            overdue.by_itself(),
            row={**overdue.row, "name": f"codesign-{number:04d}"},
            subject=f"{overdue.subject}{number}",
            steps=(
                {"text": "Move the workload."},
                {"text": "Delete it.", "cli": f"az keyvault key delete --vault-name kv-prod --name codesign-{number:04d}"},
            ),
        )
        for number in range(count)
    ]
    verdict = structs.replace(REPORT.verdict, failed=total(found, Outcome.FAIL), unknown={})
    alone = {"apart": lambda _: iter(()), "under": lambda profile: UnderProfile(profile=profile)}
    return holding(REPORT, found, verdict=verdict, tallies=tallies(found), **alone)
