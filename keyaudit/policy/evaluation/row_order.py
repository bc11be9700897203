"""Queries for the rows of findings in display order, by slices, or the worst few."""

# ruff: noqa: S608 - a query is made of declared names and of literals, each quoted by the dialect

from collections.abc import Mapping, Sequence

from msgspec import Struct

from keyaudit.inventory.dialect import DUCKDB, DuckDB
from keyaudit.inventory.owners import owning
from keyaudit.inventory.rows import view_types
from keyaudit.model.rows import view_names
from keyaudit.model.schema.columns import Table
from keyaudit.model.severity import Opens, Severity, Weakness
from keyaudit.model.tables import TABLES
from keyaudit.policy.conditions.sql import UNKNOWN, blanked
from keyaudit.policy.evaluation import verdict
from keyaudit.policy.evaluation.binding import Bound
from keyaudit.policy.evaluation.queries import (
    OPENED,
    REASONS,
    Numbered,
    can_blank,
    opens_columns,
    part_columns,
    prefix,
    rung_columns,
    writer_of,
)

_PLACE = ("urgency", "label", "thing")
BEFORE = len(_PLACE)
"""The number of columns of `in_order` and `worst_rows` before those of the table."""
_ORDER = "urgency DESC, label, thing NULLS LAST"
_OWNERS = "owner_names"


class Evaluated(Struct, frozen=True, kw_only=True):
    """The verdicts on the rows of one table."""

    relation: str
    """The rows with their verdicts."""
    table: Table
    """With the columns of its view."""
    bounds: Sequence[Bound]
    as_of: int
    lacking: tuple[str, ...]
    """The columns whose evidence was not supplied."""
    explained: bool
    """Whether its findings have evidence, limits and fixes; otherwise `table` may lack the columns for these."""
    small: bool
    """Whether it is known to fit one slice."""
    sql: DuckDB = DUCKDB
    """The dialect of `relation`."""

    @property
    def thing(self) -> str:
        """The grouping key: all rows of a resource."""
        return self.sql.name(self.table.subject)

    @property
    def types(self) -> dict[str, str]:
        """The types of lists, maps and truths in the columns of `in_order` and the like, by name."""
        numbered = dict(enumerate(self.bounds))
        stored = view_types(TABLES[self.table.name])
        types = {name: type_ for name, type_ in stored.items() if type_ not in {"VARCHAR", "BIGINT"}}
        truths = dict.fromkeys((*rung_columns(numbered), *opens_columns(self.bounds)), "BOOLEAN")
        return types | truths | {REASONS: "MAP(VARCHAR, VARCHAR)", _OWNERS: "VARCHAR[]"}

    def kept(self, least: int) -> str:
        """The condition of rows with a verdict of at least `least`."""
        return " OR ".join(f"code{number} >= {least}" for number in range(len(self.bounds)))


def urgency(number: int, bound: Bound) -> str:
    """SQL of the place of a failure or unknown result in the order of findings, the most urgent with the highest number: by
    severity, by weakness, and by what the row opens.
    """
    trees = bound.policy.trees
    foremost = verdict.foremost(trees, prefix(number))
    opened = OPENED if trees.opens else "0"
    return f"({verdict.rank_in(f'code{number}')} * {_WEAKNESSES} + {_WEAKNESSES - 1} - {foremost}) * {_OPENS} + {opened}"


_WEAKNESSES, _OPENS = len(Weakness) + 1, len(Opens)


def _most_urgent(numbered: Numbered, held: str) -> str:
    """SQL of the highest urgency of a row's results for which `held` is true, with the code in place of {}; -1: none."""
    each = (
        f"CASE WHEN {held.format(f'code{number}')} THEN {urgency(number, bound)} ELSE -1 END"
        for number, bound in numbered.items()
    )
    return f"greatest({', '.join(each)}, -1)"


