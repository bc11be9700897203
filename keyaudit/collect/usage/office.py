"""The unified audit log: plain records, records inside AuditData, Graph's, and rows of OfficeActivity."""

import re
from typing import Any

import msgspec

from keyaudit.collect.usage.changes import Target, changes, federates, relevant, tell_grant
from keyaudit.collect.usage.event import Event, Members, Shape, inside
from keyaudit.collect.usage.values import (
    LONGEST,
    BadRecordError,
    OtherKindError,
    Text,
    address,
    guid,
    lower,
    moment,
    operation_name,
)
from keyaudit.inventory.files import BROKEN
from keyaudit.inventory.logs.use import Use
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.usage import MAIL_LOG
from keyaudit.model.text import one_line

SOURCE = MAIL_LOG
"""The log's name in all formats, so that an event is one row regardless of its export."""

# Cmdlets that can disable recording, with the parameter and value.
_SWITCHES = {
    "set-adminauditlogconfig": ("unifiedauditlogingestionenabled", "false"),
    "set-organizationconfig": ("auditdisabled", "true"),
    "set-mailbox": ("auditenabled", "false"),
    "set-mailboxauditbypassassociation": ("auditbypassenabled", "true"),
}
_MAIL = {
    **dict.fromkeys(("mailitemsaccessed", "attachmentaccess"), "read-mail"),
    **dict.fromkeys(("send", "sendas", "sendonbehalf"), "send-mail"),
}
"""https://learn.microsoft.com/purview/audit-log-activities, in lower case."""
MAIL_OPERATIONS = tuple(_MAIL)
"""Operations on mail, in lower case: their records are equal but for the time."""
_RULES = frozenset({"new-inboxrule", "set-inboxrule", "updateinboxrules", "set-mailbox"})
_FORWARDS = frozenset(
    {"forwardto", "forwardasattachmentto", "redirectto", "forwardingsmtpaddress", "forwardingaddress", "forward", "redirect"}
)
"""Parameters, or actions of a rule, that forward mail."""
_SUCCEEDED = {
    **dict.fromkeys(("succeeded", "success", "true", "partiallysucceeded"), True),
    **dict.fromkeys(("failed", "failure", "false"), False),
}
_TYPED = re.compile(r"(Application|ServicePrincipal|User)_([0-9a-f-]{36})", re.ASCII | re.IGNORECASE)
_KINDS = {"application": "application", "serviceprincipal": "service-principal"}
_TRUE = ("True", "true", "TRUE", True)
_SPN = "4"
_NONE: tuple[Any, ...] = ()
# Of mail that was read through one of these, AppId is the API and ClientAppId the application that called it.
# https://github.com/microsoft/Microsoft-365-Defender-Hunting-Queries: OAuth Apps accessing user mail via GraphAPI [Nobelium]
_APIS = frozenset({"00000003-0000-0000-c000-000000000000"})


class _Pair(msgspec.Struct, gc=False, rename="pascal"):
    name: str | None = None
    value: Any = None
    old_value: Any = None
    new_value: Any = None


_Pairs = list[_Pair | str]
"""Some workloads write only the names of what was changed, and PowerShell the text of each pair."""


class _Party(msgspec.Struct, gc=False):
    id: str | None = msgspec.field(default=None, name="ID")
    type: int | str | None = msgspec.field(default=None, name="Type")


class _Audit(msgspec.Struct, gc=False, rename="pascal"):
    """A record of the common schema of all workloads."""

    id: Text = None
    creation_time: str | int | float | None = None
    operation: Text = None
    workload: Text = None
    organization_id: Text = None
    user_id: Text = None
    result_status: int | str | None = None
    app_id: Text = None
    client_app_id: Text = None
    mailbox_owner: Text = msgspec.field(default=None, name="MailboxOwnerUPN")
    mailbox_guid: Text = None
    client_ip_address: Text = msgspec.field(default=None, name="ClientIPAddress")
    client_ip: Text = msgspec.field(default=None, name="ClientIP")
    actor_ip_address: Text = None
    client_info_string: Text = None
    object_id: Text = None
    operation_properties: _Pairs | None = None
    parameters: _Pairs | str | None = None
    modified_properties: _Pairs | None = None
    extended_properties: _Pairs | None = None
    actor: list[_Party] | None = None
    target: list[_Party] | None = None


