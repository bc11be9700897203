"""The collected tables without evaluation: their rows, and what is unknown in them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from msgspec import Struct

from keyaudit.model.reasons import Reason
from keyaudit.model.results.expiring import Owner
from keyaudit.model.results.findings import Value
from keyaudit.model.schema.columns import Table


class Unknown(Struct, frozen=True):
    """A column that is unknown for one reason, with the number of rows."""

    column: str
    reason: Reason
    rows: int


@dataclass(frozen=True, slots=True)
class Selection:
    """Rows of a table that are listed under a name of their own."""

    table: str
    noun: str
    plural: str
    column: str
    values: tuple[str, ...]
    """The rows are those with one of these values in `column`."""


FEDERATED = Selection(
    table="credential", noun="federated credential", plural="federated credentials", column="kind", values=("federated",)
)
SELECTIONS = (FEDERATED,)


def selection_named(asked: str) -> Selection | None:
    """The selection of that name or plural, in any case and with any separators; None if there is none."""
    name = asked.lower().replace("-", " ").replace("_", " ")
    return next((each for each in SELECTIONS if name in (each.noun, each.plural)), None)


def in_custody(table: Table, custody: tuple[str, ...]) -> Selection:
    """The rows of a table whose private key is stored in one of these ways."""
    where = f"with custody {' or '.join(custody)}"
    return Selection(table.name, f"{table.noun} {where}", f"{table.plural} {where}", _CUSTODY, custody)


def custody_of(table: Table) -> tuple[str, ...]:
    """The values of custody in a table; empty if it has none."""
    column = table.by_name.get(_CUSTODY)
    return column.values if column else ()


_CUSTODY = "custody"


class Listing(Struct, frozen=True):
    """One table, or a selection of its rows.

    `rows()` starts a new stream, in the order of ids; rows are as `model.rows.Decoder` reads them. `owned()` is the same stream
    with the owner of each row; None if owners were not asked for.
    """

    table: Table
    count: int
    unknown: tuple[Unknown, ...]
    rows: Callable[[], Iterator[Mapping[str, Value]]]
    selection: Selection | None = None
    owned: Callable[[], Iterator[tuple[Mapping[str, Value], Owner]]] | None = None
