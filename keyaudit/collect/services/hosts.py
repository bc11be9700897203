"""The names in the public DNS that Azure services gave to resources."""

import re
from collections.abc import Iterator, Sequence
from typing import TypeVar
from urllib.parse import urlsplit

from msgspec import UNSET, Raw

from keyaudit.collect.calls import Calls, not_assessed
from keyaudit.collect.places import source
from keyaudit.collect.queries import Query
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, wired
from keyaudit.collect.services.items import member, text
from keyaudit.collect.services.resource_queries import Identified, queried
from keyaudit.collect.wire import Wire, is_null, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.directory.redirect_uris import NAMED_BY_AZURE
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.azure_host import AZURE_HOST

OPERATIONS = ("host.query",)

T = TypeVar("T")

_SITES = {"microsoft.web/sites": "web-app", "microsoft.web/sites/slots": "web-app-slot"}
_STORAGE = "microsoft.storage/storageaccounts"
_CLASSIC = "microsoft.network/frontdoors"
_GATEWAY = "microsoft.apimanagement/service"
_ONE_NAME = {
    "microsoft.cdn/profiles/afdendpoints": "endpoint",
    "microsoft.cdn/profiles/endpoints": "endpoint",
    "microsoft.containerinstance/containergroups": "container",
    "microsoft.network/publicipaddresses": "address",
    "microsoft.network/trafficmanagerprofiles": "profile",
}
"""By type the projected member that is its only name."""
_KINDS = {
    **_SITES,
    "microsoft.cdn/profiles/afdendpoints": "front-door",
    "microsoft.cdn/profiles/endpoints": "cdn-endpoint",
    _CLASSIC: "front-door",
    "microsoft.network/publicipaddresses": "public-ip",
    "microsoft.network/trafficmanagerprofiles": "traffic-manager",
    _STORAGE: "storage",
    "microsoft.containerinstance/containergroups": "container-group",
    _GATEWAY: "api-management",
}
_PORTALS = {
    "gateway": "gatewayUrl",
    "portal": "developerPortalUrl",
    "legacy": "portalUrl",
    "management": "managementApiUrl",
    "repository": "scmUrl",
}
"""The addresses that API Management gives a service:
https://learn.microsoft.com/rest/api/apimanagement/api-management-service/get
"""
_MEMBERS = {
    "site": "defaultHostName",
    "sites": "hostNames",
    # These have the name of its advanced tool (scm), too: https://learn.microsoft.com/azure/templates/microsoft.web/sites
    "enabled": "enabledHostNames",
    "endpoint": "hostName",
    "frontends": "frontendEndpoints",
    "address": "dnsSettings.fqdn",
    "profile": "dnsConfig.fqdn",
    "primary": "primaryEndpoints",
    "secondary": "secondaryEndpoints",
    "container": "ipAddress.fqdn",
    "configured": "hostnameConfigurations",
    **_PORTALS,
}
# Most public IP addresses have no name.
QUERY = Query(
    operation="host.query",
    types=tuple(_KINDS),
    own=("id", "name", "type"),
    paths={name: f"properties.{path}" for name, path in _MEMBERS.items()},
    given=tuple(_MEMBERS),
)
_ID = re.compile(
    r"/subscriptions/([^/]+)/resourceGroups/([^/]+)/providers/([^/]+)/([^/]+)/[^/]+(?:/([^/]+)/[^/]+)?",
    re.ASCII | re.IGNORECASE,
)


@wired(AZURE_HOST)
class Item(Identified):
    """One resource of the query. A member that it lacks is null."""

    type: str
    site: Wire = UNSET
    sites: Wire = UNSET
    enabled: Wire = UNSET
    endpoint: Wire = UNSET
    frontends: Wire = UNSET
    address: Wire = UNSET
    profile: Wire = UNSET
    primary: Wire = UNSET
    secondary: Wire = UNSET
    container: Wire = UNSET
    configured: Wire = UNSET
    gateway: Wire = UNSET
    portal: Wire = UNSET
    legacy: Wire = UNSET
    management: Wire = UNSET
    repository: Wire = UNSET


async def collect_hosts(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write a row for each name that Azure gave to a resource. Returns the coverage of `OPERATIONS`."""
    if not reading.found.subscriptions:
        return not_assessed(scope, OPERATIONS, Reason.PARENT_NOT_ASSESSED)
    calls, (url, version) = Calls(scope, "host.query"), source(reading.connection.environment, "host.query")
    async for item, match in queried(reading, calls, QUERY, Item, _matched):
        for number, host in enumerate(_named(item), 1):
            id_ = f"{item.id}/hosts/{number}"
            row = Row(AZURE_HOST, id=id_, resource_id=item.id, scope_id=scope.id, url=url, version=version)
            row.put_all(subscription_id=match[1].lower(), resource_group=match[2])
            row.fill(item)
            row.put_all(kind=_KINDS[item.type.lower()])
            row.put_read("host", host)
            unit.row("azure_host", row.finish())
    return [reading.confines.part(calls.coverage(), "resource_groups")]


def _matched(item: Item) -> re.Match[str]:
    match = _ID.fullmatch(item.id)
    type_ = "/".join(part for part in match.groups()[2:] if part).lower() if match else ""
    if match is None or type_ != item.type.lower() or type_ not in _KINDS:
        raise ValueError("not the id of such a resource")
    return match


def _named(item: Item) -> list[str | Refusal]:
    """The names that Azure gave it, sorted, then one for those that cannot be read."""
    told: set[str] = set()
    refused: list[str | Refusal] = []
    for name in _names(item):
        if isinstance(name, Refusal):
            refused = [name]
        elif name is not None and name.lower().endswith(NAMED_BY_AZURE):
            told.add(name.lower())
    return [*sorted(told), *refused]


def _names(item: Item) -> Iterator[str | Refusal | None]:
    kind = item.type.lower()
    if kind in _SITES:
        yield text(item.site)
        yield from _several(item.sites, list[str])
        yield from _several(item.enabled, list[str])
    elif kind == _STORAGE:
        for endpoints in (item.primary, item.secondary):
            yield from (_host(text(member(endpoints, service))) for service in ("blob", "web"))
    elif kind == _CLASSIC:
        for one in _several(item.frontends, list[Raw]):
            yield one if isinstance(one, Refusal) else text(member(one, "properties", "hostName"))
    elif kind == _GATEWAY:
        yield from (_host(text(getattr(item, name))) for name in _PORTALS)
        for one in _several(item.configured, list[Raw]):
            yield one if isinstance(one, Refusal) else text(member(one, "hostName"))
    else:
        yield text(getattr(item, _ONE_NAME[kind]))


def _several(raw: Wire, kind: type[list[T]]) -> Sequence[T | Refusal]:
    """The items of a list that is null until it is set; a list that cannot be read is one refusal."""
    found: list[T] | Refusal = [] if is_null(raw) else read(raw, kind)
    return (found,) if isinstance(found, Refusal) else found


def _host(address: str | Refusal | None) -> str | Refusal | None:
    """The host of an address of a service."""
    if address is None or isinstance(address, Refusal):
        return address
    try:
        return urlsplit(address).hostname or Refusal(Reason.BAD_VALUE)
    except ValueError:
        return Refusal(Reason.BAD_VALUE)
