"""A tenant whose logs go to each kind of place, under every rule that an application may meet."""

from msgspec.structs import replace

from keyaudit.simulator.estate import (
    AlertRule,
    AppManagementPolicy,
    Logs,
    LogTable,
    ManagedHsm,
    Posture,
    Restriction,
    Restrictions,
    SentinelRule,
    Workspace,
)
from tests.collect.estate import (
    APPLICATIONS,
    AS_OF,
    DAY,
    ESTATE,
    FIRST,
    FIRST_ID,
    PRINCIPALS,
    SECOND,
    SUBSCRIPTION,
)

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg-logs"
MAIN = f"{GROUP}/providers/microsoft.operationalinsights/workspaces/log-main"
BRIEF = f"{GROUP}/providers/microsoft.operationalinsights/workspaces/log-brief"
STORAGE = f"{GROUP}/providers/microsoft.storage/storageaccounts/archive"
HUB = f"{GROUP}/providers/microsoft.eventhub/namespaces/siem/authorizationrules/send"
GROUPS = f"{GROUP}/providers/microsoft.insights/actiongroups/ag"
HSM_ID = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg-hsm/providers/microsoft.keyvault/managedhsms/hsm-main"
POLICY = "b0000000-0000-4000-8000-000000000001"


def setting(place: str, name: str, *logs: dict[str, object], **properties: object) -> dict[str, object]:
    """A diagnostic setting, whose id begins with `place`."""
    places = dict.fromkeys(("workspaceId", "storageAccountId", "eventHubAuthorizationRuleId"))
    return {
        "id": f"{place}/diagnosticSettings/{name}",
        "name": name,
        "properties": {"logs": list(logs), **places, **properties},
    }


def log(category: str | None = None, *, group: str | None = None, enabled: bool = True) -> dict[str, object]:
    """One log of a setting. The retention beside it is a retired feature, which must change nothing."""
    retention = {"enabled": True, "days": 3_650}
    return {"category": category, "categoryGroup": group, "enabled": enabled, "retentionPolicy": retention}


def of_vault(vault: str, name: str, *logs: dict[str, object], **properties: object) -> dict[str, object]:
    """A setting of a vault."""
    return setting(f"{vault}/providers/microsoft.insights", name, *logs, **properties)


AUDITED = replace(
    FIRST,
    diagnostic_settings=(
        of_vault(
            FIRST_ID,
            "Audit",
            log(group="audit"),
            log("AzurePolicyEvaluationDetails", enabled=False),
            workspaceId=MAIN.upper(),
            storageAccountId=STORAGE,
            logAnalyticsDestinationType="Dedicated",
        ),
        of_vault(FIRST_ID, "siem", log("AuditEvent"), eventHubAuthorizationRuleId=HUB, logAnalyticsDestinationType=None),
    ),
)
HSM = ManagedHsm(
    name="hsm-main",
    subscription=SUBSCRIPTION,
    resource_group="rg-hsm",
    diagnostic_settings=(of_vault(HSM_ID, "audit", log("AuditEvent"), workspaceId=MAIN),),
)
POSTURE = Posture(
    default_enabled=True,
    for_applications=Restrictions(
        passwords=(
            Restriction(type="passwordAddition", state="disabled"),
            Restriction(type="passwordLifetime", max_lifetime="P181D", created_after=AS_OF - 100 * DAY),
            Restriction(type="customPasswordAddition", exempt=(("Ops_Role", "builder"),)),
        ),
        keys=(Restriction(type="asymmetricKeyLifetime", max_lifetime="P366D"),),
    ),
    policies=(
        AppManagementPolicy(
            id=POLICY,
            name="exception",
            enabled=False,
            restrictions=Restrictions(passwords=(Restriction(type="passwordAddition"),)),
            assigned_to=(PRINCIPALS[0].id, APPLICATIONS[1].id),
        ),
    ),
    users_register_apps=False,
    invites_from="adminsAndGuestInviters",
    security_defaults=False,
)
ANALYTICS = (
    SentinelRule(id="fusion", name="Advanced Multistage Attack Detection", kind="Fusion", query=None),
    SentinelRule(id="r1", name="domain federated", query='AuditLogs | where OperationName =~ "Set domain authentication"'),
    SentinelRule(id="r2", name="keys, nobody told", kind="NRT", query="AZKVAuditLogs | take 1", incident=False),
    SentinelRule(id="r3", name="off", query="AZKVAuditLogs | take 1", enabled=False),
)
LOGS = Logs(
    workspaces=(
        Workspace(
            name="log-main",
            subscription=SUBSCRIPTION,
            resource_group="rg-logs",
            tables=(
                LogTable(name="AZKVAuditLogs", retention_days=180, total_days=730),
                LogTable(name="AuditLogs", plan="Basic", retention_days=30, total_days=365),
            ),
        ),
        Workspace(name="log-brief", subscription=SUBSCRIPTION, resource_group="rg-logs", retention_days=30, sentinel=ANALYTICS),
    ),
    entra_settings=(
        setting("providers/microsoft.aadiam", "Entra", log("AuditLogs"), log("SignInLogs", enabled=False), workspaceId=MAIN),
        setting("providers/microsoft.aadiam", "archive", log("ManagedIdentitySignInLogs"), storageAccountId=STORAGE),
    ),
    alert_rules=(
        AlertRule(
            name="vault-gone",
            subscription=SUBSCRIPTION,
            resource_group="Rg-Logs",
            operation="Microsoft.KeyVault/vaults/delete",
            action_group=GROUPS,
        ),
        AlertRule(
            name="credential-added",
            subscription=SUBSCRIPTION,
            resource_group="rg-logs",
            query='AuditLogs | where OperationName has "Certificates and secrets management"',
            enabled=False,
        ),
        AlertRule(name="cpu", subscription=SUBSCRIPTION, resource_group="rg-logs", query="Perf | take 1", action_group=GROUPS),
    ),
)
LOGGED = replace(
    ESTATE,
    subscriptions=(
        replace(
            ESTATE.subscriptions[0],
            activity_settings=(
                setting(
                    f"subscriptions/{SUBSCRIPTION}/providers/AzureResourceManager",
                    "export",
                    log("Administrative"),
                    log("Security", enabled=False),
                    workspaceId=BRIEF,
                ),
            ),
            defender="Standard",
        ),
        replace(ESTATE.subscriptions[1], state="Disabled"),
    ),
    vaults=(AUDITED, SECOND),
    hsms=(HSM,),
    posture=POSTURE,
    logs=LOGS,
)
