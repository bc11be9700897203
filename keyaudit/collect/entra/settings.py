"""Settings of applications and service principals: published permissions, instance lock, publisher."""

import re

from msgspec import UNSET, Raw, Struct, UnsetType

from keyaudit.collect.rows import Row, Wire, is_null, read
from keyaudit.model.coverage import Refusal
from keyaudit.model.operations import GLOBAL_CLOUD
from keyaudit.model.reasons import Reason

_ARM_ID = re.compile(r"/subscriptions/[^/]+/(?:[^/]+/)+[^/]+", re.ASCII | re.IGNORECASE)
_LOCKS = {
    "allProperties": "all",
    "credentialsWithUsageSign": "sign",
    "credentialsWithUsageVerify": "verify",
    "tokenEncryptionKeyId": "token-encryption",
}


class Published(Struct, rename="camel"):
    """A delegated permission, or an app role, of an API."""

    id: str
    value: Wire = UNSET
    allowed_member_types: Wire = UNSET


class Client(Struct, rename="camel"):
    """A preauthorized client of an application."""

    app_id: str


class Api(Struct, rename="camel"):
    """The API settings of an application."""

    oauth2_permission_scopes: Wire = UNSET
    pre_authorized_applications: Wire = UNSET
    requested_access_token_version: Wire = UNSET
    accept_mapped_claims: Wire = UNSET


class Publisher(Struct, rename="camel"):
    """A verified publisher; an application without one has the member with nulls."""

    display_name: Wire = UNSET
    verified_publisher_id: Wire = UNSET


def put_api(row: Row, api: Wire, roles: Wire) -> None:
    """Fill the columns of an application's published permissions and accepted tokens."""
    found = read(api, Api)
    row.fill(found, "api")
    if isinstance(found, Refusal):
        row.refuse(("exposed_scopes", "preauthorized_apps", "accepts_mapped_claims"), found.reason)
    else:
        row.put_read("exposed_scopes", _values(found.oauth2_permission_scopes))
        clients = read(found.pre_authorized_applications, list[Client])
        row.put_read(
            "preauthorized_apps", clients if isinstance(clients, Refusal) else sorted({one.app_id.lower() for one in clients})
        )
        row.put_read("accepts_mapped_claims", flag(found.accept_mapped_claims))
    row.put_read("exposed_roles", _values(roles))
    scopes = found if isinstance(found, Refusal) else read(found.oauth2_permission_scopes, list[Raw])
    row.put_read("exposes_api", _any(scopes, read(roles, list[Raw])))


def put_lock(row: Row, lock: Wire) -> None:
    """Fill the columns of the instance lock. Graph sends null if it was never set.

    https://learn.microsoft.com/graph/api/resources/serviceprincipallockconfiguration
    """
    if is_null(lock):
        row.put_all(instance_lock=False, instance_locks=[])
        return
    settings = read(lock, dict[str, bool | None])
    if isinstance(settings, Refusal):
        row.refuse(("instance_lock", "instance_locks"), settings.reason)
        return
    missing = Refusal(Reason.BAD_BODY)
    # Each kind of property may be null, the switch itself may not.
    enabled = settings.get("isEnabled", missing)
    row.put_read("instance_lock", Refusal(Reason.BAD_VALUE) if enabled is None else enabled)
    covered = [name for member, name in _LOCKS.items() if settings.get(member)]
    row.put_read("instance_locks", covered if settings.keys() >= _LOCKS.keys() else missing)


def put_makers(row: Row, cloud: str, *, publisher: Wire, created_by: Wire) -> None:
    """Fill the columns of publisher and creator, which only the global cloud has."""
    if cloud == GLOBAL_CLOUD:
        row.put_all(verified_publisher=_publisher(publisher), created_by_app=created_by)
    else:
        row.refuse(("verified_publisher", "created_by_app"), Reason.NOT_IN_CLOUD)


def put_arm_id(row: Row, names: Wire) -> None:
    """Fill `arm_id` from alternativeNames: isExplicit=True or False, and the ARM id of a managed identity."""
    found = read(names, list[str])
    if isinstance(found, Refusal):
        row.refuse(("arm_id",), found.reason)
        return
    ids = {name.lower() for name in found if _ARM_ID.fullmatch(name)}
    row.put_read("arm_id", Refusal(Reason.UNRECOGNISED) if len(ids) > 1 else ids.pop() if ids else None)


def flag(raw: Wire) -> bool | Refusal:
    """A boolean for which Graph sends null instead of false."""
    return False if is_null(raw) else read(raw, bool)


def roles_for_applications(roles: Wire) -> dict[str, str | None] | Refusal:
    """App roles for applications: id in lower case to name; None without a name."""
    found = read(roles, list[Published])
    if isinstance(found, Refusal):
        return found
    names: dict[str, str | None] = {}
    for role in found:
        kinds = read(role.allowed_member_types, list[str])
        # Only a role that says that it is for users alone is for no application.
        if isinstance(kinds, Refusal) or {kind.lower() for kind in kinds} != {"user"}:
            value = None if is_null(role.value) else read(role.value, str)
            if isinstance(value, Refusal):
                return value
            names[role.id.lower()] = value or None
    return names


def _any(*lists: list[Raw] | Refusal) -> bool | Refusal:
    """True if any list has an entry; false only if every list is present and empty."""
    refusals = [one for one in lists if isinstance(one, Refusal)]
    if any(one for one in lists if not isinstance(one, Refusal)):
        return True
    return refusals[0] if refusals else False


def _values(raw: Wire) -> list[str] | Refusal:
    """The names of published permissions, sorted; the id if there is no name."""
    found = read(raw, list[Published])
    if isinstance(found, Refusal):
        return found
    names = set()
    for one in found:
        value = None if is_null(one.value) or isinstance(one.value, UnsetType) else read(one.value, str)
        if isinstance(value, Refusal):
            return value
        names.add(value or one.id.lower())
    return sorted(names)


def _publisher(raw: Wire) -> str | Refusal | None:
    if is_null(raw):
        return None
    found = read(raw, Publisher)
    if isinstance(found, Refusal):
        return found
    if is_null(found.verified_publisher_id):
        return None
    id_ = read(found.verified_publisher_id, str)
    return id_ if isinstance(id_, Refusal) or is_null(found.display_name) else read(found.display_name, str)
