"""Foretells how long requests take that Azure limits, as soon as their number is known.

Queries of Resource Graph are not foretold. Of its 15 queries in 5 seconds a run uses half, and each returns 1,000 rows, so that
90,000 rows take a minute: https://learn.microsoft.com/azure/governance/resource-graph/concepts/guidance-for-throttled-requests
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

from msgspec import structs

from keyaudit.cloud.connection import Connection
from keyaudit.collect.places import Subscription, Vault
from keyaudit.inventory.earlier_snapshot import Earlier
from keyaudit.model.forecast import Forecast
from keyaudit.model.operations import OPERATIONS, Throttle


class Forecasts:
    """The requests that are known to be sent, by limit and place, and how long they take: `tell` receives that."""

    def __init__(self, connection: Connection, tell: Callable[[Forecast], None]) -> None:
        self._connection, self._tell = connection, tell
        self._awaited: dict[Throttle, Counter[str]] = defaultdict(Counter)
        self._names: dict[str, str] = {}

    def name(self, subscriptions: Sequence[Subscription]) -> None:
        """Learn the names of subscriptions, which stand for them in what is told."""
        self._names |= {each.id: each.shown for each in subscriptions}

    def expect(self, surface: str, operation: str, requests: Mapping[str, int]) -> None:
        """Tell how long these requests take, with those before them that the same limit counts.

        `requests`: by what Azure limits: the id of a subscription, the host of a vault, or an empty text for the tenant.
        """
        if not any(requests.values()):
            return
        awaited = self._awaited[OPERATIONS[operation].throttle]
        awaited.update(requests)
        place = max(requests, key=lambda each: awaited[each])
        told = self._connection.forecast(surface, operation, awaited[place], place)
        if told:
            self._tell(structs.replace(told, place=self._names.get(place, place)))

    def of_vaults(
        self,
        surfaces: Mapping[str, Sequence[str]],
        left: Callable[[str], Sequence[Vault]],
        earlier: Earlier | None,
    ) -> None:
        """Tell how long `surfaces` of vaults take, by their operations: a list of Resource Manager for each vault, and lists of
        versions for each key. Key Vault does not say how many keys a vault has, but an earlier run does.

        `left`: the vaults in which a surface is still to be read.
        """
        for surface, operations in surfaces.items():
            if {OPERATIONS[each].throttle for each in operations} == {Throttle.ARM_SUBSCRIPTION}:
                for operation in operations:
                    self.expect(surface, operation, Counter(vault.subscription_id for vault in left(surface)))
        if earlier is not None and "keys" in surfaces:
            keys = earlier.counted()
            hosts = {vault.scope.id: urlsplit(vault.uri).hostname for vault in left("keys") if isinstance(vault.uri, str)}
            self.expect("keys", "key.versions", {host: keys[id_] for id_, host in hosts.items() if host and id_ in keys})
