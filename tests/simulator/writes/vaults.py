"""The writes of a vault's data plane: their addresses, and the rights that they need."""

from collections.abc import Callable

from msgspec import Struct

from keyaudit.simulator.estate import Vault
from keyaudit.simulator.key_vault.vaults import Vaults
from keyaudit.simulator.service import Call, Directory, Route, routed, varying
from keyaudit.simulator.throttle import Charge
from keyaudit.simulator.wire import Answer, Request, compact
from tests.simulator.writes import May, WriteError, certificates, keys, secrets

Write = Callable[[Directory, Vault, Request, list[str]], dict[str, object]]
"""Changes the vault as the request asks, and returns the body of the answer; raises WriteError."""


class _Operation(Struct, frozen=True):
    """A write: its right, as the permission of an access policy and as the data action of a role, and its status."""

    permission: str
    action: str
    write: Write
    status: int = 200


# https://learn.microsoft.com/azure/role-based-access-control/permissions/security#microsoftkeyvault
_OPERATIONS = {
    "key.create": _Operation("keys create", "keys/create/action", keys.create),
    "key.rotate": _Operation("keys rotate", "keys/rotate/action", keys.rotate),
    "key.update": _Operation("keys update", "keys/update/action", keys.update),
    "key.set_rotation_policy": _Operation("keys setrotationpolicy", "keyrotationpolicies/write", keys.set_rotation),
    "secret.set": _Operation("secrets set", "secrets/setSecret/action", secrets.set_),
    "secret.update": _Operation("secrets set", "secrets/update/action", secrets.update),
    "certificate.create": _Operation("certificates create", "certificates/create/action", certificates.create, 202),
    "certificate.import": _Operation("certificates import", "certificates/import/action", certificates.import_),
    "certificate.update": _Operation("certificates update", "certificates/update/action", certificates.update),
    "certificate.set_policy": _Operation("certificates update", "certificates/update/action", certificates.set_policy),
}
_PLACES = (
    ("key.create", "POST", "keys/*/create"),
    ("key.rotate", "POST", "keys/*/rotate"),
    ("key.set_rotation_policy", "PUT", "keys/*/rotationpolicy"),
    ("key.update", "PATCH", "keys/*"),
    ("key.update", "PATCH", "keys/*/*"),
    ("secret.set", "PUT", "secrets/*"),
    ("secret.update", "PATCH", "secrets/*"),
    ("secret.update", "PATCH", "secrets/*/*"),
    ("certificate.create", "POST", "certificates/*/create"),
    ("certificate.import", "POST", "certificates/*/import"),
    ("certificate.set_policy", "PATCH", "certificates/*/policy"),
    ("certificate.update", "PATCH", "certificates/*"),
    ("certificate.update", "PATCH", "certificates/*/*"),
)
_NOUNS = {
    "KeyNotFound": "key",
    "SecretNotFound": "secret",
    "CertificateNotFound": "certificate",
    "CertificateIssuerNotFound": "certificate issuer",
}
"""The noun in the 404 of each code."""


class VaultWrites:
    """The writes to all vaults of the estate."""

    def __init__(self, plane: Vaults, may: May) -> None:
        self._plane = plane
        self._may = may
        self._routes = tuple(Route(name, path, self._responding(name), method) for name, method, path in _PLACES)

    def call(self, request: Request) -> Call | None:
        """The call of a write; None: it is none, or not one that is simulated."""
        found = routed(self._routes, request)
        if found is None:
            return None
        route, stars = found
        vault = self._plane.vault(request)
        charges = (Charge("vault", vault.name), Charge("vault_subscription", vault.subscription))
        return varying(route.operation, lambda asked: route.respond(asked, stars), *charges)

    def _responding(self, name: str) -> Callable[[Request, list[str]], Answer]:
        operation = _OPERATIONS[name]

        def respond(request: Request, stars: list[str]) -> Answer:
            vault = self._plane.vault(request)
            refused = self._plane.closed(vault)
            if refused is None and (vault.access in ("rbac", "policy") or not self._may(operation.permission)):
                refused = self._plane.forbidden(vault, operation.permission, operation.action)
            if refused is not None:
                return self._plane.error(request, 403, "Forbidden", refused[1], refused[0])
            if "api-version" not in request.query:
                return self._plane.error(request, 400, "BadParameter", "api-version must be specified")
            try:
                body = operation.write(self._plane.directory, vault, request, stars)
            except WriteError as problem:
                if problem.status == 404:
                    return self._plane.not_found(request, _NOUNS[problem.code], str(problem))
                return self._plane.error(request, problem.status, problem.code, str(problem), problem.inner)
            return Answer(operation.status, compact(body), self._plane.headers_for(request))

        return respond
