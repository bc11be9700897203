"""Waivers: exceptions that somebody owns, somebody approved, and that end by themselves."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from keyaudit.model.coverage import Scope
from keyaudit.model.reasons import Reason
from keyaudit.model.times import DAY, iso_date


@dataclass(frozen=True, slots=True)
class Glob:
    """A pattern over ids, case aside: `*` stands for any text, `?` for any one character, all else for itself."""

    text: str
    _expression: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts = {"*": ".*", "?": "."}
        pattern = "".join(parts.get(character, re.escape(character)) for character in self.text.lower())
        object.__setattr__(self, "_expression", re.compile(pattern, re.DOTALL))

    def matches(self, text: str) -> bool:
        """Whether it matches the whole of `text`."""
        return self._expression.fullmatch(text.lower()) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """One exception as its file states it. Times are seconds since 1970 UTC."""

    id: str
    policy: Glob
    """Over ids of policies."""
    resource: Glob
    """Over ids of what a finding is about; for one that covers coverage, over ids and names of scopes."""
    reason: str
    owner: str
    approved_by: str
    ends: int
    """The first second after its last valid day."""
    created: int | None = None
    ticket: str = ""
    compensating_control: str = ""
    covers_coverage: bool = False
    """It accepts what was not read, and no finding."""
    allow_critical: bool = False
    place: str = ""
    """`file:line`, for messages."""

    @property
    def last_day(self) -> str:
        """The last day on which it holds: "2027-01-31"."""
        return iso_date(self.ends - DAY)

    def expired(self, as_of: int) -> bool:
        """Whether it has ended."""
        return as_of >= self.ends

    def waives(self, policy: str, row: str, subject: str, *, critical: bool) -> bool:
        """Whether it covers a policy's finding about a row or what that row is of. Whether it has expired is not asked."""
        if self.covers_coverage or (critical and not self.allow_critical):
            return False
        return self.policy.matches(policy) and (self.resource.matches(row) or self.resource.matches(subject))

    def matches(self, scopes: Sequence[Scope], operations: Collection[str], reason: Reason, policy: str | None) -> bool:
        """Whether it accepts what `policy` misses there, whatever operation or reason; as an --allow-gap does."""
        del operations, reason
        named = self.policy.matches(policy) if policy is not None else self.policy.text == "*"
        return named and any(self.resource.matches(name) for scope in scopes for name in (scope.id, scope.name))

    def __str__(self) -> str:
        return f"waiver {self.id}"


class State(StrEnum):
    """What has become of a waiver in a run."""

    ACTIVE = "active"
    EXPIRED = "expired"
    UNUSED = "unused"
    """It has not expired, and there is nothing that it covers."""


@dataclass(frozen=True, slots=True)
class Use:
    """A waiver in one run. `count`: the findings, or unknown results and gaps, that it covered."""

    waiver: Waiver
    state: State
    count: int = 0
