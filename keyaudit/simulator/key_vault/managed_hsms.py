"""A Managed HSM's data plane: {hsm}.managedhsm.azure.net, with its own challenge and local roles.

Its answers name their members in order of name, and its 401 has an empty body.
"""

from base64 import b64encode
from collections.abc import Callable, Sequence

from keyaudit.simulator.estate import HsmAssignment, Key, ManagedHsm
from keyaudit.simulator.key_vault import keys
from keyaudit.simulator.key_vault.hsm_roles import BUILT_IN, PREFIX
from keyaudit.simulator.login import LOGIN
from keyaudit.simulator.pages import BadPageError, vault_page
from keyaudit.simulator.service import Call, Directory, Route, Service, fixed, retry_after, routed
from keyaudit.simulator.throttle import Charge, Refusal
from keyaudit.simulator.wire import JSON, Answer, Request, compact

SUFFIX = ".managedhsm.azure.net"
_AUDIENCE = "https://managedhsm.azure.net"

# Operation to the local data action that it needs, without `Microsoft.KeyVault/managedHsm/`, and the scope of the refusal.
_NEEDS = {
    "hsm.key.list": ("keys/read/action", "/keys"),
    "hsm.key.versions": ("keys/read/action", "/keys"),
    "hsm.key.get": ("keys/read/action", "/keys"),
    "hsm.key.rotation_policy": ("keys/read/action", "/keys"),
    "hsm.deleted_key.list": ("keys/deletedKeys/read/action", "/keys"),
    "hsm.role_definition.list": ("roleDefinitions/read/action", "/"),
    "hsm.role_assignment.list": ("roleAssignments/read/action", "/"),
    "hsm.role_assignment.of_keys": ("roleAssignments/read/action", "/keys"),
    "hsm.role_assignment.of_key": ("roleAssignments/read/action", "/keys"),
    "hsm.setting.list": ("settings/read/action", "/"),
    "hsm.setting.get": ("settings/read/action", "/"),
    "hsm.ekm.get": ("ekm/read/action", "/"),
    "hsm.ekm.certificate": ("ekm/read/action", "/"),
}
_BY_VERSION = {"2025-07-01": "hsm.key.get_older", "2026-05-01-preview": "hsm.key.get_preview"}
"""Names of the GET of a key in versions of the API other than the usual one."""
_WITHOUT_EXTERNAL = ("2025-07-01",)
_AUTHORIZATION = "providers/microsoft.authorization"


