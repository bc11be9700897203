"""Fills one row from wire values as its table declares: the only place where a wire value becomes a column's value."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, ParamSpec, TypeVar, cast

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType, defstruct, field

from keyaudit.collect.wire import Wire, attributes_of, value_at, why_bad
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.schema.columns import Column, Table, Type
from keyaudit.model.schema.wire import At, Case, Combined, InCertificate, Unreadable, Way, first_members
from keyaudit.model.tables import TABLES
from keyaudit.model.values.guid import GUID, is_disguised
from keyaudit.model.values.times import FIRST_TIME, LAST_TIME, MAX_TIME, parse_duration, parse_time

T = TypeVar("T")
P = ParamSpec("P")
S = TypeVar("S", bound=Struct)

_DECODERS: dict[Type, msgspec.json.Decoder[object]] = {
    type_: msgspec.json.Decoder[object](expected | None)
    for type_, expected in {
        Type.TEXT: str,
        Type.BOOLEAN: bool,
        Type.INTEGER: int,
        Type.TIME: int | str,
        Type.DURATION: str,
        Type.TEXTS: list[str],
        Type.MAP: dict[str, str],
    }.items()
}

_HELD: dict[Type, type[object]] = {
    Type.TEXT: str,
    Type.BOOLEAN: bool,
    Type.INTEGER: int,
    Type.TIME: int,
    Type.DURATION: int,
    Type.TEXTS: list,
    Type.MAP: dict,
}


class Row:
    """A row under construction. Every stored column must be put or refused, otherwise `finish` raises: there are no defaults.

    `values` has the known values so far (None: absent), `unknown` the reasons of unknown columns.
    """

    __slots__ = ("_columns", "_conditional", "table", "unknown", "values")

    def __init__(self, table: Table, *, id: str, resource_id: str, scope_id: str, url: str, version: str) -> None:  # noqa: A002
        """`id` is converted to lower case; `url` and `version` are the request of the row and its api-version."""
        self.table = table.name
        self._columns = table.by_name
        self._conditional = _conditional(table.name)
        self.unknown: dict[str, Reason] = {}
        self.values: dict[str, object] = {
            "id": id.lower(),
            "resource_id": resource_id,
            "scope_id": scope_id,
            "source_url": url,
            "source_version": version,
        }

    def put(self, column: str, value: object) -> None:
        """Set `column` from a wire value (a Raw, or UNSET), or from a Python value in its stored form.

        An invalid wire value makes it unknown as bad_value; a text that is not a value of the enumeration, and a list with such
        a text, as unrecognised. The table declares the meaning of a left-out member; without such a declaration the column is
        unknown as bad_body.
        """
        declared = self._columns[column]
        if isinstance(value, UnsetType):
            self._left_out(declared)
            return
        try:
            held = _stored_form(declared, _DECODERS[declared.type].decode(value)) if isinstance(value, Raw) else value
            if held is None:
                self._absent(declared)
                return
            self._set(declared, held)
        except (ValueError, RecursionError):
            self._unknown(column, why_bad(value))

    def refuse(self, columns: Iterable[str], reason: Reason) -> None:
        """Make `columns` unknown."""
        for column in columns:
            if column not in self._columns:
                raise KeyError(f"{self.table} has no column {column}")
            self._unknown(column, reason)

    def can_be_unknown(self, column: str) -> bool:
        """Whether it is a column with data, and not one that says whose row it is."""
        return column in self._columns and self._columns[column].can_be_unknown

    def put_read(self, column: str, value: object) -> None:
        """Set `column` from the result of `read`: a value, or a refusal whose reason makes it unknown."""
        if isinstance(value, Refusal):
            self.refuse((column,), value.reason)
        else:
            self.put(column, value)

    def put_all(self, **columns: object) -> None:
        """Set each of `columns` like `put_read`."""
        for column, value in columns.items():
            self.put_read(column, value)

    def fill(self, item: Struct | Refusal | None, at: str = "") -> None:
        """Set every column whose `Column.wire` is in `item`, which is at the path `at` of its answer.

        If `item` is a refusal, these columns are unknown; if it is None, absent.
        """
        if isinstance(item, Refusal):
            self.refuse((*_copied(self.table, at), *dict(_ways(self.table, at))), item.reason)
        elif item is None:
            self.clear(_copied(self.table, at))
        else:
            for column, attribute in _copies(self.table, type(item), at):
                self.put(column, getattr(item, attribute))
            for column, way in _ways(self.table, at):
                self.take(column, item, way)

    def answer(self, operation: str, found: Struct | Refusal) -> None:
        """Set every column that this operation fills from its answer, as `Column.wire` says; a refusal makes them unknown."""
        for column, way in _of_answer(self.table, operation):
            if isinstance(found, Refusal):
                self._unknown(column, found.reason)
            else:
                self.take(column, found, way)

    def take(self, column: str, item: Struct, way: Way) -> None:
        """Set `column` from where `way` says that it is in `item`; it is unknown if it cannot be read there."""
        self.make(column, value_at, item, At(way) if isinstance(way, str) else way)

    def make(self, column: str, value: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Set `column` to the result of `value`; it is unknown if that raises ValueError, or for the reason of `Unreadable`."""
        try:
            self.put(column, value(*args, **kwargs))
        except Unreadable as why:
            self._unknown(column, why.reason)
        except (ValueError, RecursionError):
            self._unknown(column, Reason.BAD_VALUE)

    def clear(self, columns: Iterable[str]) -> None:
        """Make `columns` absent."""
        for column in columns:
            self.put(column, None)

    def finish(self) -> dict[str, object]:
        """The row for the spool: known values, and `unknown` with the reasons. Absent columns are None.

        A column that is absent where it may not be (`Column.absent_where`) is unknown as bad_value, or for the reason of the
        deciding column if that is unknown.
        """
        for column in self._conditional:
            if column.name in self.values and self.values[column.name] is None:
                reason = self._why_not_absent(column)
                if reason is not None:
                    self._unknown(column.name, reason)
        missing = [name for name, column in self._columns.items() if not (column.derived or name in self.values)]
        open_ = [name for name in missing if name not in self.unknown]
        if open_:
            raise AssertionError(f"{self.table}: nothing was said of {', '.join(open_)}")
        return {**self.values, **dict.fromkeys(missing), "unknown": {name: str(why) for name, why in self.unknown.items()}}

    def _why_not_absent(self, column: Column) -> Reason | None:
        """Why a column cannot be absent in this row; None if it can."""
        if any(case.column in self.values and self.values[case.column] in case.values for case in column.absent_where):
            return None
        reasons = [self.unknown[case.column] for case in column.absent_where if case.column in self.unknown]
        return reasons[0] if reasons else Reason.BAD_VALUE

    def _set(self, declared: Column, held: object) -> None:
        if type(held) is not _HELD[declared.type]:
            raise TypeError(f"{self.table}.{declared.name} cannot hold a {type(held).__name__}")
        if isinstance(held, int) and abs(held) > MAX_TIME:
            raise ValueError
        if declared.type is Type.TIME and isinstance(held, int) and not FIRST_TIME <= held <= LAST_TIME:
            raise ValueError
        if declared.guid and isinstance(held, str) and not GUID.fullmatch(held):
            raise ValueError
        if isinstance(held, list) and declared.never_empty and not held:
            raise ValueError
        if declared.values and not declared.open_ended:
            held = _as_declared(held, declared.values)
            if held is None:
                self._unknown(declared.name, Reason.UNRECOGNISED)
                return
        # An empty map means none too: ARM sends it for no tags, Key Vault leaves the member out.
        if declared.type is Type.MAP and not held and declared.absent:
            held = None
        self._known(declared.name, held)

    def _absent(self, declared: Column) -> None:
        if declared.absent:
            self._known(declared.name, None)
        else:
            self._unknown(declared.name, Reason.BAD_VALUE)

    def _left_out(self, declared: Column) -> None:
        if declared.left_out is None:
            self._unknown(declared.name, Reason.BAD_BODY)
        else:
            self._known(declared.name, declared.left_out.fixed)

    def _known(self, column: str, value: object) -> None:
        self.values[column] = value
        self.unknown.pop(column, None)

    def _unknown(self, column: str, reason: Reason) -> None:
        self.unknown[column] = reason
        self.values.pop(column, None)


