"""The services that use a key, certificate or secret of a vault, each way of naming one declared once.

Where a declaration is silent, the service says nothing: without a member that proves the version in use, nobody can tell it.
Types are in the table resources of Resource Graph:
https://learn.microsoft.com/azure/governance/resource-graph/reference/supported-tables-resources
"""

from collections.abc import Mapping, Sequence

from keyaudit.model.consumers.keys import KEYS, WRAPPED
from keyaudit.model.consumers.kinds import KEY, QUERY, SECRET, Children, Consumer, Status
from keyaudit.model.consumers.secrets import SECRETS
from keyaudit.model.values.times import DAY

__all__ = [
    "CHILDREN",
    "DECLARED",
    "EXACT",
    "INTERVALS",
    "KEY",
    "NOUNS",
    "QUERY",
    "SECRET",
    "WRAPPED",
    "Children",
    "Consumer",
    "Status",
    "kinds",
    "reading",
]

DECLARED: Sequence[Consumer] = (*SECRETS, *KEYS)

NOUNS: Mapping[str, str] = {
    "storage": "storage account",
    "disk-encryption-set": "disk encryption set",
    "sql-server": "SQL server",
    "sql-managed-instance": "SQL managed instance",
    "cosmos-db": "Cosmos DB account",
    "service-bus": "Service Bus namespace",
    "event-hubs": "Event Hubs namespace",
    "cognitive-services": "Azure AI services account",
    "container-registry": "container registry",
    "app-configuration": "App Configuration store",
    "kubernetes": "AKS cluster",
    "disk": "disk",
    "virtual-machine": "virtual machine",
    "encrypted-disk": "encrypted disk",
    "encrypted-machine": "encrypted virtual machine",
    "certificate-order": "App Service certificate",
    "application-gateway": "application gateway",
    "api-management": "API Management service",
    "api-management-certificate": "certificate of API Management",
    "api-management-value": "named value of API Management",
    "app-service-certificate": "certificate of App Service",
    "container-apps-certificate": "certificate of Container Apps",
    "front-door": "certificate of Front Door",
    "cdn-domain": "custom domain of Azure CDN",
    "app-service": "setting of App Service",
    "container-app": "container app",
    "container-apps-job": "Container Apps job",
    "firewall-policy": "firewall policy",
    "machine-certificate": "certificate in virtual machine",
    "machine-extension": "Key Vault extension",
    "encryption-scope": "encryption scope",
    "sql-database": "SQL database",
    "postgresql": "PostgreSQL server",
    "mysql": "MySQL server",
    "databricks": "Databricks workspace",
    "synapse": "Synapse workspace",
    "machine-learning": "Machine Learning workspace",
    "data-factory": "data factory",
    "recovery-services": "Recovery Services vault",
    "data-explorer": "Data Explorer cluster",
    "batch": "Batch account",
    "automation": "Automation account",
    "netapp": "NetApp account",
}
"""Each kind of consumer, for people."""

INTERVALS: Mapping[str, int] = {
    # Azure Storage looks for a new version daily: https://learn.microsoft.com/azure/storage/common/customer-managed-keys-overview
    "storage": DAY,
    **{each.kind: each.interval for each in DECLARED if each.interval is not None},
}
"""How long a kind takes at most to follow a new version, where that is documented."""

EXACT = frozenset(("sql-server", "sql-managed-instance", "kubernetes", *(each.kind for each in DECLARED if each.exact)))
"""The kinds whose setting, with a version, is the version in use: such as the protector of a SQL server, and the key of a
cluster's key management service. https://learn.microsoft.com/rest/api/sql/encryption-protectors/get"""


def kinds(names: str) -> tuple[str, ...]:
    """The declared kinds of consumers of keys, or of secrets."""
    return tuple(dict.fromkeys(each.kind for each in DECLARED if each.names == names))


def reading(names: str) -> tuple[str, ...]:
    """The operations that return such consumers."""
    return tuple(dict.fromkeys((QUERY, *(each.operation for each in DECLARED if each.names == names))))


CHILDREN: Sequence[Consumer] = tuple({each.operation: each for each in DECLARED if each.children}.values())
"""One declaration for each list below a resource."""
