"""Single records: what each says of keys, credentials, federation and logging, and what it does not."""

import json
from pathlib import Path
from typing import Any

import pytest

from keyaudit.logs.formats.values import BadRecordError, address, moment, operation_name
from tests.collect.usage import forms, made
from tests.collect.usage.made import TENANT, guid
from tests.collect.usage.rig import counts, imported, read, rows

AT = 1_772_323_200
KEY, OTHER = guid(6, 1).lower(), guid(6, 2).lower()


def described(*keys: str) -> str:
    return json.dumps([f"[KeyIdentifier={key.upper()},KeyType=Password,KeyUsage=Verify,DisplayName=x,y]" for key in keys])


def told(tmp_path: Path, record: dict[str, Any], *, stored: bool = False) -> list[dict[str, Any]]:
    path = tmp_path / "record"
    path.write_text(json.dumps(record))
    store = imported(tmp_path / "store", path) if stored else read(path)
    assert counts(store)["quarantined"] == 0
    return sorted(rows(store), key=lambda row: (row["operation"], row["credential_key_id"] or ""))


def audit(activity: str, *properties: tuple[str, str | None, str | None], **members: object) -> dict[str, Any]:
    event = made.changes()[1]
    found = made.change_graph({**event, "activity": activity, "properties": properties, "result": "success"})
    return {**found, **members}


def unified(operation: str, **members: object) -> dict[str, Any]:
    return {
        "CreationTime": "2026-03-01T00:00:00",
        "Id": guid(1, 1),
        "Operation": operation,
        "OrganizationId": TENANT,
        "Workload": "AzureActiveDirectory",
        "ResultStatus": "Success",
        "UserId": "Admin@contoso.example",
        **members,
    }


@pytest.mark.parametrize(
    ("activity", "old", "new", "expected"),
    [
        ("Update application \u2013 Certificates and secrets management ", "[]", described(KEY), [("add-credential", KEY)]),
        ("Update application - Certificates and secrets management", "[]", described(KEY), [("add-credential", KEY)]),
        ("update application \u2014 certificates and secrets management.", "[]", described(KEY), [("add-credential", KEY)]),
        ("Create application \u2013 Certificates and secrets management ", None, described(KEY), [("add-credential", KEY)]),
        ("Add service principal credentials", described(KEY), described(KEY, OTHER), [("add-credential", OTHER)]),
        ("Remove service principal credentials", described(KEY, OTHER), described(KEY), [("remove-credential", OTHER)]),
        (
            "Update application \u2013 Certificates and secrets management ",
            described(KEY),
            described(OTHER),
            [("add-credential", OTHER), ("remove-credential", KEY)],
        ),
        ("Update application \u2013 Certificates and secrets management ", "?", "?", [("add-credential", None)]),
        ("Add service principal", "[]", described(KEY), [("add-credential", KEY), ("add-service-principal", None)]),
        ("Add service principal", "[]", "[]", [("add-service-principal", None)]),
        ("Update application", "[]", described(KEY), [("add-credential", KEY)]),
        ("Update application", described(KEY), described(KEY), []),
        ("Update application", described(KEY).replace("x,y", "z"), described(KEY), []),
        ("Update application", described(KEY), "[]", [("remove-credential", KEY)]),
        ("Update application", "[1]", "[1,2]", [("add-credential", None)]),
        ("Update service principal", "[1]", "[1]", []),
        ("Update service principal", "[1]", "[]", []),
        ("Update service principal", "[]", "[]", []),
        ("Add owner to application", "[]", described(KEY), [("add-owner", None)]),
        ("Add service principal credentials from a partner", "[]", described(KEY), []),
    ],
)
def test_credentials_that_come_and_go(
    tmp_path: Path, activity: str, old: str | None, new: str, expected: list[tuple[str, str | None]]
) -> None:
    found = told(tmp_path, audit(activity, ("KeyDescription", old, new), ("Included Updated Properties", None, '"x"')))
    assert [(row["operation"], row["credential_key_id"]) for row in found] == expected
    assert all(
        bool(row["unknown"]) == (row["operation"] == "add-credential" and row["credential_key_id"] is None) for row in found
    )


