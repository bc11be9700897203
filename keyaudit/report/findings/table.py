"""The flat table: one line per cause, in the style of `az -o table`; then the summary of the text report."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import TextIO

from keyaudit.model.results.expiring import Owner
from keyaudit.model.results.findings import Finding, Outcome
from keyaudit.model.results.run import Report
from keyaudit.model.values import times
from keyaudit.model.values.text import one_line
from keyaudit.report.facts import Facts
from keyaudit.report.findings.causes import also, same_cause, told
from keyaudit.report.lines import joined, pad, wrap
from keyaudit.report.options import PAGE, Options
from keyaudit.report.resource import label
from keyaudit.report.summary import MESSAGE, footer, header, word
from keyaudit.report.tabular.grid import GAP, SAMPLE, grid, least, natural

_UNKNOWN = "unknown"
_WITH_OWNER = 100
"""The terminal width from which the owner is shown by default."""
_TABLE = 70
"""The minimum width of a table."""
_WORDS = 20
"""The minimum width of a readable text cell."""
_WHOLE = frozenset({"severity", "policy", "expires", "id"})
"""Columns that are never broken over lines, so that their values can be found and copied."""


def _owner(owner: Owner) -> str:
    return _UNKNOWN if owner.reason else ", ".join(owner.names) or "no owner"


def _shown(facts: Facts, name: str) -> str:
    return one_line(facts.shown(name, _UNKNOWN)) if facts.row else _UNKNOWN


def _expires(facts: Facts) -> str:
    ends = facts.integer("expires_on")
    return _shown(facts, "expires_on") if ends is None else times.iso_date(ends)


def _problem(finding: Finding) -> str:
    policy = finding.policy
    return one_line(policy.title if finding.outcome is Outcome.PASS else policy.problem, 1_000)


COLUMNS: Mapping[str, Callable[[Finding, Owner], str]] = {
    "severity": lambda finding, _: word(finding),
    "policy": lambda finding, _: finding.policy.id,
    "problem": lambda finding, _: _problem(finding),
    "resource": lambda finding, _: one_line(label(Facts.of(finding))),
    "finding": lambda finding, _: told(finding),
    "cause": lambda finding, _: one_line(also(finding) or same_cause(finding), MESSAGE),
    "owner": lambda _, owner: one_line(_owner(owner), 500),
    "expires": lambda finding, _: _expires(Facts.of(finding)),
    "kind": lambda finding, _: finding.policy.table,
    "subscription": lambda finding, _: _shown(Facts.of(finding), "subscription_name"),
    "location": lambda finding, _: _shown(Facts.of(finding), "location"),
    "title": lambda finding, _: one_line(finding.policy.title, 1_000),
    "subject": lambda finding, _: one_line(finding.subject, 1_000),
    "id": lambda finding, _: finding.id,
}
"""The cell of a finding by column; an empty cell is absent."""
_USUAL = ("severity", "problem", "resource", "finding", "owner")


def render(report: Report, out: TextIO, options: Options) -> None:
    """Write the table with the chosen columns or the default ones. Cells are wrapped to fit a terminal, and never cut.

    On a narrow terminal the owner is left out unless requested; on a very narrow one, each cell has its own line.
    """
    width = options.width or PAGE
    out.write(joined([*header(report.run, report.verdict, width, colour=False), ""]))
    listing(report, out, options)
    out.write(joined(footer(report, width, colour=False, hints=options.hints)))


def listing(report: Report, out: TextIO, options: Options) -> None:
    """Write the table alone."""
    names, width = options.columns or _USUAL, options.width
    rows = _rows(report, options.passes, names)
    sample = list(islice(rows, SAMPLE))
    if sample:
        out.writelines(f"{line}\n" for line in _lines(names, sample, rows, width, usual=not options.columns))
        out.write("\n")


def _rows(report: Report, passes: bool, shown: Sequence[str]) -> Iterator[list[str]]:
    if "owner" in shown:
        pairs = report.owned(passes)
    else:
        nobody = Owner((), "", None)
        pairs = ((nobody, finding) for finding in report.findings(passes))
    # Those on the row of the head are told with it.
    return ([COLUMNS[name](finding, owner) for name in shown] for owner, finding in pairs if not finding.beside_head)


def _lines(
    names: Sequence[str], sample: Sequence[Sequence[str]], rest: Iterator[Sequence[str]], width: int | None, *, usual: bool
) -> Iterator[str]:
    rows: Iterator[Sequence[str]] = chain(sample, rest)
    if width is None:
        return grid(_headers(names), rows)
    if usual and not (width >= _WITH_OWNER and _fits(names, sample, width)):
        names, sample, rows = names[:-1], [row[:-1] for row in sample], (row[:-1] for row in rows)
    if width < _TABLE or not _fits(names, sample, width):
        return _records(names, rows, width)
    return grid(_headers(names), rows, width, [index for index, name in enumerate(names) if name in _WHOLE])


def _headers(names: Sequence[str]) -> list[str]:
    return [name.capitalize() for name in names]


def _fits(names: Sequence[str], sample: Sequence[Sequence[str]], width: int) -> bool:
    """Whether wrapped cells have room for a few words beside the unwrapped ones."""
    widths = natural(_headers(names), sample)
    needed = least(_headers(names), sample)
    wanted = (
        size if name in _WHOLE else min(size, max(_WORDS, atom)) for name, size, atom in zip(names, widths, needed, strict=True)
    )
    return sum(wanted) + len(GAP) * (len(names) - 1) <= width


def _records(names: Sequence[str], rows: Iterator[Sequence[str]], width: int) -> Iterator[str]:
    size = max(map(len, names)) + len(GAP)
    for number, row in enumerate(rows):
        if number:
            yield ""
        for name, cell in zip(names, row, strict=True):
            if cell:
                yield from wrap(cell, width, pad(name.capitalize(), size), " " * size)