class _Named(msgspec.Struct, gc=False, rename="pascal"):
    """A record of the common schema, without the content of its lists."""

    creation_time: str | int | float | None = None
    operation: Text = None
    workload: Text = None
    organization_id: Text = None


class _Row(msgspec.Struct, gc=False, rename="pascal"):
    """The format of the table OfficeActivity. Its TenantId is the workspace's."""

    id: Text = msgspec.field(default=None, name="OfficeId")
    time_generated: str | int | float | None = None
    operation: Text = None
    organization_id: Text = None
    user_id: Text = None
    result_status: int | str | None = None
    app_id: Text = None
    client_app_id: Text = None
    mailbox_owner: Text = msgspec.field(default=None, name="MailboxOwnerUPN")
    mailbox_guid: Text = None
    client_ip_address: Text = msgspec.field(default=None, name="Client_IPAddress")
    client_ip: Text = msgspec.field(default=None, name="ClientIP")
    actor_ip_address: Text = None
    client_info_string: Text = None
    object_id: Text = msgspec.field(default=None, name="OfficeObjectId")
    operation_properties: Any = None
    parameters: Any = None
    modified_properties: Any = None
    extended_properties: Any = None


class _Wrapped(msgspec.Struct, gc=False):
    """The format of Purview and Search-UnifiedAuditLog, and, in camel case, of Graph: the record is inside."""

    AuditData: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    auditData: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET  # noqa: N815 - Graph's spelling


class _CloudApp(msgspec.Struct, gc=False, rename="pascal"):
    """A row of CloudAppEvents, with the record inside: https://learn.microsoft.com/defender-xdr/advanced-hunting-cloudappevents-table"""

    timestamp: str | int | float | None = None
    time_generated: str | int | float | None = None
    action_type: Text = None
    raw_event_data: Any = None


_whole_audit, _named = Shape(_Audit), Shape(_Named)
_row, _wrapped, _cloud_app = Shape(_Row), Shape(_Wrapped), Shape(_CloudApp)
_whole: Shape[dict[str, Any]] = Shape(dict[str, Any])
_pairs: Shape[_Pairs] = Shape(_Pairs)
_string = Shape(str)


def _audit(members: Members) -> _Audit:
    """A record; of an operation that does not matter only its name, if its lists have another form than is known."""
    try:
        return _whole_audit(members)
    except BadRecordError:
        found = _named(members)
        if not found.operation or _wanted(operation_name(found.operation)):
            raise
        return _Audit(**msgspec.structs.asdict(found))


def of_audit(members: Members) -> Event:
    """A plain record of the Management API."""
    found = _audit(members)
    if found.workload is None or found.operation is None or found.creation_time is None:
        raise OtherKindError("not an audit record")
    return _event(found)


def of_wrapped(members: Members) -> Event:
    """A record inside another's AuditData, as an object or as text."""
    if isinstance(members, bytes):
        found = _wrapped(members)
        data = found.AuditData if found.AuditData is not msgspec.UNSET else found.auditData
        if data is msgspec.UNSET:
            raise BadRecordError("has no AuditData")
        inner: Any = bytes(data)
        if inner[:1] == b'"':
            inner = _string(inner)
    else:
        inner = members.get("AuditData") or members.get("auditData")
    if isinstance(inner, str):
        inner = inner.encode("utf-8", "surrogatepass")
    if not inner:
        raise BadRecordError("its AuditData is empty")
    return _event(_audit(inner))


def of_cloud_app(members: Members) -> Event:
    """A row of CloudAppEvents. Raises BadRecordError if its action matters and the record inside is missing."""
    found = _cloud_app(members)
    on, _ = moment(found.timestamp or found.time_generated)
    if not found.action_type:
        raise BadRecordError("names no operation")
    if not _wanted(operation_name(found.action_type)):
        return Event(SOURCE, on, operation=found.action_type)
    inner = inside(_whole, found.raw_event_data)
    if not inner or not inner.get("Operation") or not inner.get("CreationTime"):
        raise BadRecordError(f"{one_line(found.action_type, 64)} without its RawEventData")
    return _event(_audit(inner))


