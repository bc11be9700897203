"""Log Analytics, api.loganalytics.azure.com: queries for rows of a table between two times, in the part of KQL of `kql`."""

import json
from collections.abc import Mapping, Sequence

from keyaudit.simulator.estate import Row, Workspace
from keyaudit.simulator.estates.ids import DAY
from keyaudit.simulator.monitor import kql
from keyaudit.simulator.resource_manager.logs import customer_id, retention_days
from keyaudit.simulator.service import Call, Service, fixed, retry_after, varying
from keyaudit.simulator.throttle import Charge, Refusal
from keyaudit.simulator.tokens import Flaw
from keyaudit.simulator.wire import JSON, Answer, Request, compact

HOST = "api.loganalytics.azure.com"

_AUDIENCES = frozenset({"https://api.loganalytics.io"})
_HEADERS = {"Content-Type": JSON}
# Columns that the tables have, whether or not a simulated row has a value there.
# https://learn.microsoft.com/azure/azure-monitor/reference/tables-index
_SIGN_INS = frozenset(
    (
        *("AppId", "Category", "FederatedCredentialId", "IPAddress", "Id", "ResourceIdentity", "ResultType"),
        *("ServicePrincipalId", "ServicePrincipalCredentialKeyId", "TimeGenerated", "Type"),
    )
)
_COLUMNS: Mapping[str, frozenset[str]] = {
    "AZKVAuditLogs": frozenset(
        (
            *("CallerIpAddress", "ClientInfo", "CorrelationId", "DurationMs", "HttpStatusCode", "Id", "Identity"),
            *("OperationName", "RequestUri", "ResultType", "TimeGenerated", "Type", "_ResourceId"),
        )
    ),
    "OfficeActivity": frozenset(
        (
            *("ActorIpAddress", "AppId", "ClientAppId", "ClientIP", "ClientInfoString", "Client_IPAddress"),
            *("ExtendedProperties", "MailboxGuid", "MailboxOwnerUPN", "OfficeId", "Operation", "OperationProperties"),
            *("OrganizationId", "ResultStatus", "TimeGenerated", "Type", "UserId"),
        )
    ),
    "AADServicePrincipalSignInLogs": _SIGN_INS,
    "AADManagedIdentitySignInLogs": _SIGN_INS,
}


class LogAnalytics(Service):
    """The query API for all workspaces of the tenant."""

    def denied(self, request: Request) -> Answer | None:
        """An invalid token is a 403 here, and a missing one a 401."""
        flaw = self.directory.tokens.flaw(request.headers.get("authorization"), _AUDIENCES, request.now)
        if flaw is None:
            return None
        if flaw is Flaw.MISSING:
            return _error(401, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
        code = {Flaw.AUDIENCE: "InvalidAuthenticationTokenAudience", Flaw.EXPIRED: "ExpiredAuthenticationToken"}
        return _error(403, code.get(flaw, "InvalidAuthenticationToken"), "The access token is invalid.")

    def throttled(self, _request: Request, refusal: Refusal) -> Answer:
        """The 429 of too many queries."""
        return _error(429, "ThrottledError", "Rate limit is exceeded", headers=retry_after(refusal))

    def understand(self, request: Request) -> Call:
        """A query, or an unknown request."""
        match request.method, [part.lower() for part in request.segments]:
            case "POST", ["v1", "workspaces", guid, "query"]:
                charge = Charge("log_queries", self.directory.client_id)
                return varying("log.query", lambda asked: self._queried(asked, guid), charge)
        return fixed("log.unknown", _error(404, "PathNotFoundError", "The requested path does not exist"))

    def _queried(self, request: Request, guid: str) -> Answer:
        found = [one for one in self.directory.estate.logs.workspaces if customer_id(self.directory, one) == guid]
        if not found:
            return _error(404, "WorkspaceNotFoundError", "The workspace could not be found")
        try:
            text = str(json.loads(request.body)["query"])
        except (ValueError, KeyError, TypeError):
            # The service's answer to a body that is not JSON.
            return Answer(200, b"", _HEADERS)
        try:
            rows = self._rows(found[0], kql.parse(text), request.now)
        except kql.UnknownNameError as error:
            what = f"Failed to resolve table or column expression named '{error}'"
            return _bad_query("SemanticError", "A semantic error occurred.", innererror={"code": "SEM0100", "message": what})
        except ValueError:
            return _bad_query("SyntaxError", "Syntax Error")
        most = self.directory.estate.logs.most_rows
        body: dict[str, object] = {"tables": [_table(rows[:most])]}
        if len(rows) > most:
            inner = {
                "code": "-2133196797",
                "message": "The results of this query exceed the set limit, so not all were returned.",
            }
            details = [{"code": "EngineError", "message": "Something went wrong.", "innererror": inner}]
            body["error"] = {
                "code": "PartialError",
                "message": "There were some errors when processing your query.",
                "details": details,
            }
        return Answer(200, compact(body), _HEADERS, compressible=True)

    def _rows(self, workspace: Workspace, query: kql.Query, now: float) -> Sequence[Row]:
        """The answer from the rows that the table still retains. Raises kql.UnknownNameError."""
        kept = now - retention_days(workspace, query.table) * DAY
        events = self.directory.estate.logs.events
        rows = events.table(workspace.name, query.table, max(query.first, kept), query.until) if events else None
        if rows is None:
            raise kql.UnknownNameError(query.table)
        columns = _COLUMNS.get(query.table, frozenset()).union(*rows)
        # Nothing says which columns an empty table without a schema has.
        return query.answer(rows, columns) if rows else []


def _table(rows: Sequence[Row]) -> dict[str, object]:
    """With the columns of all rows; objects are JSON text here."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    values = [
        [json.dumps(cell) if isinstance(cell := row.get(name), dict | list) else cell for name in columns] for row in rows
    ]
    shown = [{"name": name, "type": "datetime" if name == "TimeGenerated" else "string"} for name in columns]
    return {"name": "PrimaryResult", "columns": shown, "rows": values}


def _bad_query(code: str, message: str, **more: object) -> Answer:
    inner = {"code": code, "message": message, **more}
    return _error(400, "BadArgumentError", "The request had some invalid properties", inner)


def _error(
    status: int, code: str, message: str, inner: dict[str, object] | None = None, headers: dict[str, str] | None = None
) -> Answer:
    error: dict[str, object] = {"message": message, "code": code}
    if inner is not None:
        error["innererror"] = inner
    return Answer(status, compact({"error": error}), {**_HEADERS, **(headers or {})})
