"""Graph's recorded objects as rows, and values that no recording shows."""

import base64
import hashlib
from typing import Any

import pytest
from msgspec import UNSET, structs

from keyaudit.collect.entra.applications import ApplicationItem, application_holder, application_row
from keyaudit.collect.entra.holders import Holder, home_of
from keyaudit.collect.entra.keys.credentials import KeyItem, PasswordItem, Rows, read_credentials, thumbprint
from keyaudit.collect.entra.relations import FederatedItem
from keyaudit.collect.entra.service_principals import PrincipalItem, principal_holder, principal_row
from keyaudit.collect.x509 import X509, read_x509
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.entra.service_principal import MICROSOFT_TENANTS
from keyaudit.model.values.times import parse_time
from keyaudit.simulator import x509
from tests.collect.recorded import bodies, raw, wire

# Members that came after the recordings, and that only $select brings.
NEWER = ("created_by_app",)
NEWER_OF_APPLICATIONS = (*NEWER, "instance_lock", "instance_locks")
HIDDEN = Refusal(Reason.NOT_VISIBLE)
TENANT = "54826b22-38d6-4fb2-bad9-b7b93a3e9c5a"

REPOSITORY = tuple(f"repository_{part}" for part in ("host", "owner", "owner_id", "path", "id"))


def objects(file: str) -> list[dict[str, Any]]:
    """The objects in every recorded answer, of lists and of single ones."""
    found: list[dict[str, Any]] = []
    for body in bodies(file):
        found += body.get("value", [body])
    return [body for body in found if "appId" in body]


def application(**members: object) -> Holder:
    body = {"id": "A", "appId": "a0000000-0000-4000-8000-00000000000a", "displayName": "n"} | members
    return application_holder(wire(body, ApplicationItem), TENANT, "u", "v1.0")


def test_every_recorded_application() -> None:
    for body in objects("graph-applications"):
        item = wire(body, ApplicationItem)
        row = application_row(item, application_holder(item, TENANT, "https://h/v1.0/applications", "v1.0"), "public")
        row.put("owner_ids", [])
        row.put("trusts_federated", False)
        assert row.finish() == {
            "id": f"/tenants/{TENANT}/applications/{body['id']}",
            "name": body["displayName"],
            "resource_id": f"/tenants/{TENANT}/applications/{body['id']}",
            "scope_id": f"/tenants/{TENANT}",
            "source_url": "https://h/v1.0/applications",
            "source_version": "v1.0",
            "app_id": body["appId"],
            "created_on": parse_time(body["createdDateTime"]),
            "template_id": body.get("applicationTemplateId"),
            "audience": body["signInAudience"],
            "identifier_uris": body["identifierUris"],
            "uris_without_id": body["identifierUris"],
            "redirect_uris": body["web"]["redirectUris"],
            "insecure_redirects": [],
            "wildcard_hosts": [],
            "wildcard_paths": [],
            "azure_hosts": [],
            "web_hosts": [],
            "local_redirects": [],
            "implicit_tokens": False,
            "exposes_api": False,
            "exposed_scopes": [],
            "exposed_roles": [],
            "preauthorized_apps": [],
            "access_token_version": 2,
            "accepts_mapped_claims": False,
            "public_client": False,
            "verified_publisher": None,
            "disabled_by_microsoft": None,
            "owner_ids": [],
            "trusts_federated": False,
            "agent_blueprint": False,
            **dict.fromkeys(NEWER_OF_APPLICATIONS),
            "unknown": dict.fromkeys(NEWER_OF_APPLICATIONS, "bad_body"),
        }
    assert len(objects("graph-applications")) == 4


