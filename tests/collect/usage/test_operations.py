"""Every operation that is read, by a record in the shape of the documentation; and what is not read is listed by its name."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from keyaudit.inventory.logs.use import BEYOND, OTHERS
from keyaudit.logs.report.logs import render
from tests.collect.usage import made
from tests.collect.usage.made import TENANT, guid
from tests.collect.usage.rig import imported, read, rows

HOST = "https://kv.vault.azure.net"
KEY = f"{HOST}/keys/k/{'a' * 32}"
VAULT = "/subscriptions/s/resourcegroups/rg/providers/microsoft.keyvault/vaults/kv"
OBJECT, OTHER = guid(3, 1).lower(), guid(3, 2).lower()


def told(folder: Path, *records: dict[str, Any]) -> list[dict[str, Any]]:
    path = folder / "records.jsonl"
    path.write_text("".join(f"{json.dumps(record, default=made.iso)}\n" for record in records), encoding="utf-8")
    return rows(read(path))


def key_vault(operation: str, uri: str, resource_id: str = VAULT) -> dict[str, Any]:
    return {
        "category": "AuditEvent",
        "time": "2026-03-01T08:00:00.1234567Z",
        "operationName": operation,
        "resultType": "Success",
        "resourceId": resource_id.upper(),
        "callerIpAddress": "10.0.0.1",
        "correlationId": guid(1, 1),
        "durationMs": "3",
        "identity": {"claim": {"appid": OBJECT, "oid": OTHER}},
        "properties": {"id": uri, "requestUri": f"{uri}?api-version=7.4", "httpStatusCode": 200},
    }


@pytest.mark.parametrize(
    ("name", "uri", "operation", "kind", "target"),
    [
        ("KeyImport", KEY, "import", "key", KEY),
        ("KeyRestore", KEY, "restore", "key", KEY),
        ("SecretRestore", f"{HOST}/secrets/s", "restore", "secret", f"{HOST}/secrets/s"),
        ("KeyRotate", KEY, "rotate", "key", KEY),
        ("KeyRotateIfDue", KEY, "rotate", "key", KEY),
        ("KeyRotationPolicySet", f"{HOST}/keys/k", "change-rotation-policy", "key", f"{HOST}/keys/k"),
        ("KeyDelete", f"{HOST}/keys/k", "delete", "key", f"{HOST}/keys/k"),
        ("KeyPurge", f"{HOST}/deletedkeys/k", "purge", "key", f"{HOST}/keys/k"),
        ("KeyCreate", f"{HOST}/keys/k/create", "create", "key", f"{HOST}/keys/k"),
        ("KeyUpdate", KEY, "update", "key", KEY),
        ("CertificateCreate", f"{HOST}/certificates/c/create", "create", "certificate", f"{HOST}/certificates/c"),
        ("KeyList", f"{HOST}/keys", "list", "vault", VAULT),
        ("SecretListVersions", f"{HOST}/secrets/s/versions", "list", "vault", VAULT),
        ("KeyBackup", f"{HOST}/keys/k", "backup", "key", f"{HOST}/keys/k"),
        ("KeyRelease", KEY, "release", "key", KEY),
        ("SecretGet", f"{HOST}/secrets/s", "read-secret", "secret", f"{HOST}/secrets/s"),
        ("SecretUpdate", f"{HOST}/secrets/s", "update", "secret", f"{HOST}/secrets/s"),
        ("SecretSet", f"{HOST}/secrets/s", "write-secret", "secret", f"{HOST}/secrets/s"),
        ("CertificateImport", f"{HOST}/certificates/c", "import", "certificate", f"{HOST}/certificates/c"),
        ("VaultPatch", f"{HOST}/", "write-vault", "vault", VAULT),
        ("SecurityDomainDownload", f"{HOST}/securitydomain", "use-security-domain", "vault", VAULT),
        ("RoleAssignmentCreate", f"{HOST}/providers/roleAssignments/x", "change-vault-access", "vault", VAULT),
    ],
)
def test_what_is_done_in_a_vault_or_hsm(tmp_path: Path, name: str, uri: str, operation: str, kind: str, target: str) -> None:
    [row] = told(tmp_path, key_vault(name, uri))
    assert (row["operation"], row["target_kind"], row["target_id"]) == (operation, kind, target)
    assert (row["actor_app_id"], row["principal_id"], row["network"], row["succeeded"]) == (OBJECT, OTHER, "10.0.0.1", True)


def entra(activity: str, kind: str, **changed: tuple[str, str]) -> dict[str, Any]:
    event = made.changes()[1]
    properties = [(name, old, new) for name, (old, new) in changed.items()]
    found = made.change_graph({**event, "activity": activity, "properties": properties, "result": "success"})
    found["targetResources"][0]["type"] = kind
    return found


@pytest.mark.parametrize(
    ("activity", "kind", "operation", "target_kind"),
    [
        ("Add delegated permission grant", "ServicePrincipal", "grant-permission", "service-principal"),
        ("Add OAuth2PermissionGrant", "ServicePrincipal", "grant-permission", "service-principal"),
        ("Consent to application", "ServicePrincipal", "grant-permission", "service-principal"),
        ("Add app role assignment to service principal", "ServicePrincipal", "grant-permission", "service-principal"),
        ("Add owner to application", "Application", "add-owner", "application"),
        ("Add owner to service principal.", "ServicePrincipal", "add-owner", "service-principal"),
    ],
)
def test_what_is_granted_in_the_directory(tmp_path: Path, activity: str, kind: str, operation: str, target_kind: str) -> None:
    [row] = told(tmp_path, entra(activity, kind))
    assert (row["operation"], row["target_kind"], row["succeeded"]) == (operation, target_kind, True)
    assert row["target_id"]


def test_a_credential_of_a_blueprint_is_one_of_an_application_whatever_else_the_record_says_of_agents(tmp_path: Path) -> None:
    key = f"[KeyIdentifier={guid(6, 1)},KeyType=Password,KeyUsage=Verify,DisplayName=pilot]"
    record = entra(
        "Update application \u2013 Certificates and secrets management ",
        "Application",
        KeyDescription=("[]", json.dumps([key])),
    )
    record["targetResources"][0] |= {"agentType": "agenticApp", "blueprintId": OBJECT}
    [row] = told(tmp_path, record)
    assert (row["operation"], row["target_kind"]) == ("add-credential", "application")
    assert row["credential_key_id"] == guid(6, 1).lower()


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"LiveType": ('["Managed"]', '["Federated"]')}, ["change-federation"]),
        ({"LiveType": ('["Managed"]', '["Managed"]')}, []),
        ({"PasswordValidityPeriod": ("90", "365")}, []),
    ],
)
def test_how_a_domain_signs_in_changes_only_with_its_type(
    tmp_path: Path, changed: dict[str, tuple[str, str]], found: list[str]
) -> None:
    assert [row["operation"] for row in told(tmp_path, entra("Set domain authentication", "Other", **changed))] == found


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        ("Microsoft.Authorization/roleAssignments/write", "assign-role"),
        ("Microsoft.Authorization/elevateAccess/action", "elevate-access"),
        ("Microsoft.OperationalInsights/workspaces/delete", "remove-log-destination"),
        ("Microsoft.EventHub/namespaces/eventhubs/delete", "remove-log-destination"),
        ("Microsoft.Insights/scheduledQueryRules/delete", "remove-alert-rule"),
        ("Microsoft.Insights/diagnosticSettings/delete", "remove-log-settings"),
    ],
)
def test_what_is_done_in_azure(tmp_path: Path, name: str, operation: str) -> None:
    record = {
        "TimeGenerated": "2026-03-01T08:00:00Z",
        "OperationNameValue": name.upper(),
        "ActivityStatusValue": "Success",
        "_ResourceId": f"{VAULT}/x",
        "CallerIpAddress": "10.0.0.1",
        "Claims": json.dumps({"appid": OBJECT, "oid": OTHER}),
    }
    [row] = told(tmp_path, record)
    assert (row["operation"], row["target_id"], row["principal_id"]) == (operation, f"{VAULT}/x", OTHER)


def exchange(operation: str, **members: object) -> dict[str, Any]:
    return {
        "CreationTime": "2026-03-01T08:00:00",
        "Id": guid(1, 1),
        "Operation": operation,
        "OrganizationId": TENANT,
        "Workload": "Exchange",
        "ResultStatus": "Succeeded",
        "UserId": "a@contoso.example",
        "MailboxOwnerUPN": "a@contoso.example",
        "AppId": OBJECT,
        **members,
    }


def parameters(**values: str) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in values.items()]


@pytest.mark.parametrize(
    ("record", "operation"),
    [
        (exchange("AttachmentAccess"), "read-mail"),
        (exchange("Send"), "send-mail"),
        (exchange("SendAs"), "send-mail"),
        (exchange("New-InboxRule", Parameters=parameters(ForwardTo="x@evil.example", Name="r")), "forward-mail"),
        (exchange("Set-Mailbox", Parameters=parameters(ForwardingSmtpAddress="smtp:x@evil.example")), "forward-mail"),
        (exchange("New-InboxRule", Parameters=parameters(MoveToFolder="Archive")), None),
        (exchange("Set-Mailbox", Parameters=parameters(ForwardingSmtpAddress="")), None),
    ],
)
def test_what_is_done_with_mail(tmp_path: Path, record: dict[str, Any], operation: str | None) -> None:
    found = told(tmp_path, record)
    assert [row["operation"] for row in found] == ([operation] if operation else [])
    assert all(row["target_kind"] == "mailbox" and row["actor_app_id"] == OBJECT for row in found)


def test_what_is_not_read_is_listed_by_name_and_count(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    names = [*["VaultGet"] * 3, "KeyGet", *(f"New{number}" for number in range(OTHERS))]
    path.write_text("".join(f"{json.dumps(key_vault(name, HOST))}\n" for name in names), encoding="utf-8")
    store = imported(tmp_path / "store", path)
    [read] = [read for file in store.files for read in file.sources.values()]
    assert (read.others["VaultGet"], read.others["KeyGet"], read.others[BEYOND], read.ignored) == (3, 1, 2, len(names))
    out = io.StringIO()
    render(store, "logs", out)
    assert "AZKVAuditLogs: VaultGet 3, " in out.getvalue()


@pytest.mark.parametrize("wrapper", ["events", "Records", "value"])
def test_records_come_in_wrappers_as_people_have_them(tmp_path: Path, wrapper: str) -> None:
    path = tmp_path / "export.json"
    path.write_text(json.dumps({wrapper: [exchange("Send"), exchange("MailItemsAccessed", Id=guid(1, 2))]}), encoding="utf-8")
    assert len(rows(read(path))) == 2


def test_rows_in_pascal_case_need_no_type(tmp_path: Path) -> None:
    event = made.changes()[1]
    audit = {**made.change_row(event)}
    audit.pop("Type", None)
    audit["ActivityDisplayName"] = audit.pop("OperationName")
    sign_in = {
        "CreatedDateTime": "11/30/2026 8:15:30 PM",
        "Id": guid(1, 9),
        "AppId": OBJECT,
        "ServicePrincipalName": "App",
        "ServicePrincipalId": OTHER,
        "IPAddress": "203.0.113.9",
        "ResourceIdentity": guid(3, 3),
        "ResultType": "0",
    }
    found = told(tmp_path, audit, sign_in)
    assert {row["source"] for row in found} == {"AuditLogs", "AADServicePrincipalSignInLogs"}


def test_what_only_names_its_properties_is_read_by_its_name_and_what_does_not_matter_not_at_all(tmp_path: Path) -> None:
    """Updates of messages name the properties that were changed, and other workloads have forms of their own."""
    path = tmp_path / "records.jsonl"
    records = [
        exchange("Update", ModifiedProperties=["IsRead", "Importance"], Id=guid(1, 2)),
        exchange("FileModified", ModifiedProperties={"a": [1]}, Actor="nobody", Id=guid(1, 3), Workload="SharePoint"),
        exchange("Update application.", ModifiedProperties=["DisplayName"], Id=guid(1, 4)),
        exchange("Update application.", ModifiedProperties=["KeyDescription"], Id=guid(1, 5)),
    ]
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")
    found = read(path)
    assert [(row["operation"], row["name"], row["unknown"]) for row in rows(found)] == [
        ("add-credential", guid(1, 5), {"target_id": "not_supplied", "credential_key_id": "not_supplied"})
    ]
    [file] = found.files
    [counted] = file.sources.values()
    assert (file.complete, file.trouble, counted.ignored, counted.quarantined) == (True, (), 3, 0)
    assert counted.others == {"Update": 1, "FileModified": 1, "Update application.": 1}


def test_a_change_of_an_application_that_is_no_use_is_counted_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    path.write_text(json.dumps(entra("Update application", "Application", DisplayName=('["a"]', '["b"]'))), encoding="utf-8")
    found = read(path)
    [counted] = found.files[0].sources.values()
    assert (rows(found), counted.ignored, counted.others) == ([], 1, {"Update application": 1})


def test_a_service_that_signed_in_by_certificate_has_its_name(tmp_path: Path) -> None:
    """As in https://github.com/invictus-ir/o365_dataset, where two services have the same id of the user."""
    actor = [{"ID": "Microsoft Azure AD Internal - Jit Provisioning", "Type": 1}, {"ID": "Certificate", "Type": 2}]
    target = [{"ID": f"ServicePrincipal_{OBJECT}", "Type": 2}]
    record = exchange("Add service principal.", UserId="Certificate", Actor=actor, Target=target, ModifiedProperties=[])
    [row] = told(tmp_path, record)
    assert row["principal_id"] == "microsoft azure ad internal - jit provisioning"
    (tmp_path / "nameless").mkdir()
    [row] = told(tmp_path / "nameless", {**record, "Actor": actor[1:]})
    assert row["principal_id"] == "certificate"


