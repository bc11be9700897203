"""The tables of Log Analytics workspaces that logs go to, and of the log tables in them."""

from keyaudit.model.columns import Column, Table, Type, where_found
from keyaudit.model.tables.log_sink import SETTINGS

_GET = ("workspace.get",)
_TABLE = ("workspace.table",)

WORKSPACE = Table(
    name="workspace",
    noun="log workspace",
    plural="log workspaces",
    meaning="a Log Analytics workspace that some log goes to",
    added_by=SETTINGS,
    columns=(
        *where_found(),
        Column(name="subscription_id", type=Type.TEXT, meaning="the subscription, a GUID in lower case"),
        Column(name="resource_group", type=Type.TEXT, meaning="the resource group, as the diagnostic setting spells it"),
        Column(name="location", type=Type.TEXT, meaning="the Azure region", operations=_GET),
        Column(
            name="retention",
            type=Type.DURATION,
            unit="seconds",
            meaning="how long tables without a retention of their own can be queried",
            operations=_GET,
        ),
    ),
)

LOG_TABLE = Table(
    name="log_table",
    noun="log table",
    plural="log tables",
    meaning="a table of a Log Analytics workspace that some log goes to",
    added_by=SETTINGS,
    columns=(
        *where_found(),
        Column(name="workspace_id", type=Type.TEXT, meaning="id of the workspace"),
        Column(
            name="plan",
            type=Type.TEXT,
            meaning="Analytics can be queried at will; Basic and Auxiliary only in part, and watched by few alert rules",
            operations=_TABLE,
            values=("Analytics", "Basic", "Auxiliary"),
        ),
        Column(
            name="retention",
            type=Type.DURATION,
            unit="seconds",
            meaning="how long it can be queried",
            operations=("workspace.get", *_TABLE),
        ),
        Column(
            name="total_retention",
            type=Type.DURATION,
            unit="seconds",
            meaning="how long it is kept, long-term retention included",
            operations=("workspace.get", *_TABLE),
        ),
    ),
)
