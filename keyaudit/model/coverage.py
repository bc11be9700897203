"""Coverage: the result of each operation in each scope. A refusal is a value here, never an exception."""

from collections.abc import Collection, Sequence
from enum import StrEnum

from msgspec import Struct

from keyaudit.model.reasons import Reason
from keyaudit.model.values.text import one_line


class ScopeKind(StrEnum):
    """The kind of a scope."""

    TENANT = "tenant"
    SUBSCRIPTION = "subscription"
    VAULT = "vault"
    MANAGED_HSM = "managed-hsm"


class Scope(Struct, frozen=True, order=True):
    """A scope of a read. `id` is a full resource id in lower case (a tenant's: `/tenants/<guid>`); `name` is for people."""

    id: str
    name: str
    kind: ScopeKind


class State(StrEnum):
    """The result of an operation in a scope."""

    ASSESSED = "assessed"
    PARTIAL = "partial"
    NOT_ASSESSED = "not_assessed"


class Refusal(Struct, frozen=True):
    """Why a request returned no usable answer.

    `detail` is Azure's error code with an explanation, at most 200 characters. It contains no token, body or address, and no
    object id except that of an item that could not be read. `status` is 0 where no HTTP answer came.
    """

    reason: Reason
    detail: str = ""
    status: int = 0


SHOWN_BAD = 3
"""The number of quarantined items that are named."""
_LONGEST = 200


def bad_items(quarantined: int, received: int, named: Sequence[str]) -> str:
    """The detail of a refusal for items that could not be read: their number, the total, and some names."""
    more = f" and {quarantined - len(named):,} more" if named and quarantined > len(named) else ""
    return f"{quarantined:,} of {received:,} items{': ' if named else ''}{', '.join(named)}{more}"[:_LONGEST]


def unknown_members(names: Collection[str]) -> str:
    """The detail of a list that was read in full, with members around its items that nobody knows; empty without any."""
    shown = ", ".join(one_line(name, 40) for name in sorted(names)[:SHOWN_BAD])
    return f"unknown member{'' if len(names) == 1 else 's'} of the answer: {shown}"[:_LONGEST] if names else ""


class End(Struct, frozen=True, kw_only=True):
    """The result of reading one list. Received = kept + duplicate + quarantined, always. Without a refusal, every page was
    read.
    """

    received: int = 0
    kept: int = 0
    duplicate: int = 0
    quarantined: int = 0
    bad: tuple[str, ...] = ()
    """The first few quarantined items: the position of each in the list, and its name if it has one; safe for one line."""
    noted: frozenset[str] = frozenset()
    """Members around the items that nobody knows, and that have no effect."""
    refusal: Refusal | None = None

    def coverage(self, scope: Scope, operation: str) -> "Coverage":
        """The coverage record of an operation that consists of this list."""
        refusal = self.refusal
        if refusal is None and self.quarantined:
            refusal = Refusal(Reason.BAD_ITEM, bad_items(self.quarantined, self.received, self.bad))
        state = State.ASSESSED if refusal is None else State.PARTIAL if self.kept else State.NOT_ASSESSED
        return Coverage(
            scope=scope,
            operation=operation,
            state=state,
            reason=refusal.reason if refusal else None,
            detail=refusal.detail if refusal else unknown_members(self.noted),
            received=self.received,
            kept=self.kept,
            duplicate=self.duplicate,
            quarantined=self.quarantined,
        )


class Coverage(Struct, frozen=True, kw_only=True):
    """The result of one operation in one scope. Received = kept + duplicate + quarantined, always."""

    scope: Scope
    operation: str
    state: State
    reason: Reason | None = None
    detail: str = ""
    """More on the reason; where everything was read, what was odd about it."""
    received: int = 0
    kept: int = 0
    duplicate: int = 0
    quarantined: int = 0
    refused: int = 0
    """For an operation sent once per object: the number of objects for which it was refused."""

    def __post_init__(self) -> None:
        if self.received != self.kept + self.duplicate + self.quarantined:
            raise ValueError(f"{self.operation} on {self.scope.id}: items do not add up")
        if (self.state is State.ASSESSED) != (self.reason is None):
            raise ValueError(f"{self.operation} on {self.scope.id}: {self.state} with reason {self.reason}")
        if self.state is State.ASSESSED and (self.quarantined or self.refused):
            raise ValueError(f"{self.operation} on {self.scope.id}: assessed, although part of it was not read")
