"""The table of alert rules."""

from keyaudit.model.columns import Column, Table, Type, where_found

_RULES = ("alert_rule.query",)

WATCHED = ("key-vault", "application-credentials", "federation")
"""What rules are looked through for."""

ALERT_RULE = Table(
    name="alert_rule",
    noun="alert rule",
    plural="alert rules",
    meaning="an alert rule of Azure Monitor, on the activity log or by a query of logs; Sentinel has rules of its own besides",
    added_by=_RULES,
    columns=(
        *where_found(*_RULES),
        Column(name="subscription_id", type=Type.TEXT, meaning="the subscription, a GUID in lower case"),
        Column(name="resource_group", type=Type.TEXT, meaning="the resource group, as Azure spells it"),
        Column(name="kind", type=Type.TEXT, meaning="what it looks at", values=("activity-log", "log-query")),
        Column(name="enabled", type=Type.BOOLEAN, meaning="it is on", operations=_RULES),
        Column(
            name="watches",
            type=Type.TEXTS,
            meaning=(
                "what its text shows it to watch, sorted. key-vault: a condition on the activity log that names"
                " Microsoft.KeyVault, or a query that names it or AZKVAuditLogs. application-credentials and federation: a"
                " query that names the audit events of new credentials, or of federation settings"
            ),
            operations=_RULES,
            values=WATCHED,
        ),
        Column(
            name="notifies",
            type=Type.BOOLEAN,
            meaning="it has an action group: somebody or something is told",
            operations=_RULES,
        ),
    ),
)
