"""The table of alert rules."""

from keyaudit.model.schema.columns import Area, Table, flag, text, texts, where_found

_RULES = ("alert_rule.query", "sentinel_rule.list")

WATCHED = ("key-vault", "application-credentials", "federation")
"""The changes that an alert rule can cover."""

ALERT_RULE = Table(
    name="alert_rule",
    order=280,
    area=Area.LOGS,
    noun="alert rule",
    plural="alert rules",
    meaning="an alert rule of Azure Monitor, on the activity log or by a query of logs, or an analytics rule of Microsoft "
    "Sentinel",
    added_by=_RULES,
    columns=(
        *where_found(*_RULES),
        text("subscription_id", "the subscription, a GUID in lower case"),
        text("resource_group", "the resource group, as Azure spells it"),
        text("kind", "what it looks at", values=("activity-log", "log-query", "sentinel")),
        flag("enabled", "it is on", _RULES, wire="properties.enabled"),
        texts("watches", "the subjects that its text watches, sorted. key-vault: a condition on the activity log that names "
            "Microsoft.KeyVault, or a query that names it or AZKVAuditLogs. application-credentials and federation: a "
            "query that names the audit events of new credentials, or of federation settings", _RULES,
            values=WATCHED),
        flag("notifies", "it has an action group, or creates incidents in Sentinel, so it notifies somebody",
            _RULES),
    ),
)
