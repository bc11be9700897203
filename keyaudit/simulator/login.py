"""Entra's sign-in host: tokens, instance discovery, OIDC metadata and key sets."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from urllib.parse import parse_qsl

from keyaudit.simulator import key_sets
from keyaudit.simulator.service import Call, Directory, Route, Service, fixed, routed, varying
from keyaudit.simulator.throttle import Charge, Meter
from keyaudit.simulator.tokens import LIFETIME, decoded, encoded
from keyaudit.simulator.wire import JSON, Answer, Request, compact

HOST = "login.microsoftonline.com"
LOGIN = f"https://{HOST}"

# Every name of a resource in token requests.
_RESOURCES = {
    "https://vault.azure.net": "https://vault.azure.net",
    "https://managedhsm.azure.net": "https://managedhsm.azure.net",
    "https://management.azure.com": "https://management.azure.com",
    "https://management.core.windows.net": "https://management.core.windows.net",
    "https://graph.microsoft.com": "https://graph.microsoft.com",
    "https://graph.windows.net": "https://graph.windows.net",
    "https://api.loganalytics.io": "https://api.loganalytics.io",
    "https://monitor.azure.com": "https://monitor.azure.com",
}
_CHINA = "login.partner.microsoftonline.cn"
_GOVERNMENT = "login.microsoftonline.us"
_NO_PAGE = frozenset({700038, 70003})
"""Error codes without the address of a help page."""
_ANY_TENANT = frozenset({"common", "organizations"})
_SHARED = {"common": (False, True), "organizations": (False,), "consumers": (True,)}
"""Whether keys for personal accounts are published there, and whether others are."""
_USER_GRANTS = frozenset({"urn:ietf:params:oauth:grant-type:device_code", "refresh_token"})
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_HEADERS = {
    "Cache-Control": "no-store, no-cache",
    "Pragma": "no-cache",
    "Content-Type": JSON,
    "Expires": "-1",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "P3P": 'CP="DSP CUR OTPi IND OTRi ONL FIN"',
    "x-ms-ests-server": "2.1.22000.5 - WEULR1 ProdSlices",
}
_PUBLIC_HEADERS = {
    "Cache-Control": "max-age=86400, private",
    "Content-Type": JSON,
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "Access-Control-Allow-Origin": "*",
}


class Login(Service):
    """login.microsoftonline.com for the one tenant."""

    def __init__(self, directory: Directory) -> None:
        super().__init__(directory)
        self._user_code = directory.guid("device").replace("-", "")
        self._routes = (
            Route("login.instance", "common/discovery/instance", self._instance),
            Route("login.metadata", "*/v2.0/.well-known/openid-configuration", self._metadata),
            Route("login.metadata", "*/.well-known/openid-configuration", self._metadata),
            *(
                Route(f"login.{name}_keys", f"{name}/discovery/v2.0/keys", partial(self._shared, whose))
                for name, whose in _SHARED.items()
            ),
            Route("login.keys", "*/discovery/v2.0/keys", self._keys),
            Route("login.keys", "*/discovery/keys", self._keys),
            Route("token", "*/oauth2/v2.0/token", self._token, "POST"),
            Route("token", "*/oauth2/token", self._token, "POST"),
            Route("login.device", "*/oauth2/v2.0/devicecode", self._device, "POST"),
        )

    def own_headers(self, request: Request, _charges: tuple[Charge, ...], _meter: Meter | None) -> str:
        """The request id, and the client's own."""
        client = request.headers.get("client-request-id")
        return f"x-ms-request-id: {request.id}\r\n" + (f"client-request-id: {client}\r\n" if client else "")

    def understand(self, request: Request) -> Call:
        """The endpoint by its path. Errors contain the request's id and time, so nothing is cached."""
        found = routed(self._routes, request)
        if found is None:
            return fixed("login.unknown", Answer(404, b"", _HEADERS))
        route, stars = found
        own = route.operation == "login.keys" and "appid" in request.query
        return varying("login.app_keys" if own else route.operation, lambda asked: route.respond(asked, stars))

    def _known(self, tenant: str) -> bool:
        names = {domain.name.lower() for domain in self.directory.estate.domains}
        return tenant.lower() == self.directory.tenant_id.lower() or tenant.lower() in names

    def _instance(self, _request: Request, _stars: list[str]) -> Answer:
        home = f"{LOGIN}/{self.directory.tenant_id}/v2.0/.well-known/openid-configuration"
        clouds = (
            (HOST, "login.windows.net", [HOST, "login.windows.net", "login.microsoft.com", "sts.windows.net"]),
            (_CHINA, _CHINA, [_CHINA, "login.chinacloudapi.cn"]),
            (_GOVERNMENT, _GOVERNMENT, [_GOVERNMENT, "login.usgovcloudapi.net"]),
        )
        metadata = [{"preferred_network": net, "preferred_cache": cache, "aliases": names} for net, cache, names in clouds]
        body = {"tenant_discovery_endpoint": home, "api-version": "1.1", "metadata": metadata}
        return Answer(200, compact(body), _PUBLIC_HEADERS)

    def _metadata(self, request: Request, stars: list[str]) -> Answer:
        asked = stars[0].lower()
        if asked not in _ANY_TENANT and not self._known(asked):
            return self._no_tenant(request, stars[0])
        tenant = "{tenantid}" if asked in _ANY_TENANT else self.directory.tenant_id
        base = f"{LOGIN}/{asked if asked in _ANY_TENANT else tenant}"
        version = "/v2.0" if "v2.0" in request.segments else ""
        body = {
            "token_endpoint": f"{base}/oauth2{version}/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": f"{base}/discovery{version}/keys",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": f"{LOGIN}/{tenant}/v2.0" if version else f"https://sts.windows.net/{tenant}/",
            "request_uri_parameter_supported": False,
            "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
            "authorization_endpoint": f"{base}/oauth2{version}/authorize",
            "device_authorization_endpoint": f"{base}/oauth2{version}/devicecode",
            "http_logout_supported": True,
            "frontchannel_logout_supported": True,
            "end_session_endpoint": f"{base}/oauth2{version}/logout",
            "claims_supported": ["sub", "iss", "aud", "exp", "iat", "tid", "ver"],
            "tenant_region_scope": "EU",
            "cloud_instance_name": "microsoftonline.com",
            "cloud_graph_host_name": "graph.windows.net",
            "msgraph_host": "graph.microsoft.com",
            "rbac_url": "https://pas.windows.net",
        }
        return Answer(200, compact(body), _PUBLIC_HEADERS)

    def _keys(self, request: Request, stars: list[str]) -> Answer:
        if stars[0].lower() not in _ANY_TENANT and not self._known(stars[0]):
            return self._no_tenant(request, stars[0])
        if "appid" in request.query:
            body = key_sets.of_application(self.directory, request.query["appid"])
        else:
            body = key_sets.of_tenant(self.directory, LOGIN, "v2.0" in request.segments)
        return Answer(200, compact(body), _PUBLIC_HEADERS)

    def _shared(self, whose: tuple[bool, ...], _request: Request, _stars: list[str]) -> Answer:
        return Answer(200, compact(key_sets.shared(self.directory, LOGIN, whose)), _PUBLIC_HEADERS)

    def _token(self, request: Request, stars: list[str]) -> Answer:
        form = _form(request)
        client, grant = form.get("client_id", ""), form.get("grant_type", "")
        if not self._known(stars[0]) and not (grant in _USER_GRANTS and stars[0].lower() in _ANY_TENANT):
            return self._no_tenant(request, stars[0])
        if grant in _USER_GRANTS:
            return self._user(request, form)
        if grant != "client_credentials":
            what = f"The app requested an unsupported grant type '{grant}'."
            return _error(request, 400, "unsupported_grant_type", 70003, what)
        if client.lower() != self.directory.client_id:
            what = f"{client} is not a valid application identifier."
            return _error(request, 400, "unauthorized_client", 700038, what)
        return self._refused(request, form) or self._grant(request, form, self.directory.app_claims, {})

    def _device(self, request: Request, _stars: list[str]) -> Answer:
        # The code contains the scope, because clients do not send it again with the code.
        code = f"{self._user_code}.{encoded(_form(request).get('scope', '').encode())}"
        where = "https://login.microsoft.com/device"
        body = {
            "user_code": "SIMULATED",
            "device_code": code,
            "verification_uri": where,
            "expires_in": 900,
            "interval": 5,
            "message": f"To sign in, use a web browser to open the page {where} and enter the code SIMULATED to authenticate.",
        }
        return Answer(200, compact(body), _HEADERS)

    def _user(self, request: Request, form: dict[str, str]) -> Answer:
        """A signed-in user's tokens. The user has entered the code before the first poll."""
        code, _, scope = (form.get("device_code") or form.get("refresh_token", "")).partition(".")
        if code != self._user_code:
            return _error(request, 400, "invalid_grant", 70000, "Provided grant is invalid or malformed.")
        form = {**form, "scope": decoded(scope)} if scope else form
        client = form.get("client_id", "")
        user = self.directory.user_claims(client)
        now = int(request.now)
        identity = {
            **{name: user[name] for name in ("name", "oid", "sub", "tid")},
            "aud": client,
            "iss": f"{LOGIN}/{self.directory.tenant_id}/v2.0",
            "preferred_username": user["upn"],
            "ver": "2.0",
        }
        times = {"iat": now, "nbf": now, "exp": now + LIFETIME}
        account = encoded(compact({"uid": user["oid"], "utid": user["tid"]}))
        more: dict[str, object] = {
            "scope": form.get("scope", ""),
            "refresh_token": code,
            "id_token": self.directory.tokens.sign({**identity, **times}),
            "client_info": account,
        }
        return self._grant(request, form, user, more)

    def _refused(self, request: Request, form: dict[str, str]) -> Answer | None:
        if form.get("client_assertion_type") == _ASSERTION:
            if form.get("client_assertion", "").count(".") == 2:
                return None
            what = "JWT token is invalid or malformed."
            return _error(request, 401, "invalid_client", 50027, what)
        if form.get("client_secret") == self.directory.client_secret:
            return None
        what = (
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
            f"not the client secret ID, for a secret added to app '{self.directory.client_id}'."
        )
        return _error(request, 401, "invalid_client", 7000215, what)

    def _grant(
        self, request: Request, form: dict[str, str], claims: Mapping[str, object], more: Mapping[str, object]
    ) -> Answer:
        scopes = [one for one in form.get("scope", "").split(" ") if "://" in one]
        asked = form.get("resource") or (scopes[0] if scopes else "").removesuffix("/.default")
        audience = _RESOURCES.get(asked.rstrip("/"))
        if audience is None:
            what = (
                f"The resource principal named {asked} was not found in the tenant named {self.directory.tenant_id}. "
                "This can happen if the application has not been installed by the administrator of the tenant or "
                "consented to by any user in the tenant. You might have sent your authentication request to the "
                "wrong tenant."
            )
            return _error(request, 400, "invalid_resource", 500011, what)
        token = self.directory.tokens.issue({"aud": audience, **claims}, request.now)
        body = {"token_type": "Bearer", "expires_in": LIFETIME, "ext_expires_in": LIFETIME, "access_token": token}
        return Answer(200, compact({**body, **more}), _HEADERS)

    def _no_tenant(self, request: Request, tenant: str) -> Answer:
        what = (
            f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the "
            "correct cloud. Check with your subscription administrator, this may happen if there are no active "
            "subscriptions for the tenant."
        )
        return _error(request, 400, "invalid_tenant", 90002, what)


def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))


def _error(request: Request, status: int, error: str, code: int, what: str) -> Answer:
    """Entra's error form."""
    stamp = datetime.fromtimestamp(request.now, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    correlation = request.headers.get("client-request-id", request.id)
    body: dict[str, object] = {
        "error": error,
        "error_description": (f"AADSTS{code}: {what} Trace ID: {request.id} Correlation ID: {correlation} Timestamp: {stamp}"),
        "error_codes": [code],
        "timestamp": stamp,
        "trace_id": request.id,
        "correlation_id": correlation,
    }
    if code not in _NO_PAGE:
        body["error_uri"] = f"{LOGIN}/error?code={code}"
    return Answer(status, compact(body), _HEADERS)
