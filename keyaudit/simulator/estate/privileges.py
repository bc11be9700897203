"""What applications and service principals may do, and when they last did it."""

from dataclasses import dataclass

from keyaudit.simulator.estate.directory import FederatedCredential


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """An application's last sign-ins, as Entra's report has them; None: it has none of that kind."""

    app_id: str
    delegated: int | None = None
    """As a client, with a user."""
    app_only: int | None = None
    """As a client, without a user."""
    resource: int | None = None
    """As the API that was called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialUse:
    """The last use of a credential for one resource, as Entra's report has it."""

    key_id: str
    app_id: str
    last: int | None
    resource_id: str
    on_principal: bool = False
    certificate: bool = False
    end: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedIdentity:
    """A user-assigned managed identity. Its service principal shows the same federated credentials, unless Graph lags."""

    name: str
    subscription: str
    resource_group: str
    principal_id: str
    client_id: str
    location: str = "westeurope"
    federated: tuple[FederatedCredential, ...] = ()
