"""The meaning of directory changes, the same for all logs."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from keyaudit.inventory.disk.files import BROKEN
from keyaudit.inventory.logs.proofs import RoleGiven
from keyaudit.inventory.logs.use import Use
from keyaudit.logs.formats import privileged
from keyaudit.logs.formats.values import LONGEST, BadRecordError, guid, operation_name
from keyaudit.model.directory.first_party import FIRST_PARTY
from keyaudit.model.reasons import Reason

# https://github.com/merill/microsoft-info/blob/main/_info/MicrosoftApps.csv
_PIM = "01fc33a7-78ba-4d2f-a4b7-768e336e890e"
"""The application that gives somebody a role whenever he activates it; who may is in records of its own."""
_SAYS_PIM = "MS-PIM"
"""Its display name, which any application can have. A record with this name and no id does not say whose act it is, until PIM's
own record of the same role and person does.
"""
# https://learn.microsoft.com/entra/identity/monitoring-health/reference-audit-activities, as `operation_name` folds them.
_ADDED = "add service principal"
_CREDENTIALS = {
    "add service principal credentials": "add-credential",
    "remove service principal credentials": "remove-credential",
    # The changed properties decide which of the two it is; if they are missing, the more severe one is assumed.
    "update application - certificates and secrets management": "add-credential",
    "create application - certificates and secrets management": "add-credential",
}
# These do not name credentials, but may contain some.
_CARRIERS = frozenset({_ADDED, "add application", "update application", "update service principal"})
_SETTINGS, _AUTHENTICATION = "set federation settings on domain", "set domain authentication"
_FEDERATION = frozenset({_SETTINGS, _AUTHENTICATION})
_LIVE_TYPE = "livetype"
"""The property for managed or federated; other properties of that operation do not matter here."""
# Logs of 2020 have the second name, without the permission and for whom it is:
# https://github.com/elastic/integrations, packages/o365/data_stream/audit/_dev/test/pipeline/test-azuread-events.json
_DELEGATED = frozenset({"add delegated permission grant", "add oauth2permissiongrant"})
_CONSENT, _APP_ROLE = "consent to application", "add app role assignment to service principal"
# Of a new owner the targets can be that owner alone, and this property names the object, as in
# https://github.com/elastic/integrations, packages/o365/data_stream/audit/_dev/test/pipeline/test-azuread-events.json
_OWNED = {
    "add owner to application": ("application", "application.objectid"),
    "add owner to service principal": ("service-principal", "serviceprincipal.objectid"),
}
_GRANTS = {
    **dict.fromkeys(
        (
            *_DELEGATED,
            _CONSENT,
            _APP_ROLE,
            "add app role assignment grant to user",
            "add app role assignment grant to group",
            "add app role assignment to group",
        ),
        "grant-permission",
    ),
    **dict.fromkeys(_OWNED, "add-owner"),
}
# https://learn.microsoft.com/entra/identity/monitoring-health/reference-audit-activities: Core Directory, and PIM
_ROLES = frozenset(
    {
        *(f"add {member} to role" for member in ("member", "eligible member", "scoped member")),
        *(
            f"add {member} to role in pim completed ({lasting})"
            for member in ("member", "eligible member")
            for lasting in ("permanent", "timebound")
        ),
    }
)
# PIM's own record of a person who activated a role: Core Directory has the act itself, by PIM's service principal.
_ACTIVATES = "add member to role completed (pim activation)"
_ELEVATES = frozenset(
    {
        # https://learn.microsoft.com/azure/role-based-access-control/elevate-access-global-admin#view-elevate-access-log-entries
        "user has elevated their access to user access administrator for their azure resources",
        "assigns the caller to user access admin",
    }
)
# https://github.com/SigmaHQ/sigma/tree/master/rules/cloud/azure/audit_logs: azure_ad_new_root_ca_added, and
# azure_ad_certificate_based_authencation_enabled; https://github.com/panther-labs/panther-analysis:
# azure_auth_methods_policy_oidc_change
_COMPANY, _AUTHORITIES = "set company information", "trustedcasforpasswordlessauth"
_METHODS = ("authentication methods policy update", "update authentication methods policy")
_BY_CERTIFICATE = "x509certificate"
_DISCOVERED = re.compile(r"discoveryUrl[\\\"']*\s*[=:]\s*[\\\"']*([^\s\\\"',;}\]]+)", re.IGNORECASE)
"""Where the keys of an identity provider are found that the tenant trusts."""
_OF_TENANT = frozenset({*_ELEVATES, _COMPANY, *_METHODS})
_ALWAYS = frozenset({"change-federation", "elevate-access", "change-trusted-authority", "change-certificate-sign-in"})
"""Operations that are always privileged."""
_RESTORES = ("restore application", "restore service principal")
_SIMPLE = {
    **dict.fromkeys(_RESTORES, "restore-application"),
    **dict.fromkeys(_FEDERATION, "change-federation"),
    **_GRANTS,
    **dict.fromkeys(_ROLES, "assign-directory-role"),
    _ACTIVATES: "activate-directory-role",
    **dict.fromkeys(_ELEVATES, "elevate-access"),
}
"""Operations whose name alone says what they are."""
# Of a grant the target is the API, and these are who received it:
# https://github.com/OTRF/Security-Datasets, compound/GoldenSAMLADFSMailAccess/AADAuditEvents
_RECEIVERS = frozenset({"serviceprincipal.objectid", "user.objectid", "group.objectid"})
_SCOPE, _ROLE, _CONSENTED = "delegatedpermissiongrant.scope", "approle.value", "consentaction.permissions"
# The names of the changed service principal, with semicolons, its client id among them: MicrosoftDocs/azure-docs,
# articles/active-directory/reports-monitoring/reference-azure-monitor-audit-log-schema.md
_NAMES = "targetid.serviceprincipalnames"
_SCOPES = re.compile(r"\bScope:\s*([^,\]]*)")
_CONSENT_TYPE, _BY_ADMIN, _ALL = "delegatedpermissiongrant.consenttype", "consentcontext.isadminconsent", "allprincipals"
_ROLE_NAMES, _ROLE_IDS = ("role.displayname",), ("role.templateid", "templateid")
_ENABLED = "accountenabled"
_HELD = frozenset({"keydescription", "keycredentials", "passwordcredentials", "credential"})
# Each new service principal has it, with the ids of a store and a group of keys, and none of a key: the event "Add service
# principal" of Microsoft Entra ID in https://github.com/SEKOIA-IO/documentation
_STORE = "credential"
# Its values are lists of issuers and subjects:
# https://elastic.github.io/detection-rules-explorer/rules/498e4094-60e7-11f0-8847-f661ea17fbcd
_FEDERATED = "federatedidentitycredentials"
_KEY = re.compile(r"\bKeyId(?:entifier)?[\"']?\s*[=:]\s*[\"']?([0-9a-f-]{36})", re.ASCII | re.IGNORECASE)
_ISSUER = re.compile(r"issuer[\\\"']*\s*[=:]\s*[\\\"']*([^\s\\\"',;}\]]+)", re.IGNORECASE)
_NOTHING = frozenset({"", "[]", "null", '""', "[ ]"})

Property = tuple[str, str, str]
"""A changed property: its name, old value and new value."""


class Change(NamedTuple):
    """An operation of `usage`, the credential's key id if the log names one, and the issuer of a federated credential."""

    operation: str
    key: str | None = None
    issuer: str | None = None


