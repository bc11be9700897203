"""Which credentials are a SAML set, and that nothing can hide in one."""

import base64
import datetime
import hashlib
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import UNSET, Raw, structs

from keyaudit.collect.entra.keys.credentials import KeyItem, PasswordItem
from keyaudit.collect.entra.keys.key_material import Keyed, Keys, listed_keys
from keyaudit.collect.entra.keys.saml import Split, signing_rows, split
from keyaudit.collect.entra.keys.signers import Signer
from keyaudit.collect.entra.service_principals import PrincipalItem, principal_holder
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.schema.x509_columns import x509_columns
from tests.collect.recorded import raw, wire

PRINT = "CD" * 20
DATES = {"startDateTime": "2026-01-01T00:00:00Z", "endDateTime": "2029-01-01T00:00:00Z"}


def key(key_id: str, usage: str, **members: object) -> KeyItem:
    found: KeyItem = wire({"keyId": key_id, "usage": usage, "customKeyIdentifier": PRINT} | DATES | members, KeyItem)
    return found


def password(key_id: str = "sign", **members: object) -> PasswordItem:
    found: PasswordItem = wire({"keyId": key_id, "customKeyIdentifier": PRINT} | DATES | members, PasswordItem)
    return found


SIGN, VERIFY = key("sign", "Sign"), key("verify", "Verify")


def apart(found: Split) -> tuple[list[str], list[str], list[str]]:
    return tuple([item.key_id for item in part] for part in (found.signing, found.keys, found.passwords))  # type: ignore[return-value]


def told(keys: list[KeyItem], passwords: list[PasswordItem]) -> tuple[list[str], list[str], list[str]]:
    return apart(split(keys, passwords))


def test_a_whole_set_is_one_certificate() -> None:
    assert told([SIGN, VERIFY], [password()]) == (["sign"], [], [])
    assert told([VERIFY, SIGN], []) == (["sign"], [], [])


def test_the_identifier_may_come_in_two_encodings() -> None:
    other = base64.b64encode(bytes.fromhex(PRINT)).decode()
    assert told([SIGN, key("verify", "Verify", customKeyIdentifier=other)], [password()]) == (["sign"], [], [])


@pytest.mark.parametrize(
    ("keys", "passwords", "rest"),
    [
        ([SIGN, VERIFY, key("hidden", "Verify")], [password()], (["verify", "hidden"], ["sign"])),
        ([SIGN, VERIFY], [password(), password("hidden")], (["verify"], ["sign", "hidden"])),
        ([SIGN, key("hidden", "Verify", endDateTime="2099-01-01T00:00:00Z")], [password()], (["hidden"], ["sign"])),
        ([SIGN, VERIFY], [password("hidden", endDateTime="2099-01-01T00:00:00Z")], (["verify"], ["hidden"])),
        ([SIGN], [password("hidden")], ([], ["hidden"])),
    ],
)
def test_nothing_hides_behind_a_signing_certificates_identifier(
    keys: list[KeyItem], passwords: list[PasswordItem], rest: tuple[list[str], list[str]]
) -> None:
    assert told(keys, passwords) == (["sign"], *rest)


@pytest.mark.parametrize("end", [None, "soon", "1980-01-01T00:00:00Z"])
def test_what_has_no_date_that_can_be_right_may_be_part_of_the_set_or_a_way_in(end: str | None) -> None:
    odd = password("odd", endDateTime=end)
    found = split([SIGN, VERIFY], [odd])
    assert (*apart(found), found.untold) == (["sign"], [], [], [odd])
    # Another entry of the set does not match, at any date.
    assert told([SIGN, VERIFY], [odd, password()]) == (["sign"], ["verify"], ["odd", "sign"])
    # Of Entra's own key it decides nothing else.
    found = split([key("sign", "Sign", endDateTime=end), VERIFY], [password()])
    assert (*apart(found), found.untold) == (["sign"], [], [], [])


@pytest.mark.parametrize("odd", ["Other", 7, None])
def test_what_a_key_of_no_known_usage_belongs_to_may_be_a_set_or_a_way_in(odd: object) -> None:
    unsaid, way_in = wire({"keyId": "odd", "usage": odd, "customKeyIdentifier": PRINT} | DATES, KeyItem), password()
    for known in (SIGN, VERIFY):
        found = split([known, unsaid], [way_in])
        untold = [unsaid, way_in] if known is SIGN else [VERIFY, unsaid, way_in]
        assert (*apart(found), found.untold) == (["sign"] if known is SIGN else [], [], [], untold)
    # By itself, or beside a whole set, it is none.
    assert told([unsaid], [way_in]) == ([], ["odd"], ["sign"])
    assert told([SIGN, VERIFY, unsaid], []) == (["sign"], ["verify", "odd"], [])


