"""A tenant has the findings that are expected of each plan, once the plans were applied to it."""

import pytest

from tests.plan.conftest import Tenant
from tests.plan.judged import about
from tests.plan.plans import HIDDEN, PLANS
from tests.plan.plans.described import Plan

pytestmark = pytest.mark.exhaustive


@pytest.mark.parametrize("plan", [*PLANS, *HIDDEN], ids=lambda plan: plan.name)
def test_the_tenant_after_a_plan_has_the_findings_that_are_expected(plan: Plan, tenant: Tenant) -> None:
    made = next(each for each in tenant.staged.plans if each.plan.name == plan.name)
    found = about(made, tenant.findings)
    assert {(each["policy"], each["resource"]) for each in found if each["outcome"] == "fail"} == plan.fails
    assert not [each for each in found if each["outcome"] == "unknown"]


def test_every_finding_is_about_an_object_of_one_plan(tenant: Tenant) -> None:
    """So no plan's expectation is met by another's object."""
    of_plans = [str(each["id"]) for made in tenant.staged.plans for each in about(made, tenant.findings)]
    assert len(of_plans) == len(set(of_plans))
    rest = {each["policy"] for each in tenant.findings if str(each["id"]) not in of_plans}
    # The tenant limits nobody's credentials: see `judged.base`.
    assert rest == {"app-management-policy-off", "app-management-uris-open"}
