"""Every declared place of a column, at each member on the way to it: what null means, and that nothing unseen is an answer."""

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import UNSET, Raw, Struct, defstruct, json, structs

from keyaudit.collect.declared import holder_of, item_of
from keyaudit.collect.rows import Row
from keyaudit.collect.wire import CONTRADICTED, Wire, value_at
from keyaudit.collect.x509 import read_certificate
from keyaudit.model.reasons import Reason
from keyaudit.model.schema.columns import Column, Table
from keyaudit.model.schema.wire import At, Case, Combined, InCertificate, Read, Unreadable, Way, first_members, paths, steps
from keyaudit.model.tables import TABLES

UNSEEN = object()
"""Stands for a member that is left out."""


def declared() -> Iterator[tuple[Table, str, At, Case | None, str]]:
    """Every place of a column: with the way that leads there in one case, and the word of that case."""
    for table in TABLES.values():
        for read in table.reads or (None,):
            for column, way in {**table.ways(read), **(read.of_holder if read else {})}.items():
                # The key of an item is there, or the item is quarantined.
                for at, case, word in (each for each in places(way) if not (read and each[0].path == read.key)):
                    yield table, column, at, case, word


def places(way: Way) -> Iterator[tuple[At, Case | None, str]]:
    if isinstance(way, At):
        yield from ((structs.replace(way, path=path, instead=""), None, "") for path in paths(way))
    elif isinstance(way, InCertificate):
        yield At(way.path, str, read_certificate), None, ""
    elif isinstance(way, Combined):
        yield from ((part, None, "") for part in way.parts)
    elif isinstance(way, Case):
        yield from ((inner, way, word) for word, inner in way.values.items() if isinstance(inner, At))


PLACES = [
    pytest.param(*each, level, id=f"{each[0].name}.{each[1]} {each[2].path} {each[4]} at {name}")
    for each in declared()
    for level, (name, _) in enumerate(steps(each[2].path))
]


def filled(table: Table, column: str, way: At | Case, document: dict[str, Any], replaced: Wire | None = None) -> object:
    """The column of a row of this item: a value, or the reason why it is unknown. `replaced`: the first member."""
    members: dict[str, Wire] = {name: Raw(json.encode(value)) for name, value in document.items()}
    if replaced is not None:
        members |= {next(iter(document)): replaced}
    names = {f"member_{number}": name for number, name in enumerate(members)}
    kind: type[Struct] = defstruct("Item", [(each, Any) for each in names], rename=names)
    row = Row(table, id="/x", resource_id="/x", scope_id="/s", url="https://h/p", version="1")
    row.take(column, kind(*members.values()), way)
    return row.unknown.get(column) or row.values.get(column)


def nested(at: At, level: int, value: object) -> dict[str, Any]:
    """An item in which the member at that level of the path has this value."""
    names = [name for name, _ in steps(at.path)][: level + 1]
    found: object = value
    for name in reversed(names):
        found = {} if found is UNSEEN else {name: found}
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(("table", "column", "at", "case", "word", "level"), PLACES)
def test_what_is_not_there_is_an_answer_only_where_its_declaration_says_so(
    table: Table, column: str, at: At, case: Case | None, word: str, level: int
) -> None:
    told: Column = table.by_name[column]
    way = case or at
    last = level == len(steps(at.path)) - 1
    of_case = {steps(case.path)[0][0]: word} if case else {}

    def holds(value: object) -> object:
        return filled(table, column, way, {**nested(at, level, value), **of_case})

    left_out = told.left_out.fixed if last and told.left_out else Reason.BAD_BODY
    if level:
        assert holds(UNSEEN) == left_out
    nullable = steps(at.path)[level][1]
    null = at.none if nullable else None if last and at.via is None and told.absent else Reason.BAD_VALUE
    assert holds(None) == null
    if not (last and at.kind is object):
        assert holds(1.5) == Reason.BAD_VALUE
    if not level:
        document = {**nested(at, level, 1), **of_case}
        assert filled(table, column, way, document, CONTRADICTED) == Reason.INCONSISTENT
        assert filled(table, column, way, document, UNSET) == left_out


@pytest.mark.parametrize(
    "case",
    [pytest.param(way, id=f"{table.name}.{name}") for table in TABLES.values() for read in table.reads or (None,)
     for name, way in table.ways(read).items() if isinstance(way, Case)],
)  # fmt: skip
def test_a_word_that_no_case_has_is_unrecognised(case: Case) -> None:
    kind = defstruct("Item", [("word", Any)], rename={"word": steps(case.path)[0][0]})
    for word, reason in (('"odd"', Reason.UNRECOGNISED), ("null", Reason.BAD_VALUE), ("{}", Reason.BAD_VALUE)):
        with pytest.raises(Unreadable) as raised:
            value_at(kind(Raw(word.encode())), case)
        assert raised.value.reason is reason


@pytest.mark.parametrize("read", [read for table in TABLES.values() for read in table.reads], ids=lambda read: read.operation)
def test_every_column_of_a_read_is_in_its_items_or_is_fixed(read: Read) -> None:
    [table] = [table for table in TABLES.values() if read in table.reads]
    own = ("id", "resource_id", "scope_id", "source_url", "source_version", read.key_column, read.holder_column)
    assert {column.name for column in table.stored} <= {*table.ways(read), *read.fixed, *read.of_holder, *own}
    assert {*first_members(table.ways(read).values())} <= {*item_of(read.operation).__struct_encode_fields__}
    assert {*first_members(read.of_holder.values())} <= {*holder_of(read.operation).__struct_encode_fields__}
