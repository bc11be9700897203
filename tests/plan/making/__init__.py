"""What each provider makes in Azure of the values of a resource."""

from collections.abc import Callable

from tests.plan.instances import Instance, Values
from tests.plan.world import World

Maker = Callable[[World, Instance, Values], Values]
"""Makes or updates an object by its values, of which some are unknown, and returns those that Azure or the provider chose."""
Remover = Callable[[World, Values], None]
"""Removes an object by its values."""
