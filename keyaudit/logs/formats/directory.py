"""Entra's audit log, in the formats of Log Analytics, Graph and diagnostic settings."""

from typing import Any

import msgspec

from keyaudit.inventory.logs.use import Use
from keyaudit.logs.formats.changes import (
    Change,
    Target,
    adds_service_principal,
    changes,
    federates,
    gives_role,
    of_tenant,
    owned,
    relevant,
    tell_change,
    untold,
)
from keyaudit.logs.formats.event import Event, Members, Shape, inside
from keyaudit.logs.formats.unread import in_entra
from keyaudit.logs.formats.values import LONGEST, BadRecordError, Text, address, guid, lower, moment
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.usage import DIRECTORY_LOG

SOURCE = DIRECTORY_LOG

# https://github.com/merill/microsoft-info/blob/main/_info/MicrosoftApps.csv
_PIM = "01fc33a7-78ba-4d2f-a4b7-768e336e890e"
"""The application that gives somebody a role whenever he activates it; who may is in records of its own."""
_SAYS_PIM = "MS-PIM"
"""Its display name, which any application can have. A record with this name and no id does not say whose act it is."""
_PEOPLE = ("user", "group")
_KINDS = {"application": "application", "serviceprincipal": "service-principal"}


class _User(msgspec.Struct, gc=False, rename="camel"):
    id: Text = None
    user_principal_name: Text = None
    ip_address: Text = None


class _App(msgspec.Struct, gc=False, rename="camel"):
    app_id: Text = None
    display_name: Text = None
    service_principal_id: Text = None


class _Initiator(msgspec.Struct, gc=False):
    user: _User | None = None
    app: _App | None = None


class _Property(msgspec.Struct, gc=False, rename="camel"):
    display_name: Text = None
    old_value: str | None = None
    new_value: str | None = None


class _Target(msgspec.Struct, gc=False, rename="camel"):
    id: Text = None
    display_name: Text = None
    type: Text = None
    modified_properties: list[_Property] | None = None


class _Detail(msgspec.Struct, gc=False):
    key: str | None = None
    value: str | None = None


class _Audit(msgspec.Struct, gc=False, rename="camel"):
    """The format of Graph."""

    id: Text = None
    activity_date_time: str | int | float | None = None
    activity_display_name: Text = None
    result: Text = None
    initiated_by: _Initiator | None = None
    target_resources: list[_Target] | None = None
    additional_details: list[_Detail] | None = None


class _Row(msgspec.Struct, gc=False, rename="pascal"):
    """The format of the table."""

    id: Text = None
    time_generated: str | int | float | None = None
    activity_date_time: str | int | float | None = None
    operation_name: Text = None
    activity_display_name: Text = None
    result: Text = None
    initiated_by: Any = None
    target_resources: Any = None
    additional_details: Any = None
    tenant_id: Text = msgspec.field(default=None, name="AADTenantId")


class _Record(msgspec.Struct, gc=False, rename="camel"):
    """The format of diagnostic settings: Graph's object in an envelope."""

    time: str | int | float | None = None
    operation_name: Text = None
    tenant_id: Text = None
    properties: _Audit | None = None


_audit, _row, _record = Shape(_Audit), Shape(_Row), Shape(_Record)
_initiator, _targets, _details = Shape(_Initiator), Shape(list[_Target]), Shape(list[_Detail])


def of_graph(members: Members) -> Event:
    """A directoryAudit."""
    return _event(_audit(members), None)


def of_row(members: Members) -> Event:
    """A row of AuditLogs."""
    found = _row(members)
    time, operation = found.activity_date_time or found.time_generated, found.operation_name or found.activity_display_name
    tenant = guid(found.tenant_id)
    if operation and not relevant(operation):
        return Event(SOURCE, moment(time)[0], tenant_id=tenant, operation=operation, unread=in_entra(operation))
    audit = _Audit(
        id=found.id,
        activity_date_time=time,
        activity_display_name=operation,
        result=found.result,
        initiated_by=inside(_initiator, found.initiated_by),
        target_resources=inside(_targets, found.target_resources),
        additional_details=inside(_details, found.additional_details),
    )
    return _event(audit, tenant)


def of_record(members: Members) -> Event:
    """A record from storage or an event hub."""
    found = _record(members)
    audit = found.properties or _Audit()
    audit.activity_date_time = audit.activity_date_time or found.time
    audit.activity_display_name = audit.activity_display_name or found.operation_name
    return _event(audit, guid(found.tenant_id))