def _as_declared(held: object, values: tuple[str, ...]) -> object:
    """A text, or the texts of a list, as the enumeration spells them; None if one is not in it.

    ARM ignores the case of names, and returns several spellings.
    """
    spelled = _spelled(values)
    if isinstance(held, list):
        found = [spelled.get(text.lower()) for text in held]
        return None if None in found else found
    return spelled.get(held.lower()) if isinstance(held, str) else held


@cache
def _spelled(values: tuple[str, ...]) -> Mapping[str, str]:
    """The values of an enumeration by their lower-case form."""
    return {value.lower(): value for value in values}


@cache
def _copied(table: str, at: str) -> Mapping[str, str]:
    wires = {column.name: column.wire for column in TABLES[table].stored}
    parts = {name: wire.rpartition(".") for name, wire in wires.items() if wire and isinstance(wire, str)}
    return {name: member for name, (parent, _, member) in parts.items() if parent == at}


@cache
def _ways(table: str, at: str) -> Sequence[tuple[str, At | Case | Combined | InCertificate]]:
    """The columns whose place is declared from the item itself."""
    return [] if at else [(each.name, each.wire) for each in TABLES[table].stored if not isinstance(each.wire, str)]


def wired(table: Table, at: str = "", *, operation: str = "") -> Callable[[type[S]], type[S]]:
    """Adds to a struct the members at the path `at` that columns of `table` are filled from, unless it declares them itself.

    `operation`: only the columns that it fills, from the item itself.
    """

    def extended(struct: type[S]) -> type[S]:
        of_item = _of_answer(table.name, operation) if operation else _ways(table.name, at)
        named = first_members(way for _, way in of_item)
        named = named if operation else {**dict.fromkeys(_copied(table.name, at).values()), **named}
        more = [(each, Wire, field(default=UNSET, name=each)) for each in named if each not in struct.__struct_encode_fields__]
        return cast("type[S]", defstruct(struct.__name__, more, bases=(struct,), module=struct.__module__))

    return extended


