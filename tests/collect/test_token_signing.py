"""Keys that sign and verify tokens: all that exist, and gaps for those that are refused."""

import asyncio
import base64
import hashlib
import json
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.collect.entra import federation, issuer
from keyaudit.collect.entra.policies import token_policies
from keyaudit.model.coverage import State
from keyaudit.model.tables import TABLES as DECLARED
from keyaudit.model.tables.entra.shared_key import SHARED
from keyaudit.simulator.estate import TokenSigning
from keyaudit.simulator.estates import estate as made
from keyaudit.simulator.faults import Fault
from keyaudit.simulator.key_sets import CANARY
from keyaudit.simulator.x509 import modulus, thumbprint
from tests.collect.estate import AS_OF, DAY, ESTATE, PRINCIPALS, SAML, STS, STS_CERTIFICATE, TENANT, TENANT_ID
from tests.collect.refusals import REASONS, ends_refused, never_wrong, refused
from tests.collect.rig import Collected, collect
from tests.collect.signing_estate import (
    B2C,
    CLASSIC,
    CONSUMERS,
    CUSTOM,
    CUSTOM_APP,
    CUSTOM_PRINCIPAL,
    FOR_APPLICATIONS,
    ISSUING,
    MANY,
    NEXT,
    OLD,
    PARTNER,
    POLICIES,
    ROOT,
    SECOND,
    SIGNING,
)
from tests.matrices import first_of, some_with_each

READS = ("tenant", "applications", "service principals", "token policies", "trusted authorities", "federation", "issuer keys")

TABLES = ("signing_certificate", "federated_domain", "token_policy", "trusted_authority", "issuer_key")
AUTHORITIES = ("pki.list", "pki.authorities", "classic_authority.list", "app_authority.list")
OPERATIONS = (*federation.OPERATIONS, *token_policies.OPERATIONS, *AUTHORITIES, *issuer.OPERATIONS)
STORES = f"{TENANT_ID}/certificateauthorities"
OUTLET = f"{TENANT_ID}/domains/c.example"
PROVIDER = f"{TENANT_ID}/externalidentityproviders/d1000000-0000-4000-8000-000000000001"


@pytest.fixture(scope="module", name="signing")
def everything() -> Collected:
    """The estate as an unhindered run reads it."""
    return asyncio.run(collect(estate=SIGNING))


def kid(certificate: bytes) -> str:
    return base64.urlsafe_b64encode(bytes.fromhex(thumbprint(certificate))).rstrip(b"=").decode()


def policy(number: int) -> str:
    return f"{TENANT_ID}/policies/{POLICIES[number - 1].id}"


def row_of(found: Collected, table: str, id_: str) -> dict[str, Any]:
    """A row, absent columns too."""
    return {**dict.fromkeys(DECLARED[table].by_name), "unknown": {}, **found.rows[table][id_]}


def held(found: Collected, table: str, id_: str, *columns: str) -> tuple[object, ...]:
    return tuple(found.rows[table][id_].get(column) for column in columns)


