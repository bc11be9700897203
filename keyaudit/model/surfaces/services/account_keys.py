"""Resources with long-lived keys of their own, each type declared once, and the table of their keys.

One query of Resource Graph reads them, `service.query` in `model.operations.services`.
"""

import re
from collections.abc import Mapping, Sequence
from operator import not_

from msgspec import Struct, field

from keyaudit.model.schema.columns import Area, Table, duration, flag, in_test, mapping, text, time, vault_place, where_found
from keyaudit.model.schema.opens import UNLESS_IN_TEST
from keyaudit.model.schema.wire import At, translated
from keyaudit.model.values.times import DAY, HOUR

_SERVICE = ("service.query",)


class Account(Struct, frozen=True, kw_only=True):
    """A type of resource with keys. Members are in its properties; null means something only where "?" follows the name."""

    kind: str
    type: str
    """The resource type, as Azure spells it."""
    slots: Mapping[str, str] = field(default_factory=lambda: {"keys": ""})
    """Its keys, or all of them as one, each with the member that says when it was made; empty: the service records no dates."""
    accepted: At | bool | None = At("disableLocalAuth?", bool, not_, none=True)
    """Whether the service accepts its keys; None: Resource Graph does not show it."""
    members: Mapping[str, str] = {}
    """The members by what they are called here, if another type has one of the same name in other case."""
    terraform: str = ""
    """Its type in the provider azurerm, if a plan says no more of it than whether it accepts keys."""
    source: str
    """The documentation of these members, and of what null means."""


def _with_shared_key(modes: list[str]) -> bool:
    return "sharedkey" in [mode.lower() for mode in modes]


def _seconds(period: str) -> int:
    """A period as .NET writes it: days.hours:minutes:seconds."""
    match = _PERIOD.fullmatch(period)
    if match is None:
        raise ValueError("not a period")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return days * DAY + hours * HOUR + minutes * 60 + seconds


_PERIOD = re.compile(r"(?:(\d{1,8})\.)?([01]?\d|2[0-3]):([0-5]\d):([0-5]\d)", re.ASCII)
_POLICIES = "https://github.com/Azure/azure-policy/tree/master/built-in-policies/policyDefinitions"
# In the definitions of this name, a value other than true accepts keys.
_LOCAL_AUTH = f"{_POLICIES}/{{}}/DisableLocalAuth_AuditDeny.json"

