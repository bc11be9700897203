"""Records of keys, credentials, consent, roles, mail and logs, in the formats of several systems: read, or counted as unread.

Shapes: AuditLogs and CloudAppEvents of https://github.com/OTRF/Security-Datasets (compound/GoldenSAMLADFSMailAccess); the REST
API of the activity log, https://learn.microsoft.com/rest/api/monitor/activity-logs/list; its columns before 2020, and its
categories in storage, https://learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.collect.usage import made
from tests.collect.usage.made import TENANT, guid
from tests.collect.usage.rig import Read, counts, read, rows
from tests.collect.usage.test_public_rules import FOUND

VAULT = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv"
ACCOUNT = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/st"
SETTING = f"{VAULT}/providers/microsoft.insights/diagnosticSettings/audit"
APP, PRINCIPAL = guid(1, 1).lower(), guid(2, 1).lower()
AT = "2026-03-01T08:00:00.1234567Z"


def of(tmp_path: Path, *records: dict[str, Any]) -> Read:
    path = tmp_path / "records.jsonl"
    path.write_text("".join(f"{json.dumps(record, default=made.iso)}\n" for record in records), encoding="utf-8")
    return read(path)


def others(found: Read) -> dict[str, dict[str, int]]:
    return {source: each.others for file in found.files for source, each in file.sources.items()}


def unnamed(row: dict[str, Any]) -> dict[str, Any]:
    """A row without the column that names its table, beside the columns that many tables have."""
    return {name: value for name, value in row.items() if name != "Type"} | {
        "ResourceProvider": "",
        "OperationName": row.get("OperationName", "Sign-in activity"),
    }


@pytest.mark.parametrize("provider", ["", "Microsoft.aadiam"])
def test_rows_of_entra_that_have_a_resource_provider_and_no_type(tmp_path: Path, provider: str) -> None:
    made_rows = (made.change_row(made.changes()[1]), made.sign_in_row(made.sign_ins()[1]))
    found = of(tmp_path, *(unnamed(row) | {"ResourceProvider": provider} for row in made_rows))
    assert {row["source"]: row["operation"] for row in rows(found)} == {
        "AuditLogs": "add-credential",
        "AADServicePrincipalSignInLogs": "sign-in",
    }


def streamed(category: str, row: dict[str, Any]) -> dict[str, Any]:
    """As Defender writes it to an event hub: test_cloud_app of https://github.com/SEKOIA-IO/intake-formats."""
    return {
        "time": AT,
        "tenantId": TENANT,
        "operationName": "Publish",
        "category": f"AdvancedHunting-{category}",
        "properties": row,
    }


def test_rows_of_defender_in_an_event_hub(tmp_path: Path) -> None:
    mail = json.loads(json.dumps(made.mail_audit(made.mail()[0]), default=made.iso))
    row = {"Timestamp": AT, "ActionType": "Send", "RawEventData": mail}
    found = of(tmp_path, streamed("CloudAppEvents", row), streamed("DeviceEvents", {"ActionType": "OpenProcessApiCall"}))
    assert [row["operation"] for row in rows(found)] == ["send-mail"]
    assert counts(found)["quarantined"] == 0
    (tmp_path / "odd").mkdir()
    found = of(tmp_path / "odd", streamed("CloudAuditEvents", row), {**streamed("CloudAppEvents", row), "properties": "none"})
    assert (rows(found), counts(found)["quarantined"]) == ([], 2)


def test_a_row_of_entra_that_shows_nothing_else_is_counted_as_unread(tmp_path: Path) -> None:
    bare = {"TimeGenerated": AT, "OperationName": "Sign-in activity", "AppId": APP, "ResourceProvider": "Microsoft.aadiam"}
    found = of(tmp_path, bare)
    assert counts(found)["quarantined"] == 1
    assert [each.trouble for each in found.files] == [("line 1: from an unknown log: export the column Type with it",)]


@pytest.mark.parametrize("named", [{"Type": "AzureDiagnostics"}, {}])
def test_rows_of_other_services_in_azure_diagnostics_are_none_of_these(tmp_path: Path, named: dict[str, str]) -> None:
    row = made.kv_legacy(made.requests()[1]) | {"ResourceProvider": "MICROSOFT.NETWORK"}
    del row["Type"]
    found = of(tmp_path, row | named)
    assert (counts(found)["ignored"], rows(found)) == (1, [])