class Target(NamedTuple):
    """The changed object: its kind, its id, and the ids of others that the record names beside it."""

    kind: str
    id: str | None
    beside: Sequence[str] = ()
    role: str | None = None
    """The name of a role that is given to it."""


def relevant(operation: str) -> bool:
    """Whether records of this name may be about credentials, federation, permissions or roles."""
    folded = operation_name(operation)
    return any(folded in names for names in (_CREDENTIALS, _CARRIERS, _SIMPLE, _OF_TENANT))


def federates(operation: str) -> bool:
    """Whether it changes the authentication of a domain."""
    return operation_name(operation) in _FEDERATION


def gives_role(operation: str) -> bool:
    """Whether it gives somebody a role of the directory, or activates one."""
    return operation_name(operation) in _ROLES or operation_name(operation) == _ACTIVATES


def of_tenant(operation: str) -> bool:
    """Whether it changes the tenant itself."""
    return operation_name(operation) in _OF_TENANT


def adds_service_principal(operation: str) -> bool:
    """Whether it adds a service principal, which it says without any property."""
    return operation_name(operation) == _ADDED


def owned(operation: str, properties: Iterable[Property]) -> Target | None:
    """The application or service principal that got an owner, if a changed property names it."""
    kind, named = _OWNED.get(operation_name(operation), ("", None))
    ids = (guid(_plain(new)) for name, _, new in properties if name.replace(" ", "").casefold() == named)
    found = next(filter(None, ids), None)
    return Target(kind, found) if found else None


