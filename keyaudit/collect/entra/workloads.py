"""Conditional Access policies for workload identities, and the risk of these that Entra ID Protection sees."""

import ipaddress
import re
from collections.abc import Collection, Sequence

from msgspec import UNSET, Struct, field

from keyaudit.collect.calls import Calls
from keyaudit.collect.copies import both
from keyaudit.collect.entra.relations import Related, object_id
from keyaudit.collect.places import source
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, Wire, is_null, read, wired
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.guid import GUID
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.workloads import CONDITIONAL_ACCESS_POLICY, NAMED_LOCATION, RISK_DETECTION, RISKY_PRINCIPAL

POLICIES = ("conditional_access.list", "named_location.list")
RISKS = ("risky_principal.list", "risk_detection.list")

# https://learn.microsoft.com/graph/api/resources/conditionalaccesslocations
_EVERY_PLACE = ("All", "AllTrusted")
# https://learn.microsoft.com/graph/api/resources/conditionalaccessapplications
_RESOURCES = ("All", "None", "Office365", "MicrosoftAdminPortals")
_EVERY_OWN = ("ServicePrincipalsInMyTenant",)
"""https://learn.microsoft.com/graph/api/resources/conditionalaccessclientapplications"""
_DETECTION = re.compile(r"[0-9a-f-]{8,200}", re.ASCII | re.IGNORECASE)


@wired(CONDITIONAL_ACCESS_POLICY)
class PolicyItem(Related, rename="camel"):
    """A Conditional Access policy."""

    conditions: Wire = UNSET
    grant_controls: Wire = UNSET


class Conditions(Struct, rename="camel"):
    """Those of its conditions that are read."""

    applications: Wire = UNSET
    client_applications: Wire = UNSET
    locations: Wire = UNSET
    service_principal_risk_levels: Wire = UNSET


class Clients(Struct, rename="camel"):
    """The workload identities that a policy is about."""

    include_service_principals: Wire = UNSET
    exclude_service_principals: Wire = UNSET
    service_principal_filter: Wire = UNSET


class Resources(Struct, rename="camel"):
    """The target resources that a policy is about."""

    include_applications: Wire = UNSET
    exclude_applications: Wire = UNSET
    application_filter: Wire = UNSET


class Controls(Struct, rename="camel"):
    """What a policy asks for before it grants access."""

    built_in_controls: Wire = UNSET


class Locations(Struct, rename="camel"):
    """The locations that a policy is about."""

    include_locations: Wire = UNSET
    exclude_locations: Wire = UNSET


@wired(NAMED_LOCATION)
class LocationItem(Related, rename="camel"):
    """A named location."""

    type: Wire = field(default=UNSET, name="@odata.type")
    is_trusted: Wire = UNSET
    ip_ranges: Wire = UNSET
    countries_and_regions: Wire = UNSET


class Range(Struct, rename="camel"):
    """A range of addresses."""

    cidr_address: str


@wired(RISKY_PRINCIPAL)
class RiskyItem(Related):
    """A risky service principal."""


@wired(RISK_DETECTION)
class DetectionItem(Related, rename="camel"):
    """A risk detection."""

    key_ids: Wire = UNSET


