"""Reads of vaults from Azure Resource Manager and Resource Graph, and of their keys from the vault."""

from keyaudit.model.operations.about import ROTATION_POLICY, Named
from keyaudit.model.operations.kinds import (
    KEY_VAULT_ARM,
    KEY_VAULT_PREVIEW,
    MGMT_KEYVAULT,
    SDK_ASSETS,
    TOGETHER,
    VAULTS,
    AccessPolicy,
    Family,
    Operation,
    Paging,
    Recording,
    arm,
    resource_graph,
    vault_object,
)

_VAULTS = "/subscriptions/{subscription}/providers/Microsoft.KeyVault/vaults"
_VAULT = "/subscriptions/{subscription}/resourceGroups/{resource_group}/providers/Microsoft.KeyVault/vaults/{vault}"


def _vault(id_: str, noun: str, path: str, *after: str, paging: Paging = Paging.NONE) -> Operation:
    return arm(id_, noun, path, version=KEY_VAULT_ARM, paging=paging, after=after)


def _key(id_: str, noun: str, path: str, permission: str, *after: str, about: Named, paged: bool = False) -> Operation:
    allowed = AccessPolicy("keys", permission)
    return vault_object(id_, noun, path, access_policy=allowed, about=about, paged=paged, after=after)


_VERSION = Named("key.kid", "/keys/{key}/{version}")


FAMILY = Family("vaults and keys", order=20)

DECLARED = (
    arm("subscription.list", "subscriptions", "/subscriptions", paging=Paging.NEXT_LINK, version="2022-12-01"),
    # It has the columns that other queries declare, each with its own permission.
    resource_graph(TOGETHER, "several types of resources at once (Resource Graph)"),
    resource_graph("resource_group.query", "resource groups (Resource Graph)"),
    resource_graph("vault.query", "vaults (Resource Graph)"),
    _vault("vault.list", "vaults", _VAULTS, paging=Paging.NEXT_LINK),
    _vault("vault.get", "a vault", _VAULT, "vault.query"),
    _vault("arm.key.list", "keys (control plane)", _VAULT + "/keys", *VAULTS, paging=Paging.NEXT_LINK),
    _vault("arm.key.get", "a key (control plane)", _VAULT + "/keys/{key}", "arm.key.list"),
    _vault(
        "arm.key.versions",
        "key versions (control plane)",
        _VAULT + "/keys/{key}/versions",
        "arm.key.list",
        paging=Paging.NEXT_LINK,
    ),
    _vault("arm.key.version", "a key version (control plane)", _VAULT + "/keys/{key}/versions/{version}", "arm.key.versions"),
    _key("key.list", "keys", "/keys", "list", about=Named("kid"), paged=True),
    _key(
        "key.versions",
        "key versions",
        "/keys/{key}/versions",
        "list",
        "key.list",
        about=Named("kid", "/keys/{key}"),
        paged=True,
    ),
    # An empty {version} leaves the trailing slash, which names the current version.
    _key("key.get", "key material's public facts", "/keys/{key}/{version}", "get", "key.list", "key.versions", about=_VERSION),
    # Sent only for a key that the version above refuses, or whose type it does not name whole.
    vault_object(
        "key.get_preview",
        "key material's public facts (preview)",
        "/keys/{key}/{version}",
        access_policy=AccessPolicy("keys", "get"),
        about=_VERSION,
        version=KEY_VAULT_PREVIEW,
        after=("key.get",),
    ),
    _key(
        "key.rotation_policy",
        "rotation policies",
        "/keys/{key}/rotationpolicy",
        "getrotationpolicy",
        "key.list",
        about=ROTATION_POLICY,
    ),
)

RECORDED = {
    "vault.list": Recording(MGMT_KEYVAULT, "test_cli_mgmt_keyvault_async", 2021, kept=True),
    "vault.get": Recording(MGMT_KEYVAULT, "test_cli_mgmt_keyvault.test_keyvault", 2021, kept=True),
    "key.list": Recording(SDK_ASSETS, "test_key_list", 2024, kept=True),
    "key.versions": Recording(SDK_ASSETS, "test_list_versions", 2024, kept=True),
    "key.get": Recording(SDK_ASSETS, "test_ec_key_id", 2024),
    "key.rotation_policy": Recording(SDK_ASSETS, "test_key_rotation_policy", 2026, kept=True),
}
