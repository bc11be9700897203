"""Changes on the data plane of a Managed HSM: role assignments, settings and keys; of new versions, those of external keys."""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from keyaudit.simulator.estate import Key, ManagedHsm
from keyaudit.simulator.key_vault import keys
from keyaudit.simulator.key_vault.managed_hsms import ManagedHsms, answer, error, not_found
from keyaudit.simulator.service import Call, Directory, Route, routed, varying
from keyaudit.simulator.throttle import Charge
from keyaudit.simulator.wire import Answer, Request
from tests.simulator.writes import May, WriteError, body_of, part_of
from tests.simulator.writes.keys import new_version, rotate, set_rotation, update

Body = dict[str, object]
Write = Callable[[Directory, ManagedHsm, Request, list[str]], Body]
"""Changes the HSM as the request asks, and returns the body of the answer; raises WriteError."""


def delete_assignment(directory: Directory, hsm: ManagedHsm, request: Request, stars: list[str]) -> Body:
    """Remove the role assignment of that name at that scope."""
    scope = f"/{'/'.join(request.segments[:-4])}".lower()
    found = next((one for one in hsm.assignments if (one.scope.lower(), one.id.lower()) == (scope, stars[-1].lower())), None)
    if found is None:
        raise WriteError(404, "RoleAssignmentNotFound", f"Requested role assignment not found: {stars[-1]}.")
    _keep(directory, replace(hsm, assignments=tuple(one for one in hsm.assignments if one is not found)))
    return {
        "id": f"{found.scope.rstrip('/')}/providers/Microsoft.Authorization/roleAssignments/{found.id}",
        "name": found.id,
        "properties": {
            "principalId": found.principal,
            "roleDefinitionId": f"Microsoft.KeyVault/providers/Microsoft.Authorization/roleDefinitions/{found.role}",
            "scope": found.scope,
        },
        "type": "Microsoft.Authorization/roleAssignments",
    }


def set_setting(directory: Directory, hsm: ManagedHsm, request: Request, stars: list[str]) -> Body:
    """Another value of a setting that the HSM has."""
    name = next((each for each in hsm.settings if each.lower() == stars[0].lower()), None)
    if name is None:
        raise WriteError(404, "SettingNotFound", f"The setting {stars[0]} was not found.")
    value = str(body_of(request).get("value")).lower()
    if value not in ("true", "false"):
        raise WriteError(400, "BadParameter", f"Invalid value of the setting {name}: {value}")
    _keep(directory, replace(hsm, settings={**hsm.settings, name: value}))
    return {"name": name, "type": "boolean", "value": value}


def create_key(directory: Directory, hsm: ManagedHsm, request: Request, stars: list[str]) -> Body:
    """A new version of an external key, with the key that the external key manager names."""
    known = next((one for one in hsm.keys if one.name.lower() == stars[0].lower()), None)
    attributes = part_of(body_of(request), "attributes")
    external = part_of(attributes, "external_key").get("id")
    if known is None or not external:
        raise WriteError(403, "Forbidden", "Only versions of external keys are created in this simulated HSM.")
    made = replace(
        keys.current(known),
        version=new_version(directory, "key", hsm.name, known.name, str(len(known.versions))),
        created=int(request.now),
        updated=int(request.now),
        enabled=True,
        nbf=None,
        exp=attributes.get("exp"),
        external_key=str(external),
        tags=body_of(request).get("tags"),
    )
    changed: Key = replace(known, versions=(*known.versions, made), current=made.version)
    _keep(directory, replace(hsm, keys=tuple(changed if one is known else one for one in hsm.keys)))
    return keys.bundle(hsm, changed, made)


_ASSIGNMENTS = "providers/microsoft.authorization/roleassignments/*"
_PLACES: Sequence[tuple[str, str, str, str, str, Write]] = (
    *(
        (
            "hsm.role_assignment.delete",
            "DELETE",
            f"{scope}{_ASSIGNMENTS}",
            "roleAssignments/delete/action",
            shown,
            delete_assignment,
        )
        for scope, shown in (("", "/"), ("keys/", "/keys"), ("keys/*/", "/keys"))
    ),
    ("hsm.setting.set", "PATCH", "settings/*", "settings/write/action", "/", set_setting),
    ("hsm.key.create", "POST", "keys/*/create", "keys/create", "/keys", create_key),
    ("hsm.key.rotate", "POST", "keys/*/rotate", "keys/rotate/action", "/keys", rotate),
    ("hsm.key.set_rotation_policy", "PUT", "keys/*/rotationpolicy", "keys/write/action", "/keys", set_rotation),
    *(("hsm.key.update", "PATCH", path, "keys/write/action", "/keys", update) for path in ("keys/*", "keys/*/*")),
)
"""Operation, method, path, the local data action that it needs, the scope of the refusal, and what it does."""


class HsmWrites:
    """The writes to all Managed HSMs of the estate."""

    def __init__(self, plane: ManagedHsms, may: May) -> None:
        self._plane = plane
        self._may = may
        self._routes = tuple(
            Route(name, path, self._responding(action, scope, write), method)
            for name, method, path, action, scope, write in _PLACES
        )

    def call(self, request: Request) -> Call | None:
        """The call of a write; None: it is none, or not one that is simulated."""
        found = routed(self._routes, request)
        if found is None or "api-version" not in request.query:
            return None
        route, stars = found
        charge = Charge("vault_hsm", self._plane.hsm(request).name)
        return varying(route.operation, lambda asked: route.respond(asked, stars), charge)

    def _responding(self, action: str, scope: str, write: Write) -> Callable[[Request, list[str]], Answer]:
        def respond(request: Request, stars: list[str]) -> Answer:
            hsm = self._plane.hsm(request)
            refused = self._plane.refusal(request, hsm, "")
            if refused is None and (hsm.access == "local" or not self._may(action)):
                refused = self._plane.forbidden(request, action, scope)
            if refused is not None:
                return refused
            try:
                return answer(write(self._plane.directory, hsm, request, stars))
            except WriteError as problem:
                if problem.code == "KeyNotFound":
                    return not_found(str(problem))
                return error(problem.status, problem.code, str(problem))

        return respond


def _keep(directory: Directory, changed: ManagedHsm) -> None:
    hsms = tuple(changed if one.name == changed.name else one for one in directory.estate.hsms)
    directory.change(replace(directory.estate, hsms=hsms))
