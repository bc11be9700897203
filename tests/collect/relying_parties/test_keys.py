"""Keys out of every form of file that services hold them in, and what is refused."""

import base64
import itertools
import json
from pathlib import Path

import pytest

from keyaudit.collect.relying_parties.files import in_files
from keyaudit.collect.relying_parties.keys import is_keys
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.relying_parties import HeldKey, RelyingParties
from keyaudit.simulator import x509

FIRST = x509.certificate("CN=first", key_name="first", start=1_600_000_000, end=1_900_000_000)
SECOND = x509.certificate("CN=second", key_name="second", start=1_600_000_000, end=1_900_000_000)
ENTITY = "https://sts.windows.net/8f1a0e5e-1111-4222-8333-444444444444/"


def pem(certificate: bytes, label: str = "CERTIFICATE") -> str:
    return f"-----BEGIN {label}-----\n{base64.encodebytes(certificate).decode()}-----END {label}-----\n"


def read(tmp_path: Path, content: str | bytes, name: str = "keys.any") -> RelyingParties:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return in_files([path], "here")


def only(found: RelyingParties) -> HeldKey:
    [key] = found.keys
    assert found.unread == ()
    return key


def thumbprints(found: RelyingParties) -> list[object]:
    assert found.unread == ()
    return [key.thumbprint for key in found.keys]


def test_a_key_set_says_of_each_key_whose_it_is_and_when_it_was_fetched(tmp_path: Path) -> None:
    chain = [base64.b64encode(FIRST).decode()]
    other = "0011223344556677889900112233445566778899"
    keys = [
        {"kid": "one", "x5c": chain, "issuer": ENTITY},
        {"kid": "two", "x5t": base64.urlsafe_b64encode(bytes.fromhex(other)).decode().rstrip("=")},
        {"kid": "enc", "use": "enc"},
    ]
    found = read(tmp_path, json.dumps({"issuer": "https://i.example", "keys": keys, "fetched_on": "2026-11-01T00:00:00Z"}))
    one, two = found.keys
    assert (one.key_id, one.thumbprint, one.token_issuer) == ("one", x509.thumbprint(FIRST), ENTITY)
    assert (two.key_id, two.thumbprint, two.token_issuer) == ("two", other.upper(), "https://i.example")
    assert {(key.held_as, key.fetched_on) for key in found.keys} == {("cache", 1_793_491_200)}


def test_what_a_key_set_leaves_out_or_spoils_is_unknown_and_not_taken_for_absent(tmp_path: Path) -> None:
    keys = [{"kid": 1}, {"kid": "a", "x5c": ["AAAA"]}, {"kid": "b", "x5t": "AA"}, {"kid": "c", "x5c": []}, "d"]
    found = read(tmp_path, json.dumps({"keys": keys}))
    assert found.unread == ()
    assert all(key.fetched_on == Refusal(Reason.NOT_SUPPLIED, "the file does not say") for key in found.keys)
    spoiled = [("key_id",), ("thumbprint",), ("thumbprint",), ("thumbprint",), ("key_id", "thumbprint", "token_issuer")]
    for key, names in zip(found.keys, spoiled, strict=True):
        facts = ("key_id", "thumbprint", "token_issuer")
        assert tuple(name for name in facts if isinstance(getattr(key, name), Refusal)) == names


def test_pem_and_der_are_pinned_and_a_private_key_beside_them_is_left_alone(tmp_path: Path) -> None:
    bundle = read(tmp_path, f"# ours\n{pem(FIRST)}{pem(b'0' * 40, 'PRIVATE KEY')}{pem(SECOND)}", "pinned.pem")
    assert thumbprints(bundle) == [x509.thumbprint(FIRST), x509.thumbprint(SECOND)]
    assert {(key.held_as, key.fetched_on, key.token_issuer) for key in bundle.keys} == {("pinned", None, None)}
    assert bundle.keys[0].line == 2
    assert thumbprints(read(tmp_path, FIRST, "one.cer")) == [x509.thumbprint(FIRST)]
    assert only(read(tmp_path, pem(b"not one"))).thumbprint == Refusal(Reason.BAD_VALUE)
    packed = read(tmp_path, pem(FIRST) + pem(b"0" * 40, "PKCS7"))
    assert thumbprints(packed) == [x509.thumbprint(FIRST), Refusal(Reason.UNRECOGNISED)]


def test_metadata_gives_each_signing_key_of_an_entity_once(tmp_path: Path) -> None:
    def key(certificate: bytes, use: str) -> str:
        encoded = base64.b64encode(certificate).decode()
        return (
            f"<KeyDescriptor use='{use}'><KeyInfo xmlns='http://www.w3.org/2000/09/xmldsig#'><X509Data>"
            f"<X509Certificate>{encoded}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"
        )

    role = f"<RoleDescriptor>{key(FIRST, 'signing')}{key(SECOND, 'encryption')}</RoleDescriptor>"
    document = (
        f'<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{ENTITY}">'
        f"<Signature><X509Certificate>{base64.b64encode(SECOND).decode()}</X509Certificate></Signature>{role}{role}"
        "</EntityDescriptor>"
    )
    found = only(read(tmp_path, document, "federationmetadata.xml"))
    assert (found.thumbprint, found.token_issuer, found.held_as) == (x509.thumbprint(FIRST), ENTITY, "cache")


