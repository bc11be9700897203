"""The simulated tenant, read through the gateway: everything that it holds comes, and what it refuses has its reason."""

from contextlib import AbstractAsyncContextManager

import msgspec
import pytest
from msgspec.structs import replace

from keyaudit.cloud.connection import Connection, connect
from keyaudit.model.coverage import End, Refusal
from keyaudit.model.reasons import Reason
from keyaudit.simulator.estates import estate
from keyaudit.simulator.serve import Simulator, serve
from tests.cloud.clock import FakeClock
from tests.collect.rig import signing_in

QUERY = "resources | where type =~ 'microsoft.keyvault/vaults' | project id, name | order by id asc"


class Item(msgspec.Struct):
    id: str = ""
    kid: str = ""


class Bundle(msgspec.Struct):
    key: dict[str, object]


def _connected(simulator: Simulator, clock: FakeClock) -> AbstractAsyncContextManager[Connection]:
    sign_in = replace(signing_in(simulator), tenant=simulator.estate.tenant_id)
    return connect(sign_in, clock=clock, prompt=pytest.fail)


async def _count(connection: Connection, operation: str, **options: object) -> End:
    listing = connection.gateway.pages(operation, Item, by=lambda item: item.id or item.kid, **options)  # type: ignore[arg-type]
    async for _ in listing:
        pass
    return listing.end


async def test_all_of_it_is_read() -> None:
    clock = FakeClock()
    contoso = estate("contoso", clock.now())
    async with serve(contoso) as simulator, _connected(simulator, clock) as connection:
        assert connection.identity.tenant_id == contoso.tenant_id
        for operation, expected in (
            ("subscription.list", len(contoso.subscriptions)),
            ("organization.get", 1),
            ("domain.list", len(contoso.domains)),
            ("application.list", len(contoso.applications)),
            ("application.owners", len(contoso.applications)),
            ("application.federated", sum(1 for each in contoso.applications if each.federated)),
            ("service_principal.list", len(contoso.service_principals)),
        ):
            assert await _count(connection, operation) == End(received=expected, kept=expected), operation
        subscriptions = [subscription.id for subscription in contoso.subscriptions]
        found = await _count(connection, "vault.query", body={"query": QUERY, "subscriptions": subscriptions})
        assert found == End(received=len(contoso.vaults), kept=len(contoso.vaults))
        for vault in contoso.vaults:
            uri = f"https://{vault.name}.vault.azure.net/"
            assert await _count(connection, "key.list", host=uri) == End(received=len(vault.keys), kept=len(vault.keys))
            for key in vault.keys[:3]:
                versions = await _count(connection, "key.versions", host=uri, key=key.name)
                assert versions == End(received=len(key.versions), kept=len(key.versions))
                bundle = await connection.gateway.get("key.get", Bundle, host=uri, key=key.name, version="")
                assert isinstance(bundle, Bundle)
        assert connection.retries == 0
        assert abs(connection.skew() or 0) <= 5
    assert simulator.refused == []


async def test_what_is_refused_has_its_reason() -> None:
    clock = FakeClock()
    blind = estate("blind-spots", clock.now())
    reasons = {
        "firewall": Reason.FIREWALL,
        "private": Reason.PRIVATE_ONLY,
        "rbac": Reason.PERMISSION,
        "policy": Reason.PERMISSION,
    }
    async with serve(blind) as simulator, _connected(simulator, clock) as connection:
        closed = [vault for vault in blind.vaults if vault.access != "open"]
        assert closed
        for vault in closed:
            end = await _count(connection, "key.list", host=f"https://{vault.name}.vault.azure.net/")
            assert end.refusal is not None
            assert end.refusal.reason is reasons[vault.access]
        gone = await connection.gateway.get(
            "key.get", Bundle, host="https://kv-never-made.vault.azure.net", key="k", version=""
        )
    assert gone == Refusal(Reason.UNREACHABLE, "the proxy answered 502")
