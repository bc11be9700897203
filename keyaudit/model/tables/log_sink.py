"""The table of log destinations: where audit logs about keys are sent."""

from keyaudit.model.schema.columns import Area, Table, Where, duration, flag, text, texts, where_found

SETTINGS = ("diagnostic_setting.list", "hsm.diagnostic_setting.list", "activity_log.list", "entra_log.list")
"""The operations that list diagnostic settings."""

LOG_SINK = Table(
    name="log_sink",
    order=240,
    area=Area.LOGS,
    noun="log destination",
    plural="log destinations",
    meaning="one destination of one diagnostic setting: of a vault or HSM, of a subscription's activity log, or of Entra",
    added_by=SETTINGS,
    parts={
        "diagnostic_setting.list": ({"kind": "vault"},),
        "hsm.diagnostic_setting.list": ({"kind": "managed-hsm"},),
        "activity_log.list": ({"kind": "activity-log"},),
        "entra_log.list": ({"kind": "entra"},),
    },
    columns=(
        *where_found(*SETTINGS),
        text("kind", "the kind of resource that the log belongs to", values=("vault", "managed-hsm", "activity-log", "entra")),
        text("logged_id", "id of the vault, HSM, subscription or tenant that the log belongs to"),
        texts("categories",
            "the enabled log categories, sorted; their retention settings are a retired feature and not read", SETTINGS),
        texts("category_groups", "the enabled groups of log categories, sorted", SETTINGS),
        flag("audits", "it carries the audit log: AuditEvent, or the group audit or allLogs, for a vault or HSM; "
            "Administrative for the activity log; AuditLogs for Entra", SETTINGS),
        text("destination_kind", "the kind of destination", values=("workspace", "storage", "event-hub", "partner")),
        text("destination_id", "resource id of the destination in lower case; for an event hub: the authorization rule",
            SETTINGS),
        texts("tables", "the workspace tables that receive its audit and sign-in logs, sorted", SETTINGS,
            absent="not a workspace", absent_where=(Where("destination_kind", ("storage", "event-hub", "partner")),)),
        flag("searchable", "its audit data is fully queryable: every table is on the Analytics plan of Log Analytics; "
            "keyaudit does not search storage, event hubs or partner solutions", derived=True),
        duration("retention", "how long it can be queried: the shortest period of its tables",
            absent="not a workspace, a deleted workspace, or one without audit data", derived=True),
        duration("total_retention", "how long it is kept, including long-term retention: the shortest period of its tables",
            absent="not a workspace, a deleted workspace, or one without audit data", derived=True),
        flag("deleted", "its workspace is deleted, so nothing arrives",
            absent="not a workspace, or one without relevant logs, which is not looked up", derived=True),
    ),
)
