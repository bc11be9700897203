"""Conditional Access: the policies that protect workload identities, and the locations that they name."""

import ipaddress
from collections.abc import Callable

from msgspec import Raw, Struct

from keyaudit.model.evidence import CONDITIONAL_ACCESS
from keyaudit.model.operations.kinds import PROTECTION, graph, graph_right
from keyaudit.model.reasons import Reason
from keyaudit.model.schema.columns import Area, Table, flag, text, texts, time, where_found
from keyaudit.model.schema.opens import WIDE
from keyaudit.model.schema.wire import At, Case, Read, Unreadable
from keyaudit.model.values.guid import GUID

SURFACE = "Conditional Access"
FAMILY = PROTECTION

DECLARED = (
    graph(
        "conditional_access.list",
        "Conditional Access policies",
        "/v1.0/identity/conditionalAccess/policies",
        right=graph_right("Policy.Read.All"),
        evidence=CONDITIONAL_ACCESS,
    ),
    graph(
        "named_location.list",
        "named locations",
        "/v1.0/identity/conditionalAccess/namedLocations",
        right=graph_right("Policy.Read.All"),
        evidence=CONDITIONAL_ACCESS,
    ),
)

_POLICY = ("conditional_access.list",)
_LOCATIONS = ("named_location.list",)
_LEVELS = ("low", "medium", "high", "hidden", "none")
# https://learn.microsoft.com/graph/api/resources/conditionalaccesslocations
_EVERY_PLACE = ("All", "AllTrusted")
# https://learn.microsoft.com/graph/api/resources/conditionalaccessapplications
_RESOURCES = ("All", "None", "Office365", "MicrosoftAdminPortals")
_EVERY_OWN = ("ServicePrincipalsInMyTenant",)
"""https://learn.microsoft.com/graph/api/resources/conditionalaccessclientapplications"""
# https://learn.microsoft.com/graph/api/resources/conditionalaccessgrantcontrols
_CONTROLS = frozenset(
    {
        *("block", "mfa", "compliantDevice", "domainJoinedDevice"),
        *("approvedApplication", "compliantApplication", "passwordChange"),
    }
)
# https://learn.microsoft.com/graph/api/resources/ipnamedlocation and .../countrynamedlocation
_ADDRESSES, _COUNTRIES = "#microsoft.graph.ipNamedLocation", "#microsoft.graph.countryNamedLocation"
# The blocks with public unicast addresses: RFC 6890 for IPv4, RFC 4291 for IPv6.
_PUBLIC_4 = [ipaddress.IPv4Network((first << 24, 8)) for first in range(1, 224) if first not in {10, 127}]
_PUBLIC_6 = ipaddress.IPv6Network("2000::/3")
_EVERY_COUNTRY = 249
"""The codes of ISO 3166-1 alpha-2, which Graph uses."""


class Range(Struct, rename="camel"):
    """A range of addresses."""

    cidr_address: str


def _ids(*words: str) -> Callable[[list[str]], list[str]]:
    """Object ids, in lower case, or `words` that stand for all of them."""

    def sorted_ids(named: list[str]) -> list[str]:
        if any(name not in words and not GUID.fullmatch(name) for name in named):
            raise Unreadable(Reason.UNRECOGNISED)
        return sorted({name if name in words else name.lower() for name in named})

    return sorted_ids


def _included_locations(named: list[str]) -> list[str]:
    if not named:
        raise ValueError("a condition on locations includes some")
    return _ids(*_EVERY_PLACE)(named)


def _distinct(words: list[str]) -> list[str]:
    return sorted(set(words))


def _is_set(_: object) -> bool:
    return True


def _blocks(controls: list[str]) -> bool:
    if "block" not in controls and not _CONTROLS.issuperset(controls):
        raise Unreadable(Reason.UNRECOGNISED)
    return "block" in controls


def _every_address(ranges: list[Range]) -> bool:
    """Whether ranges together have every public IPv4 address, or every public IPv6 address: a client can choose either."""
    networks = [ipaddress.ip_network(each.cidr_address, strict=False) for each in ranges]
    four = list(ipaddress.collapse_addresses(each for each in networks if isinstance(each, ipaddress.IPv4Network)))
    six = ipaddress.collapse_addresses(each for each in networks if isinstance(each, ipaddress.IPv6Network))
    every_four = all(any(block.subnet_of(each) for each in four) for block in _PUBLIC_4)
    return every_four or any(_PUBLIC_6.subnet_of(each) for each in six)


def _every_country(codes: list[str]) -> bool:
    return len({code.upper() for code in codes}) >= _EVERY_COUNTRY


# A condition that is null was never set.
_CLIENTS = "conditions.clientApplications?"
_TARGETS = "conditions.applications"
_PLACES = "conditions.locations?"

