"""Answers about token signing that cannot be right: set aside, or unknown, and never believed or fatal."""

import asyncio
import base64
import json
from typing import Any

import pytest
from msgspec import UNSET

from keyaudit.collect.entra.policies.definitions import definition_of, objects_in, span_in, text_in
from keyaudit.model.reasons import Reason
from keyaudit.model.schema.wire import Unreadable
from keyaudit.simulator.faults import Fault
from keyaudit.simulator.x509 import thumbprint
from tests.collect.estate import STS_CERTIFICATE, TENANT, TENANT_ID
from tests.collect.recorded import raw
from tests.collect.rig import Collected, collect
from tests.collect.signing_estate import CUSTOM, CUSTOM_APP, NEXT, POLICIES, SECOND, SIGNING

READS = ("tenant", "applications", "service principals", "token policies", "trusted authorities", "federation", "issuer keys")

OUTLET = f"{TENANT_ID}/domains/c.example"
OTHER = "99999999-0000-4000-8000-000000000000"


@pytest.fixture(scope="module", name="signing")
def everything() -> Collected:
    """The estate as an unhindered run reads it."""
    return asyncio.run(collect(estate=SIGNING))


async def spoiled(operation: str, where: str = "", **members: object) -> Collected:
    """A run in which the first item of every answer has these members."""

    def spoil(body: dict[str, Any]) -> dict[str, Any]:
        body["value"][0] |= members
        return body

    return await collect(Fault(operation, "every", where=where, edit=spoil), estate=SIGNING)


async def test_settings_that_cannot_be_right_are_unknown_and_the_rows_stay(signing: Collected) -> None:
    found = await spoiled(
        "domain.federation",
        "C.example",
        displayName=7,
        federatedIdpMfaBehavior=["x"],
        isSignedAuthenticationRequestRequired="yes",
        signingCertificateUpdateStatus={"certificateUpdateResult": 5, "lastRunDateTime": "yesterday"},
        nextSigningCertificate=0,
    )
    wrong = ("provider_name", "mfa_behavior", "signs_requests", "update_result", "updated_on", "has_next_certificate")
    assert found.unknown("federated_domain", OUTLET) == dict.fromkeys(wrong, "bad_value")
    # A next certificate is there that cannot be read, and is no less accepted.
    broken = found.rows["signing_certificate"][f"{OUTLET}/signingcertificates/next"]
    assert (broken["active"], broken["is_next"], broken["unknown"]["subject"]) == (True, True, "bad_value")
    assert broken["unknown"]["like_current"] == "bad_value"
    assert len(found.rows["signing_certificate"]) == len(signing.rows["signing_certificate"])


@pytest.mark.parametrize("member", ["signingCertificate", "nextSigningCertificate"])
async def test_an_answer_that_leaves_a_certificate_out_is_a_gap(member: str) -> None:
    def leave_out(body: dict[str, Any]) -> dict[str, Any]:
        del body["value"][0][member]
        return body

    found = await collect(Fault("domain.federation", "every", edit=leave_out), estate=SIGNING)
    assert found.gaps() == {(TENANT_ID, "domain.federation"): "partial bad_body"}


async def test_a_next_certificate_is_not_compared_with_one_that_was_left_out() -> None:
    def leave_out(body: dict[str, Any]) -> dict[str, Any]:
        del body["value"][0]["signingCertificate"]
        return body

    found = await collect(Fault("domain.federation", "every", where="C.example", edit=leave_out), estate=SIGNING)
    id_ = f"{OUTLET}/signingcertificates/{thumbprint(NEXT).lower()}"
    assert found.unknown("signing_certificate", id_) == {"like_current": "bad_body"}