def _wanted(operation: str) -> bool:
    return operation in _SWITCHES or operation in _MAIL or operation in _RULES or relevant(operation)


def of_row(members: Members) -> Event:
    """A row of OfficeActivity."""
    row = _row(members)
    wanted = _wanted(operation_name(row.operation or ""))
    # For irrelevant operations the content of the columns is not decoded.
    inner: dict[str, Any] = {
        name: inside(_pairs, getattr(row, name)) if wanted else None
        for name in ("operation_properties", "modified_properties", "extended_properties", "parameters")
    }
    same = {name: getattr(row, name) for name in _Row.__struct_fields__ if name not in (*inner, "time_generated")}
    return _event(_Audit(creation_time=row.time_generated, **same, **inner))


def _event(audit: _Audit) -> Event:
    on, _ = moment(audit.creation_time)
    tenant = guid(audit.organization_id)
    if not audit.operation:
        raise BadRecordError("names no operation")
    operation = operation_name(audit.operation)
    uses: tuple[Use, ...] = ()
    if operation in _MAIL:
        uses = (_mail(audit, on, operation),)
    elif operation in _SWITCHES and (operation not in _RULES or not _forwards(audit)):
        uses = (_switch(audit, on, tenant),) if _switched_off(audit, *_SWITCHES[operation]) else ()
    elif operation in _RULES:
        box = lower(audit.mailbox_owner) or lower(audit.object_id if operation == "set-mailbox" else audit.user_id)
        uses = (_use(audit, on, "forward-mail", "mailbox", box),) if _forwards(audit) else ()
    elif relevant(operation):
        uses = _directory(audit, on, operation)
    return Event(SOURCE, on, uses, tenant, operation=None if uses else audit.operation)


def _mail(audit: _Audit, on: int, operation: str) -> Use:
    mailbox = lower(audit.mailbox_owner) or lower(audit.mailbox_guid)
    if operation != "mailitemsaccessed":
        return _use(audit, on, _MAIL[operation], "mailbox", mailbox)
    return _use(audit, on, "read-mail", "mailbox", mailbox, throttled=_throttled(audit))


def _throttled(audit: _Audit) -> bool | None:
    """Whether the mailbox is no longer recorded; None if the record does not say."""
    if audit.operation_properties is None:
        return None
    found = False
    for pair in audit.operation_properties:
        if isinstance(pair, str):
            return None
        found |= pair.value in _TRUE and (pair.name or "").casefold() == "isthrottled"
    return found


def _forwards(audit: _Audit) -> bool:
    """Whether it forwards mail: a non-empty parameter of the command, or an action of a rule."""
    if any((pair.name or "").casefold() in _FORWARDS and pair.value not in (None, "", "$null") for pair in _parameters(audit)):
        return True
    properties = _readable(audit.operation_properties)
    actions = " ".join(_text(pair.value) for pair in properties if (pair.name or "") == "RuleActions")
    return any(f'"{each}' in actions.casefold() for each in _FORWARDS)


def _switched_off(audit: _Audit, parameter: str, value: str) -> bool:
    """Whether it disables recording; also if its parameters are missing."""
    parameters = _parameters(audit)
    if not parameters:
        return True
    return any(
        (pair.name or "").casefold() == parameter and str(pair.value).casefold().strip("$") == value for pair in parameters
    )


def _switch(audit: _Audit, on: int, tenant: str | None) -> Use:
    mailbox = operation_name(audit.operation or "").startswith("set-mailbox")
    return _use(audit, on, "change-audit", "mailbox" if mailbox else "tenant", lower(audit.object_id) if mailbox else tenant)


def _directory(audit: _Audit, on: int, operation: str) -> tuple[Use, ...]:
    """A copy of a record in Entra's audit log."""
    modified = audit.modified_properties
    properties = [(pair.name or "", _text(pair.old_value), _text(pair.new_value)) for pair in _readable(modified)]
    found = changes(operation, None if modified is None else properties)
    target = Target("domain", lower(audit.object_id)) if federates(operation) else _target(audit, operation)
    uses = tuple(
        _use(audit, on, change, target.kind, target.id, key=key, part=part) for part, (change, key) in enumerate(found)
    )
    for use in uses:
        if use.operation == "grant-permission":
            tell_grant(use, operation, properties, target)
    return uses