def test_everything_that_is_there_is_a_row_and_nothing_is_unknown(signing: Collected) -> None:
    keys = f"{TENANT_ID}/issuerkeys"
    consumers = (
        f"{keys}/{kid(CONSUMERS).lower()}/https%3a%2f%2flogin.microsoftonline.com%2f9188040d-6c67-4c5b-b112-36a304b66dad%2fv2.0"
    )
    expected = {
        "signing_certificate": {
            f"{TENANT_ID}/serviceprincipals/{PRINCIPALS[0].id}/signingcertificates/{SAML.lower()}",
            f"{TENANT_ID}/serviceprincipals/{CUSTOM_PRINCIPAL.id}/signingcertificates/{thumbprint(CUSTOM).lower()}",
            f"{TENANT_ID}/domains/a.example/signingcertificates/{STS.lower()}",
            *(f"{OUTLET}/signingcertificates/{thumbprint(one).lower()}" for one in (SECOND.certificate or b"", NEXT)),
            f"{PROVIDER}/signingcertificates/{thumbprint(PARTNER).lower()}",
        },
        "federated_domain": {f"{TENANT_ID}/domains/a.example", OUTLET},
        "token_policy": {*map(policy, range(1, 6)), f"{TENANT_ID}/policies/federatedtokenvalidationpolicy"},
        "trusted_authority": {
            *(f"{STORES}/pki/91000000-0000-4000-8000-000000000001/{thumbprint(one).lower()}" for one in (ROOT, ISSUING)),
            f"{STORES}/classic/29728ade-6ae4-4ee9-9103-412912537da5/{thumbprint(CLASSIC).lower()}",
            f"{STORES}/application/91000000-0000-4000-8000-000000000002/{thumbprint(FOR_APPLICATIONS).lower()}",
        },
    }
    for table, ids in expected.items():
        assert set(signing.rows[table]) == ids
    # One more is the key that signs the tokens of the simulated tenant itself.
    assert set(signing.rows["issuer_key"]) > {
        f"{keys}/{kid(OLD).lower()}",
        consumers,
        f"{keys}/{CUSTOM_APP}/{kid(CUSTOM).lower()}",
        f"{TENANT_ID}/keysets/b2c_1a_tokensigningkeycontainer/first",
        f"{TENANT_ID}/keysets/b2c_1a_tokensigningkeycontainer/second",
    }
    assert len(signing.rows["issuer_key"]) == 6
    unknown = {(table, name) for table in TABLES for row in signing.rows[table].values() for name in row.get("unknown", ())}
    assert unknown == set()
    assert signing.gaps() == {}
    assert {operation for _, operation in signing.coverage} >= {*OPERATIONS, "service_principal.get"}


def test_a_list_is_read_once_and_single_objects_only_where_they_have_many(signing: Collected) -> None:
    once = [f"{kind.operation}.{what}" for kind in token_policies.KINDS for what in ("list", "applied", "applied_of")]
    once += ["external_federation.list", "pki.list", "pki.authorities", "classic_authority.list", "app_authority.list"]
    once += ["login.keys", "login.app_keys", *SHARED.values(), "organization.type", "b2c.key_sets"]
    once += ["federated_token_validation.get"]
    assert {operation: signing.calls[operation] for operation in once} == dict.fromkeys(once, 1)
    assert signing.calls["domain.federation"] == 2
    # The list shows every public key, so that no service principal is asked for by itself.
    assert "service_principal.get" not in signing.calls


def test_the_facts_of_a_certificate_have_one_name_everywhere(signing: Collected) -> None:
    id_ = f"{TENANT_ID}/domains/a.example/signingcertificates/{STS.lower()}"
    row = row_of(signing, "signing_certificate", id_)
    assert row["thumbprint"] == STS
    assert row["thumbprint_sha256"] == hashlib.sha256(STS_CERTIFICATE).hexdigest().upper()
    assert row["subject"] == row["issuer"] == row["name"] == "CN=ADFS Signing - sts.a.example"
    assert (row["self_signed"], row["key_type"], row["key_size"], row["signature_hash"]) == (True, "RSA", 2048, "sha256")
    assert (row["starts_on"], row["expires_on"]) == (AS_OF - 100 * DAY, AS_OF + 265 * DAY)
    assert (row["kind"], row["holder_name"], row["custody"]) == ("federated-domain", "a.example", "external")
    assert (row["app_id"], row["sso_mode"], row["holder_enabled"]) == (None, None, None)
    assert (row["active"], row["is_next"], row["like_current"]) == (True, False, None)
    saml = f"{TENANT_ID}/serviceprincipals/{PRINCIPALS[0].id}/signingcertificates/{SAML.lower()}"
    columns = ("kind", "thumbprint", "subject", "key_size", "custody", "is_next")
    assert held(signing, "signing_certificate", saml, *columns) == ("saml", SAML, "CN=payroll", 2048, "platform", False)
    keys = {row["public_key_sha256"] for table in TABLES for row in signing.rows[table].values() if "public_key_sha256" in row}
    assert len(keys - {None}) == 14


def test_the_next_certificate_of_a_domain_is_accepted_at_any_time(signing: Collected) -> None:
    """Trap 28: it is not a fallback for the day that the other one ends."""
    id_ = f"{OUTLET}/signingcertificates/{thumbprint(NEXT).lower()}"
    columns = ("active", "is_next", "like_current", "issuer", "self_signed", "custody")
    assert held(signing, "signing_certificate", id_, *columns) == (True, True, False, "CN=Nobody", False, "external")
    assert held(signing, "federated_domain", OUTLET, "has_next_certificate") == (True,)
    assert held(signing, "federated_domain", f"{TENANT_ID}/domains/a.example", "has_next_certificate") == (False,)


