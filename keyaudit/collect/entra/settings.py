"""Settings of applications and service principals that depend on the cloud, or on more than one list."""

from msgspec import UNSET, Raw, Struct

from keyaudit.collect.rows import Row
from keyaudit.collect.wire import Wire, decoded, is_null, read
from keyaudit.model.coverage import Refusal
from keyaudit.model.operations import GLOBAL_CLOUD
from keyaudit.model.reasons import Reason
from keyaudit.model.schema.wire import Unreadable
from keyaudit.model.values.guid import GUID


class AppRole(Struct, rename="camel"):
    """An app role of an API."""

    id: str
    value: Wire = UNSET
    allowed_member_types: Wire = UNSET


class Api(Struct, rename="camel"):
    """The API settings of an application."""

    oauth2_permission_scopes: Wire = UNSET


class Publisher(Struct, rename="camel"):
    """A verified publisher; an application without one has the member with nulls."""

    display_name: Wire = UNSET
    verified_publisher_id: Wire = UNSET


def put_exposes(row: Row, api: Wire, roles: Wire) -> None:
    """Fill `exposes_api`: true if any list has an entry; false only if every list is present and empty."""
    found = read(api, Api)
    scopes = found if isinstance(found, Refusal) else read(found.oauth2_permission_scopes, list[Raw])
    lists = (scopes, read(roles, list[Raw]))
    refusals = [each for each in lists if isinstance(each, Refusal)]
    some = any(each for each in lists if not isinstance(each, Refusal))
    row.put_read("exposes_api", True if some else refusals[0] if refusals else False)


def put_identifiers(row: Row, uris: Wire, app_id: Wire, tenant_id: str) -> None:
    """Fill the column of the identifier URIs that hold neither the application's id nor the tenant's."""
    row.make("uris_without_id", _uris_without_id, uris, app_id, tenant_id)


def _uris_without_id(uris: Wire, app_id: Wire, tenant_id: str) -> list[str]:
    listed, own = decoded(uris, list[str]), decoded(app_id, str)
    if not GUID.fullmatch(own):
        raise Unreadable
    return sorted({uri for uri in listed if not any(id_ in uri.lower() for id_ in (own.lower(), tenant_id.lower()))})


def put_makers(row: Row, cloud: str, *, publisher: Wire, created_by: Wire) -> None:
    """Fill the columns of publisher and creator, which only the global cloud has."""
    if cloud == GLOBAL_CLOUD:
        row.make("verified_publisher", _publisher, publisher)
        row.put("created_by_app", created_by)
    else:
        row.refuse(("verified_publisher", "created_by_app"), Reason.NOT_IN_CLOUD)


def roles_for_applications(roles: Wire) -> dict[str, str | None] | Refusal:
    """App roles for applications: id in lower case to name; None without a name."""
    found = read(roles, list[AppRole])
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


def _publisher(raw: Wire) -> str | None:
    found = None if is_null(raw) else decoded(raw, Publisher)
    if found is None or is_null(found.verified_publisher_id):
        return None
    id_ = decoded(found.verified_publisher_id, str)
    return id_ if is_null(found.display_name) else decoded(found.display_name, str)