def test_lists_that_powershell_wrote_as_text_are_not_read_as_empty(tmp_path: Path) -> None:
    """As CloudAppEvents in https://github.com/OTRF/Security-Datasets, GoldenSAMLADFSMailAccess."""
    path = tmp_path / "records.jsonl"
    text = ["@{Value=Bind; Name=MailAccessType}", "@{Value=False; Name=IsThrottled}"]
    records = [
        exchange("MailItemsAccessed", OperationProperties=text),
        exchange("Add service principal credentials.", ModifiedProperties=text, Id=guid(1, 2)),
        exchange("New-InboxRule", Parameters=text, Id=guid(1, 3)),
    ]
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")
    found = read(path)
    assert [row["operation"] for row in rows(found)] == ["read-mail"]
    [file] = found.files
    assert not file.complete
    assert file.trouble[0].startswith("exported without OperationProperties")
    assert [counted.quarantined for counted in file.sources.values()] == [2]


SERVICE, OWN = "b5a60e17-278b-4c92-a4e2-b9262e66bb28", guid(3, 4).lower()


@pytest.mark.parametrize(
    ("actor", "app"),
    [
        ([("Azure MFA", 1), (SERVICE, 2), (f"ServicePrincipal_{OWN}", 2), (OWN, 2), ("ServicePrincipal", 2)], SERVICE),
        ([(f"ServicePrincipal_{OWN}", 2), (OWN, 2), ("ServicePrincipal", 2), ("MFA", 1), (SERVICE, 2), (SERVICE, 4)], SERVICE),
        ([(f"ServicePrincipal_{OWN}", 2), (OTHER, 2), (SERVICE, "4")], SERVICE),
        ([(f"ServicePrincipal_{OWN}", 2), (OTHER, 2), (SERVICE, 2)], None),
        ([(f"ServicePrincipal_{OWN}", 2), (OWN, 2)], None),
        ([("admin@contoso.example", 5), (f"User_{OWN}", 2), (OWN, 2), ("User", 2)], None),
    ],
)
def test_an_application_that_changed_the_directory_is_named(
    tmp_path: Path, actor: list[tuple[str, object]], app: str | None
) -> None:
    """As the actors and targets of https://github.com/panther-labs/panther-analysis, and of consent in the unified log."""
    record = exchange(
        "Add service principal credentials.",
        Actor=[{"ID": id_, "Type": kind} for id_, kind in actor],
        Target=[{"ID": f"ServicePrincipal_{OBJECT}", "Type": 2}],
        ModifiedProperties=[],
        UserId=f"ServicePrincipal_{OWN}",
    )
    del record["AppId"]
    [row] = told(tmp_path, record)
    assert (row["actor_app_id"], row["principal_id"], row["target_id"]) == (app, OWN, OBJECT)


