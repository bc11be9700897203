"""The limits of app management policies for new objects and for objects of any age, certain or unknown.

What a custom policy defines takes precedence, and what it does not define falls back to the default policy:
https://learn.microsoft.com/graph/api/resources/applicationauthenticationmethodpolicy
"""

from typing import Any

import pytest

from keyaudit.model.reasons import Reason
from keyaudit.model.values.times import DAY
from tests.inventory.sample import AS_OF, TENANT, Row, assessed, refused, row
from tests.inventory.test_holder_views import custom, default
from tests.inventory.test_views import derive, only

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
    found = only("app_management_policy", {"app_management_policy": [policy]}, READ)
    said = [found["unknown"].get(name, found[name]) for name in ("secret_limit", "new_secret_limit")]
    assert said == [every, new]


APPLICATIONS, PRINCIPALS = ["applications"], ["service-principals"]
BOTH = [*APPLICATIONS, *PRINCIPALS]
LIMITED = default(
    password_lifetime=HALF_A_YEAR,
    certificate_lifetime=366 * DAY,
    certificate_lifetime_from=SINCE,
    custom_password_blocked=True,
    unique_uris_only=True,
)
OPEN = default("service-principals", uri_addition_blocked=None, unique_uris_only=None)
SECRETS = ["password_blocked", "password_lifetime"]
EVERYTHING = [*SECRETS, "certificate_lifetime", "custom_password_blocked", "unique_uris_only", "uri_addition_blocked"]
OF_LIMITED: dict[str, object] = {
    "secret_limit": HALF_A_YEAR,
    "new_secret_limit": HALF_A_YEAR,
    "certificate_limit": None,
    "new_certificate_limit": 366 * DAY,
    "custom_secrets_blocked": True,
    "new_custom_secrets_blocked": True,
    "uris_restricted": True,
    "new_uris_restricted": True,
}
NOTHING: dict[str, object] = {name: None if "limit" in name else False for name in OF_LIMITED}


def in_effect(policies: list[Row], *, which: str, unread: Reason | None = None) -> dict[str, object]:
    """What holds for the objects of a policy: values, or the reasons why they are unknown."""
    coverage = [refused(TENANT, "app_management.default", unread), *READ[1:]] if unread else READ
    found: dict[str, Any] = derive("app_management_policy", {"app_management_policy": policies}, coverage)
    (made,) = (each for id_, each in found.items() if which in id_)
    return {name: made["unknown"].get(name, made[name]) for name in OF_LIMITED}


FALLBACKS: list[tuple[dict[str, Any], dict[str, object]]] = [
    ({"left_to_default": EVERYTHING}, OF_LIMITED),
    # All are defined as disabled: it frees its objects.
    ({}, NOTHING),
    ({"left_to_default": SECRETS}, NOTHING | {"secret_limit": HALF_A_YEAR, "new_secret_limit": HALF_A_YEAR}),
    (
        {"left_to_default": ["password_lifetime"], "password_blocked": True},
        NOTHING | {"secret_limit": 0, "new_secret_limit": 0},
    ),
    (
        {"left_to_default": ["certificate_lifetime"], "password_lifetime": DAY},
        NOTHING | {"secret_limit": DAY, "new_secret_limit": DAY, "new_certificate_limit": 366 * DAY},
    ),
    ({"left_to_default": ["unique_uris_only"]}, NOTHING | {"uris_restricted": True, "new_uris_restricted": True}),
    (
        {"uri_addition_blocked": True, "uri_addition_blocked_from": SINCE},
        NOTHING | {"new_uris_restricted": True},
    ),
    (
        {"custom_password_blocked": True, "custom_password_blocked_from": BAD},
        NOTHING | {"custom_secrets_blocked": "bad_value", "new_custom_secrets_blocked": True},
    ),
    # Of applications and service principals, the weaker limit holds for all that it is assigned to.
    ({"left_to_default": EVERYTHING, "assigned_kinds": BOTH}, NOTHING | {"uris_restricted": True, "new_uris_restricted": True}),
    ({"left_to_default": EVERYTHING, "assigned_kinds": PRINCIPALS}, NOTHING),
    ({"left_to_default": SECRETS, "assigned_kinds": BAD}, NOTHING | dict.fromkeys(("secret_limit", "new_secret_limit"), BAD)),
    # It may be for service principals alone.
    (
        {"left_to_default": ["unique_uris_only"], "assigned_kinds": BAD},
        NOTHING | {"uris_restricted": BAD, "new_uris_restricted": BAD},
    ),
    # It may leave to the default policy all that this one says otherwise.
    ({"left_to_default": BAD}, NOTHING | dict.fromkeys(NOTHING, BAD)),
    ({"enabled": BAD}, NOTHING | dict.fromkeys(NOTHING, BAD)),
    ({"enabled": BAD, "assigned_kinds": PRINCIPALS}, NOTHING),
    # Where it is off, nobody says which of the two holds; what is the same in both is known.
    ({"enabled": False}, NOTHING | dict.fromkeys(NOTHING, "not_stated")),
    ({"enabled": False, "assigned_kinds": PRINCIPALS}, NOTHING),
]


@pytest.mark.parametrize(("values", "expected"), FALLBACKS)
def test_what_a_custom_policy_does_not_define_falls_back_to_the_default_policy(
    values: dict[str, Any], expected: dict[str, object]
) -> None:
    one = custom(["a"], **({"assigned_kinds": APPLICATIONS} | values))
    assert in_effect([LIMITED, OPEN, one], which="['a']") == expected
    assert in_effect([LIMITED, OPEN, one], which="default/applications") == OF_LIMITED


def test_a_default_policy_that_was_not_read_matters_only_for_what_falls_back_to_it() -> None:
    one = custom(["a"], left_to_default=SECRETS, assigned_kinds=APPLICATIONS)
    unknown = dict.fromkeys(("secret_limit", "new_secret_limit"), Reason.PERMISSION)
    assert in_effect([one], which="['a']", unread=Reason.PERMISSION) == NOTHING | unknown
