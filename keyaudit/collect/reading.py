"""What every collector reads with, and how it is called."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from keyaudit.cloud.connection import Connection
from keyaudit.collect.confines import Confines
from keyaudit.collect.evidence import Evidence
from keyaudit.collect.places import Subscription, Vault
from keyaudit.inventory.earlier import Earlier
from keyaudit.inventory.spool import Spool, Unit
from keyaudit.model.coverage import Coverage, Scope
from keyaudit.model.reasons import Reason

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Found:
    """The places that a run found, in order of id, before it reads what is in them."""

    subscriptions: Sequence[Subscription] = ()
    """Of the audited tenant alone."""
    vaults: Sequence[Vault] = ()
    hsms: Sequence[Vault] = ()
    """Managed HSMs."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a collector reads with."""

    connection: Connection
    tenant: Scope
    found: Found
    spool: Spool
    """What units that are closed by now have read: `spool.lines(table)`."""
    at_once: int
    """How many objects of one place may be read at the same time."""
    evidence: Evidence
    """What files say that Azure's read APIs do not hold."""
    seen: Callable[[int], None]
    """Is told how many objects were seen so far, where nobody knows how many there are."""
    confines: Confines
    """What the run's filters leave."""
    earlier: Earlier | None = None
    """An earlier run of the tenant, of which what surely did not change is not read again."""

    def missing(self, operation: str) -> Reason | None:
        """Why an operation on the tenant, of a unit that is closed by now, was not read through; None: it was."""
        found = {record.operation: record.reason for record in self.spool.coverage() if record.scope == self.tenant}
        return found.get(operation, Reason.PARENT_NOT_ASSESSED)


Collector = Callable[[Reading, Unit, P], Awaitable[Sequence[Coverage]]]
"""Writes the rows of one place to its unit. Gives the coverage of every operation of its surface, and of others it used."""
