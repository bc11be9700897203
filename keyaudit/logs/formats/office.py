"""The unified audit log: plain records, records inside AuditData, Graph's, and rows of OfficeActivity."""

from typing import Any

import msgspec

from keyaudit.inventory.logs.token import Token
from keyaudit.inventory.logs.use import Use
from keyaudit.logs.formats.changes import Target, changes, federates, gives_role, of_tenant, owned, relevant, tell_change
from keyaudit.logs.formats.event import Event, Members, Shape, inside
from keyaudit.logs.formats.office_audit import KINDS, TYPED, Audit, Pairs, readable, text_of, use_of
from keyaudit.logs.formats.office_cmdlets import CMDLETS, of_cmdlet
from keyaudit.logs.formats.office_tokens import token_of
from keyaudit.logs.formats.values import BadRecordError, OtherKindError, Text, guid, lower, moment, operation_name
from keyaudit.model.tables.usage import MAIL_LOG
from keyaudit.model.values.text import one_line


def directory_changes(audit: Audit, on: int, operation: str) -> tuple[Use, ...]:
    """A copy of a record in Entra's audit log."""
    modified = audit.modified_properties
    properties = [(pair.name or "", text_of(pair.old_value), text_of(pair.new_value)) for pair in readable(modified)]
    found = changes(operation, None if modified is None else properties)
    target = owned(operation, properties) or _target(audit, operation)
    if gives_role(operation) and audit.target and target.id is None:
        # A person or a group got it.
        return ()
    uses = tuple(
        use_of(audit, on, change.operation, target.kind, target.id, key=change.key, issuer=change.issuer, part=part)
        for part, change in enumerate(found)
    )
    for use in uses:
        tell_change(use, operation, properties, target)
    return uses


def _target(audit: Audit, operation: str) -> Target:
    if federates(operation):
        return Target("domain", lower(audit.object_id))
    if of_tenant(operation):
        return Target("tenant", lower(audit.organization_id) or "(this tenant)")
    matches = [match for party in audit.target or () if (match := TYPED.fullmatch(party.id or ""))]
    known = [(KINDS[match[1].lower()], match[2].lower()) for match in matches if match[1].lower() in KINDS]
    if not known:
        return Target("application" if "principal" not in operation else "service-principal", None)
    (kind, id_), *others = known
    return Target(kind, id_, [other for _, other in others])


SOURCE = MAIL_LOG
"""The log's name in all formats, so that an event is one row regardless of its export."""
_MAIL = {
    **dict.fromkeys(("mailitemsaccessed", "attachmentaccess"), "read-mail"),
    **dict.fromkeys(("send", "sendas", "sendonbehalf"), "send-mail"),
}
"""https://learn.microsoft.com/purview/audit-log-activities, in lower case."""
MAIL_OPERATIONS = tuple(_MAIL)
"""Operations on mail, in lower case: their records are equal but for the time."""
_MOST_READS, _DIGITS = 1_000_000, 10
_TRUE = ("True", "true", "TRUE", True)


class _Named(msgspec.Struct, gc=False, rename="pascal"):
    """A record of the common schema, without the content of its lists."""

    creation_time: str | int | float | None = None
    operation: Text = None
    workload: Text = None
    organization_id: Text = None
    id: Text = None
    user_id: Text = None
    user_key: Text = None
    token_object_id: Text = None
    app_id: Text = None
    client_app_id: Text = None
    app_access_context: Any = None


class _Row(msgspec.Struct, gc=False, rename="pascal"):
    """The format of the table OfficeActivity. Its TenantId is the workspace's."""

    id: Text = msgspec.field(default=None, name="OfficeId")
    time_generated: str | int | float | None = None
    operation: Text = None
    workload: Text = msgspec.field(default=None, name="OfficeWorkload")
    organization_id: Text = None
    user_id: Text = None
    user_key: Text = None
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


_whole_audit, _named = Shape(Audit), Shape(_Named)
_row, _wrapped, _cloud_app = Shape(_Row), Shape(_Wrapped), Shape(_CloudApp)
_whole: Shape[dict[str, Any]] = Shape(dict[str, Any])
_pairs: Shape[Pairs] = Shape(Pairs)
_string = Shape(str)


def _audit(members: Members) -> Audit:
    """A record; of an operation that does not matter only its name, if its lists have another form than is known."""
    try:
        return _whole_audit(members)
    except BadRecordError:
        found = _named(members)
        if not found.operation or _wanted(operation_name(found.operation)):
            raise
        return Audit(**msgspec.structs.asdict(found))


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
        return Event(SOURCE, on, operation=found.action_type, token=_token_inside(found.raw_event_data, on))
    inner = inside(_whole, found.raw_event_data)
    if not inner or not inner.get("Operation") or not inner.get("CreationTime"):
        raise BadRecordError(f"{one_line(found.action_type, 64)} without its RawEventData")
    return _event(_audit(inner))


def _token_inside(raw: Any, on: int) -> Token | None:
    """The token of an operation that does not matter otherwise; None if the record inside is of another form."""
    try:
        inner = inside(_named, raw)
    except BadRecordError:
        return None
    return None if inner is None else token_of(Audit(**msgspec.structs.asdict(inner)), on)


def _wanted(operation: str) -> bool:
    return operation in _MAIL or operation in CMDLETS or relevant(operation)


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
    return _event(Audit(creation_time=row.time_generated, **same, **inner))


def _event(audit: Audit) -> Event:
    on, _ = moment(audit.creation_time)
    tenant = guid(audit.organization_id)
    if not audit.operation:
        raise BadRecordError("names no operation")
    operation = operation_name(audit.operation)
    uses: tuple[Use, ...] = ()
    if operation in _MAIL:
        uses = (_mail(audit, on, operation),)
    elif operation in CMDLETS:
        uses = of_cmdlet(audit, on, operation, tenant)
    elif relevant(operation):
        uses = directory_changes(audit, on, operation)
    return Event(SOURCE, on, uses, tenant, operation=None if uses else audit.operation, token=token_of(audit, on))


def _mail(audit: Audit, on: int, operation: str) -> Use:
    mailbox = lower(audit.mailbox_owner) or lower(audit.mailbox_guid)
    if operation != "mailitemsaccessed":
        return use_of(audit, on, _MAIL[operation], "mailbox", mailbox)
    use = use_of(audit, on, "read-mail", "mailbox", mailbox, throttled=_throttled(audit))
    use.uses = _count(audit.operation_count)
    return use


def _count(told: int | str | None) -> int:
    """How many reads of one mailbox a record stands for: https://learn.microsoft.com/purview/audit-log-investigate-accounts

    At least one, also where it says something that cannot be.
    """
    text = str(told)
    return min(max(int(text), 1), _MOST_READS) if text.isdecimal() and len(text) < _DIGITS else 1


def _throttled(audit: Audit) -> bool | None:
    """Whether the mailbox is no longer recorded; None if the record does not say."""
    if audit.operation_properties is None:
        return None
    found = False
    for pair in audit.operation_properties:
        if isinstance(pair, str):
            return None
        found |= pair.value in _TRUE and (pair.name or "").casefold() == "isthrottled"
    return found