@pytest.mark.parametrize("odd", [..., 7, "?"])
def test_what_has_no_identifier_that_can_be_read_may_be_part_of_a_set_that_lacks_it(odd: object) -> None:
    def nameless(item: Any) -> Any:
        return structs.replace(item, custom_key_identifier=UNSET if odd is ... else raw(odd))

    sign, verify, way_in = nameless(SIGN), nameless(VERIFY), nameless(password())
    for keys, passwords in (([sign, VERIFY], [password()]), ([SIGN, verify], [way_in]), ([sign, verify], [way_in])):
        found = split(keys, passwords)
        assert (*apart(found), found.untold) == (["sign"], [], [], [keys[1], *passwords])
    found = split([SIGN, VERIFY], [way_in])
    assert (*apart(found), found.untold) == (["sign"], [], [], [way_in])
    # A set that is whole lacks nothing, one of other dates is another, and without a key that signs there is no set.
    assert told([SIGN, VERIFY, verify], [password(), way_in]) == (["sign"], ["verify"], ["sign"])
    later = key("verify", "Verify", endDateTime="2099-01-01T00:00:00Z", customKeyIdentifier=odd if odd is not ... else 7)
    assert told([sign, later], []) == (["sign"], ["verify"], [])
    assert told([verify], [way_in]) == ([], ["verify"], ["sign"])
    # An entry without an identifier is in no set.
    assert told([sign, key("verify", "Verify", customKeyIdentifier=None)], []) == (["sign"], ["verify"], [])


def test_where_keys_were_not_read_what_has_an_identifier_may_belong_to_one_of_them() -> None:
    nameless = password("plain", customKeyIdentifier=None)
    found = split([VERIFY], [password(), nameless], unread=True)
    assert (*apart(found), found.untold) == ([], [], ["plain"], [VERIFY, password()])
    # What is whole lacks nothing.
    found = split([SIGN, VERIFY], [password(), nameless], unread=True)
    assert (*apart(found), found.untold) == (["sign"], [], ["plain"], [])


def test_a_public_certificate_of_another_thumbprint_is_not_part_of_the_set() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))
        .not_valid_after(datetime.datetime(2029, 1, 1, tzinfo=datetime.UTC))
        .sign(private, hashes.SHA256())
    )
    der = made.public_bytes(encoding=_der())
    encoded = base64.b64encode(der).decode()
    assert told([SIGN, key("hidden", "Verify", key=encoded)], []) == (["sign"], ["hidden"], [])
    own = {"customKeyIdentifier": hashlib.sha1(der).hexdigest()}
    assert told([key("sign", "Sign", **own), key("verify", "Verify", key=encoded, **own)], []) == (["sign"], [], [])
    # Where Graph does not return a certificate, the identifier has to be believed.
    for unread in (None, "", "AAAA", "?"):
        assert told([SIGN, key("verify", "Verify", key=unread)], []) == (["sign"], [], [])


def _der() -> Any:
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    return Encoding.DER


def test_entra_signs_with_a_signing_key_that_has_no_twin() -> None:
    assert told([SIGN], []) == (["sign"], [], [])
    nameless = key("sign", "Sign", customKeyIdentifier=None)
    assert told([nameless, key("verify", "Verify", customKeyIdentifier=None)], []) == (["sign"], ["verify"], [])
    assert told([key("odd", "Signature")], []) == ([], ["odd"], [])


UNSEEN = Refusal(Reason.UNRECOGNISED)


def rows(certificates: list[KeyItem], preferred: Raw, sso_mode: object = "saml") -> list[dict[str, Any]]:
    item = wire(
        {"id": "S", "appId": "a0000000-0000-4000-8000-00000000000a", "displayName": "n", "appOwnerOrganizationId": None},
        PrincipalItem,
    )
    holder = principal_holder(item, "T", "u", "v1.0")
    unseen = [(certificate, UNSEEN) for certificate in certificates]
    return signing_rows(holder, unseen, enabled=raw(True), sso_mode=raw(sso_mode), preferred=preferred, unread=False)


