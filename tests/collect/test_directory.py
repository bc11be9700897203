"""Applications, service principals and the tenant as the wire brings them, with answers that cannot be right."""

from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.simulator.faults import Fault
from tests.collect.estate import APPLICATIONS, AS_OF, DAY, ESTATE, PRINCIPALS, TENANT_ID
from tests.collect.refusals import never_wrong, refused
from tests.collect.rig import Collected, collect

READS = ("tenant", "applications", "service principals", "token policies", "federation", "issuer keys")


async def test_hostile_names_arrive_as_they_are() -> None:
    hostile = "\x1b[31m\u202e##vso[task]=cmd|' /C calc'!A0\n\0</td>"

    def rename(body: dict[str, Any]) -> dict[str, Any]:
        for item in body["value"]:
            item["displayName"] = hostile
            for credential in item["passwordCredentials"]:
                credential["displayName"] = hostile
        return body

    found = await collect(Fault("application.list", "every", edit=rename))
    assert found.gaps() == {}
    assert {row["name"] for row in found.rows["application"].values()} == {hostile}
    assert hostile in {row.get("name") for row in found.rows["credential"].values()}


async def test_values_that_cannot_be_right_are_unknown_and_the_rows_stay() -> None:
    def spoil(body: dict[str, Any]) -> dict[str, Any]:
        body["value"][0] |= {"displayName": 1, "createdDateTime": "yesterday", "appId": None, "identifierUris": [None]}
        body["value"][0]["keyCredentials"][0]["endDateTime"] = 1.5
        return body

    found = await collect(Fault("application.list", "every", edit=spoil))
    assert found.gaps() == {}
    id_ = f"{TENANT_ID}/applications/{APPLICATIONS[0].id}"
    wrong = ("name", "created_on", "app_id", "identifier_uris", "uris_without_id")
    assert found.unknown("application", id_) == dict.fromkeys(wrong, "bad_value")
    certificate = f"{id_}/credentials/{APPLICATIONS[0].keys[0].key_id}"
    held = ("expires_on", "holder_name", "app_id", "pin")
    assert found.unknown("credential", certificate) == dict.fromkeys(held, "bad_value")


# What Graph answers for a member that a type does not have, here the first time that the list is asked for.
# https://github.com/microsoftgraph/msgraph-metadata, schemas/v1.0-Prod.csdl: servicePrincipal has no createdDateTime
UNKNOWN_MEMBER = {
    "error": {
        "code": "BadRequest",
        "message": "Parsing OData Select and Expand failed: Could not find a property named 'createdDateTime' on type "
        "'microsoft.graph.servicePrincipal'.",
    }
}


async def test_a_member_that_graph_refuses_costs_that_member_and_not_the_list() -> None:
    dated = replace(ESTATE, service_principals=tuple(replace(one, created=AS_OF - DAY) for one in ESTATE.service_principals))
    whole = await collect(estate=dated)
    found = await collect(Fault("service_principal.list", 1, status=400, body=UNKNOWN_MEMBER), estate=dated)
    assert found.gaps() == whole.gaps()
    assert found.calls["service_principal.list"] == whole.calls["service_principal.list"] + 1
    for id_, row in whole.rows["service_principal"].items():
        assert row["created_on"] == AS_OF - DAY
        unknown = row.get("unknown", {}) | {"created_on": "unrecognised"}
        again = found.rows["service_principal"][id_]
        assert {**again, "created_on": row["created_on"]} == {**row, "unknown": unknown}
    assert found.rows["credential"] == whole.rows["credential"]


async def test_a_list_that_is_refused_without_that_member_too_is_not_read() -> None:
    found = await collect(Fault("service_principal.list", "every", status=400, body=UNKNOWN_MEMBER))
    assert found.causes()[TENANT_ID, "service_principal.list"] == "not_assessed unrecognised"
    assert found.calls["service_principal.list"] == 2
    assert not found.rows["service_principal"]


@pytest.mark.parametrize(
    ("operation", "status"), [("service_principal.list", 403), ("service_principal.list", 404), ("application.list", 400)]
)
async def test_nothing_else_is_asked_for_again(operation: str, status: int) -> None:
    found = await collect(Fault(operation, 1, status=status, body=UNKNOWN_MEMBER))
    assert (TENANT_ID, operation) in found.gaps()
    assert found.calls[operation] == 1


