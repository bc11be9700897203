"""What is said of logs by what was read of their destinations: certain, or unknown with a reason."""

from typing import Any

import pytest

from keyaudit.model.coverage import Coverage, Scope, ScopeKind, State
from keyaudit.model.reasons import Reason
from keyaudit.model.values.times import DAY
from tests.inventory import sample
from tests.inventory.sample import TENANT, Found, Row, assessed, key, refused, row, vault, vault_scope

KV = vault_scope("kv")
SUB = Scope("/subscriptions/22222222-2222-4222-8222-222222222222", "sub", ScopeKind.SUBSCRIPTION)
MAIN = "/subscriptions/2/resourcegroups/rg/providers/microsoft.operationalinsights/workspaces/main"
SETTINGS = assessed(KV, "diagnostic_setting.list")
EXPORTS = assessed(SUB, "activity_log.list")
PERMISSION, BAD = Reason.PERMISSION, Reason.BAD_VALUE
NOT_READ = [refused(KV, "diagnostic_setting.list", PERMISSION)]
HALF_READ = [refused(KV, "diagnostic_setting.list", BAD, State.PARTIAL)]


def sink(name: str, **values: Any) -> Row:
    """A destination of the vault's log: the workspace, for its audit events."""
    defaults: Row = {
        "kind": "vault",
        "logged_id": KV.id,
        "scope_id": KV.id,
        "audits": True,
        "categories": ["AuditEvent"],
        "category_groups": [],
        "destination_kind": "workspace",
        "destination_id": MAIN,
        "tables": ["AZKVAuditLogs"],
    }
    return row("log_sink", f"{values.get('logged_id', KV.id)}/diagnosticsettings/{name}", **(defaults | values))


def storage(name: str, **values: Any) -> Row:
    return sink(name, destination_kind="storage", destination_id="/storage", tables=None, **values)


def table(name: str = "AZKVAuditLogs", workspace: str = MAIN, **values: Any) -> Row:
    defaults: Row = {
        "name": name,
        "workspace_id": workspace,
        "plan": "Analytics",
        "retention": 90 * DAY,
        "total_retention": 365 * DAY,
    }
    return row("log_table", f"{workspace}/tables/{name.lower()}", **({"scope_id": TENANT.id} | defaults | values))


def derive(name: str, rows: dict[str, list[Row]], coverage: list[Coverage]) -> Found:
    """The one row of a view."""
    by_scope = {scope: [record for record in coverage if record.scope == scope] for scope in (KV, SUB, TENANT)}
    [found] = sample.seen(name, rows, by_scope)
    return found


def seen(found: Found, *columns: str) -> list[object]:
    """Values, or the reasons why there is none."""
    return [found["unknown"].get(column, found[column]) for column in columns]


def workspace(id_: str = MAIN, *, deleted: bool | Reason) -> Row:
    return row("workspace", id_, scope_id=TENANT.id, deleted=deleted)


ANALYTICS = [table()]
SINKS: list[tuple[Row, list[Row], list[object]]] = [
    (sink("a"), ANALYTICS, [True, 90 * DAY, 365 * DAY]),
    (sink("a"), [table(plan="Basic")], [False, 90 * DAY, 365 * DAY]),
    (sink("a"), [table(plan=PERMISSION)], ["permission", 90 * DAY, 365 * DAY]),
    (sink("a"), [table(plan=PERMISSION, retention=PERMISSION, total_retention=BAD)], ["permission", "permission", "bad_value"]),
    # Of several tables the least counts, and one that cannot be searched settles it.
    (sink("a", tables=["A", "B"]), [table("A"), table("B", retention=DAY)], [True, DAY, 365 * DAY]),
    (sink("a", tables=["A", "B"]), [table("A", plan="Basic"), table("B", plan=BAD)], [False, 90 * DAY, 365 * DAY]),
    (sink("a", tables=["A", "B"]), [table("A"), table("B", plan=BAD)], ["bad_value", 90 * DAY, 365 * DAY]),
    # Of several reasons, the first in alphabetical order.
    (
        sink("a", tables=["A", "B"]),
        [table("A", plan=BAD, retention=PERMISSION), table("B", plan=PERMISSION, retention=BAD)],
        ["bad_value", "bad_value", 365 * DAY],
    ),
    (sink("a", tables=["A", "B"]), [table("A")], ["parent_not_assessed"] * 3),
    # Another workspace's table, however like its name, says nothing.
    (sink("a"), [table(workspace=f"{MAIN}2")], ["parent_not_assessed"] * 3),
    (sink("a", tables=[]), [], [False, None, None]),
    (storage("a"), [], [False, None, None]),
    (sink("a", tables=Reason.UNRECOGNISED), ANALYTICS, ["unrecognised"] * 3),
    (sink("a", destination_id=BAD), ANALYTICS, ["bad_value"] * 3),
]


