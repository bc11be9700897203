"""Rungs: the conditions for the values of a factor, worst first, as three-valued SQL.

A rung that is NULL may apply, so its value remains possible. The state of the rungs is queried once, for the order of the
findings and for their explanation.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec import Struct

from keyaudit.inventory.dialect import DuckDB
from keyaudit.model.findings import Severity
from keyaudit.model.reasons import Reason

FACT = "fact_"
"""The prefix of columns that are not of the row itself, but of its vault or holder."""


class Rung(Struct, frozen=True):
    """The factor is `value` where `holds`, SQL over a scored row, is true. `because` explains it, with `{columns}`.

    `reads`: the columns that can make it unknown. If all of them are known, the last one is reported, with `reason`.
    """

    value: int
    holds: str
    because: str
    reads: tuple[str, ...]
    reason: Reason = Reason.NOT_VISIBLE


class Ladder(Struct, frozen=True):
    """One factor: rungs from the highest value to the lowest, and its value if none applies."""

    rungs: tuple[Rung, ...]
    value: int
    because: str

    def __post_init__(self) -> None:
        values = [*(rung.value for rung in self.rungs), self.value]
        if values != sorted(values, reverse=True):
            raise ValueError(f"rungs out of order: {values}")

    @property
    def reads(self) -> frozenset[str]:
        """The columns that can make it unknown."""
        return frozenset(column for rung in self.rungs for column in rung.reads)

    def flags(self, sql: DuckDB) -> str:
        """SQL of a list with the state of each rung, in order."""
        return sql.typed(sql.items(*(rung.holds for rung in self.rungs)), "BOOLEAN[]")

    def bounds(self, flags: Sequence[str]) -> tuple[str, str]:
        """SQL of the lower and upper bound of the factor, from the states of the rungs."""
        low, high = (
            " ".join(f"WHEN {flag}{holds} THEN {rung.value}" for flag, rung in zip(flags, self.rungs, strict=True))
            for holds in ("", " IS NOT FALSE")
        )
        return f"CASE {low} ELSE {self.value} END", f"CASE {high} ELSE {self.value} END"


class Override(Struct, frozen=True, kw_only=True):
    """A rule that raises a score's band in rows where `holds` is true: at least to `floor`, or by `steps`."""

    name: str
    holds: str
    because: str
    reads: tuple[str, ...]
    floor: Severity | None = None
    steps: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """Columns of other tables for the rows of a scale."""

    query: Callable[[DuckDB], str]
    """SQL of a dialect over `judged`, the rows with the column `fact_as_of`, that adds columns named `fact_...`; among them
    `fact_unknown`, a map of facts to why they are unknown.
    """
    reads: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By table, the derived columns that it reads; tables of whose stored columns it reads some, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The scale of one table.

    `ages`: SQL of further facts over `facts`. `shown`: those of them, all text, that reasons print.
    """

    blast_radius: Ladder
    exposure: Ladder
    age: Ladder
    overrides: tuple[Override, ...] = ()
    facts: Facts
    ages: Callable[[DuckDB], str]
    shown: tuple[str, ...] = ("fact_days", "fact_limit_days", "fact_times")
    ladders: tuple[Ladder, Ladder, Ladder] = field(init=False)
    """The factors in the order of multiplication."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "ladders", (self.blast_radius, self.exposure, self.age))

    @property
    def reads(self) -> frozenset[str]:
        """The columns of a row and the facts that can make its score unknown: all of those that it rests on."""
        of_rungs = (ladder.reads for ladder in self.ladders)
        return frozenset[str]().union(*of_rungs, *(override.reads for override in self.overrides))


def known(column: str) -> str:
    """SQL: whether a column that may be absent is known; never NULL."""
    return f"unknown['{column}'] IS NULL"


def absent(column: str) -> str:
    """SQL: whether it is absent; NULL if unknown."""
    return f"CASE WHEN {known(column)} THEN {column} IS NULL END"


def present(column: str, holds: str) -> str:
    """SQL: a condition on a column that may be absent: false if absent, NULL if unknown."""
    return f"CASE WHEN {column} IS NOT NULL THEN {holds} WHEN {known(column)} THEN FALSE END"


def more_than(count: str, least: int) -> str:
    """SQL: whether a count with bounds is above a number."""
    return f"CASE WHEN {count}_min > {least} THEN TRUE WHEN {count}_max <= {least} THEN FALSE END"


NONE = Facts(lambda sql: f"SELECT judged.*, {sql.entries({})} AS fact_unknown FROM judged")  # noqa: S608 - no name of others
"""The facts of a scale without columns of other tables."""


def either(*conditions: str) -> str:
    """SQL: whether any of them is true."""
    return " OR ".join(f"({condition})" for condition in conditions)


def every(*conditions: str) -> str:
    """SQL: whether all of them are true."""
    return " AND ".join(f"({condition})" for condition in conditions)
