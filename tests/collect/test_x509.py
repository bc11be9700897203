"""X.509 facts: correct for valid certificates, and for a broken one all that can still be read."""

import base64
import hashlib
import ipaddress
import random
import warnings

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from msgspec import structs

from keyaudit.collect.x509 import X509, der, read_x509
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason
from keyaudit.simulator import x509 as simulated
from tests.collect.certificates import KEY, OTHER_KEY, Extensions, altered, extensions, integer, key_info, made, name, oid
from tests.collect.recorded import bodies

BAD = Refusal(Reason.BAD_VALUE)
NOT_KNOWN = Refusal(Reason.UNRECOGNISED)
USAGE = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=True,
    key_cert_sign=True,
    crl_sign=False,
    encipher_only=False,
    decipher_only=True,
)
ALL: Extensions = (
    (x509.BasicConstraints(ca=True, path_length=1), True),
    (USAGE, True),
    (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING, x509.ObjectIdentifier("1.2.3.4")]), False),
    (
        x509.SubjectAlternativeName(
            [
                x509.DNSName("a.example"),
                x509.IPAddress(ipaddress.ip_address("192.0.2.1")),
                x509.DirectoryName(name("x")),
                x509.RFC822Name("a@b.example"),
                x509.UniformResourceIdentifier("urn:a"),
                x509.RegisteredID(x509.ObjectIdentifier("2.999.1")),
                x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x01a"),
            ]
        ),
        False,
    ),
)


def facts(encoded: str | bytes) -> X509:
    found = read_x509(encoded)
    assert isinstance(found, X509)
    return found


def test_a_recorded_certificate() -> None:
    body = next(body for body in bodies("keyvault-certificates") if "cer" in body)
    found = facts(body["cer"])
    assert base64.urlsafe_b64encode(bytes.fromhex(found.thumbprint)).decode().rstrip("=") == body["x5t"]
    assert (found.not_before, found.not_after) == (body["attributes"]["nbf"], body["attributes"]["exp"])
    assert found.subject == found.issuer == body["policy"]["x509_props"]["subject"]
    assert found.self_signed is True
    assert (found.key_type, found.key_size, found.curve, found.signature_hash) == ("RSA", 2048, None, "sha256")
    assert found.is_ca is False
    assert found.ekus == body["policy"]["x509_props"]["ekus"]
    assert found.key_usage == body["policy"]["x509_props"]["key_usage"]
    assert found.names == ["dns:sdk.azure-int.net"]


def test_every_fact_of_a_certificate_with_all_of_them() -> None:
    encoded = made(extensions=ALL)
    info = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert (
        facts(encoded)
        == facts(base64.b64encode(encoded).decode())
        == X509(
            thumbprint=hashlib.sha1(encoded).hexdigest().upper(),
            thumbprint_sha256=hashlib.sha256(encoded).hexdigest().upper(),
            public_key_sha256=hashlib.sha256(info).hexdigest().upper(),
            subject="CN=api.contoso.example",
            issuer="CN=api.contoso.example",
            serial="A0B",
            self_signed=True,
            not_before=1_459_846_800,
            not_after=253_402_300_799,
            key_type="EC",
            key_size=None,
            curve="P-256",
            signature_hash="sha256",
            is_ca=True,
            names=[
                "dns:a.example",
                "ip:192.0.2.1",
                "directory:CN=x",
                "email:a@b.example",
                "uri:urn:a",
                "id:2.999.1",
                "other:1.3.6.1.4.1.311.20.2.3",
            ],
            ekus=["1.3.6.1.5.5.7.3.3", "1.2.3.4"],
            public_ca_marks=[],
            key_usage=["digitalSignature", "keyAgreement", "keyCertSign", "decipherOnly"],
        )
    )


def test_a_certificate_without_extensions_allows_any_use_and_is_no_authority() -> None:
    found = facts(made())
    assert (found.ekus, found.key_usage, found.names, found.is_ca) == (None, None, [], False)


EMPTY_LOGS = b"\x04\x02\0\0"
"""A list of signed certificate timestamps without one. RFC 6962, 3.3: it is an octet string."""


def policies(*ids: str) -> tuple[x509.ExtensionType, bool]:
    return x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier(each), None) for each in ids]), False


