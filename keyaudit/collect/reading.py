"""The inputs and the interface of collectors."""

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from msgspec import Struct

from keyaudit.cloud.connection import Connection
from keyaudit.collect.concurrency import Spare
from keyaudit.collect.evidence import Evidence
from keyaudit.collect.places import Subscription, Vault
from keyaudit.collect.queries import Graph
from keyaudit.collect.scope_filters import Confines
from keyaudit.inventory.earlier_snapshot import Earlier
from keyaudit.inventory.spool import Spool, Unit
from keyaudit.model.coverage import Coverage, Scope
from keyaudit.model.reasons import Reason

P = TypeVar("P")


class Seen(Protocol):
    """Receives the number of objects so far, and the total if it is known."""

    def __call__(self, done: int, total: int | None = None) -> None:
        """`done` of `total`."""
        ...


class Expect(Protocol):
    """Receives the numbers of requests that an operation will send, as soon as they are known."""

    def __call__(self, operation: str, requests: Mapping[str, int]) -> None:
        """`requests`: by the id of the subscription or the host of the vault, if Azure limits those of each; else
        of the tenant, under an empty text."""
        ...


def unexpected(operation: str, requests: Mapping[str, int]) -> None:
    """For what forecasts nothing."""


class Places(Struct, frozen=True):
    """The places that a run found, in order of id."""

    subscriptions: Sequence[Subscription] = ()
    """Subscriptions of the audited tenant only."""
    vaults: Sequence[Vault] = ()
    hsms: Sequence[Vault] = ()
    """Managed HSMs."""


class Reading(Struct, frozen=True):
    """The inputs of a collector."""

    connection: Connection
    tenant: Scope
    found: Places
    spool: Spool
    """The spool; `spool.lines(table)` has the rows of closed units."""
    at_once: int
    """The number of objects of one place that may be read concurrently in any case."""
    spare: Spare
    """Room for more objects at once, which all places share."""
    evidence: Evidence
    """The supplied evidence."""
    seen: Seen
    """Receives the progress in a place that is read as a whole."""
    confines: Confines
    """The filters of the run."""
    graph: Graph
    """Asks Resource Graph."""
    earlier: Earlier | None = None
    """An earlier run of the tenant; objects that certainly have not changed since are not read again."""
    expect: Expect = unexpected
    """Receives the requests that are still to be sent."""
    time_left: Callable[[], float] = lambda: math.inf
    """The seconds that the run still has for what may wait for the next one."""

    def missing(self, operation: str) -> Reason | None:
        """Why an operation on the tenant, of a closed unit, is incomplete; None if it is complete."""
        found = {record.operation: record.reason for record in self.spool.coverage() if record.scope == self.tenant}
        return found.get(operation, Reason.PARENT_NOT_ASSESSED)


Collector = Callable[[Reading, Unit, P], Awaitable[Sequence[Coverage]]]
"""Writes the rows of one place to its unit. Returns the coverage of every operation of its surface, and of others it used."""
