"""The table of subscriptions."""

from keyaudit.model.columns import Area, Table, flag, text, texts, where_found

SUBSCRIPTION = Table(
    name="subscription",
    order=20,
    area=Area.LOGS,
    noun="subscription",
    plural="subscriptions",
    meaning="an Azure subscription that the identity sees",
    added_by=("subscription.list",),
    columns=(
        *where_found("subscription.list"),
        text("subscription_id", "its GUID, in lower case"),
        text("state", "as Azure says", ("subscription.query",), values=("Enabled", "Warned", "PastDue", "Disabled", "Deleted")),
        texts("management_groups", "ids of the management groups above it, in lower case, the nearest first",
            ("subscription.query",)),
        flag("activity_log_exported",
            "a diagnostic setting of it sends the category Administrative somewhere; a management group's is not seen",
            derived=True),
        texts("activity_log_categories", "the categories of its activity log that are sent somewhere, sorted", derived=True),
        flag("activity_log_searchable", "the category Administrative goes to a log table that can be queried at will",
            derived=True),
        flag("defender_for_key_vault", "the plan Defender for Key Vault is on", derived=True),
    ),
)
