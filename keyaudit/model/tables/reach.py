"""The columns that count principals with access to a key, certificate or vault, the same in every table."""

from collections.abc import Mapping

from keyaudit.model.schema.columns import Column, count, flag, texts

ACTIONS: Mapping[str, str] = {
    "signing": "can sign with it",
    "decrypting": "can decrypt or unwrap with it",
    "reading_private": "can read secrets, and so the private part of an exportable certificate",
    "backing_up": "can back it up, and so restore it elsewhere",
    "granting": "can give themselves access",
}
"""The permission that is counted, by the suffix of a column's name."""

OF_KEYS = ("signing", "decrypting", "backing_up", "granting")
"""The permissions on keys."""

READING = "reading_private"

WHO: Mapping[str, str] = {
    "principals": "users, service principals and groups of other tenants that",
    "humans": "users that",
    "workloads": "service principals and managed identities that",
    "foreign": "guests, applications and groups of other tenants that",
}
"""The principals that are counted, by the prefix of a column's name."""

OPERATIONS = (
    "role_assignment.query",
    "role_definition.query",
    "subscription.query",
    "principal.lookup",
    "group.members",
)
"""The operations that such a count depends on, besides the settings of its vault."""


WIDENING = ("role_eligibility.list", "deny_assignment.list")
"""Eligible roles and deny assignments: counts of active access do not depend on them."""


def reach_columns(*actions: str) -> tuple[Column, ...]:
    """For each action the columns of all in `WHO`. They count active access: members of groups, each principal once."""
    return tuple(
        count(f"{who}_{action}", f"{WHO[who]} {ACTIONS[action]}", derived=True)
        for action in actions
        for who in WHO
    )


CONTROL = (
    "directory_role.assignments",
    "directory_role.definitions",
    "service_principal.list",
    "service_principal.app_roles",
    "service_principal.app_roles_of",
)
"""The operations that show which principals control the whole tenant."""

STANDING = (
    "role_assignment.query",
    "vault.query",
    "vault.list",
    "hsm.query",
    "hsm.list",
    "hsm.role_assignment.list",
    "hsm.role_assignment.of_keys",
    "hsm.role_assignment.of_key",
)
"""The operations that list vaults, Managed HSMs and active grants on them."""

SIGNING_WEIGHT = count("signing_weight", "users and service principals that can sign with it; a user counts twice",
    derived=True)
OTHERS_SIGNING = count("others_signing",
    "users and service principals that can sign with it other than by the roles Key Vault Administrator and Key Vault Crypto "
    "Officer", derived=True)
SIGNER_ENVIRONMENTS = texts("signer_environments",
    "the home environments of the service principals that can sign with it, sorted", derived=True)
SIGNERS_NAMED = flag("signers_named",
    "a tag or setting names the environment of each of these service principals; with [environments], unknown if neither does",
    derived=True)
USING_AND_GRANTING = count("principals_using_and_granting",
    "users and service principals that can sign, decrypt or unwrap with a key in it, and can also grant access to it",
    derived=True)
ADMINISTRATORS = count("administrators",
    "users and service principals with the role Managed HSM Administrator; 0 for a Key Vault", derived=True)
OUTSIDERS = tuple(
    count(f"outsiders_{action}",
        f"users and service principals without control of the whole tenant (tier 0) that {ACTIONS[action]}", derived=True)
    for action in ("signing", READING)
)

COLUMNS = frozenset(
    (
        *(f"{who}_{action}" for who in WHO for action in ACTIONS),
        *WHO,
        *(
            column.name
            for column in (
                SIGNING_WEIGHT, OTHERS_SIGNING, SIGNER_ENVIRONMENTS, SIGNERS_NAMED, USING_AND_GRANTING, ADMINISTRATORS,
                *OUTSIDERS,
            )
        ),
        "authenticates_tier0",
        "authenticates_wide",
        "principal_kind",
        "principal_name",
        "principal_app_id",
        "encrypting",
        "effective",
        "user_environments",
        "user_subscriptions",
        "blast_radius",
        "environments_opened",
        "environment_crossings",
        "holders_named",
        "others_reading_private",
        "places_named",
        "in_test",
    )
)
"""Names of the columns that depend on access."""