class ManagedHsms(Service):
    """All Managed HSMs of the estate."""

    def __init__(self, directory: Directory) -> None:
        super().__init__(directory)
        self._refused = Route("hsm.write", "", self._write_denied)
        self._routes = (
            Route("hsm.key.list", "keys", self._key_page),
            Route("hsm.key.versions", "keys/*/versions", self._version_page),
            Route("hsm.key.rotation_policy", "keys/*/rotationpolicy", self._rotation),
            Route("hsm.key.get", "keys/*", self._get),
            Route("hsm.key.get", "keys/*/*", self._get),
            Route("hsm.deleted_key.list", "deletedkeys", self._deleted_page),
            Route("hsm.role_definition.list", f"{_AUTHORIZATION}/roledefinitions", self._definitions),
            Route("hsm.role_assignment.list", f"{_AUTHORIZATION}/roleassignments", self._assignments),
            Route("hsm.role_assignment.of_keys", f"keys/{_AUTHORIZATION}/roleassignments", self._assignments),
            Route("hsm.role_assignment.of_key", f"keys/*/{_AUTHORIZATION}/roleassignments", self._assignments),
            Route("hsm.setting.list", "settings", self._settings),
            Route("hsm.setting.get", "settings/*", self._setting),
            Route("hsm.ekm.get", "ekm", self._ekm),
            Route("hsm.ekm.certificate", "ekm/certificate", self._ekm_certificate),
        )

    def denied(self, request: Request) -> Answer | None:
        """The challenge, for a request without a good token: no JSON, though the header says so."""
        flaw = self.directory.tokens.flaw(request.headers.get("authorization"), (_AUDIENCE,), request.now)
        if flaw is None:
            return None
        challenge = f'Bearer authorization="{LOGIN}/{self.directory.tenant_id}", resource="{_AUDIENCE}"'
        return Answer(401, b"", {**_HEADERS, "WWW-Authenticate": challenge})

    def throttled(self, _request: Request, refusal: Refusal) -> Answer:
        """The HSM's 429."""
        headers = {**_HEADERS, **retry_after(refusal)}
        return error(429, "Throttled", "Request was not processed because too many requests were received.", headers)

    def understand(self, request: Request) -> Call:
        """The operation by method and path, refused as the local roles say."""
        hsm = self.hsm(request)
        route, stars = routed(self._routes, request) or (_UNKNOWN if request.method == "GET" else self._refused, [])
        charges = (Charge("vault_hsm", hsm.name), Charge("vault_subscription", hsm.subscription))
        refused = self.refusal(request, hsm, route.operation)
        version = request.query.get("api-version")
        operation = _BY_VERSION.get(version or "", route.operation) if route.operation == "hsm.key.get" else route.operation
        if version is None:
            found = error(400, "BadParameter", "api-version must be specified")
        elif version in hsm.unknown_versions:
            found = error(400, "BadParameter", f"The specified version ({version}) is not recognized.")
        else:
            found = refused or route.respond(request, stars)
        return fixed(operation, found, *charges)

    def hsm(self, request: Request) -> ManagedHsm:
        """The HSM that a request goes to."""
        return self.directory.hsms[request.host.removesuffix(SUFFIX)]

    def refusal(self, request: Request, hsm: ManagedHsm, operation: str) -> Answer | None:
        """The 403, if the HSM refuses the operation; one without a local action only if its network rules let nobody in."""
        if hsm.access == "firewall":
            what = "Client address is not authorized and caller is not a trusted service."
            return error(403, "Forbidden", what, inner="ForbiddenByFirewall")
        action, scope = _NEEDS.get(operation, ("", ""))
        if action and (hsm.access == "local" or action in hsm.refused):
            return self.forbidden(request, action, scope)
        return None

    def _write_denied(self, request: Request, _stars: list[str]) -> Answer:
        """The 403 for a request that changes or uses an object: the identity's local role does not allow it."""
        kind, last = (request.segments or [""])[0], (request.segments or [""])[-1]
        verb = {"PUT": "write", "PATCH": "write", "DELETE": "delete"}.get(request.method, last)
        return self.forbidden(request, f"{kind}/{verb}/action", "/keys" if kind.lower() == "keys" else "/")

    def forbidden(self, request: Request, action: str, scope: str) -> Answer:
        """The 403 for a local data action at a scope."""
        activity = self.directory.guid("activity", request.target)
        what = f"Not authorized to access Microsoft.KeyVault/managedHsm/{action} on {scope} (Activity ID: {activity})"
        return error(403, "AccessDenied", what)

    def _known(self, hsm: ManagedHsm) -> dict[str, Key]:
        """Its keys by name in lower case, in the order of lists."""
        return {key.name.lower(): key for key in sorted(hsm.keys, key=lambda key: key.name.lower())}

    def _get(self, request: Request, stars: list[str]) -> Answer:
        hsm = self.hsm(request)
        name, wanted = (*stars, "")[:2]
        found = keys.version(self._known(hsm).get(name.lower()), wanted)
        if found is None:
            return not_found("/".join(stars))
        body = keys.bundle(hsm, *found)
        if request.query.get("api-version") in _WITHOUT_EXTERNAL and isinstance(body["attributes"], dict):
            body["attributes"].pop("external_key", None)
        return answer(body)

    def _ekm(self, request: Request, _stars: list[str]) -> Answer:
        ekm = self.hsm(request).ekm
        if ekm is None:
            return error(404, "EkmConnectionNotFound", "The EKM connection was not found.")
        body: dict[str, object] = {"host": ekm.host, "server_ca_certificates": _encoded(ekm.server_cas)}
        optional = {"path_prefix": ekm.path_prefix, "server_subject_common_name": ekm.server_name}
        return answer(body | {name: value for name, value in optional.items() if value is not None})

    def _ekm_certificate(self, request: Request, _stars: list[str]) -> Answer:
        ekm = self.hsm(request).ekm
        held = ekm.client_cas if ekm else ()
        return answer({"ca_certificates": _encoded(held), "subject_common_name": ekm.client_name if ekm else ""})

    def _rotation(self, request: Request, stars: list[str]) -> Answer:
        hsm = self.hsm(request)
        key = self._known(hsm).get(stars[0].lower())
        return not_found(stars[0]) if key is None else answer(keys.rotation_policy(hsm, key))

    def _definitions(self, request: Request, _stars: list[str]) -> Answer:
        fixed_roles = [_definition(guid, name, "AKVBuiltInRole", actions, ()) for guid, (name, actions) in BUILT_IN.items()]
        own = [
            _definition(role.id, role.name, "CustomRole", role.data_actions, role.not_data_actions)
            for role in self.hsm(request).roles
        ]
        return answer({"value": [*fixed_roles, *own]})

    def _assignments(self, request: Request, _stars: list[str]) -> Answer:
        """The assignments that apply at the scope: assigned there or above, not below."""
        scope = f"/{request.target.partition('?')[0].lower().partition('/providers/')[0].strip('/')}"
        above = {"/", "/keys", scope} if scope != "/" else {"/"}
        found = [_assignment(one) for one in self.hsm(request).assignments if one.scope.lower() in above]
        return answer({"value": found})

    def _settings(self, request: Request, _stars: list[str]) -> Answer:
        every = self.hsm(request).settings
        return answer({"settings": [{"name": name, "type": "boolean", "value": value} for name, value in every.items()]})

    def _setting(self, request: Request, stars: list[str]) -> Answer:
        found = {name.lower(): (name, value) for name, value in self.hsm(request).settings.items()}.get(stars[0].lower())
        if found is None:
            return error(404, "SettingNotFound", f"The setting {stars[0]} was not found.")
        return answer({"name": found[0], "type": "boolean", "value": found[1]})

    def _key_page(self, request: Request, _stars: list[str]) -> Answer:
        hsm = self.hsm(request)
        ordered = list(self._known(hsm).values())

        def item(index: int) -> object:
            return _as_hsm(keys.item(hsm, ordered[index], keys.current(ordered[index]), versioned=False))

        return _page(request, [key.name for key in ordered], item)

    def _deleted_page(self, request: Request, _stars: list[str]) -> Answer:
        hsm = self.hsm(request)
        ordered = sorted(hsm.deleted_keys, key=lambda deleted: deleted.key.name.lower())

        def item(index: int) -> object:
            return _as_hsm(keys.deleted_item(hsm, ordered[index], whole=False))

        return _page(request, [deleted.key.name for deleted in ordered], item)

    def _version_page(self, request: Request, stars: list[str]) -> Answer:
        hsm = self.hsm(request)
        key = self._known(hsm).get(stars[0].lower())
        if key is None:
            return answer({"value": []})
        ordered = sorted(key.versions, key=lambda version: version.version)

        def item(index: int) -> object:
            return _as_hsm(keys.item(hsm, key, ordered[index], versioned=True))

        return _page(request, [version.version for version in ordered], item)


