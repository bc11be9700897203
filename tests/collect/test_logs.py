"""Where logs go, how long they are kept and what watches them: every destination found, unknown where it was not read."""

from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.model.coverage import State
from keyaudit.simulator.faults import Fault
from tests.collect.estate import EMPTY_SUBSCRIPTION, FIRST_ID, SECOND, SECOND_ID, SUBSCRIPTION, TENANT_ID
from tests.collect.logged_estate import (
    AUDITED,
    BRIEF,
    HSM_ID,
    HUB,
    LOGGED,
    LOGS,
    MAIN,
    STORAGE,
    log,
    of_vault,
    setting,
)
from tests.collect.refusals import REASONS, ends_refused, refused
from tests.collect.rig import Collected, collect
from tests.matrices import some_with_each

READS = ("Entra logs", "activity logs", "audit logs", "HSM audit logs", "log workspaces", "alert rules", "tenant")

DAY = 86_400
HOME = f"/subscriptions/{SUBSCRIPTION}"
OTHER = f"/subscriptions/{EMPTY_SUBSCRIPTION}"
RULES = f"{HOME}/resourcegroups/rg-logs/providers/microsoft.insights"
OPERATIONS = (
    "diagnostic_setting.list",
    "hsm.diagnostic_setting.list",
    "activity_log.list",
    "entra_log.list",
    "workspace.get",
    "workspace.table",
    "defender.plan",
    "alert_rule.query",
    "sentinel_rule.list",
)
OF_TABLES = ("name", "plan", "retention", "total_retention")
OF_LOGS = ("categories", "category_groups", "audits", "tables")


async def test_every_destination_is_a_row_and_nothing_is_unknown(logged: Collected) -> None:
    assert logged.gaps() == {}
    sinks = logged.rows["log_sink"]
    assert set(sinks) == {
        f"{FIRST_ID}/diagnosticsettings/audit/workspace",
        f"{FIRST_ID}/diagnosticsettings/audit/storage",
        f"{FIRST_ID}/diagnosticsettings/siem/event-hub",
        f"{HSM_ID}/diagnosticsettings/audit/workspace",
        f"{HOME}/diagnosticsettings/export/workspace",
        f"{TENANT_ID}/diagnosticsettings/entra/workspace",
        f"{TENANT_ID}/diagnosticsettings/archive/storage",
    }
    for table in ("log_sink", "workspace", "log_table", "defender_plan", "alert_rule", "subscription"):
        assert not any(row.get("unknown") for row in logged.rows[table].values()), table
    row = sinks[f"{FIRST_ID}/diagnosticsettings/audit/workspace"]
    assert (row["kind"], row["logged_id"], row["name"]) == ("vault", FIRST_ID, "Audit")
    assert (row["categories"], row["category_groups"], row["audits"]) == ([], ["audit"], True)
    assert (row["destination_id"], row["tables"]) == (MAIN, ["AZKVAuditLogs"])
    assert sinks[f"{FIRST_ID}/diagnosticsettings/audit/storage"]["destination_id"] == STORAGE
    assert "tables" not in sinks[f"{FIRST_ID}/diagnosticsettings/audit/storage"]
    assert sinks[f"{FIRST_ID}/diagnosticsettings/siem/event-hub"]["destination_id"] == HUB
    row = sinks[f"{HSM_ID}/diagnosticsettings/audit/workspace"]
    assert (row["kind"], row["audits"], row["tables"]) == ("managed-hsm", True, ["AzureDiagnostics"])
    row = sinks[f"{HOME}/diagnosticsettings/export/workspace"]
    assert (row["categories"], row["audits"], row["tables"]) == (["Administrative"], True, ["AzureActivity"])
    row = sinks[f"{TENANT_ID}/diagnosticsettings/entra/workspace"]
    assert (row["categories"], row["audits"], row["tables"]) == (["AuditLogs"], True, ["AuditLogs"])
    row = sinks[f"{TENANT_ID}/diagnosticsettings/archive/storage"]
    assert (row["categories"], row["audits"]) == (["ManagedIdentitySignInLogs"], False)


