"""What an application gets by being in a group fails as if it were given plainly.

The resources are the examples in docs/resources/group.md, group_member.md, directory_role_assignment.md,
privileged_access_group_assignment_schedule.md, directory_role_member.md and administrative_unit_role_member.md of
hashicorp/terraform-provider-azuread 3.9.0.
"""

import csv
import io
import json
import re
from collections.abc import Sequence
from typing import Any

import pytest

from keyaudit.cloud.environment import ENVIRONMENTS
from keyaudit.model.errors import Exit
from keyaudit.plan.answers import Held
from keyaudit.plan.document.terraform import decode
from keyaudit.plan.run import answers_of
from tests.clock import COLLECTED
from tests.plan.small import SUBSCRIPTION, UNKNOWN, Resource, plan, references, written
from tests.plan.test_entra import application, of_application, principal
from tests.plan.test_gate import gate, keyaudit, outcomes

__all__ = ["gate", "keyaudit"]

ALICE = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
THERE = "0c0ffee0-0000-4000-8000-000000000001"
"""A group of the tenant."""
SELECTED = ("-o", "csv", "--all", "--select", "sp-can-take-over-tenant", "--select", "sp-tier0-with-secret")
SECRET = {"display_name": "x", "start_date": "2026-11-24T00:00:00Z", "end_date": "2027-02-24T00:00:00Z"}
ROLE = Resource(
    "azuread_directory_role.admins", {"display_name": "Global Administrator", "template_id": UNKNOWN, "object_id": UNKNOWN}
)
APPLICATION = (application(), principal(), of_application("password", "s", **SECRET), ROLE)
SIGNS_IN = "azuread_service_principal.example.object_id"
GROUP = "azuread_group.admins.object_id"


def group(name: str = "admins", members: Any = UNKNOWN, refers: Sequence[str] = (), **more: Any) -> Resource:
    values = {
        "display_name": name,
        "assignable_to_role": True,
        "object_id": UNKNOWN,
        "members": members,
        "dynamic_membership": [],
    }
    given = [part for each in refers for part in references(each)]
    return Resource(f"azuread_group.{name}", {**values, **more}, {"members": given} if given else None)


def role(to: str | None = GROUP, **values: Any) -> Resource:
    refers = {"role_id": "azuread_directory_role.admins.template_id"} | ({"principal_object_id": to} if to else {})
    return Resource("azuread_directory_role_assignment.admins", {"directory_scope_id": UNKNOWN, **values}, refers)


def joined(
    type_: str, group_attribute: str, member_attribute: str, to: str = GROUP, who: str = SIGNS_IN, **values: Any
) -> Resource:
    return Resource(f"azuread_{type_}.x", values, {group_attribute: to, member_attribute: who})


def member(to: str = GROUP, who: str = SIGNS_IN) -> Resource:
    return joined("group_member", "group_object_id", "member_object_id", to, who)


SCHEDULE = joined(
    "privileged_access_group_assignment_schedule", "group_id", "principal_id", assignment_type="member", duration="P30D"
)
_OF_ROLE = {"role_object_id": "azuread_directory_role.admins.object_id", "member_object_id": SIGNS_IN}


def taken(ran: Any) -> str:
    return outcomes(ran, "/servicePrincipals/").get("sp-can-take-over-tenant", "")


FAILING = {
    "plainly": (role(SIGNS_IN),),
    "members": (group(refers=[SIGNS_IN]), role()),
    "members-with-others": (group(refers=[SIGNS_IN, "data.azuread_user.alice.object_id"]), role()),
    "member": (group(), member(), role()),
    "schedule": (group(), SCHEDULE, role()),
    "nested": (group(refers=["azuread_group.inner.object_id"]), group("inner", refers=[SIGNS_IN]), role()),
    "role-member": (Resource("azuread_directory_role_member.x", {}, _OF_ROLE),),
}
PASSING = {
    # In a group without the role, and beside one with it.
    "another-group": (group(members=[ALICE]), group("readers", refers=[SIGNS_IN]), role()),
    "empty": (group(), role()),
    "dynamic": (group(dynamic_membership=[{"enabled": True, "rule": 'user.department -eq "IT"'}]), role()),
}


