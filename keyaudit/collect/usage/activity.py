"""Azure's activity log: changes of logging, alerts and role assignments."""

from typing import Any

import msgspec

from keyaudit.collect.usage.event import Event, Members, Shape, inside, mark
from keyaudit.collect.usage.values import BadRecordError, Text, address, lower, moment
from keyaudit.inventory.logs.use import Use
from keyaudit.model.tables.usage import ACTIVITY_LOG

SOURCE = ACTIVITY_LOG

# https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations, in lower case.
_OPERATIONS = {
    "microsoft.insights/diagnosticsettings/delete": "remove-log-settings",
    **dict.fromkeys(
        (
            "microsoft.operationalinsights/workspaces/delete",
            "microsoft.eventhub/namespaces/delete",
            "microsoft.eventhub/namespaces/eventhubs/delete",
        ),
        "remove-log-destination",
    ),
    **dict.fromkeys(
        (
            "microsoft.insights/activitylogalerts/delete",
            "microsoft.insights/scheduledqueryrules/delete",
            "microsoft.insights/metricalerts/delete",
            "microsoft.insights/actiongroups/delete",
            "microsoft.securityinsights/alertrules/delete",
        ),
        "remove-alert-rule",
    ),
    "microsoft.authorization/roleassignments/write": "assign-role",
    "microsoft.authorization/elevateaccess/action": "elevate-access",
}
# A call has several records: these have its result, the others its start.
_ENDS = {"success": True, "succeeded": True, "failure": False, "failed": False}
_OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"


class _Claims(msgspec.Struct, gc=False):
    appid: Text = None
    oid: Text = None
    long_oid: Text = msgspec.field(default=None, name=_OBJECT_ID)


class _Identity(msgspec.Struct, gc=False):
    claims: _Claims | None = None


class _Record(msgspec.Struct, gc=False, rename="camel"):
    """The format of diagnostic settings in storage and event hubs."""

    time: str | int | float | None = None
    operation_name: Text = None
    result_type: Text = None
    resource_id: Text = None
    caller_ip_address: Text = None
    correlation_id: Text = None
    identity: _Identity | None = None


class _Row(msgspec.Struct, gc=False, rename="pascal"):
    """The format of the table AzureActivity."""

    time_generated: str | int | float | None = None
    operation_name_value: Text = None
    activity_status_value: Text = None
    resource_id: Text = msgspec.field(default=None, name="_ResourceId")
    resource_id_too: Text = msgspec.field(default=None, name="ResourceId")
    caller_ip_address: Text = None
    correlation_id: Text = None
    caller: Text = None
    claims: Any = None


_record, _row, _claims = Shape(_Record), Shape(_Row), Shape(_Claims)


def of_record(members: Members) -> Event:
    """A record from storage or an event hub."""
    found = _record(members)
    claims = (found.identity and found.identity.claims) or _Claims()
    return _event(
        found.time,
        found.operation_name,
        found.result_type,
        resource_id=found.resource_id,
        network=found.caller_ip_address,
        correlation=found.correlation_id,
        claims=claims,
    )


def of_row(members: Members) -> Event:
    """A row of AzureActivity."""
    found = _row(members)
    claims = inside(_claims, found.claims) or _Claims()
    return _event(
        found.time_generated,
        found.operation_name_value,
        found.activity_status_value,
        resource_id=found.resource_id or found.resource_id_too,
        network=found.caller_ip_address,
        correlation=found.correlation_id,
        claims=claims,
        caller=found.caller,
    )


def _event(
    time: Any,
    operation: str | None,
    result: str | None,
    *,
    resource_id: str | None,
    network: str | None,
    correlation: str | None,
    claims: _Claims,
    caller: str | None = None,
) -> Event:
    on, above = moment(time)
    if not operation:
        raise BadRecordError("names no operation")
    subscription = _subscription(resource_id)
    succeeded = _ENDS.get((result or "").casefold())
    done = _OPERATIONS.get(operation.casefold())
    if done is None or (result and succeeded is None):
        return Event(SOURCE, on, resource_id=subscription, operation=operation if done is None else None)
    use = Use(
        source=SOURCE,
        used_on=on,
        operation=done,
        target_kind="resource",
        succeeded=succeeded,
        target_id=lower(resource_id),
        name=correlation or None,
        resource_id=lower(resource_id),
        actor_app_id=lower(claims.appid),
        principal_id=lower(claims.oid or claims.long_oid or caller),
        network=address(network),
        mark=str(above),
    )
    mark(use, ("succeeded", "target_id"))
    return Event(SOURCE, on, (use,), resource_id=subscription)


def _subscription(resource_id: str | None) -> str | None:
    """The id of the subscription of the activity log."""
    parts = (lower(resource_id) or "").split("/")
    return "/".join(parts[:3]) if parts[1:2] == ["subscriptions"] else None
