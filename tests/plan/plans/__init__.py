"""The plans that the product must judge as the simulated tenant is judged after they were applied."""

from tests.plan.plans import access, applications, changes, keys, linked, services, vaults

PLANS = (
    *vaults.PLANS,
    *keys.PLANS,
    *linked.PLANS,
    *access.PLANS,
    *services.PLANS,
    *applications.PLANS,
    *changes.PLANS,
)
HIDDEN = linked.HIDDEN
