"""Columns and tables: type, meaning, the operations that fill a column, and what absence means."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum
from functools import partial

from msgspec import Struct

from keyaudit.model.schema.opens import Rules
from keyaudit.model.schema.wire import Read, Way

Sure = Mapping[str, str | bool | None]
"""Known values of a row that was not read: column to value, None where the column is absent."""


class Type(StrEnum):
    """The closed list of column types, and how each is stored."""

    TEXT = "text"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    TIME = "time"
    """Whole seconds since 1970-01-01 UTC."""
    DURATION = "duration"
    """Whole seconds."""
    TEXTS = "texts"
    """A list of text, without NULL in it."""
    MAP = "map"
    """Text to text; names in lower case."""
    COUNT = "count"
    """Two integers, at least and at most (`<name>_min`, `<name>_max`); a missing maximum means unbounded."""


class Left(Struct, frozen=True):
    """What a member means that a complete answer leaves out: `fixed` is a value, or None for absent; `source` says so."""

    fixed: str | int | bool | None
    source: str


class Where(Struct, frozen=True):
    """The rows in which `column` has one of `values`; None among them stands for an absent value."""

    column: str
    values: tuple[str | bool | None, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. A column is unknown in a row when the row's `unknown` map names it; NULL otherwise means absent."""

    type: Type
    name: str
    meaning: str
    operations: tuple[str, ...] = ()
    """The operations that fill it: empty for columns that the row always has (ids, where it was found), and derived ones."""
    _: KW_ONLY
    unit: str = ""
    absent: str = ""
    """What absence means; empty where the column may not be absent."""
    absent_where: tuple[Where, ...] = ()
    """The only rows in which it may be absent, as alternatives; empty: any row. In other rows a null is invalid."""
    left_out: Left | None = None
    """What a member left out of a complete answer means; None: unknown."""
    values: tuple[str, ...] = ()
    """The values of an enumeration; of a list: its words. Any other text is unrecognised, hence unknown, unless the column is
    `open_ended`."""
    open_ended: bool = False
    """The service has no closed list: `values` are the usual ones, and other values are valid too."""
    never_empty: bool = False
    """A list that always has a word: an empty one is a bad value."""
    guid: bool = False
    """The text is a GUID: any other is a bad value, since it could be the name of something else."""
    number: bool = False
    """For a time: some answers give seconds since 1970. For other times a number is invalid."""
    past: bool = False
    """A time in the past: it cannot be later than the time of the run."""
    follows: str = ""
    """For the end of a span of time: the column with its start, before which it cannot be."""
    partial: bool = False
    """A list that holds, where it is unknown, the items that are known to be in it, if any is."""
    derived: bool = False
    """A view computes it, so that it is not stored. `inventory.reads` says what it depends on."""
    needs: str = ""
    """The evidence, by its name in `model.evidence`, without which it is unknown in every row; empty: Azure's own answers."""
    wire: Way = field(default="", hash=False)
    """Where it is in the answer: the member that it copies, such as `attributes.created`, or how it is made of members.
    Empty if a collector computes it."""

    def present_where(self, column: str, value: object) -> bool:
        """Whether rows in which `column` has `value` always have this one, unless it is unknown."""
        return bool(self.absent_where) and all(case.column == column and value not in case.values for case in self.absent_where)

    @property
    def can_be_unknown(self) -> bool:
        """Whether it depends on a read that can fail. Ids and the columns of `where_found` do not."""
        return bool(self.operations or self.derived or self.needs)


text = partial(Column, Type.TEXT)
flag = partial(Column, Type.BOOLEAN)
integer = partial(Column, Type.INTEGER)
time = partial(Column, Type.TIME, unit="seconds since 1970 UTC")
unix_time = partial(time, number=True)
duration = partial(Column, Type.DURATION, unit="seconds")
texts = partial(Column, Type.TEXTS)
mapping = partial(Column, Type.MAP)
count = partial(Column, Type.COUNT)
"""Declares a column of this type: name, meaning, the operations that fill it, then keywords."""


