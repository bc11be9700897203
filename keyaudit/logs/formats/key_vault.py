"""The audit log of Key Vault and Managed HSM, in its three export formats."""

import re
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import msgspec

from keyaudit.inventory.logs.groups import BURSTS
from keyaudit.inventory.logs.use import Use
from keyaudit.logs.formats.event import Event, Members, Shape, inside, mark
from keyaudit.logs.formats.unread import in_vault
from keyaudit.logs.formats.values import BadRecordError, OtherKindError, Text, UnknownKindError, address, lower, moment
from keyaudit.model.tables.usage import KEY_VAULT_LOG

SOURCE = KEY_VAULT_LOG
"""The log's name in all formats, so that an event is one row regardless of its export."""
CATEGORY = "AuditEvent"
"""Its category in diagnostic settings."""

# https://learn.microsoft.com/azure/key-vault/general/logging#interpret-your-key-vault-logs
_OPERATIONS = {
    "KeySign": "sign",
    "KeyVerify": "verify",
    "KeyEncrypt": "encrypt",
    "KeyDecrypt": "decrypt",
    "KeyWrap": "wrap",
    "KeyUnwrap": "unwrap",
    "KeyBackup": "backup",
    "SecretBackup": "backup",
    "CertificateBackup": "backup",
    "KeyRelease": "release",
    "SecretGet": "read-secret",
    "KeyImport": "import",
    "CertificateImport": "import",
    **{f"{kind}{verb}": "restore" for kind in ("Key", "Secret", "Certificate") for verb in ("Restore", "Recover")},
    **dict.fromkeys(("KeyRotate", "KeyRotateIfDue", "CertificateEnroll", "CertificateRenew"), "rotate"),
    **dict.fromkeys(("KeyCreate", "CertificateCreate"), "create"),
    **dict.fromkeys(("KeyUpdate", "SecretUpdate", "CertificateUpdate"), "update"),
    # A policy says whether the private key can be exported.
    **dict.fromkeys(("CertificatePolicySet", "CertificatePolicyUpdate", "CertificatePendingUpdate"), "update"),
    "CertificatePendingMerge": "import",
    **{f"{kind}List{what}": "list" for kind in ("Key", "Secret", "Certificate") for what in ("", "Versions", "Deleted")},
    "KeyRotationPolicySet": "change-rotation-policy",
    **dict.fromkeys(("KeyDelete", "SecretDelete", "CertificateDelete"), "delete"),
    **dict.fromkeys(("KeyPurge", "SecretPurge", "CertificatePurge"), "purge"),
    "SecretSet": "write-secret",
    **dict.fromkeys(("VaultPut", "VaultPatch"), "write-vault"),
    "VaultDelete": "delete",
    "VaultPurge": "purge",
    "VaultRecover": "restore",
}
BURST_NAMES = tuple(name for name, operation in _OPERATIONS.items() if operation in BURSTS)
"""Operations that are counted by the hour."""
# The names of a Managed HSM's own operations are not documented: they are matched by parts of the name.
_OF_HSM = {
    "securitydomain": "use-security-domain",
    "roleassignment": "change-vault-access",
    "roledefinition": "change-vault-access",
    "fullbackup": "backup",
    "backupcreate": "backup",
    "fullrestore": "restore",
    "restorecreate": "restore",
}
_READS = ("get", "list", "read")
_OF_VAULT = frozenset(
    {"list", "write-vault", "change-vault-access", "use-security-domain", "backup", "restore", "delete", "purge"}
)
"""Operations on a vault or HSM as a whole, if the record names no object in it."""
_KINDS = {"keys": "key", "secrets": "secret", "certificates": "certificate"}
_OBJECT = re.compile(
    r"https://([0-9a-z.-]+)(?::443)?/(?:deleted)?(keys|secrets|certificates)/([^/?]{1,381})(?:/([0-9a-f]{32}))?(?:[/?].*)?",
    re.ASCII | re.IGNORECASE,
)
_PROVIDER = re.compile(r"/providers/([^/]+)", re.IGNORECASE)
_HOST = re.compile(r"https://([0-9a-z.-]+)", re.ASCII | re.IGNORECASE)
_OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"


class _Claim(msgspec.Struct, gc=False):
    appid: Text = None
    oid: Text = None
    long_oid: Text = msgspec.field(default=None, name=_OBJECT_ID)


