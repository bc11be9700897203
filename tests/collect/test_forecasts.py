"""What is foretold of the requests that Azure limits, before they are sent."""

from collections.abc import Container
from typing import Any, cast

from keyaudit.cloud.connection import Connection
from keyaudit.collect.forecasts import Forecasts
from keyaudit.collect.places import Subscription, Vault
from keyaudit.inventory.earlier_snapshot import Earlier
from keyaudit.model.forecast import Forecast
from keyaudit.model.operations import OPERATIONS
from keyaudit.model.tables.places import KEY_VAULT

LISTS = {"keys": ("key.list", "key.versions", "key.get"), "audit logs": ("diagnostic_setting.list",)}


class Slow:
    """A connection on which each request takes a second."""

    def forecast(self, surface: str, operation: str, requests: int, _: str) -> Forecast:
        limit = OPERATIONS[operation]
        return Forecast(
            surface=surface,
            throttle=limit.throttle,
            noun=limit.noun,
            requests=requests,
            seconds=float(requests),
            units=1,
            window=1,
            share=1,
        )


class Before:
    """An earlier run, by its vaults' keys."""

    def __init__(self, **keys: int) -> None:
        self._keys = {vault(name).scope.id: count for name, count in keys.items()}

    def counted(self) -> dict[str, int]:
        return self._keys


def vault(name: str, subscription: str = "s1") -> Vault:
    place = f"/subscriptions/{subscription}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/{name}"
    return Vault(
        resource_id=place,
        kind=KEY_VAULT,
        name=name,
        resource_group="rg",
        subscription_id=subscription,
        subscription_name=subscription,
        location="westeurope",
        uri=f"https://{name}.vault.azure.net/",
        soft_delete=True,
    )


def told(*vaults: Vault, earlier: Before | None = None, done: Container[tuple[str, str]] = ()) -> list[tuple[str, str, int]]:
    """`done`: what a stopped run has read, by surface and vault."""
    found: list[Forecast] = []
    forecasts = Forecasts(cast("Connection", Slow()), found.append)
    forecasts.name([Subscription(id="s1", name=cast("Any", None), shown="Production", tenant_id="t")])
    forecasts.of_vaults(
        LISTS,
        lambda surface: [each for each in vaults if (surface, each.name) not in done],
        cast("Earlier | None", earlier),
    )
    forecasts.expect("consumers", "sql.databases", {"s1": 3, "s2": 2})
    forecasts.expect("applications", "application.federated_of", {"": 0})
    return [(each.surface, each.place, each.requests) for each in found]


def test_the_requests_of_one_subscription_add_up_and_the_busiest_one_is_told() -> None:
    assert told(vault("a"), vault("b"), vault("c", "s2")) == [("audit logs", "Production", 2), ("consumers", "Production", 5)]


def test_a_resumed_run_foretells_only_what_the_stopped_one_left() -> None:
    every, before = (vault("a"), vault("b"), vault("c")), Before(a=10, b=4_000, c=200)
    found = told(*every, earlier=before, done={("audit logs", "a"), ("audit logs", "c"), ("keys", "b")})
    assert found == [("audit logs", "Production", 1), ("keys", "c.vault.azure.net", 200), ("consumers", "Production", 4)]
    assert told(*every, done={("audit logs", each.name) for each in every}) == [("consumers", "Production", 3)]


def test_the_keys_of_an_earlier_run_foretell_the_lists_of_their_versions() -> None:
    found = told(vault("a"), vault("b"), earlier=Before(a=10, b=4_000, gone=9_000))
    assert ("keys", "b.vault.azure.net", 4_000) in found
    assert not [each for each in told(vault("a")) if each[0] == "keys"]
