"""What applications and service principals may do, and when they last did it: rows as they are, and every gap said so."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.cloud.environment import ENVIRONMENTS
from keyaudit.model.coverage import State
from keyaudit.simulator.faults import Fault
from tests.collect.estate import AS_OF, DAY, SUBSCRIPTION, TENANT_ID
from tests.collect.privileged import (
    APPLICATION,
    CLIENT,
    CUSTOM,
    GLOBAL,
    GRAPH,
    IDENTITY,
    LACKING,
    LOST_ROLE,
    MAIL,
    OWN_API,
    OWN_ROLE,
    POWERFUL,
    PRIVILEGED,
    READER,
    UNIT,
    USER,
)
from tests.collect.refusals import CODE, REASONS, ends_refused, never_wrong, refused
from tests.collect.rig import Collected, collect
from tests.matrices import first_of, some_with_each

READS = (
    "applications",
    "service principals",
    "directory roles",
    "delegated permissions",
    "sign-in activity",
    "credential activity",
    "managed identities",
    "issuer keys",
    "principals",
)

PRINCIPALS = f"{TENANT_ID}/serviceprincipals"
IDENTITY_ID = (
    f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg-main/providers/microsoft.managedidentity/userassignedidentities/id-pod"
)


@pytest.fixture(scope="module")
def privileged() -> Collected:
    return asyncio.run(collect(estate=PRIVILEGED))


def unknown(row: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = row.get("unknown", {})
    return found


def of_kind(found: Collected, kind: str, principal: str) -> list[dict[str, Any]]:
    rows = [row for row in found.rows["grant"].values() if (row["kind"], row["principal_id"]) == (kind, principal)]
    return sorted(rows, key=lambda row: str(row["id"]))


async def test_nothing_is_missing_or_unknown(privileged: Collected) -> None:
    assert privileged.gaps() == {}
    assert privileged.failures == []
    rows = [row for rows in privileged.rows.values() for row in rows.values()]
    assert {name for row in rows for name in row.get("unknown", ())} == set()
    kinds = [row["kind"] for row in privileged.rows["grant"].values()]
    assert {kind: kinds.count(kind) for kind in kinds} == {"app-role": 29, "delegated": 3, "directory-role": 4}


async def test_app_roles_have_the_names_that_their_api_publishes(privileged: Collected) -> None:
    assigns, mail = of_kind(privileged, "app-role", POWERFUL.id)
    assert (assigns["name"], assigns.get("tier")) == ("RoleManagement.ReadWrite.Directory", 0)
    assert mail == {
        "id": f"{PRINCIPALS}/{POWERFUL.id}/approleassignments/{GRAPH.id}/{MAIL}",
        "resource_id": f"{TENANT_ID}/servicePrincipals/{POWERFUL.id}/appRoleAssignments/{GRAPH.id}/{MAIL}",
        "scope_id": TENANT_ID,
        "source_url": "https://graph.microsoft.com/v1.0/servicePrincipals",
        "source_version": "v1.0",
        "name": "Mail.ReadWrite",
        "kind": "app-role",
        "principal_id": POWERFUL.id,
        "principal_type": "service-principal",
        "scope": f"{PRINCIPALS}/{GRAPH.id}",
        "scope_kind": "api",
        "role_id": MAIL,
        "custom": False,
        "wildcard": False,
        "allows": [],
        "denied": [],
        "standing": True,
        "created_on": AS_OF - 10 * DAY,
        "api": "Microsoft Graph",
        "api_id": GRAPH.app_id,
        "tier": 1,
    }
    approve, lost = of_kind(privileged, "app-role", IDENTITY.id)
    assert (approve["name"], approve["api"], approve.get("role_id"), approve.get("tier")) == (
        "Orders.Approve",
        "orders",
        OWN_ROLE,
        None,
    )
    # The API does not publish that one any more.
    assert (lost.get("name"), lost.get("role_id"), lost.get("tier")) == (None, LOST_ROLE, None)


@pytest.mark.parametrize("types", [["Absurd"], ["APPLICATION"], []])
async def test_an_app_role_keeps_its_name_whatever_else_its_api_calls_those_that_may_have_it(types: list[str]) -> None:
    def edit(body: dict[str, Any]) -> dict[str, Any]:
        for role in (role for principal in body["value"] for role in principal["appRoles"]):
            role["allowedMemberTypes"] = types
        return body

    found = await collect(Fault("service_principal.list", "every", edit=edit), estate=PRIVILEGED)
    assert [row["name"] for row in of_kind(found, "app-role", POWERFUL.id)] == [
        "RoleManagement.ReadWrite.Directory",
        "Mail.ReadWrite",
    ]


async def test_a_principal_with_as_many_app_roles_as_a_list_shows_is_asked_about_by_itself(privileged: Collected) -> None:
    assert len(of_kind(privileged, "app-role", OWN_API.id)) == 25
    assert privileged.calls["service_principal.app_roles_of"] == 1
    assert privileged.calls["service_principal.app_roles"] == 1


async def test_an_api_assigned_without_a_role_permits_nothing(privileged: Collected) -> None:
    assert of_kind(privileged, "app-role", LACKING.id) == []
    assert privileged.rows["service_principal"][f"{PRINCIPALS}/{LACKING.id}"]["app_roles_listed"] is True


async def test_consents_are_told_apart_by_permission_and_by_whom_they_hold_for(privileged: Collected) -> None:
    found = of_kind(privileged, "delegated", POWERFUL.id)
    told = {(row["name"], row["on_behalf_of"], row["api"], row["api_id"]) for row in found}
    api = ("Microsoft Graph", GRAPH.app_id)
    assert told == {("User.Read", "everyone", *api), ("Mail.Read", "everyone", *api), ("User.Read", USER, *api)}
    assert {(row["scope"], row["scope_kind"], row.get("role_id"), row.get("tier")) for row in found} == {
        (f"{PRINCIPALS}/{GRAPH.id}", "api", None, None)
    }


async def test_directory_roles_hold_for_the_tenant_a_unit_or_one_object(privileged: Collected) -> None:
    [whole] = of_kind(privileged, "directory-role", POWERFUL.id)
    assert (whole["name"], whole.get("role_id"), whole.get("tier"), whole.get("custom")) == (
        "Global Administrator",
        GLOBAL,
        0,
        False,
    )
    assert (whole["scope"], whole["scope_kind"], whole["standing"]) == (TENANT_ID, "tenant", True)
    unit, single = sorted(of_kind(privileged, "directory-role", OWN_API.id), key=lambda row: str(row["scope_kind"]))
    assert (unit["name"], unit.get("role_id"), unit.get("tier")) == ("Directory Readers", READER, None)
    assert (unit["scope"], unit["scope_kind"]) == (f"{TENANT_ID}/administrativeunits/{UNIT}", "administrative-unit")
    assert (single["scope"], single["scope_kind"]) == (f"{TENANT_ID}/directoryobjects/{APPLICATION.id}", "directory-object")
    # A role of the tenant's own is ranked by what it allows.
    assert (single.get("role_id"), single.get("custom"), single.get("tier")) == (CUSTOM, True, 0)
    [eligible] = of_kind(privileged, "directory-role", USER)
    assert (eligible["standing"], eligible["created_on"], eligible.get("expires_on")) == (False, AS_OF - DAY, AS_OF + DAY)


async def test_settings_of_applications_and_service_principals(privileged: Collected) -> None:
    row = privileged.rows["application"][f"{TENANT_ID}/applications/{APPLICATION.id}"]
    assert (row["instance_lock"], row["instance_locks"]) == (True, ["sign", "verify"])
    assert (row["created_by_app"], row["verified_publisher"]) == (CLIENT.format(9), "Fabrikam")
    assert row["preauthorized_apps"] == [CLIENT.format(7), CLIENT.format(8)]
    assert (row["exposed_scopes"], row["exposed_roles"]) == (["Orders.Read"], ["Orders.Approve"])
    assert (row.get("access_token_version"), row["accepts_mapped_claims"], row["public_client"]) == (None, True, True)
    rows = privileged.rows["service_principal"]
    assert rows[f"{PRINCIPALS}/{IDENTITY.id}"]["arm_id"] == IDENTITY_ID
    assert rows[f"{PRINCIPALS}/{POWERFUL.id}"]["app_tags"] == ["HideApp"]
    assert rows[f"{PRINCIPALS}/{POWERFUL.id}"]["created_by_app"] == CLIENT.format(9)
    assert rows[f"{PRINCIPALS}/{OWN_API.id}"]["assignment_required"] is True
    assert rows[f"{PRINCIPALS}/{LACKING.id}"]["verified_publisher"] == "Fabrikam"


async def test_expressions_are_asked_for_where_a_subject_is_missing(privileged: Collected) -> None:
    base = f"{TENANT_ID}/applications/{APPLICATION.id}/credentials"
    expression = privileged.rows["credential"][f"{base}/f0000000-0000-4000-8000-000000000103"]
    assert (expression.get("subject"), expression.get("claims_expression")) == (None, "claims['sub'] matches 'repo:o/*'")
    assert privileged.rows["credential"][f"{base}/f0000000-0000-4000-8000-000000000102"].get("claims_expression") is None
    assert privileged.calls["application.expressions_of"] == 1
    assert "service_principal.expressions_of" not in privileged.calls


@pytest.mark.parametrize("reason", ["permission", "vanished", "bad_body"])
async def test_an_expression_that_was_refused_is_unknown(privileged: Collected, reason: str) -> None:
    found = await ends_refused(privileged, "application.expressions_of", reason, estate=PRIVILEGED, single=True)
    id_ = f"{TENANT_ID}/applications/{APPLICATION.id}/credentials/f0000000-0000-4000-8000-000000000103"
    assert found.unknown("credential", id_) == dict.fromkeys(("claims_expression", "subject_breadth", "subject_grade"), reason)
    assert found.rows["credential"].keys() == privileged.rows["credential"].keys()


async def test_last_uses(privileged: Collected) -> None:
    rows = {row["app_id"]: row for row in privileged.rows["sign_in_activity"].values()}
    assert set(rows) == {POWERFUL.app_id, OWN_API.app_id}
    powerful, api = rows[POWERFUL.app_id], rows[OWN_API.app_id]
    moments = ("last_sign_in_on", "last_delegated_on", "last_app_only_on", "last_client_sign_in_on")
    assert [powerful.get(name) for name in moments] == [AS_OF - days * DAY for days in (1, 9, 5, 5)]
    assert [api.get(name) for name in moments] == [AS_OF - 2 * DAY, None, None, None]
    uses = privileged.rows["credential_activity"].values()
    assert {(row["used_for"], row["last_used_on"]) for row in uses} == {
        (GRAPH.app_id, AS_OF - 7 * DAY),
        (OWN_API.app_id, AS_OF - 3 * DAY),
    }
    assert {(row["kind"], row["holder_kind"]) for row in uses} == {("password", "application")}


@pytest.mark.parametrize(
    "changed",
    [{"keyType": "secret"}, {"expirationDateTime": None}, {"keyType": "Certificate", "credentialOrigin": "servicePrincipal"}],
)
async def test_both_spellings_of_the_credential_report_are_understood(changed: dict[str, object]) -> None:
    def sample(body: dict[str, Any]) -> dict[str, Any]:
        items = [item | changed | {"expirationDate": "2027-01-01T00:00:00Z"} for item in body["value"]]
        for item in items:
            if "expirationDateTime" not in changed:
                del item["expirationDateTime"]
        return body | {"value": items}

    found = await collect(Fault("credential_activity.list", "every", edit=sample), estate=PRIVILEGED)
    for row in found.rows["credential_activity"].values():
        assert unknown(row) == {}
        assert row["kind"] == ("certificate" if "credentialOrigin" in changed else "password")
        assert (row.get("expires_on") is None) == ("expirationDateTime" in changed)


async def test_an_identitys_federated_credentials_are_counted_once(privileged: Collected) -> None:
    rows = {id_: row for id_, row in privileged.rows["credential"].items() if row["holder_type"] == "ManagedIdentity"}
    names = ("pod", "second", "third")
    first, second, third = (f"{PRINCIPALS}/{IDENTITY.id}/federatedidentitycredentials/{name}" for name in names)
    assert set(rows) == {first, second, third}
    assert (rows[second]["holder_kind"], rows[second]["holder_id"]) == ("managed_identity", IDENTITY_ID)
    assert (rows[second]["holder_name"], rows[second]["app_id"]) == ("id-Pod", IDENTITY.app_id)
    assert (rows[second]["issuer"], rows[second].get("subject"), rows[second].get("claims_expression")) == (
        "https://i",
        "t",
        None,
    )
    assert (rows[third]["subject_grade"], rows[third]["subject_breadth"]) == ("immutable", "any-ref")
    assert unknown(rows[third]) == {}
    # The version without expressions is not asked for then.
    assert "managed_identity.federated_of" not in privileged.calls


EXPRESSIONS = "managed_identity.expressions_of"
LIMITS_UNSAID = {(TENANT_ID, "managed_identity.list"): "not_assessed not_in_cloud"}
"""Where the preview is refused, Azure does not say what limits an identity; that gates nothing."""
REFUSED_PREVIEW = {"claims_expression", "subject_grade", "subject_breadth", *(f"repository_{each}" for each in
    ("host", "owner", "owner_id", "path", "id"))}  # fmt: skip


@pytest.mark.parametrize("reason", first_of(REASONS))
async def test_where_the_preview_is_refused_the_stable_version_lists_them_and_only_expressions_are_unknown(
    privileged: Collected, reason: str
) -> None:
    found = await collect(refused(EXPRESSIONS, reason), estate=PRIVILEGED)
    never_wrong(privileged, found)
    rows = {id_: row for id_, row in found.rows["credential"].items() if row["holder_type"] == "ManagedIdentity"}
    assert rows.keys() == {id_ for id_, row in privileged.rows["credential"].items() if row["holder_type"] == "ManagedIdentity"}
    third = rows[f"{PRINCIPALS}/{IDENTITY.id}/federatedidentitycredentials/third"]
    assert unknown(third) == dict.fromkeys(REFUSED_PREVIEW, reason)
    assert not any(unknown(row) for id_, row in rows.items() if row is not third)
    assert found.gaps() == {(TENANT_ID, EXPRESSIONS): f"not_assessed {reason}"}


async def test_a_refused_preview_is_no_gap_where_every_credential_has_a_subject() -> None:
    [identity] = PRIVILEGED.identities
    plain = replace(identity, federated=tuple(one for one in identity.federated if one.subject), stable_only=True)
    found = await collect(estate=replace(PRIVILEGED, identities=(plain,)))
    assert found.gaps() == LIMITS_UNSAID
    assert found.calls[EXPRESSIONS] == 1
    assert {row["name"] for row in found.rows["credential"].values() if row["holder_kind"] == "managed_identity"} == {"Second"}


async def test_a_list_that_lacks_what_graph_has_is_no_whole_list() -> None:
    found = await collect(Fault(EXPRESSIONS, "every", edit=lambda body: body | {"value": []}), estate=PRIVILEGED)
    assert found.gaps() == {(TENANT_ID, "managed_identity.federated_of"): "not_assessed inconsistent"}


async def test_a_credential_that_graph_does_not_name_is_counted_once_where_arm_names_it(privileged: Collected) -> None:
    def spoil(body: dict[str, Any]) -> dict[str, Any]:
        return body | {"value": [item | {"name": None} for item in body["value"]]}

    found = await collect(Fault("service_principal.federated_of", "every", edit=spoil), estate=PRIVILEGED)
    assert found.gaps()[TENANT_ID, "service_principal.federated_of"] == "not_assessed bad_item"
    assert found.rows["credential"].keys() == privileged.rows["credential"].keys()


def _empty(body: dict[str, Any]) -> dict[str, Any]:
    return body | {"data": [], "count": 0, "totalRecords": 0}


async def test_a_list_that_lacks_an_identity_which_a_service_principal_names_is_not_whole() -> None:
    found = await collect(Fault("managed_identity.query", "every", edit=_empty), estate=PRIVILEGED)
    assert found.gaps()[TENANT_ID, "managed_identity.query"] == "partial inconsistent"


async def test_a_region_without_the_preview_leaves_the_identities_of_others_known() -> None:
    [identity] = PRIVILEGED.identities
    other = replace(identity, name="id-other", principal_id="00000007-0000-4000-8000-000000000000", stable_only=True)
    found = await collect(estate=replace(PRIVILEGED, identities=(identity, other)))
    assert found.gaps() == {(TENANT_ID, EXPRESSIONS): "partial api_retired", **LIMITS_UNSAID}
    lacking = {row["id"] for row in found.rows["credential"].values() if "claims_expression" in unknown(row)}
    assert lacking == {f"{PRINCIPALS}/{other.principal_id}/federatedidentitycredentials/third"}


async def test_arm_shows_an_identitys_federated_credentials_where_graph_is_refused() -> None:
    found = await collect(refused("service_principal.federated", "permission"), estate=PRIVILEGED)
    theirs = {id_: row for id_, row in found.rows["credential"].items() if row["holder_kind"] == "managed_identity"}
    assert {row["name"] for row in theirs.values()} == {"Pod", "Second", "Third"}
    # As Graph's would be, so that a baseline or waiver that names one still does.
    assert f"{PRINCIPALS}/{IDENTITY.id}/federatedidentitycredentials/pod" in theirs


@pytest.mark.parametrize("principal", [None, "not-a-guid"])
async def test_an_identity_that_does_not_say_who_it_is_gives_no_credential_a_second_time(principal: str | None) -> None:
    def spoil(body: dict[str, Any]) -> dict[str, Any]:
        for item in body["data"]:
            item["properties"]["principalId"] = principal
        return body

    found = await collect(Fault("managed_identity.query", "every", edit=spoil), estate=PRIVILEGED)
    theirs = [row for row in found.rows["credential"].values() if row["holder_kind"] == "managed_identity"]
    assert {row["name"] for row in theirs} == {"Second", "Third"}
    assert found.gaps() == {(TENANT_ID, "managed_identity.federated_of"): "not_assessed bad_value"}


OPERATIONS = {
    "service_principal.app_roles": ("service_principal.app_roles_of",),
    "service_principal.app_roles_of": (),
    "delegated_grant.list": (),
    "directory_role.definitions": (),
    "directory_role.assignments": (),
    "directory_role.eligibilities": (),
    "sign_in_activity.list": (),
    "credential_activity.list": (),
    "managed_identity.query": tuple(
        f"managed_identity.{each}" for each in ("federated_of", "expressions_of", "list", "list_stable")
    ),
}


@pytest.mark.parametrize(("operation", "reason"), some_with_each(OPERATIONS, REASONS))
async def test_an_operation_refused_to_the_end(privileged: Collected, operation: str, reason: str) -> None:
    single = operation.endswith("_of")
    children = OPERATIONS[operation]
    await ends_refused(privileged, operation, reason, estate=PRIVILEGED, children=children, single=single)


async def test_app_roles_that_were_refused_are_unknown_and_never_none() -> None:
    found = await collect(refused("service_principal.app_roles", "permission"), estate=PRIVILEGED)
    assert {unknown(row).get("app_roles_listed") for row in found.rows["service_principal"].values()} == {"permission"}
    found = await collect(refused("service_principal.app_roles_of", "throttled"), estate=PRIVILEGED)
    left = {id_: unknown(row) for id_, row in found.rows["service_principal"].items() if unknown(row)}
    assert left == {f"{PRINCIPALS}/{OWN_API.id}": {"app_roles_listed": "throttled"}}


async def test_without_the_list_of_principals_a_grant_keeps_its_ids(privileged: Collected) -> None:
    found = await collect(refused("service_principal.list", "permission"), estate=PRIVILEGED)
    never_wrong(privileged, found)
    assert found.rows["grant"].keys() == privileged.rows["grant"].keys()
    for row in found.rows["grant"].values():
        if row["kind"] == "app-role":
            assert unknown(row) == dict.fromkeys(("name", "api", "api_id", "tier"), "permission")
        elif row["kind"] == "delegated":
            assert unknown(row) == dict.fromkeys(("api", "api_id"), "permission")


@pytest.mark.parametrize(
    ("permission", "adds"),
    [
        ({"allowedResourceActions": ["microsoft.directory/agentIdentityBlueprints/credentials/update"]}, True),
        ({"allowedResourceActions": ["microsoft.directory/agentIdentityBlueprints/allProperties/allTasks"]}, True),
        ({"allowedResourceActions": ["microsoft.directory/agentIdentityBlueprints/basic/update"]}, False),
        ({"allowedResourceActions": ["microsoft.directory/applications/credentials/update"]}, False),
        (
            {
                "allowedResourceActions": ["microsoft.directory/agentIdentityBlueprints/credentials/update"],
                "condition": "$SubjectIsOwner",
            },
            False,
        ),
    ],
)
@pytest.mark.parametrize("role_id", [CUSTOM, READER])
async def test_a_role_adds_credentials_to_blueprints_by_the_actions_of_its_definition(
    permission: dict[str, object], adds: bool, role_id: str
) -> None:
    def edit(body: dict[str, Any]) -> dict[str, Any]:
        roles = [item | {"rolePermissions": [permission]} if item["id"] == role_id else item for item in body["value"]]
        return body | {"value": roles}

    found = await collect(Fault("directory_role.definitions", "every", edit=edit), estate=PRIVILEGED)
    [row] = [row for row in found.rows["grant"].values() if row.get("role_id") == role_id]
    assert row["agent_credentials"] is adds


async def test_a_role_whose_actions_cannot_be_read_may_add_credentials() -> None:
    def edit(body: dict[str, Any]) -> dict[str, Any]:
        return body | {"value": [item | {"rolePermissions": None} for item in body["value"]]}

    found = await collect(Fault("directory_role.definitions", "every", edit=edit), estate=PRIVILEGED)
    for row in found.rows["grant"].values():
        assert ("agent_credentials" in unknown(row)) == (row["kind"] == "directory-role")


async def test_without_the_role_definitions_a_directory_role_keeps_its_id() -> None:
    found = await collect(refused("directory_role.definitions", "permission"), estate=PRIVILEGED)
    rows = [row for row in found.rows["grant"].values() if row["kind"] == "directory-role"]
    assert len(rows) == 4
    assert {row.get("role_id") for row in rows} == {GLOBAL, READER, CUSTOM}
    assert all(unknown(row) == dict.fromkeys(("name", "custom", "tier", "agent_credentials"), "permission") for row in rows)


@pytest.mark.parametrize(
    ("relation", "operations"),
    [
        ("reports", ("sign_in_activity.list", "credential_activity.list")),
        ("roleEligibilityScheduleInstances", ("directory_role.eligibilities",)),
    ],
)
async def test_what_the_tenant_has_no_licence_for_is_said_so(relation: str, operations: tuple[str, ...]) -> None:
    found = await collect(estate=replace(PRIVILEGED, unlicensed=(relation,)))
    assert found.gaps() == {(TENANT_ID, operation): "not_assessed not_licensed" for operation in operations}


async def test_what_another_cloud_lacks_is_not_asked_for_there(privileged: Collected) -> None:
    # A cloud by another name, at the simulated tenant's addresses.
    found = await collect(estate=PRIVILEGED, environment=replace(ENVIRONMENTS["public"], name="usgov"))
    lacking = ("sign_in_activity.list", "credential_activity.list", "login.consumers_keys")
    assert found.gaps() == {(TENANT_ID, operation): "not_assessed not_in_cloud" for operation in lacking}
    assert not found.calls.keys() & set(lacking)
    columns = ("verified_publisher", "created_by_app")
    for table, also in (("application", ("azure_hosts",)), ("service_principal", ())):
        missing = dict.fromkeys((*columns, *also), "not_in_cloud")
        assert all(unknown(row) == missing for row in found.rows[table].values())
    assert found.rows["grant"].keys() == privileged.rows["grant"].keys()


def _add(*items: object) -> Any:
    return lambda body: body | {"value": [*body["value"], *items]}


@pytest.mark.parametrize(
    ("operation", "item"),
    [
        ("delegated_grant.list", {"id": "x", "clientId": "../me", "resourceId": GRAPH.id, "scope": "a"}),
        ("delegated_grant.list", {"id": "x", "clientId": POWERFUL.id, "resourceId": GRAPH.id, "scope": None}),
        ("directory_role.assignments", {"id": "x", "principalId": None, "roleDefinitionId": GLOBAL}),
        ("directory_role.assignments", {"id": "x", "principalId": "root", "roleDefinitionId": GLOBAL}),
        ("directory_role.definitions", {"id": 4}),
        ("sign_in_activity.list", {"appId": "not-an-id"}),
        ("credential_activity.list", {"appId": POWERFUL.app_id, "keyId": None}),
        ("service_principal.app_roles", {"id": "not-an-id", "appRoleAssignments": []}),
        ("service_principal.app_roles_of", {"appRoleId": MAIL, "principalId": POWERFUL.id, "resourceId": GRAPH.id}),
    ],
)
async def test_an_item_that_cannot_be_read_is_quarantined(privileged: Collected, operation: str, item: object) -> None:
    found = await collect(Fault(operation, "every", edit=_add(item)), estate=PRIVILEGED)
    # The last one is granted to somebody else.
    reason = "inconsistent" if operation == "service_principal.app_roles_of" else "bad_item"
    assert found.gaps()[TENANT_ID, operation] == f"partial {reason}"
    assert found.coverage[TENANT_ID, operation].quarantined == 1
    never_wrong(privileged, found)


@pytest.mark.parametrize(
    "bad", [None, {"appRoleId": MAIL}, {"appRoleId": MAIL, "principalId": LACKING.id, "resourceId": GRAPH.id}, 7]
)
async def test_an_expanded_app_role_that_cannot_be_read_leaves_the_others(privileged: Collected, bad: object) -> None:
    def spoil(body: dict[str, Any]) -> dict[str, Any]:
        for item in body["value"]:
            if item["id"] == POWERFUL.id:
                item["appRoleAssignments"].insert(0, bad)
        return body

    found = await collect(Fault("service_principal.app_roles", "every", edit=spoil), estate=PRIVILEGED)
    assert found.gaps()[TENANT_ID, "service_principal.app_roles"] == "partial bad_item"
    assert found.rows["grant"].keys() == privileged.rows["grant"].keys()
    left = {id_: unknown(row) for id_, row in found.rows["service_principal"].items() if unknown(row)}
    assert left == {f"{PRINCIPALS}/{POWERFUL.id}": {"app_roles_listed": "bad_item"}}


async def test_a_principal_that_one_list_lacks_has_unknown_app_roles() -> None:
    def shorten(body: dict[str, Any]) -> dict[str, Any]:
        return body | {"value": [item for item in body["value"] if item["id"] != POWERFUL.id]}

    found = await collect(Fault("service_principal.app_roles", "every", edit=shorten), estate=PRIVILEGED)
    assert found.unknown("service_principal", f"{PRINCIPALS}/{POWERFUL.id}") == {"app_roles_listed": "inconsistent_pages"}


@pytest.mark.parametrize(
    ("scope", "reason"),
    [(None, "unrecognised"), ("/somewhere", "unrecognised"), (5, "bad_value"), (..., "bad_body")],
    ids=["null", "neither unit nor object", "number", "left out"],
)
async def test_a_scope_that_says_nothing_is_unknown(scope: object, reason: str) -> None:
    def spoil(body: dict[str, Any]) -> dict[str, Any]:
        for item in body["value"]:
            item["directoryScopeId"] = scope
            if scope is ...:
                del item["directoryScopeId"]
        return body

    found = await collect(Fault("directory_role.assignments", "every", edit=spoil), estate=PRIVILEGED)
    rows = [row for row in found.rows["grant"].values() if row["kind"] == "directory-role" and row["standing"]]
    assert len(rows) == 3
    assert all(unknown(row) == {"scope": reason, "scope_kind": reason} for row in rows)


async def test_a_report_that_names_an_odd_time_leaves_it_unknown() -> None:
    def spoil(body: dict[str, Any]) -> dict[str, Any]:
        for item in body["value"]:
            item["delegatedClientSignInActivity"] = {"lastSignInDateTime": "2021-01-01T00:00:00-8:00"}
        return body

    found = await collect(Fault("sign_in_activity.list", "every", edit=spoil), estate=PRIVILEGED)
    for row in found.rows["sign_in_activity"].values():
        assert unknown(row) == {"last_delegated_on": "bad_value", "last_client_sign_in_on": "bad_value"}
        assert row["last_sign_in_on"] is not None


async def test_a_credential_of_which_the_report_does_not_say_when_it_was_used_is_not_one_that_was_never_used() -> None:
    def spoil(body: dict[str, Any]) -> dict[str, Any]:
        for item in body["value"]:
            item["signInActivity"] = None
        return body

    found = await collect(Fault("credential_activity.list", "every", edit=spoil), estate=PRIVILEGED)
    rows = found.rows["credential_activity"].values()
    assert rows
    assert all(unknown(row)["last_used_on"] == "bad_value" for row in rows)


async def test_a_400_of_another_kind_is_no_missing_licence() -> None:
    found = await collect(Fault("directory_role.eligibilities", "every", status=400, body=CODE), estate=PRIVILEGED)
    record = found.coverage[TENANT_ID, "directory_role.eligibilities"]
    assert (record.state, record.reason) == (State.NOT_ASSESSED, "unrecognised")
