"""Client secrets, certificates and federated credentials as rows; the three entries of a SAML set become one row."""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import TypeVar

from msgspec import UNSET, Raw, Struct, UnsetType

from keyaudit.cloud.environment import ENVIRONMENTS
from keyaudit.collect.certificates import brief_of
from keyaudit.collect.entra.holders import OF_HOLDER, Holder
from keyaudit.collect.entra.relations import FederatedItem
from keyaudit.collect.rows import Row
from keyaudit.collect.wire import Wire, is_null, read
from keyaudit.collect.x509 import Brief
from keyaudit.model.coverage import Refusal
from keyaudit.model.directory.federated_names import hosting, repository
from keyaudit.model.directory.federated_subject import Trusted, host_of, retires_on, trusted
from keyaudit.model.operations import GLOBAL_CLOUD
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.entra.credential import CREDENTIAL
from keyaudit.model.values.guid import GUID

T = TypeVar("T")
C = TypeVar("C", bound="PasswordItem")

_ELSEWHERE = {host for cloud in ENVIRONMENTS.values() if cloud.name != GLOBAL_CLOUD for host in (cloud.graph, cloud.arm)}
_REPOSITORY = {
    "repository_host": "host",
    "repository_owner": "owner",
    "repository_owner_id": "owner_id",
    "repository_path": "path",
    "repository_id": "id",
}
"""By column, the attribute of `federated_names.Repository`."""
_FEDERATED = (
    *("issuer", "subject", "audiences", "claims_expression", "subject_grade", "subject_breadth", "issuer_retires_on"),
    *_REPOSITORY,
)
KEY_TYPES = {"AsymmetricX509Cert": "certificate", "X509CertAndPassword": "certificate", "Symmetric": "symmetric-key"}
"""Graph's type of a key credential, and the value of the column `kind`."""
BY_BRIEF = {
    "thumbprint_sha1": "thumbprint",
    "certificate_subject": "subject",
    "certificate_issuer": "issuer",
    **{name: name for name in ("thumbprint_sha256", "public_key_sha256", "key_type", "key_size", "curve", "signature_hash")},
}
"""By column, the attribute of `x509.Brief`."""
OF_CERTIFICATE = (*BY_BRIEF, "subject_tenant", "pin")
"""The columns about a certificate itself."""
_NOT_OF_PASSWORDS = ("usage", "entra_custody", *OF_CERTIFICATE, *_FEDERATED)
_CUSTODY = {"Verify": "external", "Sign": "platform"}
_OF_ITSELF = tuple(
    column.name
    for column in CREDENTIAL.stored
    if column.can_be_unknown and column.name != "name" and column.name not in OF_HOLDER
)
"""The columns about the credential itself, not its holder."""

_COMMON_NAME_ID = re.compile(rf"(?:^|,)CN=({GUID.pattern})(?:,|$)", re.ASCII | re.IGNORECASE)
# SHA-1 or SHA-256 in hex. Base64 of that length is impossible, because no digest has 30 or 48 bytes.
_HEX = re.compile(r"[0-9A-F]{40}|[0-9A-F]{64}", re.ASCII | re.IGNORECASE)


class PasswordItem(Struct, rename="camel"):
    """A client secret; Graph never returns its value."""

    key_id: str
    display_name: Wire = UNSET
    start_date_time: Wire = UNSET
    end_date_time: Wire = UNSET
    custom_key_identifier: Wire = UNSET


class KeyItem(PasswordItem):
    """A certificate or symmetric key; `key` is the public certificate, if Graph returns it."""

    type: Wire = UNSET
    usage: Wire = UNSET
    key: Wire = UNSET


class Expression(Struct):
    """A claims-matching expression."""

    value: str


def thumbprint(raw: Wire) -> str | Refusal | None:
    """customKeyIdentifier in upper-case hex: Graph sends hex, base64 of bytes, or base64 of hex. None: not set."""
    if is_null(raw):
        return None
    text = read(raw, str)
    if isinstance(text, Refusal) or not text:
        return text or None
    if _HEX.fullmatch(text):
        return text.upper()
    try:
        held = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return Refusal(Reason.BAD_VALUE)
    inner = held.decode("latin-1")
    return inner.upper() if _HEX.fullmatch(inner) else held.hex().upper()


def kind_of(item: KeyItem) -> str | Refusal:
    """The value of the column `kind` for a key."""
    type_ = read(item.type, str)
    return type_ if isinstance(type_, Refusal) else KEY_TYPES.get(type_, Refusal(Reason.UNRECOGNISED))


def encrypts(item: KeyItem) -> bool:
    """Whether Entra encrypts tokens for the holder with it. Such a key signs nobody in, so it is no credential.

    https://learn.microsoft.com/entra/identity/enterprise-apps/howto-saml-token-encryption
    """
    usage = read(item.usage, str)
    return isinstance(usage, str) and usage.lower() == "encrypt"


