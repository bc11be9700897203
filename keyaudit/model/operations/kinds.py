"""The type of an operation: one read, with its host, paging, throttling cost and required permission."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import partial

from msgspec import Struct

from keyaudit.model.operations.about import ROWS, WHOLE_TENANT, About, Named


class Surface(StrEnum):
    """The API that is called. Together with the environment it determines the host and the token."""

    LOGIN = "login"
    ARM = "arm"
    GRAPH = "graph"
    VAULT = "vault"
    MANAGED_HSM = "managed-hsm"
    LOGS = "logs"
    """The query API of Log Analytics."""


class Paging(StrEnum):
    """How the pages of an answer continue."""

    NONE = "none"
    NEXT_LINK = "nextLink"
    NULL_LINK = "nextLink: null"
    """A `nextLink` that is in every page, and null in the last: so answers Key Vault in every recorded list of keys, secrets,
    certificates and what was deleted of them."""
    ODATA = "@odata.nextLink"
    RESOURCE_GRAPH = "$skipToken"


class Throttle(StrEnum):
    """The throttling domain of a request: what a documented limit is counted over."""

    NONE = "none"
    ARM_SUBSCRIPTION = "arm-subscription"
    RESOURCE_GRAPH = "resource-graph"
    VAULT = "vault"
    GRAPH = "graph"
    GRAPH_KEY_CREDENTIALS = "graph-key-credentials"
    GRAPH_REPORTS = "graph-reports"
    LOGS = "logs"


class Rights(StrEnum):
    """The system that grants a permission: each has its own roles, and its own way to assign them."""

    NONE = "none"
    AZURE = "azure"
    """A role assignment in Azure Resource Manager, which RBAC vaults use too."""
    GRAPH = "graph"
    """An application permission on Microsoft Graph, with an administrator's consent."""
    HSM = "hsm"
    """A local role of one Managed HSM; Azure Resource Manager cannot grant it."""
    ENTRA = "entra"
    """A permission on the tenant itself, above every subscription, which only a directory administrator can grant."""


class AccessPolicy(Struct, frozen=True):
    """A permission in a vault's access policies, by Key Vault's names: on "keys", "list"."""

    kind: str
    permission: str


class Right(Struct, frozen=True, kw_only=True):
    """The least permission that allows a read. `name` is Azure's name of the role or permission."""

    rights: Rights
    name: str = "none"
    on: str = ""
    """Where it has to be granted, for people: "the subscription"."""
    access_policy: AccessPolicy | None = None
    """The equivalent in a vault that uses access policies."""
    data_action: str = ""
    """For a local role: the data action that a custom role needs, if no built-in role that only reads has it."""

    @property
    def role(self) -> str:
        """For people: "Reader on the subscription"."""
        role = f"local role {f'with {self.data_action}' if self.data_action else self.name}"
        name = role if self.rights is Rights.HSM else self.name
        return f"{name} on {self.on}" if self.on else name

    @property
    def text(self) -> str:
        """The role and its equivalent in access policies."""
        equivalent = self.access_policy
        return either(self.role, {equivalent.kind: (equivalent.permission,)} if equivalent else {})

    @property
    def command(self) -> str:
        """A command that grants it, or empty. `{scope}` is the scope's resource id, `{name}` its name; the reader fills in
        ASSIGNEE.
        """
        role = f"'{self.name}'" if " " in self.name else self.name
        if self.rights is Rights.AZURE:
            return f"az role assignment create --role {role} --scope {{scope}} --assignee ASSIGNEE"
        if self.rights is Rights.HSM and not self.data_action:
            return f"az keyvault role assignment create --hsm-name {{name}} --role {role} --scope / --assignee ASSIGNEE"
        return ""


def either(role: str, allowed: Mapping[str, Iterable[str]]) -> str:
    """For people: "Key Vault Reader on the vault (or, under access policies, keys list, get; secrets list)".

    `allowed`: the permissions in access policies by kind of object.
    """
    kinds = "; ".join(f"{kind} {', '.join(permissions)}" for kind, permissions in allowed.items())
    return f"{role} (or, under access policies, {kinds})" if kinds else role