UNCLEAR = {(TENANT_ID, "login.app_keys"): "not_assessed parent_not_assessed"}
"""Some application may sign with a key of its own, which it would publish."""


@pytest.mark.parametrize("credentials", [None, "none", [{"keyId": 5}]])
@pytest.mark.parametrize(("member", "kind"), [("passwordCredentials", "password"), ("keyCredentials", None)])
async def test_a_credential_that_cannot_be_read_is_unknown_of_its_holder_alone(
    credentials: object, member: str, kind: str | None, whole: Collected
) -> None:
    def spoil(body: dict[str, Any]) -> dict[str, Any]:
        body["value"][0][member] = credentials
        return body

    found = await collect(Fault("application.list", "every", edit=spoil))
    assert found.gaps() == ({} if kind else UNCLEAR)
    assert found.rows["application"] == whole.rows["application"]
    # A row of its holder stands for it, and for however many others.
    [unread] = [id_ for id_ in found.rows["credential"] if "/credentials/unread-" in id_]
    assert unread.startswith(f"{TENANT_ID}/applications/{APPLICATIONS[0].id}/")
    reasons = found.unknown("credential", unread)
    assert set(reasons.values()) == {"bad_item"}
    assert {"key_id", "expires_on"} <= reasons.keys()
    assert not {"app_id", "holder_name", "holder_home"} & reasons.keys()
    # A client secret is not a certificate.
    assert (found.rows["credential"][unread].get("kind"), "public_key_sha256" in reasons) == (kind, kind is None)


async def test_a_signing_certificate_may_be_among_the_keys_that_cannot_be_read(whole: Collected) -> None:
    def spoil(body: dict[str, Any]) -> dict[str, Any]:
        body["value"][0]["keyCredentials"] = [{"keyId": 5}]
        return body

    found = await collect(Fault("service_principal.list", "every", edit=spoil))
    assert found.gaps() == UNCLEAR
    [unread] = found.rows["signing_certificate"].keys() - whole.rows["signing_certificate"].keys()
    assert unread.startswith(f"{TENANT_ID}/serviceprincipals/{PRINCIPALS[0].id}/")
    assert {"kind", "active", "expires_on", "public_key_sha256"} <= found.unknown("signing_certificate", unread).keys()


def _hide(body: dict[str, Any]) -> dict[str, Any]:
    for item in body["value"]:
        for key in item["keyCredentials"]:
            key["key"] = None
    return body


@pytest.mark.parametrize(("kind", "objects"), [("application", APPLICATIONS), ("service_principal", PRINCIPALS)])
async def test_certificates_that_a_list_does_not_show_are_read_with_each_object(
    kind: str, objects: Any, whole: Collected
) -> None:
    hidden = Fault(f"{kind}.list", "every", edit=_hide)
    found = await collect(hidden)
    assert found.gaps() == {}
    assert found.rows["credential"] == whole.rows["credential"]
    # Those alone that have certificates.
    holders = sum(any(key.type == "AsymmetricX509Cert" for key in each.keys) for each in objects)
    assert found.calls[f"{kind}.get"] == holders > 0
    assert f"{kind}.get" not in whole.calls


async def test_a_certificate_that_is_shown_nowhere_is_unknown_by_itself(whole: Collected) -> None:
    def hide_one(body: dict[str, Any]) -> dict[str, Any]:
        body["value"][0]["keyCredentials"][0]["key"] = None
        return body

    id_ = f"{TENANT_ID}/applications/{APPLICATIONS[0].id}/credentials/{APPLICATIONS[0].keys[0].key_id}"
    hidden = Fault("application.list", "every", edit=hide_one)
    for more, reason in (
        (refused("application.get", "permission"), "permission"),
        (Fault("application.get", "every", edit=lambda body: body | {"keyCredentials": []}), "not_visible"),
    ):
        found = await collect(hidden, more)
        never_wrong(whole, found)
        assert set(found.unknown("credential", id_).values()) == {reason}
        others = [name for name in whole.rows["credential"] if name != id_]
        assert all(found.rows["credential"][name] == whole.rows["credential"][name] for name in others)