def older(operation: str, action: str | None, resource: str = SETTING, **columns: object) -> dict[str, Any]:
    """A row of AzureActivity with the columns of before 2020."""
    authorization = {} if action is None else {"Authorization": json.dumps({"action": action, "scope": resource})}
    return {
        "TimeGenerated": AT,
        "OperationName": operation,
        "ActivityStatus": "Succeeded",
        "ResourceId": resource,
        "ResourceProvider": "Microsoft Insights",
        "Category": "Administrative",
        "Caller": "admin@contoso.example",
        "CallerIpAddress": "192.0.2.1",
        "CorrelationId": guid(3, 1),
        **authorization,
        **columns,
    }


@pytest.mark.parametrize("typed", [{"Type": "AzureActivity"}, {}])
def test_the_columns_of_azure_activity_before_2020(tmp_path: Path, typed: dict[str, str]) -> None:
    claims = {"appid": APP.upper(), made.OBJECT_ID: PRINCIPAL}
    action = "Microsoft.Insights/diagnosticSettings/delete"
    record = older("Delete diagnostic setting", action, Claims=json.dumps(claims))
    if not typed:
        # The columns to which these are to give way.
        record = older("Delete diagnostic setting", None, Claims_d=claims, Authorization_d={"action": action})
    listing = older("List Storage Account Keys", "Microsoft.Storage/storageAccounts/listKeys/action", ACCOUNT)
    found = of(tmp_path, record | typed, listing | typed)
    row, listed_keys = rows(found)
    assert (row["operation"], row["target_id"], row["succeeded"]) == ("remove-log-settings", SETTING.lower(), True)
    assert (row["actor_app_id"], row["principal_id"], row["network"]) == (APP, PRINCIPAL, "192.0.2.1")
    assert (listed_keys["operation"], listed_keys["target_id"]) == ("list-account-keys", ACCOUNT.lower())
    assert others(found) == {"AzureActivity": {}}


def test_an_operation_that_is_named_only_in_words_is_counted_as_unread(tmp_path: Path) -> None:
    found = of(tmp_path, older("Delete diagnostic setting", None), older("Health", None, Category="ServiceHealth"))
    assert (counts(found)["quarantined"], counts(found)["ignored"], rows(found)) == (1, 1, [])
    assert others(found)["AzureActivity"] == {"Health": 1}


def listed(operation: str, resource: str = SETTING, category: str = "Administrative") -> dict[str, Any]:
    """A record of the REST API."""
    return {
        "authorization": {"action": operation, "role": "Owner", "scope": resource},
        "caller": "admin@contoso.example",
        "category": {"value": category, "localizedValue": category},
        "claims": {"appid": APP.upper(), made.OBJECT_ID: PRINCIPAL, "ipaddr": "192.0.2.9"},
        "correlationId": guid(3, 1),
        "eventDataId": guid(3, 2),
        "eventName": {"value": "EndRequest", "localizedValue": "End request"},
        "eventTimestamp": AT,
        "httpRequest": {"clientRequestId": guid(3, 3), "clientIpAddress": "192.0.2.1", "method": "DELETE"},
        "id": f"{resource}/events/{guid(3, 2)}/ticks/638",
        "level": "Informational",
        "operationName": {"value": operation, "localizedValue": "words"},
        "resourceId": resource,
        "resourceProviderName": {"value": "microsoft.insights", "localizedValue": "microsoft.insights"},
        "status": {"value": "Succeeded", "localizedValue": "Succeeded"},
        "subscriptionId": "s",
        "tenantId": TENANT,
    }


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        ("Microsoft.Authorization/roleAssignments/write", "assign-role"),
        ("Microsoft.Authorization/elevateAccess/action", "elevate-access"),
        ("microsoft.insights/diagnosticSettings/delete", "remove-log-settings"),
        ("Microsoft.Insights/ActivityLogAlerts/Delete", "remove-alert-rule"),
    ],
)
def test_the_activity_log_as_its_api_gives_it(tmp_path: Path, name: str, operation: str) -> None:
    path = tmp_path / "page.json"
    path.write_text(json.dumps({"value": [listed(name), listed("Microsoft.Compute/virtualMachines/write")]}))
    found = read(path)
    [row] = rows(found)
    assert (row["operation"], row["target_id"], row["succeeded"], row["network"]) == (
        operation,
        SETTING.lower(),
        True,
        "192.0.2.1",
    )
    assert (row["actor_app_id"], row["principal_id"]) == (APP, PRINCIPAL)
    assert others(found) == {"AzureActivity": {"Microsoft.Compute/virtualMachines/write": 1}}
    assert found.known.tenant_id == TENANT