async def test_certificates_come_in_lines_and_as_pem_too(signing: Collected) -> None:
    encoded = base64.b64encode(STS_CERTIFICATE).decode()
    lines = "\r\n".join(encoded[start : start + 64] for start in range(0, len(encoded), 64))
    for text in (lines, f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"):
        found = await spoiled("domain.federation", "a.example", signingCertificate=text)
        assert found.rows["signing_certificate"] == signing.rows["signing_certificate"]


async def test_more_than_one_configuration_of_a_domain_is_a_contradiction_and_hides_no_certificate() -> None:
    def double(body: dict[str, Any]) -> dict[str, Any]:
        second = body["value"][0] | {"id": OTHER, "signingCertificate": base64.b64encode(CUSTOM).decode()}
        return body | {"value": [*body["value"], second, None, {"id": 5}]}

    found = await collect(Fault("domain.federation", "every", where="a.example", edit=double), estate=SIGNING)
    assert found.gaps() == {(TENANT_ID, "domain.federation"): "partial bad_item"}
    assert set(found.unknown("federated_domain", f"{TENANT_ID}/domains/a.example").values()) == {"bad_item"}
    assert (
        f"{TENANT_ID}/domains/a.example/signingcertificates/{thumbprint(CUSTOM).lower()}" in found.rows["signing_certificate"]
    )
    empty = Fault("domain.federation", "every", where="a.example", edit=lambda body: body | {"value": []})
    found = await collect(empty, estate=SIGNING)
    assert found.gaps() == {(TENANT_ID, "domain.federation"): "partial inconsistent_pages"}


@pytest.mark.parametrize("name", ["../users", "a/b.example", "a.example?x=1", "\x1b[31m.example", "ä.example", " .example"])
async def test_a_domain_of_any_name_leads_nowhere_else(name: str) -> None:
    def rename(body: dict[str, Any]) -> dict[str, Any]:
        body["value"][1]["id"] = name
        return body

    found = await collect(Fault("domain.list", "every", edit=rename), estate=SIGNING)
    [row] = [row for id_, row in found.rows["federated_domain"].items() if id_ != OUTLET]
    assert row["name"] == name
    assert set(row["unknown"].values()) <= {"bad_value", "vanished"}
    assert "/" not in row["id"].removeprefix(f"{TENANT_ID}/domains/")


DEFINITIONS = [
    (["{}"], "bad_value"),
    ([], "bad_value"),
    ("{}", "bad_value"),
    (None, "bad_value"),
    ([5], "bad_value"),
    (["[]"], "bad_value"),
    (["{"], "bad_value"),
    (['{"TokenLifetimePolicy":[]}'], "bad_value"),
    (['{"TokenLifetimePolicy":{"AccessTokenLifetime":"1:00:00","accesstokenlifetime":"23:00:00"}}'], "bad_value"),
    (['{"TokenLifetimePolicy":{},"tokenlifetimepolicy":{}}'], "bad_value"),
    (['{"TokenLifetimePolicy":{}}', '{"TokenLifetimePolicy":{}}'], "bad_value"),
    (['{"TokenLifetimePolicy":{"a":NaN}}'], "bad_value"),
    (['{"TokenLifetimePolicy":{"a":' + "9" * 5_000 + "}}"], "bad_value"),
    (["[" * 100_000], "bad_value"),
    (['{"TokenLifetimePolicy":{}}' + " " * 300_000], "too_large"),
]


@pytest.mark.parametrize(("definition", "reason"), DEFINITIONS)
def test_a_definition_that_cannot_be_read_is_unknown(definition: object, reason: str) -> None:
    with pytest.raises(ValueError) as why:  # noqa: PT011 - the reason is checked
        definition_of(raw(definition), "TokenLifetimePolicy")
    assert getattr(why.value, "reason", Reason.BAD_VALUE) == reason


def test_a_definition_that_is_left_out_is_unknown() -> None:
    with pytest.raises(Unreadable):
        definition_of(UNSET, "TokenLifetimePolicy")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("8:00:00", 28_800), ("00:10:00", 600), ("23:59:59", 86_399), ("1.00:00:00", 86_400), ("90.12:00:01", 7_819_201)],
)
def test_a_lifetime_in_the_form_that_entra_takes(text: str, seconds: int) -> None:
    assert span_in({"accesstokenlifetime": text}, "AccessTokenLifetime") == seconds
    assert span_in({}, "AccessTokenLifetime") is None


@pytest.mark.parametrize(
    "text", ["24:00:00", "1:60:00", "1:00:60", "P1D", "-1:00:00", "until-revoked", "", "99999999.0:00:00", 7, {}]
)
def test_a_lifetime_in_any_other_form_is_unknown(text: object) -> None:
    with pytest.raises(Unreadable):
        span_in({"accesstokenlifetime": text}, "AccessTokenLifetime")