class Recording(Struct, frozen=True):
    """A published recording of a real answer, in which the members that are read were seen."""

    origin: str
    """The repository or package that it is in: "Azure/azure-cli"."""
    name: str
    """The name of the recorded test there."""
    year: int
    kept: bool = False
    """Whether tests/recorded has it, so that the tests read it."""

    def __str__(self) -> str:
        return f"{self.origin}, {self.name} ({self.year})"


class Operation(Struct, frozen=True):
    """One read. `path` and `query` contain `{placeholders}`, each filled with one percent-encoded segment."""

    id: str
    noun: str
    """What it reads, for people: "rotation policies"."""
    path: str
    surface: Surface
    throttle: Throttle
    right: Right
    method: str = "GET"
    query: tuple[tuple[str, str], ...] = ()
    query_elsewhere: tuple[tuple[str, str], ...] = ()
    """Its query in clouds that lack members which it selects in the global one; empty: the same."""
    dispensable: tuple[str, ...] = ()
    """Members that it selects and that no metadata documents: a list that is refused with status 400 is asked for again without
    them, and in its items they are unknown.
    """
    headers: tuple[tuple[str, str], ...] = ()
    paging: Paging = Paging.NONE
    cost: int = 1
    """The cost of one request against the limit of its domain."""
    not_in: tuple[str, ...] = ()
    """The names of the clouds that do not have it: there it is not sent, and its result is not_in_cloud."""
    makes: bool = False
    """Whether it creates the object that is then read: its answer has status 201, and it is repeated only after throttling."""
    after: tuple[str, ...] = ()
    """The operations whose answers supply its scopes or parameters: without one of them it may never be sent."""
    never_empty: str = ""
    """Why its list is never empty, as a sentence; empty: it may be."""
    evidence: str = ""
    """The name in `model.evidence` of the optional evidence that it reads: without its right, nothing else is unknown."""
    discloses: bool = False
    """Whether its answers hold values that are not read: they are never kept on disk."""
    command: str = ""
    """The only command that sends it, if it is not part of reading a tenant."""
    about: About = WHOLE_TENANT
    """How its answers name the object asked for."""
    recording: Recording | None = None
    """Where a real answer was seen; None: its form rests on documentation. Declared in `RECORDED` of a file, by id."""

    def __post_init__(self) -> None:
        one_of_many = "{" in self.path or self.surface in (Surface.VAULT, Surface.MANAGED_HSM)
        if one_of_many and self.about is WHOLE_TENANT:
            raise ValueError(f"{self.id} is sent for one object of many, and does not say how a response names it")

    @property
    def permission(self) -> str:
        """The least permission that allows it, by Azure's name."""
        return self.right.text

    @property
    def grant(self) -> str:
        """A command that grants that permission, with the placeholders of `Right.command`; empty if there is none."""
        return self.right.command

    @property
    def api_version(self) -> str:
        """The API version: `api-version`, or the first path segment for Graph and Log Analytics."""
        for name, value in self.query:
            if name == "api-version":
                return value
        return self.path.split("/")[1] if self.surface in (Surface.GRAPH, Surface.LOGS) else ""


AZURE_CLI = "Azure/azure-cli"
SDK_ASSETS = "Azure/azure-sdk-assets"
MGMT_KEYVAULT = "PyPI azure-mgmt-keyvault 9.3.0"
"""Origins of recordings."""


class Family(Struct, frozen=True):
    """The heading of a file's operations (`DECLARED`) in lists for people; the lowest `order` is first."""

    name: str
    order: int


PROTECTION = Family("protection of workloads", order=115)

GLOBAL_CLOUD = "public"
OTHER_CLOUDS = ("usgov", "dod", "china")
"""The clouds without operations that are documented for the global service only."""

READER = Right(rights=Rights.AZURE, name="Reader", on="the subscription")
APPLICATIONS = Right(rights=Rights.GRAPH, name="Application.Read.All", on="Microsoft Graph")

