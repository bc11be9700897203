"""The Resource Graph query for other services, and an item of its answer."""

import re
from collections.abc import Callable, Collection
from typing import cast

from msgspec import UNSET, Raw, Struct, defstruct

from keyaudit.collect.places import Subscription
from keyaudit.collect.queries import Query, type_of
from keyaudit.collect.rows import Row, wired
from keyaudit.collect.wire import AFTER_APPLY, NOT_IN_PLAN, Wire, is_null, read
from keyaudit.model.coverage import Refusal
from keyaudit.model.schema.wire import first_members
from keyaudit.model.surfaces.services.account_keys import ACCOUNT_KEY, ACCOUNTS

KINDS = {
    **{each.type.lower(): each.kind for each in ACCOUNTS},
    "microsoft.compute/diskencryptionsets": "disk-encryption-set",
    "microsoft.sql/servers": "sql-server",
    "microsoft.sql/managedinstances": "sql-managed-instance",
}
"""The kind of rows by resource type, in lower case."""

_OF_ACCOUNTS = first_members(
    (
        *(way for each in ACCOUNTS for way in (each.accepted, *each.slots.values()) if way and not isinstance(way, bool)),
        *ACCOUNT_KEY.ways().values(),
    )
)
"""The members that say when keys of accounts were made, and whether they are accepted."""
_CALLED = {name: member for each in ACCOUNTS for name, member in each.members.items()}
_MEMBERS = (
    *("encryption", "keyVaultKeyUri", "keyVaultKeyUriVersion", "oidcIssuerProfile", "activeKey"),
    *("rotationToLatestKeyVersionEnabled", "lastKeyRotationTimestamp", "previousKeys", "autoKeyRotationError", "keyId"),
)

# Projected members are returned for every row, null if the resource lacks them; the whole `properties` would be many times as
# long.
QUERY = Query(
    operation="service.query",
    types=tuple(KINDS),
    own=("id", "name", "type", "location", "tags"),
    paths={
        **{member: f"properties.{_CALLED.get(member, member)}" for member in (*_OF_ACCOUNTS, *_MEMBERS)},
        "azureKeyVaultKms": "properties.securityProfile.azureKeyVaultKms",
        "clientId": "properties.servicePrincipalProfile.clientId",
        "identityType": "identity.type",
        "userAssignedIdentities": "identity.userAssignedIdentities",
    },
)

NULL = Raw(b"null")
UNREADABLE = Raw(b"[[]]")
"""A JSON value that cannot be read as any type."""

_MARKS = frozenset({bytes(AFTER_APPLY), bytes(NOT_IN_PLAN)})

_ID = re.compile(
    r"/subscriptions/([^/]+)/resourceGroups/([^/]+)/providers/[^/]+(?:/[^/]+/[^/]+)*/[^/]+/([^/]+)", re.ASCII | re.IGNORECASE
)


@wired(ACCOUNT_KEY)
class ServiceItem(Struct, rename="camel"):
    """One resource. Only id and type are required; a member that was never set is null. `ITEM` adds the members that accounts
    are declared with.
    """

    id: str
    type: str
    name: Wire = UNSET
    location: Wire = UNSET
    tags: Wire = UNSET
    encryption: Wire = UNSET
    key_vault_key_uri: Wire = UNSET
    key_vault_key_uri_version: Wire = UNSET
    oidc_issuer_profile: Wire = UNSET
    active_key: Wire = UNSET
    rotation_to_latest_key_version_enabled: Wire = UNSET
    last_key_rotation_timestamp: Wire = UNSET
    previous_keys: Wire = UNSET
    auto_key_rotation_error: Wire = UNSET
    key_id: Wire = UNSET
    azure_key_vault_kms: Wire = UNSET
    client_id: Wire = UNSET
    identity_type: Wire = UNSET
    user_assigned_identities: Wire = UNSET


ITEM = cast("type[ServiceItem]", defstruct("Item", [(each, Wire, UNSET) for each in _OF_ACCOUNTS], bases=(ServiceItem,)))


class Service(Struct, frozen=True):
    """A service of `subscription`."""

    item: ServiceItem
    subscription: Subscription
    resource_group: str
    name: str
    """The last segment of its id."""

    @property
    def kind(self) -> str:
        """The kind of service."""
        return KINDS[self.item.type.lower()]

    def put_place(self, row: Row) -> None:
        """Fill the columns of identity and location."""
        row.put_all(name=self.item.name, subscription_id=self.subscription.id, subscription_name=self.subscription.name)
        row.put_all(resource_group=self.resource_group, location=self.item.location, kind=self.kind)


def service_of(item: ServiceItem, subscriptions: Collection[Subscription]) -> Service:
    """The service of an item. Raises ValueError for another resource type or subscription."""
    match = _ID.fullmatch(item.id)
    if match is None or type_of(item.id) != item.type.lower() or item.type.lower() not in KINDS:
        raise ValueError("not the id of a service")
    for subscription in subscriptions:
        if subscription.id == match[1].lower():
            return Service(item, subscription, match[2], match[3])
    raise ValueError("of another subscription")


def by_id(subscriptions: Collection[Subscription]) -> Callable[[ServiceItem], str]:
    """Returns an item's id in lower case, and raises ValueError unless it is a service of these subscriptions."""
    return lambda item: service_of(item, subscriptions).item.id.lower()


def member(raw: Wire, *names: str) -> Wire:
    """A nested member, ignoring the case of names: storage has `keyvaulturi` where others have `keyVaultUri`.

    A null or missing intermediate member gives null. A value that is not an object, or has names that differ only in case,
    gives an unreadable value. If `raw` itself was left out, it stays left out.
    """
    for name in names:
        if raw is UNSET or is_null(raw):
            return raw
        found = read(raw, dict[str, Raw])
        if isinstance(found, Refusal):
            # What stands for a value that a plan does not have stands for each of its members.
            return raw if bytes(raw) in _MARKS else UNREADABLE
        lowered = {key.lower(): value for key, value in found.items()}
        if len(lowered) != len(found):
            return UNREADABLE
        raw = lowered.get(name.lower(), NULL)
    return raw


def flag(raw: Wire, *, never_set: bool) -> bool | Refusal:
    """A boolean that is null until it is set."""
    return never_set if is_null(raw) else read(raw, bool)


def text(raw: Wire) -> str | Refusal | None:
    """A text; None if it is not set or empty."""
    if is_null(raw):
        return None
    found = read(raw, str)
    return found if isinstance(found, Refusal) else found or None