CONDITIONAL_ACCESS_POLICY = Table(
    name="conditional_access_policy",
    order=25,
    area=Area.TENANT,
    noun="Conditional Access policy",
    plural="Conditional Access policies",
    meaning="a Conditional Access policy, with its conditions for workload identities",
    added_by=_POLICY,
    reads=(Read(operation="conditional_access.list", id="conditionalAccessPolicies/{key}"),),
    opens=WIDE,
    columns=(
        *where_found(*_POLICY, wire="displayName"),
        time("modified_on", "when it was last changed", _POLICY, absent="it was never changed", past=True,
            wire="modifiedDateTime"),
        text("state", "whether it is enforced", _POLICY,
            values=("enabled", "disabled", "enabledForReportingButNotEnforced"), wire="state"),
        flag("for_workloads", "it applies to workload identities: it has conditions for them (clientApplications)", _POLICY,
            wire=At(_CLIENTS, dict[str, Raw], _is_set, none=False)),
        texts("included", "object ids of the service principals that it includes, or ServicePrincipalsInMyTenant, sorted",
            _POLICY, wire=At(f"{_CLIENTS}.includeServicePrincipals", list[str], _ids(*_EVERY_OWN), none=[])),
        texts("excluded", "object ids of the service principals that it excludes, sorted", _POLICY,
            wire=At(f"{_CLIENTS}.excludeServicePrincipals", list[str], _ids(), none=[])),
        flag("filtered", "it also selects workload identities by custom security attributes", _POLICY,
            wire=At(f"{_CLIENTS}.servicePrincipalFilter?", object, _is_set, none=False)),
        texts("target_resources", "client ids of the resources that it applies to, or All, None, Office365 or "
            "MicrosoftAdminPortals, sorted", _POLICY,
            wire=At(f"{_TARGETS}.includeApplications", list[str], _ids(*_RESOURCES))),
        texts("target_resources_excluded", "client ids or names of the resources that it excludes, sorted", _POLICY,
            wire=At(f"{_TARGETS}.excludeApplications", list[str], _ids(*_RESOURCES))),
        flag("target_resources_filtered", "it also selects resources by custom security attributes", _POLICY,
            wire=At(f"{_TARGETS}.applicationFilter?", object, _is_set, none=False)),
        texts("risk_levels", "the workload identity risk levels that it applies to, sorted; empty: all",
            _POLICY, values=_LEVELS, wire=At("conditions.servicePrincipalRiskLevels", list[str], _distinct)),
        texts("locations", "the locations that it includes, by id, or All or AllTrusted, sorted; empty: it does not evaluate "
            "locations", _POLICY, wire=At(f"{_PLACES}.includeLocations", list[str], _included_locations, none=[])),
        texts("locations_excluded", "the locations that it excludes, by id, or All or AllTrusted, sorted", _POLICY,
            wire=At(f"{_PLACES}.excludeLocations", list[str], _ids(*_EVERY_PLACE), none=[])),
        # A policy without grant controls has session controls alone, which block nothing.
        flag("blocks", "its grant control blocks access", _POLICY,
            wire=At("grantControls?.builtInControls", list[str], _blocks, none=False)),
        texts("free_everywhere", "the named locations with every address or country that it excludes, by id or as trusted, "
            "sorted", partial=True, derived=True),
        flag("blocks_nowhere", "it excludes every location that it includes", derived=True),
    ),
)

NAMED_LOCATION = Table(
    name="named_location",
    order=26,
    area=Area.TENANT,
    replaced=False,
    noun="named location",
    plural="named locations",
    meaning="a named location of Conditional Access: addresses or countries",
    added_by=_LOCATIONS,
    reads=(Read(operation="named_location.list", id="namedLocations/{key}", key_column="location_id"),),
    columns=(
        *where_found(*_LOCATIONS, wire="displayName"),
        text("location_id", "its id, in lower case"),
        text("kind", "how it is given", _LOCATIONS, values=("addresses", "countries"),
            wire=Case("@odata.type", {_ADDRESSES: "addresses", _COUNTRIES: "countries"})),
        flag("trusted", "it is marked as trusted, so AllTrusted includes it", _LOCATIONS,
            # Only a location by addresses can be.
            wire=Case("@odata.type", {_ADDRESSES: At("isTrusted"), _COUNTRIES: False})),
        flag("everywhere", "it has every public IPv4 address, every public IPv6 address, or every country", _LOCATIONS,
            wire=Case("@odata.type", {
                _ADDRESSES: At("ipRanges", list[Range], _every_address),
                _COUNTRIES: At("countriesAndRegions", list[str], _every_country),
            })),
    ),
)
