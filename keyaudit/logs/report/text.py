"""Unusual uses for people: the highest severity first, each with its evidence rows, then what is unknown."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TextIO

from msgspec import structs

from keyaudit.logs.report.words import app, extent, reason, target
from keyaudit.model.errors import Exit
from keyaudit.model.severity import Severity
from keyaudit.model.usage import Accepted, Kind, Learned, Unseen, Unusual, UsageCheck, Use
from keyaudit.model.values.text import one_line
from keyaudit.model.values.times import DAY, iso_date, iso_time
from keyaudit.report.lines import Paint, joined, listed, pad, paint, plural, wrap
from keyaudit.report.log_gaps import unseen
from keyaudit.report.options import Options

_WORD = 10
_INDENT = " " * _WORD
_PAINT = {Severity.CRITICAL: Paint.ALARM, Severity.HIGH: Paint.ALARM, Severity.MEDIUM: Paint.WARN}
_SHOWN = Severity.MEDIUM
"""The severity from which evidence rows are shown; JSON has all."""
_FEW = 5
"""The maximum number of unknowns of one cause that are listed."""


def render(found: UsageCheck, out: TextIO, options: Options) -> None:
    """Write it."""
    width, colour = options.page, options.colour
    out.write(joined([*_header(found, width), ""]))
    out.writelines(joined([*_finding(each, width, colour), ""]) for each in found.findings)
    out.write(joined(_blind(found.unseen, width, colour)))
    out.write(joined(_unused(found.unused, width)))
    out.write(joined(_summary(found, width)))


def missing(learned: Learned, width: int) -> Iterator[str]:
    """The gaps of a baseline."""
    for each in learned.missing:
        yield from wrap(unseen(each), width, "  ", "    ")
    if learned.undecided:
        uses = plural(learned.undecided, "use")
        yield from wrap(f"{uses} not learned: the log does not say whether they were allowed", width, "  ", "    ")


def made_usual(found: UsageCheck, options: Options) -> Iterator[str]:
    """What a baseline of these days makes usual that a check against the one before reports at medium or above.

    Privileged changes stay reported, and refused uses are not learned.
    """
    for each in found.findings:
        whys = [why for why in each.why if why.kind is not Kind.PRIVILEGED and why.refused < why.uses]
        if whys and whys[0].severity.rank >= _SHOWN.rank:
            yield from _finding(structs.replace(each, why=whys), options.page, options.colour)


def _header(found: UsageCheck, width: int) -> Iterator[str]:
    tenant = one_line(found.tenant_id) if found.tenant_id else "a tenant that the logs do not name"
    yield from wrap(f"{tenant}  |  {found.window}  |  {plural(found.uses, 'use')}", width, rest="    ")
    for each in found.learned:
        gaps = f", with {plural(len(each.missing), 'gap')}" if each.missing else ""
        yield from wrap(f"learned from {each.window}, {plural(each.uses, 'use')}{gaps}", width, rest="    ")


def _finding(found: Unusual, width: int, colour: bool) -> Iterator[str]:
    word = found.severity.upper() if found.open else "ACCEPTED" if found.accepted else "COUNTED"
    shade = Paint.FINE if not found.open else _PAINT.get(found.severity, Paint.CALM)
    first, *rest = wrap(f"{one_line(found.operation)}: {target(found)}", width, pad(word, _WORD), _INDENT)
    yield first.replace(word, paint(word, shade, colour), 1)
    yield from rest
    yield from wrap(f"by {app(found)}", width, _INDENT, _INDENT)
    for why in found.why:
        yield from wrap(f"{why.kind}, {why.severity}: {reason(found, why)}", width, f"{_INDENT}- ", f"{_INDENT}  ")
        yield from wrap(extent(why), width, f"{_INDENT}  ", f"{_INDENT}  ")
        if why.severity.rank >= _SHOWN.rank and found.reported_until is None and not found.part_of:
            for use in why.evidence:
                yield from wrap(_row(found, use), width, f"{_INDENT}    ", f"{_INDENT}      ")
    if found.reported_until is not None:
        day = iso_date(found.reported_until - DAY)
        line = f"reported by the check that ended with {day}, and only counted here; announce it, or find out whose it is"
        yield from wrap(line, width, _INDENT, f"{_INDENT}  ")
    if found.part_of:
        line = f"from the same new networks as {one_line(found.part_of)}, which is reported above: one event"
        yield from wrap(line, width, _INDENT, f"{_INDENT}  ")
    if found.accepted:
        by = found.accepted
        line = f"accepted until {by.last_day} by {one_line(by.owner)}: {one_line(by.reason)} ({one_line(by.place)})"
        yield from wrap(line, width, _INDENT, f"{_INDENT}  ")


def _row(found: Unusual, use: Use) -> str:
    """The details of a row beyond its finding."""
    said = {
        "": use.target_id if found.target_kind == "mailbox" or found.operation == "saml-sign-in" else None,
        "for ": use.principal_id if use.principal_id != use.target_id else None,
        "client ": use.client_app_id if use.client_app_id != found.app_id else None,
        "through ": use.api_app_id,
        "permission ": use.permission,
        "to ": use.granted_to,
        "issuer ": use.issuer,
        "key ": use.key,
        "from ": use.network,
        "with ": use.client,
    }
    facts = [iso_time(use.used_on), *(f"{word}{one_line(text)}" for word, text in said.items() if text)]
    return f"{', '.join(facts)}{', refused' if use.succeeded is False else ''} ({one_line(use.source)})"


def _blind(found: Sequence[Unseen], width: int, colour: bool) -> Iterator[str]:
    if not found:
        return
    yield paint("Not known from these logs:", Paint.DOUBT, colour)
    for _, group in groupby(found, key=lambda each: each.blind):
        several = list(group)
        for each in several[:_FEW]:
            yield from wrap(unseen(each), width, "  ", "    ")
        if len(several) > _FEW:
            yield f"  and {len(several) - _FEW:,} more of the kind; -o json names them all"
    yield ""


def _unused(found: Sequence[Accepted], width: int) -> Iterator[str]:
    for each in found:
        line = f"{one_line(each.place)}: {one_line(each.name)}, which covers nothing here"
        yield from wrap(line, width, rest="    ")
    if found:
        yield ""


def _summary(found: UsageCheck, width: int) -> list[str]:
    opened = Counter(each.severity for each in found.findings if each.open)
    accepted = sum(each.accepted is not None for each in found.findings)
    parts = sum(each.part_of != "" for each in found.findings)
    before = sum(each.reported_until is not None for each in found.findings)
    counts = [f"{opened[severity]:,} {severity}" for severity in reversed(Severity) if opened[severity]]
    counts += [f"{before:,} reported before"] if before else []
    counts += [f"{parts:,} part of these"] if parts else []
    counts += [f"{accepted:,} accepted"] if accepted else []
    counts += [f"{plural(len(found.unseen), 'thing')} not known"] if found.unseen else []
    line = f"{listed(counts) or 'nothing unusual'}."
    return wrap(f"{line[0].upper()}{line[1:]} {_verdict(found)}", width)


def _verdict(found: UsageCheck) -> str:
    if found.exit is Exit.FINDINGS:
        return f"{plural(found.failing, 'finding')} at or above {found.fail_on}: exit 1."
    if not found.learned:
        return "Nothing can be decided without a baseline: exit 3."
    if found.exit is Exit.INCOMPLETE:
        return f"Nothing open at or above {found.fail_on}, as far as these logs show: exit 3."
    return f"Nothing open at or above {found.fail_on}."
