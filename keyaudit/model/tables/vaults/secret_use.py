"""The table of resources that use a secret or certificate of a vault, or keep a secret of their own there."""

from keyaudit.model.consumers import DECLARED, SECRET, kinds, reading
from keyaudit.model.schema.columns import Area, Table, flag, text, time, where_found
from keyaudit.model.schema.opens import ONE
from keyaudit.model.tables.services import version_columns

_KEEPING = "secret_use.query"
_NAMED = (_KEEPING, *reading(SECRET))

DISKS = ("disk", "virtual-machine")
ORDER = "certificate-order"
KEEPING = (*DISKS, ORDER)
"""What keeps a secret of its own in the vault, and changes it itself."""

SECRETS_NAMED = ("subscription.list", "secret_use.query")
"""The operations without which resources that name a secret may be missing."""

SECRET_USE = Table(
    name="secret_use",
    order=145,
    area=Area.SERVICES,
    noun="use of a secret",
    plural="uses of secrets",
    meaning="one secret or certificate of a vault that a service is configured to use, or stores there itself: a certificate "
        "of a gateway, a key of Azure Disk Encryption, a certificate that App Service bought",
    added_by=_NAMED,
    parts={
        _KEEPING: tuple({"kind": each} for each in KEEPING),
        **{
            operation: tuple({"kind": each.kind} for each in DECLARED if each.names == SECRET and each.operation == operation)
            for operation in reading(SECRET)
        },
    },
    opens=ONE,
    columns=(
        *where_found(*_NAMED),
        text("subscription_id", "the subscription, a GUID in lower case"),
        text("resource_group", "the resource group, as Azure spells it"),
        text("kind", "the resource", values=(*KEEPING, *kinds(SECRET))),
        text("consumer_id", "resource id of the service that refers to the secret, in lower case"),
        text("secret_id", "the secret without its version, in lower case, as in the table secret", _NAMED),
        flag("active", "the service is configured to use it, a disk is encrypted with it, or an order stores its certificate "
            "in it",
            _NAMED),
        *version_columns(_NAMED),
        text("thumbprint_in_use", "SHA-1 of the certificate that the service says it uses, in upper-case hex", _NAMED,
            absent="the service does not say"),
        text("current_version", "the current version of the secret", absent="the secret is no longer in its vault",
            derived=True),
        time("current_since", "when that version was created",
            absent="it is not recorded, or the secret is no longer in its vault", derived=True),
        text("current_thumbprint", "SHA-1 of the current version of the certificate of its name, in upper-case hex",
            absent="no certificate has its name, or it is not issued yet", derived=True),
    ),
)