async def test_retention_is_that_of_the_tables_that_logs_go_to(logged: Collected) -> None:
    assert {id_: row["retention"] for id_, row in logged.rows["workspace"].items()} == {MAIN: 90 * DAY, BRIEF: 30 * DAY}
    tables = {
        id_: (row["plan"], row["retention"] // DAY, row["total_retention"] // DAY)
        for id_, row in logged.rows["log_table"].items()
    }
    assert tables == {
        f"{MAIN}/tables/azkvauditlogs": ("Analytics", 180, 730),
        f"{MAIN}/tables/auditlogs": ("Basic", 30, 365),
        f"{MAIN}/tables/azurediagnostics": ("Analytics", 90, 90),
        f"{BRIEF}/tables/azureactivity": ("Analytics", 30, 30),
    }
    # A vault without a setting, and a destination that is not a workspace, are asked for nothing more.
    assert (logged.calls["workspace.get"], logged.calls["workspace.table"]) == (2, 4)


async def test_the_defender_plan_of_each_subscription(logged: Collected) -> None:
    plans = {row["subscription_id"]: row["enabled"] for row in logged.rows["defender_plan"].values()}
    assert plans == {SUBSCRIPTION: True, EMPTY_SUBSCRIPTION: False}


async def test_a_subscription_that_never_registered_defender_has_no_plan_and_no_gap() -> None:
    never = tuple(replace(one, defender=None) for one in LOGGED.subscriptions)
    found = await collect(estate=replace(LOGGED, subscriptions=never))
    assert found.gaps() == {}
    assert [row["enabled"] for row in found.rows["defender_plan"].values()] == [False, False]


async def test_alert_rules_are_told_by_their_text(logged: Collected) -> None:
    rules = {
        row["name"]: (row["kind"], row["enabled"], row["watches"], row["notifies"])
        for row in logged.rows["alert_rule"].values()
    }
    assert rules == {
        "vault-gone": ("activity-log", True, ["key-vault"], True),
        "credential-added": ("log-query", False, ["application-credentials"], False),
        "cpu": ("log-query", True, [], True),
        "domain federated": ("sentinel", True, ["federation"], True),
        "keys, nobody told": ("sentinel", True, ["key-vault"], False),
        "off": ("sentinel", False, ["key-vault"], True),
    }


async def test_a_workspace_without_sentinel_has_no_rules_and_no_gap(logged: Collected) -> None:
    """The error: https://github.com/hashicorp/terraform-provider-azurerm/pull/20661"""
    assert logged.gaps() == {}
    assert logged.calls["sentinel_rule.list"] == 2
    never = tuple(replace(one, sentinel=None) for one in LOGGED.logs.workspaces)
    found = await collect(estate=replace(LOGGED, logs=replace(LOGGED.logs, workspaces=never)))
    assert found.gaps() == {}
    assert {row["kind"] for row in found.rows["alert_rule"].values()} == {"activity-log", "log-query"}


@pytest.mark.parametrize(
    ("change", "unknown"),
    [
        ({"query": 1}, {"watches"}),
        ({"incidentConfiguration": None}, {"notifies"}),
        ({"incidentConfiguration": {"createIncident": "yes"}}, {"notifies"}),
        ({"enabled": "true"}, {"enabled"}),
    ],
)
async def test_a_rule_of_sentinel_that_was_read_in_part(change: dict[str, object], unknown: set[str]) -> None:
    def edit(body: Any) -> Any:
        for each in body["value"]:
            each["properties"] |= change
        return body

    found = await collect(Fault("sentinel_rule.list", "every", edit=edit), estate=LOGGED)
    rules = [row for row in found.rows["alert_rule"].values() if row["kind"] == "sentinel"]
    assert [set(row["unknown"]) for row in rules] == [unknown] * 3


async def test_a_bad_request_of_another_kind_is_a_gap() -> None:
    body = {"error": {"code": "InvalidApiVersionParameter", "message": "no"}}
    found = await collect(Fault("sentinel_rule.list", "every", status=400, body=body), estate=LOGGED)
    assert (TENANT_ID, "sentinel_rule.list") in found.gaps()


@pytest.mark.parametrize(("operation", "reason"), some_with_each(OPERATIONS, REASONS))
async def test_an_operation_refused_to_the_end(logged: Collected, operation: str, reason: str) -> None:
    single = operation.startswith(("workspace.", "sentinel_rule."))
    found = await ends_refused(logged, operation, reason, estate=LOGGED, single=single)
    kinds = {row["kind"] for row in found.rows["log_sink"].values()}
    gone = {"diagnostic_setting": "vault", "hsm": "managed-hsm", "activity_log": "activity-log", "entra_log": "entra"}
    assert gone.get(operation.partition(".")[0]) not in kinds
    if operation == "workspace.get":
        assert {row["unknown"]["retention"] for row in found.rows["workspace"].values()} == {reason}
    if operation == "workspace.table":
        unknown = dict.fromkeys(("plan", "retention", "total_retention"), reason)
        assert [row["unknown"] for row in found.rows["log_table"].values()] == [unknown] * len(logged.rows["log_table"])
    if operation == "defender.plan":
        assert [row["unknown"] for row in found.rows["defender_plan"].values()] == [{"enabled": reason}] * 2


@pytest.mark.parametrize(("operation", "reason"), some_with_each(OPERATIONS, ["auth_failed", "vanished", "intercepted"]))
async def test_rarer_ends(operation: str, reason: str) -> None:
    found = await collect(refused(operation, reason), estate=LOGGED)
    ends = {(record.state, record.reason) for place, record in found.coverage.items() if place[1] == operation}
    assert ends == {(State.NOT_ASSESSED, reason)}


async def test_one_vault_whose_settings_are_refused_costs_no_other() -> None:
    vaults = (AUDITED, replace(SECOND, diagnostic_settings=(of_vault(SECOND_ID, "a", log("AuditEvent"), workspaceId=BRIEF),)))
    fault = replace(refused("diagnostic_setting.list", "permission"), where="kv-First")
    found = await collect(fault, estate=replace(LOGGED, vaults=vaults))
    assert found.gaps() == {(FIRST_ID, "diagnostic_setting.list"): "not_assessed permission"}
    assert {row["logged_id"] for row in found.rows["log_sink"].values() if row["kind"] == "vault"} == {SECOND_ID}


async def test_entra_refuses_whom_roles_on_subscriptions_are_given() -> None:
    found = await collect(estate=replace(LOGGED, logs=replace(LOGS, entra_refused=True)))
    assert found.gaps() == {(TENANT_ID, "entra_log.list"): "not_assessed permission"}
    assert found.coverage[TENANT_ID, "entra_log.list"].detail == "AuthorizationFailed"


async def test_a_workspace_that_may_not_be_read_keeps_its_rows_unknown() -> None:
    locked = tuple(replace(one, refused=one.name == "log-main") for one in LOGS.workspaces)
    found = await collect(estate=replace(LOGGED, logs=replace(LOGS, workspaces=locked)))
    assert found.gaps() == {
        (TENANT_ID, "workspace.get"): "partial permission",
        (TENANT_ID, "workspace.table"): "partial permission",
        (TENANT_ID, "sentinel_rule.list"): "partial permission",
    }
    assert found.unknown("workspace", MAIN) == dict.fromkeys(("deleted", "location", "retention"), "permission")
    assert found.rows["log_table"][f"{BRIEF}/tables/azureactivity"]["retention"] == 30 * DAY


async def test_a_workspace_that_neither_answers_for_itself_nor_for_its_tables_is_deleted() -> None:
    left = replace(LOGS, workspaces=tuple(one for one in LOGS.workspaces if one.name != "log-main"))
    found = await collect(estate=replace(LOGGED, logs=left))
    assert found.gaps() == {}
    assert {id_: row["deleted"] for id_, row in found.rows["workspace"].items()} == {MAIN: True, BRIEF: False}
    assert found.unknown("workspace", MAIN) == {}
    assert not [id_ for id_ in found.rows["log_table"] if id_.startswith(MAIN)]


async def test_a_workspace_of_a_subscription_that_is_not_seen_is_not_called_deleted() -> None:
    hidden = f"/subscriptions/5ab5c71b-0000-4000-8000-0000000000ff{MAIN.partition(SUBSCRIPTION)[2]}"
    vault = replace(AUDITED, diagnostic_settings=(of_vault(FIRST_ID, "a", log("AuditEvent"), workspaceId=hidden),))
    found = await collect(estate=replace(LOGGED, vaults=(vault,)))
    assert found.unknown("workspace", hidden) == dict.fromkeys(("deleted", "location", "retention"), "not_visible")
    assert found.gaps()[TENANT_ID, "workspace.get"] == "partial not_visible"


GROUPS_AND_CATEGORIES = [
    (log("AuditEvent"), True),
    (log(group="audit"), True),
    (log(group="allLogs"), True),
    (log(group="AllLogs"), True),
    (log("auditevent"), True),
    (log("AuditEvent", enabled=False), False),
    (log(group="audit", enabled=False), False),
    (log("AzurePolicyEvaluationDetails"), False),
    (log("AllMetrics"), False),
]


@pytest.mark.parametrize(("on", "audits"), GROUPS_AND_CATEGORIES)
async def test_trap_17_either_category_or_either_group_is_the_audit_log(on: dict[str, object], audits: bool) -> None:
    vault = replace(AUDITED, diagnostic_settings=(of_vault(FIRST_ID, "one", on, workspaceId=MAIN),))
    found = await collect(estate=replace(LOGGED, vaults=(vault,)))
    row = found.rows["log_sink"][f"{FIRST_ID}/diagnosticsettings/one/workspace"]
    assert row["audits"] == audits
    assert row["tables"] == (["AzureDiagnostics"] if audits else [])


async def test_trap_17_a_setting_without_a_destination_sends_nothing_anywhere() -> None:
    nowhere = of_vault(FIRST_ID, "one", log("AuditEvent"), workspaceId=None, storageAccountId=None)
    found = await collect(estate=replace(LOGGED, vaults=(replace(AUDITED, diagnostic_settings=(nowhere,)),)))
    assert not any(row["kind"] == "vault" for row in found.rows["log_sink"].values())
    assert found.coverage[FIRST_ID, "diagnostic_setting.list"].state is State.ASSESSED


@pytest.mark.parametrize(
    ("kind", "tables"),
    [(None, ["AzureDiagnostics"]), ("AzureDiagnostics", ["AzureDiagnostics"]), ("dedicated", ["AZKVAuditLogs"])],
)
async def test_the_table_is_that_of_the_destination_type(kind: str | None, tables: list[str]) -> None:
    one = of_vault(FIRST_ID, "one", log("AuditEvent"), workspaceId=MAIN, logAnalyticsDestinationType=kind)
    found = await collect(estate=replace(LOGGED, vaults=(replace(AUDITED, diagnostic_settings=(one,)),)))
    assert found.rows["log_sink"][f"{FIRST_ID}/diagnosticsettings/one/workspace"]["tables"] == tables


async def test_a_managed_hsm_has_the_resource_specific_table_of_vaults() -> None:
    """https://learn.microsoft.com/azure/azure-monitor/reference/supported-logs/microsoft-keyvault-managedhsms-logs"""
    one = of_vault(HSM_ID, "one", log("AuditEvent"), workspaceId=MAIN, logAnalyticsDestinationType="Dedicated")
    found = await collect(estate=replace(LOGGED, hsms=(replace(LOGGED.hsms[0], diagnostic_settings=(one,)),)))
    id_ = f"{HSM_ID}/diagnosticsettings/one/workspace"
    assert found.rows["log_sink"][id_]["tables"] == ["AZKVAuditLogs"]
    assert found.unknown("log_sink", id_) == {}


@pytest.mark.parametrize(
    ("edit", "unknown"),
    [
        ({"logs": "all"}, dict.fromkeys(OF_LOGS, "bad_value")),
        ({"logs": [{"category": "AuditEvent", "enabled": "yes"}]}, dict.fromkeys(OF_LOGS, "bad_value")),
        ({"logs": [{"category": " AuditEvent ", "enabled": True}]}, dict.fromkeys(OF_LOGS, "bad_value")),
        ({"logs": [{"categoryGroup": "\uff41udit", "enabled": True}]}, dict.fromkeys(OF_LOGS, "bad_value")),
        ({"logs": None}, dict.fromkeys(OF_LOGS, "bad_value")),
        ({"logs": [log("AuditEvent"), log()]}, dict.fromkeys(OF_LOGS, "bad_value")),
        ({"logs": [log(group="newest")]}, dict.fromkeys(("audits", "tables"), "unrecognised")),
        ({"workspaceId": 5}, {"destination_id": "bad_value"}),
        ({"logAnalyticsDestinationType": "Elsewhere"}, {"tables": "unrecognised"}),
        ({"logAnalyticsDestinationType": 1}, {"tables": "bad_value"}),
    ],
)
async def test_a_setting_that_cannot_be_right_keeps_its_row(edit: dict[str, object], unknown: dict[str, str]) -> None:
    def change(body: dict[str, Any]) -> dict[str, Any]:
        body["value"][0]["properties"] |= edit
        return body

    found = await collect(Fault("diagnostic_setting.list", "every", where="kv-First", edit=change), estate=LOGGED)
    assert found.unknown("log_sink", f"{FIRST_ID}/diagnosticsettings/audit/workspace") == unknown
    # Which tables it fills is unknown in a row of its own; in which workspace, nobody can say.
    unread = found.rows["log_table"].get(f"{MAIN}/tables/unread", {}).get("unknown")
    assert unread == (dict.fromkeys(OF_TABLES, unknown["tables"]) if "tables" in unknown else None)
    gaps = {(FIRST_ID, "diagnostic_setting.list"): "partial bad_value"} if "destination_id" in unknown else {}
    assert found.gaps() == gaps


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        ({"id": "/subscriptions/x/diagnosticSettings/Audit"}, "inconsistent"),
        ({"id": f"{SECOND_ID}/providers/microsoft.insights/diagnosticSettings/Audit"}, "inconsistent"),
        ({"name": "other"}, "bad_item"),
        ({"name": None}, "bad_item"),
        ({"name": "a/b"}, "bad_item"),
        ({"properties": None}, "bad_item"),
        ({"properties": []}, "bad_item"),
    ],
)
async def test_a_setting_of_something_else_is_set_aside(edit: dict[str, object], reason: str) -> None:
    def change(body: dict[str, Any]) -> dict[str, Any]:
        body["value"][0] |= edit
        return body

    found = await collect(Fault("diagnostic_setting.list", "every", where="kv-First", edit=change), estate=LOGGED)
    assert found.gaps() == {(FIRST_ID, "diagnostic_setting.list"): f"partial {reason}"}
    assert f"{FIRST_ID}/diagnosticsettings/siem/event-hub" in found.rows["log_sink"]