# Microsoft documents 2026-02-01 for all clouds; earlier versions are retired on 2027-02-27.
# https://learn.microsoft.com/azure/key-vault/general/access-control-default
KEY_VAULT_ARM = "2026-02-01"
KEY_VAULT_DATA = ("api-version", "2025-07-01")
KEY_VAULT_EXTERNAL = ("api-version", "2026-04-01")
"""The first stable version with `external_key` and the EKM connection of a Managed HSM."""
KEY_VAULT_PREVIEW = ("api-version", "2026-05-01-preview")
"""The first version with the key types AKP and AKP-HSM (ML-DSA)."""

SUBSCRIPTIONS = ("subscription.list",)
VAULTS = ("vault.query", "vault.list")
HSMS = ("hsm.query", "hsm.list")
"""The operations that find subscriptions, vaults and Managed HSMs."""

ADVANCED = (("ConsistencyLevel", "eventual"),)
"""The header that Graph's advanced queries need."""


def arm(
    id_: str,
    noun: str,
    path: str,
    *,
    version: str,
    paging: Paging = Paging.NONE,
    right: Right = READER,
    not_in: tuple[str, ...] = (),
    after: tuple[str, ...] = (),
    about: About | None = None,
    discloses: bool = False,
) -> Operation:
    """A GET of Azure Resource Manager, for every subscription unless `after` names other prerequisites.

    `about`: how an answer names its object, if not by the `id` that Resource Manager gives every resource.
    `discloses`: as in `Operation`.
    """
    return Operation(
        id=id_,
        noun=noun,
        surface=Surface.ARM,
        path=path,
        query=(("api-version", version),),
        paging=paging,
        throttle=Throttle.ARM_SUBSCRIPTION,
        right=right,
        not_in=not_in,
        after=after or (SUBSCRIPTIONS if "{subscription}" in path else ()),
        about=about or _by_id(path, paging),
        discloses=discloses,
    )


def _by_id(path: str, paging: Paging) -> About:
    if "{" not in path:
        return WHOLE_TENANT
    # The ids in a list for a subscription contain resource groups, which its path does not.
    below = paging is not Paging.NONE and "{resource_group}" not in path
    return Named("id", "/subscriptions/{subscription}" if below else "")


def resource_graph(id_: str, noun: str, *, right: Right = READER, never_empty: str = "") -> Operation:
    """A query of Resource Graph over every subscription; the collector supplies the query text."""
    return Operation(
        id=id_,
        noun=noun,
        surface=Surface.ARM,
        method="POST",
        path="/providers/Microsoft.ResourceGraph/resources",
        query=(("api-version", "2022-10-01"),),
        paging=Paging.RESOURCE_GRAPH,
        throttle=Throttle.RESOURCE_GRAPH,
        right=right,
        after=SUBSCRIPTIONS,
        never_empty=never_empty,
        about=ROWS,
    )


TOGETHER = "resource_graph.query"
"""The query that stands for several others of Resource Graph."""


def vault_object(
    id_: str,
    noun: str,
    path: str,
    *,
    access_policy: AccessPolicy,
    about: Named,
    query: tuple[tuple[str, str], ...] = (),
    paged: bool = False,
    version: tuple[str, str] = KEY_VAULT_DATA,
    after: tuple[str, ...] = (),
) -> Operation:
    """A GET of a vault's data plane, for every vault unless `after` names other prerequisites."""
    return Operation(
        id=id_,
        noun=noun,
        surface=Surface.VAULT,
        path=path,
        query=(version, *((("maxresults", "25"),) if paged else ()), *query),
        paging=Paging.NULL_LINK if paged else Paging.NONE,
        throttle=Throttle.VAULT,
        right=Right(rights=Rights.AZURE, name="Key Vault Reader", on="the vault", access_policy=access_policy),
        after=after or VAULTS,
        about=about,
    )


graph = partial(Operation, surface=Surface.GRAPH, paging=Paging.ODATA, throttle=Throttle.GRAPH, right=APPLICATIONS)
"""A GET of Microsoft Graph: id, noun, and the path, which begins with its version; then keywords."""


def graph_right(name: str) -> Right:
    """An application permission on Microsoft Graph."""
    return Right(rights=Rights.GRAPH, name=name, on="Microsoft Graph")
