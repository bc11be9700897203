"""The columns of a certificate version from Key Vault. No requests."""

from msgspec import UNSET, Struct, UnsetType, structs

from keyaudit.collect.key_vault.names import named, object_id
from keyaudit.collect.rows import Row, wired
from keyaudit.collect.wire import Wire, is_null, read
from keyaudit.collect.x509 import X509, read_x509
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.vaults.certificate import CERTIFICATE
from keyaudit.model.values import base64url

FACTS = tuple(field.name for field in structs.fields(X509))


class CertificateItem(Struct):
    """An item of the certificate list or of a version list. Before it is issued, it has no thumbprint."""

    id: str
    attributes: Wire = UNSET
    tags: Wire = UNSET
    x5t: Wire = UNSET

    @property
    def issued(self) -> bool:
        """Whether a certificate certainly exists."""
        return not _missing(self.x5t)


@wired(CERTIFICATE, "attributes")
class Attributes(Struct):
    """A certificate's attributes."""

    created: Wire = UNSET
    nbf: Wire = UNSET
    exp: Wire = UNSET


class CertificateBundle(Struct):
    """The answer to a GET of one certificate version."""

    id: str
    kid: Wire = UNSET
    x5t: Wire = UNSET
    cer: Wire = UNSET
    policy: Wire = UNSET
    attributes: Wire = UNSET
    tags: Wire = UNSET

    @property
    def issued(self) -> bool:
        """Whether a certificate exists. Before it is issued, there is only its key."""
        return not (_missing(self.cer) and _missing(self.x5t))


def put_attributes(row: Row, raw: Wire, *, issued: bool) -> None:
    """Fill the columns of the attributes. An `issued` certificate has all of them."""
    attributes = read(raw, Attributes)
    row.fill(attributes, "attributes")
    if issued and not isinstance(attributes, Refusal):
        dates = {"activates_on": attributes.nbf, "expires_on": attributes.exp}
        row.refuse((column for column, member in dates.items() if _missing(member)), Reason.BAD_BODY)


def put_unread(row: Row, item: CertificateItem, reason: Reason) -> None:
    """Fill the columns of the certificate itself for a version whose GET was refused for `reason`."""
    row.refuse((*FACTS, "issued", "key_version_id"), reason)
    if item.issued:
        row.put("issued", True)


def put_certificate(row: Row, bundle: CertificateBundle, uri: str) -> None:
    """Fill the columns of the certificate itself; absent before it is issued."""
    row.put_all(issued=bundle.issued, key_version_id=_key_version(bundle.kid, uri))
    if not bundle.issued:
        row.clear(FACTS)
        return
    encoded = read(bundle.cer, str)
    found = encoded if isinstance(encoded, Refusal) else read_x509(encoded)
    if isinstance(found, Refusal):
        row.refuse(FACTS, found.reason)
        row.put_read("thumbprint", thumbprint(bundle.x5t))
        return
    stated = thumbprint(bundle.x5t)
    if isinstance(stated, str) and stated != found.thumbprint:
        row.refuse(FACTS, Reason.INCONSISTENT)
        return
    for column in FACTS:
        row.put_read(column, getattr(found, column))
    # The attributes exp and nbf are the dates of the certificate, and cannot be set otherwise.
    # https://learn.microsoft.com/azure/key-vault/certificates/about-certificates
    for column, date in (("activates_on", found.not_before), ("expires_on", found.not_after)):
        if isinstance(date, int) and row.values.get(column) not in (None, date):
            row.refuse((column,), Reason.INCONSISTENT)


def thumbprint(raw: Wire) -> str | Refusal:
    """A thumbprint in upper-case hex, from Key Vault's base64url."""
    encoded = read(raw, str)
    if isinstance(encoded, Refusal):
        return encoded
    try:
        digest = base64url.decoded(encoded)
    except ValueError:
        return Refusal(Reason.BAD_VALUE)
    return digest.hex().upper() if len(digest) == 20 else Refusal(Reason.BAD_VALUE)


def created_on(attributes: Wire) -> object:
    """The creation time in a version's attributes; not a number if it is missing."""
    found = read(attributes, Attributes)
    return found if isinstance(found, Refusal) else read(found.created, int)


def _key_version(raw: Wire, uri: str) -> str | Refusal | None:
    if _missing(raw):
        return None
    identifier = read(raw, str)
    if isinstance(identifier, Refusal):
        return identifier
    try:
        return object_id(uri, "keys", named(identifier, uri, "keys"))
    except ValueError:
        return Refusal(Reason.BAD_VALUE)


def _missing(raw: Wire) -> bool:
    return isinstance(raw, UnsetType) or is_null(raw)
