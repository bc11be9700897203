"""Public certificates from Graph and the sign-in host, and the columns that they fill."""

from keyaudit.collect.rows import Row
from keyaudit.collect.wire import Wire, is_null, read
from keyaudit.collect.x509 import X509, Brief, plain, read_brief, read_x509
from keyaudit.model.coverage import Refusal

_COLUMNS = (
    "thumbprint_sha256",
    "public_key_sha256",
    "subject",
    "issuer",
    "self_signed",
    "key_type",
    "key_size",
    "curve",
    "signature_hash",
)


def certificate_of(encoded: Wire) -> X509 | Refusal | None:
    """The certificate in a member of an answer; None for null or an empty text."""
    if is_null(encoded):
        return None
    text = read(encoded, str)
    return text if isinstance(text, Refusal) else certificate_in(text)


def certificate_in(text: str) -> X509 | Refusal | None:
    """The certificate in a text, in base64 or PEM; None if it is empty."""
    encoded = plain(text)
    return read_x509(encoded) if encoded else None


def brief_of(encoded: Wire) -> Brief | Refusal | None:
    """Like `certificate_of`, with a few facts only, for long lists."""
    if is_null(encoded):
        return None
    text = read(encoded, str)
    if isinstance(text, Refusal):
        return text
    shown = plain(text)
    return read_brief(shown) if shown else None


def put_certificate(row: Row, found: X509 | Refusal | None) -> None:
    """Fill the columns of `x509_columns`; None means no certificate."""
    for column in _COLUMNS:
        row.put_read(column, getattr(found, column) if isinstance(found, X509) else found)


def put_dated(row: Row, found: X509 | Refusal) -> None:
    """Fill the columns of `x509_columns`, and the thumbprint and dates from the certificate."""
    put_certificate(row, found)
    row.put_read("thumbprint", found if isinstance(found, Refusal) else found.thumbprint)
    row.put_read("starts_on", found if isinstance(found, Refusal) else found.not_before)
    row.put_read("expires_on", found if isinstance(found, Refusal) else found.not_after)