@pytest.mark.parametrize(
    "record",
    [
        audit("Update application", targetResources=None),
        unified("Update service principal."),
        {k: v for k, v in made.change_row(made.changes()[1]).items() if k != "TargetResources"}
        | {"Type": "AuditLogs", "OperationName": "Add service principal", "TimeGenerated": AT, "ActivityDateTime": AT},
    ],
    ids=["graph", "unified", "row"],
)
def test_what_does_not_say_what_it_changed_is_not_read_as_nothing(tmp_path: Path, record: dict[str, Any]) -> None:
    path = tmp_path / "record"
    path.write_text(json.dumps(record))
    found = counts(read(path))
    assert (found["ignored"], found["quarantined"]) == (0, 1)


STORE = {"CredentialType": 2, "KeyStoreId": "291154f0-a9f5-45bb-87be-9c8ee5b6d62c"}
"""The property Credential of every new service principal: Microsoft Entra ID in https://github.com/SEKOIA-IO/documentation"""


@pytest.mark.parametrize("group", [STORE["KeyStoreId"], "375eb77d-1d23-462b-9be7-cb51db9123e3"])
def test_a_store_of_keys_is_no_credential_of_a_new_service_principal(tmp_path: Path, group: str) -> None:
    value = json.dumps([{**STORE, "KeyGroupId": group}])
    [row] = told(tmp_path, audit("Add service principal", ("Credential", "[]", value)))
    assert (row["operation"], row["target_kind"], row["unknown"]) == ("add-service-principal", "service-principal", {})


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        (("Credential", "[]", json.dumps([{**STORE, "KeyId": KEY}])), KEY),
        (("KeyDescription", "[]", described(KEY)), KEY),
        (("KeyDescription", "[]", '["[KeyType=Password,KeyUsage=Verify]"]'), None),
    ],
)
def test_a_first_credential_of_a_new_service_principal_is_found_beside_its_store(
    tmp_path: Path, changed: tuple[str, str, str], key: str | None
) -> None:
    found = told(tmp_path, audit("Add service principal", ("Credential", "[]", json.dumps([STORE])), changed))
    assert [(row["operation"], row["credential_key_id"]) for row in found] == [
        ("add-credential", key),
        ("add-service-principal", None),
    ]
    assert {row["target_kind"] for row in found} == {"service-principal"}


def federated(*issuers: str) -> str:
    """The value of FederatedIdentityCredentials.

    https://elastic.github.io/detection-rules-explorer, "Entra ID Federated Identity Credential Issuer Modified"
    """
    return json.dumps([json.dumps({"Name": "deploy", "Issuer": each, "Subject": "repo:contoso/infra"}) for each in issuers])


GITHUB, OTHERS_ISSUER = "https://token.actions.githubusercontent.com", "https://login.intruder.example"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("[]", federated(GITHUB), ["add-credential"]),
        (None, federated(GITHUB), ["add-credential"]),
        (federated(GITHUB), federated(OTHERS_ISSUER), ["add-credential", "remove-credential"]),
        (federated(GITHUB), federated(GITHUB, OTHERS_ISSUER), ["add-credential"]),
        (federated(GITHUB, OTHERS_ISSUER), federated(GITHUB), ["remove-credential"]),
        (federated(GITHUB, OTHERS_ISSUER), federated(OTHERS_ISSUER, GITHUB), []),
        (federated(GITHUB), "[]", ["remove-credential"]),
        ("[]", "[]", []),
        ("[]", "a text that is no list", ["add-credential"]),
        ("[]", "[" * 5_000, ["add-credential"]),
    ],
)
def test_federated_credentials_that_come_change_and_go(tmp_path: Path, old: str | None, new: str, expected: list[str]) -> None:
    changed = ("FederatedIdentityCredentials", old, new)
    found = told(tmp_path, audit("Update application", changed, ("Included Updated Properties", None, '"x"')))
    assert [row["operation"] for row in found] == expected
    assert all(row["unknown"] == {"credential_key_id": "not_supplied"} for row in found)


def test_who_changed_it(tmp_path: Path) -> None:
    [row] = told(tmp_path, audit("Add service principal credentials", ("KeyDescription", "[]", described(KEY))))
    assert (row["principal_id"], row["network"], row["client"]) == (guid(9, 1).lower(), "192.0.2.7", "Mozilla/5.0 (X)")
    assert (row["target_kind"], row["target_id"]) == ("service-principal", guid(5, 1).lower())


def test_a_result_that_is_not_known_is_unknown(tmp_path: Path) -> None:
    [row] = told(tmp_path, audit("Set federation settings on domain", result="timeout", targetResources=[]))
    assert (row["succeeded"], row["target_id"]) == (None, None)
    assert row["unknown"] == {"succeeded": "unrecognised", "target_id": "not_supplied"}


