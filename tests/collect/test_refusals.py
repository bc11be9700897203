"""Each request refused in each way: the right coverage, unknown where a value was not read, and nothing lost elsewhere."""

import pytest

from keyaudit.collect.access.roles import OPERATIONS as ROLE_OPERATIONS
from keyaudit.collect.entra import identity_limits
from keyaudit.collect.managed_hsm import devices
from keyaudit.collect.services import consumers, events
from keyaudit.simulator.faults import Fault
from tests.collect.estate import ESTATE, FIRST_ID, SECOND_ID, TENANT_ID
from tests.collect.refusals import CODE, REASONS, ends_refused, never_wrong, refused
from tests.collect.rig import Collected, collect
from tests.matrices import some_with_each

PLAIN = (
    "subscription.list",
    "vault.query",
    "vault.list",
    "hsm.query",
    "hsm.list",
    "key.list",
    "key.versions",
    "key.get",
    "key.rotation_policy",
    "organization.get",
    "domain.list",
    *(
        f"{kind}.{what}"
        for kind in ("application", "service_principal")
        for what in ("list", "owners", "owners_of", "federated", "federated_of")
    ),
)
CHILDREN = {
    "subscription.list": (
        "vault.query",
        "hsm.query",
        "vault.list",
        "alert_rule.query",
        "sentinel_rule.list",
        "key.list",
        "key.versions",
        "key.get",
        "key.rotation_policy",
        "service.query",
        "secret_use.query",
        *consumers.OPERATIONS,
        *events.OPERATIONS,
        "host.query",
        *devices.OPERATIONS,
        "managed_identity.query",
        "managed_identity.expressions_of",
        "managed_identity.federated_of",
        *identity_limits.OPERATIONS,
        *ROLE_OPERATIONS,
    ),
    "key.list": ("key.versions", "key.get", "key.rotation_policy"),
    "organization.get": ("domain.federation",),
    "domain.list": ("domain.federation",),
    "application.list": (
        *("login.app_keys", "application.get"),
        *("blueprint.sponsors_of", "blueprint.inheritable_of"),
    ),
    "service_principal.list": (
        *("login.app_keys", "service_principal.get", "agent.get"),
        *("agent.list", "agent.sponsors", "agent_user.list", "blueprint.principal_sponsors_of"),
    ),
    "application.owners": ("application.owners_of",),
    "application.federated": ("application.federated_of", "application.expressions_of"),
    "application.federated_of": ("application.expressions_of",),
    "service_principal.owners": ("service_principal.owners_of",),
    "service_principal.federated": ("service_principal.federated_of", "service_principal.expressions_of"),
    "service_principal.federated_of": ("service_principal.expressions_of",),
}


@pytest.mark.parametrize(("operation", "reason"), some_with_each(PLAIN, REASONS))
async def test_an_operation_refused_to_the_end(whole: Collected, operation: str, reason: str) -> None:
    single = operation.endswith(("_of", ".versions", ".get", ".rotation_policy")) and operation != "organization.get"
    await ends_refused(whole, operation, reason, children=CHILDREN.get(operation, ()), single=single)


@pytest.mark.parametrize(
    ("operation", "reason"),
    some_with_each(["key.list", "key.get", "vault.list", "application.list"], ["auth_failed", "vanished", "intercepted"]),
)
async def test_rarer_ends(whole: Collected, operation: str, reason: str) -> None:
    found = await collect(refused(operation, reason))
    never_wrong(whole, found)
    assert {record.reason for place, record in found.coverage.items() if place[1] == operation} == {reason}


async def test_access_that_is_revoked_ends_everything_that_is_left() -> None:
    claims = 'Bearer realm="", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ=="'
    found = await collect(Fault("key.list", "every", status=401, body=CODE, headers={"WWW-Authenticate": claims}))
    reasons = {record.reason for record in found.coverage.values() if record.reason}
    assert reasons <= {"identity_revoked", "parent_not_assessed"}
    assert {found.coverage[vault, "key.list"].reason for vault in (FIRST_ID, SECOND_ID)} == {"identity_revoked"}
    assert not any(operation.startswith("arm.") for operation in found.calls)


async def test_owners_are_unknown_where_they_were_refused() -> None:
    found = await collect(refused("application.owners", "permission"))
    assert {row["unknown"]["owner_ids"] for row in found.rows["application"].values()} == {"permission"}
    found = await collect(refused("application.owners_of", "throttled"))
    first, second = (f"{TENANT_ID}/applications/{one.id}" for one in ESTATE.applications)
    assert found.unknown("application", first) == {"owner_ids": "throttled"}
    assert found.rows["application"][second]["owner_ids"] == sorted(ESTATE.applications[1].owners)


async def test_federated_credentials_outlive_a_refused_list_of_their_holders() -> None:
    found = await collect(refused("service_principal.list", "permission"))
    id_ = f"{TENANT_ID}/serviceprincipals/{ESTATE.service_principals[1].id}/federatedidentitycredentials/pod"
    row = found.rows["credential"][id_]
    assert row["subject"] == "system:sa"
    holder = {"holder_name", "holder_names", "holder_domain_name", "app_id", "holder_type", "holder_home"}
    assert row["unknown"] == dict.fromkeys(holder, "parent_not_assessed")


async def test_a_query_that_graph_does_not_take_is_a_gap_and_no_bug_of_ours() -> None:
    body = {"error": {"code": "Request_UnsupportedQuery", "message": "no"}}
    found = await collect(Fault("service_principal.federated", "every", status=400, body=body))
    assert found.gaps() == {
        (TENANT_ID, "service_principal.federated"): "not_assessed unrecognised",
        (TENANT_ID, "service_principal.federated_of"): "not_assessed parent_not_assessed",
        (TENANT_ID, "service_principal.expressions_of"): "not_assessed parent_not_assessed",
    }
    assert found.coverage[TENANT_ID, "service_principal.federated"].detail == "Request_UnsupportedQuery"
