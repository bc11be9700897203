"""Sign-in methods: the official credentials, each on the session's transport or, if it has no async form, in its own thread."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
from azure.core.credentials import AccessTokenInfo, TokenRequestOptions
from azure.core.pipeline.transport import AioHttpTransport, RequestsTransport
from azure.identity import AzurePipelinesCredential, DeviceCodeCredential
from azure.identity.aio import (
    AzureCliCredential,
    CertificateCredential,
    ClientSecretCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)
from msgspec import Struct

from keyaudit.cloud.environment import Environment
from keyaudit.cloud.identity.tokens import FAILURES, Credential
from keyaudit.cloud.network import Network
from keyaudit.cloud.session import CONNECT_TIMEOUT, READ_TIMEOUT
from keyaudit.model.errors import UsageError

AUTO = ("env", "workload-identity", "azure-pipelines", "managed-identity", "cli")
"""The methods that `auto` tries, in this order: those configured in the environment, the Azure CLI, a managed identity."""

METHODS = ("auto", "cli", "env", "managed-identity", "workload-identity", "azure-pipelines", "device-code")

_SECRET = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")
_CERTIFICATE = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_CERTIFICATE_PATH")
_WORKLOAD = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE")
# Set by AzureCLI@2 and AzurePowerShell@5; the access token must be mapped into the step.
_PIPELINES = (
    "AZURESUBSCRIPTION_TENANT_ID",
    "AZURESUBSCRIPTION_CLIENT_ID",
    "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
    "SYSTEM_ACCESSTOKEN",
    "SYSTEM_OIDCREQUESTURI",
)
_MANAGED = ("IDENTITY_ENDPOINT", "MSI_ENDPOINT")

# Outside Azure the identity endpoint never answers; this bounds the wait.
PROBE_TIMEOUT = 10.0

_CLI_TIMEOUT = 30


class Way(Struct, frozen=True):
    """One sign-in method: `make` returns the credential, `shown` is its name in reports."""

    method: str
    shown: str
    make: Callable[[], Credential]
    timeout: float | None = None


class Surroundings(Struct, frozen=True, kw_only=True):
    """The inputs of credentials."""

    environment: Environment
    environ: Mapping[str, str]
    network: Network
    transport: AioHttpTransport
    tenant: str | None
    """The requested tenant: a GUID, or None for the tenant of the sign-in."""
    roams: bool = False
    """Sign in to the requested tenant even if the variables name another (a multitenant application)."""
    prompt: Callable[[str], None]

    def home(self, variable: str) -> str:
        """The tenant to sign in to, if a variable names one."""
        return self.tenant if self.roams and self.tenant else self.environ[variable]

    def holds(self, names: tuple[str, ...]) -> bool:
        """Whether all of these variables are set."""
        return all(self.environ.get(name) for name in names)


def ways(auth: str, around: Surroundings) -> list[Way]:
    """The sign-in methods that `--auth` allows, in order. Raises UsageError for unset variables."""
    if auth == "auto":
        return _auto(around)
    if auth == "env" and not around.holds(_SECRET) and not around.holds(_CERTIFICATE):
        needed = f"{_listed(_SECRET)}, or AZURE_CLIENT_CERTIFICATE_PATH in place of the secret"
        raise UsageError("--auth env", f"needs {needed}", "set them")
    for method, names in (("workload-identity", _WORKLOAD), ("azure-pipelines", _PIPELINES)):
        if auth == method and not around.holds(names):
            raise UsageError(f"--auth {auth}", f"needs {_listed(names)}", "set them")
    if auth not in METHODS:
        raise UsageError("--auth", f"no such way to sign in: {auth}", f"use one of {', '.join(METHODS)}")
    return [_way(auth, around)]


def _auto(around: Surroundings) -> list[Way]:
    set_up = {
        "env": around.holds(_SECRET) or around.holds(_CERTIFICATE),
        "workload-identity": around.holds(_WORKLOAD),
        "azure-pipelines": around.holds(_PIPELINES),
        "managed-identity": any(around.environ.get(name) for name in _MANAGED),
        "cli": True,
    }
    found = [_way(method, around) for method in AUTO if set_up[method]]
    if not set_up["managed-identity"]:
        found.append(_way("managed-identity", around, timeout=PROBE_TIMEOUT))
    return found


def _way(method: str, around: Surroundings, timeout: float | None = None) -> Way:
    shown, make = _MAKERS[method]
    return Way(method, shown, lambda: make(around), timeout)


def _cli(around: Surroundings) -> Credential:
    return AzureCliCredential(tenant_id=around.tenant or "", process_timeout=_CLI_TIMEOUT)


def _env(around: Surroundings) -> Credential:
    environ = around.environ
    tenant, client = around.home("AZURE_TENANT_ID"), environ["AZURE_CLIENT_ID"]
    if around.holds(_SECRET):
        return ClientSecretCredential(tenant, client, environ["AZURE_CLIENT_SECRET"], **_options(around))
    return CertificateCredential(
        tenant,
        client,
        environ["AZURE_CLIENT_CERTIFICATE_PATH"],
        password=environ.get("AZURE_CLIENT_CERTIFICATE_PASSWORD"),
        **_options(around),
    )


def _workload(around: Surroundings) -> Credential:
    environ = around.environ
    return WorkloadIdentityCredential(
        tenant_id=around.home("AZURE_TENANT_ID"),
        client_id=environ["AZURE_CLIENT_ID"],
        token_file_path=environ["AZURE_FEDERATED_TOKEN_FILE"],
        **_options(around),
    )


def _managed(around: Surroundings) -> Credential:
    return ManagedIdentityCredential(client_id=around.environ.get("AZURE_CLIENT_ID"), transport=around.transport, retry_total=2)


def _pipelines(around: Surroundings) -> Credential:
    environ = around.environ
    oidc = urlsplit(environ["SYSTEM_OIDCREQUESTURI"]).hostname or ""
    return InThread(
        AzurePipelinesCredential(
            tenant_id=around.home("AZURESUBSCRIPTION_TENANT_ID"),
            client_id=environ["AZURESUBSCRIPTION_CLIENT_ID"],
            service_connection_id=environ["AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"],
            system_access_token=environ["SYSTEM_ACCESSTOKEN"],
            **_threaded(around, oidc),
        )
    )


def _device_code(around: Surroundings) -> Credential:
    def show(uri: str, code: str, _: object) -> None:
        around.prompt(f"To sign in, open {uri} in a browser and enter the code {code}")

    options = _threaded(around)
    if around.tenant:
        options["tenant_id"] = around.tenant
    return InThread(DeviceCodeCredential(prompt_callback=show, **options))


_MAKERS: dict[str, tuple[str, Callable[[Surroundings], Credential]]] = {
    "cli": ("Azure CLI", _cli),
    "env": ("environment", _env),
    "managed-identity": ("managed identity", _managed),
    "workload-identity": ("workload identity", _workload),
    "azure-pipelines": ("Azure Pipelines", _pipelines),
    "device-code": ("device code", _device_code),
}


def _options(around: Surroundings) -> dict[str, Any]:
    # `Tokens` retries with its own clock.
    return {
        "authority": around.environment.login,
        "transport": around.transport,
        "retry_total": 0,
        "disable_instance_discovery": True,
    }


def _threaded(around: Surroundings, *hosts: str) -> dict[str, Any]:
    """The same network settings for a credential without an async form: none are read from the environment, so no NETRC."""
    session = requests.Session()
    session.trust_env = False
    session.verify = str(around.network.ca_file) if around.network.ca_file else True
    proxy = around.network.proxy
    for host in (around.environment.login, *hosts):
        if proxy is not None and around.network.proxied(host):
            session.proxies[f"https://{host}"] = proxy
    transport = RequestsTransport(
        session=session,
        session_owner=False,
        use_env_settings=False,
        connection_verify=session.verify,
        connection_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
    )
    return {"authority": around.environment.login, "transport": transport, "retry_total": 2, "disable_instance_discovery": True}


class _Blocking(Protocol):
    def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo: ...

    def close(self) -> None: ...


class InThread:
    """A blocking credential in a daemon thread, so that an unfinished sign-in does not keep the process alive."""

    def __init__(self, credential: _Blocking) -> None:
        self._credential = credential

    async def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """A token for one scope; raises the credential's errors."""
        loop = asyncio.get_running_loop()
        found: asyncio.Future[AccessTokenInfo] = loop.create_future()

        def settle(token: AccessTokenInfo | None, error: Exception) -> None:
            if found.done():
                return
            if token is not None:
                found.set_result(token)
            else:
                found.set_exception(error)

        def ask() -> None:
            token: AccessTokenInfo | None = None
            error: Exception = RuntimeError("the sign-in thread failed")
            try:
                token = self._credential.get_token_info(*scopes, options=options)
            except FAILURES as problem:
                error = problem
            finally:
                if not loop.is_closed():
                    loop.call_soon_threadsafe(settle, token, error)

        threading.Thread(target=ask, name="sign-in", daemon=True).start()
        return await found

    async def close(self) -> None:
        """Close the credential."""
        self._credential.close()


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:-1]) + f" and {names[-1]}"
