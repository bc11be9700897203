"""How far the use of a key reaches: over the homes of those who can use it, with bounds where something was not read."""

from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.model.reasons import Reason
from keyaudit.model.scope.environments import EnvironmentRule
from keyaudit.model.tables.reach import CONTROL
from keyaudit.model.tables.vaults.key_use import USES_FOUND
from tests.inventory.sample import RUN, TENANT, Row, assessed, fetch, in_memory, key, row, vault, vault_scope
from tests.inventory.test_reach import HOME, KV, RBAC, SUBSCRIPTION, grant, who

OTHER = "33333333-2222-4222-8222-222222222222"
READ = assessed(TENANT, "subscription.list", "vault.query", "role_assignment.query", "key.list", *USES_FOUND[1:], *CONTROL)
RULES = (
    EnvironmentRule(of="subscription", pattern=SUBSCRIPTION.rpartition("/")[2], environment="prod"),
    EnvironmentRule(of="subscription", pattern=OTHER, environment="test"),
)


def identity(name: str, subscription: Any, kind: str = "managed-identity") -> list[Row]:
    """A service principal at home in a subscription, with the right to sign."""
    known = subscription is not None and not isinstance(subscription, Reason)
    arm = f"/subscriptions/{subscription}/resourcegroups/rg/x" if known else subscription
    principal = row("service_principal", f"{TENANT.id}/servicePrincipals/{name}", scope_id=TENANT.id, app_id=name, arm_id=arm)
    return [grant(name, "sign"), who(name, kind), principal]


OWN = SUBSCRIPTION.rpartition("/")[2]


def derived(
    rows: list[Row], rules: tuple[EnvironmentRule, ...] = RULES, *, logged: bool = True, **of_key: Any
) -> tuple[dict[str, object], dict[str, str]]:
    """The columns of a key that signs, with the bounds of each, and why some are unknown."""
    held: dict[str, Any] = {
        "tags": {"env": "prod"},
        "key_ops": ["sign"],
        "subscription_id": OWN,
        "is_current": True,
        "vault_kind": "key-vault",
    }
    tables: dict[str, list[Row]] = {
        "vault": [vault(**RBAC)],
        "key": [key("1", **(held | of_key))],
        "subscription": [HOME, row("subscription", f"/subscriptions/{OTHER}", scope_id=TENANT.id, subscription_id=OTHER)],
    }
    for each in rows:
        table = "grant" if "allows" in each else "service_principal" if "arm_id" in each else "principal"
        tables.setdefault(table, []).append(each)
    # With the log of the vault read, too: what is unknown of it would be merged with what is unknown here.
    settings = assessed(vault_scope("kv"), "diagnostic_setting.list") if logged else []
    coverage = {TENANT: READ, vault_scope("kv"): settings}
    names = ("user_environments", "user_subscriptions", "blast_radius")
    with in_memory(
        tables, coverage, "key", run=replace(RUN, environment_rules=rules), reach=True, columns={"key": names}
    ) as connection:
        (found,) = fetch(connection, "SELECT * FROM key")
    unknown: Any = found["unknown"]
    return {name: (found[f"{name}_min"], found[f"{name}_max"]) for name in names}, unknown


@pytest.mark.parametrize(
    ("rows", "of_key", "environments", "subscriptions", "radius"),
    [
        ([], {}, 1, 1, 1),
        (identity("a", OWN), {}, 1, 1, 2),
        ([*identity("a", OWN), *identity("b", OWN)], {}, 1, 1, 3),
        ([grant("alice", "sign"), who("alice"), grant("bob", "sign"), who("bob")], {}, 1, 1, 2),
        ([grant("guest", "sign"), who("guest", home="foreign")], {}, 1, 1, 4),
        # Of another environment, and so of another subscription.
        (identity("a", OTHER), {}, 2, 2, 5),
        (identity("a", OTHER), {"enabled": False}, 2, 2, 1),
        (identity("a", OTHER), {"key_ops": ["verify"]}, 1, 1, 1),
        # It wraps, and who can sign cannot unwrap.
        (identity("a", OTHER), {"key_ops": ["unwrapKey"]}, 1, 1, 1),
        # An application of no known home.
        (identity("a", None, "service-principal"), {}, 1, 1, 2),
    ],
)
def test_a_key_reaches_as_far_as_its_users(
    rows: list[Row], of_key: dict[str, Any], environments: int, subscriptions: int, radius: int
) -> None:
    found, unknown = derived(rows, **of_key)
    assert found == {
        "user_environments": (environments, environments),
        "user_subscriptions": (subscriptions, subscriptions),
        "blast_radius": (radius, radius),
    }
    assert not unknown.keys() & found.keys()


