"""The first screen of a report: headline, severities by area, what to do first, gaps, and next commands."""

from collections.abc import Iterator
from typing import TextIO

from tabulate import tabulate

from keyaudit.model.causes import SHORT
from keyaudit.model.coverage import ScopeKind
from keyaudit.model.reasons import ADVICE
from keyaudit.model.run import First, Report, Verdict
from keyaudit.model.stakes import Stake
from keyaudit.model.text import one_line
from keyaudit.model.tier0 import NAMED
from keyaudit.report.areas import by_area
from keyaudit.report.facts import Facts
from keyaudit.report.first import INDENT, ON_SCREEN, TOP, Page, cut, doubt, others, owner, page, step, tier0_lines
from keyaudit.report.lines import Paint, columns, joined, pad, paint, plural, wrap
from keyaudit.report.missing import needed, waiver_lines
from keyaudit.report.options import Options
from keyaudit.report.resource import label
from keyaudit.report.summary import WORST_FIRST, header, headline, message, word

FEW = 20
"""The number of findings up to which a report lists them all instead."""
HEIGHT = 45
_CAUSES = 12
"""The lines that causes have before principals of tier 0 are named."""
_HINTS = 3
_GAPS = 4
_WAIVERS = 2
_WORD = 8


def short(report: Report) -> bool:
    """Whether there are so few findings that a report lists them all."""
    verdict = report.verdict
    return sum(verdict.failed.values()) + sum(verdict.unknown.values()) < FEW


def render(report: Report, out: TextIO, options: Options) -> None:
    """Write it, on at most `HEIGHT` lines of a terminal that is 80 columns wide or wider."""
    verdict, width, colour, hints = report.verdict, options.page, options.colour, options.hints
    before = [*header(report.run, verdict, width, colour), ""]
    before += [paint(line, Paint.BOLD, colour) for line in wrap(headline(report), width)]
    before += ["", *(cut(line, width) for line in _areas(report)), ""]
    unread = [*_unread(verdict, width, colour), *_waivers(report, width, colour)]
    # After the groups a line about all other causes.
    room = HEIGHT - len(before) - len(unread) - (2 + _HINTS if hints else 1)
    principals = _tier0(report, options, room - _CAUSES, ON_SCREEN)
    shown = _fitting(report, room - len(principals))
    # Where the causes leave room, there are more names.
    principals = _tier0(report, options, room - _height(shown), NAMED)
    lines = before
    for stake, held in shown.groups:
        lines.append(paint(stake.heading, Paint.BOLD, colour))
        lines += [line for first in held for line in _entry(first, width, colour)]
    rest = others(shown)
    said = [*wrap(rest, width), *principals] if rest else principals
    lines += [*said, ""] if said else [""] if shown.groups else []
    lines += unread
    if hints:
        lines += _next(next(shown.rows, None), verdict, options)
    out.write(joined(lines).rstrip("\n") + "\n")


def _fitting(report: Report, room: int) -> Page:
    """The first page with as many causes as fit `room` lines, but one of each group at least."""
    for most in range(TOP, len(Stake), -1):
        shown = page(report, most)
        if _height(shown) <= room:
            return shown
    return page(report, len(Stake))


def _height(shown: Page) -> int:
    """The lines of its causes: a heading for each group, and two for each cause."""
    return len(shown.groups) + 2 * sum(len(held) for _, held in shown.groups)


def _tier0(report: Report, options: Options, room: int, most: int) -> list[str]:
    """The lines about tier 0: with as many names as there is room for, and `most` of them."""
    for named in range(most, 0, -1):
        lines = tier0_lines(report, options, named)
        if len(lines) <= room:
            return lines
    return tier0_lines(report, options, 0)


def _areas(report: Report) -> Iterator[str]:
    """The number of findings by severity and area."""
    shown = {area: found.open for area, found in by_area(report).items() if found.open.total()}
    levels = [level for level in WORST_FIRST if any(found[level] for found in shown.values())]
    rows = [[area.value, *(found[level] or "-" for level in levels), found.total()] for area, found in shown.items()]
    if rows:
        table = tabulate(rows, ["Area", *levels, "all"], tablefmt="plain", colalign=["left", *["right"] * (len(levels) + 1)])
        yield from table.split("\n")


