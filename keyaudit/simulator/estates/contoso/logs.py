"""Destinations of Contoso's logs: mostly its security workspace; some are not exported, not searchable, or kept too short."""

from collections.abc import Iterable

from msgspec.structs import replace

from keyaudit.simulator.estate import AlertRule, Logs, LogTable, ManagedHsm, Plant, SentinelRule, Subscription, Vault, Workspace
from keyaudit.simulator.estates.defects import (
    ACTIVITY_LOG_KEPT_NOWHERE,
    DEFENDER_OFF,
    ENTRA_LOGS_MISSING,
    NO_KEY_ALERTS,
    RETENTION_SHORT,
)
from keyaudit.simulator.estates.ids import DAY, Ground
from keyaudit.simulator.estates.log_plans import GROUP, PLATFORM, setting, storage_id, workspace_id
from keyaudit.simulator.estates.logs.objects import objects
from keyaudit.simulator.estates.logs.workspaces import Held
from keyaudit.simulator.estates.logs.year import Year

_ENTRA_ON = (
    "AuditLogs",
    "SignInLogs",
    "NonInteractiveUserSignInLogs",
    "ManagedIdentitySignInLogs",
    "RiskyServicePrincipals",
    "ServicePrincipalRiskEvents",
    "MicrosoftGraphActivityLogs",
)
_ENTRA_OFF = ("ServicePrincipalSignInLogs", "ProvisioningLogs", "ADFSSignInLogs")
_ACTIVITY = ("Administrative", "Security", "Alert", "Policy")
_A_YEAR = (
    "AADManagedIdentitySignInLogs",
    "AADNonInteractiveUserSignInLogs",
    "AADRiskyServicePrincipals",
    "AADServicePrincipalRiskEvents",
    "AzureDiagnostics",
    "SigninLogs",
)
"""The tables of the security workspace with a year of retention, searchable as long as the other tables."""
_TABLES = {
    "log-security": (
        "AZKVAuditLogs",
        "AzureDiagnostics",
        "AADManagedIdentitySignInLogs",
        "SigninLogs",
        "AuditLogs",
        "OfficeActivity",
        "AzureActivity",
    ),
    "log-people": ("AzureDiagnostics",),
    "log-archive": ("AZKVAuditLogs",),
}
"""The tables with events. Sign-ins of applications are not in any table, only in Graph."""
_BRIEF = (
    ("log-security", "AzureActivity"),
    ("log-security", "MicrosoftGraphActivityLogs"),
    ("log-people", "AzureDiagnostics"),
    ("log-archive", "AZKVAuditLogs"),
)
"""The tables that are retained, or searchable, for too short a time."""


