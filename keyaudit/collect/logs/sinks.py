"""Diagnostic settings: one row for each destination of each setting."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import UNSET, Struct, UnsetType, field

from keyaudit.cloud.connection import Connection
from keyaudit.collect.calls import Calls
from keyaudit.collect.copies import both
from keyaudit.collect.places import source
from keyaudit.collect.rows import Row
from keyaudit.collect.wire import Wire, is_null, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.log_sink import LOG_SINK

# https://learn.microsoft.com/azure/azure-monitor/platform/diagnostic-settings#resource-logs
_GROUPS = frozenset({"audit", "alllogs"})
_WORKSPACE = re.compile(
    r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.operationalinsights/workspaces/[^/]+", re.IGNORECASE
)
_NAME = re.compile(r"[\w.-]+", re.ASCII)
"""The form of the names of categories and category groups."""
_OF_LOGS = ("categories", "category_groups", "audits", "tables")

# By kind of log, the audit category, and the groups that contain it; one of them is enough.
# https://learn.microsoft.com/azure/key-vault/key-vault-insights-overview and
# https://learn.microsoft.com/azure/azure-monitor/essentials/activity-log-schema
_AUDITING = {
    "vault": ("auditevent", frozenset({"audit", "alllogs"})),
    "managed-hsm": ("auditevent", frozenset({"audit", "alllogs"})),
    "activity-log": ("administrative", frozenset({"alllogs"})),
    "entra": ("auditlogs", frozenset({"alllogs"})),
}

# https://learn.microsoft.com/entra/identity/monitoring-health/concept-diagnostic-settings-logs-options
_ENTRA_TABLES = {
    "auditlogs": "AuditLogs",
    "signinlogs": "SigninLogs",
    "noninteractiveusersigninlogs": "AADNonInteractiveUserSignInLogs",
    "serviceprincipalsigninlogs": "AADServicePrincipalSignInLogs",
    "managedidentitysigninlogs": "AADManagedIdentitySignInLogs",
    "riskyserviceprincipals": "AADRiskyServicePrincipals",
    "serviceprincipalriskevents": "AADServicePrincipalRiskEvents",
    "microsoftgraphactivitylogs": "MicrosoftGraphActivityLogs",
}


class Logged(Struct, frozen=True, kw_only=True):
    """A resource with diagnostic settings. `prefix`: the beginning of its settings' ids."""

    kind: str
    id: str
    scope: Scope
    operation: str
    prefix: str
    segments: Mapping[str, str] = field(default_factory=dict)
    """Its path segments in the request."""


class LogSetting(Struct, rename="camel"):
    """Whether a category or category group is enabled."""

    enabled: bool
    category: str | None = None
    category_group: str | None = None

    @property
    def is_named(self) -> bool:
        """Whether it says what is enabled, in the form of these names."""
        return _NAME.fullmatch(self.category or self.category_group or "") is not None


class DiagnosticProperties(Struct, rename="camel"):
    """The properties of a setting; its destinations decide the number of rows."""

    logs: Wire = UNSET
    log_analytics_destination_type: Wire = UNSET
    workspace_id: Wire = UNSET
    storage_account_id: Wire = UNSET
    event_hub_authorization_rule_id: Wire = UNSET
    service_bus_rule_id: Wire = UNSET
    marketplace_partner_id: Wire = UNSET


class DiagnosticSetting(Struct):
    """A diagnostic setting."""

    id: str
    name: str
    properties: DiagnosticProperties


async def collect_sinks(connection: Connection, unit: Unit, logged: Logged) -> Coverage:
    """Write a row per destination of every setting of `logged`. Returns the coverage of its operation."""
    calls = Calls(logged.scope, logged.operation)
    url, version = source(connection.environment, logged.operation, **logged.segments)

    def name(item: DiagnosticSetting) -> str:
        return of_resource(item, logged.prefix)

    listing = connection.gateway.pages(logged.operation, DiagnosticSetting, by=name, host="", body=None, **logged.segments)
    async for item in both(listing):
        for refusal in _untold(logged.kind, item.properties):
            calls.refused(refusal)
        for kind, destination in _destinations(item.properties):
            id_ = f"{logged.id}/diagnosticsettings/{name(item)}/{kind}"
            row = Row(LOG_SINK, id=id_, resource_id=item.id, scope_id=logged.scope.id, url=url, version=version)
            row.put("name", item.name)
            row.put("kind", logged.kind)
            row.put("logged_id", logged.id)
            row.put("destination_kind", kind)
            where = read(destination, str)
            row.put_read("destination_id", where if isinstance(where, Refusal) else where.lower())
            _put_logs(row, logged.kind, kind, item.properties)
            unit.row("log_sink", row.finish())
    calls.ended(listing.end)
    return calls.coverage()


def of_resource(item: DiagnosticSetting, prefix: str) -> str:
    """Its name in lower case; ValueError for one of another resource. `prefix`: the beginning of its id, in lower case."""
    # ARM returns these ids in several forms, with and without a leading slash, and with one or two providers.
    id_ = f"/{item.id.strip('/').lower()}"
    named = item.name.lower()
    if "/" in named or not id_.startswith(f"{prefix}/") or not id_.endswith(f"/diagnosticsettings/{named}"):
        raise ValueError("a setting of another resource")
    return named