class Rows:
    """The credential rows of one holder, each with an id of its own."""

    def __init__(self, holder: Holder) -> None:
        self._holder = holder
        self._taken: set[str] = set()

    def password(self, item: PasswordItem) -> dict[str, object]:
        """The row of a client secret."""
        row = self._begin(item.key_id, item.display_name)
        _put_password(row)
        self._put_dates(row, item)
        return row.finish()

    def key(self, item: KeyItem, hidden: Refusal) -> dict[str, object]:
        """The row of a certificate or a symmetric key; `hidden`: why Graph does not return the certificate."""
        row = self._begin(item.key_id, item.display_name)
        kind = kind_of(item)
        row.put_read("kind", kind)
        # Decoded first, because custody depends on it.
        row.put_read("usage", Refusal(Reason.BAD_VALUE) if is_null(item.usage) else item.usage)
        usage = row.values.get("usage")
        custody = _CUSTODY.get(usage) if isinstance(usage, str) else None
        row.put_read("entra_custody", custody or Refusal(row.unknown.get("usage", Reason.UNRECOGNISED)))
        _put_certificate(row, kind, brief_of(item.key) or hidden, self._holder.tenant_id)
        self._put_dates(row, item)
        row.clear(_FEDERATED)
        return row.finish()

    def untold(self, item: PasswordItem) -> dict[str, object]:
        """The row of a possible credential, in which everything is unknown."""
        row = self._begin(item.key_id, item.display_name)
        row.refuse((column for column in _OF_ITSELF if column != "key_id"), Reason.BAD_VALUE)
        if not isinstance(item, KeyItem):
            # It is a password, or nothing: no certificate that others could have as well.
            _put_password(row)
        return row.finish()

    def unread(self, kind: str | Refusal) -> dict[str, object]:
        """One row for all credentials whose keyId could not be read.

        `kind`: `password` for client secrets; a refusal for certificates and symmetric keys.
        """
        named = "unread-keys" if isinstance(kind, Refusal) else f"unread-{kind}s"
        row = self._begin(named, None)
        row.refuse(_OF_ITSELF, Reason.BAD_ITEM)
        row.put_read("kind", kind)
        if kind == "password":
            _put_password(row)
        return row.finish()

    def federated(self, item: FederatedItem, url: str, version: str, expression: Wire | Refusal) -> dict[str, object]:
        """The row of a federated credential from the request at `url`; `expression` is its claims-matching expression."""
        row = self._begin(item.id, item.name, self._holder.federated_id(item.id, item.name), url=url, version=version)
        row.put("kind", "federated")
        row.clear(("starts_on", "expires_on", "usage", "thumbprint", "entra_custody", *OF_CERTIFICATE))
        if is_null(item.issuer):
            # The issuer decides what the credential trusts, which is worked out before the row is finished.
            row.refuse(("issuer",), Reason.BAD_VALUE)
        else:
            row.put("issuer", item.issuer)
        row.put("audiences", item.audiences)
        row.put("subject", item.subject)
        self._put_expression(row, item, expression)
        self._put_trusted(row)
        return row.finish()

    def _put_expression(self, row: Row, item: FederatedItem, raw: Wire | Refusal) -> None:
        # A credential has either a subject or an expression, and only newer answers have the second member.
        # https://learn.microsoft.com/graph/api/resources/federatedidentitycredential
        if isinstance(raw, Refusal):
            row.put_read("claims_expression", raw)
            return
        if is_null(raw) and row.values.get("subject", "") is None:
            # It must have one of them.
            row.refuse(("subject", "claims_expression"), Reason.BAD_VALUE)
            return
        if is_null(raw) or (isinstance(raw, UnsetType) and row.values.get("subject") is not None):
            row.put("claims_expression", None)
            return
        expression = read(raw, Expression)
        row.put_read("claims_expression", expression if isinstance(expression, Refusal) else expression.value)
        if isinstance(item.subject, UnsetType) and not isinstance(expression, Refusal):
            row.put("subject", None)

    def _put_trusted(self, row: Row) -> None:
        """Fill the columns derived from issuer, and subject or expression."""
        rest_on: tuple[str, ...] = ("issuer", "subject", "claims_expression")
        issuer, subject, expression = ("" if (held := row.values.get(column)) is None else str(held) for column in rest_on)
        if subject:
            rest_on = ("issuer", "subject")
        lacking = next((row.unknown[column] for column in rest_on if column in row.unknown), None)
        found: Trusted | Refusal
        if lacking is not None:
            found = Refusal(lacking)
        else:
            found = trusted(issuer, subject or None, expression or None, self._holder.tenant_id) or Refusal(Reason.UNRECOGNISED)
        for column, fact in (("subject_grade", "grade"), ("subject_breadth", "breadth")):
            row.put_read(column, found if isinstance(found, Refusal) else str(getattr(found, fact)))
        unread = row.unknown.get("issuer")
        hosted = unread is not None or hosting(issuer) is not None
        named = repository(issuer, subject or None, expression or None)
        for column, fact in _REPOSITORY.items():
            row.put_read(column, found if hosted and isinstance(found, Refusal) else named and getattr(named, fact))
        # In other clouds it stays: https://learn.microsoft.com/azure/devops/pipelines/release/convert-service-connections
        stays = host_of(self._holder.url)[0] in _ELSEWHERE
        row.put_read("issuer_retires_on", None if stays else Refusal(unread) if unread is not None else retires_on(issuer))

    def _begin(self, key_id: str, name: Wire | None, resource_id: str = "", *, url: str = "", version: str = "") -> Row:
        holder = self._holder
        resource_id = resource_id or holder.credential_id(key_id)
        row = Row(
            CREDENTIAL,
            id=self._id(resource_id),
            resource_id=resource_id,
            scope_id=holder.scope_id,
            url=url or holder.url,
            version=version or holder.version,
        )
        holder.put(row)
        holder.put_names(row)
        row.put("name", name)
        row.put("key_id", key_id)
        row.put("holder_kind", holder.kind)
        row.put_read("holder_type", holder.type)
        row.put_read("holder_home", holder.home)
        row.put("certificate_read_on", None)
        return row

    def _id(self, resource_id: str) -> str:
        """The id of a credential. A password that protects a certificate can have the certificate's keyId: the second gets a
        number.
        """
        base = id_ = resource_id.lower()
        number = 1
        while id_ in self._taken:
            number += 1
            id_ = f"{base}/{number}"
        self._taken.add(id_)
        return id_

    def _put_dates(self, row: Row, item: PasswordItem) -> None:
        row.put("starts_on", item.start_date_time)
        row.put("expires_on", item.end_date_time)
        row.put_read("thumbprint", thumbprint(item.custom_key_identifier))