@pytest.mark.parametrize("id_", ["../users", "a b", "", 7, None])
async def test_an_object_of_no_id_is_set_aside(id_: object) -> None:
    def spoil(body: dict[str, Any]) -> dict[str, Any]:
        body["value"][2]["id"] = id_
        return body

    found = await collect(Fault("service_principal.list", "every", edit=spoil))
    assert found.causes() == {(TENANT_ID, "service_principal.list"): "partial bad_item"}
    assert len(found.rows["service_principal"]) == len(PRINCIPALS) - 1


async def test_owners_that_one_list_does_not_have_are_unknown() -> None:
    def shorten(body: dict[str, Any]) -> dict[str, Any]:
        return body | {"value": body["value"][:1]}

    def spoil(body: dict[str, Any]) -> dict[str, Any]:
        body["value"][1]["owners"] = None
        return body

    second = f"{TENANT_ID}/applications/{APPLICATIONS[1].id}"
    found = await collect(Fault("application.owners", "every", edit=shorten))
    assert found.unknown("application", second) == {"owner_ids": "inconsistent_pages"}
    found = await collect(Fault("application.owners", "every", edit=spoil))
    assert found.unknown("application", second) == {"owner_ids": "bad_value"}


def test_owners_are_whole_however_many(whole: Collected) -> None:
    for table, path, held in (
        ("application", "applications", APPLICATIONS),
        ("service_principal", "serviceprincipals", PRINCIPALS),
    ):
        for one in held:
            assert whole.rows[table][f"{TENANT_ID}/{path}/{one.id}"]["owner_ids"] == sorted(one.owners)


def test_the_tenant(whole: Collected) -> None:
    row = whole.rows["tenant"][TENANT_ID]
    assert row["default_domain"] == "b.example"
    assert row["verified_domains"] == ["a.example", "b.example"]
    assert row["federated_domains"] == ["a.example"]


@pytest.mark.parametrize(
    ("member", "value", "column", "reason"),
    [
        ("authenticationType", "Passkey", "federated_domains", "unrecognised"),
        ("authenticationType", None, "federated_domains", "bad_value"),
        ("isVerified", "yes", "verified_domains", "bad_value"),
        ("isDefault", None, "default_domain", "bad_value"),
    ],
)
async def test_a_domain_that_cannot_be_told_apart(member: str, value: object, column: str, reason: str) -> None:
    def spoil(body: dict[str, Any]) -> dict[str, Any]:
        body["value"][0][member] = value
        return body

    found = await collect(Fault("domain.list", "every", edit=spoil))
    assert found.unknown("tenant", TENANT_ID) == {column: reason}
    # It is then unknown whether other domains are federated, so no list of federated domains is complete.
    gap = {(TENANT_ID, "domain.list"): f"partial {reason}"} if member == "authenticationType" else {}
    assert found.causes() == gap


async def test_a_tenant_that_is_another_is_not_taken_for_this_one() -> None:
    def other(body: dict[str, Any]) -> dict[str, Any]:
        return body | {"value": [item | {"id": "99999999-0000-4000-8000-000000000000"} for item in body["value"]]}

    found = await collect(Fault("organization.get", "every", edit=other))
    assert found.causes() == {(TENANT_ID, "organization.get"): "not_assessed bad_item"}
    found = await collect(Fault("organization.get", "every", edit=lambda body: body | {"value": []}))
    assert found.causes() == {(TENANT_ID, "organization.get"): "not_assessed inconsistent"}
    assert found.rows["tenant"] == {}


async def test_what_is_no_name_of_a_domain_leaves_the_domains_unknown() -> None:
    def spoil(body: dict[str, Any]) -> dict[str, Any]:
        body["value"][0]["id"] = "Absurd"
        return body

    found = await collect(Fault("domain.list", "every", edit=spoil))
    unknown = dict.fromkeys(("default_domain", "verified_domains", "federated_domains"), "bad_item")
    assert found.unknown("tenant", TENANT_ID) == unknown


async def test_a_tenant_without_any_domain_is_not_believed() -> None:
    found = await collect(Fault("domain.list", "every", edit=lambda body: body | {"value": []}))
    assert found.causes() == {(TENANT_ID, "domain.list"): "not_assessed inconsistent"}
    unknown = dict.fromkeys(("default_domain", "verified_domains", "federated_domains"), "inconsistent")
    assert found.unknown("tenant", TENANT_ID) == unknown


