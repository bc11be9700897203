"""Permissions of applications and service principals, and their last uses."""

from msgspec import Struct

from keyaudit.simulator.estate.directory import FederatedCredential


class AppRoleGrant(Struct, frozen=True, kw_only=True):
    """An app role of an API, granted to a service principal; both by object id."""

    principal_id: str
    resource_id: str
    role_id: str
    created: int | None = None


class Consent(Struct, frozen=True, kw_only=True):
    """Delegated permissions of an API for a client, by object id; `user` None: for everyone."""

    client_id: str
    resource_id: str
    permissions: tuple[str, ...]
    user: str | None = None


class DirectoryRole(Struct, frozen=True, kw_only=True):
    """A directory role; `actions` are what it allows."""

    id: str
    name: str
    built_in: bool = True
    actions: tuple[str, ...] = ()


class DirectoryRoleGrant(Struct, frozen=True, kw_only=True):
    """An assignment of a directory role; `scope` as Graph writes it: /, /administrativeUnits/{id} or /{object id}."""

    principal_id: str
    role_id: str
    scope: str = "/"
    eligible: bool = False
    start: int | None = None
    end: int | None = None


class SignIn(Struct, frozen=True, kw_only=True):
    """An application's last sign-ins, as Entra's report has them; None: it has none of that kind."""

    app_id: str
    delegated: int | None = None
    """As a client, with a user."""
    app_only: int | None = None
    """As a client, without a user."""
    resource: int | None = None
    """As the API that was called."""


class CredentialUse(Struct, frozen=True, kw_only=True):
    """The last use of a credential for one resource, as Entra's report has it."""

    key_id: str
    app_id: str
    last: int | None
    resource_id: str
    on_principal: bool = False
    certificate: bool = False
    end: int | None = None


class ManagedIdentity(Struct, frozen=True, kw_only=True):
    """A user-assigned managed identity. Its service principal shows the same federated credentials, unless Graph lags."""

    name: str
    subscription: str
    resource_group: str
    principal_id: str
    client_id: str
    location: str = "westeurope"
    federated: tuple[FederatedCredential, ...] = ()
    isolation: str = "None"
    limited_to: tuple[str, ...] = ()
    """The kinds of resources that alone can be given it."""
    stable_only: bool = False
    """Its region refuses preview versions of the API."""
