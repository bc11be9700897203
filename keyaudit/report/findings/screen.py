"""The first screen of a report: what was read, the numbers, everything critical, tier 0, what ends soon, and the rest."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import TextIO

from keyaudit.model.causes import SHORT
from keyaudit.model.coverage import ScopeKind
from keyaudit.model.findings import Finding
from keyaudit.model.reasons import ADVICE
from keyaudit.model.run import First, Gap, Report, Verdict
from keyaudit.model.severity import Severity, Weakness
from keyaudit.model.text import one_line
from keyaudit.model.tier0 import NAMED
from keyaudit.report.assignment import who_and_where
from keyaudit.report.facts import Facts
from keyaudit.report.findings.first import INDENT, beside, cut, others, owner, page, step, tier0_lines
from keyaudit.report.lines import Paint, columns, joined, listed, pad, paint, plural, wrap
from keyaudit.report.missing import needed, waiver_lines
from keyaudit.report.options import Options
from keyaudit.report.resource import label
from keyaudit.report.summary import header, open_findings, unknown_results, word

FEW = 20
"""The number of findings up to which a report lists them all instead."""
HEIGHT = 45
_HINTS = 4
"""The lines of the commands, and the one before."""
_FEWEST = 6
"""The lines that tier 0 has where there is more to list than fits."""
_ENDING = 3
_WHERE = 12
"""The columns that a resource has on the line of what is wrong; with less it has the next line."""
_GAPS = 4
_WAIVERS = 2
_WORD = 8


def short(report: Report) -> bool:
    """Whether there are so few findings that a report lists them all."""
    verdict = report.verdict
    return sum(verdict.failed.values()) + sum(verdict.unknown.values()) < FEW


def render(report: Report, out: TextIO, options: Options) -> None:
    """Write it: on at most `HEIGHT` lines of a terminal that is 80 columns wide or wider, unless more is critical."""
    verdict, width, colour, hints = report.verdict, options.page, options.colour, options.hints
    head = header(report.run, verdict, width, colour, brief=True)
    said = "; ".join([open_findings(report), *unknown_results(verdict)])
    numbers = [paint(line, Paint.BOLD, colour) for line in wrap(said, width)]
    after = [*_waivers(report, width, colour)]
    found = page(report, HEIGHT)
    ending = [each for each in found.rows if _ends(each.finding)]
    urgent = [each for each in found.rows if each.finding.severity is Severity.CRITICAL]
    others_ = [each for each in found.rows if each not in urgent and each not in ending]
    soon = _soon(ending, width)
    grave = [*urgent, *(each for each in others_ if each.finding.severity is Severity.HIGH)]
    least = len(head) + len(numbers) + sum(len(_entry(each, width, colour, steps=False)) for each in urgent)
    least += len(soon) + len(after) + _FEWEST + _HINTS + 5
    before = [*head, *_unread(verdict, width, colour, HEIGHT - least), *numbers]
    # The first step of each, where that hides none of them.
    steps = len(before) + len(after) + len(soon) + _FEWEST + _HINTS + 3 + 3 * len(grave) <= HEIGHT
    lines = [line for each in urgent for line in _entry(each, width, colour, steps=steps)]
    # A blank line before the waivers and the commands, and the line of the rest.
    room = HEIGHT - len(before) - len(after) - len(lines) - len(soon) - (_HINTS if hints else 0) - 2 - bool(after)
    wanted = sum(len(_entry(each, width, colour, steps=steps)) for each in others_)
    above = {name for each in urgent if (name := _name(Facts.of(each.finding))) and any(name in line for line in lines)}
    principals = _tier0(report, options, max(room - wanted, _FEWEST), above)
    lines += [*principals, *soon]
    room -= len(principals)
    shown = 0
    for each in others_:
        entry = _entry(each, width, colour, steps=steps)
        if room < len(entry):
            break
        lines += entry
        room, shown = room - len(entry), shown + 1
    rest = Counter(found.rest)
    for each in others_[shown:]:
        rest[each.finding.severity] += each.times
    lines += wrap(others(rest), width)
    lines += ["", *after] if after else []
    if hints:
        lines += ["", *_next(next(iter(found.rows), None), verdict, options)]
    out.write(joined([*before, *lines]).rstrip("\n") + "\n")


def _ends(finding: Finding) -> bool:
    """Whether it is about something that is used and ends soon, and no critical one."""
    judged = finding.judged() if finding.judged else None
    soon = judged is not None and any(ruling.word == Weakness.OUTAGE for ruling in judged.weakness)
    return soon and finding.severity is not Severity.CRITICAL


def _soon(ending: Sequence[First], width: int) -> list[str]:
    """What is used and ends soon, by name, each with what `explain` takes."""
    if not ending:
        return []
    named = [f"{each.finding.id[:SHORT]} {_where(Facts.of(each.finding), width // 3)}" for each in ending]
    count = sum(each.times for each in ending)
    lines = wrap(f"Ends soon, and is in use ({count:,}): {'; '.join(named)}", width, rest=INDENT)
    return lines if len(lines) <= _ENDING else [*lines[: _ENDING - 1], f"{INDENT}and more: keyaudit expiring 30d"]


def _tier0(report: Report, options: Options, room: int, above: Collection[str]) -> list[str]:
    """The lines about tier 0: with as many names as there is room for, besides those that stand above."""
    for named in range(NAMED, 0, -1):
        lines = tier0_lines(report, options, named, above)
        if len(lines) <= room:
            return lines
    return tier0_lines(report, options, 0, above)


def _name(facts: Facts) -> str | None:
    """The name of the principal that a line is about."""
    return facts.text("holder_name") or facts.text("principal_name") or facts.text("name")


def _entry(first: First, width: int, colour: bool, *, steps: bool) -> list[str]:
    """Severity, id, what is wrong, the resource, and the number of other findings of the cause.

    With `steps` its owner and first step below, else the owner if there is room.
    """
    finding = first.finding
    begins = f"{pad(word(finding), _WORD)} {finding.id[:SHORT]} "
    room = width - columns(begins)
    more = f" and {first.times - 1:,} more" if first.times > 1 else ""
    also = f" (+{beside(first):,})" if beside(first) else ""
    *above, last = wrap(f"{finding.policy.problem}:", room)
    left = room - columns(last) - 1 - columns(more + also)
    where = _where(Facts.of(finding), left) if left > 1 else "…"
    below = where.endswith("…") and left < _WHERE
    where = (_where(Facts.of(finding), room - columns(more + also)) if below else where) + more + also
    said = [*above, last, where] if below else [*above, f"{last} {where}"]
    by = owner(first, width // 2)
    if not steps and by and columns(said[-1]) + columns(by) + 2 <= room:
        said[-1] += f"; {by}"
    level = paint(begins[:_WORD], Paint.ALARM, colour)
    lines = [f"{level}{begins[_WORD:]}{said[0]}", *(f"{' ' * columns(begins)}{line}" for line in said[1:])]
    if steps:
        head = f"{by}; fix: " if by else "fix: "
        lines.append(f"{INDENT}{head}{step(finding, width - len(INDENT) - columns(head))}")
    return lines


def _where(facts: Facts, room: int) -> str:
    """The resource in at most `room` columns; for a credential its holder. Where that is too long, its own name in short."""
    forms = [one_line(facts.text("holder_name") or label(facts))]
    name = one_line(facts.text("name") or "")
    if facts.kind == "grant":
        forms += [one_line(who_and_where(facts)), one_line(facts.text("principal_name") or "")]
    elif name and forms[0].endswith((f" {name}", f"/{name}")):
        forms.append(name)
    return next((form for form in forms if form and columns(form) <= room), cut(next(filter(None, reversed(forms))), room))


def _unread(verdict: Verdict, width: int, colour: bool, room: int) -> list[str]:
    """What was not read, one line each if there is room for that, else in one; empty if everything required was read."""
    gaps = needed(verdict)
    if not gaps:
        return []
    count = plural(len(gaps), "gap")
    if room < min(len(gaps), _GAPS + 1) + 1:
        named = listed([*map(_place, gaps[:2]), *([f"{len(gaps) - 2:,} more"] if len(gaps) > 2 else ())])
        return [paint(cut(f"  Not read: {count}: {named}", width), Paint.WARN, colour)]
    lines = [paint(f"  Not read: {count}, each with the policies that it affects", Paint.WARN, colour)]
    for gap in gaps[:_GAPS]:
        meaning = ADVICE[gap.reason].meaning
        # A gap that affects no policy is something expected that is not there, which its detail names.
        if gap.blinds or not gap.detail:
            # The number is before what may be cut.
            said = f", {plural(len(gap.blinds), 'policy', 'policies')}: {meaning}"
        else:
            said = f": {one_line(gap.detail)} ({meaning})"
        lines.append(cut(f"{INDENT}{_place(gap)}{said}", width))
    if len(gaps) > _GAPS:
        lines.append(f"{INDENT}and {plural(len(gaps) - _GAPS, 'more gap')}")
    return lines


def _place(gap: Gap) -> str:
    """Where something was not read."""
    return "the tenant" if gap.scope.kind is ScopeKind.TENANT else one_line(gap.scope.name or gap.scope.id)


def _waivers(report: Report, width: int, colour: bool) -> list[str]:
    """What has to be done about waivers, one line each; empty if nothing."""
    said = waiver_lines(report)
    if not said:
        return []
    lines = [paint("Waivers", Paint.WARN, colour), *(cut(f"  {line}", width) for line in said[:_WAIVERS])]
    if len(said) > _WAIVERS:
        lines.append(f"  and {len(said) - _WAIVERS:,} more; keyaudit report --full lists them")
    return lines


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
