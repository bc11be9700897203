"""Reads X.509 certificates. Each fact is read separately, so that an invalid one does not affect others. No requests."""

import base64
import binascii
import hashlib
import re
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from msgspec import Struct

from keyaudit.collect.x509 import der
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason

T = TypeVar("T")
E = TypeVar("E", bound=x509.ExtensionType)

_ARMOR = re.compile(r"-----(BEGIN|END) CERTIFICATE-----")
_SPACES = re.compile(r"\s+", re.ASCII)
_MOST_BYTES = 128 * 1024
"""The maximum size: several times that of the largest certificate in use, with an SLH-DSA signature or a thousand names."""

_BROKEN = (
    ValueError,
    TypeError,
    IndexError,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.InvalidVersion,
    InternalError,
)
_NOT_KNOWN = (UnsupportedAlgorithm, x509.UnsupportedGeneralNameType)

_KEY_TYPES = {
    "1.2.840.113549.1.1.1": "RSA",
    "1.2.840.113549.1.1.10": "RSA",
    "1.2.840.10045.2.1": "EC",
    "1.2.840.10040.4.1": "DSA",
    "1.3.101.112": "Ed25519",
    "1.3.101.113": "Ed448",
}
# Key Vault's names: https://learn.microsoft.com/azure/key-vault/keys/about-keys-details
_CURVES = {
    "1.2.840.10045.3.1.7": "P-256",
    "1.3.132.0.34": "P-384",
    "1.3.132.0.35": "P-521",
    "1.3.132.0.10": "P-256K",
}
_USAGES = {
    "digital_signature": "digitalSignature",
    "content_commitment": "nonRepudiation",
    "key_encipherment": "keyEncipherment",
    "data_encipherment": "dataEncipherment",
    "key_agreement": "keyAgreement",
    "key_cert_sign": "keyCertSign",
    "crl_sign": "cRLSign",
}
_KINDS: dict[type[x509.GeneralName], str] = {
    x509.DNSName: "dns",
    x509.RFC822Name: "email",
    x509.UniformResourceIdentifier: "uri",
    x509.IPAddress: "ip",
    x509.DirectoryName: "directory",
    x509.RegisteredID: "id",
    x509.OtherName: "other",
}
# szOID_OIWSEC_sha1RSASign, an older identifier of SHA-1 with RSA that `cryptography` does not verify:
# https://learn.microsoft.com/windows/win32/api/wincrypt/ns-wincrypt-crypt_algorithm_identifier
_OLDER_SHA1_RSA = "1.3.14.3.2.29"
_MARKS = (
    # https://cabforum.org/working-groups/server/baseline-requirements/requirements/, 7.1.6.1: reserved certificate policies.
    "2.23.140.1.1",
    "2.23.140.1.2.1",
    "2.23.140.1.2.2",
    "2.23.140.1.2.3",
    # RFC 6962, 3.3: embedded timestamps of Certificate Transparency logs.
    "1.3.6.1.4.1.11129.2.4.2",
)
_POLICIES = "2.5.29.32"
"""The extension of certificate policies: RFC 5280, 4.2.1.4."""
_EXTENSIONS = 0xA3
"""The tag of the extensions in a certificate's signed part."""


class X509(Struct, frozen=True, kw_only=True):
    """The facts of one certificate, each in the stored form of its column, or refused."""

    thumbprint: str
    """SHA-1 of the whole certificate, in upper-case hex."""
    thumbprint_sha256: str
    public_key_sha256: str
    """SHA-256 of the SubjectPublicKeyInfo, in upper-case hex: the same for every certificate with the same key."""
    subject: str | Refusal
    issuer: str | Refusal
    serial: str | Refusal
    """In upper-case hex."""
    self_signed: bool | Refusal
    """Whether its own key signed it; verified, or refused as unrecognised for an unsupported algorithm."""
    not_before: int | Refusal
    not_after: int | Refusal
    key_type: str | Refusal
    """RSA, EC, DSA, Ed25519 or Ed448; otherwise the object identifier."""
    key_size: int | Refusal | None
    """Bits of an RSA modulus; None for other keys."""
    curve: str | Refusal | None
    """The curve of an EC key by Key Vault's name, or its object identifier; None for other keys."""
    signature_hash: str | Refusal | None
    """The hash of the signature: sha256, sha1, md5, ...; None for algorithms without a choice of hash."""
    is_ca: bool | Refusal
    names: list[str] | Refusal
    """Subject alternative names with their kind: dns:www.example.com, ip:192.0.2.1."""
    ekus: list[str] | Refusal | None
    """Extended key usages as object identifiers; None: any use."""
    key_usage: list[str] | Refusal | None
    """By the names of RFC 5280; None: any use."""
    public_ca_marks: list[str] | Refusal
    """The object identifiers of `_MARKS` that it has: certificates of public CAs do, and any CA may write them."""


