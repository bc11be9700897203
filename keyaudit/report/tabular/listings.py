"""The inventory as CSV: one line per row of a table, or per table; then one line per gap."""

import csv
from collections.abc import Iterator, Sequence
from typing import TextIO

from keyaudit.model.reasons import Reason
from keyaudit.model.results.expiring import NOT_ASKED
from keyaudit.model.results.listing import Listing
from keyaudit.model.results.run import Inventory
from keyaudit.model.schema.columns import Type
from keyaudit.report.facts import Facts
from keyaudit.report.tabular.cells import common_cells, guarded, note_cell

OWNER = ("owners", "owner_source")
"""The columns besides those of the table, where owners were asked for."""
_ROW, _GAP = "row", "not-read"


def render(inventory: Inventory, out: TextIO, *, gaps: bool = True) -> None:
    """Write it. `record` says whether a line is a row or a gap. `out` must not translate line ends.

    `gaps`: false if gaps are written elsewhere.
    """
    writer = csv.writer(out, lineterminator="\r\n")
    common = common_cells(inventory.run)
    if len(inventory.listings) == 1:
        [listing] = inventory.listings
        names = [*(column.name for column in listing.table.columns), *(OWNER if listing.owned else ())]
        lines = _rows(listing)
    else:
        names = ["table", "rows"]
        lines = map(_counts, inventory.listings)
    writer.writerow((*common, "record", *names, "coverage_note"))
    writer.writerows((*common.values(), _ROW, *line) for line in lines)
    for gap in inventory.verdict.gaps if gaps else ():
        place = {"scope_id": gap.scope.id, "name": gap.scope.name, "table": gap.scope.name or gap.scope.id}
        cells = (guarded(place.get(name)) for name in names)
        writer.writerow((*common.values(), _GAP, *cells, f"*:{gap.reason}"))


def _counts(listing: Listing) -> Sequence[str]:
    reasons: dict[str, Reason] = {each.column: each.reason for each in listing.unknown}
    return listing.table.name, str(listing.count), note_cell(reasons)


def _rows(listing: Listing) -> Iterator[Sequence[str]]:
    for row, owner in listing.owned() if listing.owned else ((row, NOT_ASKED) for row in listing.rows()):
        facts = Facts(listing.table.name, row)
        cells = [_cell(facts, column.name) for column in listing.table.columns]
        unknown = facts.unknown | ({OWNER[0]: owner.reason} if listing.owned and owner.reason else {})
        if listing.owned:
            cells += [guarded("|".join(owner.names)), owner.source]
        yield *cells, note_cell(dict(sorted(unknown.items())))


def _cell(facts: Facts, name: str) -> str:
    """A cell: numbers unchanged, other values as guarded text."""
    text = facts.text(name)
    return text or "" if facts.type(name) is Type.INTEGER else guarded(text)
