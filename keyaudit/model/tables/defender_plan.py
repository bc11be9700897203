"""The table of Defender for Cloud's plans."""

from keyaudit.model.columns import Column, Table, Type, where_found

_PLAN = ("defender.plan",)

DEFENDER_PLAN = Table(
    name="defender_plan",
    noun="Defender plan",
    plural="Defender plans",
    meaning="the plan Defender for Key Vault of one subscription",
    added_by=("subscription.list",),
    columns=(
        *where_found(),
        Column(name="subscription_id", type=Type.TEXT, meaning="the subscription, a GUID in lower case"),
        Column(
            name="enabled",
            type=Type.BOOLEAN,
            meaning="pricingTier is Standard; a subscription that never registered Microsoft.Security has no plan",
            operations=_PLAN,
        ),
    ),
)
