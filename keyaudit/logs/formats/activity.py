"""Azure's activity log: changes of vaults, logging, alerts, role assignments and servers of AD FS, and keys of accounts."""

import re
from functools import lru_cache
from typing import Any

import msgspec

from keyaudit.inventory.logs.token import Token
from keyaudit.inventory.logs.use import Use
from keyaudit.logs.formats import privileged
from keyaudit.logs.formats.event import Event, Members, Shape, inside, mark
from keyaudit.logs.formats.tokens import ARM_API, issue_time, token_id
from keyaudit.logs.formats.unread import in_azure
from keyaudit.logs.formats.values import BadRecordError, Text, address, guid, lower, moment
from keyaudit.model.tables.usage import ACTIVITY_LOG
from keyaudit.model.tokens import APP, ARM, USER

SOURCE = ACTIVITY_LOG

# https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations, in lower case.
_OPERATIONS = {
    "microsoft.insights/diagnosticsettings/delete": "remove-log-settings",
    "microsoft.insights/diagnosticsettings/write": "change-log-settings",
    "microsoft.managedidentity/userassignedidentities/federatedidentitycredentials/write": "add-federated-credential",
    "microsoft.managedidentity/userassignedidentities/assign/action": "assign-identity",
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
            "microsoft.insights/alertrules/delete",
            "microsoft.insights/actiongroups/delete",
            "microsoft.securityinsights/alertrules/delete",
        ),
        "remove-alert-rule",
    ),
    "microsoft.authorization/roleassignments/write": "assign-role",
    "microsoft.authorization/elevateaccess/action": "elevate-access",
    # https://github.com/Azure/Azure-Sentinel and https://github.com/SigmaHQ/sigma: azure_aadhybridhealth_adfs_new_server
    **dict.fromkeys(
        ("microsoft.adhybridhealthservice/services/servicemembers/action", "microsoft.adhybridhealthservice/services/delete"),
        "change-federation-servers",
    ),
}
# The changes of vaults that https://github.com/SigmaHQ/sigma and https://github.com/panther-labs/panther-analysis look for.
_OF_VAULTS = {
    **dict.fromkeys(("microsoft.keyvault/vaults/delete", "microsoft.keyvault/managedhsms/delete"), "delete"),
    **dict.fromkeys(
        (
            "microsoft.keyvault/locations/deletedvaults/purge/action",
            "microsoft.keyvault/locations/deletedmanagedhsms/purge/action",
        ),
        "purge",
    ),
    "microsoft.keyvault/vaults/accesspolicies/write": "change-vault-access",
}
# Objects of vaults that are written through Azure Resource Manager, and what public rules look for in this log:
# https://github.com/SigmaHQ/sigma, azure_keyvault_key_modified_or_deleted, azure_keyvault_secrets_modified_or_deleted
_OBJECTS = re.compile(r"microsoft\.keyvault/(?:vaults|managedhsms)/(keys|secrets|certificates)/([a-z]+)(?:/action)?")
_OF_OBJECTS = {
    **{name: name for name in ("backup", "create", "delete", "import", "purge", "restore", "update")},
    "recover": "restore",
    "write": "create",
}
_OF_SECRETS = {"write": "write-secret", "set": "write-secret", "setsecret": "write-secret", "getsecret": "read-secret"}
_WRITES_VAULT = frozenset({"microsoft.keyvault/vaults/write", "microsoft.keyvault/managedhsms/write"})
_GIVES_ACCESS = re.compile(r'accessPolicies\\*"\s*:\s*\[\s*\{', re.IGNORECASE)
_RECOVERS = re.compile(r'"createMode\\*"\s*:\s*\\*"recover', re.IGNORECASE)
# Every service names its own: https://github.com/SigmaHQ/sigma, azure_rare_operations. Those of clusters are of Azure Arc and
# AKS: https://github.com/elastic/detection-rules, initial_access_azure_arc_cluster_credential_access_unusual_source.
_KEYS = re.compile(
    r"[a-z0-9.]+/.*/(?:(list(?:keys|secrets|connectionstrings|adminkeys|querykeys|accountsas|servicesas"
    r"|(?:cluster[a-z]*)?credentials?)|publishxml|config/list)"
    r"|regenerate[a-z]*keys?)(?:/action)?"
)
_ALWAYS = frozenset({"elevate-access", "change-federation-servers"})
"""Operations that are privileged."""
# Members of a request and of its answer, which differ in case: a role, who gets it, and the kind of that principal.
_ASSIGNED = tuple(
    re.compile(rf'{name}\\*"\s*:\s*\\*"([^"\\]+)', re.IGNORECASE)
    for name in ("roleDefinitionId", "principalId", "principalType")
)
# A call has several records: these have its result, the others its start.
_ENDS = {"success": True, "succeeded": True, "failure": False, "failed": False}
_OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
_SCOPE = "http://schemas.microsoft.com/identity/claims/scope"
"""A claim of a token for a user: the delegated permissions."""