@pytest.mark.parametrize("operation", ["workspace.get", "workspace.table"])
async def test_an_answer_about_another_workspace_or_table_is_none(operation: str) -> None:
    def other(body: dict[str, Any]) -> dict[str, Any]:
        # Of a table only the workspace is another one: its own name is right.
        return body | {"id": body["id"].replace("/workspaces/", "/workspaces/other-")}

    found = await collect(Fault(operation, "every", edit=other), estate=LOGGED)
    assert found.gaps() == {(TENANT_ID, operation): "not_assessed inconsistent"}


@pytest.mark.parametrize(
    ("edit", "unknown"),
    [
        ({"retentionInDays": None}, {"retention": "bad_value"}),
        ({"retentionInDays": -7}, {"retention": "bad_value"}),
        ({"retentionInDays": "90"}, {"retention": "bad_value"}),
        ({"totalRetentionInDays": 10**30}, {"total_retention": "bad_value"}),
        ({"plan": None}, {"plan": "bad_value"}),
    ],
)
async def test_a_table_that_cannot_be_right(edit: dict[str, object], unknown: dict[str, str]) -> None:
    def change(body: dict[str, Any]) -> dict[str, Any]:
        return body | {"properties": body["properties"] | edit}

    found = await collect(Fault("workspace.table", "every", edit=change), estate=LOGGED)
    assert found.unknown("log_table", f"{MAIN}/tables/azkvauditlogs") == unknown


