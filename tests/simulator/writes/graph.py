"""Changes of applications, service principals and the tenant's policies in Microsoft Graph, v1.0 and beta."""

from base64 import b64decode
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from msgspec.structs import replace

from keyaudit.simulator.estate import Application, FederatedCredential, KeyCredential, PasswordCredential, ServicePrincipal
from keyaudit.simulator.microsoft_graph.objects import federated
from keyaudit.simulator.microsoft_graph.odata import GRAPH
from keyaudit.simulator.microsoft_graph.service import HEADERS, OK_HEADERS, error, forbidden
from keyaudit.simulator.service import Call, Directory, Route, routed, varying
from keyaudit.simulator.throttle import Charge
from keyaudit.simulator.wire import Answer, Request, compact, iso
from tests.simulator.writes import May, WriteError, body_of, part_of, posture

RIGHT = "Application.ReadWrite.All"
"""The permission that those of applications and service principals need: https://learn.microsoft.com/graph/api/resources/application."""

Holder = TypeVar("Holder", Application, ServicePrincipal)
Result = tuple[int, dict[str, object]]
"""The status, and the body; empty: none."""

_YEAR = 365 * 86_400
_MOST_FEDERATED = 20
_AUDIENCES = ("AzureADMyOrg", "AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount")
# https://learn.microsoft.com/graph/api/resources/serviceprincipallockconfiguration: what was never set is shown as false.
_UNLOCKED = dict.fromkeys(
    ("isEnabled", "allProperties", "credentialsWithUsageVerify", "credentialsWithUsageSign", "tokenEncryptionKeyId"), False
)
_DONE: Result = (204, {})


