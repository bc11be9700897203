"""The first screen of a report: headline, severities by area, worst causes with fixes, gaps, and next commands."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import TextIO

from tabulate import tabulate

from keyaudit.model.causes import SHORT
from keyaudit.model.columns import Area
from keyaudit.model.findings import Finding, Severity
from keyaudit.model.fixes import FIRST, ordered
from keyaudit.model.reasons import ADVICE
from keyaudit.model.run import Report, Verdict
from keyaudit.model.tables import TABLES
from keyaudit.model.text import one_line
from keyaudit.report.causes import repeated
from keyaudit.report.facts import Facts
from keyaudit.report.lines import Paint, columns, joined, pad, paint, plural, wrap
from keyaudit.report.missing import needed, waiver_lines
from keyaudit.report.options import Options
from keyaudit.report.resource import label
from keyaudit.report.summary import WORST_FIRST, header, headline, message, word

FEW = 20
"""The number of findings up to which a report lists them all instead."""
TOP = 10
HEIGHT = 45
_HINTS = 3
_GAPS = 4
_WAIVERS = 2
_WORD = 8


def short(report: Report) -> bool:
    """Whether there are so few findings that a report lists them all."""
    verdict = report.verdict
    return sum(verdict.failed.values()) + sum(verdict.unknown.values()) < FEW


def render(report: Report, out: TextIO, options: Options) -> None:
    """Write it, on at most `HEIGHT` lines of a terminal that is 80 columns wide or wider. The findings must have scores."""
    verdict, width, colour, hints = report.verdict, options.page, options.colour, options.hints
    before = [*header(report.run, verdict, width, colour), ""]
    before += [paint(line, Paint.BOLD, colour) for line in wrap(headline(report), width)]
    before += ["", *(_cut(line, width) for line in _areas(report)), ""]
    unread = [*_unread(verdict, width, colour), *_waivers(report, width, colour)]
    room = HEIGHT - len(before) - len(unread) - (2 + _HINTS if hints else 2)
    worst = list(islice(_worst(report), min(TOP, max(room // 2, 1))))
    lines = before
    if worst:
        lines.append(paint("Worst causes, by score; (+2): its other findings", Paint.BOLD, colour))
        lines += [line for head, times in worst for line in _entry(head, times, width, colour)]
        lines.append("")
    lines += unread
    if hints:
        lines += _next(worst, verdict, options)
    out.write(joined(lines).rstrip("\n") + "\n")


def _areas(report: Report) -> Iterator[str]:
    """The number of findings by severity and area."""
    counts: dict[Area, Counter[Severity]] = {area: Counter() for area in Area}
    for tally in report.tallies:
        counts[TABLES[tally.policy.table].area].update(tally.failed)
    shown = {area: found for area, found in counts.items() if found.total()}
    levels = [level for level in WORST_FIRST if any(found[level] for found in shown.values())]
    rows = [[area.value, *(found[level] or "-" for level in levels), found.total()] for area, found in shown.items()]
    if rows:
        table = tabulate(rows, ["Area", *levels, "all"], tablefmt="plain", colalign=["left", *["right"] * (len(levels) + 1)])
        yield from table.split("\n")


def _worst(report: Report) -> Iterator[tuple[Finding, int]]:
    """The heads of causes with an open finding of a row, each with the number of causes like it; the highest score first.

    Only of the highest severities, if there are enough: a minor problem of an important key is not among the worst. Causes that
    differ in their resource alone are one, at the place of the first.
    """
    failed, levels = report.verdict.failed, set[Severity]()
    for level in WORST_FIRST:
        levels.add(level)
        if sum(failed.get(each, 0) for each in levels) >= TOP:
            break
    heads = (each for each in report.findings(False) if each.open and each.leads and each.row and each.severity in levels)
    causes, shown = report.causes(), set[tuple[str, str, str]]()
    left = sum(count for level, count in causes.open.items() if level in levels)
    for head in heads if report.by_score else sorted(heads, key=_place):
        if head.alike not in shown:
            times = causes.repeated.get(head.alike, 1)
            yield head, times
            left -= times
        if repeated(report, head):
            shown.add(head.alike)
        if left <= 0:
            # All others are like one that was shown, and they may be very many.
            return


def _place(head: Finding) -> tuple[int, int, int, str, str, str, str]:
    """The order of a report by score."""
    high, low = (head.score.high, head.score.low) if head.score else (0, 0)
    row = head.row
    return -high, -low, -head.severity.rank, str(row["name"] or ""), head.subject, str(row["id"]), head.policy.id


def _entry(finding: Finding, times: int, width: int, colour: bool) -> list[str]:
    """Resource and problem on one line, with the number of other findings of the cause; its id and the fix on the next.

    `times`: the number of causes that differ in their resource alone.
    """
    score = f"{finding.score.high:>3} " if finding.score else "    "
    indent = len(score) + _WORD + 1
    id_ = f"{'':{len(score)}}{finding.id[:SHORT]:<{_WORD}} "
    others = f" and {times - 1:,} more" if times > 1 else ""
    where = _cut(one_line(_where(Facts.of(finding))), (width - indent) // 2 - columns(others)) + others
    also = f" (+{len(finding.cause.also):,})" if finding.cause else ""
    said = _cut(f"{where}: {message(finding)}", width - indent - columns(also))
    level = paint(pad(word(finding), _WORD), Paint.ALARM, colour)
    return [f"{score}{level} {said}{also}", f"{id_}fix: {_fix(finding, width - indent - 5)}"]


def _where(facts: Facts) -> str:
    """The resource in short form; for a credential its holder."""
    return facts.text("holder_name") or label(facts)


def _fix(finding: Finding, room: int) -> str:
    """How the fix begins: a command that fits, or the first sentence of a text. `explain` has the rest."""
    kind, begins = next(iter(ordered(finding.fix)), (FIRST, ""))
    if kind == FIRST:
        return _cut(one_line(begins.partition(". ")[0], 1_000), room)
    command = one_line(begins, 1_000)
    return command if columns(command) <= room else f"keyaudit explain {finding.id[:SHORT]}"


def _cut(text: str, room: int) -> str:
    """The text, cut after a word if it is longer than `room` columns."""
    if columns(text) <= room:
        return text
    short_ = text[: room - 1]
    head, space, _ = short_.rpartition(" ")
    return f"{head if space and len(head) > room // 2 else short_}…"


def _unread(verdict: Verdict, width: int, colour: bool) -> list[str]:
    """What was not read, one line each; empty if everything required was read."""
    gaps = needed(verdict)
    if not gaps:
        return []
    lines = [paint(f"Not read: {plural(len(gaps), 'gap')}", Paint.WARN, colour)]
    for gap in gaps[:_GAPS]:
        name = one_line(gap.scope.name or gap.scope.id)
        meaning = ADVICE[gap.reason].meaning
        # A gap that affects no policy is something expected that is not there, which its detail names.
        if gap.blinds or not gap.detail:
            said = f"{meaning}; affects {plural(len(gap.blinds), 'policy', 'policies')}"
        else:
            said = f"{one_line(gap.detail)} ({meaning})"
        lines.append(_cut(f"  {name}: {said}", width))
    if len(gaps) > _GAPS:
        lines.append(f"  and {plural(len(gaps) - _GAPS, 'more gap')}")
    return [*lines, ""]


def _waivers(report: Report, width: int, colour: bool) -> list[str]:
    """What has to be done about waivers, one line each; empty if nothing."""
    said = waiver_lines(report)
    if not said:
        return []
    lines = [paint("Waivers", Paint.WARN, colour), *(_cut(f"  {line}", width) for line in said[:_WAIVERS])]
    if len(said) > _WAIVERS:
        lines.append(f"  and {len(said) - _WAIVERS:,} more; keyaudit report --full lists them")
    return [*lines, ""]


def _next(worst: list[tuple[Finding, int]], verdict: Verdict, options: Options) -> list[str]:
    """Three commands with their purpose, which is left out if the command needs the whole line."""
    source = " ".join(options.sources)
    commands = {("keyaudit report --full", source, options.part, options.choice): "every finding, by resource"}
    if worst:
        commands[f"keyaudit explain {worst[0][0].id[:SHORT]}", source, "", options.choice] = "the worst one, with its fix"
    if needed(verdict):
        commands["keyaudit doctor", source, "", ""] = "what to grant to read the rest"
    else:
        commands["keyaudit expiring 30d", source, options.part, ""] = "what expires soon, by owner"
    whole = {f"Next: {' '.join(filter(None, parts))}": what for parts, what in commands.items()}
    longest = max(map(len, whole))
    room = options.page - longest - 2
    return [f"{pad(line, longest)}  {what}" if columns(what) <= room else line for line, what in whole.items()]