class _Claims(msgspec.Struct, gc=False):
    appid: Text = None
    oid: Text = None
    uti: Text = None
    iat: str | int | float | None = None
    exp: str | int | float | None = None
    idtyp: Text = None
    appidacr: Text = None
    scp: Text = None
    scope: Text = msgspec.field(default=None, name=_SCOPE)
    long_oid: Text = msgspec.field(default=None, name=_OBJECT_ID)


class _Identity(msgspec.Struct, gc=False):
    claims: _Claims | None = None


class _Word(msgspec.Struct, gc=False):
    value: Text = None


class _Record(msgspec.Struct, gc=False, rename="camel"):
    """The format of diagnostic settings in storage and event hubs; some write operations as the REST API does."""

    time: str | int | float | None = None
    operation_name: str | _Word | None = None
    result_type: Text = None
    resource_id: Text = None
    caller_ip_address: Text = None
    correlation_id: Text = None
    identity: _Identity | None = None
    properties: Any = None


class _Row(msgspec.Struct, gc=False, rename="pascal"):
    """The format of the table AzureActivity.

    Until 2020 OperationName had the words of a language, and ActivityStatus the result:
    https://learn.microsoft.com/azure/azure-monitor/platform/activity-log#legacy-collection-methods
    """

    time_generated: str | int | float | None = None
    operation_name_value: Text = None
    operation_name: Text = None
    authorization: Any = None
    authorization_d: Any = msgspec.field(default=None, name="Authorization_d")
    category: Text = None
    category_value: Text = None
    activity_status_value: Text = None
    activity_status: Text = None
    resource_id: Text = msgspec.field(default=None, name="_ResourceId")
    resource_id_too: Text = msgspec.field(default=None, name="ResourceId")
    caller_ip_address: Text = None
    correlation_id: Text = None
    caller: Text = None
    claims: Any = None
    claims_d: Any = msgspec.field(default=None, name="Claims_d")
    properties: Any = None
    properties_d: Any = msgspec.field(default=None, name="Properties_d")


class _Authorization(msgspec.Struct, gc=False):
    action: Text = None


class _Request(msgspec.Struct, gc=False, rename="camel"):
    client_ip_address: Text = None


class _Listed(msgspec.Struct, gc=False, rename="camel"):
    """The format of the REST API: https://learn.microsoft.com/rest/api/monitor/activity-logs/list"""

    event_timestamp: str | int | float | None = None
    operation_name: _Word | None = None
    status: _Word | None = None
    resource_id: Text = None
    correlation_id: Text = None
    caller: Text = None
    tenant_id: Text = None
    claims: _Claims | None = None
    http_request: _Request | None = None
    properties: Any = None


_record, _row, _listed = Shape(_Record), Shape(_Row), Shape(_Listed)
_claims, _authorization = Shape(_Claims), Shape(_Authorization)
_ADMINISTRATIVE = "administrative"


def of_record(members: Members) -> Event:
    """A record from storage or an event hub."""
    found = _record(members)
    claims = (found.identity and found.identity.claims) or _Claims()
    name = found.operation_name
    return _event(
        found.time,
        name.value if isinstance(name, _Word) else name,
        found.result_type,
        resource_id=found.resource_id,
        network=found.caller_ip_address,
        correlation=found.correlation_id,
        claims=claims,
        bodies=found.properties,
    )


def of_row(members: Members) -> Event:
    """A row of AzureActivity."""
    found = _row(members)
    claims = inside(_claims, found.claims) or inside(_claims, found.claims_d) or _Claims()
    return _event(
        found.time_generated,
        found.operation_name_value or _by_words(found),
        found.activity_status_value or found.activity_status,
        resource_id=found.resource_id or found.resource_id_too,
        network=found.caller_ip_address,
        correlation=found.correlation_id,
        claims=claims,
        caller=found.caller,
        bodies=found.properties or found.properties_d,
    )


def of_listed(members: Members) -> Event:
    """A record of the REST API."""
    found = _listed(members)
    event = _event(
        found.event_timestamp,
        (found.operation_name or _Word()).value,
        (found.status or _Word()).value,
        resource_id=found.resource_id,
        network=(found.http_request or _Request()).client_ip_address,
        correlation=found.correlation_id,
        claims=found.claims or _Claims(),
        caller=found.caller,
        bodies=found.properties,
    )
    event.tenant_id = guid(found.tenant_id)
    return event