GRAPH_HERE, CLIENT = "401dd906-ea4f-4d41-b762-7e936d222368", "0d2f5969-011b-460d-ac74-3291d227d49f"
SCOPES = {
    "DelegatedPermissionGrant.Scope": ("User.Read", "User.Read Mail.ReadWrite"),
    "DelegatedPermissionGrant.ConsentType": ("AllPrincipals", "AllPrincipals"),
    "ServicePrincipal.ObjectID": (None, CLIENT),
    "ServicePrincipal.AppId": (None, None),
}
"""Mail.ReadWrite is added: AADAuditEvents of https://github.com/OTRF/Security-Datasets, GoldenSAMLADFSMailAccess."""
_BEFORE = "[Id: a, ClientId: b, ResourceId: c, ConsentType: AllPrincipals, Scope:  User.Read, CreatedDateTime: ]"
AFTER = _BEFORE.replace("User.Read", "User.Read Mail.Read")
_BESIDE = "[Id: d, ClientId: b, ResourceId: e, ConsentType: AllPrincipals, Scope: full_access_as_user, CreatedDateTime: ]"
ROLE = {
    "AppRole.Id": (None, "e2a3a72e-5f79-4c64-b1b1-878b674786c9"),
    "AppRole.Value": (None, "Mail.ReadWrite"),
    "AppRole.DisplayName": (None, "Read and write mail in all mailboxes"),
    "ServicePrincipal.ObjectID": (None, CLIENT),
}
NO_ROLE = {"AppRole.Value": (None, ""), "User.ObjectID": (None, OBJECT)}
CONSENT = {
    "ConsentContext.IsAdminConsent": (None, "True"),
    "ConsentAction.Permissions": (None, f"[{_BEFORE}] => [{AFTER}, {_BESIDE}]; "),
}
NOT_NAMED = {"granted_to": "not_supplied", "permission": "not_supplied"}