def unread(id_: str, value: bytes) -> tuple[x509.ExtensionType, bool]:
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(id_), value), False


@pytest.mark.parametrize(
    ("extensions", "marks"),
    [
        # https://cabforum.org/working-groups/server/baseline-requirements/requirements/, 7.1.6.1
        *((policies("1.2.3", id_), [id_]) for id_ in ("2.23.140.1.1", *(f"2.23.140.1.2.{nth}" for nth in (1, 2, 3)))),
        (unread("1.3.6.1.4.1.11129.2.4.2", EMPTY_LOGS), ["1.3.6.1.4.1.11129.2.4.2"]),
        (policies("1.2.3", "2.23.140.1.2", "2.23.140.1.2.4", "2.23.140.1.3"), []),
        # The timestamps of OCSP, and the poison of a precertificate.
        (unread("1.3.6.1.4.1.11129.2.4.5", EMPTY_LOGS), []),
        (unread("1.3.6.1.4.1.11129.2.4.3", b"\x05\0"), []),
        (unread("2.5.29.32", b"\x04\0"), Refusal(Reason.BAD_VALUE)),
    ],
)
def test_certificates_of_public_cas_say_so_themselves(
    extensions: tuple[x509.ExtensionType, bool], marks: list[str] | Refusal
) -> None:
    found = facts(made(extensions=(extensions, (x509.BasicConstraints(ca=False, path_length=None), True))))
    assert found.public_ca_marks == marks


def test_self_signed_is_what_its_own_key_has_signed() -> None:
    assert facts(made()).self_signed is True
    assert facts(made(issuer="a CA")).self_signed is False
    # Issuer and subject are alike, but another key signed it: a root's namesake, or a forgery.
    assert facts(made(signer=OTHER_KEY)).self_signed is False


def test_a_key_that_signs_nothing_here_proves_neither() -> None:
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()
    found = facts(altered(made(), nth=6, part=key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)))
    assert (found.key_type, found.key_size, found.curve, found.self_signed) == ("Ed25519", None, None, NOT_KNOWN)


def test_a_negative_serial_is_kept_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert facts(altered(made(), nth=1, part=integer(-258))).serial == "-102"


def test_an_rsa_key_too_large_for_any_library_has_its_size() -> None:
    key = der.write(der.SEQUENCE, [integer((1 << 65_536) + 1), integer(65_537)])
    found = facts(altered(made(), nth=6, part=key_info("1.2.840.113549.1.1.1", b"\x05\0", key)))
    assert (found.key_type, found.key_size, found.self_signed) == ("RSA", 65_537, NOT_KNOWN)
    assert found.subject == "CN=api.contoso.example"


@pytest.mark.parametrize("key", [integer(-5), b"", b"\x30\x05\x02\x01", der.write(der.SEQUENCE, [b"\x04\x01a"])])
def test_an_rsa_key_without_a_modulus_has_no_size(key: bytes) -> None:
    found = facts(altered(made(), nth=6, part=key_info("1.2.840.113549.1.1.1", b"\x05\0", key)))
    assert (found.key_type, found.key_size) == ("RSA", BAD)


def test_a_curve_and_a_key_type_that_nobody_knows_are_kept_as_they_are() -> None:
    odd_curve = facts(altered(made(), nth=6, part=key_info("1.2.840.10045.2.1", oid("1.3.36.3.3"), b"\x04ab")))
    assert (odd_curve.key_type, odd_curve.curve, odd_curve.self_signed) == ("EC", "1.3.36.3.3", NOT_KNOWN)
    odd_key = facts(altered(made(), nth=6, part=key_info("2.16.840.1.101.3.4.3.18", b"", b"ab")))
    assert (odd_key.key_type, odd_key.key_size, odd_key.curve) == ("2.16.840.1.101.3.4.3.18", None, None)


def test_an_unknown_signature_algorithm_leaves_only_its_hash_unknown() -> None:
    odd = der.write(der.SEQUENCE, [oid("1.2.3.4")])
    encoded = made(extensions=ALL)
    outer = der.read(encoded, der.SEQUENCE).parts
    signed = der.read(altered(encoded, nth=2, part=odd), der.SEQUENCE).parts[0]
    found = facts(der.write(der.SEQUENCE, [signed.whole, odd, outer[2].whole]))
    assert (found.signature_hash, found.self_signed) == (NOT_KNOWN, NOT_KNOWN)
    assert found.is_ca is True


