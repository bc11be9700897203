"""The tokens that records name: ids in each form, and the members of each log that has them."""

import base64
import json
import uuid
from typing import Any

import pytest

from keyaudit.inventory.logs.token import Token
from keyaudit.logs.formats.recognise import Recogniser
from keyaudit.logs.formats.tokens import issue_time, token_id
from keyaudit.model.values.times import parse_time

REQUEST = "4d63c1c4-c95b-4d3c-8e0a-1271fd813e00"
IN_TOKEN = "xMFjTVvJPE2OChJx_YE-AA"
"""A real non-interactive sign-in of February 2025 has both: the id of its request, and of its token."""
TENANT, APP, PRINCIPAL = (f"3000000{n}-0000-4000-8000-000000000000" for n in range(3))


def token(record: dict[str, Any]) -> Token:
    event = Recogniser()(record)
    assert event is not None
    assert event.token is not None
    return event.token


@pytest.mark.parametrize(
    "text",
    [
        IN_TOKEN,
        f"{IN_TOKEN}==",
        REQUEST,
        REQUEST.upper(),
        # Until 2022: the text of the GUID in base64.
        base64.b64encode(REQUEST.encode()).decode(),
    ],
)
def test_an_id_is_that_of_the_request_in_each_form(text: str) -> None:
    assert token_id(text) == (uuid.UUID(REQUEST).hex, False)


@pytest.mark.parametrize(
    "text", [IN_TOKEN.lower(), IN_TOKEN[:-1], f"{IN_TOKEN}A", "unique-token-id-abc123", "\u00e9" * 22, "\ud800" * 48]
)
def test_an_id_of_another_form_is_kept_as_it_is(text: str) -> None:
    assert token_id(text) == (text, True)


@pytest.mark.parametrize("text", [None, "", " ", "==", "00000000-0000-0000-0000-000000000000"])
def test_no_id_is_none(text: str | None) -> None:
    assert token_id(text) == (None, False)


@pytest.mark.parametrize("value", [None, "", 0, True, "1601-01-01T00:00:00", "soon", {}, [1], "9" * 40])
def test_a_time_that_cannot_be_is_none(value: Any) -> None:
    assert issue_time(value) is None


def test_a_request_to_graph_as_a_diagnostic_setting_writes_it() -> None:
    """The members are those of a record of July 2026 in a test of github.com/rknightion/graph2otel, with other values."""
    found = token(
        {
            "time": "2026-07-16T02:00:45.0159703Z",
            "operationName": "Microsoft Graph Activity",
            "category": "MicrosoftGraphActivityLogs",
            "tenantId": TENANT,
            "properties": {
                "timeGenerated": "2026-07-16T02:00:45.0159703Z",
                "requestId": "8a566ebb-0000-4000-8000-000000000000",
                "responseStatusCode": 200,
                "signInActivityId": IN_TOKEN,
                "appId": APP,
                "scopes": "",
                "servicePrincipalId": PRINCIPAL,
                "tokenIssuedAt": "2026-07-16T01:04:37.0000000Z",
            },
        }
    )
    assert (found.source, found.service, found.token) == (
        "MicrosoftGraphActivityLogs",
        "Microsoft Graph",
        uuid.UUID(REQUEST).hex,
    )
    assert (found.kind, found.app, found.object_id) == ("application", APP, PRINCIPAL)
    assert (found.on, found.issued_on) == (parse_time("2026-07-16T02:00:45Z"), parse_time("2026-07-16T01:04:37Z"))