def granting(
    activity: str, values: dict[str, tuple[str | None, str | None]], targets: tuple[str, ...]
) -> tuple[dict[str, Any], ...]:
    """A grant in Entra's log and in the unified one, which has the same properties."""
    quoted = {name: tuple(text if text is None else f'"{text}"' for text in both) for name, both in values.items()}
    record = entra(activity, "ServicePrincipal")
    record["targetResources"] = [{"id": id_, "type": "ServicePrincipal", "modifiedProperties": []} for id_ in targets]
    record["targetResources"][0]["modifiedProperties"] = [
        {"displayName": name, "oldValue": old, "newValue": new} for name, (old, new) in quoted.items()
    ]
    copied = exchange(
        f"{activity}.",
        Target=[{"ID": f"ServicePrincipal_{id_}", "Type": 2} for id_ in targets],
        ModifiedProperties=[
            {"Name": name, "OldValue": old or "", "NewValue": new or ""} for name, (old, new) in values.items()
        ],
    )
    return record, copied


@pytest.mark.parametrize(
    ("activity", "values", "targets", "to", "permission"),
    [
        ("Add delegated permission grant", SCOPES, (GRAPH_HERE, CLIENT), CLIENT, "Mail.ReadWrite"),
        ("Add app role assignment to service principal", ROLE, (GRAPH_HERE,), CLIENT, "Mail.ReadWrite"),
        (
            "Add app role assignment to service principal",
            {"AppRole.Value": (None, "Mail.Send")},
            (GRAPH_HERE, CLIENT),
            CLIENT,
            "Mail.Send",
        ),
        ("Add app role assignment grant to user", NO_ROLE, (GRAPH_HERE,), OBJECT, None),
        ("Consent to application", CONSENT, (CLIENT,), CLIENT, "Mail.Read full_access_as_user"),
    ],
)
@pytest.mark.parametrize("log", [0, 1])
def test_a_grant_says_who_got_what(
    tmp_path: Path,
    log: int,
    activity: str,
    values: dict[str, tuple[str | None, str | None]],
    targets: tuple[str, ...],
    to: str,
    permission: str | None,
) -> None:
    [row] = told(tmp_path, granting(activity, values, targets)[log])
    assert (row["operation"], row["target_id"], row["unknown"]) == ("grant-permission", targets[0], {})
    assert (row["granted_to"], row["permission"]) == (to, permission)