def test_every_recorded_credential_of_an_application() -> None:
    found = []
    for body in objects("graph-applications"):
        item = wire(body, ApplicationItem)
        rows = Rows(application(id=body["id"]))
        keys, bad_keys = read_credentials(item.key_credentials, KeyItem)
        passwords, bad_passwords = read_credentials(item.password_credentials, PasswordItem)
        assert (bad_keys, bad_passwords) == (0, 0)
        found += [rows.key(key, HIDDEN) for key in keys] + [rows.password(password) for password in passwords]
        assert len(keys) + len(passwords) == len(body["keyCredentials"]) + len(body["passwordCredentials"])
    # These lists were asked for nothing in particular, and so show no certificate.
    facts = (
        *("thumbprint_sha1", "certificate_subject", "certificate_issuer", "subject_tenant", "pin"),
        *("thumbprint_sha256", "public_key_sha256", "key_type", "key_size", "curve", "signature_hash"),
    )
    hidden = dict.fromkeys(facts, "not_visible")
    assert all(row["unknown"] == (hidden if row["kind"] == "certificate" else {}) for row in found)
    certificate = next(
        row
        for row in found
        if row["name"] == "CN=CLI-Login" and row["thumbprint"] == "BCBFBDE67E6B86150BE18AFBF915D1C189E58598"
    )
    id_ = (
        f"/tenants/{TENANT}/applications/19287dbc-37c4-4d74-8da3-84ab7114e76f/credentials/88888888-0000-0000-0000-000000000002"
    )
    assert certificate == {
        "id": id_,
        "name": "CN=CLI-Login",
        "resource_id": id_,
        "scope_id": f"/tenants/{TENANT}",
        "source_url": "u",
        "source_version": "v1.0",
        "kind": "certificate",
        "key_id": "88888888-0000-0000-0000-000000000002",
        "holder_kind": "application",
        "holder_id": f"/tenants/{TENANT}/applications/19287dbc-37c4-4d74-8da3-84ab7114e76f",
        "holder_name": "n",
        "app_id": "a0000000-0000-4000-8000-00000000000a",
        "holder_type": "Application",
        "holder_home": "own",
        "holder_names": [],
        "holder_domain_name": False,
        "starts_on": 1_651_906_594,
        "expires_on": 1_683_442_594,
        "usage": "Verify",
        "thumbprint": "BCBFBDE67E6B86150BE18AFBF915D1C189E58598",
        **dict.fromkeys((*facts, "certificate_read_on")),
        "entra_custody": "external",
        "issuer": None,
        "subject": None,
        "audiences": None,
        "claims_expression": None,
        "subject_grade": None,
        "subject_breadth": None,
        **dict.fromkeys(f"repository_{each}" for each in ("host", "owner", "owner_id", "path", "id")),
        "issuer_retires_on": None,
        **dict.fromkeys(REPOSITORY),
        "unknown": hidden,
    }


def test_every_recorded_service_principal() -> None:
    recorded = objects("graph-serviceprincipals")
    for body in recorded:
        item = wire(body, PrincipalItem)
        row = principal_row(item, principal_holder(item, TENANT, "u", "v1.0"), "public")
        row.put("owner_ids", [])
        row.put("app_roles_listed", True)
        found = row.finish()
        assert found["unknown"] == dict.fromkeys(NEWER, "bad_body")
        assert (found["arm_id"], found["app_tags"], found["assignment_required"]) == (None, [], False)
        assert found["home"] == ("own" if body["appOwnerOrganizationId"] == TENANT else "foreign")
        assert (found["enabled"], found["principal_type"], found["sso_mode"]) == (True, "Application", None)
    assert len(recorded) == 3


