"""Sign-ins of service principals and managed identities, those of users by SAML, WS-Federation or device code, and tokens.

The formats are those of Log Analytics, Graph and diagnostic settings. Of sign-ins that are not interactive, and of those of
Microsoft's own service principals, only the tokens are read.
"""

from typing import Any

import msgspec

from keyaudit.inventory.logs.token import Token
from keyaudit.inventory.logs.use import Use
from keyaudit.logs.formats.event import Event, Members, Shape, mark
from keyaudit.logs.formats.tokens import token_id
from keyaudit.logs.formats.values import BadRecordError, OtherKindError, Text, address, guid, lower, moment
from keyaudit.model.tables.usage import SIGN_IN_LOGS, USER_SIGN_IN_LOG
from keyaudit.model.tokens import APP, MICROSOFT_LOG, USER, USER_LOGS

SERVICE_PRINCIPALS, MANAGED_IDENTITIES = SIGN_IN_LOGS
PEOPLE = USER_SIGN_IN_LOG
ONLY_TOKENS = (USER_LOGS[1], MICROSOFT_LOG)
"""The logs that are read for tokens only."""

# https://learn.microsoft.com/graph/api/resources/signin lists the values.
_WITHIN = ("", "none")
# https://learn.microsoft.com/azure/azure-monitor/reference/tables/aadnoninteractiveusersigninlogs lists the values.
_BY_PROTOCOL = {**dict.fromkeys(("saml20", "wsfederation"), "saml-sign-in"), "devicecode": "device-code-sign-in"}
"""The operations of users' sign-ins by protocol, in lower case. Others are not uses."""

_BY_EVENT = {
    "serviceprincipal": SERVICE_PRINCIPALS,
    "managedidentity": MANAGED_IDENTITIES,
    "interactiveuser": PEOPLE,
    "noninteractiveuser": ONLY_TOKENS[0],
}
CATEGORIES = {
    "serviceprincipalsigninlogs": SERVICE_PRINCIPALS,
    "managedidentitysigninlogs": MANAGED_IDENTITIES,
    "signinlogs": PEOPLE,
    **{name.removeprefix("AAD").casefold(): name for name in ONLY_TOKENS},
}
"""The logs by their category in diagnostic settings, in lower case."""
_TABLES = frozenset(CATEGORIES.values())


class _Row(msgspec.Struct, gc=False, rename="pascal"):
    """The format of the tables."""

    created_date_time: str | int | float | None = None
    time_generated: str | int | float | None = None
    id: Text = None
    app_id: Text = None
    service_principal_id: Text = None
    service_principal_credential_key_id: Text = None
    federated_credential_id: Text = None
    resource_identity: Text = None
    ip_address: Text = msgspec.field(default=None, name="IPAddress")
    user_agent: Text = None
    result_type: int | str | None = None
    user_id: Text = None
    authentication_protocol: Text = None
    unique_token_identifier: Text = None
    cross_tenant_access_type: Text = None
    category: Text = None
    type: Text = None
    tenant_id: Text = msgspec.field(default=None, name="AADTenantId")


class _Status(msgspec.Struct, gc=False, rename="camel"):
    error_code: int | str | None = None


class _SignIn(msgspec.Struct, gc=False, rename="camel"):
    """The format of Graph."""

    created_date_time: str | int | float | None = None
    id: Text = None
    app_id: Text = None
    service_principal_id: Text = None
    service_principal_credential_key_id: Text = None
    federated_credential_id: Text = None
    resource_id: Text = None
    ip_address: Text = None
    user_agent: Text = None
    user_id: Text = None
    authentication_protocol: Text = None
    unique_token_identifier: Text = None
    cross_tenant_access_type: Text = None
    status: _Status | None = None
    sign_in_event_types: list[str] | None = None


class _Record(msgspec.Struct, gc=False, rename="camel"):
    """The format of diagnostic settings: Graph's object in an envelope."""

    time: str | int | float | None = None
    category: Text = None
    tenant_id: Text = None
    result_type: int | str | None = None
    properties: _SignIn | None = None


_row, _sign_in, _record = Shape(_Row), Shape(_SignIn), Shape(_Record)


def of_row(members: Members) -> Event:
    """A row of one of the tables, which share their columns; it names its table or category."""
    found = _row(members)
    # A query may have overwritten either column.
    source = found.type if found.type in _TABLES else CATEGORIES.get((found.category or "").casefold())
    if source is None and found.service_principal_id and (found.ip_address or found.service_principal_credential_key_id):
        # For a managed identity, neither address nor credential is recorded.
        source = SERVICE_PRINCIPALS
    if source is None:
        raise BadRecordError("does not say who signed in: export Category or Type with it")
    on, _ = moment(found.created_date_time or found.time_generated)
    event = _event(source, on, found, found.resource_identity, found.result_type)
    event.tenant_id = guid(found.tenant_id)
    return event


