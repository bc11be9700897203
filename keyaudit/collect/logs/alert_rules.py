"""Alert rules of Azure Monitor and of Microsoft Sentinel, and which of them cover keys and credentials, by their text."""

import re
from collections.abc import Callable, Iterator, Sequence

from msgspec import UNSET, Raw, Struct

from keyaudit.collect.calls import Calls, not_assessed
from keyaudit.collect.copies import both
from keyaudit.collect.logs.sentinel_rules import OPERATION, collect_sentinel_rules
from keyaudit.collect.logs.watched_changes import watched_by_query
from keyaudit.collect.places import source
from keyaudit.collect.queries import Group, Query, ids_of
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, wired
from keyaudit.collect.wire import Wire, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.alert_rule import ALERT_RULE

OPERATIONS = ("alert_rule.query", OPERATION)

QUERY = Query(
    operation="alert_rule.query",
    types=("microsoft.insights/activitylogalerts", "microsoft.insights/scheduledqueryrules"),
    own=("id", "name", "type", "subscriptionId", "resourceGroup", "properties"),
)
_ID = re.compile(
    r"/subscriptions/([^/]+)/resourcegroups/([^/]+)/providers/microsoft\.insights/(activitylogalerts|scheduledqueryrules)/[^/]+",
    re.ASCII | re.IGNORECASE,
)
_KINDS = {"activitylogalerts": "activity-log", "scheduledqueryrules": "log-query"}


class Rule(Struct):
    """An alert rule from Resource Graph."""

    id: str
    name: Wire = UNSET
    properties: Wire = UNSET


class Leaf(Struct, rename="camel"):
    """A condition on one field of the activity log, or alternatives."""

    field: str | None = None
    equals: str | None = None
    contains_any: list[str] | None = None
    any_of: list["Leaf"] | None = None


class Condition(Struct, rename="camel"):
    """The condition of a rule on the activity log."""

    all_of: list[Leaf]


class Criterion(Struct):
    """One query of a rule on logs."""

    query: str


class Criteria(Struct, rename="camel"):
    """The queries of a rule on logs."""

    all_of: list[Criterion]


class Groups(Struct, rename="camel"):
    """The action groups of a rule, in each of its two shapes."""

    action_groups: list[Raw] | None = None


@wired(ALERT_RULE, "properties")
class AlertRuleProperties(Struct):
    """The properties of a rule."""

    condition: Wire = UNSET
    criteria: Wire = UNSET
    actions: Wire = UNSET


async def collect_alert_rules(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write every alert rule of the subscriptions. Returns the coverage of `OPERATIONS`."""
    if not reading.found.subscriptions:
        return not_assessed(scope, OPERATIONS, Reason.PARENT_NOT_ASSESSED)
    calls = Calls(scope, "alert_rule.query")
    url, version = source(reading.connection.environment, "alert_rule.query")
    gateway, subscriptions = reading.connection.gateway, reading.found.subscriptions
    for _, listing in reading.graph.queries(gateway, calls, QUERY, Rule, subscriptions, by=_by):
        async for item in both(listing):
            row = Row(ALERT_RULE, id=item.id, resource_id=item.id, scope_id=scope.id, url=url, version=version)
            _put(row, item)
            unit.row("alert_rule", row.finish())
    return [calls.coverage(), await collect_sentinel_rules(reading, unit, scope)]


def _by(group: Group) -> Callable[[Rule], str]:
    subscriptions = ids_of(group)

    def name(item: Rule) -> str:
        match = _ID.fullmatch(item.id)
        if match is None or match[1].lower() not in subscriptions:
            raise ValueError("not an alert rule of these subscriptions")
        return item.id.lower()

    return name


def _put(row: Row, item: Rule) -> None:
    match = _ID.fullmatch(item.id)
    if match is None:
        raise ValueError(f"not an alert rule's id: {item.id!r}")
    row.put_all(name=item.name, subscription_id=match[1].lower(), resource_group=match[2])
    kind = _KINDS[match[3].lower()]
    row.put("kind", kind)
    properties = read(item.properties, AlertRuleProperties)
    if isinstance(properties, Refusal):
        row.refuse(("enabled", "watches", "notifies"), properties.reason)
        return
    row.fill(properties, "properties")
    groups = read(properties.actions, Groups)
    row.put_read("notifies", groups if isinstance(groups, Refusal) else bool(groups.action_groups))
    row.put_read("watches", _watches_log(properties) if kind == "activity-log" else _watches_query(properties))


def _watches_log(properties: AlertRuleProperties) -> list[str] | Refusal:
    condition = read(properties.condition, Condition)
    if isinstance(condition, Refusal):
        return condition
    return ["key-vault"] if any("microsoft.keyvault" in value for value in _values(condition.all_of)) else []


def _values(leaves: Sequence[Leaf]) -> Iterator[str]:
    for leaf in leaves:
        yield from (value.lower() for value in (leaf.equals, *(leaf.contains_any or ())) if value)
        yield from _values(leaf.any_of or ())


def _watches_query(properties: AlertRuleProperties) -> list[str] | Refusal:
    criteria = read(properties.criteria, Criteria)
    if isinstance(criteria, Refusal):
        return criteria
    return watched_by_query("\n".join(criterion.query for criterion in criteria.all_of))
