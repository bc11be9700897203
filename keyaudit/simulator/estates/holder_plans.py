"""Plans of applications and service principals in days before the audit, each with the defects it was given."""

from typing import TypeAlias

from msgspec import Struct

FOREVER = -1
"""A lifetime until the end of year 9999, which people enter for "never expires"."""

GITHUB = "https://token.actions.githubusercontent.com"
MICROSOFT_SERVICES = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"
MICROSOFT = "72f988bf-86f1-41af-91ab-2d7cd011db47"


class Secret(Struct, frozen=True):
    """A client secret created `age` days ago, valid for `life` days; None: without end, FOREVER: year 9999."""

    age: int
    life: int | None
    name: str | None = None
    finds: tuple[str, ...] = ()


class Certificate(Struct, frozen=True):
    """A certificate. Holders with the same `shared` have the same one. `real` false: random bytes."""

    age: int
    life: int
    shared: str | None = None
    type: str = "AsymmetricX509Cert"
    real: bool = True
    bits: int = 2_048
    finds: tuple[str, ...] = ()


class Saml(Struct, frozen=True):
    """A SAML signing certificate of an application: the entries Sign and Verify, and their password.

    Holders with the same `shared` have the same one. `digest`: the hash of its signature; `issuer`: self-signed if empty.
    """

    age: int
    life: int = 1_095
    preferred: bool = False
    shared: str | None = None
    digest: str = "sha256"
    issuer: str = ""
    finds: tuple[str, ...] = ()


class Federated(Struct, frozen=True):
    """A federated credential. `{tenant}` in an issuer is the tenant's id; an `expression` replaces the subject."""

    name: str
    issuer: str
    subject: str | None = None
    audiences: tuple[str, ...] = ("api://AzureADTokenExchange",)
    finds: tuple[str, ...] = ()
    expression: str | None = None


CredentialPlan: TypeAlias = Secret | Certificate | Saml | Federated


class PrincipalPlan(Struct, frozen=True, kw_only=True):
    """A service principal. One of an application here takes its name and ids from it; `home` None: it has no application."""

    name: str = ""
    app_id: str | None = None
    age: int = 700
    type: str = "Application"
    home: str | None = None
    enabled: bool | None = True
    sso_mode: str | None = None
    credentials: tuple[CredentialPlan, ...] = ()
    owners: tuple[str, ...] = ()
    agent: str = ""


PLAIN_PRINCIPAL = PrincipalPlan()


class ApplicationPlan(Struct, frozen=True, kw_only=True):
    """An application, with its service principal unless that is None. `finds`: the policies that must find the application.

    `owners` are users by their alias, `owner_apps` applications by name, whose service principals own it.
    """

    name: str
    age: int = 700
    audience: str = "AzureADMyOrg"
    uri: bool = False
    scopes: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    mapped_claims: bool | None = None
    uris: tuple[str, ...] = ()
    """Identifier URIs, beside those of `uri`."""
    token_version: int | None = 2
    redirects: tuple[str, ...] = ()
    native_redirects: tuple[str, ...] = ()
    implicit_tokens: bool = False
    publisher: str | None = None
    """The name of its verified publisher."""
    credentials: tuple[CredentialPlan, ...] = ()
    owners: tuple[str, ...] = ()
    owner_apps: tuple[str, ...] = ()
    principal: PrincipalPlan | None = PLAIN_PRINCIPAL
    finds: tuple[str, ...] = ()