def of_graph(members: Members) -> Event | None:
    """A sign-in from Graph; None for a user's interactive one without a protocol, and for one of v1.0."""
    found = _sign_in(members)
    source = _source(found)
    if source is None or (source == PEOPLE and not found.authentication_protocol):
        return None
    on, _ = moment(found.created_date_time)
    return _event(source, on, found, found.resource_id, _code(found))


def of_record(members: Members) -> Event:
    """A record from storage or an event hub, of a category in `CATEGORIES`."""
    found = _record(members)
    source = CATEGORIES.get((found.category or "").casefold())
    if source is None:
        raise OtherKindError("not a supported kind of sign-in")
    inner = found.properties or _SignIn()
    on, _ = moment(inner.created_date_time or found.time)
    code = _code(inner)
    result = found.result_type if code is None else code
    event = _event(source, on, inner, inner.resource_id, result)
    event.tenant_id = guid(found.tenant_id)
    return event


def _event(source: str, on: int, found: _Row | _SignIn, resource: str | None, result: int | str | None) -> Event:
    uses: tuple[Use, ...] = ()
    if source == PEOPLE:
        uses = _by_user(on, found, result)
    elif source not in ONLY_TOKENS:
        uses = (_use(source, on, found, resource, result),)
    return Event(source, on, uses, token=_token(source, on, found, resource, result))


def _token(source: str, on: int, found: _Row | _SignIn, resource: str | None, result: int | str | None) -> Token:
    id_, odd = token_id(found.unique_token_identifier)
    if id_ is None:
        # Only its hour is kept.
        return Token(source=source, on=on, issue=True, token=None)
    user = source in USER_LOGS
    across = found.cross_tenant_access_type
    principal = lower(found.user_id if user else found.service_principal_id)
    return Token(
        source=source,
        on=on,
        issue=True,
        token=id_,
        odd=odd,
        kind=USER if user else APP,
        external=None if across is None else across.casefold() not in _WITHIN,
        app=lower(found.app_id),
        client=guid(found.app_id),
        resource=guid(resource),
        principal=principal,
        object_id=guid(principal),
        succeeded=_succeeded(result),
        record=found.id or None,
    )


def _source(found: _SignIn) -> str | None:
    if found.sign_in_event_types is None:
        # v1.0 has no such member, and returns only sign-ins of users unless others are requested.
        return SERVICE_PRINCIPALS if found.service_principal_id else None
    known = (_BY_EVENT.get(each.casefold()) for each in found.sign_in_event_types)
    return next((source for source in known if source), None)


def _code(found: _SignIn) -> Any:
    return found.status.error_code if found.status else None


def _by_user(on: int, found: _Row | _SignIn, code: int | str | None) -> tuple[Use, ...]:
    """A user's sign-in by SAML or WS-Federation, for which a SAML token was signed for the application; or by device code, for
    which the token goes to the program that asked for the code: the application is that program."""
    if not found.authentication_protocol:
        raise BadRecordError("does not state its protocol: export AuthenticationProtocol with it")
    operation = _BY_PROTOCOL.get(found.authentication_protocol.casefold())
    if operation is None:
        return ()
    use = Use(
        source=PEOPLE,
        used_on=on,
        operation=operation,
        target_kind="application",
        succeeded=_succeeded(code),
        target_id=lower(found.app_id),
        name=found.id or None,
        actor_app_id=lower(found.app_id) if operation == "device-code-sign-in" else None,
        principal_id=lower(found.user_id),
        network=address(found.ip_address),
        client=found.user_agent or None,
        mark=None if found.id else "",
    )
    mark(use, ("succeeded", "target_id"))
    return (use,)


def _succeeded(code: int | str | None) -> bool | None:
    # An interrupted sign-in also has a code: no token was issued.
    return None if code is None or code == "" else str(code) == "0"


def _use(source: str, on: int, found: _Row | _SignIn, resource: str | None, code: int | str | None) -> Use:
    use = Use(
        source=source,
        used_on=on,
        operation="sign-in",
        target_kind="application",
        succeeded=_succeeded(code),
        target_id=lower(resource),
        name=found.id or None,
        actor_app_id=lower(found.app_id),
        principal_id=lower(found.service_principal_id),
        credential_key_id=lower(found.service_principal_credential_key_id) or lower(found.federated_credential_id),
        network=address(found.ip_address),
        client=found.user_agent or None,
        mark=None if found.id else "",
    )
    # A principal of zeros is none; an export that leaves the column out says nothing of it.
    mark(use, ("succeeded", "target_id", *(() if found.service_principal_id else ("principal_id",))))
    return use
