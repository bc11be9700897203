"""Literal rows in a query, such as those of a policy's examples, and their verdicts."""

# ruff: noqa: S608 - a query is made of declared names and of literals, each quoted by the dialect

from collections.abc import Mapping, Sequence

from keyaudit.inventory.rows import view_types
from keyaudit.model.results.findings import Value
from keyaudit.model.rows import view_name
from keyaudit.model.schema.columns import Table
from keyaudit.policy.conditions.parameters import Value as Settled
from keyaudit.policy.conditions.sql import UNKNOWN, Writer, blanked
from keyaudit.policy.definition import Trees
from keyaudit.policy.evaluation import verdict
from keyaudit.policy.evaluation.queries import DIALECT, can_blank


def verdicts(
    table: Table,
    forms: Sequence[tuple[Trees, Mapping[str, Settled]]],
    rows: Sequence[tuple[Mapping[str, Value], Mapping[str, str]]],
    as_of: int,
) -> str:
    """Of each of `forms` (conditions, values of parameters) on each row (columns, unknown), in the rows' order: the verdict, as
    of a row that opens little, and the place of its foremost weakness.
    """
    flags: list[str] = []
    codes: list[str] = []
    levels: dict[str, str] = {}
    for number, (trees, settled) in enumerate(forms):
        judged = verdict.verdict(trees, Writer(DIALECT, settled, as_of), f"form{number}_")
        flags += [f"{sql} AS {name}" for name, sql in judged.flags.items()]
        levels |= verdict.levels(trees.weaknesses, {}, certain=True)
        codes += [judged.code, verdict.foremost(trees, f"form{number}_")]
    flags += [f"{sql} AS {name}" for name, sql in levels.items()]
    names = sorted({name for values, _ in rows for name in values})
    source = blanked(DIALECT, written_out(table, rows), (name for name in names if can_blank(table, name)))
    return f"SELECT {', '.join(codes)} FROM (SELECT position, {', '.join(flags)} FROM ({source})) ORDER BY position"


def written_out(table: Table, rows: Sequence[tuple[Mapping[str, Value], Mapping[str, str]]]) -> str:
    """A relation of these rows (columns, unknown), each with its `position`. Each row has the same columns."""
    names = sorted({name for values, _ in rows for name in values})
    literals = [
        ", ".join([str(number), DIALECT.entries(unknown), *_literals(table, names, values)])
        for number, (values, unknown) in enumerate(rows)
    ]
    stored = [stored for name in names for stored in view_name(table.by_name[name])]
    columns = ", ".join(DIALECT.name(name) for name in ("position", UNKNOWN, *stored))
    return f"(VALUES {', '.join(f'({row})' for row in literals)}) AS row({columns})"


def _literals(table: Table, names: Sequence[str], values: Mapping[str, Value]) -> list[str]:
    types = view_types(table)
    found: list[str] = []
    for name in names:
        value, stored = values.get(name), view_name(table.by_name[name])
        if len(stored) == 1:
            found.append(DIALECT.typed(_literal(value), types[name]))
        else:
            bounds = value if isinstance(value, tuple) else (None, None)
            found += [DIALECT.typed(_literal(bound), types[bounded]) for bounded, bound in zip(stored, bounds, strict=True)]
    return found


def _literal(value: Value) -> str:
    match value:
        case None:
            return "NULL"
        case str():
            return DIALECT.text(value)
        case list():
            return DIALECT.texts(value)
        case dict():
            return DIALECT.entries(value)
        case _:
            return str(value)
