"""Reads of logs about the use of keys, credentials and mailboxes. Only the command `usage collect` sends them."""

from msgspec.structs import replace

from keyaudit.model.operations.about import NO_METADATA, Form, Named, Unnamed
from keyaudit.model.operations.kinds import (
    OTHER_CLOUDS,
    Family,
    Operation,
    Paging,
    Right,
    Rights,
    Surface,
    Throttle,
    graph,
    graph_right,
    resource_graph,
)

_AUDIT_LOG = graph_right("AuditLog.Read.All")
_SEARCHES = "/v1.0/security/auditLog/queries"

_SEARCH = Named("id", "{search}")
_RECORDS = Named("@odata.context", "('{search}')", Form.INSIDE, NO_METADATA)

_READ = (
    resource_graph("workspace.query", "Log Analytics workspaces (Resource Graph)"),
    # The service's timeout is shorter than the client's, so that a slow query returns an error of its own.
    # https://learn.microsoft.com/azure/azure-monitor/logs/api/timeouts
    Operation(
        id="log.query",
        noun="log tables of workspaces",
        surface=Surface.LOGS,
        method="POST",
        path="/v1/workspaces/{workspace}/query",
        headers=(("Prefer", "wait=100"),),
        throttle=Throttle.LOGS,
        right=Right(rights=Rights.AZURE, name="Log Analytics Reader", on="the Log Analytics workspace"),
        about=Unnamed("an answer has columns and rows alone"),
    ),
    graph(
        "sign_in.list",
        "sign-ins of applications and managed identities",
        "/beta/auditLogs/signIns",
        query=(
            (
                "$filter",
                "createdDateTime ge {first} and createdDateTime le {last} and signInEventTypes/any(t:t eq '{kind}')",
            ),
        ),
        throttle=Throttle.GRAPH_REPORTS,
        right=_AUDIT_LOG,
    ),
    # The US Government cloud is the only national cloud that has it. https://learn.microsoft.com/graph/api/directoryaudit-list
    graph(
        "directory_audit.list",
        "changes of the directory",
        "/v1.0/auditLogs/directoryAudits",
        query=(("$filter", "activityDateTime ge {first} and activityDateTime le {last}"),),
        throttle=Throttle.GRAPH_REPORTS,
        right=_AUDIT_LOG,
        not_in=("china",),
    ),
)
_SEARCHED = (
    replace(
        graph("audit_search.create", "searches of the unified audit log", _SEARCHES, paging=Paging.NONE),
        method="POST",
        makes=True,
        about=Unnamed("it creates the object, whose name nobody knows before"),
    ),
    graph("audit_search.get", "searches of the unified audit log", _SEARCHES + "/{search}", paging=Paging.NONE, about=_SEARCH),
    graph("audit_search.records", "records of the unified audit log", _SEARCHES + "/{search}/records", about=_RECORDS),
)

# The search exists in the global service only. https://learn.microsoft.com/graph/api/security-auditcoreroot-post-auditlogqueries
FAMILY = Family("uses in logs", order=140)

DECLARED = (
    *(replace(operation, command="keyaudit usage collect") for operation in _READ),
    *(
        replace(
            operation,
            right=graph_right("AuditLogsQuery-Exchange.Read.All"),
            not_in=OTHER_CLOUDS,
            command="keyaudit usage collect --audit-search",
        )
        for operation in _SEARCHED
    ),
)