def _places(evaluated: Evaluated, least: int) -> str:
    worst = _most_urgent(dict(enumerate(evaluated.bounds)), f"{{}} >= {verdict.FAIL}")
    return (
        f"SELECT max({worst}) AS urgency, min(coalesce(name, '')) AS label,"
        f" {evaluated.thing} AS thing, count(*) AS held"
        f" FROM {evaluated.relation} WHERE {evaluated.kept(least)} GROUP BY thing"
    )


def slices(evaluated: Evaluated, *, least: int, size: int) -> str:
    """The query of the temporary relation `places`: resources with rows whose most severe verdict is at least `least`.

    It has the urgency of the most urgent result (-1: only passes), a name, the id, and the slice number. Slices are in the
    order of the findings, with about `size` rows each.
    """
    before = f"sum(held) OVER (ORDER BY {_ORDER} ROWS UNBOUNDED PRECEDING) - held"
    found = _places(evaluated, least)
    return f"SELECT *, CAST(({before}) // {size} AS BIGINT) AS slice FROM ({found})"


def count_slices(places: str) -> str:
    """The number of slices."""
    return f"SELECT coalesce(max(slice), -1) + 1 FROM {places}"


def with_arms(evaluated: Evaluated, numbered: Numbered) -> str:
    """Its relation with `arm0`, ... for policies with `message_when`: the number of the message.

    It is the first arm whose condition is certainly true, or the number of arms for `message`.
    """
    telling = {number: bound for number, bound in numbered.items() if bound.policy.message_when}
    arms = {f"arm{number}": arm_of(evaluated, number) for number in telling}
    return _with(evaluated, arms, [name for bound in telling.values() for name in bound.policy.columns_of_arms])


def _with(evaluated: Evaluated, columns: Mapping[str, str], read: Sequence[str]) -> str:
    """Its relation with additional columns, SQL by name over rows whose unknown values of the columns `read` are NULL."""
    if not columns:
        return evaluated.relation
    table = TABLES[evaluated.table.name]
    source = blanked(evaluated.sql, evaluated.relation, dict.fromkeys(name for name in read if can_blank(table, name)))
    return f"(SELECT *, {', '.join(f'{value} AS {name}' for name, value in columns.items())} FROM ({source}))"


def arm_of(evaluated: Evaluated, number: int) -> str:
    """SQL: the number of a policy's message for a row whose unknown values are NULL. `number`: as in `codeN`."""
    bound = evaluated.bounds[number]
    arms, writer = bound.policy.message_when, writer_of(number, bound, evaluated.as_of, sql=evaluated.sql)
    cases = " ".join(f"WHEN {writer.write(arm.condition.tree)} THEN {index}" for index, arm in enumerate(arms))
    return f"CASE {cases} ELSE {len(arms)} END" if arms else "0"


def in_order(evaluated: Evaluated, number: int | None, *, least: int, owned: bool, places: str = "places") -> str:
    """The rows of the slice `number` of `places` in order; without one, all rows, and `places` is not read.

    Columns: the resource's urgency, name and id; the table's stored columns; the verdicts; those for controls; the states of
    the conditions of weaknesses; the classes of policies with classes; the message numbers of policies with several; the states
    of the conditions of what the row opens; the unknown map; the reasons; with `owned` the owners of the row, their source, and
    why they are unknown, as in `owners.Owning`.
    """
    numbered = dict(enumerate(evaluated.bounds))
    relation = with_arms(evaluated, numbered)
    of_slice = f"({_places(evaluated, least)})" if number is None else f"(SELECT * FROM {places} WHERE slice = {number})"
    found = f"{relation} JOIN {of_slice} ON {evaluated.thing} = thing WHERE {evaluated.kept(least)}"
    return f"{_rows(evaluated, numbered, found, owned=owned)} ORDER BY {_ORDER}"


