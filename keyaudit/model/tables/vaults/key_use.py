"""The table of services that encrypt with a key of a vault."""

from keyaudit.model.consumers import KEY, reading
from keyaudit.model.schema.columns import Area, Table, flag, text, texts, time, where_found
from keyaudit.model.schema.opens import ONE
from keyaudit.model.tables.places import in_test, vault_place
from keyaudit.model.tables.services import CONSUMERS, SERVICE, version_columns

_ADDED = (*SERVICE, *reading(KEY))
_NAMED = (*_ADDED, "sql.protector")

USES_FOUND = ("subscription.list", *_ADDED)
"""The operations without which services that encrypt with a key may be missing."""

KEY_USE = Table(
    name="key_use",
    order=140,
    area=Area.SERVICES,
    noun="use of a key",
    plural="uses of keys",
    meaning="one key of a vault that a service is configured to encrypt with (a customer-managed key)",
    added_by=_ADDED,
    opens=ONE,
    columns=(
        *where_found(*_ADDED),
        *vault_place(_ADDED),
        text("kind", "the service", values=CONSUMERS),
        text("consumer_id", "resource id of the service that uses the key, in lower case"),
        texts("identity_ids", "resource ids of the user-assigned identities that it has, in lower case, sorted", _ADDED),
        text("key_id", "the key without its version, in lower case, as in the table key", _NAMED),
        *version_columns(_NAMED),
        flag("moving", "the service says that some of its data is still wrapped with an earlier version", SERVICE,
            absent="the service does not say"),
        time("rotated_on", "when the service last adopted a new version", _ADDED,
            absent="the service does not say, or never did", past=True),
        text("current_version", "the current version of the key", absent="the key is no longer in its vault", derived=True),
        time("current_since", "when that version was created",
            absent="it is not recorded, or the key is no longer in its vault", derived=True),
        flag("key_found", "the key is in its vault; false only if every key of that vault was listed", derived=True),
        flag("key_enabled", "the version that it uses is enabled: the pinned version, else the current one",
            absent="the key is no longer in its vault", derived=True),
        time("key_expires_on", "when that version expires", absent="it never expires, or is no longer in its vault",
            derived=True),
        in_test("the vault of the key, or its subscription,"),
    ),
)