ACCOUNTS: Sequence[Account] = (
    Account(
        kind="storage",
        type="Microsoft.Storage/storageAccounts",
        slots={"key1": "keyCreationTime?.key1?", "key2": "keyCreationTime?.key2?"},
        accepted=At("allowSharedKeyAccess?", bool, none=True),
        source="https://learn.microsoft.com/azure/storage/common/shared-key-authorization-prevent",
    ),
    Account(
        kind="cosmos-db",
        type="Microsoft.DocumentDB/databaseAccounts",
        # An account whose keys were never regenerated has an empty object here. Null is no such answer.
        slots={
            "primary": "keysMetadata.primaryMasterKey?.generationTime?",
            "secondary": "keysMetadata.secondaryMasterKey?.generationTime?",
            "primary-readonly": "keysMetadata.primaryReadonlyMasterKey?.generationTime?",
            "secondary-readonly": "keysMetadata.secondaryReadonlyMasterKey?.generationTime?",
        },
        source=f"{_POLICIES}/Cosmos%20DB/Cosmos_DisableLocalAuth_AuditDeny.json",
    ),
    Account(
        kind="service-bus",
        type="Microsoft.ServiceBus/namespaces",
        source=_LOCAL_AUTH.format("Service%20Bus"),
    ),
    Account(
        kind="event-hubs",
        type="Microsoft.EventHub/namespaces",
        source=_LOCAL_AUTH.format("Event%20Hub"),
    ),
    Account(
        kind="cognitive-services",
        type="Microsoft.CognitiveServices/accounts",
        source=f"{_POLICIES}/Azure%20Ai%20Services/DisableLocalAuth_Audit.json",
    ),
    Account(
        kind="container-registry",
        type="Microsoft.ContainerRegistry/registries",
        slots={"admin-user": ""},
        accepted=At("adminUserEnabled?", bool, none=False),
        source="https://learn.microsoft.com/azure/container-registry/container-registry-authentication",
    ),
    Account(
        kind="app-configuration",
        type="Microsoft.AppConfiguration/configurationStores",
        source=f"{_POLICIES}/App%20Configuration/DisableLocalAuth_Audit.json",
    ),
    Account(
        kind="kubernetes",
        type="Microsoft.ContainerService/managedClusters",
        slots={"local-accounts": ""},
        accepted=At("disableLocalAccounts?", bool, not_, none=True),
        source=f"{_POLICIES}/Kubernetes/AKS_DisableLocalAccounts_Deny.json",
    ),
    # It has no key in Azure.
    Account(
        kind="arc-kubernetes",
        type="Microsoft.Kubernetes/connectedClusters",
        slots={"none": ""},
        accepted=False,
        source="https://learn.microsoft.com/azure/azure-arc/kubernetes/workload-identity",
    ),
    Account(
        kind="openshift",
        type="Microsoft.RedHatOpenShift/openShiftClusters",
        slots={"none": ""},
        accepted=None,
        source="https://learn.microsoft.com/rest/api/openshift/open-shift-clusters/get",
    ),
    Account(
        kind="search",
        type="Microsoft.Search/searchServices",
        terraform="azurerm_search_service",
        source=_LOCAL_AUTH.format("Search"),
    ),
    Account(
        kind="event-grid-topic",
        type="Microsoft.EventGrid/topics",
        terraform="azurerm_eventgrid_topic",
        source=f"{_POLICIES}/Event%20Grid/Topics_DisableLocalAuth_AuditDeny.json",
    ),
    Account(
        kind="event-grid-domain",
        type="Microsoft.EventGrid/domains",
        terraform="azurerm_eventgrid_domain",
        source=f"{_POLICIES}/Event%20Grid/Domains_DisableLocalAuth_AuditDeny.json",
    ),
    Account(
        kind="event-grid-partner-namespace",
        type="Microsoft.EventGrid/partnerNamespaces",
        terraform="azurerm_eventgrid_partner_namespace",
        source=f"{_POLICIES}/Event%20Grid/PartnerNamespaces_DisableLocalAuth_AuditDeny.json",
    ),
    Account(
        kind="iot-hub",
        type="Microsoft.Devices/IotHubs",
        terraform="azurerm_iothub",
        source=f"{_POLICIES}/Internet%20of%20Things/IoTHub_DisableLocalAuth_AuditDeny.json",
    ),
    Account(
        kind="batch",
        type="Microsoft.Batch/batchAccounts",
        accepted=At("allowedAuthenticationModes?", list[str], _with_shared_key, none=True),
        terraform="azurerm_batch_account",
        source=f"{_POLICIES}/Batch/DisableLocalAuth_Audit.json",
    ),
    Account(
        kind="automation",
        type="Microsoft.Automation/automationAccounts",
        terraform="azurerm_automation_account",
        source=f"{_POLICIES}/Automation/Account_DisableLocalAuth_Audit.json",
    ),
    Account(
        kind="application-insights",
        type="Microsoft.Insights/components",
        accepted=At("disableLocalIngestion?", bool, not_, none=True),
        members={"disableLocalIngestion": "DisableLocalAuth"},
        terraform="azurerm_application_insights",
        source=f"{_POLICIES}/Monitoring/ApplicationInsightsComponents_DisableLocalAuth_Deny.json",
    ),
    Account(
        kind="machine-learning-endpoint",
        type="Microsoft.MachineLearningServices/workspaces/onlineEndpoints",
        accepted=At("authMode", str, translated({"key": True, "amltoken": False, "aadtoken": False})),
        source="https://learn.microsoft.com/azure/machine-learning/how-to-authenticate-online-endpoint",
    ),
    Account(
        kind="redis",
        type="Microsoft.Cache/Redis",
        accepted=At("disableAccessKeyAuthentication?", bool, not_, none=True),
        terraform="azurerm_redis_cache",
        source="https://learn.microsoft.com/rest/api/redis/redis/get",
    ),
    Account(
        kind="signalr",
        type="Microsoft.SignalRService/SignalR",
        terraform="azurerm_signalr_service",
        source=_LOCAL_AUTH.format("SignalR"),
    ),
    Account(
        kind="web-pubsub",
        type="Microsoft.SignalRService/WebPubSub",
        terraform="azurerm_web_pubsub",
        source=_LOCAL_AUTH.format("Web%20PubSub"),
    ),
)
"""Resources with account keys, with a token issuer of their own, or that sign in as an application."""