@cache
def answer_of(table: str, operation: str) -> type[Struct]:
    """The members of an operation's answer that fill columns of a table, for `Row.answer`."""
    return struct_of(f"{table}_answer", [way for _, way in _of_answer(table, operation)])


@cache
def _of_answer(table: str, operation: str) -> Sequence[tuple[str, Way]]:
    return [(name, way) for name, way in TABLES[table].ways().items() if operation in TABLES[table].by_name[name].operations]


def struct_of(name: str, ways: Iterable[Way], key: str = "") -> type[Struct]:
    """The members that values are looked for in, undecoded; the member `key`, if there is one, is a text."""
    named = first_members(ways)
    members: list[Any] = [("key", str, field(name=key))] if key else []
    members += [
        (f"member_{number}", Wire, field(default=UNSET, name=member)) for number, member in enumerate(named) if member != key
    ]
    return defstruct(name, members)


@cache
def _copies(table: str, struct: type[Struct], at: str) -> tuple[tuple[str, str], ...]:
    """The columns that are copied from a struct, each with its attribute."""
    attributes = attributes_of(struct)
    return tuple((name, attributes[member]) for name, member in _copied(table, at).items() if member in attributes)


@cache
def _conditional(table: str) -> tuple[Column, ...]:
    """The stored columns of a table that may be absent in some rows only, and may be unknown."""
    return tuple(column for column in TABLES[table].stored if column.absent_where and column.can_be_unknown)


def _stored_form(declared: Column, wire: object) -> object:
    """The stored form of a decoded value; ValueError if it has none."""
    if declared.type is Type.TIME:
        if isinstance(wire, str):
            return parse_time(wire)
        if wire is not None and not declared.number:
            raise ValueError("a time that is not text")
        if declared.follows and isinstance(wire, int) and LAST_TIME < wire <= MAX_TIME:
            # An end that no date can name has not passed.
            return LAST_TIME
    if declared.type is Type.DURATION and isinstance(wire, str):
        return parse_duration(wire)
    if declared.type is Type.MAP and isinstance(wire, dict):
        lowered = {name.lower(): value for name, value in wire.items()}
        if len(lowered) != len(wire):
            raise ValueError("two names differ only in case")
        return lowered
    texts = wire if isinstance(wire, list) else (wire,)
    if any(isinstance(text, str) and is_disguised(text) for text in texts):
        raise ValueError("an id that is not normalized")
    return wire
