"""The table of log destinations: where audit logs about keys are sent."""

from keyaudit.model.columns import Area, Table, Where, duration, flag, text, texts, where_found

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
        text("kind", "whose log it is", values=("vault", "managed-hsm", "activity-log", "entra")),
        text("logged_id", "id of the vault, HSM, subscription or tenant whose log it is"),
        texts("categories",
            "the log categories that are on, sorted; retention set beside them is a retired feature and not read", SETTINGS),
        texts("category_groups", "the groups of log categories that are on, sorted", SETTINGS),
        flag("audits", "it carries the log that matters: of a vault or HSM AuditEvent, or the group audit or allLogs; of the "
            "activity log Administrative; of Entra AuditLogs", SETTINGS),
        text("destination_kind", "what kind of place it goes to", values=("workspace", "storage", "event-hub", "partner")),
        text("destination_id", "resource id of the destination in lower case; of an event hub: of the rule that is sent with",
            SETTINGS),
        texts("tables", "the tables of a workspace that its audit and sign-in logs are written to, sorted", SETTINGS,
            absent="not a workspace", absent_where=(Where("destination_kind", ("storage", "event-hub", "partner")),)),
        flag("searchable", "what it audits can be queried at will: every table of it is on the plan Analytics of Log "
            "Analytics; storage, event hubs and partners are not searched where they are", derived=True),
        duration("retention", "how long it can be queried: the shortest of its tables",
            absent="not a workspace, a deleted one, or nothing is audited there", derived=True),
        duration("total_retention", "how long it is kept, long-term retention included: the shortest of its tables",
            absent="not a workspace, a deleted one, or nothing is audited there", derived=True),
        flag("deleted", "it goes to a workspace that is deleted, so nothing arrives",
            absent="not a workspace, or nothing that is read goes there, so that it is not looked up", derived=True),
    ),
)
