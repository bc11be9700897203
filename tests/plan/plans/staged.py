"""All plans, with the tenant before and after them: worked out once by a process."""

import functools

from tests.plan.judged import Staged, staged
from tests.plan.plans import HIDDEN, PLANS


@functools.cache
def every_plan() -> Staged:
    """All plans, staged."""
    return staged((*PLANS, *HIDDEN))
