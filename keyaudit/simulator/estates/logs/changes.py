"""Other events of the simulated year: changes of the directory and of Azure, users' sign-ins, and other vaults."""

import random
from collections.abc import Iterator

from keyaudit.simulator.estate import Row
from keyaudit.simulator.estates.ids import DAY, hsm_key_id, key_id
from keyaudit.simulator.estates.logs.jobs import HSMS, JOBS, WATCHED
from keyaudit.simulator.estates.logs.year import DISGUISE, FOOTHOLD, INTRUSION, STOLEN, Year
from keyaudit.simulator.wire import iso

_NOON, _HOUR = 12 * 3600, 3600
_SUBSCRIPTIONS = ("contoso-prod", "contoso-platform")
"""The subscriptions whose activity log is exported."""
_ADMIN = "administrator"
_OFFICE = "198.51.100.200"
# Events have an en dash and a space after the name, unlike the documentation.
_CREDENTIALS = "Update application \u2013 Certificates and secrets management "


def changes(year: Year, days: range) -> Iterator[tuple[int, Row]]:
    """Changes of the directory as in Graph: a user joins a group, and each new application gets its credential.

    Once, the intruder adds a credential to an application.
    """
    for day in days:
        on = year.first + day * DAY + _NOON
        yield on, _change(year, on, "Add member to group", ("Group", f"group {day}"))
        for name in dict.fromkeys(job.name for job in JOBS if job.since == day > 0 and job.signs_in and not job.managed):
            later = on + _HOUR
            yield later, _change(year, later, _CREDENTIALS, ("Application", name), _added(year.credential(name, day)))
        if day == INTRUSION + 1:
            night = year.first + day * DAY + 3 * _HOUR
            added = _added(year.added_credential)
            yield night, _change(year, night, _CREDENTIALS, ("Application", DISGUISE), added, by=FOOTHOLD)


def _added(key: str) -> tuple[str, str, str]:
    key = f"[KeyIdentifier={key},KeyType=Password,KeyUsage=Verify,DisplayName=first]"
    return "KeyDescription", "[]", f'["{key}"]'


def _change(
    year: Year, on: int, activity: str, what: tuple[str, str], *changed: tuple[str, str, str], by: str = ""
) -> dict[str, object]:
    """`by`: the application that did it; empty for the administrator."""
    kind, target = what
    user = {
        "id": year.ground.guid("user", _ADMIN),
        "userPrincipalName": f"{_ADMIN}@{year.ground.domain}",
        "ipAddress": _OFFICE,
    }
    app = {"appId": year.app(by), "servicePrincipalId": year.ground.guid("principal", by), "displayName": by}
    return {
        "id": f"Directory_{year.ground.guid('audit', str(on), activity, target)}",
        "category": "GroupManagement" if kind == "Group" else "ApplicationManagement",
        "result": "success",
        "activityDisplayName": activity,
        "activityDateTime": iso(on).replace("Z", ".1234567Z"),
        "loggedByService": "Core Directory",
        "initiatedBy": {"user": None, "app": app} if by else {"user": user, "app": None},
        "targetResources": [
            {
                "id": year.ground.guid("application" if kind == "Application" else kind, target),
                "displayName": target,
                "type": kind,
                "modifiedProperties": [{"displayName": name, "oldValue": old, "newValue": new} for name, old, new in changed],
            }
        ],
        "additionalDetails": [{"key": "User-Agent", "value": "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"}],
    }


def writes(year: Year, days: range) -> Iterator[tuple[int, Row]]:
    """Rows of AzureActivity: a deployment updates a vault each day. Once, the intruder turns off a vault's log."""
    release = "azdo-payments-release"
    for day in days:
        if day == INTRUSION:
            on = year.first + day * DAY + 2 * _HOUR - 600
            setting = f"{year.objects.place(year.ground, STOLEN[0])}/providers/microsoft.insights/diagnosticSettings"
            removed = "MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/DELETE"
            yield on, _write(year, on, removed, f"{setting}/audit-to-sentinel", by=FOOTHOLD, network="203.0.113.9")
        for subscription in _SUBSCRIPTIONS:
            on = year.first + day * DAY + _NOON
            place = f"/subscriptions/{year.ground.guid('subscription', subscription)}/resourcegroups/rg-shared"
            vault = f"{place}/providers/microsoft.keyvault/vaults/kv-shared"
            yield on, _write(year, on, "MICROSOFT.KEYVAULT/VAULTS/WRITE", vault, by=release, network=_OFFICE)