def by_the_older_sha1_rsa(signer: str, *, inner: str = "1.3.14.3.2.29", key: bytes | None = None) -> bytes:
    """A certificate that names itself as its issuer, signed by the key `signer` under the older identifier.

    Its name is szOID_OIWSEC_sha1RSASign: https://learn.microsoft.com/windows/win32/api/wincrypt/ns-wincrypt-crypt_algorithm_identifier
    """
    plain = simulated.certificate("CN=old", key_name="own", start=0, end=86_400, digest="sha1")
    null = der.write(0x05, [])
    identifier = der.write(der.SEQUENCE, [oid(inner), null])
    encoded = altered(plain, nth=2, part=identifier)
    if key is not None:
        encoded = altered(encoded, nth=6, part=key)
    signed = der.read(encoded, der.SEQUENCE).parts[0].whole
    signature = der.write(der.BIT_STRING, [b"\0", simulated.key(signer).sign(signed, "sha1")])
    return der.write(der.SEQUENCE, [signed, der.write(der.SEQUENCE, [oid("1.3.14.3.2.29"), null]), signature])


def test_the_older_identifier_of_sha1_with_rsa_is_that_algorithm() -> None:
    found = facts(by_the_older_sha1_rsa("own"))
    assert (found.signature_hash, found.key_type, found.self_signed) == ("sha1", "RSA", True)
    # Its own name as issuer proves nothing: the signature of another key.
    assert facts(by_the_older_sha1_rsa("another")).self_signed is False
    # Two identifiers that differ, or a key of another kind, say nothing.
    assert facts(by_the_older_sha1_rsa("own", inner="1.2.840.113549.1.1.5")).self_signed == NOT_KNOWN
    elliptic = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert facts(by_the_older_sha1_rsa("own", key=elliptic)).self_signed == NOT_KNOWN


def test_one_broken_extension_makes_only_its_own_fact_unknown() -> None:
    usage, constraints = der.write(der.SEQUENCE, [oid("1.3.6.1.5.5.7.3.2")]), b"\x30\x03\x01\x01\xff"
    parts = (("2.5.29.15", b"nonsense"), ("2.5.29.37", usage), ("2.5.29.19", constraints), ("2.5.29.17", b""))
    found = facts(altered(made(extensions=ALL), nth=7, part=extensions(*parts)))
    assert (found.key_usage, found.names) == (BAD, BAD)
    assert (found.ekus, found.is_ca) == (["1.3.6.1.5.5.7.3.2"], True)


def test_an_extension_that_is_there_twice_says_nothing() -> None:
    yes, no = b"\x30\x03\x01\x01\xff", b"\x30\x00"
    found = facts(altered(made(extensions=ALL), nth=7, part=extensions(("2.5.29.19", yes), ("2.5.29.19", no))))
    assert found.is_ca == BAD
    assert found.names == []


@pytest.mark.parametrize(
    "encoded", ["", "not base64!", "AAAA", b"", b"\x30\x80", b"\x30\x03\x02\x01\x01", made() + b"\0", made()[:-1]]
)
def test_what_is_no_certificate_is_refused(encoded: str | bytes) -> None:
    assert read_x509(encoded) == BAD


def test_what_is_too_large_is_not_even_looked_at() -> None:
    assert read_x509(bytes(200_000)) == Refusal(Reason.TOO_LARGE)


def test_no_bytes_whatever_end_in_an_exception() -> None:
    chance = random.Random(2016)
    sound = made(extensions=ALL)
    refused = set()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3_000):
            encoded = bytearray(sound)
            for _ in range(chance.choice((1, 2, 4))):
                encoded[chance.randrange(len(encoded))] = chance.randrange(256)
            found = read_x509(bytes(encoded))
            if isinstance(found, X509):
                said = structs.asdict(found)
                assert all(value.isprintable() or value.encode() for value in said.values() if isinstance(value, str))
                refused |= {fact for fact, value in said.items() if isinstance(getattr(found, fact), Refusal) and value}
    assert {"subject", "is_ca", "names", "ekus", "self_signed"} <= refused
