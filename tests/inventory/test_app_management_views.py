"""What app management policies ask of client secrets: of new objects and of all, certain or unknown."""

from typing import Any

import pytest

from keyaudit.model.reasons import Reason
from keyaudit.model.times import DAY
from tests.inventory.sample import AS_OF, TENANT, Row, assessed, row
from tests.inventory.test_views import only

READ = assessed(TENANT, "app_management.default", "app_management.list", "app_management.applied")
BAD = Reason.BAD_VALUE
HALF_A_YEAR, SINCE = 181 * DAY, AS_OF - 400 * DAY

# Blocked and from when, the lifetime and from when; then what any object and a new one have to stay below.
LIMITS: list[tuple[object, object, object, object, object, object]] = [
    (False, None, None, None, None, None),
    (True, None, None, None, 0, 0),
    (True, None, BAD, BAD, 0, 0),
    (True, SINCE, None, None, None, 0),
    (True, SINCE, HALF_A_YEAR, None, HALF_A_YEAR, 0),
    (True, BAD, HALF_A_YEAR, None, "bad_value", 0),
    (True, SINCE, BAD, None, "bad_value", 0),
    (False, None, HALF_A_YEAR, None, HALF_A_YEAR, HALF_A_YEAR),
    (False, None, HALF_A_YEAR, SINCE, None, HALF_A_YEAR),
    (False, None, HALF_A_YEAR, BAD, "bad_value", HALF_A_YEAR),
    (False, None, BAD, None, "bad_value", "bad_value"),
    (BAD, BAD, HALF_A_YEAR, None, "bad_value", "bad_value"),
]


@pytest.mark.parametrize(("blocked", "blocked_from", "lifetime", "lifetime_from", "every", "new"), LIMITS)
def test_a_secret_has_to_live_less_than_the_strictest_restriction(
    blocked: object, blocked_from: object, lifetime: object, lifetime_from: object, every: object, new: object
) -> None:
    policy: Row = row(
        "app_management_policy",
        "p",
        scope_id=TENANT.id,
        kind="default",
        applies_to="applications",
        password_blocked=blocked,
        password_blocked_from=blocked_from,
        password_lifetime=lifetime,
        password_lifetime_from=lifetime_from,
    )
    found: dict[str, Any] = only("app_management_policy", {"app_management_policy": [policy]}, READ)
    said = [found["unknown"].get(name, found[name]) for name in ("secret_limit", "new_secret_limit")]
    assert said == [every, new]
