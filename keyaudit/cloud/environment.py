"""Azure's clouds as a table: which host serves what, and which token goes there."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """One cloud. Hosts are bare names in lower case; scopes are what a token is asked for."""

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

    @property
    def scopes(self) -> frozenset[str]:
        """Every scope that a token may be asked for in this cloud."""
        return frozenset({self.arm_scope, self.graph_scope, self.vault_scope, self.hsm_scope})


# The suffixes of vaults and HSMs: https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates
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
    ),
)

ENVIRONMENTS: dict[str, Environment] = {environment.name: environment for environment in _DECLARED}