async def test_minus_one_stands_for_the_workspaces_retention_and_a_new_plan_is_unknown() -> None:
    def change(body: dict[str, Any]) -> dict[str, Any]:
        return body | {"properties": {"plan": "Lake", "retentionInDays": -1, "totalRetentionInDays": -1}}

    found = await collect(Fault("workspace.table", "every", edit=change), estate=LOGGED)
    row = found.rows["log_table"][f"{BRIEF}/tables/azureactivity"]
    assert (row["retention"], row["total_retention"], row["unknown"]) == (30 * DAY, 30 * DAY, {"plan": "unrecognised"})


@pytest.mark.parametrize("destination", ["/subscriptions/x/workspaces/y", "https://evil.example/", " ", "/" * 9])
async def test_a_destination_that_is_no_workspace_is_not_asked(destination: str) -> None:
    one = of_vault(FIRST_ID, "one", log("AuditEvent"), workspaceId=destination)
    found = await collect(
        estate=replace(
            LOGGED, vaults=(replace(AUDITED, diagnostic_settings=(one,)),), hsms=(), logs=replace(LOGS, entra_settings=())
        )
    )
    places = ((TENANT_ID, "workspace.get"), (FIRST_ID, "diagnostic_setting.list"))
    assert found.gaps() == dict.fromkeys(places, "partial bad_value")
    assert set(found.rows["workspace"]) == {BRIEF}


