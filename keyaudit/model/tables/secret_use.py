"""The table of resources that keep a secret of their own in a vault."""

from keyaudit.model.columns import Area, Table, flag, text, where_found

_NAMED = ("secret_use.query",)

DISKS = ("disk", "virtual-machine")
ORDER = "certificate-order"

SECRETS_NAMED = ("subscription.list", "secret_use.query")
"""The operations without which resources that name a secret may be missing."""

SECRET_USE = Table(
    name="secret_use",
    order=145,
    area=Area.SERVICES,
    noun="use of a secret",
    plural="uses of secrets",
    meaning="one secret of a vault that a service keeps there itself: a key of Azure Disk Encryption, or a certificate that "
    "App Service bought",
    added_by=_NAMED,
    columns=(
        *where_found(*_NAMED),
        text("subscription_id", "the subscription, a GUID in lower case"),
        text("resource_group", "the resource group, as Azure spells it"),
        text("kind", "the resource", values=(*DISKS, ORDER)),
        text("consumer_id", "resource id of what names the secret, in lower case"),
        text("secret_id", "the secret without its version, in lower case, as in the table secret", _NAMED),
        flag("active", "the disk is encrypted with it; or the order says that its certificate was stored in it", _NAMED),
    ),
)
