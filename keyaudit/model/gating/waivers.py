"""Waivers: exceptions with an owner, an approver and an end date."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from msgspec import Struct

from keyaudit.model.coverage import Scope
from keyaudit.model.reasons import Reason
from keyaudit.model.values.times import DAY, iso_date


@dataclass(frozen=True, slots=True)
class Glob:
    """A pattern over ids, ignoring case: `*` matches any text, `?` any one character."""

    text: str
    _expression: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts = {"*": ".*", "?": "."}
        pattern = "".join(parts.get(character, re.escape(character)) for character in self.text.lower())
        object.__setattr__(self, "_expression", re.compile(pattern, re.DOTALL))

    def matches(self, text: str) -> bool:
        """Whether it matches the whole of `text`."""
        return self._expression.fullmatch(text.lower()) is not None


class Waiver(Struct, frozen=True, kw_only=True):
    """One waiver of a file. Times are seconds since 1970 UTC."""

    id: str
    policy: Glob
    """Matches ids of policies."""
    resource: Glob
    """Matches full ids of resources, or of scopes for a waiver that covers coverage. Never names, which others may choose."""
    reason: str
    owner: str
    approved_by: str
    ends: int
    """The first second after its last valid day."""
    created: int | None = None
    ticket: str = ""
    compensating_control: str = ""
    covers_coverage: bool = False
    """Whether it accepts gaps instead of findings."""
    allow_critical: bool = False
    place: str = ""
    """`file:line`, for messages."""

    @property
    def last_day(self) -> str:
        """The last valid day: "2027-01-31"."""
        return iso_date(self.ends - DAY)

    @property
    def by_name(self) -> bool:
        """Whether its resource is neither a pattern nor a full id, so that it can match nothing but an unusual id."""
        return not any(mark in self.resource.text for mark in "*?") and not self.resource.text.startswith(("/", "https://"))

    def expired(self, as_of: int) -> bool:
        """Whether it has expired."""
        return as_of >= self.ends

    def waives(self, policy: str, row: str, subject: str, *, critical: bool) -> bool:
        """Whether it covers a finding about this row or subject, ignoring its end date."""
        if self.covers_coverage or (critical and not self.allow_critical):
            return False
        return self.policy.matches(policy) and (self.resource.matches(row) or self.resource.matches(subject))

    def matches(self, scopes: Sequence[Scope], operations: Collection[str], reason: Reason, policy: str | None) -> bool:
        """Whether it accepts a gap of `policy` in these scopes, for any operation and reason; the interface of --allow-gap."""
        del operations, reason
        named = self.policy.matches(policy) if policy is not None else self.policy.text == "*"
        return named and any(self.resource.matches(scope.id) for scope in scopes)

    def __str__(self) -> str:
        return f"waiver {self.id}"


class State(StrEnum):
    """The state of a waiver in a run."""

    ACTIVE = "active"
    EXPIRED = "expired"
    UNUSED = "unused"
    """It has not expired, and covers nothing."""


class Use(Struct, frozen=True):
    """A waiver in one run. `count`: the number of findings, or of unknown results and gaps, that it covered."""

    waiver: Waiver
    state: State
    count: int = 0
