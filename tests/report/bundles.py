"""The fixed report as a bundle, and what bundles are compared by."""

from pathlib import Path

from msgspec import structs

from keyaudit.model.results.run import Report
from keyaudit.model.results.settings import PolicyInForce, Setting
from keyaudit.model.tables import TABLES
from keyaudit.report.bundle.write import write
from tests.report.example import REPORT


def whole(report: Report = REPORT) -> Report:
    """The report with as many rows as it lists, and the policies that judged it."""
    rows = {name: report.listing(name).count for name in TABLES}
    policies = tuple(
        PolicyInForce(
            text=tally.policy,
            source=f"id: {tally.policy.id}\n",
            shipped=True,
            parameters={"max_age": Setting("730 days", "the policy's default")},
        )
        for tally in report.tallies
    )
    return structs.replace(report, run=structs.replace(report.run, rows=rows), policies=policies)


def written(folder: Path, report: Report = REPORT) -> Path:
    """A bundle of the report."""
    write(whole(report), folder)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    """Everything in a folder, by path below it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