def test_a_copy_in_the_unified_log(tmp_path: Path) -> None:
    record = unified(
        "Add service principal credentials.",
        Actor=[{"ID": "admin@contoso.example", "Type": 5}, {"ID": f"User_{guid(9, 1)}", "Type": 2}],
        ActorIpAddress="198.51.100.7:51234",
        Target=[{"ID": "app", "Type": 1}, {"ID": f"ServicePrincipal_{guid(5, 1)}", "Type": 2}],
        ModifiedProperties=[{"Name": "KeyDescription", "OldValue": "[]", "NewValue": described(KEY)}],
        ExtendedProperties=[{"Name": "additionalDetails", "Value": '{"User-Agent":"curl/8"}'}],
    )
    [row] = told(tmp_path, record)
    assert (row["operation"], row["credential_key_id"], row["target_id"]) == ("add-credential", KEY, guid(5, 1).lower())
    assert (row["principal_id"], row["network"], row["client"]) == (guid(9, 1).lower(), "198.51.100.7", "curl/8")


def test_federation_of_a_domain(tmp_path: Path) -> None:
    [row] = told(tmp_path, unified("Set federation settings on domain.", ObjectId="Contoso.example"))
    assert (row["operation"], row["target_kind"], row["target_id"]) == ("change-federation", "domain", "contoso.example")


@pytest.mark.parametrize(
    ("operation", "parameters", "kind"),
    [
        ("Set-AdminAuditLogConfig", [{"Name": "UnifiedAuditLogIngestionEnabled", "Value": "False"}], "tenant"),
        ("Set-AdminAuditLogConfig", '[{"Name":"UnifiedAuditLogIngestionEnabled","Value":"False"}]', "tenant"),
        ("Set-AdminAuditLogConfig", None, "tenant"),
        ("Set-AdminAuditLogConfig", [{"Name": "UnifiedAuditLogIngestionEnabled", "Value": "True"}], ""),
        ("Set-AdminAuditLogConfig", [{"Name": "LogLevel", "Value": "Verbose"}], ""),
        ("Set-OrganizationConfig", [{"Name": "AuditDisabled", "Value": "True"}], "tenant"),
        ("Set-OrganizationConfig", [{"Name": "FocusedInboxOn", "Value": "True"}], ""),
        ("Set-MailboxAuditBypassAssociation", [{"Name": "AuditBypassEnabled", "Value": "$true"}], "mailbox"),
        ("Set-Mailbox", [{"Name": "AuditEnabled", "Value": "False"}], "mailbox"),
        ("Set-Mailbox", [{"Name": "AuditEnabled", "Value": "True"}], ""),
    ],
)
def test_what_switches_recording_off(tmp_path: Path, operation: str, parameters: object, kind: str) -> None:
    found = told(tmp_path, unified(operation, Parameters=parameters, Workload="Exchange", ResultStatus="True", ObjectId="A@b"))
    assert [(row["operation"], row["target_kind"]) for row in found] == ([("change-audit", kind)] if kind else [])


def activity(status: str) -> dict[str, Any]:
    return {
        "time": "2026-03-01T00:00:00.5Z",
        "resourceId": "/SUBSCRIPTIONS/A/PROVIDERS/MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/S",
        "operationName": "MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/DELETE",
        "category": "Administrative",
        "resultType": status,
        "callerIpAddress": "192.0.2.1",
        "identity": {"authorization": {"scope": "/"}, "claims": {"appid": "AA", made.OBJECT_ID: "BB"}},
    }


@pytest.mark.parametrize(("status", "succeeded"), [("Success", [True]), ("Failure", [False]), ("Start", []), ("Accept", [])])
def test_a_diagnostic_setting_that_is_removed(tmp_path: Path, status: str, succeeded: list[bool]) -> None:
    found = told(tmp_path, activity(status), stored=True)
    assert [row["succeeded"] for row in found] == succeeded
    for row in found:
        assert (row["operation"], row["actor_app_id"], row["principal_id"]) == ("remove-log-settings", "aa", "bb")
        assert row["scope_id"] == row["target_id"] == "/subscriptions/a/providers/microsoft.insights/diagnosticsettings/s"


def test_the_same_as_a_row_of_azure_activity(tmp_path: Path) -> None:
    row = {
        "TimeGenerated": "2026-03-01T00:00:00.5Z",
        "OperationNameValue": "MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/DELETE",
        "ActivityStatusValue": "Success",
        "_ResourceId": activity("")["resourceId"].lower(),
        "CallerIpAddress": "192.0.2.1",
        "Claims": json.dumps({"appid": "AA", made.OBJECT_ID: "BB"}),
    }
    (tmp_path / "a").mkdir()
    assert told(tmp_path, row) == told(tmp_path / "a", activity("Success"))


