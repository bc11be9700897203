"""Tokens in log records: their ids in one form, and the logs of requests to Microsoft Graph and to Azure AD Graph.

A token's id (`uti`) is the id of the request that issued it: the 16 bytes of a GUID in base64url, in older records the text of
the GUID in base64. Letters of either case are different:
https://learn.microsoft.com/entra/identity/authentication/how-to-authentication-track-linkable-identifiers
"""

import binascii
from functools import lru_cache
from typing import Any

import msgspec

from keyaudit.inventory.logs.token import Token
from keyaudit.logs.formats.event import Event, Members, Shape
from keyaudit.logs.formats.values import BadRecordError, OtherKindError, Text, guid, lower, moment
from keyaudit.model.tokens import APP, GRAPH, GRAPH_EVENTS, GRAPH_LOG, OLD_GRAPH, OLD_GRAPH_LOG, USER
from keyaudit.model.values.guid import GUID

GRAPH_API = "00000003-0000-0000-c000-000000000000"
ARM_API = "797f4846-ba00-4fd7-ba43-dac1f8f63013"
_OLD_GRAPH_API = "00000002-0000-0000-c000-000000000000"
"""Microsoft Graph, Azure Resource Manager and Azure AD Graph as applications, from model/directory/first_party.py."""
OLD_GRAPH_CATEGORY = "azureadgraphactivitylogs"
"""The category in diagnostic settings, in lower case; its table has another name. The members are those of packages/azure/
data_stream/aadgraphactivitylogs of https://github.com/elastic/integrations, at 097306ed.
"""
_OF_CATEGORY = {GRAPH_LOG.casefold(): GRAPH_LOG, OLD_GRAPH_CATEGORY: OLD_GRAPH_LOG}
_SHORT, _LONG = 22, 48
"""The lengths of the two forms, without padding."""
_LAST, _URL = "AQgw", str.maketrans("-_", "+/")
"""The letters that the short form may end with, since only two bits of the last one are of the id; and its alphabet."""
_NO_ID = "00000000-0000-0000-0000-000000000000"
_REFUSED = "401"
"""The status of a request whose token was not accepted: https://learn.microsoft.com/graph/errors"""


@lru_cache(maxsize=4096)
def token_id(text: str | None) -> tuple[str | None, bool]:
    """A token's id in one form, and whether it has another form than those that are known, and is as it is in the record."""
    if not text:
        return None, False
    bare = text.strip().rstrip("=")
    if not bare or bare == _NO_ID:
        return None, False
    try:
        if len(bare) == _SHORT and bare[-1] in _LAST:
            # The first three parts of a GUID are in little-endian order.
            data = binascii.a2b_base64(bare.translate(_URL) + "==", strict_mode=True)
            return (data[3::-1] + data[5:3:-1] + data[7:5:-1] + data[8:]).hex(), False
        found = binascii.a2b_base64(bare, strict_mode=True).decode("ascii") if len(bare) == _LONG else bare
    except (binascii.Error, ValueError):
        return text, True
    return (found.replace("-", "").lower(), False) if GUID.fullmatch(found) else (text, True)


def issue_time(value: Any) -> int | None:
    """The time in a record; None if it has none, or one that cannot be, such as in the year 1601."""
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if not isinstance(value, str | int | float) or isinstance(value, bool) or not value:
        return None
    try:
        return moment(value)[0]
    except BadRecordError:
        return None


class _Row(msgspec.Struct, gc=False, rename="pascal"):
    """The format of the table MicrosoftGraphActivityLogs."""

    time_generated: str | int | float | None = None
    request_id: Text = None
    sign_in_activity_id: Text = None
    token_issued_at: str | int | float | None = None
    app_id: Text = None
    user_id: Text = None
    service_principal_id: Text = None
    response_status_code: int | str | None = None
    tenant_id: Text = msgspec.field(default=None, name="AadTenantId")


class _Request(msgspec.Struct, gc=False, rename="camel"):
    time_generated: str | int | float | None = None
    request_id: Text = None
    sign_in_activity_id: Text = None
    token_issued_at: str | int | float | None = None
    issued_at: str | int | float | None = None
    app_id: Text = None
    user_id: Text = None
    service_principal_id: Text = None
    response_status_code: int | str | None = None
    http_status_code: int | str | None = None
    tenant_id: Text = None


class _Record(msgspec.Struct, gc=False, rename="camel"):
    """The format of diagnostic settings."""

    time: str | int | float | None = None
    category: Text = None
    tenant_id: Text = None
    properties: _Request | None = None


class _Audited(msgspec.Struct, gc=False, rename="pascal"):
    """A row of GraphAPIAuditEvents: https://learn.microsoft.com/defender-xdr/advanced-hunting-graphapiauditevents-table"""

    timestamp: str | int | float | None = None
    time_generated: str | int | float | None = None
    request_id: Text = None
    unique_token_identifier: Text = None
    application_id: Text = None
    account_object_id: Text = None
    service_principal_id: Text = None
    response_status_code: int | str | None = None


_row, _record, _audited = Shape(_Row), Shape(_Record), Shape(_Audited)


def of_row(members: Members) -> Event:
    """A row of MicrosoftGraphActivityLogs."""
    found = _row(members)
    return _event(GRAPH_LOG, found.time_generated, found, guid(found.tenant_id))


def of_old_row(members: Members) -> Event:
    """A row of AADGraphActivityLogs."""
    found = _row(members)
    return _event(OLD_GRAPH_LOG, found.time_generated, found, guid(found.tenant_id))


def of_record(members: Members) -> Event:
    """Either from storage or an event hub."""
    found = _record(members)
    log = _OF_CATEGORY.get((found.category or "").casefold())
    if log is None:
        raise OtherKindError("not a request to Microsoft Graph")
    inner = found.properties or _Request()
    inner.token_issued_at = inner.token_issued_at or inner.issued_at
    inner.response_status_code = inner.response_status_code or inner.http_status_code
    return _event(log, inner.time_generated or found.time, inner, guid(found.tenant_id or inner.tenant_id))


def of_audited(members: Members) -> Event:
    """A row of GraphAPIAuditEvents, which has no time of issue."""
    found = _audited(members)
    request = _Request(
        request_id=found.request_id,
        sign_in_activity_id=found.unique_token_identifier,
        app_id=found.application_id,
        user_id=found.account_object_id if found.account_object_id != found.service_principal_id else None,
        service_principal_id=found.service_principal_id,
        response_status_code=found.response_status_code,
    )
    return _event(GRAPH_EVENTS, found.timestamp or found.time_generated, request, None)


def _event(log: str, time: Any, found: _Row | _Request, tenant: str | None) -> Event:
    on, _ = moment(time)
    if str(found.response_status_code) == _REFUSED:
        return Event(log, on, tenant_id=tenant)
    id_, odd = token_id(found.sign_in_activity_id)
    user = guid(found.user_id)
    principal = user or guid(found.service_principal_id)
    token = Token(
        source=log,
        service=OLD_GRAPH if log == OLD_GRAPH_LOG else GRAPH,
        on=on,
        token=id_,
        odd=odd,
        issued_on=issue_time(found.token_issued_at),
        kind=USER if user else APP if principal else None,
        app=lower(found.app_id),
        client=guid(found.app_id),
        resource=_OLD_GRAPH_API if log == OLD_GRAPH_LOG else GRAPH_API,
        principal=principal,
        object_id=principal,
        record=found.request_id or None,
    )
    return Event(log, on, tenant_id=tenant, token=token)
