"""Where a request may go: look-alikes of links and vault URIs are refused, and every form that Azure sends is followed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyaudit.cloud.addresses import MAX_LINK, address, follow, host_of, vault_host
from keyaudit.cloud.environment import ENVIRONMENTS, Environment
from keyaudit.model.operations import OPERATIONS

PUBLIC = ENVIRONMENTS["public"]
VAULTS = "https://management.azure.com/subscriptions/s/providers/Microsoft.KeyVault/vaults?api-version=2026-02-01"
KEYS = "https://kv-sign.vault.azure.net/keys?api-version=2025-07-01&maxresults=25"
APPLICATIONS = "https://graph.microsoft.com/v1.0/applications?$select=id&$top=999"


@pytest.mark.parametrize(
    ("link", "first"),
    [
        (
            "https://management.azure.com/subscriptions/s/providers/Microsoft.KeyVault/vaults?api-version=1&$skiptoken=a,b==",
            VAULTS,
        ),
        ("https://management.azure.com/subscriptions/S/providers/microsoft.keyvault/VAULTS?%24skiptoken=x", VAULTS),
        ("https://management.azure.com/subscriptions/s//providers/Microsoft.KeyVault/vaults/?$skiptoken=x", VAULTS),
        ("https://MANAGEMENT.azure.com/subscriptions/s/providers/Microsoft.KeyVault/vaults?$skiptoken=x", VAULTS),
        ("https://kv-sign.vault.azure.net:443/keys?api-version=7.2&$skiptoken=eyJO&maxresults=1", KEYS),
        ("https://graph.microsoft.com/v1.0/applications?$skiptoken=RFNwdAIAAQAAABo6", APPLICATIONS),
        ("https://graph.microsoft.com//v1.0/applications?$skiptoken=x", APPLICATIONS),
        (f"{VAULTS}&$skiptoken=".ljust(MAX_LINK, "x"), VAULTS),
    ],
)
def test_a_link_of_azures_is_followed_verbatim(link: str, first: str) -> None:
    assert follow(link, first) == link


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/x",
        "https://management.azure.com.evil.example/subscriptions/s/providers/Microsoft.KeyVault/vaults",
        "https://management.azure.com@evil.example/subscriptions/s/providers/Microsoft.KeyVault/vaults",
        "https://user@management.azure.com/subscriptions/s/providers/Microsoft.KeyVault/vaults",
        "https://management.azure.com:444/subscriptions/s/providers/Microsoft.KeyVault/vaults",
        "https://management.azure.com:0443/subscriptions/s/providers/Microsoft.KeyVault/vaults",
        "https://management.azure.com./subscriptions/s/providers/Microsoft.KeyVault/vaults",
        "https://management.azure.com\\@evil.example/subscriptions/s/providers/Microsoft.KeyVault/vaults",
        "https://management.azure.com%2f@evil.example/subscriptions/s/providers/Microsoft.KeyVault/vaults",
        "https://management.\u0430zure.com/subscriptions/s/providers/Microsoft.KeyVault/vaults",
        "http://management.azure.com/subscriptions/s/providers/Microsoft.KeyVault/vaults",
        "//evil.example/",
        "/relative",
        "?only=query",
        "file:///etc/passwd",
        "data:text/plain,x",
        "https://[::ffff:169.254.169.254]/",
        "https://[bad",
        "https://169.254.169.254/",
        "https://2852039166/",
        "https://localhost:8443/",
        "https://management.azure.com/subscriptions/s/providers/Microsoft.KeyVault/vaults?".ljust(MAX_LINK + 1, "x"),
        "https://management.azure.com/subscriptions/s/providers/Microsoft.KeyVault/vaults?a\r\nHost: evil.example",
        "https://management.azure.com/subscriptions/s/providers/Microsoft.KeyVault/vaults?a b",
        "https://management.azure.com/subscriptions/s/providers/Microsoft.KeyVault/vaults?{vaultBaseUrl}",
        "https://management.azure.com/subscriptions/s/providers/Microsoft.KeyVault/vaults#x",
        "https://management.azure.com/subscriptions/other/providers/Microsoft.KeyVault/vaults",
        "https://management.azure.com/subscriptions/s/providers/Microsoft.KeyVault/vaults/../../x",
        "https://management.azure.com/subscriptions/s/providers/Microsoft.KeyVault%2fvaults",
        "https://management.azure.com/subscriptions/s/providers/Microsoft.KeyVault/vaults/v/secrets",
        "https://management.azure.com/v1.0/me/messages",
        "https://kv-sign.vault.azure.net/keys",
    ],
)
def test_a_link_that_leads_elsewhere_is_refused(link: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any text is right
        follow(link, VAULTS)


def test_another_version_or_collection_of_graph_is_refused() -> None:
    for path in ("beta/applications", "v1.0/servicePrincipals", "v1.0/me/messages"):
        with pytest.raises(ValueError, match="collection"):
            follow(f"https://graph.microsoft.com/{path}?$skiptoken=x", APPLICATIONS)


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_leads_to_another_host(before: str, after: str) -> None:
    try:
        followed = follow(f"{before}https://management.azure.com{after}", VAULTS)
    except ValueError:
        return
    assert followed.lower().startswith(("https://management.azure.com/", "https://management.azure.com:443/"))


@pytest.mark.parametrize(
    "uri", ["https://kv-sign.vault.azure.net", "https://kv-sign.vault.azure.net/", "https://KV-Sign.vault.azure.net:443/"]
)
def test_a_vaults_own_uri_gives_its_host(uri: str) -> None:
    assert vault_host(uri, PUBLIC.vault_suffix) == "kv-sign.vault.azure.net"


@pytest.mark.parametrize("cloud", ENVIRONMENTS.values(), ids=lambda cloud: cloud.name)
def test_a_vaults_address_is_no_hsms_and_the_reverse_in_every_cloud(cloud: Environment) -> None:
    suffixes = (cloud.vault_suffix, cloud.hsm_suffix)
    for suffix, other in (suffixes, suffixes[::-1]):
        assert vault_host(f"https://Kept.{suffix}/", suffix) == f"kept.{suffix}"
        with pytest.raises(ValueError, match="not a vault"):
            vault_host(f"https://kept.{suffix}/", other)
    vault, hsm = OPERATIONS["key.list"], OPERATIONS["hsm.key.list"]
    assert host_of(hsm, cloud, f"https://kept.{cloud.hsm_suffix}/") == f"kept.{cloud.hsm_suffix}"
    for operation, suffix in ((hsm, cloud.vault_suffix), (vault, cloud.hsm_suffix)):
        with pytest.raises(ValueError, match="not a vault"):
            host_of(operation, cloud, f"https://kept.{suffix}/")
    assert host_of(OPERATIONS["log.query"], cloud, "") == cloud.logs
    assert cloud.logs_scope in cloud.scopes
    # Each has a token of its own, and the host names of each say whose it is.
    assert cloud.vault_scope == f"https://{cloud.vault_suffix}/.default"
    assert cloud.hsm_scope == f"https://{cloud.hsm_suffix}/.default"
    assert {cloud.vault_scope, cloud.hsm_scope} <= cloud.scopes


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "kv-sign.vault.azure.net",
        "http://kv-sign.vault.azure.net/",
        "https://vault.azure.net/",
        "https://evil.example/",
        "https://kv.vault.azure.net.evil.example/",
        "https://a.b.vault.azure.net/",
        "https://kv-sign.vault.usgovcloudapi.net/",
        "https://kv-sign.managedhsm.azure.net/",
        "https://kv-sign.vault.azure.net:8443/",
        "https://user@kv-sign.vault.azure.net/",
        "https://kv-sign.vault.azure.net/keys",
        "https://kv-sign.vault.azure.net/?x=1",
        "https://-kv.vault.azure.net/",
        "https://kv_sign.vault.azure.net/",
        "https://kv-sign.vault.azure.net./",
    ],
)
def test_a_vault_uri_that_is_not_a_vault_of_this_cloud_is_refused(uri: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any text is right
        vault_host(uri, PUBLIC.vault_suffix)


def test_each_cloud_has_its_own_vaults() -> None:
    for environment in ENVIRONMENTS.values():
        host = f"kv-sign.{environment.vault_suffix}"
        assert host_of(OPERATIONS["key.list"], environment, f"https://{host}/") == host
        assert host_of(OPERATIONS["vault.list"], environment, "") == environment.arm
        assert host_of(OPERATIONS["domain.list"], environment, "") == environment.graph
        assert host_of(OPERATIONS["login.metadata"], environment, "") == environment.login


def test_an_address_is_the_template_with_each_segment_encoded() -> None:
    get = OPERATIONS["key.get"]
    assert address(get, "h", {"key": "sign key?", "version": ""}) == "https://h/keys/sign%20key%3F/?api-version=2025-07-01"
    assert address(OPERATIONS["application.federated_of"], "h", {"id": "i"}) == (
        "https://h/v1.0/applications/i/federatedIdentityCredentials"
    )
    federated = address(OPERATIONS["application.federated"], "h", {})
    assert federated == (
        "https://h/v1.0/applications?$filter=federatedIdentityCredentials/$count%20ne%200&$count=true&$select=id&$top=999"
    )


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../secrets", "a\\b", "a\nb", "a\x7f", "x" * 1025])
def test_a_name_that_is_not_one_segment_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="key: not"):
        address(OPERATIONS["key.get"], "h", {"key": name, "version": ""})


def test_only_the_version_may_be_empty_and_no_placeholder_may_be_left() -> None:
    with pytest.raises(ValueError, match="version"):
        address(
            OPERATIONS["arm.key.version"],
            "h",
            {"subscription": "s", "resource_group": "g", "vault": "v", "key": "k", "version": ""},
        )
    with pytest.raises(TypeError, match=r"key\.get takes"):
        address(OPERATIONS["key.get"], "h", {"key": "k"})


def test_a_placeholder_in_the_query_is_filled_with_one_value() -> None:
    keys = OPERATIONS["login.app_keys"]
    host = host_of(keys, PUBLIC, "")
    assert address(keys, host, {"tenant": "t", "app": "a&b=c#d"}) == f"https://{host}/t/discovery/keys?appid=a%26b%3Dc%23d"
    for value in ("", "a/b", "a\nb"):
        with pytest.raises(ValueError, match="segment"):
            address(keys, host, {"tenant": "t", "app": value})
    with pytest.raises(TypeError):
        address(keys, host, {"tenant": "t"})
