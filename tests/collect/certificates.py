"""Certificates made for tests, sound ones and ones that no library would make."""

from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from keyaudit.collect.x509 import der

KEY = ec.derive_private_key(2016, ec.SECP256R1())
OTHER_KEY = ec.derive_private_key(2023, ec.SECP256R1())
Extensions = tuple[tuple[x509.ExtensionType, bool], ...]


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def made(
    subject: str = "api.contoso.example",
    issuer: str | None = None,
    *,
    extensions: Extensions = (),
    signer: ec.EllipticCurvePrivateKey = KEY,
) -> bytes:
    """A certificate on `KEY` from 2016 to the last second of 9999, in DER."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(subject if issuer is None else issuer))
        .public_key(KEY.public_key())
        .serial_number(0x0A0B)
        .not_valid_before(datetime(2016, 4, 5, 9, tzinfo=UTC))
        .not_valid_after(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.DER)


def altered(certificate: bytes, *, nth: int, part: bytes) -> bytes:
    """The certificate with one part of its signed half replaced: 1 the serial, 2 the algorithm, 6 the key, 7 the extensions."""
    outer = der.read(certificate, der.SEQUENCE).parts
    signed = [element.whole for element in outer[0].parts]
    signed[nth] = part
    return der.write(der.SEQUENCE, [der.write(der.SEQUENCE, signed), *(element.whole for element in outer[1:])])


def key_info(algorithm: str, parameters: bytes, key: bytes) -> bytes:
    """A SubjectPublicKeyInfo of any algorithm."""
    identifier = der.write(der.SEQUENCE, [oid(algorithm), parameters])
    return der.write(der.SEQUENCE, [identifier, der.write(der.BIT_STRING, [b"\0", key])])


def oid(dotted: str) -> bytes:
    """An object identifier whose arcs are below 2^14."""
    first, second, *rest = map(int, dotted.split("."))
    octets = b""
    for arc in (40 * first + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        octets += bytes(reversed(groups))
    return der.write(der.OBJECT_ID, [octets])


def integer(value: int) -> bytes:
    return der.write(der.INTEGER, [value.to_bytes(value.bit_length() // 8 + 1, signed=True)])


def extensions(*entries: tuple[str, bytes]) -> bytes:
    """The extensions of a certificate, by object identifier, with arbitrary bytes."""
    each = [der.write(der.SEQUENCE, [oid(identifier), der.write(0x04, [value])]) for identifier, value in entries]
    return der.write(0xA3, [der.write(der.SEQUENCE, each)])