class Brief(Struct, frozen=True, kw_only=True):
    """The identity and strength of a certificate and its key, at a fraction of the cost of all facts."""

    thumbprint: str
    thumbprint_sha256: str
    public_key_sha256: str
    subject: str | Refusal
    issuer: str | Refusal
    key_type: str | Refusal
    key_size: int | Refusal | None
    curve: str | Refusal | None
    signature_hash: str | Refusal | None


def read_x509(encoded: str | bytes) -> X509 | Refusal:
    """The facts of a certificate in DER or base64. Refused as bad_value if it is not a certificate."""
    return _read(encoded, lambda reader: reader.facts())


@lru_cache(maxsize=16)
def read_certificate(text: str) -> X509 | Refusal:
    """The facts of a certificate in base64, in lines or not, or in PEM. Refused as bad_value if there is none."""
    return read_x509(plain(text))


def plain(text: str) -> str:
    """The base64 in a text: Graph stores what its users paste."""
    return _SPACES.sub("", _ARMOR.sub("", text))


def read_brief(encoded: str | bytes) -> Brief | Refusal:
    """The facts in `Brief`."""
    return _read(encoded, lambda reader: reader.brief())


def read_leaf(encoded: str) -> str | Refusal:
    """The SHA-1 thumbprint of a certificate in base64, or of the only one in a PKCS #7 chain that issued no other of it."""
    one = read_brief(encoded)
    if not isinstance(one, Refusal) or len(encoded) > _MOST_BYTES:
        return one if isinstance(one, Refusal) else one.thumbprint
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            chain = pkcs7.load_der_pkcs7_certificates(base64.b64decode(encoded, validate=True))
            issuers = {each.issuer for each in chain if each.issuer != each.subject}
            [leaf] = [each for each in chain if len(chain) == 1 or each.subject not in issuers]
            found = read_brief(leaf.public_bytes(Encoding.DER))
        except (*_BROKEN, UnsupportedAlgorithm):
            return Refusal(Reason.BAD_VALUE)
    return found if isinstance(found, Refusal) else found.thumbprint


def _read(encoded: str | bytes, answer: "Callable[[_Reader], T]") -> T | Refusal:
    if isinstance(encoded, str):
        try:
            encoded = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            return Refusal(Reason.BAD_VALUE)
    if len(encoded) > _MOST_BYTES:
        return Refusal(Reason.TOO_LARGE)
    # cryptography warns about violations of RFC 5280, such as a negative serial. Such certificates exist.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return answer(_Reader(encoded))
        except _BROKEN:
            return Refusal(Reason.BAD_VALUE)