def test_a_federated_domain_says_how_it_is_set_up(signing: Collected) -> None:
    row = row_of(signing, "federated_domain", OUTLET)
    assert {name: row[name] for name in ("name", "provider_name", "protocol", "mfa_behavior", "signs_requests")} == {
        "name": "C.example",
        "provider_name": "Outlet",
        "protocol": "saml",
        "mfa_behavior": "acceptIfMfaDoneByFederatedIdp",
        "signs_requests": True,
    }
    assert (row["update_result"], row["updated_on"]) == ("couldNotAccessRemoteHost", AS_OF - DAY)
    assert row["issuer_uri"] == "http://sts.c.example/adfs/services/trust"
    assert row["sign_in_uri"] == row["sign_out_uri"] == "https://sts.c.example/adfs/ls"
    # Never set is an answer of its own: an older setting decides.
    first = row_of(signing, "federated_domain", f"{TENANT_ID}/domains/a.example")
    assert (first["mfa_behavior"], first["update_result"], first["updated_on"], first["unknown"]) == (None, None, None, {})


def test_a_next_certificate_that_is_the_current_one_is_no_second(signing: Collected) -> None:
    same = replace(SECOND, next_certificate=SECOND.certificate)
    domains = (*SIGNING.domains[:2], replace(SIGNING.domains[2], federation=same))
    found = asyncio.run(collect(estate=replace(SIGNING, domains=domains)))
    mine = [row for row in found.rows["signing_certificate"].values() if row["holder_id"] == OUTLET]
    assert [row["is_next"] for row in mine] == [False]
    assert found.gaps() == {}


async def test_an_inactive_signing_certificate_is_a_row_too() -> None:
    """Trap 28: what is not active yet is in the federation metadata all the same."""
    found = await collect(estate=made("contoso", AS_OF))
    saml = [row for row in found.rows["signing_certificate"].values() if row["kind"] == "saml"]
    inactive = [row for row in saml if not row["active"]]
    assert {row["holder_name"] for row in inactive} == {"Tailspin CRM", "Northwind Travel", "Proseware Learning"}
    # Two applications of one product have the same.
    assert len({row["public_key_sha256"] for row in saml}) == len(saml) - 1


def test_what_policies_say_is_read_out_of_the_json_in_their_json(signing: Collected) -> None:
    mapping = ("kind", "claims", "transforms_claims", "is_default", "access_token_lifetime")
    assert held(signing, "token_policy", policy(1), *mapping) == (
        "claims-mapping",
        ["http://a/name", "name", "oid"],
        True,
        None,
        None,
    )
    assert held(signing, "token_policy", policy(4), "claims", "transforms_claims") == ([], False)
    lifetime = ("kind", "is_default", "access_token_lifetime", "applies_to", "claims")
    assert held(signing, "token_policy", policy(2), *lifetime) == ("token-lifetime", True, 115_230, [], None)
    assert held(signing, "token_policy", policy(5), "is_default", "access_token_lifetime") == (False, None)
    issuance = ("kind", "signature_algorithm", "signs")
    sha1 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
    assert held(signing, "token_policy", policy(3), *issuance) == ("token-issuance", sha1, "TokenOnly")
    validation = f"{TENANT_ID}/policies/federatedtokenvalidationpolicy"
    names = ("validated_domains", "validated_names", "name", "applies_to")
    assert held(signing, "token_policy", validation, *names) == ("enumerated", ["b.example", "a.example"], None, None)


def test_what_a_policy_applies_to_is_read_to_its_end(signing: Collected) -> None:
    assert held(signing, "token_policy", policy(1), "applies_to") == ([f"{TENANT_ID}/serviceprincipals/{PRINCIPALS[0].id}"],)
    everything = [f"{TENANT_ID}/applications/{one}" for one in MANY]
    for number in (3, 4, 5):
        assert held(signing, "token_policy", policy(number), "applies_to") == (everything,)