class _Identity(msgspec.Struct, gc=False):
    claim: _Claim | None = None


class _Properties(msgspec.Struct, gc=False, rename="camel"):
    id: Text = None
    request_uri: Text = None
    client_info: Text = None
    http_status_code: int | str | None = None


class _Record(msgspec.Struct, gc=False, rename="camel"):
    """The format of diagnostic settings in storage and event hubs."""

    category: Text = None
    time: str | int | float | None = None
    operation_name: Text = None
    result_type: str | None = None
    resource_id: Text = None
    caller_ip_address: Text = None
    correlation_id: Text = None
    duration_ms: int | str | float | None = None
    identity: _Identity | str | None = None
    properties: _Properties | None = None


class _Row(msgspec.Struct, gc=False, rename="pascal"):
    """The format of the table AZKVAuditLogs."""

    time_generated: str | int | float | None = None
    operation_name: Text = None
    result_type: str | None = None
    http_status_code: int | str | None = None
    caller_ip_address: Text = None
    correlation_id: Text = None
    duration_ms: int | str | float | None = None
    identity: Any = None
    id: Text = None
    request_uri: Text = None
    client_info: Text = None
    resource_id: Text = msgspec.field(default=None, name="_ResourceId")


class _Legacy(msgspec.Struct, gc=False):
    """The format of the table AzureDiagnostics."""

    ResourceProvider: str | None = None
    TimeGenerated: str | int | float | None = None
    OperationName: Text = None
    ResultType: str | None = None
    status: float | int | str | None = msgspec.field(default=None, name="httpStatusCode_d")
    CallerIPAddress: Text = None
    CorrelationId: Text = None
    DurationMs: int | str | float | None = None
    id_s: Text = None
    uri: Text = msgspec.field(default=None, name="requestUri_s")
    client: Text = msgspec.field(default=None, name="clientInfo_s")
    appid: Text = msgspec.field(default=None, name="identity_claim_appid_g")
    oid: Text = msgspec.field(default=None, name="identity_claim_oid_g")
    long_oid: Text = msgspec.field(
        default=None, name="identity_claim_http_schemas_microsoft_com_identity_claims_objectidentifier_g"
    )
    ResourceId: Text = None


_record, _row, _legacy, _identity = Shape(_Record), Shape(_Row), Shape(_Legacy), Shape(_Identity)


def of_record(members: Members) -> Event:
    """An event from storage or an event hub."""
    found = _record(members)
    if found.category != CATEGORY and (found.category or "").casefold() != CATEGORY.casefold():
        raise OtherKindError("not an AuditEvent")
    inner = found.properties or _Properties()
    on, above = moment(found.time)
    operation = _operation(found.operation_name)
    if operation is None:
        return _left_out(on, found.resource_id, found.operation_name)
    identity = found.identity if isinstance(found.identity, _Identity) else inside(_identity, found.identity)
    claim = (identity and identity.claim) or _Claim()
    return _event(
        on,
        above,
        operation,
        succeeded=_succeeded(inner.http_status_code, found.result_type),
        actor=claim.appid,
        principal=claim.oid or claim.long_oid,
        named=(inner.id, inner.request_uri),
        network=found.caller_ip_address,
        client=inner.client_info,
        resource_id=found.resource_id,
        request=(found.correlation_id, found.duration_ms),
    )


def of_row(members: Members) -> Event:
    """A row of AZKVAuditLogs."""
    found = _row(members)
    on, above = moment(found.time_generated)
    operation = _operation(found.operation_name)
    if operation is None:
        return _left_out(on, found.resource_id, found.operation_name)
    identity = inside(_identity, found.identity)
    claim = (identity and identity.claim) or _Claim()
    return _event(
        on,
        above,
        operation,
        succeeded=_succeeded(found.http_status_code, found.result_type),
        actor=claim.appid,
        principal=claim.oid or claim.long_oid,
        named=(found.id, found.request_uri),
        network=found.caller_ip_address,
        client=found.client_info,
        resource_id=found.resource_id,
        request=(found.correlation_id, found.duration_ms),
    )