def test_a_signing_key_of_metadata_without_a_certificate_is_one_without_a_name(tmp_path: Path) -> None:
    bare = "<KeyDescriptor><KeyInfo><KeyValue/></KeyInfo></KeyDescriptor>"
    other = "<KeyDescriptor use='encryption'><KeyInfo/></KeyDescriptor>"
    known = f"<KeyDescriptor><KeyValue/><X509Certificate>{base64.b64encode(FIRST).decode()}</X509Certificate></KeyDescriptor>"
    document = f"<EntityDescriptor entityID='{ENTITY}'>{{}}</EntityDescriptor>"
    for inside, expected in (
        (bare + known, [None, x509.thumbprint(FIRST)]),
        (known + other + bare, [x509.thumbprint(FIRST), None]),
    ):
        found = read(tmp_path, document.format(inside), "federationmetadata.xml")
        assert thumbprints(found) == expected
        assert {key.token_issuer for key in found.keys} == {ENTITY}


def test_thumbprints_in_a_registry_are_pinned_keys_however_they_were_pasted(tmp_path: Path) -> None:
    pasted = "\u200e" + " ".join(f"{byte:02x}" for byte in bytes.fromhex(x509.thumbprint(FIRST)))
    document = (
        "<configuration><system.identityModel><identityConfiguration><issuerNameRegistry><trustedIssuers>"
        f'<add thumbprint="{pasted}" name="{ENTITY}"/><add thumbprint="short" name="Old"/>'
        "</trustedIssuers></issuerNameRegistry></identityConfiguration></system.identityModel></configuration>"
    )
    first, second = read(tmp_path, document, "web.config").keys
    assert (first.thumbprint, first.token_issuer) == (x509.thumbprint(FIRST), ENTITY)
    assert (second.thumbprint, second.token_issuer) == (Refusal(Reason.BAD_VALUE), None)


def listed(issuer: str) -> str:
    """An authority, and the thumbprint that it is trusted by."""
    return f'<authority name="{issuer}"><keys><add thumbprint="{x509.thumbprint(FIRST)}"/></keys></authority>'


@pytest.mark.parametrize(
    ("registry", "issuers"),
    [
        (
            f'<keys><add thumbprint="{x509.thumbprint(FIRST)}" name="http://sts.example/trust"/></keys>',
            ["http://sts.example/trust"],
        ),
        (listed("http://a/"), ["http://a/"]),
        (listed("https://a/") + listed("ours"), ["https://a/", None]),
    ],
)
def test_a_registry_says_whose_tokens_a_thumbprint_is_trusted_for(tmp_path: Path, registry: str, issuers: list[object]) -> None:
    document = f"<configuration><issuerNameRegistry>{registry}</issuerNameRegistry></configuration>"
    assert [key.token_issuer for key in read(tmp_path, document, "web.config").keys] == issuers


BOMB = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {name} "' + 10 * f"&{before};" + '">' for before, name in itertools.pairwise("abcdefghij")
)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (f"{BOMB}]><EntityDescriptor>&j;</EntityDescriptor>", Reason.BAD_BODY),
        ('<!DOCTYPE a SYSTEM "http://127.0.0.1:1/x.dtd"><EntityDescriptor/>', Reason.BAD_BODY),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><EntityDescriptor>&x;</EntityDescriptor>', Reason.BAD_BODY),
        ("<EntityDescriptor>", Reason.BAD_BODY),
        ("-----BEGIN PRIVATE KEY-----\n" * 9, Reason.BAD_BODY),
        ("<a>" * 500, Reason.TOO_LARGE),
        ("<html/>", Reason.UNRECOGNISED),
        ('{"keys": 1}', Reason.BAD_BODY),
        ('{"keys": [', Reason.BAD_BODY),
        ('{"keys": [], "Keys": []}', Reason.BAD_BODY),
        ("[" * 100_000, Reason.BAD_BODY),
        ('{"access_token": "x"}', Reason.UNRECOGNISED),
        (b"\xff\xfe\x00", Reason.BAD_BODY),
        (b"\x00\x01\x02\x80", Reason.BAD_BODY),
        ("", Reason.UNRECOGNISED),
        ("-----BEGIN CERTIFICATE----\nAAAA\n-----END CERTIFICATE-----\n", Reason.UNRECOGNISED),
        pytest.param("x" * (5 * 1024 * 1024), Reason.TOO_LARGE, id="too large"),
    ],
)
def test_what_is_no_such_file_is_told_of_and_gives_no_key(tmp_path: Path, content: str | bytes, reason: Reason) -> None:
    found = read(tmp_path, content)
    assert found.keys == ()
    assert [each.reason for each in found.unread] == [reason]


def test_what_is_made_to_keep_a_reader_busy_is_read_in_a_moment(tmp_path: Path) -> None:
    begun = read(tmp_path, "-----BEGIN CERTIFICATE-----\n" * 100_000)
    assert only(begun).thumbprint == Refusal(Reason.BAD_VALUE)
    many = read(tmp_path, json.dumps({"keys": [{"kid": "\ud800\0"}] * 1_001}))
    assert [each.reason for each in many.unread] == [Reason.TOO_LARGE]


def test_metadata_that_leads_to_keys_elsewhere_holds_none(tmp_path: Path) -> None:
    found = read(tmp_path, json.dumps({"issuer": ENTITY, "jwks_uri": "https://login.microsoftonline.com/x"}))
    assert (found.keys, found.unread, found.files) == ((), (), 1)


def test_names_by_which_keys_are_looked_for() -> None:
    names = ("jwks.json", "entra-jwks.json", "keys.json", "A.PEM", "FederationMetadata.xml", "openid-configuration")
    assert all(map(is_keys, names))
    assert not any(map(is_keys, ("package.json", "monkeys.json", "pom.xml", "id_rsa", "keys.ts")))