def test_an_authority_says_whether_revocations_are_looked_up(signing: Collected) -> None:
    pki = f"{STORES}/pki/91000000-0000-4000-8000-000000000001"
    columns = ("kind", "name", "is_root", "crl_url", "delta_crl_url", "created_on", "store_name")
    root, issuing = (
        held(signing, "trusted_authority", f"{pki}/{thumbprint(one).lower()}", *columns) for one in (ROOT, ISSUING)
    )
    assert root == ("pki", "Root", True, None, None, AS_OF - 5 * DAY, "PKI")
    assert issuing == ("pki", "Issuing", False, "http://crl.example/a.crl", None, AS_OF - DAY, "PKI")
    classic = f"{STORES}/classic/29728ade-6ae4-4ee9-9103-412912537da5/{thumbprint(CLASSIC).lower()}"
    crls = ("http://crl.example/c.crl", "http://crl.example/d.crl")
    assert held(signing, "trusted_authority", classic, *columns) == ("classic", None, True, *crls, None, None)
    for row in signing.rows["trusted_authority"].values():
        assert (row["expires_on"], row["key_size"], row["self_signed"]) == (AS_OF + 6400 * DAY, 2048, True)


def test_a_published_key_says_whose_tokens_it_signs_and_until_when(signing: Collected) -> None:
    keys = {id_: row_of(signing, "issuer_key", id_) for id_ in signing.rows["issuer_key"]}
    old = keys[f"{TENANT_ID}/issuerkeys/{kid(OLD).lower()}"]
    assert (old["kind"], old["key_id"], old["use"], old["for_consumers"]) == ("entra", kid(OLD), "sig", False)
    assert old["token_issuer"] == f"https://login.microsoftonline.com/{TENANT}/v2.0"
    # It ended a while ago, and is still there for every relying party to trust.
    assert old["expires_on"] == AS_OF - 175 * DAY
    assert (old["thumbprint"], old["key_size"]) == (thumbprint(OLD), 2048)
    assert [row["thumbprint"] for row in keys.values() if row["for_consumers"]] == [thumbprint(CONSUMERS)]
    shared = signing.rows["shared_key"].values()
    assert {(row["authority"], row["for_consumers"]) for row in shared if row["thumbprint"] == thumbprint(CONSUMERS)} == {
        ("common", True),
        ("consumers", True),
    }
    assert {row["authority"] for row in shared if row["thumbprint"] == thumbprint(OLD)} == {"common", "organizations"}
    assert {row["token_issuer"] for row in shared if row["authority"] == "organizations"} == {
        "https://login.microsoftonline.com/{tenantid}/v2.0"
    }
    [own] = [row for row in keys.values() if row["kind"] == "application"]
    assert (own["app_id"], own["thumbprint"], own["token_issuer"]) == (CUSTOM_APP, thumbprint(CUSTOM), None)


def test_of_a_b2c_key_only_what_describes_it_is_kept(signing: Collected) -> None:
    sets = f"{TENANT_ID}/keysets/b2c_1a_tokensigningkeycontainer"
    columns = ("kind", "key_id", "key_set", "use", "status", "starts_on", "expires_on", "thumbprint", "key_type")
    assert held(signing, "issuer_key", f"{sets}/first", *columns) == (
        "b2c",
        "first",
        "B2C_1A_TokenSigningKeyContainer",
        "sig",
        "enabled",
        AS_OF - DAY,
        AS_OF + DAY,
        thumbprint(B2C),
        "RSA",
    )
    assert held(signing, "issuer_key", f"{sets}/second", *columns[3:]) == ("enc", "disabled", None, None, None, "oct")
    assert CANARY not in json.dumps(signing.rows)


async def test_a_b2c_key_that_leaves_out_its_end_may_have_one() -> None:
    def edit(body: dict[str, Any]) -> dict[str, Any]:
        del body["value"][0]["keys"][0]["exp"]
        return body

    found = await collect(Fault("b2c.key_sets", "every", edit=edit), estate=SIGNING)
    sets = f"{TENANT_ID}/keysets/b2c_1a_tokensigningkeycontainer"
    assert found.unknown("issuer_key", f"{sets}/first")["expires_on"] == "bad_body"
    assert "expires_on" not in found.unknown("issuer_key", f"{sets}/second")


