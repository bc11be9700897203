"""The table of subscriptions."""

from keyaudit.model.columns import Column, Table, Type, where_found

SUBSCRIPTION = Table(
    name="subscription",
    noun="subscription",
    plural="subscriptions",
    meaning="an Azure subscription that the identity sees",
    listed_by=("subscription.list",),
    columns=(
        *where_found("subscription.list"),
        Column(name="subscription_id", type=Type.TEXT, meaning="its GUID, in lower case"),
        Column(
            name="management_groups",
            type=Type.TEXTS,
            meaning="ids of the management groups above it, in lower case, the nearest first",
            operations=("subscription.query",),
        ),
    ),
)