def apart(case: str, resources: Sequence[Resource]) -> list[Resource]:
    """An application and these resources, named so that they can be in one plan with those of other cases."""

    def named(text: str) -> str:
        return re.sub(r"(azuread_\w+\.)(\w+)", rf"\1{case}-\2", text)

    found = []
    for each in (*APPLICATION, *resources):
        refers = {to: named(by) if isinstance(by, str) else [named(one) for one in by] for to, by in each.refers.items()}
        values = {**each.values, "display_name": case} if "display_name" in each.values and each is not ROLE else each.values
        found.append(Resource(named(each.address), values, refers))
    return found


def by_case(ran: Any, policy: str) -> dict[str, str]:
    """The outcomes of a policy, by the case that a name ends with."""
    rows = csv.DictReader(io.StringIO(ran.out))
    return {
        row["resource_name"].split()[-1]: row["status"] for row in rows if row["policy_id"] == policy and row["resource_id"]
    }


def test_an_application_with_a_secret_that_gets_global_administrator_fails(gate: Any) -> None:
    ran = gate(*(each for case in FAILING.items() for each in apart(*case)), flags=SELECTED)
    assert ran.code == Exit.FINDINGS, ran.out
    for policy in ("sp-can-take-over-tenant", "sp-tier0-with-secret"):
        assert by_case(ran, policy) == dict.fromkeys(FAILING, "fail"), ran.out


def test_an_application_that_is_not_in_the_group_passes(gate: Any) -> None:
    # That they were read is shown by what their secrets alone make them fail.
    ran = gate(*(each for case in PASSING.items() for each in apart(*case)), flags=(*SELECTED, "--select", "app-secret-exists"))
    assert by_case(ran, "app-secret-exists") == dict.fromkeys(PASSING, "fail"), ran.out
    assert by_case(ran, "sp-can-take-over-tenant") == by_case(ran, "sp-tier0-with-secret") == {}
    assert ran.code == Exit.CLEAN, ran.out


@pytest.mark.parametrize(
    "resources",
    [
        (group(refers=["local.members"]), role()),
        (group(), member(who="local.member"), role()),
        (group(), member("local.group"), role()),
        (role("local.principal"),),
    ],
    ids=["members", "member", "group", "principal"],
)
def test_a_member_or_a_group_that_is_not_known_is_no_pass(gate: Any, resources: Sequence[Resource]) -> None:
    ran = gate(*APPLICATION, *resources, flags=SELECTED)
    assert ran.code == Exit.INCOMPLETE, ran.out
    assert taken(ran) == "unknown"


def test_a_group_of_the_tenant_that_the_plan_gives_a_role_and_a_member(gate: Any) -> None:
    to = Resource("azuread_group_member.x", {"group_object_id": THERE}, {"member_object_id": SIGNS_IN})
    ran = gate(*APPLICATION, to, role(None, principal_object_id=THERE), flags=SELECTED)
    assert taken(ran) == "fail", ran.out


def test_a_role_on_an_administrative_unit_is_one_on_a_part_of_the_tenant(gate: Any) -> None:
    unit = Resource("azuread_administrative_unit.x", {"display_name": "Unit", "object_id": UNKNOWN})
    refers = {**_OF_ROLE, "administrative_unit_object_id": "azuread_administrative_unit.x.object_id"}
    flags = (*SELECTED, "--export", "json=report.json")
    ran = gate(*APPLICATION, unit, Resource("azuread_administrative_unit_role_member.x", {}, refers), flags=flags)
    assert taken(ran) != "fail", ran.out


def test_an_azure_role_of_a_group_is_given_to_the_group_that_has_the_member() -> None:
    values = {"scope": f"/subscriptions/{SUBSCRIPTION}", "role_definition_name": "Owner", "principal_type": UNKNOWN}
    given = Resource("azurerm_role_assignment.x", values, {"principal_id": GROUP})
    document = plan(*APPLICATION, group(refers=[SIGNS_IN]), given)
    _, answers = answers_of(decode(written(document), "plan.json"), ENVIRONMENTS["public"], COLLECTED)
    [assignment] = _items(answers.listed("role_assignment.query", "", {}))
    who = assignment["properties"]["principalId"]
    assert assignment["properties"]["principalType"] == "Group"
    [signs_in] = _items(answers.listed("service_principal.list", "", {}))
    for operation in ("group.members", "group.direct_members"):
        held = answers.listed(operation, "", {"id": who})
        assert [each["id"] for each in _items(held)] == [signs_in["id"]]


def _items(held: Held | None) -> list[Any]:
    assert held is not None
    return [json.loads(bytes(each)) for each in held.items]
