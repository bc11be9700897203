"""Makers: each makes in Azure what a provider makes of the values of a resource."""

from collections.abc import Callable

from tests.plan.instances import Instance, Values
from tests.plan.world import World

Maker = Callable[[World, Instance, Values], Values]
"""Makes or updates an object by its values, some still unknown. Returns the values that Azure or the provider chose."""
Remover = Callable[[World, Values], None]
"""Removes an object by its values."""