@pytest.mark.parametrize(
    ("who", "kind"),
    [({"userId": PRINCIPAL, "servicePrincipalId": ""}, "user"), ({"servicePrincipalId": PRINCIPAL}, "application")],
)
def test_a_request_to_azure_ad_graph_as_a_diagnostic_setting_writes_it(who: dict[str, str], kind: str) -> None:
    """The members, and the forms of the token's id and times, are those of `test-aadgraph-activity.log` in packages/azure/
    data_stream/aadgraphactivitylogs/_dev/test/pipeline of github.com/elastic/integrations at 097306ed, with other values.
    """
    found = token(
        {
            "category": "AzureADGraphActivityLogs",
            "operationName": "AAD Graph Activity",
            "tenantId": TENANT,
            "properties": {
                "timeGenerated": "2026-05-11T12:41:10.9430757Z",
                "requestId": "8a566ebb-0000-4000-8000-000000000000",
                "httpMethod": "PATCH",
                "httpStatusCode": 204,
                "signInActivityId": f"{IN_TOKEN}==",
                "appId": APP,
                "issuedAt": "5/11/2026 12:35:58 PM",
                **who,
            },
        }
    )
    assert (found.source, found.service, found.token) == ("AADGraphActivityLogs", "Azure AD Graph", uuid.UUID(REQUEST).hex)
    assert (found.kind, found.app, found.object_id) == (kind, APP, PRINCIPAL)
    assert (found.on, found.issued_on) == (parse_time("2026-05-11T12:41:10Z"), parse_time("2026-05-11T12:35:58Z"))


def test_a_record_of_exchange_as_purview_exports_it() -> None:
    """The members are those of a record of September 2023 in a public export of Purview, with other values."""
    found = token(
        {
            "AppAccessContext": {"IssuedAtTime": "2023-09-26T01:47:34", "UniqueTokenId": IN_TOKEN},
            "CreationTime": "2023-09-26T01:56:15",
            "Id": "85d29e27-0000-4000-8000-000000000000",
            "Operation": "New-InboxRule",
            "OrganizationId": TENANT,
            "Parameters": [{"Name": "Name", "Value": "Newsletters"}],
            "RecordType": 1,
            "ResultStatus": "True",
            "UserKey": "10032002F222981B",
            "UserType": 2,
            "Workload": "Exchange",
            "UserId": "user@contoso.example",
            "AppId": "00000002-0000-0ff1-ce00-000000000000",
            "ClientAppId": "",
        }
    )
    assert (found.service, found.token, found.issued_on) == (
        "Exchange",
        uuid.UUID(REQUEST).hex,
        parse_time("2023-09-26T01:47:34Z"),
    )
    # Its application is Exchange itself: the log does not say whose token it is.
    assert (found.principal, found.object_id, found.client) == ("user@contoso.example", None, None)


def test_a_sign_in_that_is_not_interactive_issues_a_token() -> None:
    found = token(
        {
            "Type": "AADNonInteractiveUserSignInLogs",
            "CreatedDateTime": "2025-02-10T10:00:00Z",
            "UniqueTokenIdentifier": IN_TOKEN,
            "UserId": PRINCIPAL,
            "AppId": APP,
            "ResultType": "0",
            "CrossTenantAccessType": "b2bCollaboration",
        }
    )
    assert (found.issue, found.succeeded, found.external, found.token) == (True, True, True, uuid.UUID(REQUEST).hex)


@pytest.mark.parametrize("text", [False, True], ids=["object", "text"])
def test_a_row_of_defender_has_the_record_inside(text: bool) -> None:
    inner = {"Workload": "SharePoint", "UserId": "user@contoso.example", "AppAccessContext": {"UniqueTokenId": IN_TOKEN}}
    row = {
        "Timestamp": "2025-02-10T10:00:00Z",
        "ActionType": "FileAccessed",
        "RawEventData": json.dumps(inner) if text else inner,
    }
    assert (token(row).service, token(row).token) == ("SharePoint", uuid.UUID(REQUEST).hex)
    other = Recogniser()({**row, "RawEventData": "[1]"})
    assert other is not None
    assert other.token is None


@pytest.mark.parametrize("context", [None, "", "not JSON", "[]", 7, [1], {"UniqueTokenId": 7}, {"UniqueTokenId": None}])
def test_a_context_that_is_none_names_no_token(context: Any) -> None:
    record = {
        "CreationTime": "2025-02-10T10:00:00",
        "Operation": "FileAccessed",
        "Workload": "SharePoint",
        "UserId": "app@sharepoint",
        "AppAccessContext": context,
    }
    assert token(record).token is None
