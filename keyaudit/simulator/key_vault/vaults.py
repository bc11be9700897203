"""Key Vault's data plane: {vault}.vault.azure.net, with its 401 challenge."""

import hashlib
from collections.abc import Callable, Sequence

from keyaudit.simulator.estate import Key, Vault
from keyaudit.simulator.key_vault import keys
from keyaudit.simulator.key_vault import vault_objects as objects
from keyaudit.simulator.login import LOGIN
from keyaudit.simulator.pages import BadPageError, vault_page
from keyaudit.simulator.service import Call, Directory, Route, Service, fixed, retry_after, routed, varying
from keyaudit.simulator.throttle import Charge, Meter, Refusal
from keyaudit.simulator.tokens import Flaw
from keyaudit.simulator.wire import JSON, Answer, Request, compact

SUFFIX = ".vault.azure.net"
_AUDIENCE = "https://vault.azure.net"

_BY_PERMISSION = {
    "key.list": ("list", "keys list"),
    "key.versions": ("list", "keys list"),
    "key.get": ("get", "keys get"),
    "key.rotation_policy": ("rotationpolicy", "keys getrotationpolicy"),
    "certificate.list": ("certificates", "certificates list"),
    "certificate.versions": ("certificates", "certificates list"),
    "certificate.get": ("certificates", "certificates get"),
    "certificate.policy": ("certificates", "certificates get"),
    "certificate.pending": ("certificates", "certificates get"),
    "certificate.issuers": ("certificates", "certificates listissuers"),
    "certificate.issuer": ("certificates", "certificates getissuers"),
    "certificate.contacts": ("certificates", "certificates managecontacts"),
    "secret.list": ("secrets", "secrets list"),
    "secret.versions": ("secrets", "secrets list"),
    "deleted_key.list": ("deleted", "keys list"),
    "deleted_key.get": ("deleted", "keys get"),
    "deleted_certificate.list": ("deleted", "certificates list"),
    "deleted_secret.list": ("deleted", "secrets list"),
}
"""By operation the word in `Vault.refused`, and the permission of an access policy."""
_PREVIEW = "2026-05-01-preview"

_ACTIONS = {
    "keys getrotationpolicy": "keyrotationpolicies/read",
    "secrets list": "secrets/readMetadata",
    "certificates list": "certificates/read",
    "certificates get": "certificates/read",
    "certificates listissuers": "certificatecas/read",
    "certificates getissuers": "certificatecas/read",
    "certificates managecontacts": "certificatecontacts/write",
}

_USES = {"PUT": "set", "PATCH": "update", "DELETE": "delete"}
"""By method the permission that it needs; a POST names it at the end of its path."""

_LINK = "https://go.microsoft.com/fwlink/?linkid=2125182"