def test_members_of_another_type_are_unknown() -> None:
    for read in (lambda: text_in({"a": 1}, "A"), lambda: objects_in({"a": {}}, "A"), lambda: objects_in({"a": [1]}, "A")):
        with pytest.raises(Unreadable):
            read()
    assert objects_in({}, "A") == []


async def test_policies_that_cannot_be_right() -> None:
    deep = json.dumps({"ClaimsMappingPolicy": {"ClaimsSchema": [{"JwtClaimType": 5}], "ClaimsTransformation": {}}})
    found = await spoiled("claims_mapping.list", definition=[deep], displayName=[], isOrganizationDefault=1)
    id_ = f"{TENANT_ID}/policies/{POLICIES[0].id}"
    assert found.unknown("token_policy", id_) == dict.fromkeys(("name", "claims", "transforms_claims"), "bad_value")
    found = await spoiled("token_lifetime.list", isOrganizationDefault=None)
    assert found.unknown("token_policy", f"{TENANT_ID}/policies/{POLICIES[1].id}") == {"is_default": "bad_value"}
    found = await spoiled("claims_mapping.list", id="../x")
    assert found.gaps() == {(TENANT_ID, "claims_mapping.list"): "partial bad_item"}


@pytest.mark.parametrize(
    ("applied", "reason"),
    [
        (None, "bad_value"),
        ([{"@odata.type": "#microsoft.graph.group", "id": OTHER}], "unrecognised"),
        ([{"id": OTHER}], "bad_body"),
        ([{"@odata.type": 5, "id": OTHER}], "bad_value"),
        ([{"@odata.type": "#microsoft.graph.application"}], "bad_value"),
        ([{"@odata.type": "#microsoft.graph.application", "id": "not-an-id"}], "bad_value"),
    ],
)
async def test_what_a_policy_applies_to_is_not_guessed(applied: object, reason: str) -> None:
    found = await spoiled("claims_mapping.applied", appliesTo=applied)
    assert found.unknown("token_policy", f"{TENANT_ID}/policies/{POLICIES[0].id}") == {"applies_to": reason}


async def test_lists_that_disagree_about_policies() -> None:
    def shorten(body: dict[str, Any]) -> dict[str, Any]:
        return body | {"value": body["value"][1:]}

    found = await collect(Fault("claims_mapping.list", "every", edit=shorten), estate=SIGNING)
    assert found.gaps() == {(TENANT_ID, "claims_mapping.list"): "partial inconsistent_pages"}
    found = await collect(Fault("claims_mapping.applied", "every", edit=shorten), estate=SIGNING)
    assert found.unknown("token_policy", f"{TENANT_ID}/policies/{POLICIES[0].id}") == {"applies_to": "inconsistent_pages"}


@pytest.mark.parametrize(
    ("domains", "unknown"),
    [
        (None, {"validated_domains": "bad_value", "validated_names": "bad_value"}),
        ({}, {"validated_domains": "bad_body"}),
        ({"rootDomains": None, "domainNames": "x"}, {"validated_domains": "bad_value", "validated_names": "bad_value"}),
        ({"rootDomains": "all"}, {}),
    ],
)
async def test_a_validation_of_federated_tokens_that_cannot_be_right(domains: object, unknown: dict[str, str]) -> None:
    fault = Fault("federated_token_validation.get", "every", edit=lambda body: body | {"validatingDomains": domains})
    found = await collect(fault, estate=SIGNING)
    assert found.unknown("token_policy", f"{TENANT_ID}/policies/federatedtokenvalidationpolicy") == unknown


async def test_authorities_that_cannot_be_read() -> None:
    def spoil(body: dict[str, Any]) -> dict[str, Any]:
        good = body["value"][0]["certificateAuthorities"][0]
        broken = {"certificate": "AAAA", "isRootAuthority": None, "certificateRevocationListUrl": ""}
        body["value"][0]["certificateAuthorities"] = [good, good, broken, broken, None, 7]
        return body

    found = await collect(Fault("classic_authority.list", "every", edit=spoil), estate=SIGNING)
    assert found.gaps() == {(TENANT_ID, "classic_authority.list"): "partial bad_item"}
    rows = {
        id_.rpartition("29728ade-6ae4-4ee9-9103-412912537da5/")[2]: row for id_, row in found.rows["trusted_authority"].items()
    }
    # The same certificate twice is two entries, which may differ in where revocations are looked up.
    assert len([name for name in rows if name.endswith("/2")]) == 2
    assert {rows["unreadable"]["unknown"][name] for name in ("is_root", "thumbprint", "expires_on", "subject")} == {"bad_value"}
    assert rows["unreadable"].get("crl_url") is None
    assert rows["unreadable"]["unknown"]["delta_crl_url"] == "bad_body"