async def test_a_tenant_without_any_of_it_is_empty_and_not_unknown() -> None:
    domains = tuple(domain for domain in ESTATE.domains if not domain.federated)
    found = await collect(estate=replace(ESTATE, domains=domains, token_signing=TokenSigning()))
    assert found.gaps() == {}
    assert found.rows["federated_domain"] == found.rows["trusted_authority"] == {}
    assert {row["kind"] for row in found.rows["signing_certificate"].values()} == {"saml"}
    assert {row["kind"] for row in found.rows["token_policy"].values()} == {"federated-token-validation"}
    assert all(found.coverage[TENANT_ID, operation].state is State.ASSESSED for operation in OPERATIONS)
    # Only a tenant of Azure AD B2C has key sets, and Graph says that this is none.
    assert "b2c.key_sets" not in found.calls


@pytest.mark.parametrize("type_", ["CIAM", "AAD B2C", "AAD 2040"])
async def test_only_a_tenant_that_is_surely_none_of_b2c_is_not_asked_for_key_sets(type_: str) -> None:
    found = await collect(estate=replace(ESTATE, token_signing=TokenSigning(tenant_type=type_)))
    assert found.gaps() == {}
    assert ("b2c.key_sets" in found.calls) == (type_ != "CIAM")


CHILDREN = {
    "pki.list": ("pki.authorities",),
    "login.metadata": ("login.keys",),
    **{f"{kind.operation}.applied": (f"{kind.operation}.applied_of",) for kind in token_policies.KINDS},
}
SINGLE = (
    "domain.federation",
    "pki.authorities",
    "login.app_keys",
    *(f"{k.operation}.applied_of" for k in token_policies.KINDS),
)


@pytest.mark.parametrize(
    ("operation", "reason"), some_with_each([operation for operation in OPERATIONS if operation != "login.metadata"], REASONS)
)
async def test_an_operation_refused_to_the_end(signing: Collected, operation: str, reason: str) -> None:
    if reason == "permission" and operation.startswith("login."):
        pytest.skip("the sign-in host asks for no permission")
    children = CHILDREN.get(operation, ())
    await ends_refused(signing, operation, reason, estate=SIGNING, children=children, single=operation in SINGLE)


@pytest.mark.parametrize("reason", ["throttled", "service_error", "bad_body"])
async def test_metadata_refused_to_the_end(signing: Collected, reason: str) -> None:
    await ends_refused(signing, "login.metadata", reason, estate=SIGNING, children=CHILDREN["login.metadata"], single=False)


@pytest.mark.parametrize(
    ("operation", "reason"),
    some_with_each(
        ["domain.federation", "token_lifetime.list", "pki.authorities", "b2c.key_sets"],
        ["auth_failed", "vanished", "intercepted"],
    ),
)
async def test_rarer_ends(signing: Collected, operation: str, reason: str) -> None:
    found = await collect(refused(operation, reason), estate=SIGNING)
    never_wrong(signing, found)
    assert found.causes() == {(TENANT_ID, operation): f"not_assessed {reason}"}