class Area(StrEnum):
    """The area of a table, for people, in display order."""

    KEYS = "Keys, certificates, secrets"
    VAULTS = "Vaults and HSMs"
    ACCESS = "Access"
    APPLICATIONS = "Applications"
    FEDERATION = "Federation"
    SERVICES = "Other services"
    LOGS = "Logs and alerts"
    TENANT = "Tenant settings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One kind of resource."""

    name: str
    order: int
    """Its position in lists of tables; the lowest is first."""
    area: Area
    noun: str
    plural: str
    meaning: str
    columns: Sequence[Column]
    added_by: tuple[str, ...]
    """The list operations whose answers add rows. Operations that only fill columns of a row are not included.

    Empty for a table whose rows come from evidence.
    """
    parts: Mapping[str, Sequence[Sure]] = field(default_factory=dict)
    """For each operation of `added_by`, the known values of the rows that only it adds."""
    fills: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For operations that fill columns of only some rows, the operations of `added_by` that list these rows."""
    replaced_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For each operation of `added_by`, the operations that return the same rows and are sent if it was not read completely."""
    row_for_each: tuple[str, ...] = ()
    """The list operations whose every kept item has at least one row."""
    replaced: bool = True
    """Whether a row with an expiration date must be replaced by somebody before it."""
    subject: str = "id"
    """The column with the id that stays the same when a row is replaced (a key, over its versions)."""
    part_of: str = ""
    """The column with the id of the object that contains the row, if the same answer returns both."""
    needs: str = ""
    """The evidence that its rows come from, by its name in `model.evidence`; empty: Azure's own answers."""
    opens: Rules = field(default_factory=dict)
    """What a row opens, as `model.opens` explains. Empty: no policy of the table has a computed severity."""
    reads: tuple[Read, ...] = ()
    """How its rows are read; empty if a collector of its own does that."""
    by_name: dict[str, Column] = field(init=False, compare=False, repr=False)
    stored: tuple[Column, ...] = field(init=False, compare=False, repr=False)
    """The columns that collectors fill."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {column.name: column for column in self.columns})
        object.__setattr__(self, "stored", tuple(column for column in self.columns if not column.derived))

    @property
    def listed_by(self) -> tuple[str, ...]:
        """Every operation without which rows may be missing, outermost first: those that add rows, and their prerequisites."""
        return _with_all_before(*self.added_by)

    def rows_after(self, operation: str) -> Sequence[Sure]:
        """The known values of the rows that are missing without this operation of `listed_by`, one for each kind of row."""
        adding = [each for each in self.added_by if operation in _with_all_before(each)]
        return [sure for each in adding for sure in self.parts.get(each, ({},))]

    def only_of(self, listed: Collection[str]) -> frozenset[str]:
        """The operations that only list or fill other rows than those that these operations of `added_by` list."""
        if not self.parts:
            return frozenset()
        filling = (operation for operation, rows in self.fills.items() if not set(rows) & set(listed))
        return frozenset((*self.listed_by, *filling)).difference(_with_all_before(*listed))

    def listing(self, column: str, *values: str) -> tuple[str, ...]:
        """The operations of `added_by` that may list rows in which a column has one of these values."""
        return tuple(name for name in self.added_by if any(row.get(column) in values for row in self.rows_after(name)))

    def lacking(self, supplied: Collection[str]) -> tuple[str, ...]:
        """The columns that need evidence which is not supplied, other than the evidence that the rows come from."""
        return tuple(column.name for column in self.columns if column.needs not in ("", self.needs, *supplied))

    def never_absent(self, column: Column) -> tuple[tuple[str, tuple[str | bool, ...]], ...]:
        """For a column with `absent_where`: the values of the deciding columns with which it cannot be absent.

        It is not absent in a row in which each of these columns has one of the values given with it.
        """
        found = []
        for case in column.absent_where:
            decides = self.by_name[case.column]
            every: tuple[str | bool, ...] = (True, False) if decides.type is Type.BOOLEAN else decides.values
            found.append((case.column, tuple(value for value in every if value not in case.values)))
        return tuple(found)

    def ways(self, read: Read | None = None) -> Mapping[str, Way]:
        """Where each column is in the items of a read, or of its collector, if it is not computed."""
        ways = {column.name: (read.columns if read else {}).get(column.name, column.wire) for column in self.stored}
        return {name: way for name, way in ways.items() if way and not (read and name in read.fixed)}

    @property
    def derived(self) -> tuple[Column, ...]:
        """The columns that views compute."""
        return tuple(column for column in self.columns if column.derived)


def _with_all_before(*operations: str) -> tuple[str, ...]:
    # A surface declares its operations beside its tables, so that all of them are only known when all of it is imported.
    from keyaudit.model.operations import with_all_before  # noqa: PLC0415

    return with_all_before(*operations)


def where_found(*naming: str, wire: Way = "") -> tuple[Column, ...]:
    """The columns that every table begins with. `naming`: the operations that return the name; empty if the id contains it.

    `wire`: the member of the answer that the name copies; empty if answers differ in it, or none has it.
    """
    return (
        text("id", "full resource id in lower case"),
        text("name", "name as Azure shows it", naming, absent="it has no name", wire=wire),
        text("resource_id", "full resource id in Azure's spelling"),
        text("scope_id", "the coverage scope in which it was read"),
        text("source_url", "the request that returned it"),
        text("source_version", "the api-version of that request"),
    )