def of_legacy(members: Members) -> Event | None:
    """A row of AzureDiagnostics; None if another service wrote it. Raises UnknownKindError if that may be Entra, or any."""
    found = _legacy(members)
    named = _PROVIDER.search(found.ResourceId or "")
    provider = (found.ResourceProvider or (named and named[1]) or "").upper()
    if provider != "MICROSOFT.KEYVAULT":
        # Rows of Entra's tables may have these columns, too, and be without the columns that name their own table.
        if provider in ("", "MICROSOFT.AADIAM"):
            raise UnknownKindError("from an unknown log: export the column Type with it")
        return None
    on, above = moment(found.TimeGenerated)
    operation = _operation(found.OperationName)
    if operation is None:
        return _left_out(on, found.ResourceId, found.OperationName)
    return _event(
        on,
        above,
        operation,
        succeeded=_succeeded(found.status, found.ResultType),
        actor=found.appid,
        principal=found.oid or found.long_oid,
        named=(found.id_s, found.uri),
        network=found.CallerIPAddress,
        client=found.client,
        resource_id=found.ResourceId,
        request=(found.CorrelationId, found.DurationMs),
    )


def _event(
    on: int,
    above: int,
    operation: str,
    *,
    succeeded: bool | None,
    actor: str | None,
    principal: str | None,
    named: tuple[str | None, str | None],
    network: str | None,
    client: str | None,
    resource_id: str | None,
    request: tuple[str | None, int | str | float | None],
) -> Event:
    # Some lists name one object, but they are calls to the vault.
    target = None if operation == "list" else _target(*named)
    if target is None and operation in _OF_VAULT:
        target = _whole_vault(resource_id, *named)
    if target is None:
        raise BadRecordError("names no key, secret or certificate")
    host, kind, target_id = target
    correlation, duration = request
    use = Use(
        source=SOURCE,
        used_on=on,
        operation=operation,
        target_kind=kind,
        succeeded=succeeded,
        target_id=target_id,
        name=correlation or None,
        # In capitals in some exports, and in the resource's own spelling in others.
        resource_id=(resource_id or host).lower(),
        actor_app_id=lower(actor),
        principal_id=lower(principal),
        network=address(network),
        client=client or None,
        # A caller may send one correlation id with many requests.
        mark=f"{above} {_number(duration)}",
    )
    mark(use, ("succeeded",))
    return Event(SOURCE, on, (use,), resource_id=use.resource_id)


def _operation(name: str | None) -> str | None:
    if not name:
        raise BadRecordError("names no operation")
    return _OPERATIONS.get(name) or _of_hsm(name)


def _left_out(on: int, resource_id: str | None, name: str | None) -> Event:
    """The event of a record that tells no use."""
    return Event(SOURCE, on, resource_id=lower(resource_id), operation=name, unread=in_vault(name or ""))


@lru_cache(maxsize=1_024)
def _of_hsm(name: str) -> str | None:
    folded = name.replace(" ", "").casefold()
    if folded.endswith(_READS):
        return None
    return next((operation for part, operation in _OF_HSM.items() if part in folded), None)


def _succeeded(status: float | str | None, result: str | None) -> bool | None:
    if isinstance(status, str):
        status = float(status) if status.replace(".", "", 1).isdecimal() else None
    if status is not None:
        return 200 <= status < 300
    # Only without a status, because its values for refusals differ between the tables.
    return {"success": True, "failure": False, "failed": False}.get((result or "").casefold())


def _number(value: float | str | None) -> str:
    """A duration in whole milliseconds as text, from any table's format."""
    text = "" if value is None else str(value)
    return text.partition(".")[0]


def _whole_vault(resource_id: str | None, *named: str | None) -> tuple[str, str, str] | None:
    """The vault or HSM itself, by its Azure id, otherwise by its address."""
    match = next((found for text in named if text and (found := _HOST.match(text))), None)
    host = f"https://{match[1]}".lower() if match else (resource_id or "").lower()
    place = (resource_id or host).lower()
    return (host, "vault", place) if place else None


@lru_cache(maxsize=8_192)
def _target(identifier: str | None, uri: str | None) -> tuple[str, str, str] | None:
    """The vault's address, the kind of object, and its id, with the version if either of the two has one."""
    found: tuple[str, str, str] | None = None
    for text in (identifier, uri):
        match = _OBJECT.fullmatch(text) if text else None
        if match is None:
            continue
        origin = f"https://{match[1]}".lower()
        whole = f"{origin}/{match[2]}/{unquote(match[3])}".lower()
        kind = _KINDS[match[2].lower()]
        if match[4]:
            return origin, kind, f"{whole}/{match[4].lower()}"
        found = found or (origin, kind, whole)
    return found
