"""Text for people: published keys as a table, trusted keys and settings one per line, the most severe first."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TextIO

from keyaudit.model.errors import Exit
from keyaudit.model.relying_parties import Unread
from keyaudit.model.results.run import Verdict
from keyaudit.model.values import times
from keyaudit.model.values.text import one_line
from keyaudit.questions.trust import words
from keyaudit.questions.trust.answer import Checked, State, Step, Trust, TrustCheck, TrustScan
from keyaudit.report.collection import unread_file
from keyaudit.report.lines import Paint, joined, paint, parted, plural, wrap
from keyaudit.report.missing import incomplete, not_needed, unsafe
from keyaudit.report.options import Options
from keyaudit.report.summary import ended, header
from keyaudit.report.tabular.grid import grid

_REST = "    "
_HEADERS = ("Key", "Age", "Ends", "Published", "Note")
_NAME = 200
_STATES: Mapping[State, tuple[str, Paint]] = {
    State.STOLEN: ("STOLEN", Paint.ALARM),
    State.WITHDRAWN: ("WITHDRAWN", Paint.ALARM),
    State.UNKNOWN: ("UNKNOWN", Paint.DOUBT),
    State.PUBLISHED: ("PUBLISHED", Paint.FINE),
}
_OUTCOMES = ((True, "FAIL", Paint.ALARM), (None, "UNKNOWN", Paint.DOUBT))


def published(found: Trust, out: TextIO, options: Options) -> None:
    """The published keys, then changes over time."""
    width, colour, as_of = options.page, options.colour, found.run.as_of
    out.write(joined([*header(found.run, found.verdict, width, colour), ""]))
    rows = (
        (
            one_line(key.key_id, _NAME),
            words.age(key, as_of),
            "-" if key.expires_on is None else times.iso_date(key.expires_on),
            words.places(key),
            "; ".join(words.notes(key, as_of)),
        )
        for key in found.keys
    )
    out.writelines(f"{line}\n" for line in grid(_HEADERS, rows, width, whole={0}))
    below = parted(
        wrap(words.counts(found.keys, as_of), width),
        [line for step in found.steps or () for line in _step(step, width)],
        wrap("Only one snapshot: nothing to compare.", width) if found.steps == [] else [],
        incomplete(found.verdict, width, colour),
        unsafe(found.verdict, width, colour),
        not_needed(found.verdict, width),
        ended(found.verdict, width, colour),
    )
    out.write(joined(["", *below]))


def _step(step: Step, width: int) -> list[str]:
    doubt = "" if step.whole else " Not every key set was read both times, so this may list more than the actual changes."
    title = f"From {times.iso_date(step.since)} to {times.iso_date(step.as_of)}:"
    if not (step.came or step.gone):
        return wrap(f"{title} nothing was added or removed.{doubt}", width, rest=_REST)
    lines = wrap(f"{title} {len(step.came):,} came, {len(step.gone):,} went.{doubt}", width, rest=_REST)
    for sign, keys in (("+", step.came), ("-", step.gone)):
        for key in keys:
            lines += wrap(words.named(key), width, f"  {sign} ", _REST)
    return lines


def checked(found: TrustCheck, out: TextIO, options: Options) -> None:
    """Each trusted key that is not certainly published, then unreadable files, then the counts."""
    width, colour = options.page, options.colour
    above = [*header(found.run, found.verdict, width, colour), ""] if found.run else []
    lines = [
        line for state in State for each in found.keys if each.state is state for line in _key_lines(found, each, width, colour)
    ]
    counts = [f"{sum(each.state is state for each in found.keys):,} {state}" for state in State]
    said = f"{plural(len(found.keys), 'key')} in {plural(found.files, 'file')}: {', '.join(counts)}."
    gaps = found.verdict.gaps if any(each.state is State.UNKNOWN for each in found.keys) else ()
    below = parted(
        wrap(said, width),
        incomplete(found.verdict, width, colour) if gaps else [],
        unsafe(found.verdict, width, colour),
        _end(found.verdict, words.CHECK_ENDS, "every key is published", width, colour),
    )
    out.write(joined([*above, *lines, *_unread(found.unread, width, colour), *([""] if lines or found.unread else []), *below]))


def _key_lines(found: TrustCheck, each: Checked, width: int, colour: bool) -> list[str]:
    if each.state is State.PUBLISHED:
        return []
    word, shade = _STATES[each.state]
    said = f"{one_line(each.key.place, 1_024)}: {words.key_words(each)}: {words.verdict_of(each, offline=found.run is None)}"
    return _marked(word, shade, said, width, colour)


def scanned(found: TrustScan, out: TextIO, options: Options) -> None:
    """Each validator that fails or is unknown, then unreadable files, then the counts."""
    width, colour = options.page, options.colour
    lines: list[str] = []
    for outcome, word, shade in _OUTCOMES:
        for each in found.found.validators:
            if each.takes_anybodys is outcome:
                section = f" ({one_line(each.section, _NAME)})" if each.section else ""
                said = f"{one_line(each.place, 1_024)}{section}: {words.settings(each)}"
                lines += _marked(word, shade, said, width, colour)
    lines += _unread(found.found.unread, width, colour)
    below = parted(
        wrap(words.scanned(found.found), width),
        _end(found.verdict, words.SCAN_ENDS, "no settings that accept tokens of any tenant", width, colour),
    )
    out.write(joined([*lines, *([""] if lines else []), *below]))


def _unread(files: Sequence[Unread], width: int, colour: bool) -> Iterable[str]:
    return [line for each in files for line in _marked("UNKNOWN", Paint.DOUBT, unread_file(each), width, colour)]


def _marked(word: str, shade: Paint, said: str, width: int, colour: bool) -> list[str]:
    lines = wrap(said, width, f"{word}  ", _REST)
    return [lines[0].replace(word, paint(word, shade, colour), 1), *lines[1:]]


def _end(verdict: Verdict, ends: Mapping[Exit, str], clean: str, width: int, colour: bool) -> list[str]:
    if verdict.exit is Exit.CLEAN:
        return wrap(f"Exit 0: {clean}.", width)
    also = "; ".join(f"also {code:d}: {ends[code]}" for code in verdict.conditions[1:])
    lines = wrap(f"Exit {verdict.exit:d}: {ends[verdict.exit]}{'; ' if also else ''}{also}.", width)
    return [paint(line, Paint.BOLD, colour) for line in lines]
