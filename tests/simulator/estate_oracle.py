"""What each policy says, once more and in plain Python over an estate's objects: it shares no code with what it checks."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from keyaudit.simulator.estate import (
    Application,
    Estate,
    FederatedCredential,
    Key,
    KeyCredential,
    KeyVersion,
    ManagedHsm,
    PasswordCredential,
    ServicePrincipal,
    Vault,
)

Home: TypeAlias = Vault | ManagedHsm
Holder: TypeAlias = Application | ServicePrincipal
Dated: TypeAlias = PasswordCredential | KeyCredential

DAY = 86_400
MICROSOFT = {
    "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
    "72f988bf-86f1-41af-91ab-2d7cd011db47",
    "cdc5aeea-15c5-4db6-b079-fcadd2505dc2",
    "33e01921-4d64-4f8c-a055-5bdaffd5e33d",
    "975f013f-7f24-47e8-a7d3-abc4752bf346",
}
TOKEN_EXCHANGE = {"api://AzureADTokenExchange", "api://AzureADTokenExchangeUSGov", "api://AzureADTokenExchangeChina"}
NON_PRODUCTION = {"dev", "test", "sandbox", "nonprod"}


@dataclass(frozen=True)
class Verdict:
    """A policy applied to a subject, and whether it is violated there."""

    policy: str
    subject: str
    violated: bool


def judge(estate: Estate, now: int) -> set[Verdict]:
    """Every policy over everything that it applies to."""
    return {*_vaults(estate), *_keys(estate, now), *_entra(estate, now)}


def violated(estate: Estate, now: int) -> set[tuple[str, str]]:
    """Policy and subject of every violation."""
    return {(verdict.policy, verdict.subject) for verdict in judge(estate, now) if verdict.violated}


def subjects(estate: Estate) -> set[str]:
    """The id of everything that a policy can speak of."""
    found = {vault_row(vault) for vault in estate.vaults}
    for vault in homes(estate):
        for key in vault.keys:
            found.add(key_row(vault, key))
            found.update(f"{key_row(vault, key)}/{version.version}" for version in key.versions)
    for application in estate.applications:
        found.add(application_row(estate, application))
        found.update(subject for subject, _ in _credentials(application_row(estate, application), application))
    for principal in estate.service_principals:
        found.update(subject for subject, _ in _credentials(principal_row(estate, principal), principal))
        found.update(verdict.subject for verdict in _broad_subjects(principal_row(estate, principal), principal))
        found.update(subject for subject, _ in _saml_sets(principal_row(estate, principal), principal))
    return found


def holders(estate: Estate) -> list[Holder]:
    """Applications, then service principals."""
    return [*estate.applications, *estate.service_principals]


def dated(holder: Holder) -> list[Dated]:
    """Passwords, then certificates and symmetric keys."""
    return [*holder.passwords, *holder.keys]


def vault_row(vault: Vault) -> str:
    group = vault.resource_group.lower()
    return (
        f"/subscriptions/{vault.subscription}/resourcegroups/{group}/providers/microsoft.keyvault/vaults/{vault.name.lower()}"
    )


def homes(estate: Estate) -> list[Home]:
    """A vault or Managed HSM."""
    return [*estate.vaults, *estate.hsms]


def key_row(home: Home, key: Key) -> str:
    kind = "managedhsm" if isinstance(home, ManagedHsm) else "vault"
    return f"https://{home.name}.{kind}.azure.net/keys/{key.name}".lower()


def application_row(estate: Estate, application: Application) -> str:
    return f"/tenants/{estate.tenant_id}/applications/{application.id}"


def principal_row(estate: Estate, principal: ServicePrincipal) -> str:
    return f"/tenants/{estate.tenant_id}/serviceprincipals/{principal.id}"


def current(key: Key) -> KeyVersion:
    (found,) = (version for version in key.versions if version.version == key.current)
    return found


def environment(*tags: dict[str, str] | None) -> str | None:
    for named in tags:
        for name, value in (named or {}).items():
            if name.lower() in {"env", "environment"}:
                return value.lower()
    return None


def auto_rotates(key: Key) -> bool:
    rotation = key.rotation
    if rotation is None:
        return False
    has_end = rotation.expiry_time is not None or current(key).exp is not None
    return rotation.rotate_after is not None or (rotation.rotate_before_expiry is not None and has_end)


def microsoft_made(application: Application) -> bool:
    name = application.name or ""
    return name == "P2P Server" or name.startswith(("aad-extensions-app. Do not modify", "ConnectSyncProvisioning_"))


def expired(credential: Dated, now: int) -> bool:
    return credential.end is not None and credential.end <= now


def _vaults(estate: Estate) -> Iterator[Verdict]:
    for vault in estate.vaults:
        yield Verdict("kv-legacy-access-policies", vault_row(vault), vault.rbac is not True)
        if environment(vault.tags) != "sandbox":
            unprotected = vault.purge_protection is not True or vault.soft_delete is False
            yield Verdict("kv-purge-protection-off", vault_row(vault), unprotected)


def _keys(estate: Estate, now: int) -> Iterator[Verdict]:
    for vault in homes(estate):
        for key in vault.keys:
            if key.managed:
                continue
            yield from _expired_versions(vault, key, now)
            yield Verdict("kv-key-old-versions-enabled", key_row(vault, key), _old_versions(key, now))
            if current(key).enabled:
                for policy, rule in _CURRENT.items():
                    violation = rule(vault, key, current(key), now)
                    if violation is not None:
                        yield Verdict(policy, key_row(vault, key), violation)


def _expired_versions(vault: Home, key: Key, now: int) -> Iterator[Verdict]:
    for version in key.versions:
        archived = (version.tags or {}).get("keyaudit:archive") == "decrypt-only"
        if archived and not {"sign", "wrapKey"} & {*version.key_ops}:
            continue
        if version.enabled and version.exp is not None:
            violation = version.exp < now - 30 * DAY
            yield Verdict("kv-key-expired-still-enabled", f"{key_row(vault, key)}/{version.version}", violation)


def _old_versions(key: Key, now: int) -> bool:
    live = [version for version in key.versions if version.enabled and version.version != key.current]
    return len(live) > 2 or any(version.created is None or now - version.created > 365 * DAY for version in live)


def _signs_or_wraps(version: KeyVersion) -> bool:
    return bool({"sign", "decrypt", "unwrapKey"} & {*version.key_ops})


def _no_expiry(_vault: Home, _key: Key, version: KeyVersion, _now: int) -> bool | None:
    return version.exp is None


def _overdue(_vault: Home, _key: Key, version: KeyVersion, now: int) -> bool | None:
    if not _signs_or_wraps(version):
        return None
    return version.created is None or now - version.created > 730 * DAY


def _no_rotation(_vault: Home, key: Key, version: KeyVersion, _now: int) -> bool | None:
    if not _signs_or_wraps(version) or "keyaudit:rotator" in (version.tags or {}):
        return None
    after = key.rotation.rotate_after if key.rotation else None
    return not auto_rotates(key) or (after is not None and _days(after) > 730)


def _expiring(_vault: Home, key: Key, version: KeyVersion, now: int) -> bool | None:
    if version.exp is None or version.exp <= now:
        return None
    return version.exp - now < 30 * DAY and not auto_rotates(key)


def _software(vault: Home, _key: Key, version: KeyVersion, _now: int) -> bool | None:
    if not _signs_or_wraps(version) or environment(version.tags, vault.tags) in NON_PRODUCTION:
        return None
    return not version.kty.endswith("-HSM") and version.hsm_platform == "0" and version.external_key is None


def _exportable(_vault: Home, _key: Key, version: KeyVersion, _now: int) -> bool | None:
    return version.exportable


def _two_purposes(_vault: Home, _key: Key, version: KeyVersion, _now: int) -> bool | None:
    if version.kty not in {"RSA", "RSA-HSM"}:
        return None
    return "sign" in version.key_ops and bool({"decrypt", "unwrapKey", "encrypt", "wrapKey"} & {*version.key_ops})


def _weak(_vault: Home, _key: Key, version: KeyVersion, _now: int) -> bool | None:
    if version.kty.startswith("oct"):
        return None
    short = version.key_size is not None and version.key_size < 2048
    return short or (version.crv is not None and version.crv not in {"P-256", "P-384", "P-521"})


_CURRENT: dict[str, Callable[[Home, Key, KeyVersion, int], bool | None]] = {
    "kv-key-no-expiry": _no_expiry,
    "kv-key-rotation-overdue": _overdue,
    "kv-key-no-auto-rotation": _no_rotation,
    "kv-key-expiring-soon": _expiring,
    "kv-key-software-protected": _software,
    "kv-key-exportable": _exportable,
    "use-sign-and-decrypt": _two_purposes,
    "use-weak-parameters": _weak,
}


def _days(text: str) -> int:
    match = re.fullmatch(r"P(\d+)([YD])", text)
    assert match is not None, text
    return int(match[1]) * {"Y": 365, "D": 1}[match[2]]


def _credentials(row: str, holder: Holder) -> Iterator[tuple[str, Dated | FederatedCredential]]:
    signs = {key.thumbprint for key in holder.keys if key.usage == "Sign"}
    for credential in dated(holder):
        if credential.thumbprint is None or credential.thumbprint not in signs:
            yield f"{row}/credentials/{credential.key_id}", credential
    for federated in holder.federated:
        yield f"{row}/credentials/{federated.id}", federated


def _saml_sets(row: str, principal: ServicePrincipal) -> Iterator[tuple[str, KeyCredential]]:
    for key in principal.keys:
        if key.usage == "Sign":
            yield f"{row}/signingcertificates/{(key.thumbprint or key.key_id).lower()}", key


def _entra(estate: Estate, now: int) -> Iterator[Verdict]:
    for application in estate.applications:
        row = application_row(estate, application)
        personal = application.audience in {"AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount"}
        yield Verdict("app-audience-personal-accounts", row, personal)
        yield from _broad_subjects(row, application)
        yield from _on_application(row, application, now)
    for principal in estate.service_principals:
        row = principal_row(estate, principal)
        yield from _broad_subjects(row, principal)
        yield from _on_principal(estate, row, principal, now)
        yield from _saml(row, principal, now)


def _on_application(row: str, application: Application, now: int) -> Iterator[Verdict]:
    live = 0
    for subject, credential in _credentials(row, application):
        if isinstance(credential, FederatedCredential) or _symmetric(credential):
            continue
        live += not expired(credential, now)
        end = credential.end
        yield Verdict("app-credential-never-expires", subject, end is None or end > now + 1_095 * DAY)
        if end is None or credential.start is None:
            continue
        yield Verdict("app-expired-credential-left", subject, end < now - 30 * DAY)
        if end > now:
            password = isinstance(credential, PasswordCredential)
            policy, limit = ("app-secret-too-long", 180) if password else ("app-cert-too-long", 365)
            yield Verdict(policy, subject, end - credential.start > limit * DAY)
    yield Verdict("app-many-live-credentials", row, live > 2)


def _symmetric(credential: Dated) -> bool:
    return isinstance(credential, KeyCredential) and credential.type == "Symmetric"


def _on_principal(estate: Estate, row: str, principal: ServicePrincipal, now: int) -> Iterator[Verdict]:
    if principal.type != "Application":
        return
    theirs = [application for application in estate.applications if application.app_id == principal.app_id]
    # The caller that adds a credential chooses its keyId.
    on_application = {key.certificate for application in theirs for key in application.keys if key.certificate}
    for subject, credential in _credentials(row, principal):
        if isinstance(credential, FederatedCredential) or _symmetric(credential):
            continue
        signs = isinstance(credential, KeyCredential) and credential.usage == "Sign"
        if credential.end is not None and not signs and principal.home_tenant not in MICROSOFT:
            yield Verdict("app-expired-credential-left", subject, credential.end < now - 30 * DAY)
        if expired(credential, now):
            continue
        if principal.home_tenant in MICROSOFT:
            yield Verdict("sp-first-party-with-credential", subject, True)
        else:
            same = isinstance(credential, KeyCredential) and credential.certificate in on_application
            yield Verdict("sp-credential-on-service-principal", subject, not same)


def _broad_subjects(row: str, holder: Holder) -> Iterator[Verdict]:
    for federated in holder.federated:
        subject, expression = federated.subject, federated.claims_expression
        if subject is None:
            broad = expression is None or ("*" in expression and ":ref:refs/" not in expression)
        else:
            broad = "*" in subject or subject.endswith(":pull_request")
            if federated.issuer == "https://token.actions.githubusercontent.com":
                pins = (":environment:", ":ref:refs/heads/", ":ref:refs/tags/")
                broad = broad or not any(pin in subject for pin in pins)
        audience = len(federated.audiences) == 1 and federated.audiences[0] in TOKEN_EXCHANGE
        # That of a managed identity is named in its path, whichever service shows it.
        managed = isinstance(holder, ServicePrincipal) and holder.type == "ManagedIdentity"
        name = f"federatedidentitycredentials/{federated.name.lower()}" if managed else f"credentials/{federated.id}"
        yield Verdict("fed-fic-broad-subject", f"{row}/{name}", broad or not audience)


def _saml(row: str, principal: ServicePrincipal, now: int) -> Iterator[Verdict]:
    if principal.sso_mode != "saml" or principal.enabled is False:
        return
    sets = [*_saml_sets(row, principal)]
    for subject, sign in sets:
        preferred = principal.preferred_thumbprint
        if sign.thumbprint == preferred if preferred else len(sets) == 1:
            yield Verdict("fed-saml-cert-expired-preferred", subject, sign.end is not None and sign.end < now)
