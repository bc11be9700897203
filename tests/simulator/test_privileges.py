"""What Graph shows of privileges, as it shows it: lists cut short, parameters refused, and licences asked for."""

from msgspec.structs import replace

from keyaudit.simulator.roles import READER
from keyaudit.simulator.tenant import Tenant
from tests.collect.privileged import OWN_API, POWERFUL, PRIVILEGED, USER
from tests.simulator.client import GRAPH, wire
from tests.simulator.small import SMALL, TENANT

BETA = GRAPH.replace("v1.0", "beta")
ROLES = f"{GRAPH}/roleManagement/directory"


async def test_an_expanded_list_ends_after_twenty_and_does_not_say_so() -> None:
    async with wire(PRIVILEGED) as client:
        listed = (await client.get(f"{GRAPH}/servicePrincipals?$select=id&$expand=appRoleAssignments&$top=999")).data["value"]
        single = (await client.get(f"{GRAPH}/servicePrincipals/{OWN_API.id}/appRoleAssignments")).data["value"]
    found = {item["id"]: item["appRoleAssignments"] for item in listed}
    assert (len(found[OWN_API.id]), len(single)) == (20, 25)
    assert {item["principalId"] for item in found[POWERFUL.id]} == {POWERFUL.id}


async def test_role_definitions_take_no_top() -> None:
    async with wire(PRIVILEGED) as client:
        assert (await client.get(f"{ROLES}/roleDefinitions")).status == 200
        assert (await client.get(f"{ROLES}/roleDefinitions?$top=999")).status == 400


async def test_eligible_roles_are_a_list_of_their_own() -> None:
    async with wire(PRIVILEGED) as client:
        assigned = (await client.get(f"{ROLES}/roleAssignments")).data["value"]
        eligible = (await client.get(f"{ROLES}/roleEligibilityScheduleInstances")).data["value"]
    assert USER not in {item["principalId"] for item in assigned}
    assert {item["principalId"] for item in eligible} == {USER}


async def test_consents_for_everyone_name_nobody() -> None:
    async with wire(PRIVILEGED) as client:
        found = (await client.get(f"{GRAPH}/oauth2PermissionGrants")).data["value"]
    assert {(item["consentType"], item["principalId"]) for item in found} == {("AllPrincipals", None), ("Principal", USER)}


async def test_a_tenant_without_the_licence_is_told_so() -> None:
    estate = replace(PRIVILEGED, unlicensed=("reports", "roleEligibilityScheduleInstances"))
    async with wire(estate) as client:
        report = await client.get(f"{BETA}/reports/servicePrincipalSignInActivities")
        eligible = await client.get(f"{ROLES}/roleEligibilityScheduleInstances")
        assigned = await client.get(f"{ROLES}/roleAssignments")
    assert (report.status, report.data["error"]["code"]) == (403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant")
    assert (eligible.status, eligible.data["error"]["code"]) == (400, "AadPremiumLicenseRequired")
    assert assigned.status == 200


async def test_reports_are_of_the_beta_version_alone() -> None:
    async with wire(PRIVILEGED) as client:
        assert (await client.get(f"{GRAPH}/reports/servicePrincipalSignInActivities")).status == 400
        assert (await client.get(f"{BETA}/reports/servicePrincipalSignInActivities")).status == 200


async def test_a_tenant_has_a_global_administrator_and_a_role_of_its_reader_though_its_estate_names_none() -> None:
    bare = replace(SMALL, directory_roles=(), directory_role_grants=(), users=(), role_assignments=())
    directory = Tenant(bare, lambda: bare.as_of, throttle=None, faults=(), traps=()).directory
    [administrator] = directory.estate.directory_role_grants
    assert administrator.principal_id in directory.users
    assert [role.id for role in directory.estate.directory_roles] == [administrator.role_id]
    [reads] = directory.estate.role_assignments
    assert (reads.role, reads.principal) == (READER, directory.object_id)
    # An estate's roles and applications are complete.
    named = replace(bare, directory_role_grants=(administrator,), role_assignments=(replace(reads, principal=TENANT),))
    kept = Tenant(named, lambda: bare.as_of, throttle=None, faults=(), traps=()).directory.estate
    assert (kept.directory_role_grants, kept.role_assignments) == (named.directory_role_grants, named.role_assignments)
