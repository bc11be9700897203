"""The columns that count who can reach a key, certificate or vault: alike in every table that has them."""

from collections.abc import Mapping

from keyaudit.model.columns import Column, Type

ACTIONS: Mapping[str, str] = {
    "signing": "can sign with it",
    "decrypting": "can decrypt or unwrap with it",
    "reading_private": "can read secrets, and so the private part of an exportable certificate",
    "backing_up": "can back it up, and so restore it elsewhere",
    "granting": "can give themselves access",
}
"""What is counted, by the end of a column's name."""

OF_KEYS = ("signing", "decrypting", "backing_up", "granting")
"""What can be done with a key."""

READING = "reading_private"

WHO: Mapping[str, str] = {
    "principals": "users and service principals that",
    "humans": "users that",
    "workloads": "service principals and managed identities that",
    "foreign": "guests and applications of other tenants that",
}
"""Who is counted, by the beginning of a column's name."""

OPERATIONS = (
    "role_assignment.query",
    "role_definition.query",
    "subscription.query",
    "principal.lookup",
    "group.members",
)
"""What such a count rests on, besides how its vault is set."""


WIDENING = ("role_eligibility.list", "deny_assignment.list")
"""What would show who else could activate a role, or that something is denied: no count of what holds now rests on it."""


def reach_columns(*actions: str, derived_from: tuple[str, ...]) -> tuple[Column, ...]:
    """For each action the columns of all in `WHO`. They count what holds now, groups by their members, each principal once."""
    return tuple(
        Column(
            name=f"{who}_{action}",
            type=Type.COUNT,
            meaning=f"{WHO[who]} {ACTIONS[action]}",
            operations=OPERATIONS,
            derived_from=derived_from,
        )
        for action in actions
        for who in WHO
    )


COLUMNS = frozenset(
    (
        *(f"{who}_{action}" for who in WHO for action in ACTIONS),
        *WHO,
        "principal_kind",
        "principal_name",
        "effective",
        "user_environments",
        "user_subscriptions",
        "blast_radius",
    )
)
"""Names of the columns that rest on who reaches what."""
