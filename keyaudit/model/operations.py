"""Every request that keyaudit may send, declared once: cloud/ sends nothing else, and a table's columns name these.

All of them read. None reads a secret's value, a private key, a backup or an export.
"""

from dataclasses import dataclass
from enum import StrEnum


class Surface(StrEnum):
    """Whose API it is; with the environment this gives the host, and which token goes there."""

    LOGIN = "login"
    ARM = "arm"
    GRAPH = "graph"
    VAULT = "vault"


class Paging(StrEnum):
    """How an operation's answer is continued."""

    NONE = "none"
    NEXT_LINK = "nextLink"
    ODATA = "@odata.nextLink"
    RESOURCE_GRAPH = "$skipToken"


class Throttle(StrEnum):
    """What a documented limit counts over: the throttling domain of a request."""

    NONE = "none"
    ARM_SUBSCRIPTION = "arm-subscription"
    RESOURCE_GRAPH = "resource-graph"
    VAULT = "vault"
    GRAPH = "graph"
    GRAPH_KEY_CREDENTIALS = "graph-key-credentials"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One read. `path` holds `{placeholders}`, each filled with one percent-encoded segment."""

    id: str
    noun: str
    """What it reads, for people: "rotation policies"."""
    surface: Surface
    method: str = "GET"
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    paging: Paging = Paging.NONE
    throttle: Throttle
    cost: int = 1
    """What one request weighs against the limit of its domain."""
    permission: str
    """The least that allows it, in Azure's words."""
    grant: str = ""
    """A command that grants it; `{scope}` is the scope's resource id, `{name}` its name, ASSIGNEE the reader's to fill in."""

    @property
    def api_version(self) -> str:
        """The version asked for: `api-version`, or the first segment of a Graph path."""
        for name, value in self.query:
            if name == "api-version":
                return value
        return self.path.split("/")[1] if self.surface is Surface.GRAPH else ""


# 2026-02-01 is the version that Microsoft documents for all clouds; those before it end on 2027-02-27.
# https://learn.microsoft.com/azure/key-vault/general/access-control-default
_ARM_VAULT = "2026-02-01"
_KEYS = (("api-version", "2025-07-01"),)
_KEYS_PAGE = (("api-version", "2025-07-01"), ("maxresults", "25"))
_ADVANCED = (("ConsistencyLevel", "eventual"),)

_READER = "Reader on the subscription"
_GRANT_READER = "az role assignment create --role Reader --scope {scope} --assignee ASSIGNEE"
_KEY_READER = "Key Vault Reader on the vault (or, under access policies, keys {0})"
_GRANT_KEY_READER = "az role assignment create --role 'Key Vault Reader' --scope {scope} --assignee ASSIGNEE"
_APPLICATIONS = "Application.Read.All on Microsoft Graph"

_VAULTS = "/subscriptions/{subscription}/providers/Microsoft.KeyVault/vaults"
_VAULT = "/subscriptions/{subscription}/resourceGroups/{resource_group}/providers/Microsoft.KeyVault/vaults/{vault}"

_APPLICATION_FIELDS = (
    "id,appId,displayName,createdDateTime,signInAudience,identifierUris,api,appRoles,keyCredentials,passwordCredentials"
)
_PRINCIPAL_FIELDS = (
    "id,appId,displayName,createdDateTime,accountEnabled,servicePrincipalType,appOwnerOrganizationId,"
    "preferredSingleSignOnMode,preferredTokenSigningKeyThumbprint,keyCredentials,passwordCredentials"
)


def _arm(id_: str, noun: str, path: str, *, paging: Paging = Paging.NONE, version: str = _ARM_VAULT) -> Operation:
    return Operation(
        id=id_,
        noun=noun,
        surface=Surface.ARM,
        path=path,
        query=(("api-version", version),),
        paging=paging,
        throttle=Throttle.ARM_SUBSCRIPTION,
        permission=_READER,
        grant=_GRANT_READER,
    )


def _key(id_: str, noun: str, path: str, right: str, *, paged: bool = False) -> Operation:
    return Operation(
        id=id_,
        noun=noun,
        surface=Surface.VAULT,
        path=path,
        query=_KEYS_PAGE if paged else _KEYS,
        paging=Paging.NEXT_LINK if paged else Paging.NONE,
        throttle=Throttle.VAULT,
        permission=_KEY_READER.format(right),
        grant=_GRANT_KEY_READER,
    )


def _graph(
    id_: str,
    noun: str,
    path: str,
    *,
    query: tuple[tuple[str, str], ...] = (),
    headers: tuple[tuple[str, str], ...] = (),
    throttle: Throttle = Throttle.GRAPH,
    cost: int = 1,
    permission: str = _APPLICATIONS,
) -> Operation:
    return Operation(
        id=id_,
        noun=noun,
        surface=Surface.GRAPH,
        path=path,
        query=query,
        headers=headers,
        paging=Paging.ODATA,
        throttle=throttle,
        cost=cost,
        permission=permission,
    )


