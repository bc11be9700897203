"""What an operation is: one read, where it goes, how it is continued, what it weighs, and what allows it."""

import re
from dataclasses import dataclass
from enum import StrEnum

_ACCESS_POLICY = re.compile(r"under access policies, ([a-z]+) ([a-z]+)")


class Surface(StrEnum):
    """Whose API it is; with the environment this gives the host, and which token goes there."""

    LOGIN = "login"
    ARM = "arm"
    GRAPH = "graph"
    VAULT = "vault"
    MANAGED_HSM = "managed-hsm"
    LOGS = "logs"
    """The query API of Log Analytics."""


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
    GRAPH_REPORTS = "graph-reports"
    LOGS = "logs"


class Rights(StrEnum):
    """Who gives a right: each has its own roles, and its own way to grant them."""

    NONE = "none"
    AZURE = "azure"
    """A role assignment in Azure Resource Manager, which vaults under RBAC honour too."""
    GRAPH = "graph"
    """An application permission on Microsoft Graph, with an administrator's consent."""
    HSM = "hsm"
    """A local role of one Managed HSM: no role in Azure Resource Manager gives it."""
    ENTRA = "entra"
    """A right over the tenant itself, above every subscription: an administrator of the directory has to give it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """The least right that allows a read. `name` is the role's or permission's, in Azure's words."""

    rights: Rights
    name: str = "none"
    on: str = ""
    """Where it has to be given, for people: "the subscription"."""
    otherwise: str = ""
    """What allows it where `rights` does not reach: "under access policies, keys get"."""
    data_action: str = ""
    """Of a local role: the one data action that a custom role has to give, where no built-in role that only reads has it."""

    @property
    def text(self) -> str:
        """For people: "Reader on the subscription"."""
        role = f"local role {f'with {self.data_action}' if self.data_action else self.name}"
        name = role if self.rights is Rights.HSM else self.name
        named = f"{name} on {self.on}" if self.on else name
        return f"{named} (or, {self.otherwise})" if self.otherwise else named

    @property
    def access_policy(self) -> tuple[str, str] | None:
        """What a vault under access policies has to allow instead, if that does: a kind of object, and a permission on it."""
        match = _ACCESS_POLICY.fullmatch(self.otherwise)
        return (match[1], match[2]) if match else None

    @property
    def command(self) -> str:
        """A command that grants it, or empty. `{scope}` is the scope's resource id, `{name}` its name; ASSIGNEE is open."""
        role = f"'{self.name}'" if " " in self.name else self.name
        if self.rights is Rights.AZURE:
            return f"az role assignment create --role {role} --scope {{scope}} --assignee ASSIGNEE"
        if self.rights is Rights.HSM and not self.data_action:
            return f"az keyvault role assignment create --hsm-name {{name}} --role {role} --scope / --assignee ASSIGNEE"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One read. `path` and `query` hold `{placeholders}`, each filled with one percent-encoded segment."""

    id: str
    noun: str
    """What it reads, for people: "rotation policies"."""
    surface: Surface
    method: str = "GET"
    path: str
    query: tuple[tuple[str, str], ...] = ()
    query_elsewhere: tuple[tuple[str, str], ...] = ()
    """Its query in clouds other than the global one, which lack members that it selects; empty: the same."""
    headers: tuple[tuple[str, str], ...] = ()
    paging: Paging = Paging.NONE
    throttle: Throttle
    cost: int = 1
    """What one request weighs against the limit of its domain."""
    right: Right
    not_in: tuple[str, ...] = ()
    """The clouds that do not have it, by name: there it is not sent, and reads as not_in_cloud."""
    makes: bool = False
    """It makes what is then read: its answer has status 201, and it is sent again only where it was one too many."""
    after: tuple[str, ...] = ()
    """The operations whose answers say where to ask it, or of what: without one of them it may never be asked."""
    never_empty: str = ""
    """Why its list holds something wherever it is asked for, as a sentence; empty: it may have nothing in it."""
    command: str = ""
    """The command that alone sends it, where that is not the reading of a whole tenant."""

    @property
    def permission(self) -> str:
        """The least that allows it, in Azure's words."""
        return self.right.text

    @property
    def grant(self) -> str:
        """A command that grants that, with the placeholders of `Right.command`; empty where there is none."""
        return self.right.command

    @property
    def api_version(self) -> str:
        """The version asked for: `api-version`, or the first segment of a path of Graph or of Log Analytics."""
        for name, value in self.query:
            if name == "api-version":
                return value
        return self.path.split("/")[1] if self.surface in (Surface.GRAPH, Surface.LOGS) else ""


