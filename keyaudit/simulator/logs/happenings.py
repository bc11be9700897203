"""What happens in the simulated year besides: changes of the directory and of Azure, and uses of a Managed HSM."""

from collections.abc import Iterator

from keyaudit.simulator.estate import Row
from keyaudit.simulator.estates.ids import DAY, hsm_key_id
from keyaudit.simulator.logs.jobs import JOBS
from keyaudit.simulator.logs.year import Year
from keyaudit.simulator.wire import iso

_NOON, _HOUR = 12 * 3600, 3600


def changes(year: Year, days: range) -> Iterator[tuple[int, Row]]:
    """Changes of the directory as Graph has them: somebody joins a group, and each new application gets its credential."""
    for day in days:
        on = year.first + day * DAY + _NOON
        yield on, _change(year, on, "Add member to group", ("Group", f"group {day}"))
        for name in dict.fromkeys(job.name for job in JOBS if job.since == day > 0 and job.signs_in):
            key = f"[KeyIdentifier={year.credential(name, day)},KeyType=Password,KeyUsage=Verify,DisplayName=first]"
            # Events have an en dash and a space after the name, which the documentation has not.
            activity = "Update application \u2013 Certificates and secrets management "
            later = on + _HOUR
            yield later, _change(year, later, activity, ("Application", name), ("KeyDescription", "[]", f'["{key}"]'))


def _change(year: Year, on: int, activity: str, what: tuple[str, str], *changed: tuple[str, str, str]) -> dict[str, object]:
    kind, target = what
    user = {
        "id": year.ground.guid("user", "administrator"),
        "userPrincipalName": f"administrator@{year.ground.domain}",
        "ipAddress": "198.51.100.200",
    }
    return {
        "id": f"Directory_{year.ground.guid('audit', str(on), activity, target)}",
        "category": "GroupManagement" if kind == "Group" else "ApplicationManagement",
        "result": "success",
        "activityDisplayName": activity,
        "activityDateTime": iso(on).replace("Z", ".1234567Z"),
        "loggedByService": "Core Directory",
        "initiatedBy": {"user": user, "app": None},
        "targetResources": [
            {
                "id": year.ground.guid(kind, target),
                "displayName": target,
                "type": kind,
                "modifiedProperties": [{"displayName": name, "oldValue": old, "newValue": new} for name, old, new in changed],
            }
        ],
        "additionalDetails": [{"key": "User-Agent", "value": "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"}],
    }


def writes(year: Year, days: range) -> Iterator[tuple[int, Row]]:
    """Rows of AzureActivity: a deployment sets a vault up again each day."""
    for day in days:
        on = year.first + day * DAY + _NOON
        row = {
            "TenantId": year.ground.guid("workspace", "logs"),
            "TimeGenerated": iso(on),
            "OperationNameValue": "MICROSOFT.KEYVAULT/VAULTS/WRITE",
            "ActivityStatusValue": "Success",
            "Caller": year.ground.guid("principal", year.app("Deployment")),
            "CallerIpAddress": "198.51.100.200",
            "CorrelationId": year.ground.guid("write", str(on)),
            "Claims": "{}",
            "Type": "AzureActivity",
        }
        yield on, row


def hsm_uses(year: Year, days: range) -> Iterator[tuple[int, Row]]:
    """Rows of AzureDiagnostics: a Managed HSM's key signs once a day, and another service writes there too."""
    app = year.app("Token service")
    for day in days:
        on = year.first + day * DAY + _NOON
        uri = f"{hsm_key_id('hsm-trust', 'root-signing')}/{year.ground.hexadecimal('version', 'root-signing')}"
        yield (
            on,
            {
                "TenantId": year.ground.guid("workspace", "logs"),
                "TimeGenerated": iso(on),
                "ResourceId": "/SUBSCRIPTIONS/S/RESOURCEGROUPS/RG-TRUST/PROVIDERS/MICROSOFT.KEYVAULT/MANAGEDHSMS/HSM-TRUST",
                "Category": "AuditEvent",
                "ResourceProvider": "MICROSOFT.KEYVAULT",
                "OperationName": "KeySign",
                "ResultType": "Success",
                "CorrelationId": year.ground.guid("hsm", str(on)),
                "DurationMs": 21,
                "CallerIPAddress": "10.20.4.11",
                "httpStatusCode_d": 200.0,
                "id_s": uri,
                "requestUri_s": f"{uri}/sign?api-version=7.4",
                "clientInfo_s": "azsdk-net-Security.KeyVault.Keys/4.6.0",
                "identity_claim_appid_g": app,
                "identity_claim_oid_g": year.ground.guid("principal", app),
                "Type": "AzureDiagnostics",
            },
        )
        yield on + 1, {"TimeGenerated": iso(on + 1), "ResourceProvider": "MICROSOFT.SQL", "Type": "AzureDiagnostics"}
