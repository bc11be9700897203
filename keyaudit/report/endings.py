"""Expirations and owners in words. Exact times are compared, days are printed."""

from collections.abc import Iterator

from keyaudit.model.results.expiring import RENEWED_BY_AZURE, Ending
from keyaudit.model.results.findings import Value
from keyaudit.model.results.run import Expiring
from keyaudit.model.tables import TABLES
from keyaudit.model.values import times
from keyaudit.model.values.text import one_line
from keyaudit.report.facts import Facts
from keyaudit.report.lines import listed, parted, plural, wrap
from keyaudit.report.missing import not_needed
from keyaudit.report.resource import algorithm, label
from keyaudit.report.summary import closing, header

OVERDUE, SOON, UNKNOWN = "expired", "expiring", "unknown"

_STATES: dict[tuple[str, Value], str] = {
    ("enabled", False): "disabled",
    ("holder_enabled", False): "its holder is disabled",
    ("is_current", False): "superseded",
    ("active", False): "not the active certificate",
    ("managed", True): "of a certificate",
    RENEWED_BY_AZURE: "Azure renews it",
}
"""The notes on whether somebody has to act, by column and value."""


def status(ending: Ending, as_of: int) -> str:
    """Whether it has expired; expiry in this second counts as expired."""
    if ending.expires_on is None:
        return UNKNOWN
    return OVERDUE if ending.expires_on <= as_of else SOON


def days(ending: Ending, as_of: int) -> int | None:
    """Whole days until or since the expiration, depending on `status`; None if unknown."""
    return None if ending.expires_on is None else abs(times.whole_days(ending.expires_on - as_of))


def when(ending: Ending, as_of: int) -> str:
    """ "expired 3 d ago", "in 23 h"."""
    if ending.expires_on is None:
        return "expiry unknown"
    count, unit = times.duration_text(abs(ending.expires_on - as_of)).split()
    span = f"{count} {unit[:3] if unit.startswith('min') else unit[0]}"
    return f"expired {span} ago" if ending.expires_on <= as_of else f"in {span}"


def listed_endings(found: Expiring, every: bool) -> Iterator[Ending]:
    """The listed resources: those in use, or all."""
    return (ending for ending in found.endings() if every or not ending.retired)


def thing(ending: Ending) -> Facts:
    """The facts of the resource."""
    return Facts(ending.table, ending.row)


def name(ending: Ending) -> str:
    """The display name, safe to print."""
    return one_line(label(thing(ending)))


def notes(ending: Ending) -> str:
    """Notes on its kind, and on whether it is in use."""
    facts = thing(ending)
    parts = [algorithm(facts)] if "kty" in facts.row else []
    parts += [word for (column, value), word in _STATES.items() if facts.row.get(column) == value]
    if "expires_on" in facts.unknown:
        parts.append(str(facts.unknown["expires_on"]))
    return one_line(", ".join(part for part in parts if part))


def above(found: Expiring, width: int, colour: bool) -> list[str]:
    """The beginning of every rendering for people."""
    return [*header(found.run, found.verdict, width, colour), ""]


def below(found: Expiring, width: int, colour: bool, every: bool) -> list[str]:
    """The counts, then their limitations."""
    hidden = (
        f"Not listed: {found.retired:,} more that are disabled, superseded, part of a certificate or renewed by Azure; "
        "--all lists them."
    )
    span = times.duration_text(found.before - found.run.as_of)
    counts = f"{found.overdue:,} expired, {found.soon:,} expiring within {span}, {found.unknown:,} of unknown expiry"
    return parted(
        wrap(f"Of {listed(list(_looked(found)))}: {counts}.", width),
        wrap(hidden, width) if found.retired and not every else [],
        not_needed(found.verdict, width),
        *closing(found.verdict, width, colour),
    )


def _looked(found: Expiring) -> Iterator[str]:
    unread = {record.operation for record in found.verdict.coverage if record.reason}
    for table, rows in found.looked.items():
        declared = TABLES[table]
        least = "at least " if unread & set(declared.listed_by) else ""
        yield f"{least}{plural(rows, declared.noun, declared.plural)}"