class GraphWrites:
    """The writes to the one tenant."""

    def __init__(self, directory: Directory, may: May) -> None:
        self._directory = directory
        self._may = may
        federated_credentials = "applications/*/federatedidentitycredentials"
        places: tuple[tuple[str, str, str, Callable[..., Result]], ...] = (
            ("application.update", "PATCH", "applications/*", self._update_application),
            ("application.add_password", "POST", "applications/*/addpassword", self._add_password),
            ("application.remove_password", "POST", "applications/*/removepassword", self._remove_password),
            ("application.add_owner", "POST", "applications/*/owners/$ref", self._add_owner),
            ("application.remove_owner", "DELETE", "applications/*/owners/*/$ref", self._remove_owner),
            ("application.add_federated", "POST", federated_credentials, self._add_federated),
            ("application.update_federated", "PATCH", f"{federated_credentials}/*", self._update_federated),
            ("application.delete_federated", "DELETE", f"{federated_credentials}/*", self._delete_federated),
            ("service_principal.update", "PATCH", "serviceprincipals/*", self._update_principal),
            ("service_principal.add_password", "POST", "serviceprincipals/*/addpassword", self._add_password),
            ("service_principal.remove_password", "POST", "serviceprincipals/*/removepassword", self._remove_password),
        )
        policies: tuple[tuple[str, str, str, Callable[..., Result]], ...] = (
            ("authorization_policy.update", "authorizationpolicy", posture.AUTHORIZATION, self._update_authorization),
            (
                "app_management.update",
                "defaultappmanagementpolicy",
                posture.APPLICATION_CONFIGURATION,
                self._update_app_management,
            ),
        )
        self._routes = tuple(
            route
            for version in ("v1.0", "beta")
            for route in (
                *(Route(name, f"{version}/{path}", self._responding(write), method) for name, method, path, write in places),
                *(
                    Route(name, f"{version}/policies/{path}", self._responding(write, right), "PATCH")
                    for name, path, right, write in policies
                ),
            )
        )

    def call(self, request: Request) -> Call | None:
        """The call of a write; None: it is none, or not one that is simulated."""
        found = routed(self._routes, request)
        if found is None:
            return None
        route, stars = found
        return varying(route.operation, lambda asked: route.respond(asked, stars), Charge("graph", self._directory.client_id))

    def _responding(self, write: Callable[..., Result], right: str = RIGHT) -> Callable[[Request, list[str]], Answer]:
        def respond(request: Request, stars: list[str]) -> Answer:
            if not self._may(right):
                return forbidden(request)
            try:
                status, body = write(request, *stars)
            except WriteError as problem:
                return error(request, problem.status, problem.code, str(problem))
            return Answer(status, compact(body), OK_HEADERS, chunked=True) if body else Answer(status, b"", HEADERS)

        return respond

    def _update_application(self, request: Request, object_id: str) -> Result:
        application, changed = self._application(object_id), dict[str, Any]()
        for name, value in body_of(request).items():
            match name:
                case "signInAudience":
                    if value not in _AUDIENCES:
                        raise _invalid(name, "Application")
                    changed["audience"] = value
                case "keyCredentials":
                    changed["keys"] = _keys(application.keys, value, "Application")
                case "api":
                    changed |= _api(value)
                case "servicePrincipalLockConfiguration":
                    changed["lock"] = {**_UNLOCKED, **(application.lock or {}), **(value or {})}
                case _:
                    raise _no_property(name)
        return self._keep(replace(application, **changed))

    def _update_principal(self, request: Request, object_id: str) -> Result:
        principal, changed = self._principal(object_id), dict[str, Any]()
        for name, value in body_of(request).items():
            match name:
                case "accountEnabled" | "appRoleAssignmentRequired":
                    if not isinstance(value, bool):
                        raise _invalid(name, "ServicePrincipal")
                    changed["enabled" if name == "accountEnabled" else "assignment_required"] = value
                case "keyCredentials":
                    changed["keys"] = _keys(principal.keys, value, "ServicePrincipal")
                case "preferredTokenSigningKeyThumbprint":
                    changed["preferred_thumbprint"] = value
                case _:
                    raise _no_property(name)
        return self._keep(replace(principal, **changed))

    def _add_password(self, request: Request, object_id: str) -> Result:
        """To an application or a service principal. It has an end two years later, if none is asked for:
        https://learn.microsoft.com/graph/api/serviceprincipal-addpassword.
        """
        of_application = request.segments[1].lower() == "applications"
        holder = self._application(object_id) if of_application else self._principal(object_id)
        asked = part_of(body_of(request), "passwordCredential")
        start = _time(asked.get("startDateTime")) or int(request.now)
        end = _time(asked.get("endDateTime")) or start + 2 * _YEAR
        key_id = self._directory.guid("password", holder.id, str(len(holder.passwords)))
        made = PasswordCredential(key_id=key_id, start=start, end=end, display_name=asked.get("displayName"))
        self._keep(replace(holder, passwords=(*holder.passwords, made)))
        times = {name: iso(moment) for name, moment in (("startDateTime", start), ("endDateTime", end))}
        return 200, {
            "keyId": key_id,
            "displayName": made.display_name,
            **times,
            "secretText": "a value of the simulated tenant",
        }

    def _remove_password(self, request: Request, object_id: str) -> Result:
        """Of an application or a service principal."""
        if request.segments[1].lower() == "applications":
            return self._keep(_without_password(self._application(object_id), request))
        return self._keep(_without_password(self._principal(object_id), request))

    def _add_owner(self, request: Request, object_id: str) -> Result:
        application = self._application(object_id)
        owner = str(body_of(request).get("@odata.id", "")).rpartition("/")[2].lower()
        if owner not in self._directory.users and owner not in self._directory.principals:
            raise _no_object(owner)
        if owner in application.owners:
            message = "One or more added object references already exist for the following modified properties: 'owners'."
            raise WriteError(400, "Request_BadRequest", message)
        return self._keep(replace(application, owners=(*application.owners, owner)))

    def _remove_owner(self, _request: Request, object_id: str, owner: str) -> Result:
        application = self._application(object_id)
        if owner.lower() not in application.owners:
            raise _no_object(owner)
        return self._keep(replace(application, owners=tuple(one for one in application.owners if one != owner.lower())))

    def _add_federated(self, request: Request, object_id: str) -> Result:
        application, body = self._application(object_id), body_of(request)
        for name in ("name", "issuer", "subject", "audiences"):
            if not body.get(name):
                raise _invalid(name, "FederatedIdentityCredential")
        if any(one.name.lower() == str(body["name"]).lower() for one in application.federated):
            # https://github.com/Azure/azure-dev/issues/1482
            message = f"FederatedIdentityCredential with name {body['name']} already exists."
            raise WriteError(409, "Request_MultipleObjectsWithSameKeyValue", message)
        if len(application.federated) >= _MOST_FEDERATED:
            # https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations
            message = f"A maximum of {_MOST_FEDERATED} federated identity credentials can be added to an application."
            raise WriteError(400, "Request_BadRequest", message)
        made = FederatedCredential(
            id=self._directory.guid("federated", application.id, str(body["name"])),
            name=str(body["name"]),
            issuer=str(body["issuer"]),
            subject=str(body["subject"]),
            audiences=tuple(body["audiences"]),
        )
        _require_unique(application, made)
        self._keep(replace(application, federated=(*application.federated, made)))
        return 201, {"@odata.context": f"{GRAPH}/v1.0/$metadata#federatedIdentityCredential", **federated(made, beta=False)}

    def _update_federated(self, request: Request, object_id: str, wanted: str) -> Result:
        application, body = self._application(object_id), body_of(request)
        found = _federated(application, wanted)
        if body.get("name") not in (None, found.name):
            raise _invalid("name", "FederatedIdentityCredential")
        changed: dict[str, Any] = {name: body[name] for name in ("issuer", "subject") if body.get(name) is not None}
        if body.get("audiences") is not None:
            changed["audiences"] = tuple(body["audiences"])
        if "subject" in changed:
            changed["claims_expression"] = None
        made = replace(found, **changed)
        _require_unique(application, made)
        others = tuple(made if one.id == found.id else one for one in application.federated)
        return self._keep(replace(application, federated=others))

    def _delete_federated(self, _request: Request, object_id: str, wanted: str) -> Result:
        application = self._application(object_id)
        found = _federated(application, wanted)
        return self._keep(replace(application, federated=tuple(one for one in application.federated if one.id != found.id)))

    def _update_authorization(self, request: Request) -> Result:
        posture.update_authorization(self._directory, request)
        return _DONE

    def _update_app_management(self, request: Request) -> Result:
        posture.update_app_management(self._directory, request)
        return _DONE

    def _application(self, object_id: str) -> Application:
        found = (one for one in self._directory.estate.applications if one.id.lower() == object_id.lower())
        return _there(next(found, None), object_id)

    def _principal(self, object_id: str) -> ServicePrincipal:
        return _there(self._directory.principals.get(object_id.lower()), object_id)

    def _keep(self, holder: Application | ServicePrincipal) -> Result:
        estate = self._directory.estate
        if isinstance(holder, Application):
            changed = replace(estate, applications=_with(estate.applications, holder))
        else:
            changed = replace(estate, service_principals=_with(estate.service_principals, holder))
        self._directory.change(changed)
        return _DONE


