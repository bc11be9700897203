"""The plans that the product must judge as the simulated tenant is judged after they were applied."""

from tests.plan.plans import access, applications, changes, keys, services, vaults

PLANS = (*vaults.PLANS, *keys.PLANS, *access.PLANS, *services.PLANS, *applications.PLANS, *changes.PLANS)
