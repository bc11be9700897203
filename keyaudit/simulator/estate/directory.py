"""Domains, applications and service principals, with their credentials and settings."""

from msgspec import Struct

from keyaudit.simulator.estate.token_signing import Federation


class KeyCredential(Struct, frozen=True, kw_only=True):
    """A certificate or symmetric key of an application or service principal."""

    key_id: str
    start: int | None
    end: int | None
    usage: str = "Verify"
    type: str = "AsymmetricX509Cert"
    display_name: str | None = None
    thumbprint: str | None = None
    """customKeyIdentifier, upper-case hex."""
    certificate: bytes | None = None
    """The public certificate in DER; None for a value that is not a certificate."""


class PasswordCredential(Struct, frozen=True, kw_only=True):
    """A client secret, without its value."""

    key_id: str
    start: int | None
    end: int | None
    display_name: str | None = None
    thumbprint: str | None = None
    """customKeyIdentifier: set where it protects a SAML certificate."""


class FederatedCredential(Struct, frozen=True, kw_only=True):
    """A federated identity credential; `subject` is None if it has a claims-matching expression instead."""

    id: str
    name: str
    issuer: str
    subject: str | None
    audiences: tuple[str, ...] = ("api://AzureADTokenExchange",)
    claims_expression: str | None = None


class Inheritable(Struct, frozen=True, kw_only=True):
    """Which permissions of an API agents inherit from their blueprint, by name; None: all of them."""

    api: str
    """The API's client id."""
    scopes: tuple[str, ...] | None = ()
    roles: tuple[str, ...] | None = ()


class Application(Struct, frozen=True, kw_only=True):
    """An application registration."""

    id: str
    app_id: str
    name: str | None
    created: int | None
    audience: str = "AzureADMyOrg"
    identifier_uris: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    """Values of api.oauth2PermissionScopes."""
    roles: tuple[str, ...] = ()
    """Values of appRoles."""
    passwords: tuple[PasswordCredential, ...] = ()
    keys: tuple[KeyCredential, ...] = ()
    federated: tuple[FederatedCredential, ...] = ()
    owners: tuple[str, ...] = ()
    lock: dict[str, bool] | None = None
    """servicePrincipalLockConfiguration; None: never set."""
    verified_publisher: str | None = None
    created_by_app: str | None = None
    preauthorized: tuple[str, ...] = ()
    """App ids of clients that need no consent."""
    accepts_mapped_claims: bool | None = None
    public_client: bool | None = None
    token_version: int | None = 2
    template: str | None = None
    """The application template of the gallery that it was made from."""
    encryption_key: str | None = None
    """tokenEncryptionKeyId."""
    reply_urls: tuple[str, ...] = ()
    """web.redirectUris."""
    spa_urls: tuple[str, ...] = ()
    native_urls: tuple[str, ...] = ()
    """publicClient.redirectUris."""
    implicit_tokens: bool = False
    blueprint: bool = False
    """Whether it is a blueprint of agent identities."""
    sponsors: tuple[str, ...] = ()
    """Of a blueprint: object ids of users."""
    inheritable: tuple[Inheritable, ...] = ()


class AppRole(Struct, frozen=True, kw_only=True):
    """An app role that a service principal publishes."""

    id: str
    value: str | None
    members: tuple[str, ...] = ("Application",)


class ServicePrincipal(Struct, frozen=True, kw_only=True):
    """A service principal."""

    id: str
    app_id: str
    name: str | None
    created: int | None
    type: str = "Application"
    home_tenant: str | None = None
    enabled: bool | None = True
    sso_mode: str | None = None
    preferred_thumbprint: str | None = None
    passwords: tuple[PasswordCredential, ...] = ()
    keys: tuple[KeyCredential, ...] = ()
    federated: tuple[FederatedCredential, ...] = ()
    owners: tuple[str, ...] = ()
    app_roles: tuple[AppRole, ...] = ()
    alternative_names: tuple[str, ...] = ()
    """Of a managed identity: isExplicit=True or False, and the ARM id."""
    tags: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """servicePrincipalNames, in addition to its client id."""
    template: str | None = None
    assignment_required: bool = False
    verified_publisher: str | None = None
    created_by_app: str | None = None
    agent: str = ""
    """Among agents: agentIdentity, agentIdentityBlueprintPrincipal, or neither."""
    blueprint: str | None = None
    """Of an agent identity: the client id of its blueprint."""
    sponsors: tuple[str, ...] = ()
    """Of an agent identity: object ids of users."""


class Domain(Struct, frozen=True, kw_only=True):
    """A domain of the tenant."""

    name: str
    federated: bool = False
    default: bool = False
    initial: bool = False
    federation: Federation | None = None