def _api(asked: object) -> dict[str, Any]:
    """Of the members of `api` the one that is kept here; others stay as they are."""
    members = asked if isinstance(asked, dict) else {}
    for name in members.keys() - {"acceptMappedClaims"}:
        raise _no_property(name)
    return {"accepts_mapped_claims": members["acceptMappedClaims"]} if members else {}


def _with(holders: tuple[Holder, ...], changed: Holder) -> tuple[Holder, ...]:
    return tuple(changed if one.id == changed.id else one for one in holders)


def _without_password(holder: Holder, request: Request) -> Holder:
    wanted = str(body_of(request).get("keyId") or "")
    kept = tuple(one for one in holder.passwords if one.key_id.lower() != wanted.lower())
    if len(kept) == len(holder.passwords):
        # As the tests of public clients record it, with Graph's 400.
        raise WriteError(400, "Request_BadRequest", f"No password credential found with keyId '{wanted}'.")
    return replace(holder, passwords=kept)


def _keys(before: tuple[KeyCredential, ...], asked: object, kind: str) -> tuple[KeyCredential, ...]:
    """The list that replaces the certificates: one that is left out is removed, and one with a key is added."""
    known = {one.key_id.lower(): one for one in before}
    found = []
    for item in asked if isinstance(asked, list) else ():
        key_id, key = str(item.get("keyId") or ""), item.get("key")
        if key_id.lower() in known:
            if key is not None:
                # https://github.com/Azure/azure-cli/issues/7728
                message = f"Update to existing credential with KeyId '{key_id}' is not allowed."
                raise WriteError(400, "Request_BadRequest", message)
            found.append(known[key_id.lower()])
        elif key:
            found.append(_new_key(item))
        else:
            raise _invalid("keyCredentials", kind)
    return tuple(found)


def _new_key(item: dict[str, Any]) -> KeyCredential:
    return KeyCredential(
        key_id=str(item.get("keyId")),
        start=_time(item.get("startDateTime")),
        end=_time(item.get("endDateTime")),
        usage=str(item.get("usage") or "Verify"),
        type=str(item.get("type") or "AsymmetricX509Cert"),
        display_name=item.get("displayName"),
        thumbprint=item.get("customKeyIdentifier"),
        certificate=b64decode(str(item["key"])),
    )


def _time(text: object) -> int | None:
    return int(datetime.fromisoformat(str(text)).timestamp()) if text else None


def _federated(application: Application, wanted: str) -> FederatedCredential:
    """The credential with that id or name."""
    found = (one for one in application.federated if wanted.lower() in (one.id.lower(), one.name.lower()))
    return _there(next(found, None), wanted)


def _require_unique(application: Application, made: FederatedCredential) -> None:
    same = [one for one in application.federated if (one.issuer, one.subject) == (made.issuer, made.subject)]
    if any(one.id != made.id for one in same):
        # https://github.com/Azure/azure-workload-identity/issues/434
        message = (
            "The combination of issuer and subject must be unique for the application. "
            f"Issuer {made.issuer} and Subject: {made.subject} already exist. "
            f"paramName: FederatedIdentityCredential.Subject, paramValue: {made.subject}, "
            "objectType: Microsoft.Online.DirectoryServices.Application"
        )
        raise WriteError(400, "InvalidFederatedIdentityCredentialValue", message)


Found = TypeVar("Found")


def _there(found: Found | None, wanted: str) -> Found:
    if found is None:
        raise _no_object(wanted)
    return found


def _no_object(wanted: str) -> WriteError:
    message = f"Resource '{wanted}' does not exist or one of its queried reference-property objects are not present."
    return WriteError(404, "Request_ResourceNotFound", message)


def _no_property(name: str) -> WriteError:
    """The 400 for an unknown member, and for one that the simulated tenant does not keep."""
    message = f"Property '{name}' does not exist as a declared property or extension property."
    return WriteError(400, "Request_BadRequest", message)


def _invalid(name: str, kind: str) -> WriteError:
    message = f"Invalid value specified for property '{name}' of resource '{kind}'."
    return WriteError(400, "Request_BadRequest", message)
