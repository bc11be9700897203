"""One finding in full, for people: the message, the evidence, why it has its severity, and how to fix it."""

from collections.abc import Iterator, Sequence

from keyaudit.model.results.causes import SHORT, Cause
from keyaudit.model.results.expiring import Owner
from keyaudit.model.results.findings import Finding, Ruling
from keyaudit.model.results.fixes import parts
from keyaudit.model.results.run import Run
from keyaudit.model.values.text import one_line
from keyaudit.report.facts import Facts, plain
from keyaudit.report.judgement import said, value_of
from keyaudit.report.lines import joined, wrap
from keyaudit.report.options import PAGE
from keyaudit.report.resource import context, label
from keyaudit.report.summary import SIMULATED, message, word

_INDENT = "  "
_LONGEST = 10_000


def render_finding(finding: Finding, owner: Owner, run: Run, width: int = PAGE) -> str:
    """The finding in lines of at most `width` columns, commands excepted."""
    return joined(_lines(finding, owner, run, width))


def in_short(finding: Finding, width: int = PAGE) -> str:
    """The finding in a line or two, the first with what `explain` takes."""
    said = f"{finding.id[:SHORT]} {word(finding)} {label(Facts.of(finding))}: {finding.policy.problem}: {message(finding)}"
    return joined(wrap(one_line(said, _LONGEST), width, "", _INDENT * 2))


def _lines(finding: Finding, owner: Owner, run: Run, width: int) -> Iterator[str]:
    policy, facts = finding.policy, Facts.of(finding)
    if run.simulated:
        yield SIMULATED
    yield from _wrapped(f"{finding.id}: {word(finding)} {policy.problem} ({policy.id})", "", width)
    yield from _section(width, "Resource", label(facts), context(facts, owner), finding.subject)
    yield from _section(width, "Finding", message(finding))
    yield from _section(width, "Requirement", policy.title, *([f"limits: {finding.expected}"] if finding.expected else []))
    yield from _section(width, "Evidence", *_evidence(finding, facts))
    yield from _section(width, "Severity", *_severity(finding, facts))
    yield from _section(width, "Why", *policy.why.splitlines())
    yield from _section(width, "Cause", *_cause(finding.cause, finding.id))
    for part in parts(finding.fix, finding.steps):
        if part.is_command:
            # A command over several lines cannot be pasted.
            yield from ("", part.heading, *(f"{_INDENT}{one_line(line, _LONGEST)}" for line in part.lines))
        else:
            yield from _section(width, part.heading, *part.lines)
    yield ""
    yield from _wrapped(f"The policy in full: keyaudit explain {policy.id}", "", width)


def _evidence(finding: Finding, facts: Facts) -> Iterator[str]:
    for name, value in finding.evidence.items():
        yield f"{name}: {plain(facts.type(name), value) if value is not None else 'absent'}"
    for name, reason in finding.unknown.items():
        if name not in finding.evidence:
            yield f"{name}: unknown ({reason})"
    source = " ".join(filter(None, (facts.text("source_url"), facts.text("source_version"))))
    if source:
        yield f"read from {source}"


def _severity(finding: Finding, facts: Facts) -> Iterator[str]:
    """What is weak times what it opens, then the rule behind each, and each fact that they ask."""
    judged = finding.judged() if finding.judged else None
    if judged is None:
        return
    yield said(finding)
    yield from _rules("weakness", judged.weakness)
    yield from _rules("opens", judged.opens)
    columns = facts.table.by_name if facts.table else {}
    for name in judged.columns:
        value = value_of(finding, judged, name)
        yield f"{name} is {value}: {columns[name].meaning}" if name in columns else f"{name} is {value}"


def _rules(what: str, rulings: Sequence[Ruling]) -> Iterator[str]:
    for ruling in rulings:
        if ruling.condition:
            yield f"{what} {ruling.word}: this rule {'holds' if ruling.certain else 'may hold'}: {ruling.condition}"
        elif not ruling.columns:
            yield f"{what} {ruling.word}: always"
        else:
            yield f"{what} {ruling.word}: {'no other rule' if ruling.certain else 'otherwise, because no other rule'} holds"


def _cause(cause: Cause | None, of: str) -> Iterator[str]:
    """The action that closes all findings of the cause, then the others of them, the head first."""
    if cause is None:
        return
    yield cause.action
    yield "The same cause has:"
    for member in (cause.head, *cause.also):
        if member.finding != of:
            yield f"{member.finding}: {member.problem} ({member.policy})"


def _section(width: int, name: str, *paragraphs: str) -> Iterator[str]:
    shown = [paragraph for paragraph in paragraphs if paragraph.strip()]
    if shown:
        yield ""
        yield name
        for paragraph in shown:
            yield from _wrapped(paragraph, _INDENT, width)


def _wrapped(text: str, indent: str, width: int) -> list[str]:
    return wrap(one_line(text, _LONGEST), width, indent, f"{indent}  " if indent else "")
