"""Changes of one object of a simulated tenant, found by its id."""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from keyaudit.simulator.estate import Application, Estate, Key, Resource, Vault

DAY = 86_400


def vault_of(url: str) -> str:
    return url.removeprefix("https://").partition(".")[0].lower()


def with_vault(tenant: Estate, which: Callable[[Vault], bool], changed: Callable[[Vault], Vault]) -> Estate:
    return replace(tenant, vaults=tuple(changed(one) if which(one) else one for one in tenant.vaults))


def with_key(tenant: Estate, url: str, changed: Callable[[Key], Key]) -> Estate:
    name = url.rsplit("/", 1)[1].lower()

    def keys(box: Any) -> Any:
        if box.name.lower() != vault_of(url):
            return box
        return replace(box, keys=tuple(changed(one) if one.name.lower() == name else one for one in box.keys))

    return replace(tenant, vaults=tuple(map(keys, tenant.vaults)), hsms=tuple(map(keys, tenant.hsms)))


def with_application(tenant: Estate, id_: str, changed: Callable[[Application], Application]) -> Estate:
    wanted = id_.rsplit("/", 1)[-1]
    return replace(
        tenant, applications=tuple(changed(one) if wanted in (one.id, one.app_id) else one for one in tenant.applications)
    )


def with_resource(tenant: Estate, id_: str, properties: Callable[[Resource], dict[str, Any]]) -> Estate:
    return replace(
        tenant,
        resources=tuple(replace(one, properties=properties(one)) if one.id.lower() == id_ else one for one in tenant.resources),
    )
