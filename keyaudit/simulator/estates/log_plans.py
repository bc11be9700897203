"""Diagnostic settings as ARM shows them, and the variants of vault logging in contoso."""

from collections.abc import Callable, Sequence

from keyaudit.simulator.estates.ids import Ground

PLATFORM = "contoso-platform"
"""The subscription of the workspaces."""
GROUP = "rg-observability"

LogPlan = Callable[[Ground, str], tuple[dict[str, object], ...]]
"""Given a vault's id, its diagnostic settings."""


def workspace_id(ground: Ground, name: str) -> str:
    """A workspace of contoso's, spelled as settings spell it."""
    group = f"/subscriptions/{ground.guid('subscription', PLATFORM)}/resourcegroups/{GROUP}"
    return f"{group}/providers/microsoft.operationalinsights/workspaces/{name}"


def storage_id(ground: Ground, name: str) -> str:
    """A storage account of contoso's."""
    group = f"/subscriptions/{ground.guid('subscription', PLATFORM)}/resourceGroups/{GROUP}"
    return f"{group}/providers/Microsoft.Storage/storageAccounts/{name}"


def setting(
    of: str,
    name: str,
    on: Sequence[str] = (),
    *,
    off: Sequence[str] = (),
    groups: Sequence[str] = (),
    workspace: str | None = None,
    storage: str | None = None,
    dedicated: bool = False,
) -> dict[str, object]:
    """One diagnostic setting. `of`: the beginning of its id; ARM writes some of these ids without a leading slash."""
    retention = {"enabled": False, "days": 0}
    categories = [(category, category in on) for category in (*on, *off)]
    logs: list[dict[str, object]] = [
        {"category": category, "categoryGroup": None, "enabled": enabled, "retentionPolicy": retention}
        for category, enabled in categories
    ]
    logs += [{"category": None, "categoryGroup": group, "enabled": True, "retentionPolicy": retention} for group in groups]
    return {
        "id": f"{of}/diagnosticSettings/{name}",
        "type": "Microsoft.Insights/diagnosticSettings",
        "name": name,
        "location": None,
        "kind": None,
        "tags": None,
        "properties": {
            "storageAccountId": storage,
            "serviceBusRuleId": None,
            "workspaceId": workspace,
            "eventHubAuthorizationRuleId": None,
            "eventHubName": None,
            "metrics": [],
            "logs": logs,
            "logAnalyticsDestinationType": "Dedicated" if dedicated else None,
        },
        "identity": None,
    }


def _of_vault(vault: str) -> str:
    return f"{vault}/providers/microsoft.insights"


def to_sentinel(ground: Ground, vault: str) -> tuple[dict[str, object], ...]:
    """The audit log to the security workspace, in a table of its own."""
    security = workspace_id(ground, "log-security")
    return (setting(_of_vault(vault), "audit-to-sentinel", groups=("audit",), workspace=security, dedicated=True),)


def hsm_to_sentinel(ground: Ground, hsm: str) -> tuple[dict[str, object], ...]:
    """An HSM's audit log to the security workspace, in the table that many services share."""
    security = workspace_id(ground, "log-security")
    return (setting(_of_vault(hsm), "hsm-audit", ("AuditEvent",), workspace=security),)


def sentinel_and_storage(ground: Ground, vault: str) -> tuple[dict[str, object], ...]:
    """As `to_sentinel`, and all logs also to a storage account."""
    archive = setting(_of_vault(vault), "archive", groups=("allLogs",), storage=storage_id(ground, "stcontosoaudit"))
    return (*to_sentinel(ground, vault), archive)


def to_storage(ground: Ground, vault: str) -> tuple[dict[str, object], ...]:
    """The audit log to a storage account only."""
    return (setting(_of_vault(vault), "archive", ("AuditEvent",), storage=storage_id(ground, "stcontosoaudit")),)


def to_brief_workspace(ground: Ground, vault: str) -> tuple[dict[str, object], ...]:
    """The audit log to the common table of a workspace that keeps it for a month."""
    people = workspace_id(ground, "log-people")
    return (
        setting(_of_vault(vault), "hr-diagnostics", ("AuditEvent",), off=("AzurePolicyEvaluationDetails",), workspace=people),
    )


def to_basic_table(ground: Ground, vault: str) -> tuple[dict[str, object], ...]:
    """The audit log to a table of the Basic plan, with limited search."""
    archive = workspace_id(ground, "log-archive")
    return (setting(_of_vault(vault), "data-audit", groups=("audit",), workspace=archive, dedicated=True),)


def wrong_category(ground: Ground, vault: str) -> tuple[dict[str, object], ...]:
    """A setting that is on, but not for the audit log."""
    policies = ("AzurePolicyEvaluationDetails",)
    security = workspace_id(ground, "log-security")
    return (setting(_of_vault(vault), "policy-details", policies, off=("AuditEvent",), workspace=security),)


def unlogged(_ground: Ground, _vault: str) -> tuple[dict[str, object], ...]:
    """No setting at all."""
    return ()