class _Reader:
    def __init__(self, encoded: bytes) -> None:
        self._encoded = encoded
        self._certificate = x509.load_der_x509_certificate(encoded)
        self._outer = der.read(encoded, der.SEQUENCE).parts
        self._signed = self._outer[0].parts
        # After the optional version: serial, algorithm, issuer, validity, subject, key.
        first = 1 if self._signed[0].tag == 0xA0 else 0
        self._algorithm, self._key = self._signed[first + 1], self._signed[first + 5]

    def brief(self) -> Brief:
        key_type = _fact(self._key_type)
        certificate = self._certificate
        return Brief(
            thumbprint=hashlib.sha1(self._encoded, usedforsecurity=False).hexdigest().upper(),
            subject=_fact(lambda: _text(certificate.subject.rfc4514_string())),
            issuer=_fact(lambda: _text(certificate.issuer.rfc4514_string())),
            thumbprint_sha256=_sha256(self._encoded),
            public_key_sha256=_sha256(self._key.whole),
            key_type=key_type,
            key_size=_of_key_type(key_type, "RSA", self._key_size),
            curve=_of_key_type(key_type, "EC", self._curve),
            signature_hash=_fact(self._signature_hash),
        )

    def facts(self) -> X509:
        certificate = self._certificate
        brief = self.brief()
        return X509(
            thumbprint=brief.thumbprint,
            thumbprint_sha256=brief.thumbprint_sha256,
            public_key_sha256=brief.public_key_sha256,
            subject=brief.subject,
            issuer=brief.issuer,
            serial=_fact(lambda: format(certificate.serial_number, "X")),
            self_signed=_fact(self._self_signed),
            not_before=_fact(lambda: int(certificate.not_valid_before_utc.timestamp())),
            not_after=_fact(lambda: int(certificate.not_valid_after_utc.timestamp())),
            key_type=brief.key_type,
            key_size=brief.key_size,
            curve=brief.curve,
            signature_hash=brief.signature_hash,
            is_ca=_fact(self._is_ca),
            names=_fact(self._names),
            ekus=_fact(self._ekus),
            key_usage=_fact(self._key_usage),
            public_ca_marks=_fact(self._public_ca_marks),
        )

    def _self_signed(self) -> bool | Refusal:
        if self._certificate.subject != self._certificate.issuer:
            return False
        try:
            self._verify()
        except InvalidSignature:
            return False
        # An unsupported key or algorithm: it proves neither.
        except _BROKEN:
            return Refusal(Reason.UNRECOGNISED)
        return True

    def _verify(self) -> None:
        """Raises InvalidSignature if another key signed it, or ValueError for an algorithm that cannot be verified."""
        certificate, key = self._certificate, self._certificate.public_key()
        older = der.object_id(self._algorithm.parts[0]) == _OLDER_SHA1_RSA and self._algorithm.whole == self._outer[1].whole
        if older and isinstance(key, rsa.RSAPublicKey):
            sha1 = hashes.SHA1()  # noqa: S303 - the certificate is signed over it
            key.verify(certificate.signature, certificate.tbs_certificate_bytes, padding.PKCS1v15(), sha1)
        else:
            certificate.verify_directly_issued_by(certificate)

    def _signature_hash(self) -> str | None:
        found = self._certificate.signature_hash_algorithm
        return None if found is None else found.name

    def _key_type(self) -> str:
        algorithm = der.object_id(self._key.parts[0].parts[0])
        return _KEY_TYPES.get(algorithm, algorithm)

    def _key_size(self) -> int:
        """From the modulus itself, because libraries refuse keys that are too large for them."""
        bits = self._key.parts[1]
        if bits.tag != der.BIT_STRING or bits.content[:1] != b"\0":
            raise ValueError("not a public key")
        modulus = der.read(bits.content[1:], der.SEQUENCE).parts[0]
        size = int.from_bytes(modulus.content, signed=True)
        if modulus.tag != der.INTEGER or size <= 0:
            raise ValueError("not a modulus")
        return size.bit_length()

    def _curve(self) -> str:
        curve = der.object_id(self._key.parts[0].parts[1])
        return _CURVES.get(curve, curve)

    def _is_ca(self) -> bool:
        found = self._extension(x509.BasicConstraints)
        return found is not None and found.ca

    def _names(self) -> list[str]:
        found = self._extension(x509.SubjectAlternativeName)
        return [] if found is None else [_general_name(name) for name in found]

    def _ekus(self) -> list[str] | None:
        found = self._extension(x509.ExtendedKeyUsage)
        return None if found is None else [usage.dotted_string for usage in found]

    def _key_usage(self) -> list[str] | None:
        found = self._extension(x509.KeyUsage)
        if found is None:
            return None
        # The last two apply only with keyAgreement; cryptography raises without it.
        also = (
            [name for name, on in (("encipherOnly", found.encipher_only), ("decipherOnly", found.decipher_only)) if on]
            if found.key_agreement
            else []
        )
        return [name for attribute, name in _USAGES.items() if getattr(found, attribute)] + also

    def _public_ca_marks(self) -> list[str]:
        found = set()
        for extension in self._listed():
            kind, value = der.object_id(extension.parts[0]), extension.parts[-1]
            found.add(kind)
            if kind == _POLICIES:
                found.update(der.object_id(policy.parts[0]) for policy in der.read(value.content, der.SEQUENCE).parts)
        return [mark for mark in _MARKS if mark in found]

    def _extension(self, kind: type[E]) -> E | None:
        """One extension, read from a certificate without the others, because an invalid one hides them all."""
        mine = [part for part in self._listed() if der.object_id(part.parts[0]) == kind.oid.dotted_string]
        if not mine:
            return None
        kept = [part.whole for part in self._signed if part.tag != _EXTENSIONS]
        kept.append(der.write(_EXTENSIONS, [der.write(der.SEQUENCE, [part.whole for part in mine])]))
        outer = [der.write(der.SEQUENCE, kept), *(part.whole for part in self._outer[1:])]
        alone = x509.load_der_x509_certificate(der.write(der.SEQUENCE, outer))
        return alone.extensions.get_extension_for_class(kind).value

    def _listed(self) -> list[der.Element]:
        held = [part for part in self._signed if part.tag == _EXTENSIONS]
        return held[0].parts[0].parts if held else []


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest().upper()


def _fact(read: Callable[[], T]) -> T | Refusal:
    try:
        return read()
    except _NOT_KNOWN:
        return Refusal(Reason.UNRECOGNISED)
    except _BROKEN:
        return Refusal(Reason.BAD_VALUE)


def _of_key_type(key_type: str | Refusal, wanted: str, read: Callable[[], T]) -> T | Refusal | None:
    if isinstance(key_type, Refusal):
        return key_type
    return _fact(read) if key_type == wanted else None


def _text(text: str) -> str:
    """`text`; ValueError for half a surrogate pair, which cannot be stored."""
    text.encode()
    return text


def _general_name(name: x509.GeneralName) -> str:
    value = name.value
    if isinstance(value, x509.Name):
        value = value.rfc4514_string()
    elif isinstance(value, x509.ObjectIdentifier):
        value = value.dotted_string
    elif isinstance(name, x509.OtherName):
        value = name.type_id.dotted_string
    return _text(f"{_KINDS[type(name)]}:{value}")