@pytest.mark.parametrize(("stored", "tables", "expected"), SINKS)
def test_a_destination_is_searchable_if_all_its_tables_are(stored: Row, tables: list[Row], expected: list[object]) -> None:
    found = derive("log_sink", {"log_sink": [stored], "log_table": tables}, SETTINGS)
    assert seen(found, "searchable", "retention", "total_retention") == expected


BRIEF = table("AzureDiagnostics", retention=30 * DAY)
COMMON = {"tables": ["AzureDiagnostics"]}
VAULTS: list[tuple[list[Row], list[Row], list[Coverage], list[object]]] = [
    ([sink("a")], ANALYTICS, SETTINGS, [True, True, 90 * DAY]),
    ([], [], SETTINGS, [False, False, None]),
    ([sink("a", audits=False, tables=[])], [], SETTINGS, [False, False, None]),
    ([storage("a")], [], SETTINGS, [True, False, None]),
    ([sink("a")], [table(plan="Basic")], SETTINGS, [True, False, None]),
    # Of those that can be searched the longest counts.
    ([sink("a"), sink("b", **COMMON)], [*ANALYTICS, BRIEF], SETTINGS, [True, True, 90 * DAY]),
    ([storage("a"), sink("b", **COMMON)], [BRIEF], SETTINGS, [True, True, 30 * DAY]),
    # One that surely is settles it; how long it stays at best does not, while another is not known.
    ([sink("a"), sink("b", **COMMON)], ANALYTICS, SETTINGS, [True, True, "parent_not_assessed"]),
    ([sink("a")], ANALYTICS, HALF_READ, [True, True, "bad_value"]),
    ([storage("a")], [], HALF_READ, [True, "bad_value", "bad_value"]),
    ([], [], NOT_READ, ["permission"] * 3),
    ([], [], [], ["interrupted"] * 3),
    ([sink("a")], [table(plan=PERMISSION)], SETTINGS, [True, "permission", "permission"]),
    ([sink("a")], [table(retention=PERMISSION)], SETTINGS, [True, True, "permission"]),
    ([sink("a", audits=BAD)], ANALYTICS, SETTINGS, ["bad_value", "bad_value", "bad_value"]),
    ([storage("a", audits=BAD), sink("b")], ANALYTICS, SETTINGS, [True, True, 90 * DAY]),
]


def test_what_configuration_left_out_is_said_to_be_left_out() -> None:
    left_out = [refused(TENANT, "workspace.table", Reason.EXCLUDED_BY_CONFIG), *SETTINGS]
    found = derive("vault", {"vault": [vault()], "log_sink": [sink("a")]}, left_out)
    assert seen(found, "audit_logged", "audit_searchable", "audit_retention") == [True, *["excluded_by_config"] * 2]
    rows = {"subscription": [row("subscription", SUB.id)]}
    found = derive("subscription", rows, [refused(SUB, "defender.plan", Reason.EXCLUDED_BY_CONFIG)])
    assert seen(found, "defender_for_key_vault") == ["excluded_by_config"]


@pytest.mark.parametrize(("sinks", "tables", "coverage", "expected"), VAULTS)
def test_what_a_vaults_destinations_come_to(
    sinks: list[Row], tables: list[Row], coverage: list[Coverage], expected: list[object]
) -> None:
    rows = {"vault": [vault()], "log_sink": sinks, "log_table": tables}
    found = derive("vault", rows, coverage)
    assert seen(found, "audit_logged", "audit_searchable", "audit_retention") == expected