def exports(properties: DiagnosticProperties, category: str) -> bool | Refusal:
    """Whether a setting sends a category, given in lower case, to any destination."""
    logs = read(properties.logs, list[LogSetting])
    if isinstance(logs, Refusal):
        return logs
    on = [log for log in logs if log.enabled]
    groups = {(log.category_group or "").lower() for log in on} - {""}
    sent = "alllogs" in groups or any((log.category or "").lower() == category for log in on)
    if not sent:
        # Only Azure knows the categories of another group, and what is on without a name.
        strange = groups or not all(log.is_named for log in on)
        return Refusal(Reason.UNRECOGNISED) if strange else False
    return True if any(_destinations(properties)) else next(_untold("", properties), False)


def _destinations(properties: DiagnosticProperties) -> Iterator[tuple[str, Wire]]:
    """Its destinations. A legacy Service Bus rule counts as its event hub."""
    hub = properties.event_hub_authorization_rule_id
    for kind, member in (
        ("workspace", properties.workspace_id),
        ("storage", properties.storage_account_id),
        ("event-hub", hub if _is_set(hub) else properties.service_bus_rule_id),
        ("partner", properties.marketplace_partner_id),
    ):
        if _is_set(member):
            yield kind, member


def _untold(kind: str, properties: DiagnosticProperties) -> Iterator[Refusal]:
    """Why it cannot be told where a setting of this kind of log sends to.

    For a destination that it does not have, ARM returns null or an empty text, and leaves none of these three out:
    https://learn.microsoft.com/rest/api/monitor/diagnostic-settings/list. The settings of a subscription
    name only the destinations that they have, and have at least one:
    https://learn.microsoft.com/rest/api/monitor/subscription-diagnostic-settings/list
    """
    always = (properties.workspace_id, properties.storage_account_id, properties.event_hub_authorization_rule_id)
    names_all = kind == "activity-log" and any(_destinations(properties))
    if not names_all and any(isinstance(member, UnsetType) for member in always):
        yield Refusal(Reason.BAD_BODY, "a setting without its destinations", 200)
    if _is_set(properties.workspace_id):
        where = read(properties.workspace_id, str)
        reason = where.reason if isinstance(where, Refusal) else None if _WORKSPACE.fullmatch(where) else Reason.BAD_VALUE
        if reason is not None:
            yield Refusal(reason, "a setting without the id of its workspace", 200)


def _is_set(member: Wire) -> bool:
    return not isinstance(member, UnsetType) and not is_null(member) and read(member, str) != ""


def _put_logs(row: Row, kind: str, destination: str, properties: DiagnosticProperties) -> None:
    logs = read(properties.logs, list[LogSetting])
    if isinstance(logs, Refusal):
        row.refuse(_OF_LOGS, logs.reason)
        return
    on = [log for log in logs if log.enabled]
    if not all(log.is_named for log in on):
        # Something is enabled, but it is unknown what.
        row.refuse(_OF_LOGS, Reason.BAD_VALUE)
        return
    categories = sorted({log.category for log in on if log.category})
    groups = sorted({log.category_group for log in on if log.category_group})
    category, holding = _AUDITING[kind]
    audits = category in _lowered(categories) or bool(holding & _lowered(groups))
    row.put("categories", categories)
    row.put("category_groups", groups)
    if not audits and not _lowered(groups) <= _GROUPS:
        # The categories of such a group are not documented.
        row.refuse(("audits", "tables"), Reason.UNRECOGNISED)
        return
    row.put("audits", audits)
    if destination == "workspace":
        row.put_read("tables", _tables(kind, categories, groups, audits, properties.log_analytics_destination_type))
    else:
        row.put("tables", None)


def _tables(
    kind: str, categories: Collection[str], groups: Sequence[str], audits: bool, destination_type: Wire
) -> list[str] | Refusal:
    """The tables of a workspace that receive the log."""
    if kind == "entra":
        if groups:
            # The categories of groups are not documented for Entra's logs.
            return Refusal(Reason.UNRECOGNISED)
        return sorted(_ENTRA_TABLES[name] for name in _lowered(categories) if name in _ENTRA_TABLES)
    if not audits:
        return []
    return ["AzureActivity"] if kind == "activity-log" else _of_vault(destination_type)


def _of_vault(destination_type: Wire) -> list[str] | Refusal:
    # Null, the default, means AzureDiagnostics. https://learn.microsoft.com/rest/api/monitor/diagnostic-settings
    found = "AzureDiagnostics" if not _is_set(destination_type) else read(destination_type, str)
    if isinstance(found, Refusal):
        return found
    # Vaults and Managed HSMs have one resource-specific table.
    # https://learn.microsoft.com/azure/azure-monitor/reference/supported-logs/microsoft-keyvault-managedhsms-logs
    tables = {"azurediagnostics": ["AzureDiagnostics"], "dedicated": ["AZKVAuditLogs"]}
    return tables.get(found.lower(), Refusal(Reason.UNRECOGNISED))


def _lowered(names: Collection[str]) -> set[str]:
    return {name.lower() for name in names}