@pytest.mark.parametrize("log", [0, 1])
def test_a_grant_that_does_not_say_who_got_what_is_unknown(tmp_path: Path, log: int) -> None:
    [row] = told(tmp_path, granting("Add delegated permission grant", {}, (GRAPH_HERE,))[log])
    assert (row["granted_to"], row["permission"], row["unknown"]) == (None, None, NOT_NAMED)
    assert row["target_id"] == GRAPH_HERE


@pytest.mark.parametrize("log", [0, 1])
def test_a_grant_of_2020_says_who_got_it_and_not_what(tmp_path: Path, log: int) -> None:
    """https://github.com/elastic/integrations, packages/o365/data_stream/audit/_dev/test/pipeline/test-azuread-events.json"""
    values: dict[str, tuple[str | None, str | None]]
    values = {"ServicePrincipal.ObjectID": (None, CLIENT), "ServicePrincipal.AppId": (None, "")}
    [row] = told(tmp_path, granting("Add OAuth2PermissionGrant", values, (GRAPH_HERE,))[log])
    assert (row["target_id"], row["granted_to"], row["permission"]) == (GRAPH_HERE, CLIENT, None)
    assert row["unknown"] == {"permission": "not_supplied"}
    assert told(tmp_path, granting("Remove OAuth2PermissionGrant", values, (GRAPH_HERE,))[log]) == []