_DECLARED = (
    Operation(
        id="login.metadata",
        noun="the tenant's sign-in metadata",
        surface=Surface.LOGIN,
        path="/{tenant}/v2.0/.well-known/openid-configuration",
        throttle=Throttle.NONE,
        permission="none",
    ),
    _arm("subscription.list", "subscriptions", "/subscriptions", paging=Paging.NEXT_LINK, version="2022-12-01"),
    Operation(
        id="vault.query",
        noun="vaults (Resource Graph)",
        surface=Surface.ARM,
        method="POST",
        path="/providers/Microsoft.ResourceGraph/resources",
        query=(("api-version", "2022-10-01"),),
        paging=Paging.RESOURCE_GRAPH,
        throttle=Throttle.RESOURCE_GRAPH,
        permission=_READER,
        grant=_GRANT_READER,
    ),
    _arm("vault.list", "vaults", _VAULTS, paging=Paging.NEXT_LINK),
    _arm("vault.get", "a vault", _VAULT),
    _arm("arm.key.list", "keys (control plane)", _VAULT + "/keys", paging=Paging.NEXT_LINK),
    _arm("arm.key.get", "a key (control plane)", _VAULT + "/keys/{key}"),
    _arm("arm.key.versions", "key versions (control plane)", _VAULT + "/keys/{key}/versions", paging=Paging.NEXT_LINK),
    _arm("arm.key.version", "a key version (control plane)", _VAULT + "/keys/{key}/versions/{version}"),
    _key("key.list", "keys", "/keys", "list", paged=True),
    _key("key.versions", "key versions", "/keys/{key}/versions", "list", paged=True),
    # An empty {version} leaves the trailing slash, which names the current version.
    _key("key.get", "key material's public facts", "/keys/{key}/{version}", "get"),
    _key("key.rotation_policy", "rotation policies", "/keys/{key}/rotationpolicy", "getrotationpolicy"),
    _graph(
        "organization.get",
        "the tenant",
        "/v1.0/organization",
        query=(("$select", "id,displayName,createdDateTime,verifiedDomains"),),
        permission="Organization.Read.All on Microsoft Graph",
    ),
    _graph(
        "domain.list",
        "domains",
        "/v1.0/domains",
        query=(("$select", "id,authenticationType,isDefault,isVerified"),),
        permission="Domain.Read.All on Microsoft Graph",
    ),
    _graph(
        "application.list",
        "applications",
        "/v1.0/applications",
        query=(("$select", _APPLICATION_FIELDS), ("$top", "999")),
        throttle=Throttle.GRAPH_KEY_CREDENTIALS,
        cost=2,
    ),
    _graph(
        "application.owners",
        "owners of applications",
        "/v1.0/applications",
        query=(("$select", "id"), ("$expand", "owners($select=id)"), ("$top", "999")),
        cost=3,
    ),
    # $expand returns about 20 related objects at most, and no link to the rest: an object with 20 is asked by itself.
    _graph(
        "application.owners_of",
        "owners of an application with many",
        "/v1.0/applications/{id}/owners",
        query=(("$select", "id"), ("$top", "999")),
    ),
    _graph(
        "application.federated",
        "applications with federated credentials",
        "/v1.0/applications",
        query=(
            ("$filter", "federatedIdentityCredentials/$count ne 0"),
            ("$count", "true"),
            ("$select", "id"),
            ("$top", "999"),
        ),
        headers=_ADVANCED,
        cost=2,
    ),
    _graph(
        "application.federated_of",
        "an application's federated credentials",
        "/v1.0/applications/{id}/federatedIdentityCredentials",
    ),
    _graph(
        "service_principal.list",
        "service principals",
        "/v1.0/servicePrincipals",
        query=(("$select", _PRINCIPAL_FIELDS), ("$top", "999")),
        throttle=Throttle.GRAPH_KEY_CREDENTIALS,
        cost=2,
    ),
    _graph(
        "service_principal.owners",
        "owners of service principals",
        "/v1.0/servicePrincipals",
        query=(("$select", "id"), ("$expand", "owners($select=id)"), ("$top", "999")),
        cost=3,
    ),
    _graph(
        "service_principal.owners_of",
        "owners of a service principal with many",
        "/v1.0/servicePrincipals/{id}/owners",
        query=(("$select", "id"), ("$top", "999")),
    ),
    _graph(
        "service_principal.federated",
        "service principals with federated credentials",
        "/v1.0/servicePrincipals",
        query=(
            ("$filter", "federatedIdentityCredentials/$count ne 0"),
            ("$count", "true"),
            ("$select", "id"),
            ("$top", "999"),
        ),
        headers=_ADVANCED,
        cost=2,
    ),
    _graph(
        "service_principal.federated_of",
        "a service principal's federated credentials",
        "/v1.0/servicePrincipals/{id}/federatedIdentityCredentials",
    ),
)

OPERATIONS: dict[str, Operation] = {operation.id: operation for operation in _DECLARED}