async def test_an_empty_text_is_no_destination() -> None:
    one = of_vault(FIRST_ID, "one", log("AuditEvent"), workspaceId="", storageAccountId=STORAGE)
    found = await collect(estate=replace(LOGGED, vaults=(replace(AUDITED, diagnostic_settings=(one,)),)))
    assert found.gaps() == {}
    assert [row["destination_kind"] for row in found.rows["log_sink"].values() if row["logged_id"] == FIRST_ID] == ["storage"]


async def test_a_group_of_entras_logs_is_not_taken_for_categories() -> None:
    whole = setting("providers/microsoft.aadiam", "entra", log(group="allLogs"), workspaceId=MAIN)
    found = await collect(estate=replace(LOGGED, logs=replace(LOGS, entra_settings=(whole,))))
    id_ = f"{TENANT_ID}/diagnosticsettings/entra/workspace"
    assert found.unknown("log_sink", id_) == {"tables": "unrecognised"}
    assert found.rows["log_sink"][id_]["audits"]


@pytest.mark.parametrize(
    ("name", "edit", "unknown"),
    [
        ("vault-gone", {"condition": None}, {"watches": "bad_value"}),
        ("vault-gone", {"condition": {"allOf": [{"field": 1}]}}, {"watches": "bad_value"}),
        ("vault-gone", {"actions": "x"}, {"notifies": "bad_value"}),
        ("cpu", {"criteria": {"allOf": [{"query": None}]}}, {"watches": "bad_value"}),
        ("cpu", {"enabled": "true"}, {"enabled": "bad_value"}),
    ],
)
async def test_a_rule_that_cannot_be_read(name: str, edit: dict[str, object], unknown: dict[str, str]) -> None:
    def change(body: dict[str, Any]) -> dict[str, Any]:
        for row in body["data"]:
            if row["name"] == name:
                row["properties"] |= edit
        return body

    found = await collect(Fault("alert_rule.query", "every", edit=change), estate=LOGGED)
    [row] = [row for row in found.rows["alert_rule"].values() if row["name"] == name]
    assert row["unknown"] == unknown