@pytest.mark.parametrize(
    ("operation", "path", "expected"),
    [
        ("KeySign", "keys/K/{v}/sign", "keys/k/{v}"),
        ("KeySign", "keys/K/sign", "keys/k"),
        ("KeyBackup", "keys/K/backup", "keys/k"),
        ("KeyRelease", "keys/K/{v}/release", "keys/k/{v}"),
        ("SecretGet", "secrets/S/", "secrets/s"),
        ("CertificateBackup", "certificates/C/backup", "certificates/c"),
    ],
)
def test_what_a_request_is_of(tmp_path: Path, operation: str, path: str, expected: str) -> None:
    version = "0123456789abcdef0123456789ABCDEF"
    record = made.kv_record({**made.requests()[1], "operation": operation, "id": ""})
    record["properties"]["requestUri"] = f"https://Kv.vault.azure.net:443/{path.format(v=version)}?api-version=7.4"
    [row] = told(tmp_path, record)
    assert row["target_id"] == f"https://kv.vault.azure.net/{expected.format(v=version.lower())}"


@pytest.mark.parametrize(
    ("record", "name"),
    [
        (made.kv_record(made.requests()[1]), "operationName"),
        (made.kv_row(made.requests()[1]) | {"Type": "AZKVAuditLogs"}, "OperationName"),
        (made.kv_legacy(made.requests()[1]) | {"Type": "AzureDiagnostics"}, "OperationName"),
        (made.change_row(made.changes()[1]) | {"Type": "AuditLogs"}, "OperationName"),
        (activity("Success"), "operationName"),
        ({"Type": "AzureActivity", "TimeGenerated": "2026-03-01T00:00:00Z", "OperationNameValue": "x"}, "OperationNameValue"),
    ],
)
def test_what_names_no_operation_is_not_taken_for_another(tmp_path: Path, record: dict[str, Any], name: str) -> None:
    path = tmp_path / "record"
    path.write_text(forms.objects([{**record, name: ""}]) if "Type" in record else forms.listed([{**record, name: None}]))
    store = read(path)
    assert counts(store)["quarantined"] == 1
    assert [trouble for file in store.files for trouble in file.trouble] == ["record 1: names no operation"]


@pytest.mark.parametrize("operation", ["Authentication", "KeyGet", "CertificateGet", "VaultGet", "SecretGetDeleted"])
def test_what_is_no_use(tmp_path: Path, operation: str) -> None:
    assert told(tmp_path, made.kv_record({**made.requests()[1], "operation": operation})) == []


def test_a_status_that_is_missing_is_unknown(tmp_path: Path) -> None:
    record = made.kv_record(made.requests()[1])
    del record["properties"]["httpStatusCode"], record["resultType"]
    [row] = told(tmp_path, record)
    assert (row["succeeded"], row["unknown"]) == (None, {"succeeded": "not_supplied"})


@pytest.mark.parametrize(
    ("named", "source"),
    [
        ({"Category": "ManagedIdentitySignInLogs"}, "AADManagedIdentitySignInLogs"),
        ({"Type": "AADManagedIdentitySignInLogs"}, "AADManagedIdentitySignInLogs"),
        ({"Type": "AADServicePrincipalSignInLogs"}, "AADServicePrincipalSignInLogs"),
        # Of a managed identity neither an address nor a credential is recorded.
        ({"Category": "Else"}, "AADServicePrincipalSignInLogs"),
        ({}, "AADServicePrincipalSignInLogs"),
        ({"IPAddress": "", "ServicePrincipalCredentialKeyId": "", "FederatedCredentialId": ""}, None),
    ],
)
def test_whose_sign_in_a_row_is_of(tmp_path: Path, named: dict[str, str], source: str | None) -> None:
    row = made.sign_in_row(made.sign_ins()[0])
    del row["Category"]
    (tmp_path / "a").write_text(forms.objects([{**row, **named}]))
    store = read(tmp_path / "a")
    assert [found["source"] for found in rows(store)] == ([source] if source else [])
    assert counts(store)["quarantined"] == (source is None)


