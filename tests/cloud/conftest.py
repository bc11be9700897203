"""A scripted Azure, and connections to it."""

import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.cloud.connection import Connection, connect
from keyaudit.cloud.environment import ENVIRONMENTS
from keyaudit.cloud.identity.sign_in import SignIn
from keyaudit.cloud.network import Network
from tests.cloud.authority import Authority
from tests.cloud.azure import SECRET, TENANT, Azure, serve
from tests.cloud.clock import FakeClock

Connect = Callable[..., AbstractAsyncContextManager[Connection]]

ENVIRON = {
    "AZURE_TENANT_ID": TENANT,
    "AZURE_CLIENT_ID": "cccccccc-0000-0000-0000-00000000000c",
    "AZURE_CLIENT_SECRET": SECRET,
}


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def azure(authority: Authority) -> AsyncIterator[Azure]:
    async with serve(authority.server()) as served:
        yield served


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def network(azure: Azure, authority: Authority) -> Network:
    return Network(proxy=azure.proxy, ca_file=authority.file)


@pytest.fixture
def connected(network: Network, clock: FakeClock) -> Connect:
    """`connect` with everything said that a test does not say itself."""
    usual = SignIn(environment=ENVIRONMENTS["public"], auth="env", tenant=None, network=network, environ=ENVIRON)

    def connected(*, prompt: Callable[[str], None] = lambda message: None, **said: Any) -> Any:
        return connect(replace(usual, **said), clock=clock, prompt=prompt)

    return connected


@pytest.fixture
def vault() -> str:
    """The URI of a vault that no other test asks: the Key Vault client remembers challenges by host, for the whole process."""
    return f"https://kv-{uuid.uuid4().hex[:12]}.vault.azure.net/"
