"""JSON answers for programs that draw conclusions, such as an assistant: every number comes with what it leaves out.

Every answer is one JSON object. Text from the audited tenant (names, tags, messages, error texts) is only in the member `data`;
all other text is keyaudit's own. A count is exact only if everything that it counts was read.
"""

import io
import json
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, TextIO, TypeVar

from keyaudit.model import times
from keyaudit.model.errors import AuditError
from keyaudit.model.expiring import Owner
from keyaudit.model.findings import Finding, Outcome, Severity
from keyaudit.model.run import Gap, Report, Run, Verdict
from keyaudit.report import json as report_json
from keyaudit.report.facts import Facts
from keyaudit.report.members import UNTRUSTED, coverage_member, exits, gap_member
from keyaudit.report.resource import label
from keyaudit.report.summary import WORST_FIRST

T = TypeVar("T")

PAGE = 50
"""The default number of list items in an answer."""
MOST = 500
"""The maximum number of list items in an answer."""
Answer = dict[str, Any]
_UNSURE = ("not_all_known", "not_read")


def of_document(
    render: Callable[[T, TextIO], object], found: T, run: Run, verdict: Verdict, *, offset: int, limit: int
) -> Answer:
    """The JSON of a command, with at most `limit` items of each of its lists, from `offset` on."""
    text = io.StringIO()
    render(found, text)
    document: dict[str, Any] = json.loads(text.getvalue())
    for name in ("schema", "untrusted", "notice", "run", "verdict", "gaps", "coverage"):
        document.pop(name, None)
    sizes = {name: len(value) for name, value in document.items() if isinstance(value, list)}
    cut = {name: document[name][offset : offset + limit] for name in sizes}
    data = {**document, **cut, "gaps": [gap_member(gap) for gap in verdict.gaps[:MOST]]}
    # The document's own list of unknowns, which is complete.
    unsure = {name: size for name, size in sizes.items() if name in _UNSURE}
    doubts = sum(edge.get("unknown") is not None for edge in document.get("edges", ()))
    unknown = sum(unsure.values()) + doubts + (document["unknown"] if isinstance(document.get("unknown"), int) else 0)
    gaps = [gap for gap in verdict.gaps if gap.required]
    counts = {name: {"number": size} if name in unsure else _count(size, gaps, unknown) for name, size in sizes.items()}
    return {**about(run, verdict), "counts": counts, "offset": offset, "data": data}


def summary(report: Report) -> Answer:
    """The number of open findings by severity, and the basis of the report."""
    verdict = report.verdict
    gaps = _gaps(report)
    return {
        **about(report.run, verdict),
        "open_findings": {
            each: _count(verdict.failed.get(each, 0), gaps, verdict.unknown.get(each, 0)) for each in WORST_FIRST
        },
        "open_findings_in_all": _count(sum(verdict.failed.values()), gaps, sum(verdict.unknown.values())),
        "waived": sum(verdict.waived.values()),
        "passed": verdict.passed,
        "unknown_results": sum(verdict.unknown.values()),
        "policies_not_evaluated": {each.policy.id: list(each.needs) for each in verdict.not_judged},
        "reads_required": verdict.required,
        "reads_done": verdict.assessed,
        "data": {"tenant": report.run.tenant_name, "gaps": [gap_member(gap) for gap in gaps[:MOST]]},
    }


def findings(
    report: Report, *, policy: str, severity: Severity, outcome: Outcome, resource: str, offset: int, limit: int
) -> Answer:
    """The findings with an outcome, of this severity and above, of one policy, and of resources whose name or id contains a
    text.
    """
    wanted = resource.lower()
    unknown = 0
    items: list[tuple[Owner, Finding]] = []
    matching = 0
    for owner, each in _matching(report, policy, severity, wanted, passes=outcome is Outcome.PASS):
        unknown += each.outcome is Outcome.UNKNOWN
        if each.outcome is outcome:
            matching += 1
            if offset < matching <= offset + limit:
                items.append((owner, each))
    gaps = [gap for gap in _gaps(report) if not policy or policy in gap.blinds]
    lacking = {each.policy.id: list(each.needs) for each in report.verdict.not_judged if policy in ("", each.policy.id)}
    counted = outcome is not Outcome.UNKNOWN
    return {
        **about(report.run, report.verdict),
        "count": _count(matching, gaps, unknown if counted else 0, lacking=bool(lacking)),
        "policies_not_evaluated": lacking,
        "offset": offset,
        "more": matching > offset + limit,
        "data": {
            "findings": [report_json.finding_member(owner, each) for owner, each in items],
            "gaps": [gap_member(gap) for gap in gaps[:MOST]],
        },
    }


def coverage(report: Report, *, offset: int, limit: int) -> Answer:
    """What was read and what was not, with reasons and fixes."""
    verdict = report.verdict
    records = list(islice(verdict.coverage, offset, offset + limit))
    return {
        **about(report.run, verdict),
        "reads": len(verdict.coverage),
        "offset": offset,
        "data": {
            "gaps": [gap_member(gap) for gap in verdict.gaps[:MOST]],
            "coverage": [coverage_member(record) for record in records],
        },
    }


def refusal(error: AuditError) -> Answer:
    """The refusal of a question; never an empty list, which would be an answer."""
    return {"answered": False, "untrusted": UNTRUSTED, "data": {"reason": str(error)}}


def about(run: Run, verdict: Verdict) -> Answer:
    """The beginning of an answer: tenant, time, and whether everything required was read."""
    simulated = {"simulated": True} if run.simulated else {}
    return {
        "answered": True,
        "untrusted": UNTRUSTED,
        "tenant_id": run.tenant_id,
        "as_of": times.iso_time(run.as_of),
        **simulated,
        "complete": exits(verdict)["complete"],
    }


def _count(number: int, gaps: Sequence[Gap], unknown: int = 0, *, lacking: bool = False) -> Answer:
    """A number, and whether it is exact: gaps and unknown results could add to it."""
    why = [
        *([f"{len(gaps)} places were not read: see data.gaps"] if gaps else []),
        *([f"{unknown} results are unknown"] if unknown else []),
        *(["policies were not evaluated: see policies_not_evaluated"] if lacking else []),
    ]
    return {"bound": "at least", "number": number, "because": why} if why else {"bound": "exactly", "number": number}


def _gaps(report: Report) -> list[Gap]:
    return [gap for gap in report.verdict.gaps if gap.required]


def _matching(report: Report, policy: str, least: Severity, resource: str, *, passes: bool) -> Iterator[tuple[Owner, Finding]]:
    for owner, each in report.owned(passes):
        if policy and each.policy.id != policy:
            continue
        if each.severity.rank < least.rank:
            continue
        if resource and resource not in each.subject.lower() and resource not in label(Facts.of(each)).lower():
            continue
        yield owner, each