def test_the_recorded_federated_credential() -> None:
    [item] = [item for body in bodies("graph-federatedidentitycredentials") for item in body["value"]]
    read = wire(item, FederatedItem)
    row = Rows(application()).federated(read, "f", "v1.0", read.claims_matching_expression)
    assert row["unknown"] == {}
    assert row["id"] == f"/tenants/{TENANT}/applications/a/credentials/2276d18a-223c-46d9-83a6-cfaadcb4c258"
    assert (row["kind"], row["name"], row["issuer"]) == ("federated", "Testing", "https://token.actions.githubusercontent.com/")
    assert (row["subject"], row["audiences"]) == (
        "repo:octo-org/octo-repo:environment:Production",
        ["api://AzureADTokenExchange"],
    )
    assert (row["claims_expression"], row["expires_on"], row["entra_custody"], row["source_url"]) == (None, None, None, "f")
    assert (row["subject_grade"], row["subject_breadth"], row["issuer_retires_on"]) == ("mutable", "one", None)


@pytest.mark.parametrize(
    ("members", "subject", "expression", "grade"),
    [
        ({"subject": "s"}, "s", None, "other"),
        ({"subject": "s", "claimsMatchingExpression": None}, "s", None, "other"),
        ({"subject": None, "claimsMatchingExpression": {"value": "e", "languageVersion": 1}}, None, "e", Reason.UNRECOGNISED),
        ({"claimsMatchingExpression": {"value": "claims['sub'] eq 'e'"}}, None, "claims['sub'] eq 'e'", "other"),
        # An answer that has neither does not say that there is neither.
        ({"subject": None}, None, Reason.BAD_BODY, Reason.BAD_BODY),
        ({}, Reason.BAD_BODY, Reason.BAD_BODY, Reason.BAD_BODY),
        ({"subject": 4}, Reason.BAD_VALUE, Reason.BAD_BODY, Reason.BAD_VALUE),
        ({"subject": None, "claimsMatchingExpression": "e"}, None, Reason.BAD_VALUE, Reason.BAD_VALUE),
        # It matches by one of them.
        ({"subject": None, "claimsMatchingExpression": None}, Reason.BAD_VALUE, Reason.BAD_VALUE, Reason.BAD_VALUE),
    ],
)
def test_subject_and_expression(members: dict[str, object], subject: object, expression: object, grade: object) -> None:
    item = wire({"id": "f", "name": "n", "issuer": "i", "audiences": ["a"]} | members, FederatedItem)
    row: dict[str, Any] = Rows(application()).federated(item, "f", "v1.0", item.claims_matching_expression)
    assert row["unknown"].get("subject", row["subject"]) == subject
    assert row["unknown"].get("claims_expression", row["claims_expression"]) == expression
    for column, expected in (("subject_grade", grade), ("subject_breadth", "one" if grade == "other" else grade)):
        assert row["unknown"].get(column, row[column]) == expected


@pytest.mark.parametrize(
    ("host", "retires"),
    [("graph.microsoft.com", True), ("graph.microsoft.us", False), ("microsoftgraph.chinacloudapi.cn", False)],
)
def test_the_issuer_of_azure_devops_is_retired_in_the_public_cloud_alone(host: str, retires: bool) -> None:
    """https://learn.microsoft.com/azure/devops/pipelines/release/convert-service-connections"""
    body = {"id": "f", "name": "n", "subject": "sc://o/p/c", "issuer": "https://vstoken.dev.azure.com/o", "audiences": ["a"]}
    item = wire(body, FederatedItem)
    holder = structs.replace(application(), url=f"https://{host}/v1.0/applications")
    row = Rows(holder).federated(item, "f", "v1.0", item.claims_matching_expression)
    assert (row["issuer_retires_on"] is not None) == retires


