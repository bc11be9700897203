"""The table of subscriptions."""

from keyaudit.model.schema.columns import Area, Table, flag, text, texts, where_found
from keyaudit.model.schema.opens import WIDE

SUBSCRIPTION = Table(
    name="subscription",
    order=20,
    area=Area.LOGS,
    noun="subscription",
    plural="subscriptions",
    meaning="an Azure subscription that the auditing identity can see",
    added_by=("subscription.list",),
    opens=WIDE,
    columns=(
        *where_found("subscription.list"),
        text("subscription_id", "its GUID, in lower case"),
        text("state", "as Azure says", ("subscription.query",), values=("Enabled", "Warned", "PastDue", "Disabled", "Deleted")),
        texts("management_groups", "ids of the management groups above it, in lower case, the nearest first",
            ("subscription.query",)),
        flag("activity_log_exported",
            "one of its diagnostic settings exports the category Administrative; those of management groups are not visible",
            derived=True),
        texts("activity_log_categories", "the exported categories of its activity log, sorted", derived=True),
        flag("activity_log_searchable", "the category Administrative goes to a fully queryable log table",
            derived=True),
        flag("defender_for_key_vault", "the Defender for Key Vault plan is on", derived=True),
    ),
)
