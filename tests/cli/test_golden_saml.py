"""A recording in the shapes of Golden SAML with mail access, from import to the exit code."""

import json
from pathlib import Path

from keyaudit.model.values.times import DAY, iso_time, parse_date
from tests.cli.conftest import Keyaudit


def test_a_recording_in_the_shapes_of_golden_saml_ends_in_high_findings(keyaudit: Keyaudit, tmp_path: Path) -> None:
    """A secret is added to an application, which then reads mail; the query that exported the rows overwrote `Type`."""
    start, app, stranger = (
        parse_date("2026-01-05"),
        "6c3e1f6e-0000-4000-8000-00000000000a",
        "6c3e1f6e-0000-4000-8000-00000000000b",
    )
    tenant = "6c3e1f6e-0000-4000-8000-0000000000ff"

    def mail(number: int, day: int, by: str) -> dict[str, object]:
        return {
            "TimeGenerated": iso_time(start + day * DAY + 40_000),
            "OfficeId": f"6c3e1f6e-0000-4000-8001-{number:012}",
            "OfficeWorkload": "Exchange",
            "Operation": "MailItemsAccessed",
            "OrganizationId": tenant,
            "ResultStatus": "Succeeded",
            "UserId": "a@contoso.example",
            "MailboxOwnerUPN": "a@contoso.example",
            "AppId": by,
            "ClientAppId": by,
            "ClientInfoString": "Client=REST;Client=RESTSystem;;",
            "Client_IPAddress": "203.0.113.7",
            "OperationProperties": '[{"Name":"MailAccessType","Value":"Bind"},{"Name":"IsThrottled","Value":"False"}]',
            "Type": "ExchangeItemAggregated",
        }

    def change(number: int, day: int, activity: str, key: str) -> dict[str, object]:
        described = f"[KeyIdentifier={key},KeyType=Password,KeyUsage=Verify,DisplayName=x]"
        return {
            "TimeGenerated": iso_time(start + day * DAY + 30_000),
            "AADTenantId": tenant,
            "OperationName": activity,
            "Result": "success",
            "Id": f"Directory_{number}",
            "InitiatedBy": {"user": {"id": "6c3e1f6e-0000-4000-8000-00000000000c", "ipAddress": "203.0.113.7"}},
            "TargetResources": [
                {
                    "id": "6c3e1f6e-0000-4000-8000-00000000000d",
                    "type": "Application",
                    "modifiedProperties": [{"displayName": "KeyDescription", "oldValue": "[]", "newValue": f'["{described}"]'}],
                }
            ],
            "Type": "Core Directory",
        }

    records = [mail(day, day, app) for day in range(40)]
    records += [change(day, day, "Add member to group", "none") for day in range(40)]
    added = "Update application \u2013 Certificates and secrets management "
    records += [change(99, 36, added, "6c3e1f6e-0000-4000-8000-00000000000e"), mail(900, 37, stranger)]
    file = tmp_path / "recording.json"
    file.write_text(json.dumps({"events": records}), encoding="utf-8")
    assert keyaudit("usage", "import", file, "--out", tmp_path / "logs").code == 0
    learned = keyaudit("usage", "learn", tmp_path / "logs", "--last-day", "2026-02-08", "--out", tmp_path / "usual")
    assert learned.code == 0, learned
    ran = keyaudit("usage", "check", tmp_path / "logs", "--baseline", tmp_path / "usual", "--fail-on", "high", "-o", "json")
    high = {(each["operation"], each["app_id"]) for each in ran.json["findings"] if each["severity"] == "high"}
    assert (ran.code, high) == (1, {("add-credential", "6c3e1f6e-0000-4000-8000-00000000000c"), ("read-mail", stranger)})
