"""JSON answers for programs that draw conclusions, such as an assistant: every number comes with what it leaves out.

Every answer is one JSON object. Text from the audited tenant (names, tags, messages, error texts) is only in the member `data`;
all other text is keyaudit's own. A count is exact only if everything that it counts was read. The lists of an answer are pages:
while `more` is true, `next_offset` begins the next.
"""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any, TextIO, TypeVar

from msgspec import Struct

from keyaudit.model.errors import AuditError
from keyaudit.model.results.run import Gap, Report, Run, Verdict
from keyaudit.model.values import times
from keyaudit.report.members import UNTRUSTED, coverage_member, exits, gap_member, inert
from keyaudit.report.summary import WORST_FIRST

T = TypeVar("T")

PAGE = 50
"""The default number of list items in an answer."""
MOST = 500
"""The maximum number of list items in an answer."""
LONGEST = 32_000
"""The maximum length in characters of an answer with several list items: some 10,000 tokens, which an assistant can use."""
_GAPS = LONGEST // 4
"""The same for the gaps in an answer about something else."""
Answer = dict[str, Any]
_UNSURE = ("not_all_known", "not_read")


class Document(Struct, frozen=True):
    """The JSON of a command as an answer, before its lists are cut to a page."""

    answer: Answer
    lists: Mapping[str, Sequence[object]]
    size: int
    """Its length in characters."""

    def page(self, offset: int, limit: int) -> Answer:
        """The answer with at most `limit` items of each list, from `offset` on."""
        return paged(self.answer, {name: items[offset:] for name, items in self.lists.items()}, offset, limit)


def of_document(render: Callable[[T, TextIO], object], found: T, run: Run, verdict: Verdict) -> Document:
    """The JSON of a command."""
    text = io.StringIO()
    render(found, text)
    document: dict[str, Any] = json.loads(text.getvalue())
    for name in ("schema", "untrusted", "notice", "run", "verdict", "gaps", "coverage"):
        document.pop(name, None)
    lists = {name: value for name, value in document.items() if isinstance(value, list)}
    # The document's own list of unknowns, which is complete.
    unsure = {name: len(value) for name, value in lists.items() if name in _UNSURE}
    doubts = sum(edge.get("unknown") is not None for edge in document.get("edges", ()))
    unknown = sum(unsure.values()) + doubts + (document["unknown"] if isinstance(document.get("unknown"), int) else 0)
    gaps = [gap for gap in verdict.gaps if gap.required]
    counts = {
        name: {"number": len(value)} if name in unsure else count(len(value), gaps, unknown) for name, value in lists.items()
    }
    answer = {**about(run, verdict), "counts": counts, "data": {**document, **some_gaps(verdict.gaps)}}
    return Document(answer, lists, text.tell())


def paged(answer: Answer, lists: Mapping[str, Sequence[object]], offset: int, limit: int) -> Answer:
    """The answer with at most `limit` items of each list in `data`, and no more than make it `LONGEST` characters long, but at
    least one. `lists`: their items from `offset` on, by name.
    """
    answer = {**answer, "offset": offset, "more": False, "data": {**answer["data"], **{name: [] for name in lists}}}
    sizes = [
        sum(len(inert(items[at])) + 2 for items in lists.values() if at < len(items)) for at in range(_longest(lists, limit))
    ]
    room = LONGEST - len(inert({**answer, "next_offset": offset + len(sizes)}))
    number = max(1, sum(size <= room for size in accumulate(sizes)))
    if number < _longest(lists, limit + 1):
        answer |= {"more": True, "next_offset": offset + number}
    answer["data"] |= {name: list(items[:number]) for name, items in lists.items()}
    return answer


def _longest(lists: Mapping[str, Sequence[object]], most: int) -> int:
    return min(most, max(map(len, lists.values()), default=0))


def summary(report: Report) -> Answer:
    """The number of open findings by severity, and the basis of the report."""
    verdict = report.verdict
    gaps = required_gaps(report)
    return {
        **about(report.run, verdict),
        "open_findings": {each: count(verdict.failed.get(each, 0), gaps, verdict.unknown.get(each, 0)) for each in WORST_FIRST},
        "open_findings_in_all": count(sum(verdict.failed.values()), gaps, sum(verdict.unknown.values())),
        "waived": sum(verdict.waived.values()),
        "passed": verdict.passed,
        "unknown_results": sum(verdict.unknown.values()),
        "policies_not_evaluated": {each.policy.id: list(each.needs) for each in verdict.not_judged},
        "reads_required": verdict.required,
        "reads_done": verdict.assessed,
        "data": {"tenant": report.run.tenant_name, **some_gaps(gaps)},
    }


def coverage(report: Report, *, offset: int, limit: int) -> Answer:
    """What was read and what was not, with reasons and fixes."""
    verdict = report.verdict
    lists = {
        "gaps": list(map(gap_member, verdict.gaps[offset : offset + limit + 1])),
        "coverage": list(map(coverage_member, verdict.coverage[offset : offset + limit + 1])),
    }
    answer = {
        **about(report.run, verdict),
        "reads": len(verdict.coverage),
        "gaps": len(verdict.gaps),
        "data": {},
    }
    return paged(answer, lists, offset, limit)


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


def count(number: int, gaps: Sequence[Gap], unknown: int = 0, *, lacking: bool = False) -> Answer:
    """A number, and whether it is exact: gaps and unknown results could add to it."""
    why = [
        *([f"{len(gaps)} places were not read: see data.gaps; coverage lists all of them"] if gaps else []),
        *([f"{unknown} results are unknown"] if unknown else []),
        *(["policies were not evaluated: see policies_not_evaluated"] if lacking else []),
    ]
    return {"bound": "at least", "number": number, "because": why} if why else {"bound": "exactly", "number": number}


def some_gaps(gaps: Sequence[Gap]) -> Answer:
    """The first gaps as a member of `data`, and their number if they are not all."""
    members: list[object] = []
    room = _GAPS
    for gap in gaps:
        member = gap_member(gap)
        room -= len(inert(member))
        if members and room < 0:
            return {"gaps": members, "gaps_in_all": len(gaps)}
        members.append(member)
    return {"gaps": members}


def required_gaps(report: Report) -> list[Gap]:
    """The gaps that the selected policies need."""
    return [gap for gap in report.verdict.gaps if gap.required]