def test_what_a_federated_credential_without_issuer_trusts_is_unknown() -> None:
    item = wire({"id": "f", "name": "n", "subject": "s", "issuer": None, "audiences": None}, FederatedItem)
    row = Rows(application()).federated(item, "f", "v1.0", item.claims_matching_expression)
    trusts = (
        "subject_grade",
        "subject_breadth",
        "issuer_retires_on",
        *(name for name in row if name.startswith("repository_")),
    )
    assert row["unknown"] == dict.fromkeys(("issuer", "audiences", *trusts), "bad_value")


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("bcbfbde67e6b86150be18afbf915d1c189e58598", "BCBFBDE67E6B86150BE18AFBF915D1C189E58598"),
        ("AB" * 32, "AB" * 32),
        (encoded(bytes.fromhex("BCBFBDE67E6B86150BE18AFBF915D1C189E58598")), "BCBFBDE67E6B86150BE18AFBF915D1C189E58598"),
        (encoded(b"bcbfbde67e6b86150be18afbf915d1c189e58598"), "BCBFBDE67E6B86150BE18AFBF915D1C189E58598"),
        (encoded("ci".encode("utf-16-le")), "63006900"),
        ("", None),
        (None, None),
        ("not base64!", Refusal(Reason.BAD_VALUE)),
        (5, Refusal(Reason.BAD_VALUE)),
    ],
)
def test_a_thumbprint_is_upper_case_hex_however_it_came(given: object, expected: object) -> None:
    assert thumbprint(raw(given)) == expected


@pytest.mark.parametrize(
    ("members", "kind", "usage", "custody"),
    [
        ({}, "certificate", "Verify", "external"),
        ({"usage": "Sign", "type": "X509CertAndPassword"}, "certificate", "Sign", "platform"),
        ({"type": "Symmetric"}, "symmetric-key", "Verify", "external"),
        ({"type": "Quantum"}, Reason.UNRECOGNISED, "Verify", "external"),
        ({"type": None}, Reason.BAD_VALUE, "Verify", "external"),
        ({"usage": "Decrypt"}, "certificate", Reason.UNRECOGNISED, Reason.UNRECOGNISED),
        ({"usage": None}, "certificate", Reason.BAD_VALUE, Reason.BAD_VALUE),
    ],
)
def test_a_key_credential(members: dict[str, object], kind: str, usage: str, custody: str) -> None:
    body = {"keyId": "K", "type": "AsymmetricX509Cert", "usage": "Verify", "customKeyIdentifier": None} | members
    row: dict[str, Any] = Rows(application()).key(wire(body, KeyItem), HIDDEN)
    for column, expected in (("kind", kind), ("usage", usage), ("entra_custody", custody)):
        assert row["unknown"].get(column, row[column]) == expected


DER = x509.certificate("CN=daemon", key_name="daemon", start=1_700_000_000, end=1_800_000_000)
FACTS = read_x509(DER)
assert isinstance(FACTS, X509)
SHOWN = [hashlib.sha256(DER).hexdigest().upper(), FACTS.public_key_sha256]
PEM = f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(DER).decode()}-----END CERTIFICATE-----\n"
KEY_ITEM = {"keyId": "K", "type": "AsymmetricX509Cert", "usage": "Verify", "customKeyIdentifier": "AB" * 20}


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"key": encoded(DER)}, SHOWN),
        # What users paste, as Graph hands it out again.
        ({"key": encoded(PEM.encode())}, ["bad_value"] * 2),
        ({"key": PEM}, SHOWN),
        # Nothing is asked for again: a certificate that is not shown is one that could be any.
        ({"key": None}, ["not_visible"] * 2),
        ({"key": ""}, ["not_visible"] * 2),
        ({}, ["bad_body"] * 2),
        ({"key": encoded(b"\x30\x03abc")}, ["bad_value"] * 2),
        ({"key": "*"}, ["bad_value"] * 2),
        ({"key": [1]}, ["bad_value"] * 2),
        ({"key": encoded(bytes(200_000))}, ["too_large"] * 2),
        ({"key": encoded(DER), "type": "Symmetric"}, [None, None]),
        # An unknown type says nothing about the certificate.
        ({"key": encoded(DER), "type": "Quantum"}, SHOWN),
        ({"key": None, "type": "Quantum"}, ["not_visible"] * 2),
        ({"key": encoded(DER), "usage": "Sign", "type": "X509CertAndPassword"}, SHOWN),
    ],
)
def test_a_certificate_is_known_by_what_graph_shows_of_it(members: dict[str, object], expected: list[object]) -> None:
    row: dict[str, Any] = Rows(application()).key(wire(KEY_ITEM | members, KeyItem), HIDDEN)
    assert [row["unknown"].get(name, row[name]) for name in ("thumbprint_sha256", "public_key_sha256")] == expected
    assert row["thumbprint"] == "AB" * 20


