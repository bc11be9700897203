"""The columns that versions of certificates and secrets share."""

from keyaudit.model.schema.columns import Column, Left, count, flag, mapping, text, time, unix_time
from keyaudit.model.tables.places import KEY_VAULT_LEAVES_OUT, vault_place

NO_TAGS = Left(None, KEY_VAULT_LEAVES_OUT)


def version_place(noun: str, operations: tuple[str, ...], *, unversioned: str = "") -> tuple[Column, ...]:
    """The columns with the object and location of a version. `unversioned`: the meaning of a missing version, if possible."""
    return (
        *vault_place(("vault.query", "vault.list")),
        text(f"{noun}_id", f"the {noun} without its version, in lower case"),
        text("version", "the version's id", operations, absent=unversioned),
        text("vault_id", "the vault's resource id, in lower case"),
        text("vault_name", "the vault's name"),
        mapping("tags", f"the {noun}'s tags", operations, absent="it has no tags", left_out=NO_TAGS, wire="tags"),
        text("environment", f"the tag env or environment of the {noun}, in lower case; else its vault's environment",
            absent="no such tag, and its vault has none", derived=True),
    )


def attributes(
    operations: tuple[str, ...], *, activates: str, expires: str, never_expires: str, dateless: Left | None = None
) -> tuple[Column, ...]:
    """The attributes in lists of versions. `dateless`: the source, if old versions may have no dates."""
    no_date = "created before the service recorded the date" if dateless else ""
    return (
        flag("enabled", "it is enabled", operations, wire="attributes.enabled"),
        unix_time("created_on", "when this version was created", operations,
            absent=no_date, left_out=dateless, past=True, wire="attributes.created"),
        unix_time("updated_on", "when it was last changed; not a rotation", operations,
            absent=no_date, left_out=dateless, past=True, wire="attributes.updated"),
        unix_time("activates_on", activates, operations,
            absent="usable from the start", left_out=Left(None, KEY_VAULT_LEAVES_OUT), wire="attributes.nbf"),
        unix_time("expires_on", expires, operations,
            absent=never_expires, left_out=Left(None, KEY_VAULT_LEAVES_OUT), follows="activates_on", wire="attributes.exp"),
    )


def superseded(noun: str, current: tuple[str, ...], listed: tuple[str, ...], meaning: str) -> tuple[Column, ...]:
    """The columns about the current version and superseded ones."""
    return (
        flag("is_current", meaning, current),
        flag("versions_listed", f"every version of the {noun} was listed; true, or unknown with the reason", listed),
        count("superseded_enabled", f"enabled versions of the {noun} that are not the current one", derived=True),
        time("oldest_superseded_on", "when the oldest enabled version other than the current one was created",
            absent="no superseded version is enabled, or the service recorded no date for them", derived=True),
    )
