"""Log records in the shapes in which Azure and Microsoft 365 export them. Names and ids are of the simulated tenant."""

import json

from msgspec import Struct

from keyaudit.simulator.estate import Row
from keyaudit.simulator.estates.ids import Ground
from keyaudit.simulator.wire import iso

GRAPH = "00000003-0000-0000-c000-000000000000"
EXCHANGE = "00000002-0000-0ff1-ce00-000000000000"
KEY_VAULT = "cfa8b339-82a2-471a-a3c9-0fc0be7a4093"


class Caller(Struct, frozen=True, kw_only=True):
    """An application in logs: its network, and its client program."""

    app_id: str
    object_id: str
    """The object id of its service principal; empty for a Microsoft application that a user works with."""
    network: str
    client: str
    client_app_id: str = ""
    """The calling application; empty: the application itself."""


def mail_read(ground: Ground, moment: int, caller: Caller, mailbox: str, *, throttled: bool = False) -> str:
    """MailItemsAccessed as Purview's audit search exports it: the record is JSON text inside another."""
    number = ground.guid("mail", str(moment), caller.app_id, mailbox, caller.network)
    properties = [
        {"Name": "MailAccessType", "Value": "Bind"},
        {"Name": "IsThrottled", "Value": str(throttled)},
    ]
    record = {
        "CreationTime": iso(moment).removesuffix("Z"),
        "Id": number,
        "Operation": "MailItemsAccessed",
        "OrganizationId": ground.tenant,
        "RecordType": 50,
        "ResultStatus": "Succeeded",
        "UserType": 0,
        "Workload": "Exchange",
        "UserId": mailbox,
        "MailboxOwnerUPN": mailbox,
        "AppId": caller.app_id,
        "ClientAppId": caller.client_app_id or caller.app_id,
        "ClientIPAddress": caller.network,
        "ClientInfoString": caller.client,
        "OperationProperties": properties,
        "OperationCount": 1,
    }
    outer = {
        "Id": number,
        "CreationDate": iso(moment),
        "RecordType": 50,
        "Operation": "MailItemsAccessed",
        "UserId": mailbox,
        "AuditData": json.dumps(record),
    }
    return json.dumps(outer)


def key_used(ground: Ground, moment: int, caller: Caller, operation: str, uri: str, *, place: str, status: int = 200) -> str:
    """A row of AZKVAuditLogs. `uri` is the id of the object, with its version; `place` that of the vault in Azure."""
    row = {
        "TenantId": ground.guid("workspace", "logs"),
        "TimeGenerated": iso(moment),
        "OperationName": operation,
        "ResultType": "Success" if status < 300 else "Failed",
        "HttpStatusCode": status,
        "CallerIpAddress": caller.network,
        "Identity": {"claim": {"appid": caller.app_id, "oid": caller.object_id, "idtyp": "app"}},
        "Id": uri,
        "RequestUri": f"{uri}/{operation.removeprefix('Key').lower()}?api-version=7.4",
        "ClientInfo": caller.client,
        "CorrelationId": ground.guid("request", str(moment), caller.app_id, uri, operation),
        "DurationMs": 12,
        "_ResourceId": place,
        "Type": "AZKVAuditLogs",
    }
    return json.dumps(row)


def signed_in(
    ground: Ground, moment: int, caller: Caller, resource: str, key: str, *, managed: bool = False, result: str = "0"
) -> str:
    """A row of AADServicePrincipalSignInLogs, or of AADManagedIdentitySignInLogs, which know no address.

    `key` is the key id of the credential; `result` the number of an error, or 0.
    """
    kind = "ManagedIdentitySignInLogs" if managed else "ServicePrincipalSignInLogs"
    row = {
        "TenantId": ground.guid("workspace", "logs"),
        "AADTenantId": ground.tenant,
        "TimeGenerated": iso(moment),
        "CreatedDateTime": iso(moment),
        "Id": ground.guid("sign-in", str(moment), caller.app_id, resource),
        "Category": kind,
        "AppId": caller.app_id,
        "ServicePrincipalId": caller.object_id,
        "ServicePrincipalCredentialKeyId": key,
        "ResourceIdentity": resource,
        "IPAddress": "" if managed else caller.network,
        "UserAgent": caller.client,
        "ResultType": result,
        "Type": f"AAD{kind}",
    }
    return json.dumps(row)


def office_row(exported: Row) -> Row:
    """A record of Purview's export as a row of OfficeActivity."""
    record = json.loads(str(exported["AuditData"]))
    same = (
        "OrganizationId",
        "Operation",
        "ResultStatus",
        "UserId",
        "AppId",
        "ClientAppId",
        "ClientInfoString",
        "MailboxOwnerUPN",
    )
    return {
        "TimeGenerated": exported["CreationDate"],
        "OfficeWorkload": record["Workload"],
        "OfficeId": record["Id"],
        "Client_IPAddress": record["ClientIPAddress"],
        "OperationProperties": record["OperationProperties"],
        **{name: record[name] for name in same},
        "Type": "OfficeActivity",
    }


def graph_record(exported: Row) -> Row:
    """A record of Purview's export as in the result of a search with Graph."""
    record = json.loads(str(exported["AuditData"]))
    return {
        "id": record["Id"],
        "createdDateTime": exported["CreationDate"],
        "auditLogRecordType": "exchangeItemAggregated",
        "operation": record["Operation"],
        "organizationId": record["OrganizationId"],
        "service": record["Workload"],
        "userPrincipalName": record["UserId"],
        "auditData": {"@odata.type": "#microsoft.graph.security.defaultAuditData", **record},
    }


def graph_sign_in(row: Row) -> Row:
    """A row of AADServicePrincipalSignInLogs as Graph's beta has it."""
    return {
        "id": row["Id"],
        "createdDateTime": row["CreatedDateTime"],
        "appId": row["AppId"],
        "servicePrincipalId": row["ServicePrincipalId"],
        "servicePrincipalCredentialKeyId": row["ServicePrincipalCredentialKeyId"],
        "resourceId": row["ResourceIdentity"],
        "ipAddress": row["IPAddress"],
        "userAgent": row["UserAgent"],
        "signInEventTypes": ["servicePrincipal"],
        "status": {"errorCode": int(str(row["ResultType"])), "failureReason": "Other.", "additionalDetails": None},
    }


def graph_user_sign_in(row: Row) -> Row:
    """A row of SigninLogs as Graph has it."""
    return {
        "id": row["Id"],
        "createdDateTime": row["CreatedDateTime"],
        "appId": row["AppId"],
        "userId": row["UserId"],
        "ipAddress": row["IPAddress"],
        "clientAppUsed": "Browser",
        "isInteractive": True,
        "status": {"errorCode": int(str(row["ResultType"])), "failureReason": "Other.", "additionalDetails": None},
    }


def audit_row(ground: Ground, audit: Row) -> Row:
    """Graph's directoryAudit as a row of AuditLogs."""
    return {
        "TenantId": ground.guid("workspace", "logs"),
        "TimeGenerated": audit["activityDateTime"],
        "ActivityDateTime": audit["activityDateTime"],
        "AADTenantId": ground.tenant,
        "Category": audit["category"],
        "OperationName": audit["activityDisplayName"],
        "Result": audit["result"],
        "Id": audit["id"],
        "InitiatedBy": audit["initiatedBy"],
        "TargetResources": audit["targetResources"],
        "AdditionalDetails": audit["additionalDetails"],
        "Type": "AuditLogs",
    }
