"""Analytics rules of Microsoft Sentinel, in the workspaces that receive logs."""

from functools import partial

from msgspec import UNSET, Struct
from msgspec.structs import replace

from keyaudit.collect.calls import Calls
from keyaudit.collect.concurrency import for_each
from keyaudit.collect.copies import both
from keyaudit.collect.logs.watched_changes import watched_by_query
from keyaudit.collect.logs.workspaces import WorkspaceId, is_gone, named, seen
from keyaudit.collect.places import source
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, wired
from keyaudit.collect.wire import Wire, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.tables.alert_rule import ALERT_RULE

OPERATION = "sentinel_rule.list"

_AT_ONCE = 16
_QUERYING = ("scheduled", "nrt")
"""The kinds of rules that are a query: https://learn.microsoft.com/rest/api/securityinsights/alert-rules/list"""
# The answer for a workspace without Sentinel: "Workspace NAME is not onboarded to Microsoft Sentinel".
# https://github.com/hashicorp/terraform-provider-azurerm/pull/20661
_NOT_ONBOARDED = (400, "BadRequest")


class Rule(Struct):
    """An analytics rule."""

    id: str
    kind: str
    properties: Wire = UNSET


class Incidents(Struct, rename="camel"):
    """Whether an alert becomes an incident."""

    create_incident: Wire = UNSET


@wired(ALERT_RULE, "properties")
class SentinelRuleProperties(Struct, rename="camel"):
    """The properties of a rule; one that is not a query has no query."""

    display_name: Wire = UNSET
    query: Wire = UNSET
    incident_configuration: Wire = UNSET


async def collect_sentinel_rules(reading: Reading, unit: Unit, scope: Scope) -> Coverage:
    """Write the rules that are queries, in every workspace that logs are sent to. A workspace without Sentinel has none."""
    calls = Calls(scope, OPERATION, per_object=True)
    places = [place for id_ in named(reading.spool.lines("log_sink")) if (place := WorkspaceId.of(id_))]

    async def of(place: WorkspaceId) -> None:
        listing = reading.connection.gateway.pages(
            OPERATION,
            Rule,
            by=partial(_name, place),
            subscription=place.subscription,
            resource_group=place.resource_group,
            workspace=place.workspace,
        )
        rules = [rule async for rule in both(listing)]
        refusal = listing.end.refusal
        if refusal is not None and (is_gone(refusal) or (refusal.status, refusal.detail) == _NOT_ONBOARDED):
            calls.answered()
            return
        url, version = source(reading.connection.environment, OPERATION, **place.segments)
        for rule in rules:
            if rule.kind.lower() in _QUERYING:
                row = Row(ALERT_RULE, id=rule.id, resource_id=rule.id, scope_id=scope.id, url=url, version=version)
                row.put_all(subscription_id=place.subscription, resource_group=place.resource_group, kind="sentinel")
                _put(row, rule)
                unit.row("alert_rule", row.finish())
        calls.ended(listing.end if refusal is None else replace(listing.end, refusal=seen(refusal)))

    await for_each(places, of, limit=_AT_ONCE)
    return calls.coverage()


def _name(place: WorkspaceId, rule: Rule) -> str:
    if not rule.id.lower().startswith(f"{place.id}/providers/microsoft.securityinsights/alertrules/"):
        raise ValueError("not a rule of this workspace")
    return rule.id.lower()


def _put(row: Row, rule: Rule) -> None:
    properties = read(rule.properties, SentinelRuleProperties)
    if isinstance(properties, Refusal):
        row.refuse(("name", "enabled", "watches", "notifies"), properties.reason)
        return
    row.fill(properties, "properties")
    row.put("name", properties.display_name)
    query = read(properties.query, str)
    row.put_read("watches", query if isinstance(query, Refusal) else watched_by_query(query))
    row.put_read("notifies", _notifies(properties.incident_configuration))


def _notifies(raw: Wire) -> bool | Refusal:
    incidents = read(raw, Incidents)
    return incidents if isinstance(incidents, Refusal) else read(incidents.create_incident, bool)