def _person(**columns: object) -> tuple[made.Event, ...]:
    """A person's sign-in as Log Analytics, Graph and diagnostic settings have it."""
    event = {**made.sign_in_graph(made.sign_ins()[0]), "userId": "P", "signInEventTypes": ["interactiveUser"]}
    event |= {"status": {"errorCode": 0}, **columns}
    row = {name[:1].upper() + name[1:]: value for name, value in event.items() if name != "status"}
    record = {**made.sign_in_record(made.sign_ins()[0]), "category": "SignInLogs", "properties": event}
    table = {**row, "IPAddress": event["ipAddress"], "ResultType": str(event["status"]["errorCode"]), "Type": "SigninLogs"}
    return table, event, record


@pytest.mark.parametrize("form", range(3))
@pytest.mark.parametrize(("protocol", "code"), [("SAML20", 0), ("saml20", 50105), ("wsFederation", 0)])
def test_a_sign_in_of_a_person_is_a_use_where_it_was_by_saml(tmp_path: Path, form: int, protocol: str, code: int) -> None:
    [row] = told(tmp_path, _person(authenticationProtocol=protocol, status={"errorCode": code})[form])
    assert (row["source"], row["operation"], row["target_kind"]) == ("SigninLogs", "saml-sign-in", "application")
    assert (row["target_id"], row["principal_id"], row["succeeded"]) == (made.sign_ins()[0]["app"], "p", not code)
    assert (row["actor_app_id"], row["unknown"]) == (None, {})


@pytest.mark.parametrize("form", range(3))
def test_a_sign_in_by_device_code_is_a_use_of_the_application_that_asked_for_it(tmp_path: Path, form: int) -> None:
    """As in github.com/elastic/detection-rules, initial_access_entra_id_device_code_auth_with_broker_client."""
    broker = "29d9ed98-a469-4536-ade2-f981bc1d605e"
    [row] = told(tmp_path, _person(authenticationProtocol="deviceCode", appId=broker)[form])
    assert (row["operation"], row["actor_app_id"], row["target_id"]) == ("device-code-sign-in", broker, broker)
    assert (row["principal_id"], row["succeeded"], row["unknown"]) == ("p", True, {})


@pytest.mark.parametrize("form", range(3))
def test_a_sign_in_by_another_protocol_shows_that_the_log_is_there(tmp_path: Path, form: int) -> None:
    (tmp_path / "a").write_text(forms.lines([_person(authenticationProtocol="oAuth2")[form]]))
    store = read(tmp_path / "a")
    assert (rows(store), list(store.known.days)) == ([], ["SigninLogs"])


@pytest.mark.parametrize(("form", "count"), [(0, "quarantined"), (1, "ignored"), (2, "quarantined")])
def test_a_sign_in_that_does_not_say_by_which_protocol_shows_nothing(tmp_path: Path, form: int, count: str) -> None:
    """Graph's v1.0 never does: its records are of another kind, and not bad ones."""
    (tmp_path / "a").write_text(forms.lines([_person()[form]]))
    store = read(tmp_path / "a")
    assert (rows(store), counts(store)[count], list(store.known.days)) == ([], 1, [])


def test_records_of_other_logs_are_of_another_kind(tmp_path: Path) -> None:
    others: list[made.Event] = [
        {"time": "x", "category": "ADFSSignInLogs", "operationName": "Sign-in activity"},
        {"time": "x", "category": "Policy", "operationName": "x", "properties": {}},
        {
            "time": "x",
            "category": "StorageRead",
            "operationName": "x",
            "resourceId": "/subscriptions/s/providers/Microsoft.Storage/x",
        },
        {"Type": "StorageBlobLogs", "OperationName": "x", "_ResourceId": "/subscriptions/s/providers/microsoft.storage/x"},
        {"Type": "Heartbeat", "Computer": "x"},
        {"Type": "ADFSSignInLogs", "TimeGenerated": "x"},
        {"Type": "AzureDiagnostics", "ResourceProvider": "MICROSOFT.SQL", "OperationName": "x"},
        {**made.sign_in_graph(made.sign_ins()[0]), "signInEventTypes": ["interactiveUser"]},
    ]
    path = tmp_path / "a"
    path.write_text(forms.lines(others))
    assert counts(read(path))["ignored"] == len(others)


