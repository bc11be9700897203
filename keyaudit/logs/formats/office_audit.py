"""Records of the unified audit log in the common schema of all workloads, and what each tells of a use."""

import re
from typing import Any

import msgspec

from keyaudit.inventory.disk.files import BROKEN
from keyaudit.inventory.logs.use import Use
from keyaudit.logs.formats.event import Shape, inside
from keyaudit.logs.formats.values import LONGEST, BadRecordError, Text, address, guid, lower
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.usage import MAIL_LOG

_SUCCEEDED = {
    **dict.fromkeys(("succeeded", "success", "true", "partiallysucceeded"), True),
    **dict.fromkeys(("failed", "failure", "false"), False),
}
TYPED = re.compile(r"(Application|ServicePrincipal|User)_([0-9a-f-]{36})", re.ASCII | re.IGNORECASE)
KINDS = {"application": "application", "serviceprincipal": "service-principal"}
"""Kinds of changed objects, by the word before their id."""
# https://learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-schema, of identities
_NAME, _SPN = "1", "4"
_BY_CERTIFICATE = "certificate"
"""How a service of Microsoft's signed in that provisions principals, as its id: see https://github.com/invictus-ir/o365_dataset"""
_NONE: tuple[Any, ...] = ()
# Of mail that was read through one of these, AppId is the API and ClientAppId the application that called it.
# https://github.com/microsoft/Microsoft-365-Defender-Hunting-Queries: OAuth Apps accessing user mail via GraphAPI [Nobelium]
_APIS = frozenset({"00000003-0000-0000-c000-000000000000"})


class Pair(msgspec.Struct, gc=False, rename="pascal"):
    name: str | None = None
    value: Any = None
    old_value: Any = None
    new_value: Any = None


Pairs = list[Pair | str]
"""Some workloads write only the names of what was changed, and PowerShell the text of each pair."""


class _Party(msgspec.Struct, gc=False):
    id: str | None = msgspec.field(default=None, name="ID")
    type: int | str | None = msgspec.field(default=None, name="Type")


class Audit(msgspec.Struct, gc=False, rename="pascal"):
    """A record of the common schema of all workloads."""

    id: Text = None
    creation_time: str | int | float | None = None
    operation: Text = None
    workload: Text = None
    organization_id: Text = None
    user_id: Text = None
    user_key: Text = None
    token_object_id: Text = None
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
    operation_properties: Pairs | None = None
    operation_count: int | str | None = None
    parameters: Pairs | str | None = None
    modified_properties: Pairs | None = None
    extended_properties: Pairs | None = None
    actor: list[_Party] | None = None
    target: list[_Party] | None = None
    app_access_context: Any = None


pairs: Shape[Pairs] = Shape(Pairs)


def parameters(audit: Audit) -> list[Pair]:
    return readable(audit.parameters if isinstance(audit.parameters, list) else inside(pairs, audit.parameters))


def readable(pairs: Pairs | None) -> list[Pair]:
    """The pairs; a name alone has changed, to a value that is not known. Raises BadRecordError for what PowerShell wrote."""
    found = []
    for pair in pairs or _NONE:
        if isinstance(pair, str) and pair.startswith("@{"):
            raise BadRecordError("PowerShell converted its lists to text: convert with a greater -Depth")
        found.append(Pair(name=pair, value=pair, new_value=pair) if isinstance(pair, str) else pair)
    return found


def text_of(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return msgspec.json.encode(value).decode()


def principal_of(audit: Audit) -> str | None:
    for text in (*(party.id for party in audit.actor or _NONE), audit.user_id):
        match = TYPED.fullmatch(text or "")
        if match:
            return match[2].lower()
    if (audit.user_id or "").casefold() == _BY_CERTIFICATE:
        named = (party.id for party in audit.actor or _NONE if str(party.type) == _NAME and party.id)
        return lower(next(named, audit.user_id))
    return lower(audit.user_id)


def _initiator(audit: Audit) -> str | None:
    """The client id of a service principal that acted: beside its object id, the only id of the actor, or that of type SPN.

    https://learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-schema
    """
    parties = [(party.type, party.id or "") for party in audit.actor or _NONE]
    own = {match[2].lower() for _, text in parties if (match := TYPED.fullmatch(text)) and match[1].lower() in KINDS}
    ids = {(kind, found) for kind, text in parties if (found := guid(text)) and found not in own}
    spn = {found for kind, found in ids if str(kind) == _SPN} or {found for _, found in ids}
    return spn.pop() if own and len(spn) == 1 else None


def use_of(
    audit: Audit,
    on: int,
    operation: str,
    kind: str,
    target: str | None,
    *,
    key: str | None = None,
    issuer: str | None = None,
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
        source=MAIL_LOG,
        used_on=on,
        operation=operation,
        target_kind=kind,
        succeeded=succeeded,
        target_id=target,
        name=audit.id or None,
        actor_app_id=app,
        client_app_id=caller,
        api_app_id=api,
        principal_id=principal_of(audit),
        credential_key_id=key,
        issuer=issuer,
        network=address(audit.client_ip_address or audit.client_ip or audit.actor_ip_address),
        client=agent or None,
        unknown=unknown,
        part=part,
        mark=None if audit.id else "",
        throttled=throttled,
    )


def _agent(audit: Audit) -> str | None:
    """The user agent of a directory change, from JSON text inside a property."""
    for pair in readable(audit.extended_properties):
        if (pair.name or "").casefold() == "additionaldetails" and isinstance(pair.value, str):
            try:
                found = msgspec.json.decode(pair.value, type=dict[str, Any]).get("User-Agent")
            except BROKEN:
                return None
            return found if isinstance(found, str) else None
    return None
