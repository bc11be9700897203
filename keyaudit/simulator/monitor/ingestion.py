"""The ingestion endpoint of Azure Monitor: accepts rows for one stream of one data collection rule, and stores them."""

import gzip
import json
import zlib

from keyaudit.simulator.service import Call, Directory, Service, fixed, retry_after, varying
from keyaudit.simulator.throttle import Refusal
from keyaudit.simulator.tokens import Flaw
from keyaudit.simulator.wire import JSON, Answer, Request, compact

HOST = "dce-keyaudit-s1m0.westeurope-1.ingest.monitor.azure.com"
RULE = "dcr-00000000000000000000000000005151"
STREAM = "Custom-KeyAudit_CL"

_AUDIENCES = frozenset({"https://monitor.azure.com"})
_HEADERS = {"Content-Type": JSON}
# https://learn.microsoft.com/azure/azure-monitor/service-limits: both compressed and uncompressed.
_MOST = 1_000_000


class Ingestion(Service):
    """The endpoint of the tenant, and the rows that it accepted."""

    def __init__(self, directory: Directory) -> None:
        super().__init__(directory)
        self.rows: list[dict[str, object]] = []

    def denied(self, request: Request) -> Answer | None:
        """The 401 for no token, and the 403 for one of another audience or tenant."""
        flaw = self.directory.tokens.flaw(request.headers.get("authorization"), _AUDIENCES, request.now)
        if flaw is None:
            return None
        if flaw in (Flaw.AUDIENCE, Flaw.TENANT):
            return _error(403, "OperationFailed", "The authentication token provided does not have access to ingest data.")
        return _error(401, "AuthenticationFailed", "The authentication token is missing, invalid or expired.")

    def understand(self, request: Request) -> Call:
        """Rows for the stream, or an unknown request."""
        match request.method, [part.lower() for part in request.segments]:
            case "POST", ["datacollectionrules", rule, "streams", stream]:
                return varying("ingest", lambda asked: self._take(asked, rule, stream))
        return fixed("ingest.unknown", _error(404, "NotFound", "The requested path does not exist."))

    def throttled(self, _request: Request, refusal: Refusal) -> Answer:
        """The 429 of this service."""
        return _error(429, "TooManyRequests", "The rate limit is exceeded.", retry_after(refusal))

    def _take(self, request: Request, rule: str, stream: str) -> Answer:
        if rule != RULE:
            return _error(404, "NotFound", f"Data collection rule with immutable Id '{rule}' not found.")
        if stream != STREAM.lower():
            return _error(400, "InvalidStream", f"The stream {stream} was not configured in data collection rule {rule}.")
        try:
            body = gzip.decompress(request.body) if request.headers.get("content-encoding") == "gzip" else request.body
            rows = json.loads(body)
        except (OSError, EOFError, zlib.error, ValueError):
            return _error(400, "InvalidPayload", "The payload is not valid.")
        if max(len(request.body), len(body)) > _MOST:
            return _error(413, "ContentLengthLimitExceeded", "Maximum allowed content length: 1048576 bytes.")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            return _error(400, "InvalidPayload", "The payload is not an array of objects.")
        self.rows += rows
        return Answer(204, b"")


def _error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, compact({"error": {"code": code, "message": message}}), {**_HEADERS, **(headers or {})})
