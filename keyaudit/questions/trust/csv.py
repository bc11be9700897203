"""CSV: one line per key or validator, then one for each unreadable file or gap."""

from typing import TextIO

from keyaudit.model.coverage import Refusal
from keyaudit.model.relying_parties import Unread
from keyaudit.model.results.run import Gap
from keyaudit.model.values import times
from keyaudit.questions.trust import words
from keyaudit.questions.trust.answer import Checked, Trust, TrustCheck, TrustScan
from keyaudit.report.tabular.cells import csv_rows, flag_cell, guarded, note_cell, text_cells, time_cell

_PUBLISHED = (
    "record", "key_id", "thumbprint", "published_in", "app_id", "app_name", "token_issuer", "for_consumers", "starts_on",
    "expires_on", "age_days", "note", "as_of", "coverage_note",
)  # fmt: skip
_CHECKED = (
    "record", "state", "file", "line", "relying_party", "held_as", *words.OF_KEY, "note", "coverage_note",
)  # fmt: skip
_SCANNED = (
    "record", "outcome", "file", "line", "section", "relying_party", *words.OF_VALIDATOR, "note", "coverage_note",
)  # fmt: skip


def published(found: Trust, out: TextIO) -> None:
    """Write it: `record` is key, came, gone or not-read. `out` must not translate line ends."""
    write, as_of = csv_rows(out, found.run, _PUBLISHED), found.run.as_of
    for key in found.keys:
        write(
            {
                "record": "key",
                "key_id": guarded(key.key_id),
                "thumbprint": guarded(key.thumbprint),
                "published_in": guarded("|".join(key.places)),
                **text_cells(key, "app_id", "app_name", "token_issuer"),
                "for_consumers": _plain(key.for_consumers),
                "starts_on": time_cell(key.starts_on),
                "expires_on": time_cell(key.expires_on),
                "age_days": "" if key.starts_on is None else str(times.whole_days(as_of - key.starts_on)),
                "note": guarded("; ".join(words.notes(key, as_of)) or None),
                "coverage_note": note_cell(dict(sorted(key.unknown.items()))),
            }
        )
    for step in found.steps or ():
        for record, keys in (("came", step.came), ("gone", step.gone)):
            for one in keys:
                facts = {"key_id": guarded(one.key_id), "thumbprint": guarded(one.thumbprint)}
                doubt = "" if step.whole else "*:parent_not_assessed"
                place = {"published_in": guarded(one.place), "as_of": time_cell(step.as_of), "coverage_note": doubt}
                write({"record": record, **facts, **place})
    for gap in found.verdict.gaps:
        write(_gap(gap))


def checked(found: TrustCheck, out: TextIO) -> None:
    """Write it: `record` is key or not-read. `out` must not translate line ends."""
    write = csv_rows(out, found.run, _CHECKED)
    for each in found.keys:
        write(_checked(each, offline=found.run is None))
    for file in found.unread:
        write({**_unread(file), "state": "unknown"})
    for gap in found.verdict.gaps:
        write(_gap(gap))


def scanned(found: TrustScan, out: TextIO) -> None:
    """Write it: `record` is validator or not-read. `out` must not translate line ends."""
    write = csv_rows(out, None, _SCANNED)
    for each in found.found.validators:
        facts = {name: getattr(each, name) for name in words.OF_VALIDATOR}
        write(
            {
                "record": "validator",
                "outcome": words.OUTCOMES[each.takes_anybodys],
                "file": guarded(each.file),
                "line": str(each.line),
                "section": guarded(each.section),
                "relying_party": guarded(each.relying_party),
                **{name: _plain(fact) for name, fact in facts.items()},
                "note": guarded(words.settings(each)),
                "coverage_note": note_cell(words.reasons(facts)),
            }
        )
    for file in found.found.unread:
        write({**_unread(file), "outcome": "unknown"})


def _checked(each: Checked, *, offline: bool) -> dict[str, str]:
    key = each.key
    facts = {name: getattr(key, name) for name in words.OF_KEY}
    unknown = words.reasons(facts) | ({"published": each.reason} if each.reason else {})
    return {
        "record": "key",
        "state": each.state,
        "file": guarded(key.file),
        "line": "" if key.line is None else str(key.line),
        "relying_party": guarded(key.relying_party),
        "held_as": key.held_as,
        **{name: _plain(fact) for name, fact in facts.items()},
        "fetched_on": "" if isinstance(key.fetched_on, Refusal) else time_cell(key.fetched_on),
        "note": guarded(words.verdict_of(each, offline=offline)),
        "coverage_note": note_cell(unknown),
    }


def _unread(each: Unread) -> dict[str, str]:
    line = "" if each.line is None else str(each.line)
    place = {"record": "not-read", "file": guarded(each.file), "line": line}
    return {**place, "note": guarded(each.what), "coverage_note": f"*:{each.reason}"}


def _gap(gap: Gap) -> dict[str, str]:
    return {"record": "not-read", "note": guarded(gap.scope.name), "coverage_note": f"*:{gap.reason}"}


def _plain(fact: object) -> str:
    """A fact as a cell; empty if absent or unknown."""
    if fact is None or isinstance(fact, Refusal):
        return ""
    return flag_cell(fact) if isinstance(fact, bool) else guarded(str(fact))