@pytest.mark.parametrize(
    ("record", "source"),
    [
        # `project ..., Type = tostring(TargetResources[0].type)` is a usual line of KQL.
        (made.change_row(made.changes()[1]) | {"Type": "ServicePrincipal"}, "AuditLogs"),
        (made.mail_row(made.mail()[1]) | {"Type": "Exchange"}, "OfficeActivity"),
        (made.kv_row(made.requests()[1]) | {"Type": "keys"}, "AZKVAuditLogs"),
        (made.kv_legacy(made.requests()[1]) | {"Type": "keys"}, "AZKVAuditLogs"),
        (made.sign_in_row(made.sign_ins()[0]) | {"Type": "app"}, "AADServicePrincipalSignInLogs"),
        (made.change_record(made.changes()[1]) | {"category": "ApplicationManagement"}, "AuditLogs"),
        # The category of a change of a policy is also one of the activity log.
        (made.change_record(made.changes()[1]) | {"category": "Policy"}, "AuditLogs"),
    ],
)
def test_a_record_is_told_by_its_members_where_its_type_is_another_thing(
    tmp_path: Path, record: dict[str, Any], source: str
) -> None:
    path = tmp_path / "a"
    path.write_text(forms.objects([record]) if "TimeGenerated" in record else forms.lines([record]))
    store = read(path)
    assert {row["source"] for row in rows(store)} == {source}


@pytest.mark.parametrize(
    ("record", "named"),
    [
        ({"Type": "keys", "OperationName": "KeySign"}, "Type keys is no log that is known, and the record has OperationName"),
        ({"Type": "x\x1b", "TargetResources": "[]"}, "Type x\\x1b is no log that is known, and the record has TargetResources"),
        ({"Type": "Mail", "Operation": "Send"}, "Type Mail is no log that is known, and the record has Operation"),
        (
            {"category": "Audit", "operationName": "KeySign", "properties": {}},
            "category Audit is no log that is known, and the record has operationName",
        ),
        ({"category": 5, "operationName": "x"}, "category 5 is no log that is known, and the record has operationName"),
    ],
)
def test_a_record_that_may_be_of_a_log_that_is_read_is_not_dropped(tmp_path: Path, record: dict[str, Any], named: str) -> None:
    path = tmp_path / "a"
    path.write_text(forms.lines([made.kv_record(made.requests()[1]), record]))
    store = read(path)
    assert [trouble for file in store.files for trouble in file.trouble] == [f"line 2: {named}"]
    [sources] = [file.sources for file in store.files]
    assert (sources["AZKVAuditLogs"].quarantined, sources[""].quarantined) == (0, 1)


def test_records_of_other_things_are_not_counted_as_the_log_beside_them(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text(
        forms.lines([made.kv_record(made.requests()[1]), {"Type": "Heartbeat"}, {"time": 5, "category": "AuditEvent"}])
    )
    [file] = read(path).files
    assert (file.sources["AZKVAuditLogs"].received, file.sources[""].ignored) == (1, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T00:00:00Z", (AT, 0)),
        ("2026-03-01T00:00:00.1234567Z", (AT, 123)),
        ("2026-03-01T00:00:00.1234567+00:00", (AT, 123)),
        ("2026-03-01T02:30:00+0230", (AT, 0)),
        ("2026-02-28T19:00:00-05:00", (AT, 0)),
        ("2026-03-01T00:00:00", (AT, 0)),
        ("2026-03-01 00:00:00.5", (AT, 500)),
        ("3/1/2026, 12:00:00.250 AM", (AT, 250)),
        ("3/1/2026, 12:00:00 PM", (AT + 43_200, 0)),
        ("2/28/2026, 11:59:59.999 PM", (AT - 1, 999)),
        (str(AT), (AT, 0)),
        (AT, (AT, 0)),
        (AT * 1000 + 7, (AT, 7)),
        (AT + 0.5, (AT, 500)),
    ],
)
def test_times_of_every_shape(text: str | float, expected: tuple[int, int]) -> None:
    assert moment(text) == expected


@pytest.mark.parametrize(
    "text", ["", "1/3/2026", "1/3/2026, 13:00:00", "1/3/2026, 3:00:00 am", "13/1/2026, 3:00:00 AM", "0", "-1"]
)
def test_times_that_could_be_others(text: str) -> None:
    with pytest.raises(BadRecordError):
        moment(text)


def test_names_are_folded() -> None:
    wanted = "update application - certificates and secrets management"
    for dash in "-\u2010\u2011\u2012\u2013\u2014\u2212\uff0d":
        assert operation_name(f"Update\u00a0application {dash} Certificates and secrets  management . ") == wanted


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:443", "192.0.2.1"),
        ("[2001:DB8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("", None),
        (None, None),
    ],
)
def test_addresses(text: str | None, expected: str | None) -> None:
    assert address(text) == expected