def test_a_wrapping_key_across_environments_is_no_trust_anchor() -> None:
    rows = [grant("a", "wrap"), *identity("a", OTHER)[1:]]
    found, _ = derived(rows, key_ops=["unwrapKey"])
    assert found["blast_radius"] == (4, 4)


def test_without_rules_another_subscription_is_what_is_sure() -> None:
    found, _ = derived(identity("a", OTHER), rules=())
    assert found == {"user_environments": (1, 1), "user_subscriptions": (2, 2), "blast_radius": (4, 4)}


def test_a_home_that_was_not_read_leaves_the_reach_open() -> None:
    found, unknown = derived(identity("a", Reason.PERMISSION))
    assert found == {"user_environments": (1, None), "user_subscriptions": (1, None), "blast_radius": (2, 5)}
    assert unknown["user_environments"] == unknown["user_subscriptions"] == unknown["blast_radius"] == "permission"


def test_a_key_of_an_unread_environment_may_be_of_another_than_its_users() -> None:
    found, unknown = derived(identity("a", OWN), rules=(), tags=Reason.PERMISSION)
    assert (found["user_environments"], found["user_subscriptions"]) == ((0, None), (1, 1))
    assert unknown["user_environments"] == "permission"
    assert "user_subscriptions" not in unknown
    found, unknown = derived(identity("a", Reason.DNS), rules=(), tags=Reason.PERMISSION)
    assert (
        unknown.items()
        >= {"user_environments": "permission", "user_subscriptions": "dns", "blast_radius": "permission"}.items()
    )


def test_where_all_of_the_reach_is_known_the_log_may_be_unknown() -> None:
    assert derived(identity("a", OWN))[1].keys().isdisjoint(("audit_retention", "blast_radius"))
    found, unknown = derived(identity("a", OWN), logged=False)
    assert found["blast_radius"] == (2, 2)
    assert unknown["audit_retention"] == "interrupted"


def test_what_is_unknown_of_others_beside_a_known_reach_is_told() -> None:
    team = [grant("team", "wrap"), who("team", "group", members_listed=Reason.PERMISSION)]
    found, unknown = derived([*identity("a", OWN), *team])
    assert found["blast_radius"] == (2, 2)
    assert unknown["principals_decrypting"] == "permission"
    assert "blast_radius" not in unknown


def test_what_is_sure_is_not_undone_by_what_is_not() -> None:
    found, unknown = derived([*identity("a", OTHER), *identity("b", Reason.PERMISSION)])
    assert found["user_environments"] == (2, None)
    assert found["blast_radius"] == (5, 5)
    assert "blast_radius" not in unknown


def test_what_a_key_is_for_decides_and_may_be_unknown() -> None:
    found, unknown = derived(identity("a", OWN), key_ops=Reason.THROTTLED)
    assert found["blast_radius"] == (1, 5)
    assert unknown["blast_radius"] == "throttled"


def test_without_reach_nothing_is_made_up() -> None:
    with in_memory({"vault": [vault(**RBAC)], "key": [key("1")]}, {TENANT: READ}, "key") as connection:
        (found,) = fetch(connection, "SELECT blast_radius_min, user_environments_min FROM key")
    assert set(found.values()) == {None}


def test_the_log_of_its_vault_is_its_own() -> None:
    found = []
    sink = {
        "kind": "vault",
        "logged_id": KV,
        "destination_kind": "workspace",
        "destination_id": "w",
        "tables": ["AZKVAuditLogs"],
        "audits": True,
    }
    table = row("log_table", "w/t", workspace_id="w", name="AZKVAuditLogs", plan="Analytics", retention=90, scope_id=TENANT.id)
    rows = {
        "vault": [vault(**RBAC)],
        "key": [key("1"), key("2", vault="elsewhere")],
        "log_sink": [row("log_sink", "s", scope_id=KV, **sink)],
        "log_table": [table],
    }
    listed = {TENANT: READ, vault_scope("kv"): assessed(vault_scope("kv"), "diagnostic_setting.list")}
    with in_memory(rows, listed, "key") as connection:
        found = fetch(connection, "SELECT audit_retention, unknown['audit_retention'] AS why FROM key ORDER BY id DESC")
    assert [tuple(each.values()) for each in found] == [(90, None), (None, "parent_not_assessed")]