@pytest.mark.parametrize("log", [0, 1])
@pytest.mark.parametrize(
    ("activity", "named", "kind"),
    [
        ("Add owner to application", "Application.ObjectID", "application"),
        ("Add owner to service principal", "ServicePrincipal.ObjectID", "service-principal"),
    ],
)
def test_a_new_owner_is_of_the_object_that_the_record_names_and_not_of_the_owner(
    tmp_path: Path, log: int, activity: str, named: str, kind: str
) -> None:
    """A service principal became the owner, so that it is the target."""
    [row] = told(tmp_path, granting(activity, {named: (None, OBJECT)}, (CLIENT,))[log])
    assert (row["operation"], row["target_kind"], row["target_id"], row["unknown"]) == ("add-owner", kind, OBJECT, {})


def test_a_new_owner_of_an_object_that_is_not_named_is_of_the_target(tmp_path: Path) -> None:
    for record in granting("Add owner to service principal", {"ServicePrincipal.ObjectID": (None, "siem")}, (CLIENT,)):
        [row] = told(tmp_path, record)
        assert (row["target_kind"], row["target_id"]) == ("service-principal", CLIENT)


def test_a_change_that_grants_nothing_has_no_permission(tmp_path: Path) -> None:
    [row] = told(tmp_path, entra("Add owner to application", "Application"))
    assert (row["operation"], row["granted_to"], row["permission"], row["unknown"]) == ("add-owner", None, None, {})
