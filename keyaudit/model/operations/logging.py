"""Reads of diagnostic settings, log retention and alert rules."""

from keyaudit.model.operations.about import Named
from keyaudit.model.operations.kinds import (
    AZURE_CLI,
    HSMS,
    VAULTS,
    Family,
    Paging,
    Recording,
    Right,
    Rights,
    arm,
    resource_graph,
)

_SUBSCRIPTION = "/subscriptions/{subscription}"
_GROUP = _SUBSCRIPTION + "/resourceGroups/{resource_group}"
_VAULT = _GROUP + "/providers/Microsoft.KeyVault/vaults/{vault}"
_HSM = _GROUP + "/providers/Microsoft.KeyVault/managedHSMs/{vault}"
_SETTINGS = "/providers/Microsoft.Insights/diagnosticSettings"
_SETTINGS_VERSION = "2021-05-01-preview"
"""All API versions of diagnostic settings are previews. https://learn.microsoft.com/rest/api/monitor/diagnostic-settings"""

_WORKSPACE = _GROUP + "/providers/Microsoft.OperationalInsights/workspaces/{workspace}"
_WORKSPACE_VERSION = "2023-09-01"
_OF_WORKSPACE = Right(rights=Rights.AZURE, name="Reader", on="the Log Analytics workspace")

# Microsoft documents the action, and that a Security Administrator configures these settings, but not the least role that can
# read them. Roles on subscriptions do not apply.
_OF_TENANT = Right(
    rights=Rights.ENTRA,
    name="microsoft.aadiam/diagnosticSettings/read",
    on="the tenant, which no role on a subscription gives",
)

_DESTINATIONS = ("diagnostic_setting.list", "hsm.diagnostic_setting.list", "activity_log.list", "entra_log.list")
"""The operations whose answers name the workspaces to read."""

FAMILY = Family("audit logging", order=120)

DECLARED = (
    arm(
        "diagnostic_setting.list",
        "diagnostic settings of vaults",
        _VAULT + _SETTINGS,
        version=_SETTINGS_VERSION,
        paging=Paging.NEXT_LINK,
        about=Named("id", _VAULT),
        after=VAULTS,
    ),
    arm(
        "hsm.diagnostic_setting.list",
        "diagnostic settings of Managed HSMs",
        _HSM + _SETTINGS,
        version=_SETTINGS_VERSION,
        paging=Paging.NEXT_LINK,
        about=Named("id", _HSM),
        after=HSMS,
    ),
    arm(
        "activity_log.list",
        "export destinations of activity logs",
        _SUBSCRIPTION + _SETTINGS,
        version=_SETTINGS_VERSION,
        paging=Paging.NEXT_LINK,
    ),
    arm(
        "entra_log.list",
        "export destinations of Entra's logs",
        "/providers/microsoft.aadiam/diagnosticSettings",
        version="2017-04-01",
        paging=Paging.NEXT_LINK,
        right=_OF_TENANT,
    ),
    arm(
        "workspace.get",
        "a log workspace",
        _WORKSPACE,
        version=_WORKSPACE_VERSION,
        right=_OF_WORKSPACE,
        after=_DESTINATIONS,
    ),
    arm(
        "workspace.table",
        "log retention",
        _WORKSPACE + "/tables/{table}",
        version=_WORKSPACE_VERSION,
        right=_OF_WORKSPACE,
        after=_DESTINATIONS,
    ),
    arm(
        "defender.plan",
        "the Defender plan for Key Vault",
        _SUBSCRIPTION + "/providers/Microsoft.Security/pricings/KeyVaults",
        version="2024-01-01",
    ),
    resource_graph("alert_rule.query", "alert rules (Resource Graph)"),
    arm(
        "sentinel_rule.list",
        "analytics rules of Microsoft Sentinel",
        _WORKSPACE + "/providers/Microsoft.SecurityInsights/alertRules",
        version="2024-09-01",
        paging=Paging.NEXT_LINK,
        right=_OF_WORKSPACE,
        about=Named("id", _WORKSPACE),
        after=_DESTINATIONS,
    ),
)

RECORDED = {
    "activity_log.list": Recording(AZURE_CLI, "test_monitor_diagnostic_settings_subscription", 2020),
    "workspace.get": Recording(AZURE_CLI, "test_monitor_diagnostic_settings_subscription", 2020),
}
