"""The report as a textfile for Prometheus' node exporter: dates of credentials, counts of results, and coverage.

A date is a timestamp and not "days left" or an age, so that an alert rule stays right between two runs. Credentials whose
date is unknown are counted, so that no alert relies on a series that is silently missing. Every series has the label `tenant`,
so that the files of several tenants can be in one folder.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO

from keyaudit.model.results.expiring import RENEWED_BY_AZURE
from keyaudit.model.results.findings import Tally
from keyaudit.model.results.run import Report
from keyaudit.model.schema.columns import Type
from keyaudit.model.severity import Severity
from keyaudit.model.tables import TABLES
from keyaudit.model.values.text import one_line
from keyaudit.report.facts import Facts
from keyaudit.report.resource import label, owner, owner_unknown
from keyaudit.report.summary import SIMULATED

MOST_CREDENTIALS = 5_000
"""The maximum number of series of credentials, those that expire first, to limit the load on a Prometheus server."""
_LONGEST = 1_000
# Credentials that are not in use, and keys of certificates, which expire with the certificate, need no alert.
_OUT_OF_USE = {"enabled": False, "holder_enabled": False, "is_current": False, "active": False, "managed": True}
_ENDING = tuple(
    name
    for name, table in TABLES.items()
    if table.replaced and "expires_on" in table.by_name and table.by_name["expires_on"].type is Type.TIME
)
_BEGINS = {
    table: next((name for name in ("created_on", "starts_on") if name in TABLES[table].by_name), "") for table in _ENDING
}
"""By table, the column with the date from which an age counts; empty without one."""
Labels = Mapping[str, str]
Sample = tuple[Labels, int | float]


def write(report: Report, out: BinaryIO) -> None:
    """Write the metrics."""
    if report.run.simulated:
        out.write(f"# {SIMULATED}\n".encode())
    for name, help_, samples in _metrics(report):
        out.writelines(line.encode() for line in metric(name, help_, samples))


def metric(name: str, help_: str, samples: Iterable[Sample]) -> Iterator[str]:
    """The lines of one metric. Texts in labels have to be `safe`."""
    yield f"# HELP keyaudit_{name} {help_}\n# TYPE keyaudit_{name} gauge\n"
    for labels, value in samples:
        written = ",".join(f'{label}="{text}"' for label, text in labels.items())
        yield f"keyaudit_{name}{{{written}}} {value!r}\n"


def _metrics(report: Report) -> Iterator[tuple[str, str, Iterable[Sample]]]:
    run, verdict = report.run, report.verdict
    tenant = {"tenant": safe(run.tenant_id)}
    about = {
        "run": run.run_id,
        "name": run.tenant_name,
        "environment": run.environment,
        "version": run.tool_version,
        "simulated": str(run.simulated).lower(),
    }
    yield (
        "run_info",
        "The run that these metrics describe.",
        [({**tenant, **{name: safe(text) for name, text in about.items()}}, 1)],
    )
    yield (
        "run_timestamp_seconds",
        "Time at which the tenant was read; ages and expiration dates count from it.",
        [(tenant, run.as_of)],
    )
    yield "exit_code", "Exit code of the run; keyaudit explain exit-codes lists the meanings.", [(tenant, int(verdict.exit))]
    yield "complete", "1 if all required reads were done and no required result is unknown.", [(tenant, int(verdict.complete))]
    yield (
        "expected",
        "1 if the configuration states what must exist; 0 if completeness is relative to what the identity can see.",
        [(tenant, int(verdict.expected))],
    )
    yield "reads_required", "Number of reads that the selected policies need.", [(tenant, verdict.required)]
    yield "reads_assessed", "Number of required reads that were done.", [(tenant, verdict.assessed)]
    if verdict.required:
        ratio = verdict.assessed / verdict.required
        yield "coverage_ratio", "Share of the required reads that were done.", [(tenant, ratio)]
    yield "gaps", "Number of gaps, where something was not read, by reason.", _gaps(report, tenant)
    yield "findings", "Number of results by policy, severity and status.", _findings(report.tallies, tenant)
    not_judged = (({**tenant, "policy": safe(each.policy.id)}, 1) for each in verdict.not_judged)
    yield (
        "policy_not_judged",
        "1 for each policy that was not evaluated, because its evidence was not supplied; not a pass.",
        not_judged,
    )
    yield from _credentials(report, tenant)


def _gaps(report: Report, tenant: Labels) -> Iterator[Sample]:
    gaps = report.verdict.gaps
    counts = Counter((str(gap.reason), str(gap.required).lower(), str(gap.allowed).lower()) for gap in gaps)
    for (reason, required, allowed), count in sorted(counts.items()):
        yield {**tenant, "reason": reason, "required": required, "accepted": allowed}, count


def _findings(tallies: Iterable[Tally], tenant: Labels) -> Iterator[Sample]:
    for tally in tallies:
        policy, usual = tally.policy, tally.policy.severity
        by_status: dict[str, Mapping[Severity, int]] = {
            "fail": tally.failed,
            "known": tally.known,
            "waived": tally.waived,
            "unknown": tally.unknown,
            "pass": {usual: tally.passed},
        }
        for status, counts in by_status.items():
            # Zeros are written too, because an alert cannot distinguish a missing series from one that never existed.
            for severity, count in ({usual: 0} | dict(counts)).items():
                yield {**tenant, "policy": safe(policy.id), "severity": severity, "status": status}, count


class _Earliest:
    """The earliest dates of credentials in use, at most `MOST_CREDENTIALS` of them, and how many others there are.

    What Azure renews by itself is left out first.
    """

    def __init__(self) -> None:
        self._held: list[tuple[bool, int, int, tuple[tuple[str, str], ...]]] = []
        self.count = 0
        self.unknown: Counter[tuple[str, str]] = Counter()
        self.absent: Counter[str] = Counter()

    def add(self, facts: Facts, column: str, labels: Labels) -> None:
        """The date in that column of a credential."""
        date = facts.integer(column)
        if column in facts.unknown:
            self.unknown[labels["kind"], facts.unknown[column]] += 1
        elif date is None:
            self.absent[labels["kind"]] += 1
        else:
            self.count += 1
            # What Azure renews leaves its place to what somebody has to replace.
            entry = (labels["azure_renews"] == "false", -date, -self.count, tuple(labels.items()))
            (heapq.heappush if len(self._held) < MOST_CREDENTIALS else heapq.heappushpop)(self._held, entry)

    @property
    def series(self) -> list[tuple[dict[str, str], int]]:
        """The labels and the date of each. Two with the same labels are one series, with the earlier date."""
        dates = {labels: -date for _, date, _, labels in sorted(self._held)}
        return [(dict(labels), date) for labels, date in sorted(dates.items(), key=lambda each: (each[1], each[0]))]


def _credentials(report: Report, tenant: Labels) -> Iterator[tuple[str, str, Iterable[Sample]]]:
    """The earliest expiration dates, the oldest credentials, and the numbers of others."""
    ends, begins = _Earliest(), _Earliest()
    for table in _ENDING:
        for row in report.listing(table).rows():
            facts = Facts(table, row)
            if any(facts.row.get(name) is value for name, value in _OUT_OF_USE.items()):
                continue
            labels = _labels(facts, report.tag_labels, report.run.as_of)
            ends.add(facts, "expires_on", labels)
            if _BEGINS[table]:
                begins.add(facts, _BEGINS[table], labels)
    for found, name, what, others in (
        (ends, "credential_not_after_timestamp_seconds", "Expiration date of a credential in use.", "they expire later"),
        (begins, "credential_created_timestamp_seconds", "When a credential in use was created.", "they are younger"),
    ):
        shown = found.series
        yield name, what, (({**tenant, **labels}, date) for labels, date in shown)
        yield (
            f"{'credential' if found is ends else 'credential_created'}_series_left_out",
            f"Number of credentials without a series, because {others} than all that have one.",
            [(tenant, found.count - len(shown))],
        )
    yield (
        "credentials_without_known_end",
        "Number of credentials whose expiration date is unknown, by reason.",
        (({**tenant, "kind": kind, "reason": reason}, number) for (kind, reason), number in sorted(ends.unknown.items())),
    )
    yield (
        "credentials_without_known_age",
        "Number of credentials whose creation date is unknown, by reason.",
        (({**tenant, "kind": kind, "reason": reason}, number) for (kind, reason), number in sorted(begins.unknown.items())),
    )
    yield (
        "credentials_without_end",
        "Number of credentials in use without an expiration date.",
        (({**tenant, "kind": kind}, number) for kind, number in sorted(ends.absent.items())),
    )


def _kind(facts: Facts) -> str:
    return safe(f"{facts.kind} {facts.text('kind')}" if facts.text("kind") else facts.kind)


def _azure_renews(facts: Facts, as_of: int) -> bool:
    """Whether Azure renews it by itself, as `expiring` says. One that has expired was not renewed."""
    name, value = RENEWED_BY_AZURE
    end = facts.integer("expires_on")
    return facts.text(name) == value and (end is None or end > as_of)


def _labels(facts: Facts, tags: Iterable[str], as_of: int) -> dict[str, str]:
    name, _ = owner(facts)
    found = facts.row.get("tags")
    held = found if isinstance(found, dict) else {}
    return {
        "kind": _kind(facts),
        "id": safe(facts.text("id") or ""),
        "resource": safe(label(facts)),
        "owner": "unknown" if owner_unknown(facts) else safe(name or ""),
        "azure_renews": str(_azure_renews(facts, as_of)).lower(),
        **{
            f"tag_{tag.replace('-', '_')}": "unknown" if "tags" in facts.unknown else safe(str(held.get(tag, "")))
            for tag in tags
        },
    }


def safe(text: str) -> str:
    """Text as the value of a label: on one line, escaped for the format."""
    return one_line(text, _LONGEST).replace("\\", "\\\\").replace('"', '\\"')