async def test_a_tenant_without_the_licence(signing: Collected) -> None:
    body = {"error": {"code": "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "message": "no"}}
    found = await collect(Fault("pki.list", "every", status=403, body=body), estate=SIGNING)
    never_wrong(signing, found)
    assert found.gaps() == {
        (TENANT_ID, "pki.list"): "not_assessed not_licensed",
        (TENANT_ID, "pki.authorities"): "not_assessed parent_not_assessed",
    }


async def test_a_domain_whose_federation_is_refused_is_still_a_row(signing: Collected) -> None:
    found = await collect(replace(refused("domain.federation", "permission"), where="C.example"), estate=SIGNING)
    never_wrong(signing, found)
    assert found.gaps() == {(TENANT_ID, "domain.federation"): "partial permission"}
    assert set(found.rows["federated_domain"]) == set(signing.rows["federated_domain"])
    assert set(found.unknown("federated_domain", OUTLET).values()) == {"permission"}
    assert found.unknown("federated_domain", f"{TENANT_ID}/domains/a.example") == {}


@pytest.mark.parametrize("operation", ["domain.list", "organization.get"])
async def test_federated_domains_that_nobody_could_name_are_a_gap(operation: str) -> None:
    found = await collect(refused(operation, "permission"), estate=SIGNING)
    assert found.gaps()[TENANT_ID, "domain.federation"] == "not_assessed parent_not_assessed"
    assert found.rows["federated_domain"] == {}


async def test_a_domain_that_signs_in_in_a_new_way_leaves_no_list_of_federated_ones_that_looks_whole() -> None:
    def spoil(body: dict[str, Any]) -> dict[str, Any]:
        body["value"][0]["authenticationType"] = "Passkey"
        return body

    found = await collect(Fault("domain.list", "every", edit=spoil), estate=SIGNING)
    assert found.gaps() == {
        (TENANT_ID, "domain.list"): "partial unrecognised",
        (TENANT_ID, "domain.federation"): "not_assessed parent_not_assessed",
    }


def _hide(body: dict[str, Any]) -> dict[str, Any]:
    for item in body["value"]:
        for key in item["keyCredentials"]:
            key["key"] = None
    return body


HIDDEN = Fault("service_principal.list", "every", edit=_hide)


async def test_certificates_that_a_list_does_not_show_are_asked_for_one_by_one(signing: Collected) -> None:
    """Trap 21: the documentation says both, that a list shows public keys and that only a single object does."""
    found = await collect(HIDDEN, estate=SIGNING)
    assert found.gaps() == {}
    assert found.rows["signing_certificate"] == signing.rows["signing_certificate"]
    # Those alone that have certificates.
    assert found.calls["service_principal.get"] == 3


@pytest.mark.parametrize("reason", first_of(REASONS))
async def test_certificates_that_are_shown_nowhere_are_unknown(signing: Collected, reason: str) -> None:
    found = await collect(HIDDEN, refused("service_principal.get", reason), estate=SIGNING)
    never_wrong(signing, found)
    record = found.coverage[TENANT_ID, "service_principal.get"]
    assert (record.state, record.reason, record.refused) == (State.NOT_ASSESSED, reason, 3)
    id_ = f"{TENANT_ID}/serviceprincipals/{PRINCIPALS[0].id}/signingcertificates/{SAML.lower()}"
    assert found.unknown("signing_certificate", id_)["public_key_sha256"] == reason
    # The identifier is what is left to go by.
    assert held(found, "signing_certificate", id_, "thumbprint", "active") == (SAML, True)


@pytest.mark.parametrize(
    ("edit", "reason", "gap"),
    [
        (lambda body: body | {"id": "99999999-0000-4000-8000-000000000000"}, "inconsistent", "not_assessed inconsistent"),
        (lambda body: body | {"keyCredentials": []}, "not_visible", None),
        (lambda body: body | {"keyCredentials": None}, "not_visible", None),
    ],
)
async def test_an_answer_that_shows_no_certificate_either(edit: Any, reason: str, gap: str | None) -> None:
    found = await collect(HIDDEN, Fault("service_principal.get", "every", edit=edit), estate=SIGNING)
    assert found.gaps() == ({(TENANT_ID, "service_principal.get"): gap} if gap else {})
    id_ = f"{TENANT_ID}/serviceprincipals/{PRINCIPALS[0].id}/signingcertificates/{SAML.lower()}"
    assert found.unknown("signing_certificate", id_)["subject"] == reason


async def test_a_key_set_shows_a_key_without_a_certificate_by_its_size() -> None:
    def bare(body: dict[str, Any]) -> dict[str, Any]:
        for key in body["keys"]:
            del key["x5c"]
        return body

    found = await collect(Fault("login.keys", "every", edit=bare), estate=SIGNING)
    id_ = f"{TENANT_ID}/issuerkeys/{kid(OLD).lower()}"
    row = row_of(found, "issuer_key", id_)
    assert (row["key_type"], row["key_size"], row["thumbprint"]) == ("RSA", len(modulus(OLD)) * 8, thumbprint(OLD))
    # When it expires, its certificate alone says.
    assert (row["expires_on"], row["subject"]) == (None, None)
    assert row["unknown"] == {"starts_on": "bad_value", "expires_on": "bad_value"}
