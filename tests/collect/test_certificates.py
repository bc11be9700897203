"""Certificates by version: what a vault answers becomes rows, what it refuses or gets wrong is unknown with its reason."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.collect.key_vault.certificate_policy import POLICY, Policy, put_policy
from keyaudit.collect.key_vault.certificate_rows import FACTS, CertificateBundle, put_attributes, put_certificate, thumbprint
from keyaudit.collect.rows import Row
from keyaudit.model.coverage import Refusal, State
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.vaults.certificate import CERTIFICATE
from keyaudit.simulator.estate import Certificate, Estate
from keyaudit.simulator.estates import estate as made
from keyaudit.simulator.faults import Fault
from tests.collect.estate import AS_OF, DAY, FIRST_ID, SECOND, version
from tests.collect.objects import ASKED, CLIENT, FURNISHED, ISSUED, OBJECTS, ROLLED, SERVER, VAULT
from tests.collect.recorded import bodies, raw, wire
from tests.collect.refusals import REASONS, ends_refused, refused
from tests.collect.rig import Collected, collect
from tests.matrices import first_of

READS = ("certificates", "secrets")

URI = "https://vaultname.vault.azure.net/"
ALL = f"{VAULT}/certificates"
CURRENT, OLDER, OLDEST = (f"{ALL}/rolled/{version(number).version}" for number in (10, 200, 300))
PENDING = f"{ALL}/asked/{version(1).version}"
BACKING = f"{ALL}/backing/{version(50).version}"
ELSEWHERE = f"https://kv-second.vault.azure.net/certificates/backing/{version(50).version}"
WITH_GET = {*FACTS, *POLICY, "issued", "key_version_id"} - {"thumbprint"}


@pytest.fixture(scope="module")
def furnished() -> Collected:
    return asyncio.run(collect(estate=OBJECTS))


def of(*certificates: Certificate) -> Estate:
    return replace(OBJECTS, vaults=(replace(FURNISHED, certificates=certificates), SECOND))


# What is there


def test_every_version_is_a_row_and_nothing_else_is(furnished: Collected) -> None:
    assert set(furnished.rows["certificate"]) == {CURRENT, OLDER, OLDEST, PENDING, BACKING, ELSEWHERE}
    assert not any(row.get("unknown") for row in furnished.rows["certificate"].values())
    assert furnished.gaps() == {}
    assert furnished.failures == []
    # One GET names the current version and holds the policy of all.
    assert (furnished.calls["certificate.versions"], furnished.calls["certificate.get"]) == (4, 6)


def test_a_certificate_with_all_that_is_known_of_it(furnished: Collected) -> None:
    row = dict(furnished.rows["certificate"][BACKING])
    made = AS_OF - 50 * DAY
    assert len(row.pop("thumbprint")) == 40
    assert len(row.pop("thumbprint_sha256")) == len(row.pop("public_key_sha256")) == 64
    assert row.pop("serial")
    assert row == {
        "id": BACKING,
        "name": "backing",
        "resource_id": f"https://kv-first.vault.azure.net/certificates/backing/{version(50).version}",
        "scope_id": FIRST_ID,
        "source_url": f"https://kv-first.vault.azure.net/certificates/backing/{version(50).version}",
        "source_version": "2025-07-01",
        "subscription_id": FIRST_ID.split("/")[2],
        "subscription_name": "Production",
        "resource_group": "Rg-Main",
        "location": "westeurope",
        "certificate_id": f"{ALL}/backing",
        "version": version(50).version,
        "vault_id": FIRST_ID,
        "vault_name": "kv-First",
        "tags": {"env": "Test"},
        "enabled": True,
        "created_on": made,
        "updated_on": made,
        "activates_on": made - 600,
        "expires_on": made + 365 * DAY,
        "issued": True,
        "subject": "CN=api.example",
        "issuer": "CN=Example CA",
        "self_signed": False,
        "not_before": made - 600,
        "not_after": made + 365 * DAY,
        "key_type": "RSA",
        "key_size": 2048,
        "signature_hash": "sha256",
        "is_ca": False,
        "names": ["dns:api.example", "dns:www.api.example"],
        "ekus": [SERVER],
        "public_ca_marks": [],
        "key_version_id": f"{VAULT}/keys/backing/{version(50).version}",
        "kty": "RSA",
        "exportable": False,
        "policy_updated_on": made - 1,
        "reuse_key": True,
        "content_type": "application/x-pkcs12",
        "issuer_name": "digicert",
        "validity_months": 12,
        "auto_renews": True,
        "emails_contacts": False,
        "renews_at_percentage": 80,
        "is_current": True,
        "versions_listed": True,
    }


def test_versions_differ_in_what_is_theirs_and_share_the_policy(furnished: Collected) -> None:
    rows = [furnished.rows["certificate"][id_] for id_ in (CURRENT, OLDER, OLDEST)]
    assert [row["is_current"] for row in rows] == [True, False, False]
    assert [row["enabled"] for row in rows] == [True, True, False]
    assert len({row["thumbprint"] for row in rows}) == len({row["public_key_sha256"] for row in rows}) == 3
    assert {row["self_signed"] for row in rows} == {True}
    assert {(row["kty"], row["exportable"], row["auto_renews"]) for row in rows} == {("RSA-HSM", True, True)}
    assert {(row["renews_before_expiry"], row["emails_contacts"]) for row in rows} == {(30 * DAY, True)}
    assert {row["key_size"] for row in rows} == {3072}
    assert rows[0]["ekus"] == [CLIENT]


def test_a_certificate_that_is_not_issued_yet_has_a_key_and_no_certificate(furnished: Collected) -> None:
    row = furnished.rows["certificate"][PENDING]
    assert row["issued"] is False
    assert not row.keys() & {*FACTS, "activates_on", "expires_on"}
    assert row["key_version_id"] == f"{VAULT}/keys/asked/{version(1).version}"
    # Its policy asks for a renewal that Key Vault cannot make: its issuer is none that it deals with.
    assert (row["auto_renews"], row["renews_before_expiry"]) == (False, 10 * DAY)


async def test_a_renewal_that_keeps_the_key_is_a_new_certificate_on_an_old_key() -> None:
    kept = replace(ROLLED, policy=replace(ROLLED.policy, reuse_key=True))
    rows = (await collect(estate=of(kept))).rows["certificate"]
    assert len({row["thumbprint"] for row in rows.values()}) == 3
    assert len({row["public_key_sha256"] for row in rows.values()}) == 1


async def test_what_a_policy_said_when_a_version_was_made_is_unknown_once_it_was_changed() -> None:
    changed = replace(ROLLED, policy=replace(ROLLED.policy, updated=AS_OF - 100 * DAY, exportable=False))
    found = await collect(estate=of(changed))
    assert found.unknown("certificate", CURRENT) == {}
    for id_ in (OLDER, OLDEST):
        assert found.unknown("certificate", id_) == {"kty": "not_supplied", "exportable": "not_supplied"}
    assert found.gaps() == {}


async def test_a_vault_without_certificates_is_read_and_empty() -> None:
    found = await collect(estate=of())
    assert found.rows["certificate"] == {}
    assert found.coverage[FIRST_ID, "certificate.list"].state is State.ASSESSED


async def test_more_certificates_than_a_page_holds() -> None:
    many = tuple(replace(ISSUED, name=f"certificate-{number}") for number in range(60))
    assert len((await collect(estate=of(*many))).rows["certificate"]) == 60


# What is refused


@pytest.mark.parametrize("reason", first_of([*REASONS, "firewall", "private_only", "intercepted"]))
async def test_a_refused_list_hides_the_certificates_of_one_vault_and_nothing_else(furnished: Collected, reason: str) -> None:
    children = ("certificate.versions", "certificate.get")
    found = await ends_refused(furnished, "certificate.list", reason, estate=OBJECTS, children=children, single=False)
    assert found.rows["certificate"] == {}


@pytest.mark.parametrize("reason", first_of(REASONS))
async def test_without_the_versions_the_current_one_is_there(furnished: Collected, reason: str) -> None:
    found = await ends_refused(furnished, "certificate.versions", reason, estate=OBJECTS, single=True)
    # Of a vault that answers nothing but errors, nothing more is asked for a while.
    if reason not in ("throttled", "service_error"):
        assert set(found.rows["certificate"]) == {CURRENT, PENDING, BACKING, ELSEWHERE}
        assert found.unknown("certificate", CURRENT) == {"versions_listed": reason}


@pytest.mark.parametrize("reason", first_of(REASONS))
async def test_without_a_get_lists_still_tell_of_every_version(furnished: Collected, reason: str) -> None:
    found = await ends_refused(furnished, "certificate.get", reason, estate=OBJECTS, single=True)
    assert set(found.rows["certificate"]) == {CURRENT, OLDER, OLDEST, PENDING, BACKING, ELSEWHERE}
    row = found.rows["certificate"][OLDER]
    whole = furnished.rows["certificate"][OLDER]
    for column in ("thumbprint", "enabled", "created_on", "expires_on", "is_current", "issued"):
        assert row[column] == whole[column], column
    assert set(row["unknown"]) == WITH_GET - {"issued"}
    assert set(row["unknown"].values()) == {reason}
    # A list shows no thumbprint of what is not issued, and does not say why.
    assert found.unknown("certificate", PENDING).keys() >= {"issued", "thumbprint"}


async def test_without_a_get_an_issued_certificate_has_an_end_all_the_same() -> None:
    def without_end(body: dict[str, Any]) -> dict[str, Any]:
        for item in body["value"]:
            item["attributes"].pop("exp", None)
        return body

    endless = Fault("certificate.versions", "every", edit=without_end)
    found = await collect(endless, refused("certificate.get", "permission"), estate=of(ISSUED))
    assert found.unknown("certificate", BACKING)["expires_on"] == "bad_body"


async def test_a_vault_that_grants_its_keys_alone() -> None:
    found = await collect(estate=replace(OBJECTS, vaults=(replace(FURNISHED, refused=("certificates",)), SECOND)))
    assert found.gaps() == {
        (FIRST_ID, "certificate.list"): "not_assessed permission",
        (FIRST_ID, "certificate.versions"): "not_assessed parent_not_assessed",
        (FIRST_ID, "certificate.get"): "not_assessed parent_not_assessed",
    }
    assert found.rows["secret"]


async def test_the_dark_tenant_has_a_vault_whose_certificates_nobody_granted() -> None:
    dark = made("blind-spots", AS_OF)
    found = await collect(estate=dark)
    refused = {scope.rpartition("/")[2] for scope, operation in found.gaps() if operation == "certificate.list"}
    assert refused == {"kv-orders-prod", "kv-payments-prod", "kv-hr-prod"}


# What is not as it should be


@pytest.mark.parametrize(
    ("id_", "reason"),
    [
        ("https://kv-second.vault.azure.net/certificates/x", "inconsistent"),
        ("https://kv-first.vault.azure.net/keys/x", "inconsistent"),
        ("https://kv-first.vault.azure.net.evil.example/certificates/x", "inconsistent"),
        ("https://kv-first.vault.azure.net/certificates/../secrets/x", "bad_item"),
        ("", "bad_item"),
        (None, "bad_item"),
        (7, "bad_item"),
    ],
)
async def test_an_item_that_is_no_certificate_of_the_vault_is_quarantined(id_: object, reason: str) -> None:
    sound = {"id": f"{VAULT}/certificates/backing", "x5t": "x", "attributes": {"enabled": True}}
    page = {"value": [sound, {"id": id_}, None, sound], "nextLink": None}
    found = await collect(Fault("certificate.list", 1, body=page), estate=replace(OBJECTS, vaults=(FURNISHED,)))
    record = found.coverage[FIRST_ID, "certificate.list"]
    assert (record.state, record.reason) == (State.PARTIAL, reason)
    assert (record.received, record.kept, record.duplicate, record.quarantined) == (4, 1, 1, 2)
    assert set(found.rows["certificate"]) == {BACKING}


async def test_an_answer_about_another_certificate_is_no_answer() -> None:
    other = {"id": f"{VAULT}/certificates/rolled/{version(10).version}", "cer": "", "attributes": {}}
    found = await collect(Fault("certificate.get", "every", body=other), estate=of(ISSUED))
    assert found.coverage[FIRST_ID, "certificate.get"].reason is Reason.INCONSISTENT
    assert set(found.unknown("certificate", BACKING)) == WITH_GET - {"issued"}


async def test_a_list_of_versions_without_the_current_one_is_not_believed() -> None:
    short: dict[str, object] = {"value": [], "nextLink": None}
    found = await collect(Fault("certificate.versions", "every", body=short), estate=of(ISSUED))
    assert found.gaps() == {(FIRST_ID, "certificate.versions"): "partial inconsistent_pages"}
    assert found.unknown("certificate", BACKING) == {"versions_listed": "inconsistent_pages"}
    # What is not issued yet need not be in it.
    assert (await collect(Fault("certificate.versions", "every", body=short), estate=of(ASKED))).gaps() == {}


def recorded() -> dict[str, Any]:
    return next(dict(body) for body in bodies("keyvault-certificates") if "cer" in body)


def row_of(body: dict[str, Any]) -> Row:
    bundle = wire(body, CertificateBundle)
    row = Row(CERTIFICATE, id="i", resource_id="i", scope_id="s", url="u", version="v")
    put_attributes(row, bundle.attributes, issued=bundle.issued)
    put_certificate(row, bundle, URI)
    put_policy(row, wire(body["policy"], Policy), {})
    return row


def test_the_recorded_certificate() -> None:
    body = recorded()
    row = row_of(body)
    assert row.unknown == {}
    assert row.values["thumbprint"] == "7751A6F93CCC7F0B106E4B7C45EE3240DD5D253E"
    assert thumbprint(raw(body["x5t"])) == row.values["thumbprint"]
    assert row.values["key_version_id"] == body["kid"]
    told = ("kty", "exportable", "reuse_key", "content_type", "issuer_name", "validity_months", "renews_at_percentage")
    assert [row.values[column] for column in told] == ["RSA", True, False, "application/x-pkcs12", "Self", 24, 80]
    assert (row.values["auto_renews"], row.values["emails_contacts"]) == (True, False)
    assert (row.values["activates_on"], row.values["expires_on"]) == (row.values["not_before"], row.values["not_after"])


def test_the_recorded_list_has_thumbprints_and_no_versions() -> None:
    items = [item for body in bodies("keyvault-certificates", path="/certificates?") for item in body["value"]]
    assert len(items) == 22
    assert all(isinstance(thumbprint(raw(item["x5t"])), str) for item in items)


@pytest.mark.parametrize(
    ("cer", "reason"), [("AAAA", "bad_value"), ("not base64", "bad_value"), (7, "bad_value"), (None, "bad_value")]
)
def test_a_certificate_that_cannot_be_read_leaves_its_thumbprint(cer: object, reason: str) -> None:
    row = row_of(recorded() | {"cer": cer})
    assert {name for name, why in row.unknown.items() if why == reason} == set(FACTS) - {"thumbprint"}
    assert row.values["thumbprint"] == "7751A6F93CCC7F0B106E4B7C45EE3240DD5D253E"


def test_a_certificate_that_is_not_the_one_of_the_thumbprint_tells_nothing() -> None:
    row = row_of(recorded() | {"x5t": "AAECAwQFBgcICQoLDA0ODxAREhM"})
    assert row.unknown == dict.fromkeys(FACTS, Reason.INCONSISTENT)
    # The dates that the service keeps are not those of another certificate.
    assert row.values["expires_on"] == recorded()["attributes"]["exp"]


@pytest.mark.parametrize(("member", "column"), [("exp", "expires_on"), ("nbf", "activates_on")])
def test_dates_that_the_certificate_does_not_have_are_unknown(member: str, column: str) -> None:
    body = recorded()
    body["attributes"][member] += 1
    assert row_of(body).unknown == {column: Reason.INCONSISTENT}


@pytest.mark.parametrize("x5t", ["", "????", "AAAA", 7, None])
def test_a_thumbprint_that_is_none(x5t: object) -> None:
    assert thumbprint(raw(x5t)) == Refusal(Reason.BAD_VALUE)


def test_an_issued_certificate_has_an_end() -> None:
    body = recorded()
    del body["attributes"]["exp"]
    assert row_of(body).unknown == {"expires_on": Reason.BAD_BODY}


@pytest.mark.parametrize("kid", ["https://evil.example/keys/a/1", f"{URI}secrets/a/1", 7])
def test_a_key_elsewhere_is_not_believed(kid: object) -> None:
    assert row_of(recorded() | {"kid": kid}).unknown == {"key_version_id": Reason.BAD_VALUE}


# Policies


def policy_row(created: object = 1_707_187_299, earlier: Any = MappingProxyType({}), **members: object) -> Row:
    body = {**recorded()["policy"], **members}
    row = Row(CERTIFICATE, id="i", resource_id="i", scope_id="s", url="u", version="v")
    row.put("created_on", created)
    put_policy(row, wire({name: value for name, value in body.items() if value != "left out"}, Policy), earlier)
    return row


@pytest.mark.parametrize(
    ("earlier", "unknown"),
    [
        ({"created_on": 1_000, "kty": "RSA", "exportable": True, "unknown": {}}, set()),
        ({"created_on": 1_000, "kty": "RSA", "exportable": None, "unknown": {"exportable": "not_supplied"}}, {"exportable"}),
        # Another version of that id is not this one.
        ({"created_on": 2_000, "kty": "RSA", "exportable": True, "unknown": {}}, {"kty", "exportable"}),
        ({}, {"kty", "exportable"}),
    ],
)
def test_what_a_version_was_made_with_is_known_of_an_earlier_snapshot_when_its_policy_changed(
    earlier: Mapping[str, object], unknown: set[str]
) -> None:
    row = policy_row(created=1_000, earlier=earlier)
    assert row.unknown == dict.fromkeys(unknown, Reason.NOT_SUPPLIED)
    assert row.values.get("exportable") == (None if "exportable" in unknown else True)


def action(kind: str, **trigger: object) -> dict[str, object]:
    return {"trigger": trigger, "action": {"action_type": kind}}


@pytest.mark.parametrize(
    ("actions", "issuer", "renews", "emails"),
    [
        ([], "Self", False, False),
        ([action("EmailContacts", lifetime_percentage=80)], "Self", False, True),
        ([action("AutoRenew", lifetime_percentage=80)], "Self", True, False),
        ([action("autorenew", days_before_expiry=30)], "DigiCert", True, False),
        ([action("AUTORENEW", days_before_expiry=30), action("emailcontacts", days_before_expiry=60)], "x", True, True),
        # https://learn.microsoft.com/azure/key-vault/certificates/about-certificates: other CAs do not support it.
        ([action("AutoRenew", lifetime_percentage=80)], "unknown", False, False),
    ],
)
def test_renewal_needs_an_action_and_an_issuer_that_can_be_asked(
    actions: list[object], issuer: str, renews: bool, emails: bool
) -> None:
    row = policy_row(lifetime_actions=actions, issuer={"name": issuer})
    assert (row.values["auto_renews"], row.values["emails_contacts"]) == (renews, emails)


def test_an_action_of_an_unheard_type_says_nothing_of_those_that_are_known() -> None:
    strange = action("Sweep", lifetime_percentage=80)
    alone = policy_row(lifetime_actions=[strange])
    assert set(alone.unknown.values()) == {Reason.UNRECOGNISED}
    assert set(alone.unknown) == {"auto_renews", "emails_contacts", "renews_before_expiry", "renews_at_percentage"}
    beside = policy_row(lifetime_actions=[strange, action("AutoRenew", lifetime_percentage=80)])
    assert beside.values["auto_renews"] is True
    assert beside.unknown == {"emails_contacts": Reason.UNRECOGNISED}


def test_of_several_renewals_the_soonest_counts() -> None:
    row = policy_row(
        lifetime_actions=[
            action("AutoRenew", days_before_expiry=10),
            action("AutoRenew", days_before_expiry=40),
            action("AutoRenew", lifetime_percentage=90),
            action("AutoRenew", lifetime_percentage=60),
        ]
    )
    assert (row.values["renews_before_expiry"], row.values["renews_at_percentage"]) == (40 * DAY, 60)


def test_a_policy_that_names_no_issuer_is_renewed_by_nobody() -> None:
    row = policy_row(issuer={})
    assert (row.values["issuer_name"], row.values["auto_renews"]) == (None, False)
    assert policy_row(issuer="left out").unknown == {"issuer_name": Reason.BAD_BODY, "auto_renews": Reason.BAD_BODY}


@pytest.mark.parametrize(
    ("member", "value", "unknown"),
    [
        ("key_props", "left out", {"kty", "exportable", "reuse_key"}),
        ("key_props", 7, {"kty", "exportable", "reuse_key"}),
        ("key_props", {"kty": "RSA", "reuse_key": None, "exportable": "yes"}, {"exportable", "reuse_key"}),
        ("secret_props", None, {"content_type"}),
        ("x509_props", {"validity_months": "12"}, {"validity_months"}),
        ("attributes", "left out", {"policy_updated_on", "kty", "exportable"}),
        ("lifetime_actions", "left out", {"auto_renews", "emails_contacts", "renews_before_expiry", "renews_at_percentage"}),
        ("lifetime_actions", [action("AutoRenew")], {"auto_renews", "renews_before_expiry", "renews_at_percentage"}),
        ("lifetime_actions", [action("AutoRenew", lifetime_percentage=400)], {"renews_at_percentage"}),
        ("lifetime_actions", [action("AutoRenew", days_before_expiry=10**30)], {"renews_before_expiry"}),
        (
            "lifetime_actions",
            [{"trigger": None, "action": {"action_type": "AutoRenew"}}],
            {"auto_renews", "emails_contacts", "renews_before_expiry", "renews_at_percentage"},
        ),
        ("lifetime_actions", [action("AutoRenew", days_before_expiry=10**17)], {"renews_before_expiry"}),
    ],
)
def test_a_broken_member_of_a_policy_makes_unknown_what_rests_on_it(member: str, value: object, unknown: set[str]) -> None:
    assert set(policy_row(**{member: value}).unknown) == unknown


@pytest.mark.parametrize(("later", "known"), [(0, True), (60, True), (61, False), (-(10**9), True)])
def test_a_policy_holds_for_what_was_made_under_it(later: int, known: bool) -> None:
    row = policy_row(created=1_707_187_299, attributes={"updated": 1_707_187_299 + later})
    assert ("exportable" in row.values, "kty" in row.values) == (known, known)
    assert ("exportable" in row.unknown) is not known
    undated = policy_row(created=raw("never"), attributes={"updated": 1})
    assert undated.unknown["exportable"] is Reason.BAD_VALUE
