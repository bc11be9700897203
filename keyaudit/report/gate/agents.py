"""Commands for build agents about a gate: a few annotations, and the state "passed with warnings".

An annotation is for a policy or a gap, never for a single key, and there are at most twenty: the summary has the rest. Text
from the tenant is encoded by each agent's rules, so that no name can be a command.
"""

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum

from msgspec import Struct

from keyaudit.model.errors import Exit
from keyaudit.model.reasons import ADVICE, Reason
from keyaudit.model.results.findings import Outcome
from keyaudit.model.results.run import Report
from keyaudit.model.values.text import one_line
from keyaudit.report.gate.plan import place
from keyaudit.report.lines import plural
from keyaudit.report.missing import reads
from keyaudit.report.summary import message, severities

_ASIDE = frozenset({Reason.NOT_IN_PLAN})
_LINE = "%\r\n"

MOST = 10
"""The maximum number of errors, and of warnings: GitHub shows no more per step."""


class Agent(StrEnum):
    """The supported build agents."""

    GITHUB = "github"
    AZURE = "azure"


class _Annotation(Struct, frozen=True):
    """`error`: it makes the gate fail; otherwise a warning. `code` is a policy's id, or a fixed word."""

    error: bool
    code: str
    text: str
    file: str = ""
    """The file that it is about, as the agent takes it; empty: none."""
    line: int = 0


def annotations(reports: Sequence[Report], agent: Agent) -> Iterator[str]:
    """The commands, one per line: errors first, the most severe first."""
    write = _WRITERS[agent]
    found = [
        each
        for report in reports
        for each in (*_of_gaps(report), *(_of_plan(report) if report.run.planned else _of_policies(report)))
    ]
    for error in (True, False):
        some = [each for each in found if each.error is error]
        shown = some if len(some) <= MOST else some[: MOST - 1]
        yield from map(write, shown)
        if len(some) > len(shown):
            yield write(_Annotation(error, "more", f"{len(some) - len(shown)} more of this kind: see the summary"))
    if agent is Agent.AZURE and found and all(report.verdict.exit is Exit.CLEAN for report in reports):
        yield "##vso[task.complete result=SucceededWithIssues;]keyaudit gate passed with warnings"


def summary_command(path: str) -> str:
    """The command with which Azure Pipelines shows a Markdown file on the run's page."""
    return f"##vso[task.uploadsummary]{_azure_data(path)}"


def _of_policies(report: Report) -> Iterator[_Annotation]:
    verdict, gate = report.verdict, report.verdict.gate
    found: list[tuple[int, _Annotation]] = []
    for tally in report.tallies:
        counted = {
            severity: tally.failed.get(severity, 0) + (0 if verdict.new_only else tally.known.get(severity, 0))
            for severity in {*tally.failed, *tally.known}
        }
        open_ = {severity: count for severity, count in counted.items() if count}
        if open_:
            top_severity = max(open_, key=lambda severity: severity.rank)
            blocks = gate is not None and top_severity.rank >= gate.rank
            text = f"{tally.policy.problem}: {severities(open_)} open; keyaudit explain {tally.policy.id}"
            found.append((top_severity.rank, _Annotation(blocks, tally.policy.id, text)))
        unknown = sum(tally.unknown.values())
        if unknown:
            text = f"{tally.policy.problem}: {plural(unknown, 'result')} unknown; keyaudit doctor says why"
            found.append((-1, _Annotation(False, tally.policy.id, text)))
    found.sort(key=lambda each: -each[0])
    yield from (annotation for _, annotation in found)


def _of_plan(report: Report) -> Iterator[_Annotation]:
    """One for each finding, at its place in the configuration: the most severe first, unknown ones last."""
    gate, found = report.verdict.gate, list[tuple[int, _Annotation]]()
    for finding in report.findings(False):
        unknown = finding.outcome is Outcome.UNKNOWN
        if finding.outcome not in (Outcome.FAIL, Outcome.UNKNOWN) or (unknown and not set(finding.unknown.values()) - _ASIDE):
            continue
        reaches = gate is not None and finding.severity.rank >= gate.rank
        blocks = reaches and not (finding.known and report.verdict.new_only)
        at = finding.planned
        text = f"{finding.policy.problem}: {place(finding)}: {message(finding)}; keyaudit explain {finding.policy.id}"
        annotation = _Annotation(blocks, finding.policy.id, text, at.file if at else "", at.line if at else 0)
        found.append((finding.severity.rank - 100 * unknown, annotation))
    found.sort(key=lambda each: -each[0])
    yield from (annotation for _, annotation in found)


def _of_gaps(report: Report) -> Iterator[_Annotation]:
    for gap in report.verdict.gaps:
        advice = ADVICE[gap.reason]
        name = one_line(gap.scope.name or gap.scope.id)
        text = f"not read from {name}: {reads(gap.operations)} ({advice.meaning}); {advice.remedy}"
        yield _Annotation(gap.required and not gap.allowed, f"gap {gap.reason}", text)


def _github(annotation: _Annotation) -> str:
    kind = "error" if annotation.error else "warning"
    title = _encoded(one_line(annotation.code), f"{_LINE}:,")
    file = _encoded(one_line(annotation.file, 1_000), f"{_LINE}:,")
    at = f"file={file},line={annotation.line}," if annotation.file else ""
    return f"::{kind} {at}title=keyaudit {title}::{_encoded(one_line(annotation.text, 1_000), _LINE)}"


def _azure(annotation: _Annotation) -> str:
    kind = "error" if annotation.error else "warning"
    code = _encoded(one_line(annotation.code), f"{_LINE};]", percent="%AZP25")
    file = _encoded(one_line(annotation.file, 1_000), f"{_LINE};]", percent="%AZP25")
    at = f"sourcepath={file};linenumber={annotation.line};" if annotation.file else ""
    return f"##vso[task.logissue type={kind};{at}code={code}]{_azure_data(one_line(annotation.text, 1_000))}"


def _azure_data(text: str) -> str:
    return _encoded(text, _LINE, percent="%AZP25")


def _encoded(text: str, marks: str, *, percent: str = "%25") -> str:
    encoded = {mark: percent if mark == "%" else f"%{ord(mark):02X}" for mark in marks}
    return "".join(encoded.get(character, character) for character in text)


_WRITERS: dict[Agent, Callable[[_Annotation], str]] = {Agent.GITHUB: _github, Agent.AZURE: _azure}