def _event(audit: _Audit, tenant_id: str | None) -> Event:
    on, _ = moment(audit.activity_date_time)
    operation = audit.activity_display_name
    if not operation:
        raise BadRecordError("names no operation")
    if not relevant(operation):
        return Event(SOURCE, on, tenant_id=tenant_id, operation=operation, unread=in_entra(operation))
    targets = audit.target_resources or []
    changed_properties = [each for target in targets for each in target.modified_properties or ()]
    if any(untold(operation, each.display_name, each.old_value, each.new_value) for each in changed_properties):
        raise BadRecordError("does not say what it changed")
    properties = [(each.display_name or "", each.old_value or "", each.new_value or "") for each in changed_properties]
    told = any(target.modified_properties is not None for target in targets) or (targets and adds_service_principal(operation))
    found = changes(operation, properties if told else None)
    to_people = gives_role(operation) and _of_people(targets)
    changed = _person(targets) if to_people else owned(operation, properties) or _changed(targets, operation, tenant_id)
    uses = tuple(_use(audit, on, part, change, changed) for part, change in enumerate(found))
    for use in uses:
        tell_change(use, operation, properties, changed)
    unread = False
    if to_people:
        by = (audit.initiated_by or _Initiator()).app or _App()
        uses = tuple(use for use in uses if use.privileged and use.actor_app_id != _PIM)
        unread = bool(uses) and lower(by.app_id) is None and by.display_name == _SAYS_PIM
    if unread:
        uses = ()
    return Event(SOURCE, on, uses, tenant_id, operation=None if uses else operation, unread=unread)


def _of_people(targets: list[_Target]) -> bool:
    """Whether a role was given to a person or a group, as far as the kinds of the targets are known."""
    kinds = [(each.type or "").casefold() for each in targets]
    return bool(kinds) and "" not in kinds and not any(kind in _KINDS for kind in kinds)


def _person(targets: list[_Target]) -> Target:
    """The person or group that got a role."""
    found = next((each for each in targets if (each.type or "").casefold() in _PEOPLE), _Target(type="user"))
    role = next((each.display_name for each in targets if (each.type or "").casefold() == "role"), None)
    return Target((found.type or "").casefold(), lower(found.id), (), role)


def _changed(targets: list[_Target], operation: str, tenant_id: str | None) -> Target:
    """The changed object. The id of a domain is its name."""
    if of_tenant(operation):
        return Target("tenant", tenant_id or next((lower(each.id) for each in targets if each.id), "(this tenant)"))
    if federates(operation):
        return Target("domain", lower(next((each.display_name or each.id for each in targets), None)))
    known = [each for each in targets if (each.type or "").casefold() in _KINDS]
    if not known:
        return Target("application" if "principal" not in operation.casefold() else "service-principal", None)
    target, *others = known
    beside = [found for each in others if (found := lower(each.id))]
    role = next((each.display_name for each in targets if (each.type or "").casefold() == "role"), None)
    return Target(_KINDS[(target.type or "").casefold()], lower(target.id), beside, role)


def _use(audit: _Audit, on: int, part: int, change: Change, target: Target) -> Use:
    by = audit.initiated_by or _Initiator()
    user, app = by.user or _User(), by.app or _App()
    agent = next((each.value for each in audit.additional_details or () if (each.key or "").casefold() == "user-agent"), None)
    use = Use(
        source=SOURCE,
        used_on=on,
        operation=change.operation,
        target_kind=target.kind,
        succeeded={"success": True, "failure": False}.get((audit.result or "").casefold()),
        target_id=target.id,
        name=audit.id or None,
        actor_app_id=lower(app.app_id),
        principal_id=lower(user.id) or lower(user.user_principal_name) or lower(app.service_principal_id),
        credential_key_id=change.key,
        issuer=change.issuer,
        network=address(user.ip_address),
        client=agent if agent and len(agent) <= LONGEST else None,
        part=part,
        mark=None if audit.id else "",
    )
    unknown: dict[str, str] = {}
    if use.succeeded is None:
        unknown["succeeded"] = Reason.UNRECOGNISED if audit.result else Reason.NOT_SUPPLIED
    if use.target_id is None:
        unknown["target_id"] = Reason.NOT_SUPPLIED
    if agent and use.client is None:
        unknown["client"] = Reason.TOO_LARGE
    if change.operation.endswith("-credential") and change.key is None:
        unknown["credential_key_id"] = Reason.NOT_SUPPLIED
    use.unknown = unknown
    return use
