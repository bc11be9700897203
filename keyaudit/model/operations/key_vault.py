"""Reads of vaults, by Azure Resource Manager and Resource Graph, and of their keys, by the vault itself."""

from keyaudit.model.operations.kinds import KEY_VAULT_ARM, Operation, Paging, arm, resource_graph, vault_object

_VAULTS = "/subscriptions/{subscription}/providers/Microsoft.KeyVault/vaults"
_VAULT = "/subscriptions/{subscription}/resourceGroups/{resource_group}/providers/Microsoft.KeyVault/vaults/{vault}"


def _vault(id_: str, noun: str, path: str, *, paging: Paging = Paging.NONE) -> Operation:
    return arm(id_, noun, path, version=KEY_VAULT_ARM, paging=paging)


def _key(id_: str, noun: str, path: str, right: str, *, paged: bool = False) -> Operation:
    return vault_object(id_, noun, path, otherwise=f"under access policies, keys {right}", paged=paged)


DECLARED = (
    arm("subscription.list", "subscriptions", "/subscriptions", paging=Paging.NEXT_LINK, version="2022-12-01"),
    resource_graph("resource_group.query", "resource groups (Resource Graph)"),
    resource_graph("vault.query", "vaults (Resource Graph)"),
    _vault("vault.list", "vaults", _VAULTS, paging=Paging.NEXT_LINK),
    _vault("vault.get", "a vault", _VAULT),
    _vault("arm.key.list", "keys (control plane)", _VAULT + "/keys", paging=Paging.NEXT_LINK),
    _vault("arm.key.get", "a key (control plane)", _VAULT + "/keys/{key}"),
    _vault("arm.key.versions", "key versions (control plane)", _VAULT + "/keys/{key}/versions", paging=Paging.NEXT_LINK),
    _vault("arm.key.version", "a key version (control plane)", _VAULT + "/keys/{key}/versions/{version}"),
    _key("key.list", "keys", "/keys", "list", paged=True),
    _key("key.versions", "key versions", "/keys/{key}/versions", "list", paged=True),
    # An empty {version} leaves the trailing slash, which names the current version.
    _key("key.get", "key material's public facts", "/keys/{key}/{version}", "get"),
    _key("key.rotation_policy", "rotation policies", "/keys/{key}/rotationpolicy", "getrotationpolicy"),
)
