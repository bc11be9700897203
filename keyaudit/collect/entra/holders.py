"""Holders of credentials: applications, service principals and managed identities."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from keyaudit.collect.rows import Row
from keyaudit.collect.wire import Wire, is_null, read
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.schema.columns import Table
from keyaudit.model.tables.entra.service_principal import MICROSOFT_TENANTS, WITHOUT_OWNER
from keyaudit.model.values.guid import GUID

PATHS: Mapping[str, str] = {"application": "applications", "service_principal": "servicePrincipals"}
"""The collection of each kind of holder, in Graph's spelling."""


OF_HOLDER = frozenset({"holder_name", "app_id", "holder_type", "holder_home", "holder_names", "holder_domain_name"})
"""The columns of a credential about its holder, as far as they can be unknown."""


class Holder(Struct, frozen=True, kw_only=True):
    """A holder of credentials. A refusal in place of a value says why it is unknown."""

    kind: str
    tenant_id: str
    object_id: str
    url: str
    version: str
    name: Wire | Refusal
    app_id: Wire | Refusal
    type: Wire | str | Refusal
    home: str | Refusal
    arm_id: str = ""
    """The ARM id of a managed identity from ARM."""
    names: Sequence[str] | Refusal = ()
    """The servicePrincipalNames of a service principal."""

    @property
    def resource_id(self) -> str:
        """Its id in Azure's spelling; in lower case it is the row's id."""
        return self.arm_id or f"/tenants/{self.tenant_id}/{PATHS[self.kind]}/{self.object_id}"

    def credential_id(self, key_id: str) -> str:
        """The id of one of its credentials."""
        return f"{self.resource_id}/credentials/{key_id}"

    def federated_id(self, key_id: str, name: Wire) -> str:
        """The id of one of its federated credentials.

        Graph has an id for those of managed identities, ARM has none: both have the principal and the name, which never
        changes. https://learn.microsoft.com/graph/api/resources/federatedidentitycredential
        """
        named = read(name, str)
        if self.kind == "application" or isinstance(named, Refusal):
            return self.credential_id(key_id)
        principal = f"/tenants/{self.tenant_id}/servicePrincipals/{self.object_id}" if self.object_id else self.resource_id
        return f"{principal}/federatedIdentityCredentials/{named}"

    @property
    def scope_id(self) -> str:
        """The tenant's scope."""
        return f"/tenants/{self.tenant_id}".lower()

    def row(self, table: Table) -> Row:
        """A new row of the holder itself."""
        resource_id = self.resource_id
        return Row(table, id=resource_id, resource_id=resource_id, scope_id=self.scope_id, url=self.url, version=self.version)

    def put(self, row: Row) -> None:
        """Fill the holder's columns in the row of a credential."""
        row.put_all(holder_id=self.resource_id.lower(), holder_name=self.name, app_id=self.app_id)

    def put_names(self, row: Row) -> None:
        """Fill the columns about its names in the row of a credential."""
        row.put_read("holder_names", self.names if isinstance(self.names, Refusal) else sorted(set(self.names)))
        row.put_read("holder_domain_name", self._has_domain_name())

    def _has_domain_name(self) -> bool | Refusal:
        if isinstance(self.names, Refusal) or not self.names:
            return self.names if isinstance(self.names, Refusal) else False
        app_id = self.app_id if isinstance(self.app_id, Refusal) else read(self.app_id, str)
        if isinstance(app_id, Refusal):
            return app_id
        return any(name.lower().startswith(f"{app_id.lower()}/*.") for name in self.names)


def unseen_holder(kind: str, tenant_id: str, object_id: str, *, url: str, version: str, refusal: Refusal) -> Holder:
    """A holder whose id alone is known."""
    return Holder(
        kind=kind,
        tenant_id=tenant_id,
        object_id=object_id,
        url=url,
        version=version,
        name=refusal,
        app_id=refusal,
        type=refusal,
        home=refusal,
        names=refusal,
    )


def home_of(owner: Wire, kind: Wire, tenant_id: str) -> str | Refusal:
    """The origin of a service principal's application, by its home tenant: own, microsoft, foreign or none.

    none: Graph has no owner, and this `kind` of service principal (servicePrincipalType) needs none. An Application has one.
    """
    if is_null(owner):
        type_ = read(kind, str)
        if isinstance(type_, Refusal):
            return type_
        return "none" if type_ in WITHOUT_OWNER else Refusal(Reason.BAD_VALUE)
    found = read(owner, str)
    if isinstance(found, Refusal):
        return found
    if found.lower() == tenant_id.lower():
        return "own"
    if not GUID.fullmatch(found):
        return Refusal(Reason.BAD_VALUE)
    return "microsoft" if found.lower() in MICROSOFT_TENANTS else "foreign"
