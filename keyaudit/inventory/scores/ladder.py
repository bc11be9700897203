"""Rungs: what makes a factor of a score as high as it is, worst first, as SQL that is three-valued like every condition.

A rung that is NULL may hold, and so keeps its value in play. Which rungs hold is asked of the database once, for the order of
the findings and for their explanation alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from keyaudit.model.findings import Severity
from keyaudit.model.reasons import Reason

FACT = "fact_"
"""What the name of a column begins with that is not of the row itself, but of its vault or holder."""


@dataclass(frozen=True, slots=True)
class Rung:
    """The factor is `value` where `holds`, SQL over a scored row, is true. `because` says so, with `{columns}`.

    `reads`: the columns that can leave it open. Where all of them were read, it is the last that does not tell, for `reason`.
    """

    value: int
    holds: str
    because: str
    reads: tuple[str, ...]
    reason: Reason = Reason.NOT_VISIBLE


@dataclass(frozen=True, slots=True)
class Ladder:
    """One factor: rungs from the highest value to the lowest, and what it is where none holds."""

    rungs: tuple[Rung, ...]
    value: int
    because: str

    def __post_init__(self) -> None:
        values = [*(rung.value for rung in self.rungs), self.value]
        if values != sorted(values, reverse=True):
            raise ValueError(f"rungs out of order: {values}")

    @property
    def flags(self) -> str:
        """SQL of a list: whether each rung holds, in their order."""
        return f"CAST([{', '.join(rung.holds for rung in self.rungs)}] AS BOOLEAN[])"

    def bounds(self, flags: Sequence[str]) -> tuple[str, str]:
        """SQL of the least and the most that the factor can be, over SQL of whether each rung holds."""
        low, high = (
            " ".join(f"WHEN {flag}{holds} THEN {rung.value}" for flag, rung in zip(flags, self.rungs, strict=True))
            for holds in ("", " IS NOT FALSE")
        )
        return f"CASE {low} ELSE {self.value} END", f"CASE {high} ELSE {self.value} END"


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A rule that raises a score's band in rows where `holds`: at least to `floor`, or by `steps`."""

    name: str
    holds: str
    because: str
    reads: tuple[str, ...]
    floor: Severity | None = None
    steps: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How the rows of one table are scored.

    `facts`: SQL over `judged`, the rows with the column `fact_as_of`, that adds columns of other tables named `fact_...`; among
    them `fact_unknown`, a map of facts to why they are unknown. `ages`: SQL of further ones over that. `shown`: those of them,
    all text, that reasons print.
    """

    blast_radius: Ladder
    exposure: Ladder
    age: Ladder
    overrides: tuple[Override, ...] = ()
    facts: str
    ages: str
    shown: tuple[str, ...] = ("fact_days", "fact_limit_days", "fact_times")
    ladders: tuple[Ladder, Ladder, Ladder] = field(init=False)
    """In the order in which they are multiplied."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "ladders", (self.blast_radius, self.exposure, self.age))


def known(column: str) -> str:
    """Whether a column that may be absent is known; never NULL."""
    return f"unknown['{column}'] IS NULL"


def absent(column: str) -> str:
    """Whether it is absent; NULL where it is unknown."""
    return f"CASE WHEN {known(column)} THEN {column} IS NULL END"


def present(column: str, holds: str) -> str:
    """Whether something holds of a column that may be absent: false where it is, NULL where it is unknown."""
    return f"CASE WHEN {column} IS NOT NULL THEN {holds} WHEN {known(column)} THEN FALSE END"


def more_than(count: str, least: int) -> str:
    """Whether a count, which has bounds, is above a number."""
    return f"CASE WHEN {count}_min > {least} THEN TRUE WHEN {count}_max <= {least} THEN FALSE END"


def reasons(columns: Mapping[str, str]) -> str:
    """A map of names to why they are unknown, out of SQL that is NULL where one is not."""
    entries = ", ".join(f"{{'key': '{name}', 'value': {why}}}" for name, why in columns.items())
    return f"map_from_entries(list_filter([{entries}], lambda entry: entry.value IS NOT NULL))"


def either(*conditions: str) -> str:
    """Whether any of them holds."""
    return " OR ".join(f"({condition})" for condition in conditions)


def every(*conditions: str) -> str:
    """Whether all of them hold."""
    return " AND ".join(f"({condition})" for condition in conditions)
