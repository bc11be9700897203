"""The same 200 events, and each as a record of every system that exports them."""

import datetime
import json
from typing import Any

TENANT = "11111111-1111-4111-8111-111111111111"
WORKSPACE = "99999999-9999-4999-8999-999999999999"
VAULT = "/SUBSCRIPTIONS/5B2C/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/KV-PAY"
START = datetime.datetime(2026, 3, 30, 22, 0, 0, 123456, datetime.UTC)
OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
Event = dict[str, Any]


def guid(kind: int, number: int) -> str:
    return f"{kind:08x}-0000-4000-8000-{number:012X}"


def at(number: int) -> datetime.datetime:
    return START + datetime.timedelta(minutes=37 * number, milliseconds=7 * number)


def iso(time: datetime.datetime, digits: int = 7, zone: str = "Z") -> str:
    fraction = f"{time.microsecond:06d}0"[:digits]
    return time.strftime("%Y-%m-%dT%H:%M:%S") + (f".{fraction}" if digits else "") + zone


def portal(time: datetime.datetime) -> str:
    hour = f"{time.hour % 12 or 12}:{time:%M:%S}.{time.microsecond // 1000:03d} {'PM' if time.hour >= 12 else 'AM'}"
    return f"{time.month}/{time.day}/{time.year}, {hour}"


# What happened: key vault requests, sign-ins, changes of the directory, and mail.

_REQUESTS = (("KeySign", "keys", "sign"), ("KeyDecrypt", "keys", "decrypt"), ("SecretGet", "secrets", ""))


def requests() -> list[Event]:
    made = []
    for number in range(60):
        operation, kind, verb = _REQUESTS[number % 3]
        made.append(
            {
                "time": at(number),
                "operation": operation if number % 10 else "Authentication",
                "id": f"https://kv-pay.vault.azure.net/{kind}/Name-{number % 4}/{number % 5:032x}",
                "verb": verb,
                "status": 403 if number % 7 == 0 else 200 if number % 10 else 401,
                "app": guid(1, number % 3),
                "oid": guid(2, number % 3),
                "ip": f"198.51.100.{number % 9}",
                "client": 'azsdk-python-keys/4.11 "quoted", and, commas',
                "correlation": guid(3, number),
                "duration": number,
            }
        )
    return made


def sign_ins() -> list[Event]:
    return [
        {
            "time": at(number),
            "id": guid(4, number),
            "app": guid(1, number % 5),
            "sp": guid(5, number % 5),
            "key": guid(6, number % 2) if number % 4 else "",
            "resource": guid(7, 1),
            "ip": "2001:db8::5" if number % 3 else "203.0.113.9",
            "code": 7000215 if number % 8 == 0 else 0,
        }
        for number in range(40)
    ]


_CHANGES = (
    "Update application \u2013 Certificates and secrets management ",
    "Add service principal credentials",
    "Remove service principal credentials",
    "Add service principal",
    "Set federation settings on domain",
    "Add member to group",
)


def changes() -> list[Event]:
    made = []
    for number in range(40):
        activity = _CHANGES[number % 6]
        key = f'["[KeyIdentifier={guid(6, number)},KeyType=Password,KeyUsage=Verify,DisplayName=a b]"]'
        old, new = (key, "[]") if activity.startswith("Remove") else ("[]", key)
        properties = [("KeyDescription", old, new)] if "redential" in activity or "ertif" in activity else []
        if activity == "Add service principal" and number % 12 == 3:
            properties = [("Credential", "[]", '[{"CredentialType":2,"KeyStoreId":"a"}]')]
        domain = activity.startswith("Set")
        made.append(
            {
                "time": at(number),
                "id": f"Directory_{guid(8, number)}",
                "activity": activity,
                "type": "Other" if domain else "ServicePrincipal" if "principal" in activity else "Application",
                "target": "" if domain else guid(5, number),
                "name": "Contoso.example" if domain else f"app {number}",
                "user": guid(9, 1) if number % 2 else "",
                "app": "" if number % 2 else guid(1, 7),
                "ip": "192.0.2.7",
                "agent": "Mozilla/5.0 (X)",
                "properties": properties,
                "result": "failure" if number % 9 == 0 else "success",
            }
        )
    return made