def _parameters(audit: _Audit) -> list[_Pair]:
    return _readable(audit.parameters if isinstance(audit.parameters, list) else inside(_pairs, audit.parameters))


def _readable(pairs: _Pairs | None) -> list[_Pair]:
    """The pairs; a name alone has changed, to a value that is not known. Raises BadRecordError for what PowerShell wrote."""
    found = []
    for pair in pairs or _NONE:
        if isinstance(pair, str) and pair.startswith("@{"):
            raise BadRecordError("its lists are the text that PowerShell makes of them: convert with a greater -Depth")
        found.append(_Pair(name=pair, value=pair, new_value=pair) if isinstance(pair, str) else pair)
    return found


def _target(audit: _Audit, operation: str) -> Target:
    matches = [match for party in audit.target or _NONE if (match := _TYPED.fullmatch(party.id or ""))]
    known = [(_KINDS[match[1].lower()], match[2].lower()) for match in matches if match[1].lower() in _KINDS]
    if not known:
        return Target("application" if "principal" not in operation else "service-principal", None)
    (kind, id_), *others = known
    return Target(kind, id_, [other for _, other in others])


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return msgspec.json.encode(value).decode()


def _principal(audit: _Audit) -> str | None:
    for text in (*(party.id for party in audit.actor or _NONE), audit.user_id):
        match = _TYPED.fullmatch(text or "")
        if match:
            return match[2].lower()
    return lower(audit.user_id)


def _initiator(audit: _Audit) -> str | None:
    """The client id of a service principal that acted: beside its object id, the only id of the actor, or that of type SPN.

    https://learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-schema
    """
    parties = [(party.type, party.id or "") for party in audit.actor or _NONE]
    own = {match[2].lower() for _, text in parties if (match := _TYPED.fullmatch(text)) and match[1].lower() in _KINDS}
    ids = {(kind, found) for kind, text in parties if (found := guid(text)) and found not in own}
    spn = {found for kind, found in ids if str(kind) == _SPN} or {found for _, found in ids}
    return spn.pop() if own and len(spn) == 1 else None


def _use(
    audit: _Audit,
    on: int,
    operation: str,
    kind: str,
    target: str | None,
    *,
    key: str | None = None,
    part: int = 0,
    throttled: bool | None = False,
) -> Use:
    status = audit.result_status
    unknown: dict[str, str] = {}
    succeeded = _SUCCEEDED.get(str(status).casefold()) if status not in (None, "") else None
    if succeeded is None:
        unknown["succeeded"] = Reason.NOT_SUPPLIED if status in (None, "") else Reason.UNRECOGNISED
    if target is None:
        unknown["target_id"] = Reason.NOT_SUPPLIED
    if operation.endswith("-credential") and key is None:
        unknown["credential_key_id"] = Reason.NOT_SUPPLIED
    app, caller = lower(audit.app_id) or _initiator(audit), lower(audit.client_app_id)
    api = app if kind == "mailbox" and app in _APIS else None
    if api:
        app, caller = caller, None
        if app is None:
            unknown["actor_app_id"] = Reason.NOT_SUPPLIED
    agent = audit.client_info_string or _agent(audit)
    if agent and len(agent) > LONGEST:
        agent, unknown["client"] = None, Reason.TOO_LARGE
    return Use(
        source=SOURCE,
        used_on=on,
        operation=operation,
        target_kind=kind,
        succeeded=succeeded,
        target_id=target,
        name=audit.id or None,
        actor_app_id=app,
        client_app_id=caller,
        api_app_id=api,
        principal_id=_principal(audit),
        credential_key_id=key,
        network=address(audit.client_ip_address or audit.client_ip or audit.actor_ip_address),
        client=agent or None,
        unknown=unknown,
        part=part,
        mark=None if audit.id else "",
        throttled=throttled,
    )


def _agent(audit: _Audit) -> str | None:
    """The user agent of a directory change, from JSON text inside a property."""
    for pair in _readable(audit.extended_properties):
        if (pair.name or "").casefold() == "additionaldetails" and isinstance(pair.value, str):
            try:
                found = msgspec.json.decode(pair.value, type=dict[str, Any]).get("User-Agent")
            except BROKEN:
                return None
            return found if isinstance(found, str) else None
    return None
