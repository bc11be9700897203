"""The tables of Log Analytics workspaces that logs go to, and of the log tables in them."""

from keyaudit.model.schema.columns import Area, Table, Where, duration, flag, text, where_found
from keyaudit.model.schema.opens import WIDE
from keyaudit.model.tables.log_sink import SETTINGS

_GET = ("workspace.get",)
_TABLE = ("workspace.table",)
_DELETED = "it is deleted"
_IS_DELETED = (Where("deleted", (True,)),)

WORKSPACE = Table(
    name="workspace",
    order=250,
    area=Area.LOGS,
    noun="log workspace",
    plural="log workspaces",
    meaning="a Log Analytics workspace that receives an audit log",
    added_by=SETTINGS,
    columns=(
        *where_found(),
        text("subscription_id", "the subscription, a GUID in lower case"),
        text("resource_group", "the resource group, as the diagnostic setting spells it"),
        text("location", "the Azure region", _GET, absent=_DELETED, absent_where=_IS_DELETED, wire="location"),
        duration("retention", "how long tables without their own retention can be queried", _GET,
            absent=_DELETED, absent_where=_IS_DELETED),
        flag("deleted", "Azure answers that neither it nor its tables exist", (*_GET, *_TABLE)),
    ),
)

LOG_TABLE = Table(
    name="log_table",
    order=260,
    area=Area.LOGS,
    noun="log table",
    plural="log tables",
    meaning="a table of a Log Analytics workspace that receives an audit log",
    added_by=SETTINGS,
    opens=WIDE,
    columns=(
        *where_found(*SETTINGS),
        text("workspace_id", "id of the workspace"),
        text("plan", "Analytics is fully queryable; Basic and Auxiliary only in part, and few alert rules can watch them",
            _TABLE,
            values=("Analytics", "Basic", "Auxiliary")),
        duration("retention", "how long it can be queried", ("workspace.get", *_TABLE)),
        duration("total_retention", "how long it is kept, including long-term retention", ("workspace.get", *_TABLE)),
    ),
)
