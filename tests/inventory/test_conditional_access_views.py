"""Conditional Access for workload identities as a set: whom, for what, at which risk and from where a policy blocks.

A policy blocks a sign-in that meets all of its conditions; without one on locations it applies in all of them, and what it
excludes it leaves free: https://learn.microsoft.com/entra/identity/conditional-access/workload-identity,
https://learn.microsoft.com/entra/identity/conditional-access/concept-assignment-network and
https://learn.microsoft.com/graph/api/resources/conditionalaccessconditionset
"""

from typing import Any

import pytest

from keyaudit.model.coverage import Coverage
from keyaudit.model.reasons import Reason
from tests.inventory.sample import TENANT, Row, assessed, refused, row
from tests.inventory.test_views import only

OWN, OTHER, THIRD, UNLISTED, GRAPH = (f"{number:08}-1111-4111-8111-111111111111" for number in range(5))
READ = assessed(TENANT, "application.list", "service_principal.list", "conditional_access.list", "named_location.list")
NO_PLACES = [*READ[:-1], refused(TENANT, "named_location.list", Reason.PERMISSION)]
NO_POLICIES = [*READ[:2], refused(TENANT, "conditional_access.list", Reason.PERMISSION)]
BAD = Reason.BAD_VALUE
EVERY = "ServicePrincipalsInMyTenant"


def policy(name: str = "p", **values: object) -> Row:
    """A policy that blocks one service principal from everywhere but one location, for all resources and at every risk."""
    found: dict[str, object] = {
        "state": "enabled",
        "blocks": True,
        "for_workloads": True,
        "included": [OWN],
        "excluded": [],
        "filtered": False,
        "target_resources": ["All"],
        "target_resources_excluded": [],
        "target_resources_filtered": False,
        "risk_levels": [],
        "locations": ["All"],
        "locations_excluded": [OTHER],
    }
    return row("conditional_access_policy", f"{TENANT.id}/ca/{name}", scope_id=TENANT.id, **{**found, **values})


def place(id_: str, everywhere: object, *, trusted: object = False) -> Row:
    values = {"location_id": id_, "everywhere": everywhere, "trusted": trusted}
    return row("named_location", f"{TENANT.id}/place/{id_}", scope_id=TENANT.id, **values)


FREE: list[tuple[object, list[Row], list[Coverage], object, object]] = [
    ([OTHER], [place(OTHER, False)], READ, [], None),
    ([OTHER], [place(OTHER, True)], READ, [OTHER], None),
    ([OTHER], [place(OTHER, False), place(THIRD, True, trusted=True)], READ, [], None),
    ([], [place(THIRD, True, trusted=True)], NO_PLACES, [], None),
    (["All"], [], NO_PLACES, [], None),
    ([OTHER, THIRD], [place(OTHER, True)], NO_PLACES, [OTHER], "permission"),
    ([OTHER], [place(OTHER, False)], NO_PLACES, [], None),
    ([OTHER], [], NO_PLACES, None, "permission"),
    # Graph lists no location of this id, so that its addresses are not known.
    ([OTHER], [place(THIRD, False)], READ, None, "inconsistent"),
    ([OTHER], [place(OTHER, BAD)], READ, None, "bad_value"),
    ([OTHER], [place(OTHER, False), place(THIRD, BAD, trusted=True)], READ, [], None),
    (BAD, [place(OTHER, True)], READ, None, "bad_value"),
    (["AllTrusted"], [place(OTHER, True), place(THIRD, False, trusted=True)], READ, [], None),
    (["AllTrusted"], [place(OTHER, True, trusted=True), place(THIRD, False, trusted=True)], READ, [OTHER], None),
    (["AllTrusted"], [place(OTHER, True, trusted=BAD)], READ, None, "bad_value"),
    (["AllTrusted"], [place(OTHER, False, trusted=BAD)], READ, [], None),
    (["AllTrusted"], [place(OTHER, False, trusted=True)], NO_PLACES, None, "permission"),
    (["AllTrusted", OTHER], [place(OTHER, True, trusted=True)], READ, [OTHER], None),
]


@pytest.mark.parametrize(("excluded", "places", "coverage", "free", "why"), FREE)
def test_a_location_with_every_address_is_everywhere(
    excluded: object, places: list[Row], coverage: list[Coverage], free: object, why: object
) -> None:
    rows = {"conditional_access_policy": [policy(locations_excluded=excluded)], "named_location": places}
    found = only("conditional_access_policy", rows, coverage)
    assert (found["free_everywhere"], found["unknown"].get("free_everywhere")) == (free, why)


EMPTY: list[Row] = []
SMALL, WHOLE = [place(OTHER, False)], [place(OTHER, True, trusted=True)]
NOWHERE: list[tuple[object, object, list[Row], list[Coverage], object]] = [
    (["All"], [OTHER], SMALL, READ, False),
    (["All"], [], SMALL, READ, False),
    (["All"], ["All"], EMPTY, NO_PLACES, True),
    (["All"], [OTHER], WHOLE, READ, True),
    (["All"], ["AllTrusted"], WHOLE, READ, True),
    (["All"], ["AllTrusted"], SMALL, READ, False),
    ([OTHER], [OTHER], SMALL, READ, True),
    (["AllTrusted"], ["AllTrusted"], EMPTY, NO_PLACES, True),
    ([OTHER, THIRD], [OTHER], SMALL, READ, False),
    ([], [], EMPTY, READ, False),
    (["All"], [OTHER], EMPTY, NO_PLACES, "permission"),
    (BAD, ["All"], EMPTY, READ, True),
    (BAD, [OTHER], SMALL, READ, "bad_value"),
]


