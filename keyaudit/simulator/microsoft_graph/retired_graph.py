"""Azure AD Graph, which Microsoft Graph replaced: graph.windows.net is retired, and refuses every application."""

from datetime import UTC, datetime

from keyaudit.simulator.service import Call, Service, varying
from keyaudit.simulator.wire import Answer, Request, compact

HOST = "graph.windows.net"
_AUDIENCES = frozenset({f"https://{HOST}"})
_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Type": "application/json; odata=minimalmetadata; charset=utf-8",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
}


class RetiredGraph(Service):
    """graph.windows.net, which still gets tokens, and answers all of them with the same refusal."""

    def denied(self, request: Request) -> Answer | None:
        """The 401 for a request without a token for this host."""
        if self.directory.tokens.flaw(request.headers.get("authorization"), _AUDIENCES, request.now) is None:
            return None
        return _error(request, 401, "Authentication_MissingOrMalformed", "Access Token missing or malformed.")

    def understand(self, _request: Request) -> Call:
        """Every request is refused."""
        message = "Access blocked to AAD Graph API for this application. https://aka.ms/AzureADGraphMigration."
        return varying("aad_graph.any", lambda asked: _error(asked, 403, "Authentication_Unauthorized", message))


def _error(request: Request, status: int, code: str, message: str) -> Answer:
    body = {
        "odata.error": {
            "code": code,
            "message": {"lang": "en", "value": message},
            "requestId": request.id,
            "date": datetime.fromtimestamp(request.now, UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        }
    }
    return Answer(status, compact(body), _HEADERS)