def _by_words(found: _Row) -> str | None:
    """The operation of a row that names it only in words: the action that was authorized. Raises BadRecordError without one."""
    authorization = inside(_authorization, found.authorization) or inside(_authorization, found.authorization_d)
    action = authorization.action if authorization else None
    category = found.category_value or found.category or _ADMINISTRATIVE
    if not action and found.operation_name and "/" not in found.operation_name and category.casefold() == _ADMINISTRATIVE:
        raise BadRecordError("names its operation only in words: export OperationNameValue or Authorization with it")
    return action or found.operation_name


def matters(operation: object) -> bool:
    """Whether a record of this operation, which may be named in two languages, is a use."""
    name = operation.get("value") if isinstance(operation, dict) else operation
    return isinstance(name, str) and _kind(name) is not None


@lru_cache(maxsize=1_024)
def _kind(name: str) -> tuple[str, str] | None:
    """The operation of `usage` and the kind of its target; None for records of another operation.

    That of a vault that is written is decided by the body of the request.
    """
    folded = name.casefold()
    if folded in _OPERATIONS:
        return _OPERATIONS[folded], "resource"
    if folded in _OF_VAULTS:
        return _OF_VAULTS[folded], "vault"
    if folded in _WRITES_VAULT:
        return "restore", "vault"
    if of_object := _OBJECTS.fullmatch(folded):
        known = _OF_OBJECTS | (_OF_SECRETS if of_object[1] == "secrets" else {})
        return (known[of_object[2]], "vault") if of_object[2] in known else None
    keys = _KEYS.fullmatch(folded)
    return ("list-account-keys" if keys[1] else "regenerate-account-key", "resource") if keys else None


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
    bodies: Any = None,
) -> Event:
    on, above = moment(time)
    if not operation:
        raise BadRecordError("names no operation")
    token = _token(on, claims, correlation)
    subscription = _subscription(resource_id)
    succeeded = _ENDS.get((result or "").casefold())
    done = _kind(operation)
    if done and operation.casefold() in _WRITES_VAULT:
        body = _text(bodies)
        gives = ("change-vault-access", "vault") if _GIVES_ACCESS.search(body) else None
        done = done if _RECOVERS.search(body) else gives
    if done is None or (result and succeeded is None):
        unread = _kind(operation) is None and in_azure(operation)
        named = operation if done is None else None
        return Event(SOURCE, on, resource_id=subscription, operation=named, unread=unread, token=token)
    name, kind = done
    use = Use(
        source=SOURCE,
        used_on=on,
        operation=name,
        target_kind=kind,
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
    if name in _ALWAYS:
        use.privileged = True
    elif name == "assign-role":
        _tell_role(use, _text(bodies))
    return Event(SOURCE, on, (use,), resource_id=subscription, token=token)


def _token(on: int, claims: _Claims, record: str | None) -> Token | None:
    """The token of a request; None if the record has none of its claims."""
    id_, odd = token_id(claims.uti)
    app, principal = lower(claims.appid), lower(claims.oid or claims.long_oid)
    if id_ is None and app is None:
        return None
    kinds = {"user": USER, "app": APP}
    delegated = USER if claims.scope or claims.scp else APP if claims.appidacr else None
    return Token(
        source=SOURCE,
        service=ARM,
        on=on,
        token=id_,
        odd=odd,
        issued_on=issue_time(claims.iat),
        expires_on=issue_time(claims.exp),
        kind=kinds.get((claims.idtyp or "").casefold(), delegated),
        app=app,
        client=guid(claims.appid),
        resource=ARM_API,
        principal=principal,
        object_id=guid(principal),
        record=record or None,
    )


def _text(bodies: Any) -> str:
    return bodies if isinstance(bodies, str) else msgspec.json.encode(bodies).decode()


def _tell_role(use: Use, body: str) -> None:
    """Fills who got which role, from the body of the request or of its answer; unknown without one."""
    role, to, kind = (next(iter(pattern.findall(body)), None) for pattern in _ASSIGNED)
    use.permission, use.granted_to = lower(role), lower(to)
    mark(use, ("permission", "granted_to"))
    service = kind is None or kind.casefold() == "serviceprincipal"
    if role and service and privileged.azure_role(role) and privileged.widely(_scope(use.target_id or "")):
        use.privileged = True


def _scope(assignment: str) -> str:
    """The scope of a role assignment, by its id."""
    return assignment.partition("/providers/microsoft.authorization/")[0]


def _subscription(resource_id: str | None) -> str | None:
    """The id of the subscription of the activity log."""
    parts = (lower(resource_id) or "").split("/")
    return "/".join(parts[:3]) if parts[1:2] == ["subscriptions"] else None
