"""Records of sign-ins, and of uses of the tokens that they issued, in the forms of Azure Monitor and the Management API.

Forms and values are as in public samples: of Graph (github.com/microsoftgraph/microsoft-graph-docs-contrib, concepts/
microsoft-graph-activity-logs-overview.md), of Exchange (a record of Purview with AppAccessContext), of ARM (AzureActivity with
claims `uti`, `iat`, `exp`), of sign-ins (`UniqueTokenIdentifier` in base64url, little-endian: MSIdentityTools,
ConvertFrom-MsIdUniqueTokenIdentifier).
"""

import base64
import itertools
import random
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from keyaudit.model.values.times import DAY, iso_time, parse_date, parse_time

TENANT = "7b8e1c52-0000-4000-8000-000000000001"
START = parse_date("2026-03-02")
HOUR = 3_600
LEARNED = 3 * DAY
"""The baseline is learned from the first days; what a case plants is of the days after."""
EXAMINED = START + LEARNED + DAY
USER, OTHER, GUEST, PARTNER = (f"1000000{n}-0000-4000-8000-000000000000" for n in range(4))
APP, NEW, IDENTITY = (f"2000000{n}-0000-4000-8000-000000000000" for n in range(3))
MICROSOFTS = "00000002-0000-0ff1-ce00-000000000000"
"""Exchange Online, as the application that has a token of its own."""
OUTLOOK = "5d661950-3475-41cd-a2c3-d671a3162bc1"
GRAPH_API, ARM_API = "00000003-0000-0000-c000-000000000000", "797f4846-ba00-4fd7-ba43-dac1f8f63013"
INTERACTIVE, SILENT = "SigninLogs", "AADNonInteractiveUserSignInLogs"
APPS, IDENTITIES, OF_MICROSOFT = (
    "AADServicePrincipalSignInLogs",
    "AADManagedIdentitySignInLogs",
    "MicrosoftServicePrincipalSignInLogs",
)
Row = dict[str, Any]
_TIME = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ?")
_numbers = itertools.count(1)


def guid(seed: object) -> uuid.UUID:
    return uuid.UUID(int=random.Random(str(seed)).getrandbits(128), version=4)


def uti(seed: object) -> str:
    """An id as in tokens of today: the GUID's bytes in little-endian order, in base64url."""
    return base64.urlsafe_b64encode(guid(seed).bytes_le).decode().rstrip("=")


def sign_in(log: str, token: str | None, on: int, **columns: Any) -> Row:
    """A sign-in whose token was issued at `on`: five minutes before the time of the record, as in two public samples."""
    number = next(_numbers)
    user = log in (INTERACTIVE, SILENT)
    row = {
        "Type": log,
        "CreatedDateTime": iso_time(on + 300),
        "TimeGenerated": iso_time(on + 300),
        "Id": str(guid(f"sign-in {number}")),
        "UniqueTokenIdentifier": token,
        "AppId": APP,
        "ResourceIdentity": GRAPH_API,
        "ResultType": "0",
        "AADTenantId": TENANT,
        "AuthenticationProtocol": "none",
        **({"UserId": USER, "CrossTenantAccessType": "none"} if user else {"ServicePrincipalId": of(APP)}),
        **columns,
    }
    return {name: value for name, value in row.items() if value is not None}


def graph(case: str, token: str | None, issued: int | None, used: int, **columns: Any) -> Row:
    row = {
        "Type": "MicrosoftGraphActivityLogs",
        "TimeGenerated": iso_time(used),
        "RequestId": case,
        "RequestUri": "https://graph.microsoft.com/v1.0/me/messages",
        "SignInActivityId": token,
        "TokenIssuedAt": None if issued is None else iso_time(issued),
        "AppId": APP,
        "UserId": USER,
        "ServicePrincipalId": "",
        "ResponseStatusCode": 200,
        "AadTenantId": TENANT,
        **columns,
    }
    return {name: value for name, value in row.items() if value is not None}


def events(case: str, token: str, used: int) -> Row:
    """A row of GraphAPIAuditEvents, which has no time of issue."""
    return {
        "Timestamp": iso_time(used),
        "RequestId": case,
        "RequestUri": "https://graph.microsoft.com/v1.0/me",
        "UniqueTokenIdentifier": token,
        "ApplicationId": APP,
        "AccountObjectId": USER,
        "ResponseStatusCode": "200",
    }