def test_the_strength_of_a_certificate_is_read_with_it() -> None:
    row: dict[str, Any] = Rows(application()).key(wire(KEY_ITEM | {"key": encoded(DER)}, KeyItem), HIDDEN)
    assert (row["key_type"], row["key_size"], row["curve"], row["signature_hash"]) == ("RSA", 2_048, None, "sha256")


@pytest.mark.parametrize(
    ("subject", "tenant"),
    [
        (f"CN={TENANT.upper()},OU=Microsoft NPS Extension", "own"),
        ("CN=91b0a4d2-6c7e-4f35-8a1d-2e9f60c5b7a8,OU=Microsoft NPS Extension", "other"),
        (f"CN=server of {TENANT}", None),
        (f"CN=nps,OU={TENANT}", None),
    ],
)
def test_a_certificate_is_pinned_by_its_digest_and_says_which_tenant_its_name_is(subject: str, tenant: str | None) -> None:
    made = x509.certificate(subject, key_name="nps", start=1_700_000_000, end=1_750_000_000)
    # customKeyIdentifier is what the caller chooses, and is another here.
    row: dict[str, Any] = Rows(application()).key(wire(KEY_ITEM | {"key": encoded(made)}, KeyItem), HIDDEN)
    assert (row["certificate_subject"], row["certificate_issuer"], row["subject_tenant"]) == (subject, subject, tenant)
    assert row["thumbprint_sha1"] == hashlib.sha1(made).hexdigest().upper() != row["thumbprint"]
    assert row["pin"] == f"{row['app_id']}/{hashlib.sha256(made).hexdigest().upper()}"


def test_two_credentials_of_one_key_id_are_two_rows() -> None:
    rows = Rows(application())
    ids = [rows.password(wire({"keyId": "K"}, PasswordItem))["id"] for _ in range(3)]
    assert len(set(ids)) == 3


def test_what_may_be_a_client_secret_is_no_certificate_that_others_could_have() -> None:
    row: dict[str, Any] = Rows(application()).untold(wire({"keyId": "K"}, PasswordItem))
    assert (row["kind"], row["public_key_sha256"], row["unknown"]["expires_on"]) == ("password", None, "bad_value")
    assert not {"kind", "public_key_sha256", "thumbprint_sha256"} & set(row["unknown"])
    other: dict[str, Any] = Rows(application()).untold(wire({"keyId": "K"}, KeyItem))
    assert {"kind", "public_key_sha256"} <= set(other["unknown"])


@pytest.mark.parametrize(
    ("wired", "good", "bad"),
    [
        ([], 0, 0),
        ([{"keyId": "0E4F2B36-8d0f-4a57-9f0b-3b1f2f3c4d5e"}, {"keyId": "not-a-guid"}, {"keyId": 1}, 7, {}], 1, 4),
        (None, 0, 1),
        ("x", 0, 1),
    ],
)
def test_credentials_that_cannot_be_read_are_counted(wired: object, good: int, bad: int) -> None:
    items, unreadable = read_credentials(raw(wired), PasswordItem)
    assert (len(items), unreadable) == (good, bad)
    assert read_credentials(UNSET, PasswordItem) == ([], 1)