def changes(operation: str, properties: Iterable[Property] | None) -> list[Change]:
    """All changes in a record of this name, in a fixed order; none for other records.

    `properties`: None if the record has none; raises BadRecordError if they are needed to classify it.
    """
    folded = operation_name(operation)
    if folded == _AUTHENTICATION and properties is not None:
        changed = [each for each in properties if each[0].replace(" ", "").casefold() == _LIVE_TYPE]
        return [Change("change-federation")] if any(old.strip() != new.strip() for _, old, new in changed) else []
    if folded in _SIMPLE:
        return [Change(_SIMPLE[folded])]
    if properties is None and folded in (*_CARRIERS, _COMPANY, *_METHODS):
        raise BadRecordError("does not say what it changed")
    if folded in _OF_TENANT:
        return _of_tenant(folded, properties or ())
    found = [Change("add-service-principal")] if folded == _ADDED else []
    changed_values = [(name.replace(" ", "").casefold(), old, new) for name, old, new in properties or ()]
    held = [
        (name, old, new)
        for name, old, new in changed_values
        if name in _HELD and (folded != _ADDED or name != _STORE or _keys(new))
    ]
    if any(name == _ENABLED and "false" in old.casefold() and "true" in new.casefold() for name, old, new in changed_values):
        found.append(Change("enable-principal"))
    added, removed = set[str](), set[str]()
    for _, old, new in held:
        before, after = _keys(old), _keys(new)
        added |= after - before
        removed |= before - after
    found += [Change("add-credential", key) for key in sorted(added)]
    found += [Change("remove-credential", key) for key in sorted(removed)]
    named = bool(added or removed)
    if not named and folded in _CREDENTIALS:
        found.append(Change(_CREDENTIALS[folded]))
    elif not named and any(new.strip() not in (old.strip(), *_NOTHING) and not _keys(new) for _, old, new in held):
        # They changed, but without ids: the more severe change is assumed.
        found.append(Change("add-credential"))
    return found + [change for name, old, new in changed_values if name == _FEDERATED for change in _federated(old, new)]


def untold(operation: str, name: str | None, old: str | None, new: str | None) -> bool:
    """Whether a changed property leaves open if a record of this name matters: it lacks its name, or a value that it needs."""
    folded = operation_name(operation)
    if folded not in (*_CARRIERS, _COMPANY, *_METHODS):
        return False
    held = (name or "").replace(" ", "").casefold() in (*_HELD, _FEDERATED)
    return not name or (new is None and (folded in _METHODS or (held and (old or "").strip() in _NOTHING)))


def _of_tenant(folded: str, properties: Iterable[Property]) -> list[Change]:
    """The changes of the tenant itself; none if its properties are others."""
    if folded == _COMPANY:
        trusted = any(_AUTHORITIES in f"{name} {new}".replace(" ", "").casefold() for name, _, new in properties)
        return [Change("change-trusted-authority")] if trusted else []
    given = list(properties)
    methods = [(_method(old), _method(new)) for _, old, new in given]
    found = [Change("change-certificate-sign-in")] if any(before != after for before, after in methods) else []
    added = any({*_DISCOVERED.findall(new)} - {*_DISCOVERED.findall(old)} for _, old, new in given)
    return [*found, *([Change("change-trusted-authority")] if added else [])]


def _method(text: str) -> object:
    """The settings of sign-in by certificate in a policy as JSON; of another text all of it, if it mentions them."""
    if _BY_CERTIFICATE not in text.casefold():
        return None
    try:
        policy = msgspec.json.decode(text, type=dict[str, Any])
    except BROKEN:
        return text
    methods = policy.get("authenticationMethodConfigurations")
    if not isinstance(methods, list):
        return text
    return [each for each in methods if _BY_CERTIFICATE in str(each).casefold()]


def tell_change(use: Use, operation: str, properties: Iterable[Property], target: Target) -> None:
    """Fills what a use of a change tells of it: who got what, and whether it is privileged; or why that is unknown."""
    values = {name.replace(" ", "").casefold(): (_plain(old), _plain(new)) for name, old, new in properties}
    if use.operation == "grant-permission":
        _tell_grant(use, operation, values, target)
    elif use.operation in ("assign-directory-role", "activate-directory-role"):
        role, template = _role(values)
        use.granted_to, use.permission = target.id, role or target.role or None
        use.privileged = privileged.directory_role(use.permission, template) or None
        if use.permission is None:
            use.unknown = {**use.unknown, "permission": Reason.NOT_SUPPLIED}
    elif use.operation in _ALWAYS or (use.operation == "add-credential" and _of_microsoft(values)):
        use.privileged = True


