"""The report for people: grouped by resource, at most `width` columns, its limitations last."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import TextIO

from keyaudit.model.coverage import Scope
from keyaudit.model.results.causes import SHORT
from keyaudit.model.results.expiring import Owner
from keyaudit.model.results.findings import Finding, Outcome
from keyaudit.model.results.fixes import LABELS, ordered, parts
from keyaudit.model.results.run import Report
from keyaudit.model.severity import Severity
from keyaudit.model.values.text import one_line
from keyaudit.report.facts import Facts
from keyaudit.report.findings.causes import apart, problems, repeated, same_cause
from keyaudit.report.findings.external_sort import in_order
from keyaudit.report.findings.first import tier0_lines
from keyaudit.report.lines import Paint, columns, joined, pad, paint, plural, wrap
from keyaudit.report.options import Options
from keyaudit.report.resource import BELOW, context, label, owner_words, thing
from keyaudit.report.summary import MESSAGE, footer, header, message, word

_HEADING = 34
_WORD = 8
_INDENT = " " * (2 + _WORD + 2)
_LONGEST = 10_000
_FIXED = Severity.MEDIUM
"""The lowest severity of findings whose fix is listed; explain shows that of each."""
_UNKNOWN = "UNKNOWN"
_COLOURS = {
    Severity.CRITICAL: Paint.ALARM,
    Severity.HIGH: Paint.ALARM,
    Severity.MEDIUM: Paint.WARN,
    Severity.LOW: Paint.CALM,
    Severity.INFO: Paint.CALM,
    Outcome.UNKNOWN: Paint.DOUBT,
    Outcome.WAIVED: Paint.CALM,
    Outcome.PASS: Paint.FINE,
}


def render(report: Report, out: TextIO, options: Options) -> None:
    """Write the report, one resource at a time. Findings on one resource must follow one another in `owned`."""
    width, colour = options.page, options.colour
    out.write(joined([*header(report.run, report.verdict, width, colour), ""]))
    listing(report, out, options)
    if not options.full and (lines := tier0_lines(report, options)):
        out.write(joined([*lines, ""]))
    out.write(joined(footer(report, width, colour, hints=options.hints, full=options.full, ids=True)))


def listing(report: Report, out: TextIO, options: Options) -> None:
    """Write the findings alone. Findings on one resource must follow one another in `owned`.

    A cause that many resources have is listed after the resources.
    """
    width, colour = options.page, options.colour
    unread: dict[Scope, list[str]] = defaultdict(list)
    first: list[Finding] = []
    numbers: dict[tuple[str, str, str], int] = {}
    fixed: dict[tuple[str, str], str] = {}

    def write() -> Iterator[tuple[tuple[object, ...], tuple[int, str]]]:
        """Writes the findings by resource, and returns the lines of causes that many resources have, by their order.

        Each with the number of its cause in `first`.
        """
        number = 0
        for (_, on), pairs in groupby(report.owned(options.passes), key=lambda pair: thing(pair[1])):
            if isinstance(on, Scope):
                unread[on] += [finding.policy.id for _, finding in pairs]
                continue
            own = []
            names: dict[object, str] = {}
            for owner, finding in pairs:
                if repeated(report, finding):
                    cause = numbers.setdefault(finding.alike, len(first))
                    if cause == len(first):
                        first.append(finding)
                    number += 1
                    row = finding.row["id"]
                    name = names[row] = names.get(row) or _resource(Facts.of(finding), owner)
                    yield (
                        (-finding.severity.rank, finding.policy.id, cause, number),
                        (cause, f"{_id(finding)}{name}: {_said(finding)}"),
                    )
                else:
                    own.append((owner, finding))
            out.write(joined(_groups(own, options, fixed)))

    for cause, lines in groupby(in_order(write()), key=itemgetter(0)):
        finding = first[cause]
        times = report.causes().repeated[finding.alike]
        out.write(joined(_heading(f"{times:,} resources with the same problem", "", width, colour)))
        out.write(joined(_first(named(finding), word(finding), painted(finding, colour), width)))
        out.writelines(joined(wrap(line, width, _INDENT, _INDENT + "  ")) for _, line in lines)
        if options.fixes:
            out.write(joined(_fix(finding, width, f"of {finding.id[:SHORT]} (explain shows that of each other)")))
        out.write("\n")
    out.writelines(joined(_unread(scope, policies, width, colour)) for scope, policies in unread.items())


def _groups(pairs: Iterable[tuple[Owner, Finding]], options: Options, fixed: dict[tuple[str, str], str]) -> list[str]:
    """The headings: one per row, so that each version of a key has its own. `fixed`: as for `_findings`."""
    width, colour = options.page, options.colour
    rows: dict[object, list[tuple[Owner, Finding]]] = defaultdict(list)
    for pair in pairs:
        rows[pair[1].row.get("id")].append(pair)
    lines: list[str] = []
    for same in rows.values():
        owner, first = same[0]
        facts = Facts.of(first)
        lines += _heading(one_line(label(facts)), one_line(context(facts, owner)), width, colour)
        lines += _findings([finding for _, finding in same], options, fixed)
        lines.append("")
    return lines


def _resource(facts: Facts, owner: Owner) -> str:
    """A resource among others of the same problem, with its owner."""
    return one_line(", ".join(filter(None, (label(facts), owner_words(facts, owner)))))


def _id(finding: Finding) -> str:
    """How its line begins: with what `explain` takes for its fix. What is unknown has no fix of its own."""
    return f"{finding.id[:SHORT]} " if finding.outcome is Outcome.FAIL else ""


def _said(finding: Finding) -> str:
    """The message of a resource with a cause that many have, and what else the cause explains there."""
    ending = f" (also {', '.join(problems(member.problem for member in finding.cause.also))})" if finding.cause else ""
    return f"{message(finding)}{one_line(ending, MESSAGE)}"


def _findings(same: Sequence[Finding], options: Options, fixed: dict[tuple[str, str], str]) -> list[str]:
    """The problem of each with its message. Under the head of a cause stand the others on the same row.

    Policies that are unknown for the same reason share an entry at the end. `fixed`: by policy and commands, the id of the
    finding whose fix was listed; one that is fixed in the same way refers to it, and one whose cause another leads to none.
    """
    lines: list[str] = []
    width, colour = options.page, options.colour
    unknown: dict[str, list[Finding]] = defaultdict(list)
    heads = {finding.cause.key for finding in same if finding.cause and finding.leads}
    under: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in same:
        if finding.outcome is Outcome.UNKNOWN:
            unknown[message(finding)].append(finding)
        elif finding.cause and finding.beside_head and finding.cause.key in heads:
            under[finding.cause.key].append(finding)
    for finding in same:
        if finding.outcome is not Outcome.UNKNOWN and not (finding.cause and finding in under[finding.cause.key]):
            lines += _finding(finding, width, colour)
            lines += _fix_once(finding, width, fixed) if options.fixes else ()
            for other in under[finding.cause.key] if finding.cause and finding.leads else ():
                lines += wrap(
                    f"also {word(other)} {named(other)}: {_id(other)}{message(other)}", width, _INDENT, _INDENT + "  "
                )
            for ending in filter(None, (apart(finding), same_cause(finding))):
                lines += wrap(one_line(ending, MESSAGE), width, _INDENT, _INDENT + "  ")
    for why, findings in unknown.items():
        if len(findings) == 1:
            lines += _finding(findings[0], width, colour)
        else:
            lines += _unknown([finding.policy.id for finding in findings], why, width, colour)
    return lines


def _fix_once(finding: Finding, width: int, fixed: dict[tuple[str, str], str]) -> Iterable[str]:
    """How a failure is fixed, as in `_findings`."""
    if finding.outcome is not Outcome.FAIL or (finding.cause and not finding.leads) or finding.severity.rank < _FIXED.rank:
        return ()
    first = fixed.setdefault((finding.policy.id, finding.command), finding.id)
    if first == finding.id:
        return _fix(finding, width)
    again = f"Fix: as for {first[:SHORT]}; keyaudit explain {finding.id[:SHORT]} shows it for this one"
    return wrap(again, width, _INDENT, _INDENT + "  ")


def _fix(finding: Finding, width: int, of: str = "") -> Iterator[str]:
    """How a failure is fixed, of several steps the first; `of`: which one, if others stand beside it.

    A command is one line however long, to be pasted.
    """
    steps = ordered(finding.fix, finding.steps) if finding.outcome is Outcome.FAIL else []
    for part in parts({}, steps[:1]):
        name = " ".join(filter(None, (part.heading, of)))
        for line in part.lines:
            said = one_line(line, _LONGEST)
            if part.is_command:
                yield f"{_INDENT}  {said}"
            else:
                whole = said if line.startswith(LABELS) else f"{name}: {said}"
                yield from wrap(whole, width, _INDENT + "  " * (whole is said), _INDENT + "  ")
    if len(steps) > 1:
        more = f"{plural(len(steps) - 1, 'more step')}: keyaudit explain {finding.id[:SHORT]}"
        yield from wrap(more, width, _INDENT + "  ", _INDENT + "  ")


def _unread(scope: Scope, policies: list[str], width: int, colour: bool) -> Iterator[str]:
    """All unknown policies of a scope in one entry; the gaps at the end have the reasons."""
    name = one_line(f"{scope.kind} {scope.name or scope.id}")
    yield from _heading(name, BELOW, width, colour)
    yield from _unknown(policies, "", width, colour)
    yield ""


def _unknown(policies: list[str], why: str, width: int, colour: bool) -> Iterator[str]:
    """One entry for all policies with this cause."""
    first, *more = wrap(", ".join(policies), width, f"  {pad(_UNKNOWN, _WORD)}  ", _INDENT)
    yield "  " + paint(_UNKNOWN, Paint.DOUBT, colour) + first[2 + len(_UNKNOWN) :]
    yield from more
    if why:
        yield from wrap(why, width, _INDENT, _INDENT)


def _heading(name: str, facts: str, width: int, colour: bool) -> Iterable[str]:
    beside = f"{pad(name, _HEADING - 2)}  {facts}"
    if facts and columns(beside) <= width:
        return [paint(name, Paint.BOLD, colour) + beside[len(name) :]]
    named = [paint(line, Paint.BOLD, colour) for line in wrap(name, width, rest="    ")]
    return [*named, *(wrap(facts, width, "    ", "    ") if facts else [])]


def _finding(finding: Finding, width: int, colour: bool) -> Sequence[str]:
    said = word(finding)
    first = _first(named(finding), said, painted(finding, colour), width)
    # A pass shows only its requirement.
    return (
        first
        if finding.outcome is Outcome.PASS
        else [*first, *wrap(f"{_id(finding)}{message(finding)}", width, _INDENT, _INDENT)]
    )


@lru_cache(maxsize=1_000)
def _first(name: str, said: str, shown: str, width: int) -> Sequence[str]:
    """The lines with the word and the problem: the same for all findings of a policy and a severity."""
    first, *more = wrap(name, width, f"  {pad(said, _WORD)}  ", _INDENT)
    return (f"  {shown}{first[2 + len(said) :]}", *more)


def named(finding: Finding) -> str:
    """The problem, or the requirement for a pass, with the policy's id."""
    policy = finding.policy
    return _named(policy.title if finding.outcome is Outcome.PASS else policy.problem, policy.id)


@lru_cache(maxsize=1_000)
def _named(what: str, policy: str) -> str:
    return one_line(f"{what} ({policy})", 1_000)


def painted(finding: Finding, colour: bool) -> str:
    """Its `word` in its colour."""
    said = word(finding)
    if not colour:
        return said
    return paint(said, _COLOURS[finding.severity if finding.outcome is Outcome.FAIL else finding.outcome], colour)