def rows_with_ids(evaluated: Evaluated, numbered: Numbered, *, count: int) -> str:
    """The rows with these `count` ids, the query's parameters, with their owners. Columns as in `in_order`, for these policies
    only.
    """
    relation = with_arms(evaluated, numbered)
    place = "0 AS urgency, coalesce(name, '') AS label, id AS thing"
    found = f"(SELECT *, {place} FROM {relation}) WHERE id IN ({', '.join('?' * count)})"
    return _rows(evaluated, numbered, found, owned=True)


def _rows(evaluated: Evaluated, numbered: Numbered, found: str, *, owned: bool) -> str:
    """The columns of `in_order` for these policies, of a relation that has `_PLACE`, too."""
    names = [evaluated.sql.name(name) for name in view_names(evaluated.table)]
    columns = [*_PLACE, *names, *_judged(numbered), UNKNOWN, REASONS]
    if not owned:
        return f"SELECT {', '.join(columns)} FROM {found}"
    own = owning(TABLES[evaluated.table.name], evaluated.sql)
    needed = dict.fromkeys([*columns, *(evaluated.sql.name(name) for name in own.reads)])
    return (
        f"SELECT {', '.join(f'it.{name}' for name in columns)}, {own.names} AS {_OWNERS}, {own.source}, {own.doubt}"
        f" FROM (SELECT {', '.join(needed)} FROM {found}) AS it {own.joins}"
    )


def _judged(numbered: Numbered) -> list[str]:
    """The result columns of the policies, as in `in_order`."""
    return [
        *(f"code{index}" for index in numbered),
        *part_columns(numbered),
        *rung_columns(numbered),
        *(f"class{index}" for index, bound in numbered.items() if bound.classes),
        *(f"arm{index}" for index, bound in numbered.items() if bound.policy.message_when),
        *opens_columns([*numbered.values()]),
    ]


def worst_ids(evaluated: Evaluated, numbered: Numbered, *, least: Severity, known: bool, most: int) -> str:
    """The ids of the `most` rows with the worst failing findings of severity `least` or above, among these policies.

    With `known`, also findings in the baseline.
    """
    shown = f"id, urgency, coalesce(name, '') AS label, {evaluated.sql.name(evaluated.table.subject)} AS thing"
    found = _failing(evaluated.relation, numbered, least=least, known=known)
    return f"SELECT id FROM (SELECT {shown} FROM {found} ORDER BY urgency DESC, label, thing NULLS LAST, id LIMIT {most})"


def worst_rows(evaluated: Evaluated, numbered: Numbered, *, least: Severity, known: bool, count: int) -> str:
    """The rows of these with `count` ids, the query's parameters, in order. Columns as in `in_order`, for these policies only.

    DuckDB reads only the row groups with these ids if it knows them when it plans, as parameters and not as a list.
    """
    names = ", ".join(evaluated.sql.name(name) for name in view_names(evaluated.table))
    armed = with_arms(evaluated, numbered)
    found = _failing(armed, numbered, least=least, known=known)
    shown = f"coalesce(name, '') AS label, {evaluated.sql.name(evaluated.table.subject)} AS thing"
    return (
        f"SELECT urgency, {shown}, {names}, {', '.join(_judged(numbered))}, {UNKNOWN}, {REASONS}"
        f" FROM {found} AND id IN ({', '.join('?' * count)}) ORDER BY urgency DESC, label, thing NULLS LAST, id"
    )


def _failing(relation: str, numbered: Numbered, *, least: Severity, known: bool) -> str:
    """The rows of a relation with a failing finding of severity `least` or above, with the `urgency` of the most urgent one."""
    below = verdict.UNKNOWN_VIOLATION if known else verdict.KNOWN
    held = f"{{0}} >= {verdict.FAIL} AND {{0}} < {below} AND {verdict.rank_in('{0}')} >= {least.rank}"
    return f"(SELECT *, {_most_urgent(numbered, held)} AS urgency FROM {relation}) WHERE urgency >= 0"
