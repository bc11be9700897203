"""Log records, one function for each kind, as diagnostic settings and the Office 365 Management Activity API export them.

Members and their values follow recorded events: of SEKOIA-IO/intake-formats at b8f64fe1 `graph_activity.json` in
`Azure/azure-ad/tests`, all in `Azure/azure-key-vault/tests`, and `exchange_item_aggregated.json`, `exchange_item_group_7.json`
in `Office 365/o365/tests`; of elastic/integrations, in `packages/azure/data_stream`, `test-managed-identity-sample.log` (at
0c1eadf3) and `test-non-interactive-user.log` (at 2233dff6) of `signinlogs`, `test-audit-logs-sample.log` (at 0c1eadf3) of
`auditlogs`.
"""

import base64
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

TENANT = "f4f6ed4f-09b8-40b4-bbb3-79fe10007fb2"
GRAPH = "00000003-0000-0000-c000-000000000000"
EXCHANGE = "00000002-0000-0ff1-ce00-000000000000"
ARM = "797f4846-ba00-4fd7-ba43-dac1f8f63013"
VAULTS = "cfa8b339-82a2-471a-a3c9-0fc0be7a4093"
ISSUED_BEFORE = 300
"""Seconds by which a token's time of issue is before the time of its sign-in."""

Record = dict[str, object]
Log = str
Line = tuple[Log, Record]


@dataclass(frozen=True)
class Actor:
    """Who a token is about: a person, with a mailbox, or a service principal."""

    oid: str
    name: str
    upn: str = ""
    sid: str = ""
    mailbox: str = ""


@dataclass(frozen=True)
class Token:
    """An access token as resources see it. `request` is the sign-in's; a forger invents it, or leaves it out (None)."""

    request: str | None
    issued: datetime
    app: str
    actor: Actor
    session: str

    @property
    def uti(self) -> str | None:
        """Base64url of the request's id in .NET's order of bytes, unpadded."""
        if self.request is None:
            return None
        return base64.urlsafe_b64encode(uuid.UUID(self.request).bytes_le).decode().rstrip("=")


