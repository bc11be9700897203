"""The table of Defender for Cloud's plans."""

from keyaudit.model.schema.columns import Area, Table, flag, text, where_found

_PLAN = ("defender.plan",)

DEFENDER_PLAN = Table(
    name="defender_plan",
    order=270,
    area=Area.LOGS,
    noun="Defender plan",
    plural="Defender plans",
    meaning="the Defender for Key Vault plan of one subscription",
    added_by=("subscription.list",),
    columns=(
        *where_found(),
        text("subscription_id", "the subscription, a GUID in lower case"),
        flag("enabled", "pricingTier is Standard; a subscription that never registered Microsoft.Security has no plan", _PLAN),
    ),
)
