"""Resources that keep a secret of their own in a vault: disks that are encrypted, and certificates that App Service bought."""

import re
from collections.abc import Iterator, Sequence

from msgspec import UNSET, Raw, Struct

from keyaudit.cloud.environment import Environment
from keyaudit.collect.calls import Calls, not_assessed
from keyaudit.collect.places import source
from keyaudit.collect.queries import Query
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row
from keyaudit.collect.services.items import flag, member, text
from keyaudit.collect.services.resource_queries import Identified, queried
from keyaudit.collect.wire import Wire, is_null, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.vaults.secret_use import ORDER, SECRET_USE

OPERATIONS = ("secret_use.query",)

_KINDS = {
    "microsoft.certificateregistration/certificateorders": ORDER,
    "microsoft.compute/disks": "disk",
    "microsoft.compute/virtualmachines": "virtual-machine",
}
# Most machines and disks name no secret. The settings of both kinds of disk encryption:
# https://learn.microsoft.com/rest/api/compute/virtual-machines/get#diskencryptionsettings and
# https://learn.microsoft.com/rest/api/compute/disks/get#encryptionsettingscollection
_MEMBERS = {
    "machine": "properties.storageProfile.osDisk.encryptionSettings",
    "disk": "properties.encryptionSettingsCollection",
    "certificates": "properties.certificates",
}
QUERY = Query(
    operation="secret_use.query", types=tuple(_KINDS), own=("id", "name", "type"), paths=_MEMBERS, given=tuple(_MEMBERS)
)
_ID = re.compile(r"/subscriptions/([^/]+)/resourceGroups/([^/]+)/providers/([^/]+/[^/]+)/([^/]+)", re.ASCII | re.IGNORECASE)
_SECRET = re.compile(r"https://([a-z0-9.-]{1,253})(?::443)?/secrets/([a-z0-9-]{1,127})(?:/([a-z0-9]{1,64}))?/?", re.ASCII)
_VAULT = re.compile(r"/.+/providers/microsoft\.keyvault/vaults/([a-z0-9-]{1,24})", re.ASCII)
_NAME = re.compile(r"[a-z0-9-]{1,127}", re.ASCII)
_UNNAMED = Refusal(Reason.BAD_BODY, "a secret of a vault, and no name of it")
# What a service says of a certificate that it stored:
# https://learn.microsoft.com/rest/api/appservice/app-service-certificate-orders/get#keyvaultsecretstatus
_STORED = "succeeded"


class Item(Identified):
    """One resource of the query. A member that it lacks is null."""

    type: str
    name: Wire = UNSET
    machine: Wire = UNSET
    disk: Wire = UNSET
    certificates: Wire = UNSET


class Named(Struct, frozen=True):
    """One setting that names a secret. `active`: as the column."""

    secret_id: str | Refusal
    active: bool | Refusal
    version: str | Refusal | None = None


async def collect_secret_uses(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write a row for each secret that a resource keeps in a vault. Returns the coverage of `OPERATIONS`."""
    if not reading.found.subscriptions:
        return not_assessed(scope, OPERATIONS, Reason.PARENT_NOT_ASSESSED)
    environment = reading.connection.environment
    calls, (url, version) = Calls(scope, "secret_use.query"), source(environment, "secret_use.query")
    async for item, match in queried(reading, calls, QUERY, Item, _matched):
        for number, use in enumerate(_uses(item, environment), 1):
            id_ = f"{item.id}/secrets/{number}"
            row = Row(SECRET_USE, id=id_, resource_id=item.id, scope_id=scope.id, url=url, version=version)
            row.put_all(name=item.name, subscription_id=match[1].lower(), resource_group=match[2])
            row.put_all(kind=_KINDS[item.type.lower()], consumer_id=item.id.lower())
            row.put_read("secret_id", use.secret_id)
            row.put_all(active=use.active, version=use.version, pinned=_pinned(use.version))
            row.clear(("version_in_use", "thumbprint_in_use", "status", "broken"))
            unit.row("secret_use", row.finish())
    return [reading.confines.part(calls.coverage(), "resource_groups")]


def _matched(item: Item) -> re.Match[str]:
    match = _ID.fullmatch(item.id)
    if match is None or match[3].lower() != item.type.lower() or match[3].lower() not in _KINDS:
        raise ValueError("not the id of such a resource")
    return match


def _uses(item: Item, environment: Environment) -> Iterator[Named]:
    """The secrets that a resource names; an unreadable setting names an unknown one."""
    match _KINDS[item.type.lower()]:
        case "virtual-machine":
            yield from _of_settings(item.machine, flag(member(item.machine, "enabled"), never_set=False))
        case "disk":
            active = flag(member(item.disk, "enabled"), never_set=False)
            settings = _several(member(item.disk, "encryptionSettings"))
            if isinstance(settings, Refusal):
                yield Named(settings, active, settings)
            else:
                for each in settings:
                    yield from _of_settings(each, active)
        case _:
            yield from _of_order(item.certificates, environment)


def _pinned(version: str | Refusal | None) -> bool | Refusal:
    return version if isinstance(version, Refusal) else version is not None


def _several(raw: Wire) -> list[Raw] | Refusal:
    return [] if is_null(raw) else read(raw, list[Raw])


def _of_settings(settings: Wire, active: bool | Refusal) -> Iterator[Named]:
    """The secret that unlocks a disk; none if its settings name none."""
    url = text(member(settings, "diskEncryptionKey", "secretUrl"))
    if isinstance(url, Refusal):
        yield Named(url, active, url)
    elif url is not None:
        match = _SECRET.fullmatch(url.lower())
        bad = Refusal(Reason.BAD_VALUE)
        yield Named(f"https://{match[1]}/secrets/{match[2]}" if match else bad, active, match[3] if match else bad)


def _of_order(certificates: Wire, environment: Environment) -> Iterator[Named]:
    """The secrets that an order stores its certificates in; none before it is given a vault."""
    if is_null(certificates):
        return
    found = read(certificates, dict[str, Raw])
    if isinstance(found, Refusal):
        yield Named(found, found, found)
        return
    for name in sorted(found):
        vault, secret, state = (
            text(member(found[name], each)) for each in ("keyVaultId", "keyVaultSecretName", "provisioningState")
        )
        if vault is None and secret is None:
            continue
        active = state if isinstance(state, Refusal) else state is not None and state.lower() == _STORED
        yield Named(_secret_of(vault, secret, environment), active)


def _secret_of(vault: str | Refusal | None, secret: str | Refusal | None, environment: Environment) -> str | Refusal:
    for each in (vault, secret):
        if isinstance(each, Refusal):
            return each
    match = _VAULT.fullmatch(str(vault).lower()) if vault else None
    if not vault or not secret:
        return _UNNAMED
    if match is None or _NAME.fullmatch(str(secret).lower()) is None:
        return Refusal(Reason.BAD_VALUE)
    return f"https://{match[1]}.{environment.vault_suffix}/secrets/{str(secret).lower()}"