@pytest.mark.parametrize(("type_", "reason"), [(None, "bad_value"), ("leaf", "unrecognised"), (7, "bad_value")])
async def test_an_authority_of_no_known_type(type_: object, reason: str) -> None:
    found = await spoiled("pki.authorities", certificateAuthorityType=type_)
    assert [row["unknown"] for row in found.rows["trusted_authority"].values() if row.get("unknown")] == [{"is_root": reason}]


METADATA = [
    ({"jwks_uri": "https://evil.example/keys"}, "foreign_link"),
    ({"jwks_uri": f"http://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys"}, "foreign_link"),
    ({"jwks_uri": f"https://login.microsoftonline.com@evil.example/{TENANT}/discovery/v2.0/keys"}, "foreign_link"),
    ({"jwks_uri": "https://login.microsoftonline.com/common/discovery/v2.0/keys"}, "unrecognised"),
    ({"jwks_uri": f"https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys?x=1"}, "unrecognised"),
    ({"jwks_uri": "https://[bad"}, "bad_body"),
    ({"jwks_uri": None}, "bad_item"),
    ({"issuer": f"https://login.microsoftonline.com/{OTHER}/v2.0"}, "bad_body"),
    ({"issuer": "https://login.microsoftonline.com/{tenantid}/v2.0"}, "bad_body"),
]


@pytest.mark.parametrize(("members", "reason"), METADATA)
async def test_keys_that_are_said_to_be_elsewhere_are_not_fetched(members: dict[str, str], reason: str) -> None:
    found = await collect(Fault("login.metadata", "every", edit=lambda body: body | members), estate=SIGNING)
    assert found.gaps() == {
        (TENANT_ID, "login.metadata"): f"not_assessed {reason}",
        (TENANT_ID, "login.keys"): "not_assessed parent_not_assessed",
    }
    assert "login.keys" not in found.calls


async def test_a_key_set_without_a_key_is_not_believed() -> None:
    found = await collect(Fault("login.keys", "every", body={"keys": []}), estate=SIGNING)
    assert found.gaps() == {(TENANT_ID, "login.keys"): "not_assessed bad_body"}
    for body in ({}, {"keys": None}, {"keys": "x"}):
        found = await collect(Fault("login.keys", "every", body=body), estate=SIGNING)
        assert found.coverage[TENANT_ID, "login.keys"].reason in ("bad_body", "bad_item")


async def test_keys_that_cannot_be_read_are_set_aside_or_unknown(signing: Collected) -> None:
    def spoil(body: dict[str, Any]) -> dict[str, Any]:
        first = body["keys"][1]
        clash = first | {"use": "enc"}
        bare = {"kid": "../../bare", "kty": "RSA", "n": "?", "x5t": "?", "x5c": None, "issuer": None}
        broken = {"kid": "broken", "kty": 5, "x5c": ["AAAA"], "issuer": 7, "use": []}
        untyped = {"kid": "untyped", "x5t": "AAAA", "issuer": None}
        body["keys"] += [None, 5, {}, {"kid": 5}, first, clash, bare, broken, untyped]
        return body

    found = await collect(Fault("login.keys", "every", edit=spoil), estate=SIGNING)
    record = found.coverage[TENANT_ID, "login.keys"]
    assert (record.state, record.reason) == ("partial", "bad_item")
    assert (record.received, record.kept, record.duplicate, record.quarantined) == (12, 6, 1, 5)
    keys = f"{TENANT_ID}/issuerkeys"
    bare = found.rows["issuer_key"][f"{keys}/..%2f..%2fbare"]
    # Each of the tenant's keys names an issuer, and has a certificate, which says how long it is valid.
    unsaid = dict.fromkeys(("token_issuer", "for_consumers", "starts_on", "expires_on"), "bad_value")
    assert bare["unknown"] == {**dict.fromkeys(("thumbprint", "key_size"), "bad_value"), **unsaid}
    # A key of no known type may be one of any size; what is too short is no SHA-1.
    sizes = dict.fromkeys(("key_type", "key_size", "curve"), "bad_body")
    assert found.unknown("issuer_key", f"{keys}/untyped") == {**sizes, **unsaid, "thumbprint": "bad_value"}
    broken = found.unknown("issuer_key", f"{keys}/broken")
    names = ("use", "token_issuer", "for_consumers", "expires_on", "subject", "thumbprint")
    assert {broken[name] for name in names} == {"bad_value"}
    assert set(found.rows["issuer_key"]) > set(signing.rows["issuer_key"])


