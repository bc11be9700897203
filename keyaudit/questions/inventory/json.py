"""The inventory as JSON: for one table every column of every row, absent ones null, unknown ones with their reason."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TextIO

from keyaudit.model.coverage import State
from keyaudit.model.operations import BY_SURFACE
from keyaudit.model.results.findings import Value
from keyaudit.model.results.listing import Listing
from keyaudit.model.results.run import Inventory
from keyaudit.model.schema.columns import Column, Table
from keyaudit.report.facts import Facts
from keyaudit.report.members import about_run, attributes, owner_members, row_member


def render(inventory: Inventory, out: TextIO) -> None:
    """Write one JSON object: for several tables the counts, for one table the rows, streamed."""
    members: dict[str, object] = {}
    lists: dict[str, Iterable[object]] = {"tables": map(_table, inventory.listings), "surfaces": _surfaces(inventory)}
    if len(inventory.listings) == 1:
        [listing] = inventory.listings
        members = {"table": {**_table(listing), "columns": list(map(_column, listing.table.columns))}}
        lists = {"rows": _rows(listing)}
    about_run(out, inventory.run, inventory.verdict, members, lists)


def _table(listing: Listing) -> dict[str, object]:
    table = listing.table
    unknown = [{"column": each.column, "reason": each.reason, "rows": each.rows} for each in listing.unknown]
    return {"name": table.name, "meaning": table.meaning, "rows": listing.count, "unknown": unknown}


def _column(column: Column) -> dict[str, object]:
    return {
        **attributes(column, "name", "type", "unit", "meaning"),
        "absent": column.absent or None,
    }


def _surfaces(inventory: Inventory) -> Iterator[dict[str, object]]:
    for name, declared in BY_SURFACE.items():
        ids = {operation.id for operation in declared}
        states = [record.state for record in inventory.verdict.coverage if record.operation in ids]
        if states:
            yield {"name": name, **{state: states.count(state) for state in State}}


def _rows(listing: Listing) -> Iterator[dict[str, object]]:
    if listing.owned is None:
        return (_row(listing.table, row) for row in listing.rows())
    return ({**_row(listing.table, row), **owner_members(owner)} for row, owner in listing.owned())


def _row(table: Table, row: Mapping[str, Value]) -> dict[str, object]:
    facts = Facts(table.name, row)
    values = row_member(facts)
    return {**values, "unknown": dict(sorted(facts.unknown.items()))}