def contoso_logs(ground: Ground, vaults: Iterable[Vault], hsms: Iterable[ManagedHsm]) -> Logs:
    """The workspaces, the exported logs of Entra, and the alert rules."""
    platform = ground.guid("subscription", PLATFORM)
    group = f"/subscriptions/{platform}/resourceGroups/{GROUP}/providers/microsoft.insights/actionGroups/ag-security"
    security = workspace_id(ground, "log-security")
    # The last day of the year is yesterday, so that no event is in the future.
    year = Year(ground=ground, first=ground.as_of - 365 * DAY, objects=objects(vaults, hsms))

    return Logs(
        events=Held(year=year, tables=_TABLES),
        workspaces=(
            Workspace(
                name="log-security",
                subscription=platform,
                resource_group=GROUP,
                retention_days=90,
                sentinel=(
                    SentinelRule(id=ground.guid("rule", "fusion"), name="Fusion", kind="Fusion", query=None),
                    # It was turned off after a false alarm.
                    SentinelRule(
                        id=ground.guid("rule", "domain federated"),
                        name="domain federated",
                        query='AuditLogs | where OperationName has "Set domain authentication"',
                        enabled=False,
                    ),
                ),
                tables=(
                    LogTable(name="AZKVAuditLogs", retention_days=180, total_days=730),
                    LogTable(name="AuditLogs", retention_days=180, total_days=730),
                    LogTable(name="MicrosoftGraphActivityLogs", plan="Basic", retention_days=30, total_days=90),
                    *(LogTable(name=name, total_days=365) for name in _A_YEAR),
                ),
            ),
            Workspace(name="log-people", subscription=platform, resource_group=GROUP, retention_days=30),
            Workspace(
                name="log-archive",
                subscription=platform,
                resource_group=GROUP,
                tables=(LogTable(name="AZKVAuditLogs", plan="Basic", retention_days=30, total_days=365),),
            ),
        ),
        entra_settings=(
            setting("providers/microsoft.aadiam", "entra-to-sentinel", _ENTRA_ON, off=_ENTRA_OFF, workspace=security),
            setting(
                "providers/microsoft.aadiam", "entra-archive", ("AuditLogs",), storage=storage_id(ground, "stcontosoaudit")
            ),
        ),
        alert_rules=(
            _rule(ground, "kv-vault-deleted", operation="Microsoft.KeyVault/vaults/delete", group=group),
            _rule(
                ground,
                "kv-key-purged-or-backed-up",
                query='AZKVAuditLogs | where OperationName in ("KeyPurge", "KeyBackup", "KeyRelease")',
                group=group,
            ),
            _rule(
                ground,
                "app-credential-added",
                query='AuditLogs | where OperationName has "Certificates and secrets management"',
            ),
            _rule(
                ground,
                "kv-denied-by-firewall",
                query='AzureDiagnostics | where ResourceProvider == "MICROSOFT.KEYVAULT" and httpStatusCode_d == 403',
                group=group,
                enabled=False,
            ),
            _rule(
                ground, "shop-latency", query="AppRequests | summarize avg(DurationMs) by bin(TimeGenerated, 5m)", group=group
            ),
        ),
    )


def logged(subscription: Subscription, ground: Ground) -> Subscription:
    """The subscription with its activity log's settings and its Defender plan."""
    # ARM writes these ids without a leading slash.
    place = f"subscriptions/{subscription.id}/providers/AzureResourceManager"
    if subscription.name == "contoso-nonprod":
        # A setting exists, but without the category for role assignments; and Defender was never registered.
        health = setting(place, "health", ("ServiceHealth",), off=_ACTIVITY, storage=storage_id(ground, "stcontosohealth"))
        return replace(subscription, activity_settings=(health,), defender=None)
    exported = setting(place, "activity-to-sentinel", _ACTIVITY, workspace=workspace_id(ground, "log-security"))
    defender = "Standard" if subscription.name == "contoso-prod" else "Free"
    return replace(subscription, activity_settings=(exported,), defender=defender)


def log_plants(ground: Ground) -> set[Plant]:
    """The planted defects of logging, except for those of vaults."""
    tenant, nonprod = f"/tenants/{ground.tenant}", f"/subscriptions/{ground.guid('subscription', 'contoso-nonprod')}"
    return {
        Plant(ENTRA_LOGS_MISSING, tenant),
        # One of the matching rules has no action group.
        Plant(NO_KEY_ALERTS, tenant),
        Plant(ACTIVITY_LOG_KEPT_NOWHERE, nonprod),
        Plant(DEFENDER_OFF, nonprod),
        Plant(DEFENDER_OFF, f"/subscriptions/{ground.guid('subscription', PLATFORM)}"),
        *(Plant(RETENTION_SHORT, f"{workspace_id(ground, workspace)}/tables/{name}".lower()) for workspace, name in _BRIEF),
    }


def _rule(
    ground: Ground, name: str, *, operation: str | None = None, query: str = "", group: str | None = None, enabled: bool = True
) -> AlertRule:
    return AlertRule(
        name=name,
        subscription=ground.guid("subscription", PLATFORM),
        resource_group=GROUP,
        operation=operation,
        query=query,
        action_group=group,
        enabled=enabled,
    )
