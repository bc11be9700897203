"""No request for a secret's value can be sent, for any request of a collector and any answer of a vault."""

import pytest

from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason
from tests.cloud.azure import VAULTS, Azure, Reply
from tests.cloud.conftest import Connect
from tests.cloud.reading import Bundle, Item, all_of, name_of

VERSION = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", f"password/{VERSION}", "../secrets/password", "a\\b", "\n"])
async def test_no_name_of_a_secret_leads_to_its_value(azure: Azure, connected: Connect, vault: str, name: str) -> None:
    async with connected() as connection:
        _, end = await all_of(connection.gateway, "secret.versions", host=vault, secret=name)
    assert end.refusal is not None
    assert end.refusal.reason is Reason.BAD_VALUE
    assert azure.to(VAULTS) == []


async def test_there_is_no_operation_that_reads_one(azure: Azure, connected: Connect, vault: str) -> None:
    async with connected() as connection:
        for operation in ("secret.get", "secret.version", "deleted_secret.get"):
            with pytest.raises(KeyError):
                await connection.gateway.get(operation, Bundle, host=vault, secret="password", version="")
        # A list cannot be asked as if it were one object, nor be given more segments than it has.
        with pytest.raises(TypeError):
            connection.gateway.pages("secret.list", Item, by=name_of, host=vault, secret="password")
        with pytest.raises(TypeError):
            connection.gateway.pages("secret.versions", Item, by=name_of, host=vault, secret="password", version=VERSION)
    assert azure.to(VAULTS) == []


@pytest.mark.parametrize(
    "path",
    [
        "/secrets/password",
        f"/secrets/password/{VERSION}",
        f"/secrets/password/{VERSION}?api-version=2025-07-01",
        "/secrets%2Fpassword",
        "/secrets/./password",
        "/secrets/../secrets/password",
        "//secrets//password",
        "/SECRETS/password",
        "/keys/../secrets/password",
    ],
)
async def test_no_next_page_leads_to_a_value(azure: Azure, connected: Connect, vault: str, path: str) -> None:
    azure.script = lambda request: Reply({"value": [], "nextLink": vault.rstrip("/") + path})
    async with connected() as connection:
        for operation, segments in (("secret.list", {}), ("secret.versions", {"secret": "password"}), ("key.list", {})):
            _, end = await all_of(connection.gateway, operation, host=vault, **segments)
            assert isinstance(end.refusal, Refusal)
            assert end.refusal.reason is Reason.FOREIGN_LINK
    assert {request.target.partition("?")[0] for request in azure.to(VAULTS)} == {
        "/secrets",
        "/secrets/password/versions",
        "/keys",
    }
