"""The table of deleted objects that can be recovered."""

import dataclasses

from keyaudit.model.operations.kinds import HSMS, VAULTS
from keyaudit.model.schema.columns import Area, Left, Table, Where, flag, text, unix_time, where_found
from keyaudit.model.schema.opens import ONE
from keyaudit.model.tables.places import ARM_LEAVES_OUT, KEY_VAULT_LEAVES_OUT, vault_place
from keyaudit.model.tables.reach import reach_columns

_KEYS = ("deleted_key.list", "hsm.deleted_key.list")
_OBJECTS = (*_KEYS, "deleted_certificate.list", "deleted_secret.list")
_PLACES = ("deleted_vault.list", "deleted_hsm.list")
_DELETED = (*_PLACES, *_OBJECTS)
_PARTS = {
    "deleted_vault.list": "vault",
    "deleted_hsm.list": "managed-hsm",
    "deleted_key.list": "key",
    "hsm.deleted_key.list": "hsm-key",
    "deleted_certificate.list": "certificate",
    "deleted_secret.list": "secret",
}

PLACES = tuple(_PARTS[operation] for operation in _PLACES)
"""The kinds of resources that contain keys, certificates and secrets."""

DELETED = Table(
    name="deleted",
    order=80,
    area=Area.KEYS,
    noun="deleted object",
    plural="deleted objects",
    meaning="a deleted vault, Managed HSM, key, certificate or secret that can be recovered until its purge",
    added_by=_DELETED,
    row_for_each=_DELETED,
    parts={operation: ({"kind": kind},) for operation, kind in _PARTS.items()},
    opens=ONE,
    columns=(
        *where_found(),
        *vault_place((*VAULTS, *HSMS, *_PLACES)),
        text("kind", "its kind; hsm-key is a key of a Managed HSM", values=tuple(_PARTS.values())),
        text("vault_id",
            "resource id, in lower case, of the vault that contains it; for a deleted vault or HSM, its former id",
            _PLACES),
        unix_time("deleted_on", "when it was deleted", _DELETED, past=True, wire="deletedDate"),
        unix_time("purge_on", "when the service removes it permanently; it can be recovered until then", _DELETED,
            follows="deleted_on", wire="scheduledPurgeDate"),
        flag("purge_protected", "nobody can purge it earlier; false: a principal with the purge permission can", _DELETED,
            left_out=Left(False, ARM_LEAVES_OUT)),
        text("recovery_level", "Key Vault's recovery level for it", _OBJECTS,
            absent="a vault has no recovery level", absent_where=(Where("kind", PLACES),)),
        text("recovery_id", "the identifier that a recovery uses, in lower case", _DELETED),
        flag("enabled", "it will be enabled after a recovery", _OBJECTS,
            absent="a vault has no such attribute", absent_where=(Where("kind", PLACES),), wire="attributes.enabled"),
        flag("managed", "it belongs to a deleted certificate, and is recovered with it", (*_KEYS, "deleted_secret.list"),
            absent="neither a key nor a secret", absent_where=(Where("kind", (*PLACES, "certificate")),),
            left_out=Left(False, KEY_VAULT_LEAVES_OUT)),
        text("thumbprint", "SHA-1 of a certificate in upper-case hex", ("deleted_certificate.list",),
            absent="not a certificate, or never issued"),
        *(
            # No API shows which principals may only recover.
            dataclasses.replace(
                column, meaning=f"{column.meaning} to its vault, and so can recover it; none for a vault or HSM itself"
            )
            for column in reach_columns("granting")
        ),
    ),
)