DESTINATIONS: list[tuple[list[Row], list[Coverage], object]] = [
    ([sink("a"), storage("b"), storage("c")], SETTINGS, ["storage", "workspace"]),
    # Settings without the audit log do not count.
    ([sink("a"), storage("b", audits=False)], SETTINGS, ["workspace"]),
    ([], SETTINGS, []),
    ([storage("b", audits=False)], SETTINGS, []),
    ([sink("a"), storage("b", audits=BAD)], SETTINGS, "bad_value"),
    ([sink("a")], HALF_READ, "bad_value"),
    ([], NOT_READ, "permission"),
    ([], [], "interrupted"),
]


@pytest.mark.parametrize(("sinks", "coverage", "expected"), DESTINATIONS)
def test_the_kinds_of_places_that_a_vaults_audit_log_goes_to(
    sinks: list[Row], coverage: list[Coverage], expected: object
) -> None:
    rows = {"vault": [vault()], "log_sink": sinks, "log_table": ANALYTICS}
    assert seen(derive("vault", rows, coverage), "audit_destinations") == [expected]


def test_a_managed_hsm_has_settings_of_its_own_kind() -> None:
    rows = {"vault": [vault()], "log_sink": [sink("a", kind="managed-hsm")], "log_table": ANALYTICS}
    found = derive("vault", rows, assessed(KV, "hsm.diagnostic_setting.list"))
    assert seen(found, "audit_logged", "audit_searchable", "audit_retention") == [True, True, 90 * DAY]


def exported(name: str, *categories: str, **values: Any) -> Row:
    defaults: Row = {
        "kind": "activity-log",
        "logged_id": SUB.id,
        "scope_id": SUB.id,
        "categories": sorted(categories),
        "audits": "Administrative" in categories,
        "tables": ["AzureActivity"],
    }
    return sink(name, **(defaults | values))


ACTIVITY = [table("AzureActivity")]
COLUMNS = ("activity_log_exported", "activity_log_categories", "activity_log_searchable")
SUBSCRIPTIONS: list[tuple[list[Row], list[Coverage], list[object]]] = [
    ([exported("a", "Administrative", "Policy")], EXPORTS, [True, ["Administrative", "Policy"], True]),
    ([exported("a", "Administrative"), exported("b", "Alert")], EXPORTS, [True, ["Administrative", "Alert"], True]),
    ([exported("a", "ServiceHealth", tables=[])], EXPORTS, [False, ["ServiceHealth"], False]),
    ([], EXPORTS, [False, [], False]),
    ([], [refused(SUB, "activity_log.list", PERMISSION)], ["permission"] * 3),
    (
        [exported("a", "Administrative")],
        [refused(SUB, "activity_log.list", BAD, State.PARTIAL)],
        [True, "bad_value", True],
    ),
    ([exported("a", category_groups=["allLogs"], audits=True)], EXPORTS, [True, "unrecognised", True]),
    ([exported("a", categories=BAD, category_groups=BAD, audits=BAD)], EXPORTS, ["bad_value"] * 3),
]


@pytest.mark.parametrize(("sinks", "coverage", "expected"), SUBSCRIPTIONS)
def test_where_a_subscriptions_activity_log_goes(sinks: list[Row], coverage: list[Coverage], expected: list[object]) -> None:
    rows = {"subscription": [row("subscription", SUB.id)], "log_sink": sinks, "log_table": ACTIVITY}
    assert seen(derive("subscription", rows, coverage), *COLUMNS) == expected


@pytest.mark.parametrize(
    ("plans", "expected"),
    [([True], True), ([False], False), ([PERMISSION], "permission"), ([], "interrupted")],
)
def test_whether_defender_watches_a_subscription(plans: list[object], expected: object) -> None:
    of = [row("defender_plan", f"{SUB.id}/plan", scope_id=SUB.id, enabled=enabled) for enabled in plans]
    rows = {"subscription": [row("subscription", SUB.id)], "defender_plan": of}
    for coverage in (EXPORTS, [*EXPORTS, *assessed(SUB, "defender.plan")]):
        assert seen(derive("subscription", rows, coverage), "defender_for_key_vault") == [expected]