def _write(year: Year, on: int, operation: str, resource: str, *, by: str, network: str) -> dict[str, object]:
    principal = year.ground.guid("principal", by)
    return {
        "TenantId": year.ground.guid("workspace", "logs"),
        "TimeGenerated": iso(on),
        "OperationNameValue": operation,
        "ActivityStatusValue": "Success",
        "_ResourceId": resource,
        "Caller": principal,
        "CallerIpAddress": network,
        "CorrelationId": year.ground.guid("write", str(on), resource),
        "Claims": f'{{"appid": "{year.app(by)}", "oid": "{principal}"}}',
        "Type": "AzureActivity",
    }


def sign_ins(year: Year, days: range) -> Iterator[tuple[int, Row]]:
    """Rows of SigninLogs: a few people sign in by SAML each day."""
    for day in days:
        chance = random.Random(f"{year.ground.seed}/saml/{day}")  # noqa: S311 - repeatable on purpose
        for number in chance.sample(range(60), 3):
            on = year.moment(day, chance)
            row = {
                "TenantId": year.ground.guid("workspace", "logs"),
                "AADTenantId": year.ground.tenant,
                "TimeGenerated": iso(on),
                "CreatedDateTime": iso(on),
                "Id": year.ground.guid("saml", str(on), str(number)),
                "Category": "SignInLogs",
                "AppId": year.app("VanArsdel Payroll"),
                "UserId": year.ground.guid("user", f"person{number:03}"),
                "AuthenticationProtocol": "saml20",
                "IPAddress": f"198.51.100.{number}",
                "UserAgent": "Mozilla/5.0",
                "ResultType": "0",
                "Type": "SigninLogs",
            }
            yield on, row


def looks(year: Year, days: range) -> Iterator[tuple[int, Row]]:
    """Rows of AZKVAuditLogs: a monitor looks at each vault every day, and uses nothing in it."""
    for day in days:
        for vault in WATCHED:
            on = year.first + day * DAY + 6 * _HOUR
            row = {
                "TenantId": year.ground.guid("workspace", "logs"),
                "TimeGenerated": iso(on),
                "OperationName": "VaultGet",
                "ResultType": "Success",
                "HttpStatusCode": 200,
                "CallerIpAddress": "10.20.4.99",
                "Identity": {
                    "claim": {"appid": year.app("github-infra"), "oid": year.ground.guid("principal", "github-infra")}
                },
                "Id": f"https://{vault}.vault.azure.net/",
                "RequestUri": f"https://{vault}.vault.azure.net/?api-version=7.4",
                "CorrelationId": year.ground.guid("look", str(on), vault),
                "DurationMs": 3,
                "_ResourceId": year.objects.place(year.ground, vault),
                "Type": "AZKVAuditLogs",
            }
            yield on, row


def hsm_uses(year: Year, days: range) -> Iterator[tuple[int, Row]]:
    """Rows of AzureDiagnostics: a key of each Managed HSM signs once a day, and another service writes there too."""
    for day in days:
        on = year.first + day * DAY + _NOON
        for hsm, key in HSMS:
            uri = hsm_key_id(hsm, key or "none")
            version = year.objects.version(year.ground, uri, on)
            whole = f"{uri}/{version}" if key else f"https://{hsm}.managedhsm.azure.net/keys"
            yield on, _legacy(year, on, "KeySign" if key else "KeyList", whole, place=hsm, by="Trust services")
        yield on + 1, {"TimeGenerated": iso(on + 1), "ResourceProvider": "MICROSOFT.SQL", "Type": "AzureDiagnostics"}


def payroll(year: Year, days: range) -> Iterator[tuple[int, Row]]:
    """Rows of AzureDiagnostics in the workspace of human resources: their own vault's."""
    vault, key = "kv-hr-prod", "payroll-file-signing"
    for day in days:
        on = year.first + day * DAY + _NOON
        uri = key_id(vault, key)
        yield (
            on,
            _legacy(year, on, "KeySign", f"{uri}/{year.objects.version(year.ground, uri, on)}", place=vault, by="etl-runner"),
        )


def _legacy(year: Year, on: int, operation: str, uri: str, *, place: str, by: str) -> dict[str, object]:
    return {
        "TenantId": year.ground.guid("workspace", "logs"),
        "TimeGenerated": iso(on),
        "ResourceId": year.objects.place(year.ground, place).upper(),
        "Category": "AuditEvent",
        "ResourceProvider": "MICROSOFT.KEYVAULT",
        "OperationName": operation,
        "ResultType": "Success",
        "CorrelationId": year.ground.guid("legacy", str(on), uri),
        "DurationMs": 21,
        "CallerIPAddress": "10.20.4.11",
        "httpStatusCode_d": 200.0,
        "id_s": uri,
        "requestUri_s": f"{uri}/sign?api-version=7.4",
        "clientInfo_s": "azsdk-net-Security.KeyVault.Keys/4.6.0",
        "identity_claim_appid_g": year.app(by),
        "identity_claim_oid_g": year.ground.guid("principal", by),
        "Type": "AzureDiagnostics",
    }
