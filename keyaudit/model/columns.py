"""What a column is: its type, its meaning, which operations fill it, and what its absence means."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum
from functools import partial

from keyaudit.model.operations import with_all_before

Sure = Mapping[str, str | bool | None]
"""What is sure of a row that was not read: column to value, None where the column is absent."""


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
    """Two integers, at least and at most (`<name>_min`, `<name>_max`); no at most means that nothing bounds it."""


class RestsOn(StrEnum):
    """What can make a derived column unknown in a row. Nothing that happens to other objects does."""

    OBJECT = "object"
    """The object itself, with all that is read as a part of it: the versions of a key, the credentials of an application."""
    PARENT = "parent"
    """Besides, objects that it names: its vault, holder, key or workspace. That one which is not found does not exist, only
    the list of all of them says."""
    LIST = "list"
    """The whole of some list: how many others there are, or that there is none."""


@dataclass(frozen=True, slots=True)
class Left:
    """What a member left out of a complete answer means. `fixed` is a value, or None for absent. `source` says who says so."""

    fixed: str | int | bool | None
    source: str


@dataclass(frozen=True, slots=True)
class Where:
    """The rows in which `column` has one of `values`; None among them: in which that column is absent itself."""

    column: str
    values: tuple[str | bool | None, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. A column is unknown in a row when the row's `unknown` map names it; NULL otherwise means absent."""

    type: Type
    name: str
    meaning: str
    operations: tuple[str, ...] = ()
    """The operations that fill it: empty for columns that the row always has (ids, where it was found)."""
    _: KW_ONLY
    unit: str = ""
    absent: str = ""
    """What absence means; empty where the column may not be absent."""
    absent_where: tuple[Where, ...] = ()
    """The only rows in which it may be absent, as alternatives; empty: any row. Elsewhere a null is not a value of it."""
    left_out: Left | None = None
    """What a member left out of a complete answer means; None: unknown."""
    values: tuple[str, ...] = ()
    """The values of an enumeration. Another text than these is unrecognised, hence unknown, unless it is `open_ended`."""
    open_ended: bool = False
    guid: bool = False
    """A text that is a GUID. Another cannot be right: it would be taken for the name of something else."""
    """`values` are the usual ones of many, each of which means what it says: they come from no closed list of the service."""
    number: bool = False
    """Of a time: some answers write it as seconds since 1970. Of any other a number is not a value."""
    past: bool = False
    """A time at which something happened: it cannot be later than the moment at which the run read it."""
    follows: str = ""
    """For the end of a span of time: the column with its start, before which it cannot be."""
    derived_from: tuple[str, ...] = ()
    """For a column that a view computes: the stored columns it rests on. Such a column is not stored."""
    rests_on: RestsOn | None = None
    """For a column that a view computes: what can make it unknown in a row."""
    rows_of: tuple[str, ...] = ()
    """Where it rests on a table that several listings share out: the listings whose rows it looks at; empty: all of them."""
    needs: str = ""
    """The evidence, by its name in `model.evidence`, without which it is unknown in every row; empty: Azure's own answers."""
    wire: str = ""
    """The member of an answer that it is a straight copy of, `attributes.created`; empty where it is worked out."""

    def present_where(self, column: str, value: object) -> bool:
        """Whether rows in which `column` has `value` always have this one, unless it is unknown."""
        return bool(self.absent_where) and all(case.column == column and value not in case.values for case in self.absent_where)

    @property
    def can_be_unknown(self) -> bool:
        """Something has to be read for it, which can fail: not so of ids, and of where a row was found."""
        return bool(self.operations or self.derived_from or self.needs)


text = partial(Column, Type.TEXT)
flag = partial(Column, Type.BOOLEAN)
integer = partial(Column, Type.INTEGER)
time = partial(Column, Type.TIME, unit="seconds since 1970 UTC")
unix_time = partial(time, number=True)
duration = partial(Column, Type.DURATION, unit="seconds")
texts = partial(Column, Type.TEXTS)
mapping = partial(Column, Type.MAP)
count = partial(Column, Type.COUNT)
"""How tables declare a column of each type: its name, its meaning, the operations that fill it, then the rest by keyword."""


class Area(StrEnum):
    """What a table is about, for people, in the order in which these are listed."""

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
    """One kind of thing to judge."""

    name: str
    order: int
    """Its place wherever tables are listed: the lowest first."""
    area: Area
    noun: str
    plural: str
    meaning: str
    columns: Sequence[Column]
    added_by: tuple[str, ...]
    """The operations whose answers add rows, each with the request that lists them: what is then asked of a row is not here.

    Empty for a table whose rows come from evidence.
    """
    parts: Mapping[str, Sequence[Sure]] = field(default_factory=dict)
    """Operation of `added_by` to what is sure of the rows that it alone gives, where several operations share the table."""
    replaced_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Operation of `added_by` to the operations that give its rows too, and are asked where it was not read to its end."""
    row_for_each: tuple[str, ...] = ()
    """The lists of which every item that was kept has a row of its own at least."""
    replaced: bool = True
    """The end of a row (`expires_on`), if it has one, is the end of something that somebody has to replace."""
    subject: str = "id"
    """The column that names the thing which lives on when a row is replaced (a key, over its versions)."""
    part_of: str = ""
    """The column with the id of the object that a row is a part of, where the same answer gives both."""
    needs: str = ""
    """The evidence that its rows come from, by its name in `model.evidence`; empty: Azure's own answers."""
    listed_by: tuple[str, ...] = field(init=False)
    """Every operation without which rows may be missing, outermost first: those that add rows, and all that lead to them."""
    by_name: dict[str, Column] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "listed_by", with_all_before(*self.added_by))
        object.__setattr__(self, "by_name", {column.name: column for column in self.columns})

    def rows_after(self, operation: str) -> Sequence[Sure]:
        """What is sure of the rows that are missing without this operation of `listed_by`, one for each kind of them."""
        adding = [each for each in self.added_by if operation in with_all_before(each)]
        return [sure for each in adding for sure in self.parts.get(each, ({},))]

    def lacking(self, supplied: Collection[str]) -> tuple[str, ...]:
        """The columns that need evidence which is not supplied, and which its rows do not come from."""
        return tuple(column.name for column in self.columns if column.needs not in ("", self.needs, *supplied))

    @property
    def stored(self) -> tuple[Column, ...]:
        """The columns that collectors fill."""
        return tuple(column for column in self.columns if not column.derived_from)

    def never_absent(self, column: Column) -> tuple[tuple[str, tuple[str | bool, ...]], ...]:
        """Where a column with `absent_where` has a value or is unknown, by the declared values of the columns that decide it.

        It is not absent in a row in which each of these columns has one of the values given with it.
        """
        found = []
        for case in column.absent_where:
            decides = self.by_name[case.column]
            every: tuple[str | bool, ...] = (True, False) if decides.type is Type.BOOLEAN else decides.values
            found.append((case.column, tuple(value for value in every if value not in case.values)))
        return tuple(found)

    @property
    def derived(self) -> tuple[Column, ...]:
        """The columns that views compute."""
        return tuple(column for column in self.columns if column.derived_from)


def where_found(*naming: str) -> tuple[Column, ...]:
    """The columns that every table begins with. `naming`: the operations that give the name, unless the id holds it."""
    return (
        text("id", "full resource id in lower case"),
        text("name", "name as Azure shows it", naming, absent="it has no name"),
        text("resource_id", "full resource id in Azure's spelling"),
        text("scope_id", "the scope in whose coverage it was read"),
        text("source_url", "the request that gave it"),
        text("source_version", "the api-version of that request"),
    )
