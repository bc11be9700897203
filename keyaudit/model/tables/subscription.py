"""The table of subscriptions."""

from keyaudit.model.columns import Column, Table, Type, where_found

_EXPORTS = ("activity_log.list",)

SUBSCRIPTION = Table(
    name="subscription",
    noun="subscription",
    plural="subscriptions",
    meaning="an Azure subscription that the identity sees",
    added_by=("subscription.list",),
    columns=(
        *where_found("subscription.list"),
        Column(name="subscription_id", type=Type.TEXT, meaning="its GUID, in lower case"),
        Column(
            name="state",
            type=Type.TEXT,
            meaning="as Azure says",
            operations=("subscription.query",),
            values=("Enabled", "Warned", "PastDue", "Disabled", "Deleted"),
        ),
        Column(
            name="management_groups",
            type=Type.TEXTS,
            meaning="ids of the management groups above it, in lower case, the nearest first",
            operations=("subscription.query",),
        ),
        Column(
            name="activity_log_exported",
            type=Type.BOOLEAN,
            meaning="a diagnostic setting of it sends the category Administrative somewhere; a management group's is not seen",
            derived_from=("log_sink.audits",),
            rows_of=_EXPORTS,
        ),
        Column(
            name="activity_log_categories",
            type=Type.TEXTS,
            meaning="the categories of its activity log that are sent somewhere, sorted",
            derived_from=("log_sink.categories", "log_sink.category_groups"),
            rows_of=_EXPORTS,
        ),
        Column(
            name="activity_log_searchable",
            type=Type.BOOLEAN,
            meaning="the category Administrative goes to a log table that can be queried at will",
            derived_from=("log_sink.audits", "log_sink.searchable"),
            rows_of=_EXPORTS,
        ),
        Column(
            name="defender_for_key_vault",
            type=Type.BOOLEAN,
            meaning="the plan Defender for Key Vault is on",
            derived_from=("defender_plan.enabled",),
        ),
    ),
)