def of_entra(name: str, *categories: str, **values: Any) -> Row:
    defaults: Row = {"kind": "entra", "logged_id": TENANT.id, "scope_id": TENANT.id, "categories": list(categories)}
    return sink(name, **(defaults | values))


READ = assessed(TENANT, "entra_log.list", "subscription.list", "alert_rule.query", "sentinel_rule.list")
ENTRA: list[tuple[list[Row], list[Coverage], object]] = [
    ([of_entra("a", "AuditLogs", "SignInLogs"), of_entra("b", "AuditLogs")], READ, ["AuditLogs", "SignInLogs"]),
    ([], READ, []),
    ([of_entra("a", category_groups=["allLogs"])], READ, "unrecognised"),
    ([], [refused(TENANT, "entra_log.list", PERMISSION), *READ[1:]], "permission"),
    ([of_entra("a", categories=BAD)], READ, "bad_value"),
]


@pytest.mark.parametrize(("sinks", "coverage", "expected"), ENTRA)
def test_which_of_entras_logs_are_exported(sinks: list[Row], coverage: list[Coverage], expected: object) -> None:
    found = derive("tenant", {"tenant": [row("tenant", TENANT.id)], "log_sink": sinks}, coverage)
    assert seen(found, "entra_log_categories") == [expected]


def rule(name: str, **values: Any) -> Row:
    defaults: Row = {"enabled": True, "notifies": True, "watches": ["key-vault"], "scope_id": TENANT.id}
    return row("alert_rule", f"{SUB.id}/rules/{name}", **(defaults | values))


RULES: list[tuple[list[Row], list[Coverage], tuple[int, int | None], str | None]] = [
    ([rule("a"), rule("b")], READ, (2, 2), None),
    ([rule("a", enabled=False), rule("b", watches=["federation"]), rule("c", notifies=False)], READ, (0, 0), None),
    ([], READ, (0, 0), None),
    ([rule("a"), rule("b", watches=BAD)], READ, (1, 2), "bad_value"),
    # A disabled rule covers nothing, with any query.
    ([rule("a", enabled=False, watches=BAD)], READ, (0, 0), None),
    (
        [rule("a")],
        [*READ[:2], READ[3], refused(TENANT, "alert_rule.query", PERMISSION, State.PARTIAL)],
        (1, None),
        "permission",
    ),
]


@pytest.mark.parametrize(("rules", "coverage", "expected", "reason"), RULES)
def test_how_many_alert_rules_watch_keys(
    rules: list[Row], coverage: list[Coverage], expected: tuple[int, int | None], reason: str | None
) -> None:
    found = derive("tenant", {"tenant": [row("tenant", TENANT.id)], "alert_rule": rules}, coverage)
    assert (found["key_alerts_min"], found["key_alerts_max"]) == expected
    assert found["unknown"].get("key_alerts") == reason


WATCHING: list[tuple[list[Row], list[Coverage], object]] = [
    ([rule("a"), rule("b", watches=["federation", "key-vault"])], READ, ["federation", "key-vault"]),
    ([rule("a", enabled=False), rule("b", watches=["federation"]), rule("c", notifies=False)], READ, ["federation"]),
    ([], READ, []),
    ([rule("a", watches=[])], READ, []),
    ([rule("a"), rule("b", watches=BAD)], READ, "bad_value"),
    ([rule("a"), rule("b", notifies=BAD)], READ, "bad_value"),
    # A rule that is disabled or notifies nobody covers nothing, with any query.
    ([rule("a"), rule("b", enabled=False, watches=BAD, notifies=BAD)], READ, ["key-vault"]),
    ([rule("a"), rule("b", notifies=False, enabled=BAD)], READ, ["key-vault"]),
    ([rule("a")], [*READ[:2], READ[3], refused(TENANT, "alert_rule.query", PERMISSION, State.PARTIAL)], "permission"),
    ([rule("a")], [*READ[:3], refused(TENANT, "sentinel_rule.list", PERMISSION, State.PARTIAL)], "permission"),
]


