"""The content of a baseline, for people."""

from collections.abc import Iterable, Sequence
from typing import TextIO

from keyaudit.logs.report.text import missing
from keyaudit.model.directory.first_party import FIRST_PARTY
from keyaudit.model.usage import Belonging, Learned
from keyaudit.model.values.text import one_line
from keyaudit.model.values.times import iso_date
from keyaudit.report.lines import joined, plural
from keyaudit.report.tabular.grid import grid

_HEADERS = (
    *("Operation", "Target", "Application", "Uses", "Days", "First", "Last", "Mailboxes a day"),
    *("Client apps", "Networks", "Programs", "Keys", "Principals", "APIs"),
)
_WIDTH = 100


def render(learned: Sequence[Learned], rows: Iterable[Belonging], out: TextIO) -> None:
    """Write it: its source windows and their gaps, then a line for each application."""
    out.writelines(
        f"learned from {each.window}, {plural(each.uses, 'use')}\n{joined(missing(each, _WIDTH))}" for each in learned
    )
    out.write("\n")
    out.writelines(f"{line}\n" for line in grid(_HEADERS, map(_cells, rows)))


def _counts(row: Belonging) -> tuple[int, ...]:
    return row.mailboxes, row.client_apps, row.networks, row.clients, row.keys, row.principals, row.apis


def _cells(row: Belonging) -> tuple[str, ...]:
    name = FIRST_PARTY.get(row.app_id)
    return (
        one_line(row.operation),
        one_line(row.target, 512),
        (one_line(row.app_id) or "(none named)") + (f" ({name})" if name else ""),
        f"{row.uses:,}",
        f"{row.days:,}",
        iso_date(row.first_on),
        iso_date(row.last_on),
        *(f"{count:,}" if count else "-" for count in _counts(row)),
    )
