"""Of Conditional Access for workload identities: what a policy leaves free, and whether one limits a service principal."""

from typing import Any

import pytest

from keyaudit.model.coverage import Coverage
from keyaudit.model.reasons import Reason
from tests.inventory.sample import TENANT, Row, assessed, refused, row
from tests.inventory.test_views import only

OWN, OTHER, THIRD = (f"{number:08}-1111-4111-8111-111111111111" for number in range(3))
READ = assessed(TENANT, "application.list", "service_principal.list", "conditional_access.list", "named_location.list")
NO_PLACES = [*READ[:-1], refused(TENANT, "named_location.list", Reason.PERMISSION)]
NO_POLICIES = [*READ[:2], refused(TENANT, "conditional_access.list", Reason.PERMISSION)]
BAD = Reason.BAD_VALUE
EVERY = "ServicePrincipalsInMyTenant"


def policy(name: str = "p", *, included: object = (OWN,), excluded: object = (), **values: object) -> Row:
    found = {
        "state": "enabled",
        "for_workloads": True,
        "included": list(included) if isinstance(included, tuple) else included,
        "excluded": list(excluded) if isinstance(excluded, tuple) else excluded,
        "filtered": False,
        "locations": ["All"],
        "locations_excluded": [OTHER],
    }
    return row("conditional_access_policy", f"{TENANT.id}/ca/{name}", scope_id=TENANT.id, **{**found, **values})


def place(id_: str, everywhere: object) -> Row:
    return row("named_location", f"{TENANT.id}/place/{id_}", scope_id=TENANT.id, location_id=id_, everywhere=everywhere)


FREE: list[tuple[object, list[Row], list[Coverage], object, object]] = [
    ([OTHER], [place(OTHER, False)], READ, [], None),
    ([OTHER], [place(OTHER, True)], READ, [OTHER], None),
    (["All", "AllTrusted"], [place(OTHER, True)], NO_PLACES, [], None),
    ([OTHER], [place(THIRD, True)], READ, [], None),
    ([OTHER, THIRD], [place(OTHER, True)], NO_PLACES, [OTHER], "permission"),
    ([OTHER], [], NO_PLACES, None, "permission"),
    ([OTHER], [place(OTHER, BAD)], READ, None, "bad_value"),
    (BAD, [place(OTHER, True)], READ, None, "bad_value"),
]


@pytest.mark.parametrize(("excluded", "places", "coverage", "free", "why"), FREE)
def test_a_location_with_every_address_is_everywhere(
    excluded: object, places: list[Row], coverage: list[Coverage], free: object, why: object
) -> None:
    rows = {"conditional_access_policy": [policy(locations_excluded=excluded)], "named_location": places}
    found: dict[str, Any] = only("conditional_access_policy", rows, coverage)
    assert (found["free_everywhere"], found["unknown"].get("free_everywhere")) == (free, why)


LIMITED: list[tuple[list[Row], list[Coverage], object]] = [
    ([policy()], READ, True),
    ([policy(included=(OTHER,))], READ, False),
    ([policy(included=(EVERY,))], READ, True),
    ([policy(included=(EVERY,), excluded=(OWN,))], READ, False),
    ([policy(included=(EVERY,), excluded=(OTHER,))], READ, True),
    ([policy(state="disabled")], READ, False),
    ([policy(state="enabledForReportingButNotEnforced")], READ, False),
    ([policy(for_workloads=False, included=(), locations=[])], READ, False),
    ([policy(locations=[])], READ, False),
    ([], READ, False),
    # Another may include it, or one may leave it out by its attributes.
    ([policy(included=(OTHER,))], NO_POLICIES, "permission"),
    ([policy()], NO_POLICIES, True),
    ([policy(filtered=True)], READ, "unrecognised"),
    ([policy(filtered=True), policy("q")], READ, True),
    ([policy(included=(EVERY,), excluded=(OWN,)), policy("q", included=(EVERY,), excluded=(OTHER,))], READ, "unrecognised"),
    ([policy(state=BAD)], READ, "bad_value"),
    ([policy(included=BAD)], READ, "bad_value"),
]


@pytest.mark.parametrize(("policies", "coverage", "limited"), LIMITED)
def test_an_enforced_policy_with_locations_limits_those_that_it_includes(
    policies: list[Row], coverage: list[Coverage], limited: object
) -> None:
    principal = row("service_principal", f"{TENANT.id}/serviceprincipals/{OWN}", scope_id=TENANT.id, app_id=THIRD)
    application = row("application", f"{TENANT.id}/applications/a", scope_id=TENANT.id, app_id=THIRD, audience="AzureADMyOrg")
    rows = {"service_principal": [principal], "application": [application], "conditional_access_policy": policies}
    found: dict[str, Any] = only("service_principal", rows, coverage)
    assert found["unknown"].get("location_limited", found["location_limited"]) == limited
    assert found["audience"] == "AzureADMyOrg"