@pytest.mark.parametrize(("included", "excluded", "places", "coverage", "nowhere"), NOWHERE)
def test_a_policy_blocks_nowhere_that_excludes_every_location_that_it_includes(
    included: object, excluded: object, places: list[Row], coverage: list[Coverage], nowhere: object
) -> None:
    rows = {
        "conditional_access_policy": [policy(locations=included, locations_excluded=excluded)],
        "named_location": places,
    }
    found = only("conditional_access_policy", rows, coverage)
    assert found["unknown"].get("blocks_nowhere", found["blocks_nowhere"]) == nowhere


LIMITED: list[tuple[dict[str, Any], object]] = [
    ({}, True),
    # For whom.
    ({"included": [OTHER]}, False),
    ({"included": [EVERY]}, True),
    ({"included": [EVERY], "excluded": [OWN]}, False),
    ({"included": [EVERY], "excluded": [OTHER]}, True),
    ({"excluded": [OWN]}, False),
    ({"included": BAD}, "bad_value"),
    ({"included": BAD, "excluded": [OWN]}, False),
    ({"excluded": BAD}, "bad_value"),
    ({"included": [OTHER], "excluded": BAD}, False),
    ({"filtered": True}, "unrecognised"),
    ({"filtered": True, "included": [OTHER]}, "unrecognised"),
    ({"filtered": True, "excluded": [OWN]}, False),
    ({"filtered": BAD}, "bad_value"),
    # Whether it is in force, and blocks.
    ({"state": "disabled"}, False),
    ({"state": "enabledForReportingButNotEnforced"}, False),
    ({"state": BAD}, "bad_value"),
    ({"for_workloads": False, "included": [], "locations": []}, False),
    ({"blocks": False}, False),
    ({"blocks": BAD}, "bad_value"),
    # For what.
    ({"target_resources": [GRAPH]}, False),
    ({"target_resources": ["None"]}, False),
    ({"target_resources_excluded": [GRAPH]}, False),
    ({"target_resources_filtered": True}, "unrecognised"),
    ({"target_resources_filtered": True, "target_resources": [GRAPH]}, False),
    ({"target_resources": BAD}, "bad_value"),
    # At which risk.
    ({"risk_levels": ["high"]}, False),
    ({"risk_levels": ["low", "medium", "high"], "locations": [], "locations_excluded": []}, False),
    ({"risk_levels": BAD}, "bad_value"),
    # From where.
    ({"locations_excluded": []}, True),
    ({"locations": [], "locations_excluded": []}, True),
    ({"locations": [THIRD], "locations_excluded": []}, False),
    ({"locations": ["AllTrusted"], "locations_excluded": []}, False),
    ({"locations_excluded": ["All"]}, False),
    ({"locations_excluded": [OTHER, THIRD]}, False),
    ({"locations_excluded": ["AllTrusted"]}, False),
    ({"locations_excluded": [UNLISTED]}, "inconsistent"),
    ({"locations": BAD}, "bad_value"),
]
PLACES = [place(OTHER, False, trusted=True), place(THIRD, True, trusted=True)]


def limited(policies: list[Row], coverage: list[Coverage] = READ, places: list[Row] = PLACES) -> object:
    """`location_limited` of the service principal, or why it is unknown."""
    principals = [
        row("service_principal", f"{TENANT.id}/serviceprincipals/{id_}", scope_id=TENANT.id, app_id=THIRD)
        for id_ in (OWN, "another")
    ]
    application = row("application", f"{TENANT.id}/applications/a", scope_id=TENANT.id, app_id=THIRD, audience="AzureADMyOrg")
    rows = {
        "service_principal": principals,
        "application": [application],
        "conditional_access_policy": policies,
        "named_location": places,
    }
    found = only("service_principal", rows, coverage)
    assert found["audience"] == "AzureADMyOrg"
    told: object = found["unknown"].get("location_limited", found["location_limited"])
    return told


@pytest.mark.parametrize(("conditions", "wanted"), LIMITED)
def test_a_policy_limits_whom_it_blocks_for_all_resources_at_every_risk_and_from_all_but_some_locations(
    conditions: dict[str, Any], wanted: object
) -> None:
    assert limited([policy(**conditions)]) == wanted


SPARES: dict[str, Any] = {"included": [EVERY], "excluded": [OWN]}


def test_of_several_policies_one_that_limits_is_enough() -> None:
    assert limited([policy(**SPARES), policy("q", included=[EVERY], excluded=[OTHER])]) is True
    assert limited([policy(**SPARES), policy("q", **SPARES)]) is False
    assert limited([policy(filtered=True), policy("q")]) is True
    assert limited([policy(risk_levels=["high"]), policy("q", target_resources=[GRAPH])]) is False


def test_what_was_not_read_is_unknown_and_nothing_else() -> None:
    assert limited([]) is False
    assert limited([policy(included=[OTHER])], NO_POLICIES) == "permission"
    assert limited([policy()], NO_POLICIES) is True
    assert limited([policy()], NO_PLACES, []) == "permission"
    assert limited([policy(locations_excluded=[])], NO_PLACES, []) is True
    assert limited([policy(risk_levels=["high"])], NO_PLACES, []) is False