def roles_of_people(
    uses: Iterable[Use], actor_name: str | None, operation: str, properties: Iterable[Property], target: Target
) -> tuple[tuple[Use, ...], RoleGiven | None, bool]:
    """The uses of a record that gives a person a role, the role if PIM gave it, and whether only a name says that it did.

    `actor_name`: the display name of the application that acted.
    """
    strong = tuple(use for use in uses if use.privileged and use.actor_app_id != _PIM)
    if not strong:
        return (), None, False
    if strong[0].actor_app_id is None and actor_name == _SAYS_PIM:
        return (), _given_role(operation, properties, target), True
    for use in strong:
        if use.operation == "activate-directory-role":
            # Who may activate it was decided in a record of its own.
            use.privileged = None
    by_pim = "pim" in operation_name(operation) and strong[0].succeeded
    return strong, _given_role(operation, properties, target) if by_pim else None, False


def _given_role(operation: str, properties: Iterable[Property], target: Target) -> RoleGiven:
    role, template = _role({name.replace(" ", "").casefold(): (_plain(old), _plain(new)) for name, old, new in properties})
    eligible = "eligible" in operation_name(operation)
    return RoleGiven(target.id, eligible, frozenset(text.casefold() for text in (role or target.role, template) if text))


def _role(values: Mapping[str, tuple[str, str]]) -> tuple[str | None, str | None]:
    """The name of a role and its template's id."""
    role, template = (next((values[name][1] for name in names if name in values), None) for names in (_ROLE_NAMES, _ROLE_IDS))
    return role, template


def _of_microsoft(values: Mapping[str, tuple[str, str]]) -> bool:
    """Whether a changed service principal has the client id of one of Microsoft's own applications among its names."""
    return any(name.strip().lower() in FIRST_PARTY for name in values.get(_NAMES, ("", ""))[1].split(";"))


def _tell_grant(use: Use, operation: str, values: Mapping[str, tuple[str, str]], target: Target) -> None:
    received = (guid(new) for name, (_, new) in values.items() if name in _RECEIVERS)
    consent = operation_name(operation) == _CONSENT
    use.granted_to = next(filter(None, received), target.id if consent else next(iter(target.beside), None))
    if use.granted_to is None:
        use.unknown = {**use.unknown, "granted_to": Reason.NOT_SUPPLIED}
    permission = _permission(values)
    if permission is None or len(permission) > LONGEST:
        use.unknown = {**use.unknown, "permission": Reason.NOT_SUPPLIED if permission is None else Reason.TOO_LARGE}
    else:
        use.permission = permission or None
    if _for_all(operation_name(operation), values) and (permission is None or privileged.permissions(permission)):
        use.privileged = True


def _for_all(folded: str, values: Mapping[str, tuple[str, str]]) -> bool:
    """Whether it is a permission of an application, or a consent for all users, or may be."""
    if folded == _CONSENT:
        consented = values.get(_CONSENTED, ("", ""))[1].partition("=>")[2]
        return values.get(_BY_ADMIN, ("", "true"))[1].casefold() == "true" or _ALL in consented.casefold()
    return folded == _APP_ROLE or (folded in _DELEGATED and values.get(_CONSENT_TYPE, ("", _ALL))[1].casefold() == _ALL)


def _permission(values: Mapping[str, tuple[str, str]]) -> str | None:
    """The permissions that a grant added, with a space between them; empty for a role without a name, None if not named."""
    if _ROLE in values:
        return values[_ROLE][1]
    if _SCOPE in values:
        before, after = (text.split() for text in values[_SCOPE])
    elif _CONSENTED in values:
        before, after = (" ".join(_SCOPES.findall(text)).split() for text in values[_CONSENTED][1].partition("=>")[::2])
    else:
        return None
    return " ".join([name for name in dict.fromkeys(after) if name not in before] or dict.fromkeys(after))


def _plain(text: str) -> str:
    """A value without the quotes of JSON."""
    return text.strip().strip('"').strip()


def _federated(old: str, new: str) -> list[Change]:
    """The changes of federated credentials, which have no key id. One with another issuer or subject is another one."""
    before, after = _items(old), _items(new)
    issuers = {match[1].lower() if (match := _ISSUER.search(item.decode())) else "" for item in after - before}
    found = [Change("add-credential", issuer=issuer or None) for issuer in sorted(issuers)]
    return found + ([Change("remove-credential")] if before - after else [])


def _items(text: str) -> set[bytes]:
    """The items of a list as JSON; a text that is no list is its own item."""
    if text.strip() in _NOTHING:
        return set()
    data = text.strip().encode("utf-8", "surrogatepass")
    try:
        return {msgspec.json.encode(item, order="deterministic") for item in msgspec.json.decode(data, type=list[Any])}
    except BROKEN:
        return {data}


def _keys(text: str) -> set[str]:
    return {key.lower() for key in _KEY.findall(text)}
