"""Azure Resource Manager: management.azure.com."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from keyaudit.simulator.estate import Secret, Vault
from keyaudit.simulator.key_vault import keys, secrets
from keyaudit.simulator.login import LOGIN
from keyaudit.simulator.resource_manager import (
    authorization,
    deleted_vaults,
    events,
    hsm_resources,
    identities,
    other_services,
    resource_graph,
    resources,
    role_lists,
    stored_objects,
)
from keyaudit.simulator.resource_manager import logs as arm_logs
from keyaudit.simulator.resource_manager.answers import (
    HEADERS,
    KEY_VAULT_HEADERS,
    answer,
    error,
    no_resource,
    page,
    unknown,
    write_denied,
)
from keyaudit.simulator.service import Call, Directory, Route, Service, fixed, retry_after, routed, varying
from keyaudit.simulator.throttle import Charge, Meter, Refusal
from keyaudit.simulator.tokens import Flaw
from keyaudit.simulator.wire import Answer, Request

HOST = "management.azure.com"

PARTS: tuple[Callable[[Directory], Sequence[Route]], ...] = (
    authorization.routes,
    role_lists.routes,
    deleted_vaults.routes,
    hsm_resources.routes,
    identities.routes,
    other_services.routes,
    events.routes,
    arm_logs.routes,
    stored_objects.routes,
)
"""Routes for resources other than vaults."""

_AUDIENCES = frozenset({"https://management.azure.com", "https://management.core.windows.net"})
_RESOURCE_FILTER = re.compile(
    r"(?:\s*resourceType\s+eq\s+'Microsoft\.KeyVault/vaults'(?:\s+and\s+name\s+eq\s+'(?P<name>[^']*)')?\s*)?", re.IGNORECASE
)
"""The filters of the generic list that match vaults; all others match nothing in this tenant."""

_PROVIDERS = {
    name.lower(): (name, kind, version)
    for name, kind, version in (
        ("Microsoft.KeyVault", "vaults", "2024-11-01"),
        ("Microsoft.HardwareSecurityModules", "cloudHsmClusters", "2025-03-31"),
    )
}

_WRONG_AUDIENCE = (
    "The access token has been obtained for wrong audience or resource '{0}'. It should exactly match with one of the "
    "allowed audiences 'https://management.core.windows.net/','https://management.azure.com/'."
)
_WRONG_TENANT = (
    "The access token is from the wrong issuer. It must match the tenant 'https://sts.windows.net/{0}/' associated with "
    "this subscription."
)


class Arm(Service):
    """The control plane, and Resource Graph behind it. Paths are matched without case."""

    def __init__(self, directory: Directory) -> None:
        super().__init__(directory)
        self._gone = 0
        self._refused = Route("arm.write", "", lambda request, _: write_denied(directory, request))
        keyvault = "subscriptions/*/providers/microsoft.keyvault"
        vault = "subscriptions/*/resourcegroups/*/providers/microsoft.keyvault/vaults"
        self._routes = (
            Route("subscription.list", "subscriptions", self._subscriptions),
            Route("subscription.get", "subscriptions/*", self._subscription),
            Route("subscription.locations", "subscriptions/*/locations", self._locations),
            Route("tenant.list", "tenants", self._tenants),
            Route("resource.list", "subscriptions/*/resources", self._resources),
            Route("provider.get", "subscriptions/*/providers/*", self._provider),
            Route("resource_group.list", "subscriptions/*/resourcegroups", self._groups),
            Route("resource_group.get", "subscriptions/*/resourcegroups/*", self._group),
            Route("vault.list", f"{keyvault}/vaults", self._vaults),
            Route("vault.list_in_group", vault, self._vaults),
            Route("vault.get", f"{vault}/*", self._in_vault(self._get)),
            Route("arm.key.list", f"{vault}/*/keys", self._in_vault(self._key_list)),
            Route("arm.key.get", f"{vault}/*/keys/*", self._in_vault(self._key)),
            Route("arm.key.versions", f"{vault}/*/keys/*/versions", self._in_vault(self._versions)),
            Route("arm.key.version", f"{vault}/*/keys/*/versions/*", self._in_vault(self._version)),
            Route("arm.secret.list", f"{vault}/*/secrets", self._in_vault(self._secret_list)),
            Route("arm.secret.get", f"{vault}/*/secrets/*", self._in_vault(self._secret)),
            Route(
                "diagnostic_setting.list",
                f"{vault}/*/providers/microsoft.insights/diagnosticsettings",
                self._in_vault(self._diagnostics),
            ),
            *(route for part in PARTS for route in part(directory)),
        )

    def call(self, request: Request) -> Call:
        """As every service, but if a vault was deleted during the run, cached answers are dropped."""
        if len(self.directory.gone) != self._gone:
            self._gone = len(self.directory.gone)
            self.forget()
        return super().call(request)

    def denied(self, request: Request) -> Answer | None:
        """ARM's 401, with where to sign in."""
        authorization = request.headers.get("authorization")
        flaw = self.directory.tokens.flaw(authorization, _AUDIENCES, request.now)
        if flaw is None:
            return None
        found = self.directory.tokens.audience(authorization or "")
        code, message = {
            Flaw.MISSING: ("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."),
            Flaw.INVALID: ("InvalidAuthenticationToken", "The access token is invalid."),
            Flaw.EXPIRED: ("ExpiredAuthenticationToken", "The access token expiry UTC time is earlier than current UTC time."),
            Flaw.AUDIENCE: ("InvalidAuthenticationTokenAudience", _WRONG_AUDIENCE.format(found)),
            Flaw.TENANT: ("InvalidAuthenticationTokenTenant", _WRONG_TENANT.format(self.directory.tenant_id)),
        }[flaw]
        challenge = f'Bearer authorization_uri="{LOGIN}/{self.directory.tenant_id}", error="invalid_token"'
        return error(401, code, message, {**HEADERS, "WWW-Authenticate": challenge})

    def throttled(self, request: Request, refusal: Refusal) -> Answer:
        """ARM's 429, or Resource Graph's."""
        headers = {**HEADERS, **retry_after(refusal)}
        if refusal.charge.limit == "resource_graph":
            return resource_graph.throttled(request, headers)
        message = (
            f"The request is being throttled as the limit has been reached for operation type - Read_ObservationWindow. "
            f"Please try again after {refusal.wait} seconds."
        )
        return error(429, "TooManyRequests", message, headers)

    def own_headers(self, request: Request, charges: tuple[Charge, ...], meter: Meter | None) -> str:
        """Request ids, and what is left of the limits."""
        stamp = datetime.fromtimestamp(request.now, UTC).strftime("%Y%m%dT%H%M%SZ")
        lines = [f"x-ms-request-id: {request.id}", f"x-ms-correlation-request-id: {request.id}"]
        lines.append(f"x-ms-routing-request-id: WESTEUROPE:{stamp}:{request.id}")
        for charge in charges:
            left = 249 if meter is None else max(0, meter.remaining(charge, request.now))
            if charge.limit == "resource_graph":
                lines += resource_graph.quota(left if meter else 15, meter.resets_after(charge, request.now) if meter else 5)
            elif charge.key:
                lines.append(f"x-ms-ratelimit-remaining-subscription-reads: {left}")
                lines.append("x-ms-ratelimit-remaining-subscription-global-reads: 3749")
            else:
                lines.append(f"x-ms-ratelimit-remaining-tenant-reads: {left}")
        return "\r\n".join(lines) + "\r\n"

    def understand(self, request: Request) -> Call:
        """The operation by method and path."""
        path = [part.lower() for part in request.segments]
        subscription = path[1] if len(path) > 1 and path[0] == "subscriptions" else ""
        charge = Charge("arm", subscription)
        route, stars = routed(self._routes, request) or (_UNKNOWN if request.method == "GET" else self._refused, [])
        if "api-version" not in request.query:
            message = "The api-version query parameter (?api-version=) is required for all requests."
            found = error(400, "MissingApiVersionParameter", message)
        elif subscription and subscription not in self.directory.subscriptions:
            found = error(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")
        elif request.method == "POST" and path == ["providers", "microsoft.resourcegraph", "resources"]:
            return varying(
                resource_graph.operation(request.body),
                lambda asked: resource_graph.answer(self.directory, asked, HEADERS),
                Charge("resource_graph", ""),
                charge,
            )
        else:
            found = route.respond(request, stars)
        return fixed(route.operation, found, charge)

    def _subscriptions(self, _request: Request, _stars: list[str]) -> Answer:
        every = self.directory.estate.subscriptions
        found = [resources.subscription_resource(self.directory, one) for one in every]
        return answer({"value": found, "count": {"type": "Total", "value": len(found)}}, HEADERS)

    def _subscription(self, _request: Request, stars: list[str]) -> Answer:
        found = self.directory.subscriptions[stars[0].lower()]
        return answer(resources.subscription_resource(self.directory, found), HEADERS)

    def _locations(self, _request: Request, stars: list[str]) -> Answer:
        """The regions of the subscription's vaults; the real list is long and the same for everyone."""
        names = sorted({vault.location for vault in self._here(*stars)})
        found = [{"id": f"/subscriptions/{stars[0]}/locations/{name}", "name": name, "type": "Region"} for name in names]
        return answer({"value": found}, HEADERS)

    def _tenants(self, _request: Request, _stars: list[str]) -> Answer:
        return answer({"value": [resources.tenant_resource(self.directory)]}, HEADERS)

    def _provider(self, request: Request, stars: list[str]) -> Answer:
        """The types of a provider whose resources can be read by id, with one version of their API each."""
        found = _PROVIDERS.get(stars[1].lower())
        if found is None:
            return unknown(request)
        namespace, kind, version = found
        type_ = {"resourceType": kind, "locations": [], "apiVersions": [version], "capabilities": "SupportsTags"}
        place = f"/subscriptions/{stars[0]}/providers/{namespace}"
        body = {"id": place, "namespace": namespace, "resourceTypes": [type_], "registrationState": "Registered"}
        return answer(body, HEADERS)

    def _in_vault(self, respond: Callable[[Request, Vault, list[str]], Answer]) -> Callable[[Request, list[str]], Answer]:
        """A responder for one vault, which may not exist."""

        def vault_answer(request: Request, stars: list[str]) -> Answer:
            subscription, group, name, *rest = stars
            for vault in self._here(subscription, group):
                if vault.name.lower() == name.lower():
                    return respond(request, vault, rest)
            return no_resource("Microsoft.KeyVault/vaults", group, name)

        return vault_answer

    def _get(self, request: Request, vault: Vault, _stars: list[str]) -> Answer:
        version = request.query.get("api-version", "")
        return answer(resources.vault_resource(self.directory, vault, version), KEY_VAULT_HEADERS)

    def _diagnostics(self, _request: Request, vault: Vault, _stars: list[str]) -> Answer:
        return answer({"value": list(vault.diagnostic_settings)}, HEADERS)

    def _key_list(self, request: Request, vault: Vault, _stars: list[str]) -> Answer:
        ordered = sorted(vault.keys, key=lambda key: key.name.lower())

        def item(index: int) -> object:
            current = keys.current(ordered[index])
            return resources.key_resource(vault, ordered[index], current, whole=False, versioned=False)

        return page(request, [key.name for key in ordered], item)

    def _key(self, _request: Request, vault: Vault, stars: list[str]) -> Answer:
        found = keys.version(keys.named(vault, stars[0]), "")
        if found is None:
            return _no_key(stars[0])
        return answer(resources.key_resource(vault, *found, whole=True, versioned=False), KEY_VAULT_HEADERS)

    def _versions(self, request: Request, vault: Vault, stars: list[str]) -> Answer:
        key = keys.named(vault, stars[0])
        if key is None:
            return _no_key(stars[0])
        ordered = sorted(key.versions, key=lambda version: version.version)

        def item(index: int) -> object:
            return resources.key_resource(vault, key, ordered[index], whole=False, versioned=True)

        return page(request, [version.version for version in ordered], item)

    def _version(self, _request: Request, vault: Vault, stars: list[str]) -> Answer:
        found = keys.version(keys.named(vault, stars[0]), stars[1])
        if found is None:
            return _no_key(stars[0])
        return answer(resources.key_resource(vault, *found, whole=True, versioned=True), KEY_VAULT_HEADERS)

    def _secret_list(self, request: Request, vault: Vault, _stars: list[str]) -> Answer:
        ordered = sorted(vault.secrets, key=lambda secret: secret.name.lower())
        names = [secret.name for secret in ordered]
        return page(request, names, lambda index: self._secret_resource(vault, ordered[index]))

    def _secret(self, _request: Request, vault: Vault, stars: list[str]) -> Answer:
        for secret in vault.secrets:
            if secret.name.lower() == stars[0].lower():
                return answer(self._secret_resource(vault, secret), KEY_VAULT_HEADERS)
        return error(404, "SecretNotFound", f"The secret '{stars[0]}' was not found in this vault.", KEY_VAULT_HEADERS)

    def _secret_resource(self, vault: Vault, secret: Secret) -> dict[str, object]:
        return resources.secret_resource(vault, secret, secrets.newest(secret))

    def _here(self, subscription: str, *group: str) -> list[Vault]:
        """The vaults of a subscription, or of a resource group in it."""
        groups = [name.lower() for name in group]
        return [
            vault
            for vault in self.directory.in_subscription.get(subscription.lower(), [])
            if (not groups or vault.resource_group.lower() in groups) and vault.name.lower() not in self.directory.gone
        ]

    def _vaults(self, request: Request, stars: list[str]) -> Answer:
        version = request.query.get("api-version", "")
        found = self._here(*stars)
        whole = len(stars) == 1

        def item(index: int) -> object:
            return resources.vault_resource(self.directory, found[index], version)

        names = [f"{vault.resource_group}|{vault.name}" for vault in found]
        return page(request, names, item, before=1 if whole else 0, after=2 if whole else 1)

    def _resources(self, request: Request, stars: list[str]) -> Answer:
        wanted = _RESOURCE_FILTER.fullmatch(request.query.get("$filter", ""))
        found = self._here(*stars) if wanted else []
        if wanted and wanted["name"]:
            found = [vault for vault in found if vault.name.lower() == wanted["name"].lower()]
        return page(request, [vault.name for vault in found], lambda index: resources.tracked(found[index]))

    def _groups(self, _request: Request, stars: list[str]) -> Answer:
        places = {vault.resource_group.lower(): vault for vault in self._here(*stars)}
        return answer({"value": list(map(_group, places.values()))}, HEADERS)

    def _group(self, _request: Request, stars: list[str]) -> Answer:
        for vault in self._here(*stars):
            return answer(_group(vault), HEADERS)
        return error(404, "ResourceGroupNotFound", f"Resource group '{stars[1]}' could not be found.")


def _group(vault: Vault) -> dict[str, object]:
    """The resource group of a vault."""
    return {
        "id": f"/subscriptions/{vault.subscription}/resourceGroups/{vault.resource_group}",
        "name": vault.resource_group,
        "type": "Microsoft.Resources/resourceGroups",
        "location": vault.location,
        "properties": {"provisioningState": "Succeeded"},
    }


def _no_key(name: str) -> Answer:
    return error(404, "KeyNotFound", f"The key '{name}' was not found in this vault.", KEY_VAULT_HEADERS)


_UNKNOWN = Route("arm.unknown", "", lambda request, _stars: unknown(request))