@pytest.mark.parametrize("category", ["Administrative", "Write", "Delete", "Action"])
def test_the_activity_log_in_storage_under_each_of_its_categories(tmp_path: Path, category: str) -> None:
    record = {
        "time": AT,
        "resourceId": SETTING.upper(),
        "operationName": "MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/DELETE",
        "category": category,
        "resultType": "Success",
        "identity": {"claims": {"appid": APP, made.OBJECT_ID: PRINCIPAL}},
    }
    assert [row["operation"] for row in rows(of(tmp_path, record))] == ["remove-log-settings"]


def cloud_app(action: str, raw: object, **columns: object) -> dict[str, Any]:
    """A row of CloudAppEvents."""
    return {
        "Timestamp": AT,
        "ActionType": action,
        "Application": "Microsoft Exchange Online",
        "ApplicationId": 20893,
        "AccountObjectId": APP,
        "IPAddress": "1.2.3.4",
        "ObjectName": action,
        "RawEventData": raw,
        "OAuthAppId": APP,
        **columns,
    }


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize("typed", [{"Type": "CloudAppEvents"}, {}])
def test_mail_in_cloud_app_events_is_the_same_use_as_in_the_unified_log(
    tmp_path: Path, as_text: bool, typed: dict[str, str]
) -> None:
    record = made.mail_audit(made.mail()[1])
    raw = json.dumps(record) if as_text else record
    (tmp_path / "a").mkdir()
    assert rows(of(tmp_path, cloud_app("MailItemsAccessed", raw, **typed))) == rows(of(tmp_path / "a", record))


def test_cloud_app_events_without_their_record_are_counted_as_unread_where_they_matter(tmp_path: Path) -> None:
    found = of(tmp_path, *(cloud_app(action, None) for action in ("MailItemsAccessed", "FileAccessed", "LdapSearch")))
    assert (counts(found)["quarantined"], rows(found)) == (1, [])
    assert others(found)["OfficeActivity"] == {"FileAccessed": 1, "LdapSearch": 1}
    assert [each.trouble for each in found.files] == [("line 1: MailItemsAccessed without its RawEventData",)]


def key_events() -> Iterator[tuple[str, dict[str, Any]]]:
    """Records of a use, by format."""
    request, sign_in, change, mail = made.requests()[1], made.sign_ins()[1], made.changes()[1], made.mail()[1]
    yield "key record", made.kv_record(request)
    yield "key row", made.kv_row(request)
    yield "legacy row", made.kv_legacy(request)
    yield "sign-in", made.sign_in_graph(sign_in)
    yield "sign-in record", made.sign_in_record(sign_in)
    yield "sign-in row", made.sign_in_row(sign_in)
    yield "change", made.change_graph(change)
    yield "change record", made.change_record(change)
    yield "change row", made.change_row(change) | {"Type": "AuditLogs"}
    yield "mail row", made.mail_row(mail)
    yield "mail record", made.mail_audit(mail)
    yield "mail export", made.mail_purview(mail)
    yield "mail of Graph", made.mail_graph(mail)
    yield "cloud app", cloud_app("MailItemsAccessed", made.mail_audit(mail))
    yield "older activity", older("Delete diagnostic setting", "Microsoft.Insights/diagnosticSettings/delete")
    yield "activity", listed("microsoft.insights/diagnosticSettings/delete")


def one_less(value: Any) -> Iterator[Any]:
    """The value with one member left out, or null, at any depth."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield {each: kept for each, kept in value.items() if each != name}
            yield {**value, name: None}
            yield from ({**value, name: changed} for changed in one_less(inner))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from ([*value[:number], changed, *value[number + 1 :]] for changed in one_less(item))


RULES = {name: record for name, (record, *_) in FOUND.items() if name != "a vault that is recovered"}
"""What public rules look for. A vault that is written is recovered only if the record says so."""


@pytest.mark.parametrize(("name", "record"), [*key_events(), *RULES.items()])
def test_a_record_of_a_use_is_never_of_another_kind_whatever_it_lacks(
    tmp_path: Path, name: str, record: dict[str, Any]
) -> None:
    plain = json.loads(json.dumps(record, default=made.iso))
    changed = [plain, plain | {"ResourceProvider": ""}, *one_less(plain)]
    changed += [plain | {each: "overwritten"} for each in ("Type", "category") if each in plain]
    path = tmp_path / "records.jsonl"
    for number, each in enumerate(changed):
        path.write_text(json.dumps(each) + "\n", encoding="utf-8")
        found = read(path)
        dropped = [told.others or source for file in found.files for source, told in file.sources.items() if told.ignored]
        assert not dropped, (name, number, each)
    assert len(changed) > 3