ACCOUNT_KEY = Table(
    name="account_key",
    order=130,
    area=Area.SERVICES,
    noun="account key",
    plural="account keys",
    meaning="one long-lived key of an account of another service, or a set of keys that Resource Graph does not distinguish",
    added_by=_SERVICE,
    opens=UNLESS_IN_TEST,
    columns=(
        *where_found(*_SERVICE),
        *vault_place(_SERVICE),
        text("kind", "the service", values=tuple(each.kind for each in ACCOUNTS)),
        text("account_id", "the account's resource id, in lower case"),
        text("slot", "which of the account's keys: key1, key2, primary, secondary, primary-readonly, secondary-readonly; "
            "keys, admin-user or local-accounts for all of them; empty for an Azure Arc cluster, which has no key in Azure, "
            "and for an OpenShift cluster, because Resource Graph does not show its keys"),
        mapping("tags", "the account's tags", _SERVICE, absent="it has no tags"),
        text("environment", "the tag env or environment, in lower case; else the subscription's environment in [environments]",
            absent="no such tag, and no matching setting", derived=True),
        flag("local_auth_enabled",
            "the service accepts these keys; if never set, it does, except for a registry's admin user", _SERVICE),
        flag("read_only", "the key is read-only", _SERVICE),
        flag("dated", "the service records the dates of its keys: storage and Cosmos DB do, so a key without a date is old"),
        # https://learn.microsoft.com/dotnet/api/azure.resourcemanager.cosmosdb.models.accountkeymetadata
        # https://learn.microsoft.com/azure/storage/common/sas-expiration-policy: null until the key is rotated
        time("created_on", "when the key was created or last regenerated", _SERVICE, past=True,
            absent="if dated, created before the service recorded dates (Cosmos DB: before 2022-06-18); else the service "
                "records no dates"),
        # A policy without its required member was not read.
        duration("expiry_period", "the age at which the account's policy reminds users to rotate; it does not enforce "
            "rotation", _SERVICE, wire=At("keyPolicy?.keyExpirationPeriodInDays", int, DAY.__mul__),
            absent="no policy, or a service without such policies"),
        # https://learn.microsoft.com/azure/storage/common/sas-expiration-policy
        duration("sas_period", "the longest validity of shared access signatures that the account's policy allows or logs",
            _SERVICE, wire=At("sasPolicy?.sasExpirationPeriod", str, _seconds),
            absent="no policy, or a service without such policies"),
        text("oidc_issuer", "URL of the cluster's own token issuer, which federated credentials may trust", _SERVICE,
            absent="not a cluster, or one without an issuer"),
        # https://learn.microsoft.com/rest/api/openshift/open-shift-clusters/get; one with managed identities lacks it
        text("client_id", "servicePrincipalProfile.clientId of an OpenShift cluster: the application that it signs in as",
            _SERVICE, absent="not an OpenShift cluster, or one with managed identities", guid=True),
        in_test("its subscription"),
    ),
)