def mail() -> list[Event]:
    return [
        {
            "time": at(number).replace(microsecond=0),
            "id": guid(10, number),
            "operation": "MailItemsAccessed" if number % 6 else "Send",
            "mailbox": f"User{number % 4}@contoso.example",
            "user": f"User{number % 4}@contoso.example",
            "app": guid(1, 20),
            "client": guid(1, 21 + number % 2),
            "ip": f"198.51.100.{number % 5}",
            "throttled": number == 13,
        }
        for number in range(60)
    ]


# As diagnostic settings write it.


def kv_record(event: Event) -> Event:
    return {
        "time": iso(event["time"]),
        "category": "AuditEvent",
        "operationName": event["operation"],
        "resultType": "Success",
        "correlationId": event["correlation"],
        "callerIpAddress": event["ip"],
        "identity": {"claim": {OBJECT_ID: event["oid"], "appid": event["app"]}},
        "properties": {
            "id": event["id"],
            "clientInfo": event["client"],
            "requestUri": f"{event['id']}/{event['verb']}?api-version=7.4",
            "httpStatusCode": event["status"],
        },
        "resourceId": VAULT,
        "operationVersion": "7.4",
        "resultSignature": "OK",
        "durationMs": str(event["duration"]),
    }


def sign_in_graph(event: Event) -> Event:
    return {
        "id": event["id"],
        "createdDateTime": iso(event["time"], 0),
        "appId": event["app"],
        "servicePrincipalId": event["sp"],
        "servicePrincipalCredentialKeyId": event["key"] or None,
        "resourceId": event["resource"],
        "ipAddress": event["ip"],
        "signInEventTypes": ["servicePrincipal"],
        "status": {"errorCode": event["code"], "failureReason": "Other."},
    }


def sign_in_record(event: Event) -> Event:
    return {
        "time": iso(event["time"]),
        "resourceId": f"/tenants/{TENANT}/providers/Microsoft.aadiam",
        "operationName": "Sign-in activity",
        "category": "ServicePrincipalSignInLogs",
        "tenantId": TENANT,
        "resultType": str(event["code"]),
        "properties": sign_in_graph(event),
    }


def change_graph(event: Event) -> Event:
    user = {"id": event["user"], "userPrincipalName": "admin@contoso.example", "ipAddress": event["ip"]}
    app = {"appId": event["app"], "servicePrincipalId": guid(5, 99), "displayName": "automation"}
    return {
        "id": event["id"],
        "category": "ApplicationManagement",
        "result": event["result"],
        "activityDisplayName": event["activity"],
        "activityDateTime": iso(event["time"]),
        "initiatedBy": {"user": user if event["user"] else None, "app": app if event["app"] else None},
        "targetResources": [
            {
                "id": event["target"] or None,
                "displayName": event["name"],
                "type": event["type"],
                "modifiedProperties": [
                    {"displayName": name, "oldValue": old, "newValue": new} for name, old, new in event["properties"]
                ],
            }
        ],
        "additionalDetails": [{"key": "User-Agent", "value": event["agent"]}],
    }


def change_record(event: Event) -> Event:
    return {
        "time": iso(event["time"]),
        "operationName": event["activity"],
        "category": "AuditLogs",
        "tenantId": TENANT,
        "properties": change_graph(event),
    }


# As Log Analytics has it in tables.


def kv_row(event: Event) -> Event:
    return {
        "TenantId": WORKSPACE,
        "TimeGenerated": event["time"],
        "OperationName": event["operation"],
        "ResultType": "Success",
        "HttpStatusCode": event["status"],
        "CallerIpAddress": event["ip"],
        "Identity": {"claim": {"oid": event["oid"], "appid": event["app"]}},
        "Id": event["id"],
        "RequestUri": f"{event['id']}/{event['verb']}?api-version=7.4",
        "ClientInfo": event["client"],
        "CorrelationId": event["correlation"],
        "DurationMs": event["duration"],
        "_ResourceId": VAULT.lower(),
        "Type": "AZKVAuditLogs",
    }


