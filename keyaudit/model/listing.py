"""The collected tables without evaluation: their rows, and what is unknown in them."""

from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from keyaudit.model.columns import Table
from keyaudit.model.findings import Value
from keyaudit.model.reasons import Reason


class Unknown(Struct, frozen=True):
    """A column that is unknown for one reason, with the number of rows."""

    column: str
    reason: Reason
    rows: int


class Listing(Struct, frozen=True):
    """One table. `rows()` starts a new stream, in the order of ids; rows are as in `model.rows.decoded`."""

    table: Table
    count: int
    unknown: tuple[Unknown, ...]
    rows: Callable[[], Iterator[Mapping[str, Value]]]
