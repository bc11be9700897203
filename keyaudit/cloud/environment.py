"""Azure's clouds: hosts and token scopes."""

import re
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import fields


class Environment(Struct, frozen=True, kw_only=True):
    """One cloud. Hosts are bare names in lower case; tokens are requested for scopes."""

    name: str
    login: str
    arm: str
    arm_scope: str
    graph: str
    graph_scope: str
    vault_suffix: str
    """A vault's host is `<name>.<vault_suffix>`."""
    vault_scope: str
    hsm_suffix: str
    """A Managed HSM's host is `<name>.<hsm_suffix>`."""
    hsm_scope: str
    logs: str = ""
    """The host of the query API of Log Analytics; empty if not configured."""
    logs_scope: str = ""
    ingest_suffix: str = ""
    """Endpoints that take rows for Log Analytics are `<name>.<region>.<ingest_suffix>`; empty: nobody said where they are."""
    ingest_scope: str = ""

    @property
    def scopes(self) -> frozenset[str]:
        """Every scope for which a token may be requested in this cloud."""
        read = {self.arm_scope, self.graph_scope, self.vault_scope, self.hsm_scope, self.logs_scope}
        return frozenset({*read, self.ingest_scope}) - {""}


# The suffixes of vaults and HSMs: https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates
# The query API's new host in the public cloud takes tokens of the old one's audience:
# https://learn.microsoft.com/azure/azure-monitor/logs/api/access-api; azlogs of the Azure SDK for Go has the other clouds'.
# Ingestion: azingest of the same SDK has the audiences, Microsoft Learn's lists of firewall rules the hosts.
_DECLARED = (
    Environment(
        name="public",
        login="login.microsoftonline.com",
        arm="management.azure.com",
        arm_scope="https://management.azure.com/.default",
        graph="graph.microsoft.com",
        graph_scope="https://graph.microsoft.com/.default",
        vault_suffix="vault.azure.net",
        vault_scope="https://vault.azure.net/.default",
        hsm_suffix="managedhsm.azure.net",
        hsm_scope="https://managedhsm.azure.net/.default",
        logs="api.loganalytics.azure.com",
        logs_scope="https://api.loganalytics.io/.default",
        ingest_suffix="ingest.monitor.azure.com",
        ingest_scope="https://monitor.azure.com/.default",
    ),
    # azure.mgmt.core's table names management.core.usgovcloudapi.net as the audience of Azure Government's ARM.
    Environment(
        name="usgov",
        login="login.microsoftonline.us",
        arm="management.usgovcloudapi.net",
        arm_scope="https://management.core.usgovcloudapi.net/.default",
        graph="graph.microsoft.us",
        graph_scope="https://graph.microsoft.us/.default",
        vault_suffix="vault.usgovcloudapi.net",
        vault_scope="https://vault.usgovcloudapi.net/.default",
        hsm_suffix="managedhsm.usgovcloudapi.net",
        hsm_scope="https://managedhsm.usgovcloudapi.net/.default",
        logs="api.loganalytics.us",
        logs_scope="https://api.loganalytics.us/.default",
        ingest_suffix="ingest.monitor.azure.us",
        ingest_scope="https://monitor.azure.us/.default",
    ),
    Environment(
        name="dod",
        login="login.microsoftonline.us",
        arm="management.usgovcloudapi.net",
        arm_scope="https://management.core.usgovcloudapi.net/.default",
        graph="dod-graph.microsoft.us",
        graph_scope="https://dod-graph.microsoft.us/.default",
        vault_suffix="vault.usgovcloudapi.net",
        vault_scope="https://vault.usgovcloudapi.net/.default",
        hsm_suffix="managedhsm.usgovcloudapi.net",
        hsm_scope="https://managedhsm.usgovcloudapi.net/.default",
        logs="api.loganalytics.us",
        logs_scope="https://api.loganalytics.us/.default",
        ingest_suffix="ingest.monitor.azure.us",
        ingest_scope="https://monitor.azure.us/.default",
    ),
    Environment(
        name="china",
        login="login.chinacloudapi.cn",
        arm="management.chinacloudapi.cn",
        arm_scope="https://management.chinacloudapi.cn/.default",
        graph="microsoftgraph.chinacloudapi.cn",
        graph_scope="https://microsoftgraph.chinacloudapi.cn/.default",
        vault_suffix="vault.azure.cn",
        vault_scope="https://vault.azure.cn/.default",
        hsm_suffix="managedhsm.azure.cn",
        hsm_scope="https://managedhsm.azure.cn/.default",
        logs="api.loganalytics.azure.cn",
        logs_scope="https://api.loganalytics.azure.cn/.default",
        ingest_suffix="ingest.monitor.azure.cn",
        ingest_scope="https://monitor.azure.cn/.default",
    ),
)

ENVIRONMENTS: dict[str, Environment] = {environment.name: environment for environment in _DECLARED}

_HOST = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_SCOPE = re.compile(rf"https://{_HOST.pattern}/\.default")
_HOSTS = ("login", "arm", "graph", "vault_suffix", "hsm_suffix")
_OPTIONAL = ("logs", "ingest_suffix")
MEMBERS = tuple(field.name for field in fields(Environment) if field.name != "name")
"""The settings of a custom cloud."""


def custom(name: str, members: Mapping[str, str]) -> Environment:
    """A custom cloud. `members` are some of `MEMBERS`: every host, and the scopes that differ from their host.

    Without `logs` no logs can be queried, and without `ingest_suffix` nothing can be shipped. Raises ValueError, beginning with
    the member, for a missing or invalid host, because a token is sent to each.
    """
    _check(members)
    named = [member for member in (*_HOSTS, *_OPTIONAL) if member in members]
    usual = {
        f"{member.removesuffix('_suffix')}_scope": f"https://{members[member]}/.default"
        for member in named
        if member != "login"
    }
    made = {**usual, **members}
    hosts = [made[member] for member in named]
    for host in hosts:
        for suffix in (made["vault_suffix"], made["hsm_suffix"]):
            if host.endswith(f".{suffix}"):
                raise ValueError(f"{suffix}: {host} would be a vault's host")
    if len(set(hosts)) != len(hosts):
        raise ValueError("login: two services on one host")
    return Environment(name=name, **made)


def _check(members: Mapping[str, str]) -> None:
    """Raises ValueError for a member that is missing beside the others, or is no host or scope."""
    missing = [member for member in _HOSTS if member not in members]
    if missing:
        raise ValueError(f"{missing[0]}: missing; a cloud needs {', '.join(_HOSTS)}")
    for member, value in members.items():
        if not (_SCOPE if member.endswith("_scope") else _HOST).fullmatch(value):
            form = "https://HOST/.default" if member.endswith("_scope") else "a bare host name in lower case"
            raise ValueError(f"{member}: not {form}")
    if "logs_scope" in members and "logs" not in members:
        raise ValueError("logs: missing, and logs_scope names what its tokens are for")
    for member, other in (("ingest_suffix", "ingest_scope"), ("ingest_scope", "ingest_suffix")):
        # The audience of these tokens is not the host that they go to.
        if member in members and other not in members:
            raise ValueError(f"{other}: missing, and {member} is given")