def kv_legacy(event: Event) -> Event:
    return {
        "TenantId": WORKSPACE,
        "TimeGenerated": event["time"],
        "ResourceId": VAULT,
        "Category": "AuditEvent",
        "ResourceProvider": "MICROSOFT.KEYVAULT",
        "OperationName": event["operation"],
        "ResultType": "Success",
        "CorrelationId": event["correlation"],
        "DurationMs": event["duration"],
        "CallerIPAddress": event["ip"],
        "httpStatusCode_d": float(event["status"]),
        "id_s": event["id"],
        "requestUri_s": f"{event['id']}/{event['verb']}?api-version=7.4",
        "clientInfo_s": event["client"],
        "identity_claim_appid_g": event["app"].lower(),
        "identity_claim_http_schemas_microsoft_com_identity_claims_objectidentifier_g": event["oid"].lower(),
        "Type": "AzureDiagnostics",
    }


def sign_in_row(event: Event) -> Event:
    return {
        "TenantId": WORKSPACE,
        "TimeGenerated": event["time"] + datetime.timedelta(minutes=4),
        "CreatedDateTime": event["time"],
        "AADTenantId": TENANT,
        "Category": "ServicePrincipalSignInLogs",
        "Id": event["id"],
        "AppId": event["app"],
        "ServicePrincipalId": event["sp"],
        "ServicePrincipalCredentialKeyId": event["key"],
        "ResourceIdentity": event["resource"],
        "IPAddress": event["ip"],
        "ResultType": str(event["code"]),
    }


def change_row(event: Event) -> Event:
    graph = change_graph(event)
    return {
        "TenantId": WORKSPACE,
        "TimeGenerated": event["time"],
        "ActivityDateTime": event["time"],
        "AADTenantId": TENANT,
        "OperationName": event["activity"],
        "Result": event["result"],
        "Id": event["id"],
        "InitiatedBy": {name: each for name, each in graph["initiatedBy"].items() if each},
        "TargetResources": graph["targetResources"],
        "AdditionalDetails": graph["additionalDetails"],
    }


def mail_row(event: Event) -> Event:
    return {
        "TenantId": WORKSPACE,
        "TimeGenerated": event["time"],
        "OrganizationId": TENANT,
        "OfficeWorkload": "Exchange",
        "OfficeId": event["id"],
        "Operation": event["operation"],
        "ResultStatus": "Succeeded",
        "UserId": event["user"],
        "AppId": event["app"],
        "ClientAppId": event["client"],
        "ClientInfoString": "Client=REST;;",
        "Client_IPAddress": event["ip"],
        "MailboxOwnerUPN": event["mailbox"],
        "OperationProperties": _operation_properties(event),
        "Type": "OfficeActivity",
    }


# The unified audit log.


def _operation_properties(event: Event) -> list[Event]:
    return [{"Name": "MailAccessType", "Value": "Bind"}, {"Name": "IsThrottled", "Value": str(event["throttled"])}]


def mail_audit(event: Event) -> Event:
    return {
        "CreationTime": iso(event["time"], 0, ""),
        "Id": event["id"],
        "Operation": event["operation"],
        "OrganizationId": TENANT,
        "RecordType": 50,
        "ResultStatus": "Succeeded",
        "Workload": "Exchange",
        "UserId": event["user"],
        "AppId": event["app"],
        "ClientAppId": event["client"],
        "ClientInfoString": "Client=REST;;",
        "ClientIPAddress": f"{event['ip']}:443",
        "MailboxOwnerUPN": event["mailbox"],
        "OperationProperties": _operation_properties(event),
        "Folders": [{"Path": "\\Inbox", "FolderItems": [{"InternetMessageId": "<a@b>"}, {"InternetMessageId": "<}{>"}]}],
    }


def mail_purview(event: Event) -> Event:
    return {
        "RecordId": event["id"],
        "CreationDate": iso(event["time"]),
        "RecordType": "50",
        "Operation": event["operation"],
        "UserId": event["user"],
        "AuditData": json.dumps(mail_audit(event)),
    }


def mail_graph(event: Event) -> Event:
    return {
        "id": event["id"],
        "createdDateTime": iso(event["time"], 0),
        "auditLogRecordType": "exchangeItemAggregated",
        "operation": event["operation"],
        "organizationId": TENANT,
        "auditData": {"@odata.type": "#microsoft.graph.security.defaultAuditData", **mail_audit(event)},
    }