_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Type": JSON,
    "X-Frame-Options": "SAMEORIGIN",
    "x-ms-keyvault-region": "westeurope",
    "x-ms-keyvault-network-info": "conn_type=Ipv4;addr=203.0.113.7;act_addr_fam=Ipv4;",
    "x-ms-server-latency": "1",
}


def _encoded(certificates: Sequence[bytes]) -> list[str]:
    return [b64encode(each).decode() for each in certificates]


def _definition(guid: str, name: str, kind: str, actions: Sequence[str], taken: Sequence[str]) -> dict[str, object]:
    permission: dict[str, object] = {
        "actions": [],
        "dataActions": [f"{PREFIX}{action}" for action in actions],
        "notActions": [],
        "notDataActions": [f"{PREFIX}{action}" for action in taken],
    }
    return {
        "id": f"Microsoft.KeyVault/providers/Microsoft.Authorization/roleDefinitions/{guid}",
        "name": guid,
        "properties": {
            "assignableScopes": ["/"],
            "description": "",
            "permissions": [permission],
            "roleName": name,
            "type": kind,
        },
        "type": "Microsoft.Authorization/roleDefinitions",
    }


def _assignment(one: HsmAssignment) -> dict[str, object]:
    return {
        "id": f"{one.scope.rstrip('/')}/providers/Microsoft.Authorization/roleAssignments/{one.id}",
        "name": one.id,
        "properties": {
            "principalId": one.principal,
            "roleDefinitionId": f"Microsoft.KeyVault/providers/Microsoft.Authorization/roleDefinitions/{one.role}",
            "scope": one.scope,
        },
        "type": "Microsoft.Authorization/roleAssignments",
    }


def _as_hsm(body: object) -> object:
    """Members in order of name, and no hsmPlatform."""
    if isinstance(body, dict):
        return {name: _as_hsm(body[name]) for name in sorted(body) if name != "hsmPlatform"}
    return [_as_hsm(item) for item in body] if isinstance(body, list) else body


def answer(body: object) -> Answer:
    """The 200 with that body, as an HSM writes it."""
    return Answer(200, compact(_as_hsm(body)), _HEADERS)


def _page(request: Request, names: Sequence[str], item: Callable[[int], object]) -> Answer:
    try:
        return Answer(200, compact(vault_page(request, names, item)), _HEADERS)
    except BadPageError as problem:
        return error(400, "BadParameter", str(problem))


def not_found(name: str) -> Answer:
    """The 404 for a key."""
    return error(404, "KeyNotFound", f"A key with (name/id) {name} was not found in this key vault.")


def error(status: int, code: str, message: str, headers: dict[str, str] | None = None, inner: str = "") -> Answer:
    """An error as an HSM words it."""
    body: dict[str, object] = {"code": code, "message": message}
    if inner:
        body["innererror"] = {"code": inner}
    return Answer(status, compact({"error": body}), headers or _HEADERS)


def _no_operation(request: Request, _stars: list[str]) -> Answer:
    operation = (request.segments or [""])[-1]
    return error(400, "BadParameter", f"Method {request.method} does not allow operation '{operation}'")


_UNKNOWN = Route("hsm.unknown", "", _no_operation)