def _entry(first: First, width: int, colour: bool) -> list[str]:
    """Severity, id, resource, problem and the number of other findings of the cause on one line; owner and fix on the next."""
    finding = first.finding
    begins = f"{pad(word(finding), _WORD)} {finding.id[:SHORT]} "
    indent = columns(begins)
    others_ = f" and {first.times - 1:,} more" if first.times > 1 else ""
    where = _where(Facts.of(finding), (width - indent) // 2 - columns(others_)) + others_
    also = f" (+{len(finding.cause.also):,})" if finding.cause else ""
    said = cut(f"{where}: {message(finding)}", width - indent - columns(also))
    level = paint(begins[:_WORD], Paint.ALARM, colour)
    before = "".join(f"{part}; " for part in (doubt(finding), owner(first, width // 2)) if part) + "fix: "
    return [f"{level}{begins[_WORD:]}{said}{also}", f"{INDENT}{before}{step(finding, width - len(INDENT) - columns(before))}"]


def _where(facts: Facts, room: int) -> str:
    """The resource in at most `room` columns; for a credential its holder. Where its kind and name are too long, its name."""
    where = one_line(facts.text("holder_name") or label(facts))
    name = one_line(facts.text("name") or "")
    return cut(name if name and columns(where) > room and where.endswith(f" {name}") else where, room)


def _unread(verdict: Verdict, width: int, colour: bool) -> list[str]:
    """What was not read, one line each; empty if everything required was read."""
    gaps = needed(verdict)
    if not gaps:
        return []
    lines = [paint(f"Not read: {plural(len(gaps), 'gap')}, each with the policies that it affects", Paint.WARN, colour)]
    for gap in gaps[:_GAPS]:
        name = "the tenant" if gap.scope.kind is ScopeKind.TENANT else one_line(gap.scope.name or gap.scope.id)
        meaning = ADVICE[gap.reason].meaning
        # A gap that affects no policy is something expected that is not there, which its detail names.
        if gap.blinds or not gap.detail:
            # The number is before what may be cut.
            said = f", {plural(len(gap.blinds), 'policy', 'policies')}: {meaning}"
        else:
            said = f": {one_line(gap.detail)} ({meaning})"
        lines.append(cut(f"  {name}{said}", width))
    if len(gaps) > _GAPS:
        lines.append(f"  and {plural(len(gaps) - _GAPS, 'more gap')}")
    return [*lines, ""]


def _waivers(report: Report, width: int, colour: bool) -> list[str]:
    """What has to be done about waivers, one line each; empty if nothing."""
    said = waiver_lines(report)
    if not said:
        return []
    lines = [paint("Waivers", Paint.WARN, colour), *(cut(f"  {line}", width) for line in said[:_WAIVERS])]
    if len(said) > _WAIVERS:
        lines.append(f"  and {len(said) - _WAIVERS:,} more; keyaudit report --full lists them")
    return [*lines, ""]


def _next(worst: First | None, verdict: Verdict, options: Options) -> list[str]:
    """Three commands with their purpose, which is left out if the command needs the whole line."""
    source = " ".join(options.sources)
    commands = {("keyaudit report --full", source, options.part, options.choice): "every finding, by resource"}
    if worst is not None:
        commands[f"keyaudit explain {worst.finding.id[:SHORT]}", source, "", options.choice] = "the worst one, with its fix"
    if needed(verdict):
        commands["keyaudit doctor", source, "", ""] = "what to grant to read the rest"
    else:
        commands["keyaudit expiring 30d", source, options.part, ""] = "what expires soon, by owner"
    whole = {f"Next: {' '.join(filter(None, parts))}": what for parts, what in commands.items()}
    longest = max(map(len, whole))
    room = options.page - longest - 2
    return [f"{pad(line, longest)}  {what}" if columns(what) <= room else line for line, what in whole.items()]