def _put_password(row: Row) -> None:
    """The values that all client secrets have in common."""
    row.put("kind", "password")
    row.clear(_NOT_OF_PASSWORDS)


def _put_certificate(row: Row, kind: str | Refusal, shown: Brief | Refusal, tenant_id: str) -> None:
    """Fill the certificate columns; `tenant_id` is the audited tenant."""
    # A key of an unknown type may be a certificate, and has its key if Graph returns one.
    found = None if kind == "symmetric-key" else shown
    for column, attribute in BY_BRIEF.items():
        row.put_read(column, getattr(found, attribute) if isinstance(found, Brief) else found)
    row.put_read("subject_tenant", _subject_tenant(found.subject, tenant_id) if isinstance(found, Brief) else found)
    row.put_read("pin", _pin(row, found) if isinstance(found, Brief) else found)


def _pin(row: Row, found: Brief) -> str | Refusal:
    """The value of the column `pin` for a certificate."""
    app_id = row.values.get("app_id")
    return f"{app_id}/{found.thumbprint_sha256}" if app_id else Refusal(row.unknown.get("app_id", Reason.NOT_VISIBLE))


def _subject_tenant(subject: str | Refusal, tenant_id: str) -> str | Refusal | None:
    """The value of the column `subject_tenant` for a certificate."""
    if isinstance(subject, Refusal):
        return subject
    named = _COMMON_NAME_ID.search(subject)
    return None if named is None else "own" if named[1].lower() == tenant_id.lower() else "other"


def unread_rows(rows: Rows, *, keys: int, passwords: int) -> Iterator[dict[str, object]]:
    """The rows for unreadable keys and passwords; none if there are none."""
    if keys:
        yield rows.unread(Refusal(Reason.BAD_ITEM))
    if passwords:
        yield rows.unread("password")


def read_credentials(raw: Wire, kind: type[C]) -> tuple[list[C], int]:
    """The credentials in a member of an answer, and how many cannot be read.

    One whose keyId is no GUID cannot be told from others, so that it counts as unread.
    https://learn.microsoft.com/graph/api/resources/passwordcredential
    """
    items, bad = read_items(raw, kind)
    named = [item for item in items if GUID.fullmatch(item.key_id)]
    return named, bad + len(items) - len(named)


def read_items(raw: Wire, kind: type[T]) -> tuple[list[T], int]:
    """The objects in a member of an answer, and the number of unreadable ones; null instead of a list counts as one.

    Graph sends an empty list for none, and null for credentials that it does not return.
    """
    items = read(raw, list[Raw])
    if isinstance(items, Refusal):
        return [], 1
    found = [read(item, kind) for item in items]
    good = [item for item in found if not isinstance(item, Refusal)]
    return good, len(found) - len(good)
