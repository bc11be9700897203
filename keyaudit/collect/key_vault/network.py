"""The network columns of a vault or Managed HSM. No requests.

Two settings together decide: public network access, and the network rules' default action.
https://learn.microsoft.com/azure/key-vault/general/network-security
"""

from collections.abc import Sequence
from ipaddress import IPv4Network, collapse_addresses

from msgspec import UNSET, Struct, UnsetType

from keyaudit.collect.rows import Row
from keyaudit.collect.wire import Wire, is_null, read
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.vaults.vault import VAULT

_RULES = ("network_default_action", "network_bypass", "ip_rules", "every_address_let_in", "virtual_network_rules")
_ENDPOINTS = ("private_endpoints", "private_endpoints_approved")
_STATES = frozenset({"approved", "pending", "rejected", "disconnected"})
"""https://learn.microsoft.com/rest/api/keyvault/keyvault/private-endpoint-connections/list-by-resource"""
NETWORK = ("public_network_access", *_RULES, *_ENDPOINTS)


class NetworkProperties(Struct, rename="camel"):
    """The network properties."""

    public_network_access: Wire = UNSET
    network_acls: Wire = UNSET
    private_endpoint_connections: Wire = UNSET


class _NetworkAcls(Struct, rename="camel"):
    default_action: Wire = UNSET
    bypass: Wire = UNSET
    ip_rules: Wire = UNSET
    virtual_network_rules: Wire = UNSET


class _IpRule(Struct):
    value: str


class _SubnetRule(Struct):
    id: str


class _State(Struct):
    status: str


class _EndpointProperties(Struct, rename="camel"):
    private_link_service_connection_state: _State


class _Endpoint(Struct):
    properties: _EndpointProperties


def put_network(row: Row, properties: NetworkProperties, *, documented: bool) -> None:
    """Fill the columns of `NETWORK`.

    `documented`: whether the meaning of a missing setting is documented for this kind; otherwise it is unknown.
    """
    _put_word(row, "public_network_access", properties.public_network_access, documented=documented)
    _put_rules(row, properties.network_acls, documented=documented)
    _put_endpoints(row, properties.private_endpoint_connections)


def _put_rules(row: Row, raw: Wire, *, documented: bool) -> None:
    if documented and (isinstance(raw, UnsetType) or is_null(raw)):
        for column in _RULES:
            row.put(column, UNSET)
        return
    rules = read(raw, _NetworkAcls)
    if isinstance(rules, Refusal):
        row.refuse(_RULES, rules.reason)
        return
    _put_word(row, "network_default_action", rules.default_action, documented=False)
    _put_word(row, "network_bypass", rules.bypass, documented=False)
    ranges = read(rules.ip_rules, list[_IpRule])
    row.put_read("ip_rules", ranges if isinstance(ranges, Refusal) else len(ranges))
    row.put_read("every_address_let_in", ranges if isinstance(ranges, Refusal) else _all_of_ipv4(ranges))
    subnets = read(rules.virtual_network_rules, list[_SubnetRule])
    row.put_read("virtual_network_rules", subnets if isinstance(subnets, Refusal) else len(subnets))


def _all_of_ipv4(ranges: Sequence[_IpRule]) -> bool | Refusal:
    try:
        networks = [IPv4Network(each.value, strict=False) for each in ranges]
    except ValueError:
        return Refusal(Reason.BAD_VALUE)
    return any(network.prefixlen == 0 for network in collapse_addresses(networks))


def _put_endpoints(row: Row, raw: Wire) -> None:
    if isinstance(raw, UnsetType) or is_null(raw):
        for column in _ENDPOINTS:
            row.put(column, UNSET)
        return
    found = read(raw, list[_Endpoint])
    if isinstance(found, Refusal):
        row.refuse(_ENDPOINTS, found.reason)
        return
    states = [each.properties.private_link_service_connection_state.status.lower() for each in found]
    known = _STATES.issuperset(states)
    approved = states.count("approved") if known else Refusal(Reason.UNRECOGNISED)
    row.put_all(private_endpoints=len(states), private_endpoints_approved=approved)


def _put_word(row: Row, column: str, raw: Wire, *, documented: bool) -> None:
    """Set `column` to one of its known values, ignoring case; a new value is kept unchanged."""
    if documented and (isinstance(raw, UnsetType) or is_null(raw)):
        row.put(column, UNSET)
        return
    text = read(raw, str)
    known = {value.lower(): value for value in VAULT.by_name[column].values}
    row.put_read(column, text if isinstance(text, Refusal) else known.get(text.lower(), text))