@pytest.mark.parametrize(("rules", "coverage", "expected"), WATCHING)
def test_what_alert_rules_watch(rules: list[Row], coverage: list[Coverage], expected: object) -> None:
    found = derive("tenant", {"tenant": [row("tenant", TENANT.id)], "alert_rule": rules}, coverage)
    assert seen(found, "alerts_watch") == [expected]


@pytest.mark.parametrize(("domains", "elsewhere"), [([], False), (["a.example"], True), (PERMISSION, "permission")])
def test_whether_a_domain_signs_in_elsewhere(domains: object, elsewhere: object) -> None:
    found = derive("tenant", {"tenant": [row("tenant", TENANT.id, federated_domains=domains)]}, READ)
    assert seen(found, "signs_in_elsewhere") == [elsewhere]


@pytest.mark.parametrize(("deleted", "logged"), [(True, [False, False, []]), (False, [True, True, ["workspace"]])])
def test_what_goes_to_a_deleted_workspace_goes_nowhere(deleted: bool, logged: list[object]) -> None:
    tables = [] if deleted else ANALYTICS
    rows = {"vault": [vault()], "log_sink": [sink("a")], "log_table": tables, "workspace": [workspace(deleted=deleted)]}
    assert seen(derive("vault", rows, SETTINGS), "audit_logged", "audit_searchable", "audit_destinations") == logged


@pytest.mark.parametrize(
    ("workspaces", "reason"), [([workspace(deleted=Reason.PERMISSION)], "permission"), ([], "parent_not_assessed")]
)
def test_whether_an_unread_workspace_is_deleted_is_unknown_and_what_goes_there_is_sent(
    workspaces: list[Row], reason: str
) -> None:
    rows = {"vault": [vault()], "log_sink": [sink("a")], "log_table": ANALYTICS, "workspace": workspaces}
    assert seen(derive("log_sink", rows, SETTINGS), "deleted") == [reason]
    assert seen(derive("vault", rows, SETTINGS), "audit_logged") == [True]


def test_a_deleted_workspace_takes_nothing_from_another_destination() -> None:
    both = {"vault": [vault()], "log_sink": [sink("a"), storage("b")], "log_table": [], "workspace": [workspace(deleted=True)]}
    assert seen(derive("vault", both, SETTINGS), "audit_logged", "audit_destinations") == [True, ["storage"]]


def test_categories_that_go_to_a_deleted_workspace_are_not_exported() -> None:
    exported = sink("a", kind="activity-log", logged_id=SUB.id, scope_id=SUB.id, categories=["Administrative"])
    kept = sink("b", kind="activity-log", logged_id=SUB.id, scope_id=SUB.id, categories=["Policy"], destination_id=f"{MAIN}2")
    rows = {
        "subscription": [row("subscription", SUB.id, scope_id=TENANT.id)],
        "log_sink": [exported, kept],
        "workspace": [workspace(deleted=True), workspace(f"{MAIN}2", deleted=False)],
        "log_table": [table(workspace=f"{MAIN}2")],
    }
    assert seen(derive("subscription", rows, EXPORTS), "activity_log_categories") == [["Policy"]]


@pytest.mark.parametrize(
    ("tables", "coverage", "expected"),
    [
        (ANALYTICS, SETTINGS, 90 * DAY),
        ([table(retention=PERMISSION)], SETTINGS, "permission"),
        (ANALYTICS, NOT_READ, "permission"),
        (ANALYTICS, HALF_READ, "bad_value"),
    ],
)
def test_a_key_has_the_retention_of_its_vaults_log(tables: list[Row], coverage: list[Coverage], expected: object) -> None:
    rows = {"vault": [vault()], "key": [key("1")], "log_sink": [sink("a")], "log_table": tables}
    assert seen(derive("key", rows, coverage), "audit_retention") == [expected]