@pytest.mark.parametrize(
    ("owner", "expected"),
    [
        (None, "none"),
        (TENANT.upper(), "own"),
        (MICROSOFT_TENANTS[0], "microsoft"),
        (MICROSOFT_TENANTS[1].upper(), "microsoft"),
        ("99999999-0000-4000-8000-000000000000", "foreign"),
        (7, Refusal(Reason.BAD_VALUE)),
    ],
)
def test_whose_application_it_is(owner: object, expected: object) -> None:
    assert home_of(raw(owner), raw("Legacy"), TENANT) == expected
    assert home_of(raw(MICROSOFT_TENANTS[0]), raw("Application"), MICROSOFT_TENANTS[0]) == "own"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("ManagedIdentity", "none"),
        ("Application", Refusal(Reason.BAD_VALUE)),
        # Nobody knows whether a kind that came later needs an owner.
        ("SomethingNew", Refusal(Reason.BAD_VALUE)),
        (None, Refusal(Reason.BAD_VALUE)),
    ],
)
def test_an_application_without_an_owner_is_not_nobodys(kind: object, expected: object) -> None:
    assert home_of(raw(None), raw(kind), TENANT) == expected


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"api": {"oauth2PermissionScopes": []}, "appRoles": []}, False),
        ({"api": {"oauth2PermissionScopes": [{}]}, "appRoles": []}, True),
        ({"api": None, "appRoles": [{}]}, True),
        ({"api": {"oauth2PermissionScopes": [{}]}}, True),
        ({"api": None, "appRoles": []}, Reason.BAD_VALUE),
        ({"api": {}, "appRoles": []}, Reason.BAD_BODY),
        ({"api": {"oauth2PermissionScopes": []}}, Reason.BAD_BODY),
    ],
)
def test_whether_an_application_exposes_an_api(members: dict[str, object], expected: object) -> None:
    item = wire({"id": "a"} | members, ApplicationItem)
    row = application_row(item, application(), "public")
    assert row.unknown.get("exposes_api", row.values.get("exposes_api")) == expected


@pytest.mark.parametrize(("enabled", "expected"), [(True, True), (False, False), (None, Reason.BAD_VALUE)])
def test_an_instance_lock_that_does_not_say_whether_it_is_on_is_not_off(enabled: object, expected: object) -> None:
    lock = {"isEnabled": enabled, "allProperties": None}
    row = application_row(
        wire({"id": "a", "servicePrincipalLockConfiguration": lock}, ApplicationItem), application(), "public"
    )
    assert row.unknown.get("instance_lock", row.values.get("instance_lock")) == expected


SHAREPOINT = "00000003-0000-0ff1-ce00-000000000000"
NAMED: list[tuple[dict[str, object], object, object]] = [
    ({"servicePrincipalNames": [SHAREPOINT, f"{SHAREPOINT}/*.fabrikam.example"]}, 2, True),
    ({"servicePrincipalNames": [f"{SHAREPOINT.upper()}/*.fabrikam.example"]}, 1, True),
    ({"servicePrincipalNames": [SHAREPOINT, f"{SHAREPOINT}/fabrikam.example", "other/*.fabrikam.example"]}, 3, False),
    ({"servicePrincipalNames": []}, 0, False),
    ({"servicePrincipalNames": None}, "bad_value", "bad_value"),
    ({}, "bad_body", "bad_body"),
]


@pytest.mark.parametrize(("members", "names", "for_a_domain"), NAMED)
def test_a_credential_has_the_names_of_its_service_principal(
    members: dict[str, object], names: object, for_a_domain: object
) -> None:
    body = {"id": "P", "appId": SHAREPOINT, "displayName": "n", "servicePrincipalType": "Application"} | members
    held = Rows(principal_holder(wire(body, PrincipalItem), TENANT, "u", "v1.0")).password(
        wire({"keyId": "88888888-0000-4000-8000-000000000002", "displayName": None}, PasswordItem)
    )
    unknown: Any = held["unknown"]
    listed: Any = held.get("holder_names")
    assert unknown.get("holder_names", listed is not None and len(listed)) == names
    assert unknown.get("holder_domain_name", held.get("holder_domain_name")) == for_a_domain
