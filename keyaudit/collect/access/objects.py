"""Users, groups and service principals from Graph, as rows of principals."""

from collections.abc import Mapping

from msgspec import UNSET, Struct, UnsetType, field, structs

from keyaudit.collect.entra.holders import home_of
from keyaudit.collect.rows import Row
from keyaudit.collect.wire import CONTRADICTED, Wire, is_null, read
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.entra.principal import PRINCIPAL

_KINDS = {"user": "user", "agentUser": "user", "group": "group", "device": "device", "orgContact": "contact"}
_APPLICATIONS = frozenset({"servicePrincipal", "agentIdentity", "agentIdentityBlueprintPrincipal"})
_PREFIX = "#microsoft.graph."
_HIDDEN = "hiddenmembership"
ODATA_TYPES = frozenset(_PREFIX + kind for kind in (*_KINDS, *_APPLICATIONS))
"""Every `@odata.type` of a directory object that is known."""

_OF_USERS = ("user_principal_name", "user_type")
_TOLD = ("name", "kind", "user_principal_name", "user_type", "app_id", "enabled", "home")


class ObjectItem(Struct, rename="camel"):
    """A directory object of any kind. If the identity may not read its kind, everything except id and kind is null.

    An object without a kind is quarantined: it could be a group whose members would then not be read.
    """

    id: str
    type: str = field(name="@odata.type")
    display_name: Wire = UNSET
    user_principal_name: Wire = UNSET
    user_type: Wire = UNSET
    account_enabled: Wire = UNSET
    app_id: Wire = UNSET
    service_principal_type: Wire = UNSET
    app_owner_organization_id: Wire = UNSET
    visibility: Wire = UNSET

    @property
    def kind(self) -> str | Refusal:
        """The value of the column `kind`."""
        plain = self.type.removeprefix(_PREFIX)
        if plain not in _APPLICATIONS:
            return _KINDS.get(plain, plain)
        if is_null(self.service_principal_type):
            return Refusal(Reason.PERMISSION)
        kind = read(self.service_principal_type, str)
        return kind if isinstance(kind, Refusal) else "managed-identity" if kind == "ManagedIdentity" else "service-principal"

    @property
    def is_group(self) -> bool:
        """Whether it is certainly a group."""
        return self.kind == "group"

    @property
    def why_hidden(self) -> Reason | None:
        """Why a group without visible members may have some; None if its members are visible."""
        if is_null(self.visibility):
            # Most groups have no visibility. It is also null if the identity may not read the group.
            return Reason.PERMISSION if is_null(self.display_name) else None
        visibility = read(self.visibility, str)
        if isinstance(visibility, Refusal):
            return visibility.reason
        return Reason.PERMISSION if visibility.lower() == _HIDDEN else None


def without_default_properties(item: ObjectItem) -> ObjectItem:
    """An object that was read by itself, while a look-up left it out.

    Such a read has only Graph's default properties: for a user, neither userType nor accountEnabled. These are inconsistent.
    https://learn.microsoft.com/graph/api/user-get
    """
    return structs.replace(item, **{name: CONTRADICTED for name, value in structs.asdict(item).items() if value is UNSET})


def principal_row(tenant_id: str, object_id: str, *, scope_id: str, url: str, version: str) -> Row:
    """A new row of a principal, not yet known as a group with listed members."""
    resource_id = f"/tenants/{tenant_id}/principals/{object_id}"
    row = Row(PRINCIPAL, id=resource_id, resource_id=resource_id, scope_id=scope_id, url=url, version=version)
    row.put_all(object_id=object_id.lower(), members_listed=None)
    return row


def put_object(row: Row, item: ObjectItem, tenant_id: str) -> None:
    """Fill the columns from an object of Graph."""
    kind = item.kind
    if isinstance(kind, Refusal):
        row.refuse(_TOLD, kind.reason)
        return
    row.put("kind", kind)
    row.clear((*_OF_USERS, "app_id", "enabled"))
    _put(row, "name", item.display_name, limited=kind in ("user", "group") and is_null(item.display_name))
    if kind == "user":
        _put_user(row, item)
    elif kind in ("service-principal", "managed-identity"):
        row.put_all(app_id=item.app_id, enabled=item.account_enabled)
        row.put_read("home", home_of(item.app_owner_organization_id, item.service_principal_type, tenant_id))
    else:
        row.put("home", "own")


def put_deleted(row: Row) -> None:
    """Fill the columns of a principal that the directory does not have."""
    row.clear(_TOLD)
    row.put_all(kind="deleted", home="none")


def put_foreign_group(row: Row) -> None:
    """Fill the columns of a group of another tenant, such as a partner's, which this tenant's directory does not show."""
    row.clear(_TOLD)
    row.put_all(kind="foreign-group", home="foreign")
    row.refuse(("name", "members_listed"), Reason.NOT_VISIBLE)


def put_unread(row: Row, reason: Reason) -> None:
    """Make the columns from Graph unknown."""
    row.refuse(_TOLD, reason)


def put_known(row: Row, held: Mapping[str, object], unknown: Mapping[str, str]) -> None:
    """Fill the columns from the row of a service principal."""
    row.clear(_OF_USERS)
    for column in ("name", "app_id", "enabled", "home"):
        _take(row, column, held.get(column), unknown.get(column))
    kind = "managed-identity" if held.get("principal_type") == "ManagedIdentity" else "service-principal"
    _take(row, "kind", kind, unknown.get("principal_type"))


def _take(row: Row, column: str, value: object, reason: str | None) -> None:
    if reason is not None:
        row.refuse((column,), Reason(reason))
    else:
        row.put(column, value)


def _put_user(row: Row, item: ObjectItem) -> None:
    # Every user has these: null means that the identity may not read users.
    limited = is_null(item.user_principal_name)
    _put(row, "user_principal_name", item.user_principal_name, limited=limited)
    _put(row, "user_type", item.user_type, limited=limited)
    _put(row, "enabled", item.account_enabled, limited=limited)
    upn, kind = read(item.user_principal_name, str), read(item.user_type, str)
    if not isinstance(upn, Refusal) and "#ext#" in upn.lower():
        # Regardless of userType, this user signs in to another tenant.
        row.put("home", "foreign")
    elif isinstance(upn, Refusal) or isinstance(kind, Refusal):
        reason = next(found.reason for found in (upn, kind) if isinstance(found, Refusal))
        row.refuse(("home",), Reason.PERMISSION if limited else reason)
    else:
        row.put("home", "foreign" if kind.lower() == "guest" else "own")


def _put(row: Row, column: str, raw: Wire, *, limited: bool) -> None:
    if limited and not isinstance(raw, UnsetType) and is_null(raw):
        row.refuse((column,), Reason.PERMISSION)
    else:
        row.put(column, raw)