@dataclass(frozen=True, slots=True)
class Family:
    """The operations of one file, `DECLARED`, as they are listed for people: under a name, the lowest `order` first."""

    name: str
    order: int


GLOBAL_CLOUD = "public"
OTHER_CLOUDS = ("usgov", "dod", "china")
"""What is documented for the global service alone is not in these."""

READER = Right(rights=Rights.AZURE, name="Reader", on="the subscription")
APPLICATIONS = Right(rights=Rights.GRAPH, name="Application.Read.All", on="Microsoft Graph")

# 2026-02-01 is the version that Microsoft documents for all clouds; those before it end on 2027-02-27.
# https://learn.microsoft.com/azure/key-vault/general/access-control-default
KEY_VAULT_ARM = "2026-02-01"
KEY_VAULT_DATA = ("api-version", "2025-07-01")

SUBSCRIPTIONS = ("subscription.list",)
VAULTS = ("vault.query", "vault.list")
HSMS = ("hsm.query", "hsm.list")
"""What leads to each subscription, vault and Managed HSM."""

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
) -> Operation:
    """A GET of Azure Resource Manager: of every subscription, unless `after` names what leads to it."""
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
    )


def resource_graph(id_: str, noun: str, *, right: Right = READER, never_empty: str = "") -> Operation:
    """A query of Resource Graph over every subscription; its text is the collector's."""
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
    )


def vault_object(
    id_: str,
    noun: str,
    path: str,
    *,
    otherwise: str,
    query: tuple[tuple[str, str], ...] = (),
    paged: bool = False,
    after: tuple[str, ...] = (),
) -> Operation:
    """A GET of a vault's data plane, of every vault unless `after` names what leads to it.

    `otherwise`: what allows it under access policies.
    """
    return Operation(
        id=id_,
        noun=noun,
        surface=Surface.VAULT,
        path=path,
        query=(KEY_VAULT_DATA, *((("maxresults", "25"),) if paged else ()), *query),
        paging=Paging.NEXT_LINK if paged else Paging.NONE,
        throttle=Throttle.VAULT,
        right=Right(rights=Rights.AZURE, name="Key Vault Reader", on="the vault", otherwise=otherwise),
        after=after or VAULTS,
    )


def graph(
    id_: str,
    noun: str,
    path: str,
    *,
    query: tuple[tuple[str, str], ...] = (),
    query_elsewhere: tuple[tuple[str, str], ...] = (),
    headers: tuple[tuple[str, str], ...] = (),
    paging: Paging = Paging.ODATA,
    throttle: Throttle = Throttle.GRAPH,
    cost: int = 1,
    right: Right = APPLICATIONS,
    not_in: tuple[str, ...] = (),
    after: tuple[str, ...] = (),
    never_empty: str = "",
) -> Operation:
    """A GET of Microsoft Graph; `path` begins with its version."""
    return Operation(
        id=id_,
        noun=noun,
        surface=Surface.GRAPH,
        path=path,
        query=query,
        query_elsewhere=query_elsewhere,
        headers=headers,
        paging=paging,
        throttle=throttle,
        cost=cost,
        right=right,
        not_in=not_in,
        after=after,
        never_empty=never_empty,
    )


def graph_right(name: str) -> Right:
    """An application permission on Microsoft Graph."""
    return Right(rights=Rights.GRAPH, name=name, on="Microsoft Graph")
