"""The inventory for people: row counts of tables, or one table in columns; then everything that was not read."""

from collections.abc import Iterator, Sequence, Set
from itertools import chain, islice
from typing import TextIO

from keyaudit.inventory.reads import operations
from keyaudit.model.coverage import State
from keyaudit.model.operations import BY_SURFACE
from keyaudit.model.reasons import ADVICE, Reason
from keyaudit.model.results.expiring import NOT_ASKED, Owner
from keyaudit.model.results.listing import FEDERATED, Listing
from keyaudit.model.results.run import Inventory, Verdict
from keyaudit.model.schema.columns import Type, where_found
from keyaudit.model.values import times
from keyaudit.model.values.text import one_line
from keyaudit.questions.inventory import federated
from keyaudit.report.facts import Facts
from keyaudit.report.lines import joined, parted, plural, wrap
from keyaudit.report.missing import extent, not_needed
from keyaudit.report.options import PAGE, Options
from keyaudit.report.summary import closing, header
from keyaudit.report.tabular.grid import SAMPLE, fitting, grid, natural

_LONGEST = 1_000
_UNKNOWN, _ABSENT, _NONE = "unknown", "-", "none"
# The name of a row, then the most important columns; the others follow in declaration order.
_NAMING = ("vault_name", "holder_name", "name")
_OWNER = "owner"
_FIRST = (
    "custody", _OWNER, "kind", "expires_on", "is_current", "active", "enabled", "kty", "key_type", "key_size", "curve", "role",
    "principal_kind", "scope", "created_on", "starts_on",
)  # fmt: skip
_LAST = ("subscription_name", "resource_group", "location", "tags")
_ALWAYS = (*_NAMING, *_FIRST[:2])
# Source columns and ids, which are useful to programs only.
_PROVENANCE = {column.name for column in where_found()} - {"name"}


def render(inventory: Inventory, out: TextIO, options: Options) -> None:
    """Write it; a table has the columns that fit."""
    _render(inventory, out, options.width or PAGE, options.colour, options.hints)


def render_table(inventory: Inventory, out: TextIO, options: Options) -> None:
    """Write it; a table has all columns for people, however wide they are."""
    _render(inventory, out, None, False, options.hints)


def _render(inventory: Inventory, out: TextIO, width: int | None, colour: bool, hints: bool) -> None:
    about = width or PAGE
    out.write(joined([*header(inventory.run, inventory.verdict, about, colour), ""]))
    if len(inventory.listings) == 1:
        shown = _write_rows(inventory.listings[0], out, width, extent(inventory.verdict))
        notes = _notes(inventory.listings[0], shown, about)
    else:
        out.write(joined(_summary(inventory, width)))
        notes = [line for listing in inventory.listings for line in _unknown_of(listing, about)]
    last = parted(
        notes,
        not_needed(inventory.verdict, about),
        *closing(inventory.verdict, about, colour),
    )
    out.write(joined(["", *last]))
    if len(inventory.listings) > 1 and hints:
        out.write(joined(wrap("Next: keyaudit inventory TABLE, as in keyaudit inventory key", about)))


def _summary(inventory: Inventory, width: int | None) -> Iterator[str]:
    """The tables with their row counts, then how much was read of each surface."""
    verdict = inventory.verdict
    tables = [
        (each.table.name, _counted(each, verdict), _unknown(each), _read(verdict, operations(each.table.name)))
        for each in inventory.listings
    ]
    yield from grid(("Table", "Rows", "Unknown in part", "Read"), tables, width)
    yield ""
    surfaces = [(name, _read(verdict, {operation.id for operation in declared})) for name, declared in BY_SURFACE.items()]
    yield from grid(("Surface", "Read"), [row for row in surfaces if row[1]], width)


def _counted(listing: Listing, verdict: Verdict) -> str:
    unread = any(record.reason for record in verdict.coverage if record.operation in listing.table.listed_by)
    return f"{'at least ' if unread else ''}{listing.count:,}"


def _unknown(listing: Listing) -> str:
    columns = len({each.column for each in listing.unknown})
    return plural(columns, "column") if columns else _ABSENT


def _unknown_of(listing: Listing, width: int) -> list[str]:
    columns: dict[Reason, list[str]] = {}
    for each in listing.unknown:
        columns.setdefault(each.reason, []).append(each.column)
    said = "; ".join(f"{', '.join(names)} ({reason})" for reason, names in columns.items())
    return wrap(f"Unknown in some {listing.table.plural}: {said}.", width, rest="  ") if said else []


