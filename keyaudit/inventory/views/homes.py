"""Where managed identities are at home: the subscription that each lies in, and the environment that a rule gives that."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.views.sql import Sources
from keyaudit.model.reasons import Reason

SUBSCRIPTION = "nullif(regexp_extract(stored.arm_id, '^/subscriptions/([^/]+)(/|$)', 1), '')"
"""The subscription of `stored`, a service principal; NULL for one that is no managed identity of an Azure resource."""

ENVIRONMENT = f"environment_of(NULL, NULL, {SUBSCRIPTION}, place.name)"
"""Its environment; `place` is the row of its subscription."""

ENVIRONMENT_DOUBT = f"""coalesce(stored.unknown['arm_id'], CASE
    WHEN {SUBSCRIPTION} IS NULL OR {ENVIRONMENT} IS NOT NULL THEN NULL
    WHEN environment_by_subscription() THEN
        CASE WHEN place.subscription_id IS NULL THEN '{Reason.NOT_VISIBLE}' ELSE place.unknown['name'] END END)"""
"""A rule may know a subscription by its name, which is not known of one that the identity does not see."""


def homes(sources: Sources) -> str:
    """Service principals by object id, with both; `doubt`: why one of them may be missing."""
    return f"""
        SELECT split_part(stored.id, '/', -1) AS object_id, {SUBSCRIPTION} AS subscription,
            CASE WHEN {SUBSCRIPTION} IS NOT NULL THEN {ENVIRONMENT} END AS environment, {ENVIRONMENT_DOUBT} AS doubt
        FROM {sources["service_principal"]} AS stored
        LEFT JOIN {sources["subscription"]} AS place ON place.subscription_id = {SUBSCRIPTION}"""