async def collect_conditional_access(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write a row per Conditional Access policy, and per named location. Returns the coverage of `POLICIES`."""
    calls, places = (Calls(scope, operation) for operation in POLICIES)
    url, version = source(reading.connection.environment, calls.id)
    listing = reading.connection.gateway.pages(calls.id, PolicyItem, by=object_id)
    async for item in both(listing):
        id_ = f"{scope.id}/conditionalAccessPolicies/{item.id}"
        row = Row(CONDITIONAL_ACCESS_POLICY, id=id_, resource_id=id_, scope_id=scope.id, url=url, version=version)
        row.fill(item)
        _put_conditions(row, read(item.conditions, Conditions))
        _put_controls(row, item.grant_controls)
        unit.row("conditional_access_policy", row.finish())
    calls.ended(listing.end)
    url, version = source(reading.connection.environment, places.id)
    locations = reading.connection.gateway.pages(places.id, LocationItem, by=object_id)
    async for place in both(locations):
        id_ = f"{scope.id}/namedLocations/{place.id}"
        row = Row(NAMED_LOCATION, id=id_, resource_id=id_, scope_id=scope.id, url=url, version=version)
        row.put("location_id", place.id.lower())
        row.fill(place)
        _put_location(row, place)
        unit.row("named_location", row.finish())
    places.ended(locations.end)
    return [calls.coverage(), places.coverage()]


async def collect_risks(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write a row per risky service principal, and per risk detection. Returns the coverage of `RISKS`."""
    gateway, environment = reading.connection.gateway, reading.connection.environment
    principals, detections = (Calls(scope, operation) for operation in RISKS)
    url, version = source(environment, principals.id)
    risky = gateway.pages(principals.id, RiskyItem, by=object_id)
    async for item in both(risky):
        id_ = f"{scope.id}/riskyServicePrincipals/{item.id}"
        row = Row(RISKY_PRINCIPAL, id=id_, resource_id=id_, scope_id=scope.id, url=url, version=version)
        row.put("principal_id", item.id.lower())
        row.fill(item)
        unit.row("risky_principal", row.finish())
    principals.ended(risky.end)
    url, version = source(environment, detections.id)
    detected = gateway.pages(detections.id, DetectionItem, by=_detection_id)
    async for one in both(detected):
        id_ = f"{scope.id}/riskDetections/{one.id}"
        row = Row(RISK_DETECTION, id=id_, resource_id=id_, scope_id=scope.id, url=url, version=version)
        row.fill(one)
        row.put_read("key_ids", _keys(one.key_ids))
        unit.row("risk_detection", row.finish())
    detections.ended(detected.end)
    return [principals.coverage(), detections.coverage()]


def _put_conditions(row: Row, found: Conditions | Refusal) -> None:
    """Fill the columns of a policy's conditions. A condition that is null was never set."""
    if isinstance(found, Refusal):
        of_clients, of_places = ("for_workloads", "included", "excluded", "filtered"), ("locations", "locations_excluded")
        of_resources = ("target_resources", "target_resources_excluded", "target_resources_filtered")
        row.refuse((*of_clients, *of_resources, *of_places, "risk_levels"), found.reason)
        return
    resources = read(found.applications, Resources)
    aimed = Resources() if isinstance(resources, Refusal) else resources
    row.put_read("target_resources", _ids(aimed.include_applications, _RESOURCES))
    row.put_read("target_resources_excluded", _ids(aimed.exclude_applications, _RESOURCES))
    row.put_read("target_resources_filtered", _is_set(aimed.application_filter))
    row.put_read("risk_levels", _sorted(found.service_principal_risk_levels))
    if is_null(found.client_applications):
        row.put_all(for_workloads=False, included=[], excluded=[], filtered=False)
    else:
        clients = read(found.client_applications, Clients)
        row.put_read("for_workloads", clients if isinstance(clients, Refusal) else True)
        shown = Clients() if isinstance(clients, Refusal) else clients
        row.put_read("included", _ids(shown.include_service_principals, _EVERY_OWN))
        row.put_read("excluded", _ids(shown.exclude_service_principals))
        row.put_read("filtered", _is_set(shown.service_principal_filter))
    if is_null(found.locations):
        row.put_all(locations=[], locations_excluded=[])
    else:
        places = read(found.locations, Locations)
        told = Locations() if isinstance(places, Refusal) else places
        included = _ids(told.include_locations, _EVERY_PLACE)
        # A condition on locations includes some.
        row.put_read("locations", included or Refusal(Reason.BAD_VALUE))
        row.put_read("locations_excluded", _ids(told.exclude_locations, _EVERY_PLACE))


# https://learn.microsoft.com/graph/api/resources/conditionalaccessgrantcontrols
_CONTROLS = frozenset(
    {
        *("block", "mfa", "compliantDevice", "domainJoinedDevice"),
        *("approvedApplication", "compliantApplication", "passwordChange"),
    }
)


def _put_controls(row: Row, raw: Wire) -> None:
    """Fill `blocks`. A policy without grant controls has session controls alone, which block nothing."""
    if is_null(raw):
        row.put("blocks", False)
        return
    controls = read(raw, Controls)
    found = _sorted((Controls() if isinstance(controls, Refusal) else controls).built_in_controls)
    if not isinstance(found, Refusal) and "block" not in found and not _CONTROLS.issuperset(found):
        found = Refusal(Reason.UNRECOGNISED)
    row.put_read("blocks", found if isinstance(found, Refusal) else "block" in found)


def _is_set(raw: Wire) -> bool | Refusal:
    """Whether a filter is set; one that was left out was not shown."""
    return Refusal(Reason.BAD_BODY) if raw is UNSET else not is_null(raw)


# https://learn.microsoft.com/graph/api/resources/ipnamedlocation and .../countrynamedlocation
_KINDS = {"#microsoft.graph.ipNamedLocation": "addresses", "#microsoft.graph.countryNamedLocation": "countries"}
# The blocks with public unicast addresses: RFC 6890 for IPv4, RFC 4291 for IPv6.
_PUBLIC_4 = [ipaddress.IPv4Network((first << 24, 8)) for first in range(1, 224) if first not in {10, 127}]
_PUBLIC_6 = ipaddress.IPv6Network("2000::/3")
_COUNTRIES = 249
"""The codes of ISO 3166-1 alpha-2, which Graph uses."""


def _put_location(row: Row, item: LocationItem) -> None:
    told = read(item.type, str)
    kind = told if isinstance(told, Refusal) else _KINDS.get(told, Refusal(Reason.UNRECOGNISED))
    row.put_read("kind", kind)
    if isinstance(kind, Refusal):
        row.refuse(("trusted", "everywhere"), kind.reason)
    elif kind == "addresses":
        row.put_read("trusted", read(item.is_trusted, bool))
        row.put_read("everywhere", _every_address(item.ip_ranges))
    else:
        countries = read(item.countries_and_regions, list[str])
        every = countries if isinstance(countries, Refusal) else len({one.upper() for one in countries}) >= _COUNTRIES
        # Only a location by addresses can be marked as trusted.
        row.put_all(trusted=False)
        row.put_read("everywhere", every)


def _every_address(raw: Wire) -> bool | Refusal:
    """Whether ranges together have every public IPv4 address, or every public IPv6 address: a client can choose either."""
    ranges = read(raw, list[Range])
    if isinstance(ranges, Refusal):
        return ranges
    try:
        networks = [ipaddress.ip_network(one.cidr_address, strict=False) for one in ranges]
    except ValueError:
        return Refusal(Reason.BAD_VALUE)
    four = list(ipaddress.collapse_addresses(one for one in networks if isinstance(one, ipaddress.IPv4Network)))
    six = ipaddress.collapse_addresses(one for one in networks if isinstance(one, ipaddress.IPv6Network))
    every_four = all(any(block.subnet_of(one) for one in four) for block in _PUBLIC_4)
    return every_four or any(_PUBLIC_6.subnet_of(one) for one in six)


def _ids(raw: Wire, words: Collection[str] = ()) -> list[str] | Refusal:
    """Object ids, in lower case, or words that stand for all of them."""
    found = _sorted(raw)
    if isinstance(found, Refusal):
        return found
    strange = any(one not in words and not GUID.fullmatch(one) for one in found)
    return Refusal(Reason.UNRECOGNISED) if strange else sorted({one if one in words else one.lower() for one in found})


def _sorted(raw: Wire) -> list[str] | Refusal:
    found = read(raw, list[str])
    return found if isinstance(found, Refusal) else sorted(set(found))


def _keys(raw: Wire) -> list[str] | Refusal:
    found = _sorted(raw)
    if isinstance(found, Refusal):
        return found
    return sorted({one.lower() for one in found}) if all(map(GUID.fullmatch, found)) else Refusal(Reason.BAD_VALUE)


def _detection_id(item: DetectionItem) -> str:
    if not _DETECTION.fullmatch(item.id):
        raise ValueError("not the id of a detection")
    return item.id.lower()