def audit(case: str, token: str | None, issued: int | None, used: int, **members: Any) -> Row:
    """Mail that a user reads."""
    context = {
        "UniqueTokenId": token,
        "IssuedAtTime": None if issued is None else iso_time(issued)[:19],
        "ClientAppId": OUTLOOK,
    }
    return {
        "CreationTime": iso_time(used)[:19],
        "Id": case,
        "Operation": "MailItemsAccessed",
        "OrganizationId": TENANT,
        "RecordType": 50,
        "ResultStatus": "Succeeded",
        "Workload": "Exchange",
        "UserId": "user@contoso.example",
        "UserType": 0,
        "TokenObjectId": USER,
        "ClientAppId": OUTLOOK,
        "AppId": MICROSOFTS,
        "MailboxOwnerUPN": "user@contoso.example",
        "OperationProperties": [{"Name": "IsThrottled", "Value": "False"}],
        "AppAccessContext": {name: value for name, value in context.items() if value is not None},
        **members,
    }


def arm(case: str, token: str | None, issued: int, used: int, *, expires: int | None = None, **claims: Any) -> Row:
    claims = {
        "aud": "https://management.core.windows.net/",
        "iat": str(issued),
        "exp": str(issued + 3_900 if expires is None else expires),
        "appid": APP,
        "uti": token,
        "http://schemas.microsoft.com/identity/claims/objectidentifier": USER,
        "http://schemas.microsoft.com/identity/claims/scope": "user_impersonation",
        **claims,
    }
    return {
        "Type": "AzureActivity",
        "TimeGenerated": iso_time(used),
        "OperationNameValue": "MICROSOFT.COMPUTE/VIRTUALMACHINES/START/ACTION",
        "ActivityStatusValue": "Success",
        "CategoryValue": "Administrative",
        "CorrelationId": case,
        "_ResourceId": "/subscriptions/5b2c0000-0000-4000-8000-000000000001/resourcegroups/rg",
        "Claims": {name: value for name, value in claims.items() if value is not None},
    }


def every_hour(until: int) -> Iterator[Row]:
    """Sign-ins in each of the four logs, without an empty hour."""
    users = {INTERACTIVE: USER, SILENT: OTHER}
    for log in (INTERACTIVE, SILENT, APPS, IDENTITIES):
        for on in range(START, until, HOUR):
            yield sign_in(log, uti(f"other {log} {on}"), on, UserId=users.get(log))


def learned(ids: int, kinds: Sequence[str] = ("user", "app", "mail", "arm")) -> Iterator[Row]:
    """Tokens of each class that is usual, with their sign-ins, in the days of the baseline."""
    for number in range(ids):
        on = START + 3 * HOUR + number * (LEARNED - 6 * HOUR) // ids
        for kind in kinds:
            yield from usual(f"{kind} {number}", kind, on)


def usual(seed: str, kind: str, on: int) -> Iterator[Row]:
    """A token that a sign-in issues, and its use ten minutes later."""
    token, used = uti(seed), on + 600
    if kind == "user":
        yield sign_in(SILENT, token, on)
        yield graph(seed, token, on, used)
    elif kind == "app":
        yield sign_in(APPS, token, on, ServicePrincipalId=of(APP))
        yield graph(seed, token, on, used, UserId=None, ServicePrincipalId=of(APP))
    elif kind == "mail":
        yield sign_in(SILENT, token, on, AppId=OUTLOOK, ResourceIdentity=MICROSOFTS)
        yield audit(seed, token, on, used)
    else:
        yield sign_in(SILENT, token, on, ResourceIdentity=ARM_API)
        yield arm(seed, token, on, used)


def moved(rows: Iterable[Row], by: int, ids: Mapping[str, str] | None = None) -> list[Row]:
    """The same records so many seconds later, with other ids."""
    names = ids or {}

    def one(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: str(int(each) + by) if name in ("iat", "exp") else one(each) for name, each in value.items()}
        if isinstance(value, str) and _TIME.fullmatch(value):
            text = value.removesuffix("Z")
            return iso_time(parse_time(f"{text}Z") + by)[:19] + value[len(text) :]
        return names.get(value, value) if isinstance(value, str) else value

    return [one(row) for row in rows]


def of(app: str) -> str:
    """The object id of an application's service principal."""
    return str(guid(f"principal {app}"))
