"""Secrets as Key Vault's data plane describes them: without a value in lists, and with the canary in place of it elsewhere."""

from keyaudit.simulator.estate import DeletedSecret, Secret, SecretVersion, Vault
from keyaudit.simulator.key_vault import keys
from keyaudit.simulator.wire import CANARY


def item(vault: Vault, secret: Secret, version: SecretVersion, *, versioned: bool) -> dict[str, object]:
    """An item of a list: of secrets (the identifier without a version) or of one secret's versions."""
    whole = f"{keys.base_uri(vault)}/secrets/{secret.name}"
    found: dict[str, object] = {"id": f"{whole}/{version.version}" if versioned else whole}
    attributes: dict[str, object] = {"enabled": version.enabled}
    for name in ("nbf", "exp", "created", "updated"):
        value = getattr(version, name)
        if value is not None:
            attributes[name] = value
    attributes["recoveryLevel"] = keys.recovery_level(vault)
    if vault.soft_delete is not False:
        attributes["recoverableDays"] = keys.retention_days(vault)
    if version.content_type is not None:
        found = {"contentType": version.content_type, **found}
    found["attributes"] = attributes
    if version.tags:
        found["tags"] = version.tags
    if secret.managed:
        found["managed"] = True
    return found


def bundle(vault: Vault, secret: Secret, version: SecretVersion) -> dict[str, object]:
    """A secret as in the answer to a GET. Its value is the canary, which no client but a test may ask for."""
    return {"value": CANARY, **item(vault, secret, version, versioned=True)}


def version(secret: Secret, wanted: str) -> SecretVersion | None:
    """The wanted version, or the newest if none is named; None if there is no such version."""
    if not wanted:
        return newest(secret)
    return next((one for one in secret.versions if one.version == wanted.lower()), None)


def newest(secret: Secret) -> SecretVersion:
    """The newest version, which the list of secrets describes."""
    return max(secret.versions, key=lambda version: version.created or 0)


def deleted_item(vault: Vault, deleted: DeletedSecret) -> dict[str, object]:
    """An item of the list of deleted secrets."""
    return {
        "recoveryId": f"{keys.base_uri(vault)}/deletedsecrets/{deleted.secret.name}",
        "deletedDate": deleted.deleted,
        "scheduledPurgeDate": deleted.purge,
        **item(vault, deleted.secret, newest(deleted.secret), versioned=False),
    }
