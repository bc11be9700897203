"""The columns of an X.509 certificate, with the same names in every table."""

from collections.abc import Mapping

from keyaudit.model.schema.columns import Column, Where, flag, integer, text
from keyaudit.model.schema.wire import InCertificate, Way


def in_certificate(path: str) -> Mapping[str, Way]:
    """Where the columns of `x509_columns`, the thumbprint and the dates are: in the certificate at `path`."""
    named = {"thumbprint": "thumbprint", "starts_on": "not_before", "expires_on": "not_after"}
    facts = {column.name: column.name for column in x509_columns(())} | named
    return {column: InCertificate(path, fact) for column, fact in facts.items()}


def x509_columns(operations: tuple[str, ...], absent: str = "") -> tuple[Column, ...]:
    """The columns of a certificate except its dates. `absent` says when a row has no certificate."""
    return (
        text("thumbprint_sha256", "SHA-256 of the certificate in upper-case hex", operations, absent=absent),
        text("public_key_sha256",
            "SHA-256 of its SubjectPublicKeyInfo in upper-case hex: the same for every certificate with the same key",
            operations,
            absent=absent),
        text("subject", "the subject, in RFC 4514 form", operations, absent=absent),
        text("issuer", "the issuer, in RFC 4514 form", operations, absent=absent),
        flag("self_signed", "it is self-signed; the signature was verified", operations, absent=absent),
        *strength_columns(operations, absent=absent),
    )


def strength_columns(operations: tuple[str, ...], absent: str = "", absent_where: tuple[Where, ...] = ()) -> tuple[Column, ...]:
    """The columns about the strength of its key and signature. `absent_where`: the rows without a certificate."""
    return (
        text("key_type", "kind of its key", operations,
            absent=absent, absent_where=absent_where, values=("RSA", "EC", "DSA", "Ed25519", "Ed448"), open_ended=True),
        integer("key_size", "length of an RSA modulus", operations,
            absent=_either("its key is not an RSA key", absent), unit="bits"),
        text("curve", "curve of an EC key", operations,
            absent=_either("its key is not an EC key", absent), values=("P-256", "P-384", "P-521", "P-256K"),
            open_ended=True),
        text("signature_hash", "the hash algorithm of its signature", operations,
            absent=_either("the algorithm has no choice of hash", absent)),
    )


def _either(why: str, absent: str) -> str:
    return ", or ".join(part for part in (why, absent) if part)