def _read(verdict: Verdict, wanted: Set[str]) -> str:
    """How much of some operations was read: "all", "3 of 12: firewall, permission"; empty if none were required."""
    states = [record.state for record in verdict.coverage if record.operation in wanted]
    reasons = sorted({str(gap.reason) for gap in verdict.gaps if wanted & set(gap.operations)})
    if not reasons:
        return "all" if states else ""
    return f"{states.count(State.ASSESSED):,} of {len(states):,}: {', '.join(reasons)}"


def _write_rows(listing: Listing, out: TextIO, width: int | None, limits: str) -> Sequence[str]:
    """Write the rows in columns, or federated credentials by grade. Returns the names of the columns.

    `limits`: the end of a sentence that says that there are none.
    """
    if listing.selection is FEDERATED and width is not None and listing.count:
        out.write(joined(federated.lines(listing, width)))
        return federated.SHOWN
    names = _ordered(listing)
    every = listing.owned() if listing.owned else ((row, NOT_ASKED) for row in listing.rows())
    cells = (_cells(Facts(listing.table.name, row), owner, names) for row, owner in every)
    sample = list(islice(cells, SAMPLE))
    kept = list(range(len(names)))
    if width is not None:
        kept = fitting(natural(names, sample), width, sum(name in _ALWAYS for name in names))
    names = [names[index] for index in kept]
    rows = ([row[index] for index in kept] for row in chain(sample, cells))
    if listing.count:
        out.writelines(f"{line}\n" for line in grid(names, rows, width))
    else:
        out.write(f"No {_nouns(listing)[1]}{limits}.\n")
    return names


def _nouns(listing: Listing) -> tuple[str, str]:
    of = listing.selection or listing.table
    return of.noun, of.plural


def _ordered(listing: Listing) -> list[str]:
    declared = [
        column.name
        for column in listing.table.columns
        if column.name not in _PROVENANCE and not column.name.endswith(("_id", "_ids", "_uri"))
    ]
    declared += [_OWNER] if listing.owned and _OWNER not in declared else []
    first = [name for name in (*_NAMING, *_FIRST) if name in declared]
    last = [name for name in _LAST if name in declared]
    return [*first, *(name for name in declared if name not in first and name not in last), *last]


def _cells(facts: Facts, owner: Owner, names: Sequence[str]) -> list[str]:
    own = _OWNER not in facts.row
    return [_owned(owner) if name == _OWNER and own else _cell(facts, name) for name in names]


def _owned(owner: Owner) -> str:
    return _UNKNOWN if owner.reason else one_line(", ".join(owner.names), _LONGEST) or _ABSENT


def _cell(facts: Facts, name: str) -> str:
    """A value for people. A dash means absent; a text that equals one of our words is in quotes."""
    value = facts.row.get(name)
    match value:
        case None:
            shown = _UNKNOWN if name in facts.unknown else _ABSENT
        case bool():
            shown = "yes" if value else "no"
        case int() if facts.type(name) is Type.TIME:
            shown = times.iso_date(value)
        case int() if facts.type(name) is Type.DURATION:
            shown = times.duration_text(value)
        case list():
            shown = one_line(", ".join(value), _LONGEST) or _NONE
        case str() if value.strip() in {"", _UNKNOWN, _ABSENT, _NONE}:
            shown = f'"{one_line(value)}"'
        case _:
            shown = one_line(facts.text(name) or "", _LONGEST)
    return shown


def _notes(listing: Listing, shown: Sequence[str], width: int) -> list[str]:
    """Notes: the number of omitted columns, and why values are unknown."""
    lines: list[str] = []
    left = len(listing.table.columns) - len([name for name in shown if name != _OWNER])
    if left and listing.count:
        lines += wrap(
            f"{plural(listing.count, *_nouns(listing))}. Not shown: {plural(left, 'column')}, which -o json and -o csv have.",
            width,
        )
    reasons: dict[Reason, dict[str, int]] = {}
    for each in listing.unknown:
        reasons.setdefault(each.reason, {})[each.column] = each.rows
    for reason, columns in reasons.items():
        counts = ", ".join(f"{column} {rows:,}" for column, rows in columns.items())
        lines += wrap(f"Unknown, because {ADVICE[reason].meaning} ({reason}), in rows: {counts}.", width, rest="  ")
    return lines