async def test_a_rule_that_watches_any_of_several_things_watches_each() -> None:
    several = [{"field": "resourceType", "containsAny": ["x"]}, {"field": "resourceProvider", "equals": "MICROSOFT.KEYVAULT"}]
    leaves = [{"field": "category", "equals": "Administrative"}, {"anyOf": several}]

    def change(body: dict[str, Any]) -> dict[str, Any]:
        body["data"][0]["properties"]["condition"] = {"allOf": leaves}
        return body

    found = await collect(Fault("alert_rule.query", "every", edit=change), estate=LOGGED)
    assert found.rows["alert_rule"][f"{RULES}/activitylogalerts/vault-gone"]["watches"] == ["key-vault"]


@pytest.mark.parametrize("id_", ["/subscriptions/x", 7, None, f"{OTHER.replace('b', 'f')}/resourcegroups/a/providers/x/y/z"])
async def test_a_rule_of_somewhere_else_is_set_aside(id_: object) -> None:
    def change(body: dict[str, Any]) -> dict[str, Any]:
        body["data"][0]["id"] = id_
        return body

    found = await collect(Fault("alert_rule.query", "every", edit=change), estate=LOGGED)
    assert found.gaps() == {(TENANT_ID, "alert_rule.query"): "partial bad_item"}
    assert len([row for row in found.rows["alert_rule"].values() if row["kind"] != "sentinel"]) == 2


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        ({"properties": {"pricingTier": "Gold"}}, "unrecognised"),
        ({"id": f"{HOME}/providers/Microsoft.Security/pricings/VirtualMachines"}, "inconsistent"),
        ({"id": f"{EMPTY_SUBSCRIPTION}/providers/Microsoft.Security/pricings/KeyVaults"}, "inconsistent"),
        ({"properties": None}, "bad_item"),
    ],
)
async def test_a_defender_plan_that_cannot_be_right(edit: dict[str, object], reason: str) -> None:
    found = await collect(Fault("defender.plan", "every", where=SUBSCRIPTION, edit=lambda body: body | edit), estate=LOGGED)
    assert found.unknown("defender_plan", f"{HOME}/providers/microsoft.security/pricings/keyvaults") == {"enabled": reason}