class Vaults(Service):
    """All vaults of the estate."""

    def __init__(self, directory: Directory) -> None:
        super().__init__(directory)
        self._seen: dict[str, int] = {}
        self._unknown = Route("vault.unknown", "", self._no_operation)
        self._refused = Route("vault.write", "", self._write_denied)
        self._headers = {name: _headers(vault) for name, vault in directory.vaults.items()}
        self._keys: dict[str, dict[str, Key]] = {}
        self._routes = (
            Route("key.list", "keys", self._key_page),
            Route("key.versions", "keys/*/versions", self._version_page),
            Route("key.rotation_policy", "keys/*/rotationpolicy", self._rotation),
            Route("key.get", "keys/*", self._get),
            Route("key.get", "keys/*/*", self._get),
            Route("deleted_key.list", "deletedkeys", self._deleted_page),
            Route("deleted_key.get", "deletedkeys/*", self._deleted),
            *objects.routes(self),
        )

    def forget(self) -> None:
        """As every service."""
        super().forget()
        self._keys.clear()
        self._headers = {name: _headers(vault) for name, vault in self.directory.vaults.items()}

    def denied(self, request: Request) -> Answer | None:
        """The challenge for a request without a valid token, even if all other requests are refused."""
        authorization = request.headers.get("authorization")
        flaw = self.directory.tokens.flaw(authorization, (_AUDIENCE,), request.now)
        if flaw is None:
            return None
        headers = {name: value for name, value in self.headers_for(request).items() if "rbac" not in name}
        challenge = f'Bearer authorization="{LOGIN}/{self.directory.tenant_id}", resource="{_AUDIENCE}"'
        message = {
            Flaw.MISSING: "AKV10000: Request is missing a Bearer, PoP, or MTLS_POP token.",
            Flaw.INVALID: "AKV10001: The token could not be read.",
            Flaw.EXPIRED: "AKV10001: The token has expired.",
            Flaw.AUDIENCE: (
                f"AKV10022: Invalid audience. Expected {_AUDIENCE}, "
                f"found: {self.directory.tokens.audience(authorization or '')}."
            ),
            Flaw.TENANT: (f"AKV10032: Invalid issuer. Expected one of https://sts.windows.net/{self.directory.tenant_id}/."),
        }[flaw]
        return error(401, "Unauthorized", message, {**headers, "WWW-Authenticate": challenge})

    def throttled(self, request: Request, refusal: Refusal) -> Answer:
        """The vault's 429."""
        reason = "SubscriptionRequestTypeLimitReached" if "subscription" in refusal.charge.limit else ""
        message = (
            "Request was not processed because too many requests were received. "
            f"Reason: {reason or 'VaultRequestTypeLimitReached'}"
        )
        return error(429, "Throttled", message, {**self.headers_for(request), **retry_after(refusal)})

    def own_headers(self, request: Request, _charges: tuple[Charge, ...], _meter: Meter | None) -> str:
        """The request id, and the client's own."""
        client = request.headers.get("x-ms-client-request-id")
        return f"x-ms-request-id: {request.id}\r\n" + (f"x-ms-client-request-id: {client}\r\n" if client else "")

    def call(self, request: Request) -> Call:
        """As every service, but a vault may be deleted after a number of requests about keys."""
        name = request.host.removesuffix(SUFFIX)
        vault = self.directory.vaults[name]
        if vault.vanishes_after is not None and (name in self.directory.gone or request.segments[:1] == ["keys"]):
            self._seen[name] = self._seen.get(name, 0) + 1
            if self._seen[name] > vault.vanishes_after:
                self.directory.gone.add(name)
                return varying("vault.gone", lambda _: None)
        return super().call(request)

    def understand(self, request: Request) -> Call:
        """The operation by method and path, refused as the vault's settings say."""
        vault = self.vault(request)
        route, stars = routed(self._routes, request) or (self._unknown if request.method == "GET" else self._refused, [])
        hsm = route.operation == "key.get" and self._in_hsm(vault, stars[0])
        charges = (
            Charge("vault_hsm" if hsm else "vault", vault.name),
            Charge("vault_subscription", vault.subscription),
        )
        refused = self._refusal(vault, route.operation)
        keeps = vault.soft_delete is not False or not route.operation.startswith("deleted_")
        if "api-version" not in request.query:
            answer = error(400, "BadParameter", "api-version must be specified", self.headers_for(request))
        elif not keeps:
            answer = error(400, "NotSupported", "Soft delete is not enabled for this vault.", self.headers_for(request))
        elif refused is not None:
            answer = error(403, "Forbidden", refused[1], self.headers_for(request), refused[0])
        else:
            answer = route.respond(request, stars)
        preview = route.operation == "key.get" and request.query.get("api-version") == _PREVIEW
        return fixed("key.get_preview" if preview else route.operation, answer, *charges)

    def vault(self, request: Request) -> Vault:
        """The vault that a request goes to."""
        return self.directory.vaults[request.host.removesuffix(SUFFIX)]

    def _no_operation(self, request: Request, _stars: list[str]) -> Answer:
        """The 400 for an unknown path: the service takes the last segment for an operation."""
        message = f"Method {request.method} does not allow operation '{(request.segments or [''])[-1]}'"
        return error(400, "BadParameter", message, self.headers_for(request))

    def _write_denied(self, request: Request, _stars: list[str]) -> Answer:
        """The 403 for a request that changes or uses an object: none of the identity's permissions allows it."""
        kind = (request.segments or ["keys"])[0].lower()
        permission = _USES.get(request.method) or (request.segments or [""])[-1].lower()
        code, message = self.forbidden(self.vault(request), f"{kind} {permission}", f"{kind}/{permission}/action")
        return error(403, "Forbidden", message, self.headers_for(request), code)

    def _refusal(self, vault: Vault, operation: str) -> tuple[str, str] | None:
        """Inner code and message of the 403, if the vault refuses the operation."""
        closed = self.closed(vault)
        word, permission = _BY_PERMISSION.get(operation, ("", "keys get"))
        if closed is not None or (vault.access not in ("rbac", "policy") and word not in vault.refused):
            return closed
        return self.forbidden(vault, permission, f"{_ACTIONS.get(permission, 'keys/read')}/action")

    def closed(self, vault: Vault) -> tuple[str, str] | None:
        """Inner code and message of the 403, if the vault's network rules let nobody in."""
        caller, place = self._caller(), f"Vault: {vault.name};location={vault.location}"
        if vault.access == "firewall":
            what = "Client address is not authorized and caller is not a trusted service."
            return "ForbiddenByFirewall", f"{what}\r\nClient address: 203.0.113.7\r\n{caller}\r\n{place}"
        if vault.access == "private":
            what = "Public network access is disabled and request is not from a trusted service nor via an approved"
            return "ForbiddenByConnection", f"{what} private link.\r\n{caller}\r\n{place}"
        return None

    def _caller(self) -> str:
        return (
            f"Caller: appid={self.directory.client_id};oid={self.directory.object_id};"
            f"iss=https://sts.windows.net/{self.directory.tenant_id}/"
        )

    def forbidden(self, vault: Vault, permission: str, action: str) -> tuple[str, str]:
        """Inner code and message of the 403 for a permission of access policies, or a data action of roles."""
        caller, place = self._caller(), f"Vault: {vault.name};location={vault.location}"
        if vault.access == "policy" or (vault.access == "open" and not vault.rbac):
            who = f"'appid={self.directory.client_id};oid={self.directory.object_id}'"
            what = f"The user, group or application {who} does not have {permission} permission on key vault"
            return "AccessDenied", f"{what} '{place.removeprefix('Vault: ')}'."
        what = (
            "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role "
            "definitions were changed recently, please observe propagation time."
        )
        return (
            "ForbiddenByRbac",
            f"{what}\r\n{caller}\r\nAction: 'Microsoft.KeyVault/vaults/{action}'\r\nAssignment: (not found)\r\n{place}",
        )

    def headers_for(self, request: Request) -> dict[str, str]:
        """The headers of every answer of a vault."""
        return self._headers[request.host.removesuffix(SUFFIX)]

    def _known(self, vault: Vault) -> dict[str, Key]:
        """A vault's keys by name in lower case, in the order of lists."""
        name = vault.name.lower()
        if name not in self._keys:
            ordered = sorted(vault.keys, key=lambda key: key.name.lower())
            self._keys[name] = {key.name.lower(): key for key in ordered}
        return self._keys[name]

    def _in_hsm(self, vault: Vault, name: str) -> bool:
        key = self._known(vault).get(name.lower())
        return key is not None and keys.current(key).kty.endswith("-HSM")

    def _get(self, request: Request, stars: list[str]) -> Answer:
        vault = self.vault(request)
        name, wanted = (*stars, "")[:2]
        found = keys.version(self._known(vault).get(name.lower()), wanted)
        if found is None:
            return self.not_found(request, "key", "/".join(stars))
        return Answer(200, compact(keys.bundle(vault, *found)), self.headers_for(request))

    def _rotation(self, request: Request, stars: list[str]) -> Answer:
        vault = self.vault(request)
        key = self._known(vault).get(stars[0].lower())
        if key is None:
            return self.not_found(request, "key", stars[0])
        return Answer(200, compact(keys.rotation_policy(vault, key)), self.headers_for(request))

    def _deleted(self, request: Request, stars: list[str]) -> Answer:
        vault, headers = self.vault(request), self.headers_for(request)
        for deleted in vault.deleted_keys:
            if deleted.key.name.lower() == stars[0].lower():
                return Answer(200, compact(keys.deleted_item(vault, deleted, whole=True)), headers)
        return error(404, "KeyNotFound", f"Deleted Key not found: {stars[0]}", headers)

    def error(self, request: Request, status: int, code: str, message: str, inner: str = "") -> Answer:
        """An error as this vault words it."""
        return error(status, code, message, self.headers_for(request), inner)

    def not_found(self, request: Request, noun: str, name: str) -> Answer:
        """The 404 for an object of that noun: one sentence for all of them, as recorded."""
        message = (
            f"A {noun} with (name/id) {name} was not found in this key vault. If you recently deleted this {noun} you may be "
            f"able to recover it using the correct recovery command. For help resolving this issue, please see {_LINK}"
        )
        return error(404, f"{noun.title().replace(' ', '')}NotFound", message, self.headers_for(request))

    def _key_page(self, request: Request, _stars: list[str]) -> Answer:
        vault = self.vault(request)
        ordered = list(self._known(vault).values())

        def item(index: int) -> dict[str, object]:
            return keys.item(vault, ordered[index], keys.current(ordered[index]), versioned=False)

        # The service's first page of keys is one short of what was asked for.
        return self.page(request, [key.name for key in ordered], item, short=1)

    def _version_page(self, request: Request, stars: list[str]) -> Answer:
        vault = self.vault(request)
        key = self._known(vault).get(stars[0].lower())
        ordered = sorted(key.versions, key=lambda version: version.version) if key else []

        def item(index: int) -> object:
            return key and keys.item(vault, key, ordered[index], versioned=True)

        # The link may have another api-version than the request; clients must use it unchanged.
        restated = request.query["api-version"].startswith("20")
        return self.page(request, [version.version for version in ordered], item, restated=restated)

    def _deleted_page(self, request: Request, _stars: list[str]) -> Answer:
        vault = self.vault(request)
        ordered = sorted(vault.deleted_keys, key=lambda deleted: deleted.key.name.lower())

        def item(index: int) -> dict[str, object]:
            return keys.deleted_item(vault, ordered[index], whole=False)

        return self.page(request, [deleted.key.name for deleted in ordered], item)

    def page(
        self,
        request: Request,
        names: Sequence[str],
        item: Callable[[int], object],
        *,
        short: int = 0,
        restated: bool = False,
    ) -> Answer:
        """A page of a list, as in `vault_page`."""
        headers = self.headers_for(request)
        try:
            return Answer(200, compact(vault_page(request, names, item, short=short, restated=restated)), headers)
        except BadPageError as problem:
            return error(400, "BadParameter", str(problem), headers)


def _headers(vault: Vault) -> dict[str, str]:
    found = {
        "Cache-Control": "no-cache",
        "Pragma": "no-cache",
        "Content-Type": JSON,
        "Expires": "-1",
        "x-ms-keyvault-region": vault.location,
        "x-ms-keyvault-service-version": "1.9.3449.1",
        "x-ms-keyvault-network-info": "conn_type=Ipv4;addr=203.0.113.7;act_addr_fam=InterNetwork;",
        "X-Content-Type-Options": "nosniff",
        "Strict-Transport-Security": "max-age=31536000;includeSubDomains",
    }
    if vault.rbac:
        found["x-ms-keyvault-rbac-assignment-id"] = hashlib.md5(vault.name.encode(), usedforsecurity=False).hexdigest()
    return found


def error(status: int, code: str, message: str, headers: dict[str, str], inner: str = "") -> Answer:
    """An error as a vault words it."""
    found: dict[str, object] = {"code": code, "message": message}
    if inner:
        found["innererror"] = {"code": inner}
    return Answer(status, compact({"error": found}), headers)