def guid(rng: Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def request_id(rng: Random) -> str:
    """As Entra's: the last byte is 00 or 01."""
    return f"{guid(rng)[:-2]}0{rng.randrange(2)}"


def iso(moment: datetime, *, suffix: str = "Z") -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0" + suffix


def _exported(moment: datetime, category: str, operation: str, properties: Record, **more: object) -> Record:
    return {
        "time": iso(moment),
        "resourceId": f"/tenants/{TENANT}/providers/Microsoft.aadiam",
        "operationName": operation,
        "operationVersion": "1.0",
        "category": category,
        "tenantId": TENANT,
        "resultSignature": "None",
        "durationMs": 0,
        "Level": 4,
        **more,
        "properties": properties,
    }


def sign_in(log: Log, moment: datetime, token: Token, ip: str, resource: str, **more: object) -> Line:
    """The record of the sign-in that issued the token, in SignInLogs or one of its three siblings."""
    person = bool(token.actor.upn)
    who: Record = (
        {"userId": token.actor.oid, "userPrincipalName": token.actor.upn, "userDisplayName": token.actor.name}
        if person
        else {"userId": None, "servicePrincipalId": token.actor.oid, "servicePrincipalName": token.actor.name}
    )
    properties: Record = {
        "id": token.request,
        "createdDateTime": iso(moment, suffix="+00:00"),
        **who,
        "appId": token.app,
        "ipAddress": ip,
        "status": {"errorCode": 0},
        "isInteractive": log == "SignInLogs",
        "tokenIssuerType": "AzureAD",
        "crossTenantAccessType": "none",
        "homeTenantId": TENANT,
        "resourceTenantId": TENANT,
        "resourceId": resource,
        "sessionId": token.session if person else "",
        "uniqueTokenIdentifier": token.uti,
        "incomingTokenType": "none",
        "authenticationProtocol": "none",
        **more,
    }
    return log, _exported(moment, log, "Sign-in activity", properties, resultType="0", callerIpAddress=ip)


def _context(token: Token, api: str) -> Record:
    found: Record = {
        "AADSessionId": token.session,
        "APIId": api,
        "ClientAppId": token.app,
        "IssuedAtTime": token.issued.strftime("%Y-%m-%dT%H:%M:%S"),
    }
    return found if token.uti is None else {**found, "UniqueTokenId": token.uti}


def mail(
    moment: datetime,
    mailbox: Actor,
    token: Token,
    ip: str,
    program: str,
    *,
    rng: Random,
    items: int = 1,
    kind: str = "Bind",
    through: str | None = None,
) -> Line:
    """MailItemsAccessed of the unified audit log. `through`: the API that called Exchange, such as Graph."""
    person = bool(token.actor.upn)
    opened: list[Record] = [
        {"InternetMessageId": f"<{guid(rng)}@contoso.example>", "SizeInBytes": rng.randrange(2_000, 90_000)}
        for _ in range(items)
    ]
    folder: Record = {"Path": "\\Inbox", "Id": f"LgAAAA{mailbox.mailbox[:8]}"}
    if kind == "Bind":
        folder["FolderItems"] = opened
    return "Audit.Exchange", {
        "AppAccessContext": _context(token, through or EXCHANGE),
        "CreationTime": moment.strftime("%Y-%m-%dT%H:%M:%S"),
        "Id": guid(rng),
        "Operation": "MailItemsAccessed",
        "OrganizationId": TENANT,
        "RecordType": 50,
        "ResultStatus": "Succeeded",
        "UserKey": token.actor.oid,
        "UserType": 0 if person else 5,
        "Version": 1,
        "Workload": "Exchange",
        "UserId": token.actor.upn or mailbox.upn,
        "AppId": through or token.app,
        "ClientAppId": token.app,
        "ClientIPAddress": ip,
        "ClientInfoString": program,
        "ExternalAccess": False,
        "InternalLogonType": 0,
        "LogonType": 2 if person and token.actor.oid != mailbox.oid else 0,
        "LogonUserSid": token.actor.sid,
        "MailboxGuid": mailbox.mailbox,
        "MailboxOwnerSid": mailbox.sid,
        "MailboxOwnerUPN": mailbox.upn,
        "OperationProperties": [{"Name": "MailAccessType", "Value": kind}, {"Name": "IsThrottled", "Value": "False"}],
        "OrganizationName": "contoso.onmicrosoft.com",
        "OriginatingServer": "AM0PR07MB5763 (15.20.4200.000)\r\n",
        "TokenObjectId": token.actor.oid,
        "TokenTenantId": TENANT,
        "Folders": [folder],
        "OperationCount": items,
    }


def graph(moment: datetime, token: Token, ip: str, path: str, *, rng: Random, agent: str = "Integration/4.2") -> Line:
    """MicrosoftGraphActivityLogs."""
    person = bool(token.actor.upn)
    request = guid(rng)
    properties: Record = {
        "timeGenerated": iso(moment),
        "requestId": request,
        "operationId": request,
        "clientRequestId": guid(rng),
        "apiVersion": "v1.0",
        "requestMethod": "GET",
        "responseStatusCode": 200,
        "tenantId": TENANT,
        "durationMs": 20_000,
        "responseSizeBytes": 4_000,
        "signInActivityId": token.uti or "",
        "roles": "" if person else "Mail.ReadWrite User.Read.All",
        "scopes": "Mail.Read User.Read" if person else None,
        "appId": token.app,
        "userId": token.actor.oid if person else None,
        "servicePrincipalId": None if person else token.actor.oid,
        "clientAuthMethod": "0" if person else "1",
        "C_Idtyp": "user" if person else "app",
        "C_Iat": str(int(token.issued.timestamp())),
        "ipAddress": ip,
        "userAgent": agent,
        "requestUri": f"https://graph.microsoft.com/v1.0{path}",
        "tokenIssuedAt": iso(token.issued),
    }
    record = _exported(moment, "MicrosoftGraphActivityLogs", "Microsoft Graph Activity", properties, callerIpAddress=ip)
    return "MicrosoftGraphActivityLogs", {**record, "resultSignature": "200", "correlationId": request}


def vault(
    moment: datetime, actor: Actor, app: str, ip: str, operation: str, where: str, *, rng: Random, agent: str, group: str
) -> Line:
    """AuditEvent of Key Vault. `where`: VAULT/keys/NAME/VERSION and the like; `group`: the vault's resource group's id."""
    name, _, path = where.partition("/")
    claims: Record = {"oid": actor.oid, "appid": app, "appidacr": "0" if actor.upn else "2"}
    if actor.upn:
        claims |= {"scp": "user_impersonation", "upn": actor.upn, "unique_name": actor.upn, "ipaddr": ip}
    return "AuditEvent", {
        "time": iso(moment),
        "category": "AuditEvent",
        "operationName": operation,
        "resultType": "Success",
        "correlationId": guid(rng),
        "callerIpAddress": ip,
        "identity": {"claim": claims},
        "properties": {
            "id": f"https://{name}.vault.azure.net/{path}",
            "clientInfo": agent,
            "httpStatusCode": 200,
            "requestUri": f"https://{name}.vault.azure.net/{path}?api-version=7.4",
            "isAccessPolicyMatch": True,
            "tlsVersion": "TLS1_3",
        },
        "resourceId": f"{group}/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/{name.upper()}",
        "operationVersion": "7.4",
        "resultSignature": "OK",
        "durationMs": "22",
    }


def audit(
    moment: datetime,
    operation: str,
    by: Mapping[str, object],
    target: Mapping[str, object],
    changed: Sequence[tuple[str, str | None, str]],
    ip: str,
    *,
    rng: Random,
) -> Line:
    """AuditLogs. `by`: the member initiatedBy; `changed`: the modified properties with their old and new values."""
    properties: Record = {
        "id": f"Directory_{guid(rng)}_6X649_{rng.randrange(10**8)}",
        "category": "ApplicationManagement",
        "correlationId": guid(rng),
        "result": "success",
        "resultReason": "",
        "activityDisplayName": operation,
        "activityDateTime": iso(moment, suffix="+00:00"),
        "loggedByService": "Core Directory",
        "operationType": "Update",
        "userAgent": None,
        "initiatedBy": by,
        "targetResources": [
            {
                **target,
                "modifiedProperties": [{"displayName": name, "oldValue": old, "newValue": new} for name, old, new in changed],
                "administrativeUnits": [],
            }
        ],
        "additionalDetails": [{"key": "User-Agent", "value": "Mozilla/5.0"}],
    }
    return "AuditLogs", _exported(moment, "AuditLogs", operation, properties, callerIpAddress=ip)


def activity(moment: datetime, token: Token, ip: str, operation: str, resource: str, *, rng: Random) -> Line:
    """AzureActivity, as a subscription's diagnostic setting exports it."""
    claims: Record = {
        "aud": "https://management.azure.com/",
        "iat": str(int(token.issued.timestamp())),
        "exp": str(int((token.issued + timedelta(seconds=3_900)).timestamp())),
        "appid": token.app,
        "appidacr": "0" if token.actor.upn else "2",
        "http://schemas.microsoft.com/identity/claims/objectidentifier": token.actor.oid,
        "http://schemas.microsoft.com/identity/claims/tenantid": TENANT,
        "ver": "1.0",
    }
    if token.uti is not None:
        claims["uti"] = token.uti
    if token.actor.upn:
        claims["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"] = token.actor.upn
    return "Administrative", {
        "time": iso(moment),
        "resourceId": resource.upper(),
        "operationName": operation.upper(),
        "category": "Administrative",
        "resultType": "Success",
        "resultSignature": "Succeeded.",
        "durationMs": 80,
        "callerIpAddress": ip,
        "correlationId": guid(rng),
        "identity": {"authorization": {"scope": resource, "action": operation}, "claims": claims},
        "level": "Information",
        "properties": {"eventCategory": "Administrative", "statusCode": "OK"},
    }


def at(day: datetime, seconds: float) -> datetime:
    return day.replace(tzinfo=UTC) + timedelta(seconds=seconds)
