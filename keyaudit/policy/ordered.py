"""Queries for the rows of findings in display order, by slices, or the worst few."""

# ruff: noqa: S608 - a query is made of declared names and of literals, each quoted by the dialect

from collections.abc import Sequence

from keyaudit.model.columns import Table
from keyaudit.model.findings import Severity
from keyaudit.model.rows import view_names
from keyaudit.policy import verdict
from keyaudit.policy.bind import Bound
from keyaudit.policy.queries import DIALECT, REASONS, Numbered, Scoring, can_blank, part_columns, rung_columns, writer_of
from keyaudit.policy.sql import UNKNOWN, blanked

_ORDER = "high DESC, low DESC, top_severity DESC, label, thing"


def _places(relation: str, table: Table, bounds: Sequence[Bound], least: int, scoring: Scoring) -> str:
    ranks = ", ".join(
        f"CASE WHEN code{number} >= {verdict.FAIL} THEN CAST(code{number} % 5 AS INTEGER) ELSE -1 END"
        for number in range(len(bounds))
    )
    high, low = ("max(score_high)", "max(score_low)") if scoring is Scoring.ORDER else ("0", "0")
    return (
        f"SELECT {high} AS high, {low} AS low, max(greatest({ranks}, -1)) AS top_severity, min(coalesce(name, '')) AS label,"
        f" {_thing(table, scoring)} AS thing, count(*) AS held"
        f" FROM {relation} WHERE {_kept(bounds, least)} GROUP BY thing"
    )


def _thing(table: Table, scoring: Scoring) -> str:
    """The grouping key: all rows of a resource, or single rows when ordered by score."""
    return DIALECT.name("id" if scoring is Scoring.ORDER else table.subject)


def slices(relation: str, table: Table, bounds: Sequence[Bound], *, least: int, size: int, scoring: Scoring) -> str:
    """Creates the temporary table `places`: resources with rows whose most severe verdict is at least `least`.

    `relation` is the result of `with_scores` for this scoring.

    It has the bounds of the score (0 if that is not the order), the rank of the most severe verdict (-1: only passes), a name,
    the id, and the slice number. Slices are in the order of the findings, with about `size` rows each.
    """
    before = f"sum(held) OVER (ORDER BY {_ORDER} ROWS UNBOUNDED PRECEDING) - held"
    found = _places(relation, table, bounds, least, scoring)
    return f"CREATE TEMP TABLE places AS SELECT *, CAST(({before}) // {size} AS BIGINT) AS slice FROM ({found})"


def count_slices() -> str:
    """The number of slices."""
    return "SELECT coalesce(max(slice), -1) + 1 FROM places"


def with_arms(relation: str, numbered: Numbered, as_of: int) -> str:
    """The relation with `arm0`, ... for policies with `message_when`: the number of the message.

    It is the first arm whose condition is certainly true, or the number of arms for `message`.
    """
    telling = [(number, bound) for number, bound in numbered.items() if bound.policy.message_when]
    if not telling:
        return relation
    table = telling[0][1].policy.table
    read = dict.fromkeys(name for _, bound in telling for name in bound.policy.columns_of_arms)
    source = blanked(DIALECT, relation, (name for name in read if can_blank(table, name)))
    columns: list[str] = []
    for number, bound in telling:
        writer = writer_of(number, bound, as_of)
        arms = bound.policy.message_when
        cases = " ".join(f"WHEN {writer.write(arm.condition.tree)} THEN {index}" for index, arm in enumerate(arms))
        columns.append(f"CASE {cases} ELSE {len(arms)} END AS arm{number}")
    return f"(SELECT *, {', '.join(columns)} FROM ({source}))"


def in_order(
    relation: str, table: Table, bounds: Sequence[Bound], *, number: int | None, least: int, scoring: Scoring, as_of: int
) -> str:
    """The rows of the slice `number` of `places` in order; without one, all rows, and `places` is not read.

    Columns: the resource's score, rank, name and id; the table's stored columns; the verdicts; those for controls; the states
    of severity rungs; the classes of policies with classes; the message numbers of policies with several; the explanation of
    the score; the unknown map; the reasons.
    """
    names = ", ".join(DIALECT.name(name) for name in view_names(table))
    numbered = dict(enumerate(bounds))
    found = _judged(numbered)
    places = f"({_places(relation, table, bounds, least, scoring)})"
    if number is not None:
        places = f"(FROM places WHERE slice = {number})"
    return (
        f"SELECT high, low, top_severity, label, thing, {names}, {', '.join(found)}, score, {UNKNOWN}, {REASONS}"
        f" FROM {with_arms(relation, numbered, as_of)} JOIN {places} ON {_thing(table, scoring)} = thing"
        f" WHERE {_kept(bounds, least)} ORDER BY {_ORDER}"
    )


def _judged(numbered: Numbered) -> list[str]:
    """The result columns of the policies, as in `in_order`."""
    return [
        *(f"code{index}" for index in numbered),
        *part_columns(numbered),
        *rung_columns(numbered),
        *(f"class{index}" for index, bound in numbered.items() if bound.classes),
        *(f"arm{index}" for index, bound in numbered.items() if bound.policy.message_when),
    ]


def worst_rows(relation: str, table: Table, numbered: Numbered, *, least: Severity, known: bool, most: int, as_of: int) -> str:
    """The `most` rows with the worst failing findings of severity `least` or above; with `known`, also those in the baseline.

    Columns as in `in_order`, for these policies only, over a relation without scores.
    """
    below = verdict.UNKNOWN_VIOLATION if known else verdict.KNOWN
    codes = [f"code{number}" for number in numbered]
    fails = f"{{0}} >= {verdict.FAIL} AND {{0}} < {below}"
    ranks = ", ".join(f"CASE WHEN {fails.format(code)} THEN CAST({code} % 5 AS INTEGER) ELSE -1 END" for code in codes)
    names = ", ".join(DIALECT.name(name) for name in view_names(table))
    found = _judged(numbered)
    relation = f"(SELECT *, greatest({ranks}, -1) AS top_severity FROM {with_arms(relation, numbered, as_of)})"
    shown = f"coalesce(name, '') AS label, {_thing(table, Scoring.NONE)} AS thing"
    return (
        f"SELECT 0, 0, top_severity, {shown}, {names}, {', '.join(found)}, NULL, {UNKNOWN}, {REASONS}"
        f" FROM {relation} WHERE top_severity >= {least.rank} ORDER BY top_severity DESC, label, thing, id LIMIT {most}"
    )


def _kept(bounds: Sequence[Bound], least: int) -> str:
    return " OR ".join(f"code{number} >= {least}" for number in range(len(bounds)))