@pytest.mark.parametrize(("usage", "open_"), [("Sign", False), ("Verify", False), ("Other", True), (None, True), (..., True)])
def test_a_key_that_does_not_say_what_it_is_for_may_be_one_that_signs(usage: object, open_: bool) -> None:
    item = wire({"keyId": "k", "customKeyIdentifier": PRINT} | DATES | ({} if usage is ... else {"usage": usage}), KeyItem)
    keys = Keys([item], 0, UNSEEN)
    holder = principal_holder(
        wire({"id": "S", "appId": "a0000000-0000-4000-8000-00000000000a", "displayName": "n"}, PrincipalItem), "T", "u", "v1.0"
    )
    signer = Signer(holder, split([item], []).signing, keys, raw(True), raw("saml"), raw(None))
    found: list[dict[str, Any]] = [row for row in signer.rows() if "unread" in str(row["id"])]
    assert [row["id"] for row in found] == (["/tenants/t/serviceprincipals/s/signingcertificates/unread-k"] if open_ else [])
    assert all({"active", "starts_on", "expires_on"} <= row["unknown"].keys() and row["kind"] == "saml" for row in found)


def test_a_key_for_token_encryption_is_neither_a_credential_nor_a_signing_key() -> None:
    # https://learn.microsoft.com/entra/identity/enterprise-apps/howto-saml-token-encryption
    every = [
        {"keyId": f"c0000000-0000-4000-8000-00000000000{number}", "usage": usage}
        for number, usage in enumerate(("Encrypt", "encrypt", "Verify", "Sign", "Encryption", "", None, 7))
    ]
    found = listed_keys(wire({"id": "S", "keyCredentials": [*every, {"usage": "Encrypt"}]}, Keyed))
    assert [item.key_id[-1] for item in found.items] == ["2", "3", "4", "5", "6", "7"]
    # Without an id it cannot be told from others.
    assert found.bad == 1


X509_COLUMNS = [column.name for column in x509_columns(())]


def test_a_row() -> None:
    [row] = rows([SIGN], raw(PRINT.lower()))
    assert row == {
        "id": f"/tenants/t/serviceprincipals/s/signingcertificates/{PRINT.lower()}",
        "name": None,
        "resource_id": f"/tenants/T/servicePrincipals/S/signingCertificates/{PRINT.lower()}",
        "scope_id": "/tenants/t",
        "source_url": "u",
        "source_version": "v1.0",
        "kind": "saml",
        "holder_id": "/tenants/t/serviceprincipals/s",
        "holder_name": "n",
        "app_id": "a0000000-0000-4000-8000-00000000000a",
        "holder_enabled": True,
        "sso_mode": "saml",
        "thumbprint": PRINT,
        "active": True,
        "is_next": False,
        "like_current": None,
        "starts_on": 1_767_225_600,
        "expires_on": 1_861_920_000,
        "custody": "platform",
        **dict.fromkeys(X509_COLUMNS),
        "unknown": {
            "name": "bad_body",
            **dict.fromkeys(X509_COLUMNS, "unrecognised"),
        },
    }


OTHER = key("other", "Sign", customKeyIdentifier="AB" * 20)
NAMELESS = key("nameless", "Sign", customKeyIdentifier=None)


@pytest.mark.parametrize(
    ("certificates", "preferred", "expected"),
    [
        ([SIGN], raw(None), [True]),
        ([SIGN], raw(""), [True]),
        ([SIGN, OTHER], raw(PRINT), [True, False]),
        ([SIGN, OTHER], raw(None), ["unrecognised"] * 2),
        ([SIGN, OTHER], raw("EF" * 20), ["unrecognised"] * 2),
        ([NAMELESS], raw(PRINT), ["unrecognised"]),
        ([SIGN], raw(7), ["bad_value"]),
        ([SIGN], UNSET, ["bad_body"]),
    ],
)
def test_which_one_signs(certificates: list[KeyItem], preferred: Raw, expected: list[object]) -> None:
    assert [row["unknown"].get("active", row["active"]) for row in rows(certificates, preferred)] == expected


@pytest.mark.parametrize(
    ("sso_mode", "preferred", "expected"),
    [
        ("saml", PRINT, "saml"),
        ("oidc", PRINT, "application"),
        (None, None, "application"),
        (None, PRINT, "inconsistent"),
        (None, 7, "bad_value"),
        ("samlp", None, "unrecognised"),
        (7, None, "bad_value"),
    ],
)
def test_whether_it_signs_for_saml_is_unknown_where_the_answer_contradicts_itself_or_is_not_understood(
    sso_mode: object, preferred: object, expected: str
) -> None:
    [row] = rows([SIGN], raw(preferred), sso_mode)
    unknown = row["unknown"].get("kind")
    assert (unknown or row["kind"]) == expected
    assert row["unknown"].get("sso_mode") == unknown


def test_two_of_one_thumbprint_are_two_rows() -> None:
    ids = {row["id"] for row in rows([SIGN, key("second", "Sign"), NAMELESS], raw(PRINT))}
    assert {id_.rpartition("/")[2] for id_ in ids} == {"sign", "second", "nameless"}