@pytest.mark.parametrize("keys", [None, "x", [None], [{"kid": 5}]])
async def test_a_key_set_of_b2c_that_cannot_be_read_is_a_gap(keys: object) -> None:
    found = await spoiled("b2c.key_sets", keys=keys)
    assert found.gaps() == {(TENANT_ID, "b2c.key_sets"): "partial bad_item"}


async def test_an_application_of_no_known_client_id_is_a_gap() -> None:
    def spoil(body: dict[str, Any]) -> dict[str, Any]:
        for item in body["value"]:
            if item["appId"] == CUSTOM_APP:
                item["appId"] = None
        return body

    found = await collect(Fault("service_principal.list", "every", edit=spoil), estate=SIGNING)
    assert found.gaps() == {(TENANT_ID, "login.app_keys"): "not_assessed parent_not_assessed"}


@pytest.mark.parametrize(
    ("member", "value"), [("preferredSingleSignOnMode", 5), ("keyCredentials", [{"keyId": "k", "type": "AsymmetricX509Cert"}])]
)
async def test_an_application_of_which_nobody_knows_whether_it_signs_is_a_gap(member: str, value: object) -> None:
    def spoil(body: dict[str, Any]) -> dict[str, Any]:
        for item in body["value"]:
            if item["appId"] == CUSTOM_APP:
                item[member] = value
        return body

    found = await collect(Fault("service_principal.list", "every", edit=spoil), estate=SIGNING)
    assert found.gaps() == {(TENANT_ID, "login.app_keys"): "not_assessed parent_not_assessed"}


@pytest.mark.parametrize("type_", [None, 5])
async def test_a_tenant_of_no_known_kind_is_asked_for_key_sets(type_: object) -> None:
    found = await spoiled("organization.type", tenantType=type_)
    assert found.gaps() == {(TENANT_ID, "organization.type"): "partial bad_body"}
    assert found.calls["b2c.key_sets"] == 1


def test_the_next_certificate_is_told_from_the_current_one(signing: Collected) -> None:
    current = f"{OUTLET}/signingcertificates/{thumbprint(SECOND.certificate or b'').lower()}"
    assert signing.rows["signing_certificate"][current]["is_next"] is False
    assert signing.rows["signing_certificate"][f"{OUTLET}/signingcertificates/{thumbprint(NEXT).lower()}"]["is_next"] is True


@pytest.mark.parametrize("certificate", [None, ""])
async def test_a_domain_whose_certificate_is_not_told_keeps_a_row_of_it(certificate: str | None) -> None:
    found = await spoiled("domain.federation", "a.example", signingCertificate=certificate)
    row = found.rows["signing_certificate"][f"{TENANT_ID}/domains/a.example/signingcertificates/current"]
    assert (row["kind"], row["active"], row["unknown"]["expires_on"]) == ("federated-domain", True, "bad_value")
    assert found.gaps() == {}


async def test_an_identity_provider_without_an_object_id_is_a_gap(signing: Collected) -> None:
    def spoil(body: dict[str, Any]) -> dict[str, Any]:
        return body | {"value": [item | {"id": "../users"} for item in body["value"]]}

    found = await collect(Fault("external_federation.list", "every", edit=spoil), estate=SIGNING)
    assert found.gaps()[TENANT_ID, "external_federation.list"] == "not_assessed bad_item"
    external = {id_ for id_, row in signing.rows["signing_certificate"].items() if row["kind"] == "external-idp"}
    assert external
    assert found.rows["signing_certificate"].keys() == signing.rows["signing_certificate"].keys() - external
