"""Changes of a vault's secrets on its data plane. A value is never kept: the answer to `set` gives back what was sent."""

from typing import Any

from msgspec.structs import replace

from keyaudit.simulator.estate import Secret, SecretVersion, Vault
from keyaudit.simulator.key_vault import secrets
from keyaudit.simulator.service import Directory
from keyaudit.simulator.wire import Request
from tests.simulator.writes import WriteError, body_of, part_of
from tests.simulator.writes.keys import deleted, managed_by_vault, new_version, not_found


def set_(directory: Directory, vault: Vault, request: Request, stars: list[str]) -> dict[str, object]:
    """A new secret, or a new version of one."""
    body = body_of(request)
    if not isinstance(body.get("value"), str):
        raise WriteError(400, "BadParameter", "Property value is required.")
    known = _named(vault, stars[0])
    if known is not None and known.managed:
        raise managed_by_vault("set", "Secret")
    if any(one.secret.name.lower() == stars[0].lower() for one in vault.deleted_secrets):
        raise deleted("Secret", stars[0])
    attributes = part_of(body, "attributes")
    version = SecretVersion(
        version=new_version(directory, "secret", vault.name, stars[0], str(len(known.versions) if known else 0)),
        created=int(request.now),
        updated=int(request.now),
        enabled=attributes.get("enabled") is not False,
        nbf=attributes.get("nbf"),
        exp=attributes.get("exp"),
        content_type=body.get("contentType"),
        tags=body.get("tags"),
    )
    secret = (
        Secret(name=stars[0], versions=(version,)) if known is None else replace(known, versions=(*known.versions, version))
    )
    _keep(directory, vault, secret)
    return {**secrets.bundle(vault, secret, version), "value": body["value"]}


def update(directory: Directory, vault: Vault, request: Request, stars: list[str]) -> dict[str, object]:
    """Other attributes, content type or tags of one version; without one in the address, of the newest."""
    name, wanted = (*stars, "")[:2]
    secret = _named(vault, name)
    found = secrets.version(secret, wanted) if secret else None
    if secret is None or found is None:
        raise not_found("secret", "/".join(stars))
    body = body_of(request)
    attributes = part_of(body, "attributes")
    changed: dict[str, Any] = {name: attributes[name] for name in ("enabled", "nbf", "exp") if attributes.get(name) is not None}
    changed |= {field: body[name] for name, field in (("contentType", "content_type"), ("tags", "tags")) if body.get(name)}
    version = replace(found, updated=int(request.now), **changed)
    versions = tuple(version if one.version == version.version else one for one in secret.versions)
    _keep(directory, vault, replace(secret, versions=versions))
    return secrets.item(vault, secret, version, versioned=True)


def _named(vault: Vault, name: str) -> Secret | None:
    return next((one for one in vault.secrets if one.name.lower() == name.lower()), None)


def _keep(directory: Directory, vault: Vault, secret: Secret) -> None:
    others = tuple(one for one in vault.secrets if one.name.lower() != secret.name.lower())
    directory.change_vault(replace(vault, secrets=(*others, secret)))