async def test_owners_that_are_cut_short_are_asked_for(whole: Collected) -> None:
    def cut(body: dict[str, Any]) -> dict[str, Any]:
        for item in body["value"]:
            item["owners"] = item["owners"][:1]
            item["owners@odata.nextLink"] = f"https://graph.microsoft.com/v1.0/applications/{item['id']}/owners?$skiptoken=x"
        return body

    found = await collect(Fault("application.owners", "every", edit=cut))
    assert found.gaps() == {}
    assert found.rows["application"] == whole.rows["application"]


async def test_owners_that_one_list_shows_and_their_own_does_not_are_unknown() -> None:
    def cut(body: dict[str, Any]) -> dict[str, Any]:
        for item in body["value"]:
            item["owners@odata.nextLink"] = f"https://graph.microsoft.com/v1.0/applications/{item['id']}/owners?$skiptoken=x"
        return body

    empty = Fault("application.owners_of", "every", edit=lambda body: body | {"value": []})
    found = await collect(Fault("application.owners", "every", edit=cut), empty)
    assert found.gaps() == {(TENANT_ID, "application.owners_of"): "partial inconsistent_pages"}
    for application in APPLICATIONS:
        row = found.rows["application"][f"{TENANT_ID}/applications/{application.id}"]
        unknown = (row.get("unknown") or {}).get("owner_ids")
        assert (row.get("owner_ids"), unknown) == ((None, "inconsistent_pages") if application.owners else ([], None))


async def test_an_object_of_which_two_lists_disagree_is_a_gap() -> None:
    found = await collect(Fault("application.federated_of", "every", edit=lambda body: body | {"value": []}))
    assert found.gaps() == {
        (TENANT_ID, "application.federated_of"): "partial inconsistent_pages",
        (TENANT_ID, "application.expressions_of"): "not_assessed parent_not_assessed",
    }


async def test_a_federated_credential_whose_id_is_none_is_not_taken_for_another() -> None:
    def alike(body: dict[str, Any]) -> dict[str, Any]:
        return body | {"value": [{**item, "id": "not-a-guid"} for item in body["value"]]}

    found = await collect(Fault("application.federated_of", "every", edit=alike))
    assert found.gaps() == {
        (TENANT_ID, "application.federated_of"): "not_assessed bad_item",
        (TENANT_ID, "application.expressions_of"): "not_assessed parent_not_assessed",
    }
    federated = {id_ for id_, row in found.rows["credential"].items() if row["kind"] == "federated"}
    assert federated
    assert not [id_ for id_ in federated if "/applications/" in id_]


def _without_the_first(body: dict[str, Any]) -> dict[str, Any]:
    return body | {"value": body["value"][1:]}


@pytest.mark.parametrize("kind", ["application", "service_principal"])
async def test_a_list_that_lost_an_object_is_not_a_whole_one(kind: str) -> None:
    found = await collect(Fault(f"{kind}.list", "every", edit=_without_the_first))
    assert found.causes() == {(TENANT_ID, f"{kind}.list"): "partial inconsistent_pages"}


async def test_an_object_that_was_deleted_between_two_lists_is_no_gap() -> None:
    gone = {"error": {"code": "Request_ResourceNotFound", "message": "no"}}
    found = await collect(
        Fault("application.list", "every", edit=_without_the_first),
        Fault("application.owners_of", "every", where=APPLICATIONS[0].id, status=404, body=gone),
        Fault("application.federated", "every", edit=lambda body: body | {"value": [], "@odata.count": 0}),
    )
    assert (TENANT_ID, "application.list") not in found.gaps()
    assert len(found.rows["application"]) == len(APPLICATIONS) - 1


async def test_whether_an_application_trusts_other_issuers_is_known_where_the_list_was_read(whole: Collected) -> None:
    rows = {one: whole.rows["application"][f"{TENANT_ID}/applications/{one.id}"] for one in APPLICATIONS}
    assert {one.id for one, row in rows.items() if row["trusts_federated"]} == {one.id for one in APPLICATIONS if one.federated}
    found = await collect(Fault("application.federated", "every", status=403))
    unknown = {found.unknown("application", row["id"]).get("trusts_federated") for row in rows.values()}
    assert len(unknown) == 1
    assert None not in unknown
