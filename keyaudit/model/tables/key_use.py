"""The table of services that encrypt with a key of a vault."""

from keyaudit.model.columns import Column, Table, Type, where_found
from keyaudit.model.tables.places import vault_place
from keyaudit.model.tables.services import CONSUMERS, SERVICE

KEY_USE = Table(
    name="key_use",
    noun="use of a key",
    plural="uses of keys",
    meaning="one key of a vault that a service is set to encrypt with (a customer-managed key)",
    added_by=SERVICE,
    columns=(
        *where_found(*SERVICE),
        *vault_place(SERVICE),
        Column(name="kind", type=Type.TEXT, meaning="the service", values=CONSUMERS),
        Column(name="consumer_id", type=Type.TEXT, meaning="resource id of what uses the key, in lower case"),
        Column(
            name="key_id",
            type=Type.TEXT,
            meaning="the key without its version, in lower case, as in the table key",
            operations=SERVICE,
        ),
        Column(
            name="pinned",
            type=Type.BOOLEAN,
            meaning="it stays with the version named, whatever the key is rotated to; else it follows the key",
            operations=(*SERVICE, "sql.protector"),
        ),
        Column(
            name="version",
            type=Type.TEXT,
            meaning="the version that the setting names",
            operations=SERVICE,
            absent="it names none",
        ),
        Column(
            name="version_in_use",
            type=Type.TEXT,
            meaning="the version that the service says it uses now",
            operations=SERVICE,
            absent="the service does not say",
        ),
        Column(
            name="rotated_on",
            type=Type.TIME,
            unit="seconds since 1970 UTC",
            meaning="when the service last took a new version",
            operations=SERVICE,
            absent="the service does not say, or never did",
            past=True,
        ),
        Column(
            name="key_found",
            type=Type.BOOLEAN,
            meaning="the key is in its vault; false only where every key of that vault was listed",
            derived_from=("key_id", "key.version"),
        ),
        Column(
            name="key_enabled",
            type=Type.BOOLEAN,
            meaning="the version that it uses is enabled: the one it is pinned to, else the current one",
            absent="the key is not in its vault any more",
            derived_from=("key_id", "pinned", "version", "key.enabled", "key.is_current", "key.versions_listed"),
        ),
        Column(
            name="key_expires_on",
            type=Type.TIME,
            unit="seconds since 1970 UTC",
            meaning="when that version expires",
            absent="it never expires, or is not in its vault any more",
            derived_from=("key_id", "pinned", "version", "key.expires_on", "key.is_current", "key.versions_listed"),
        ),
    ),
)
