"""Reads of Managed HSMs: the resources from Azure Resource Manager and Resource Graph, the rest from the HSM.

Azure roles do not allow reading an HSM's keys, roles or settings; only its local roles do.
https://learn.microsoft.com/azure/key-vault/managed-hsm/access-control
"""

from functools import partial

from keyaudit.model.evidence import DELETED_HSM_KEYS
from keyaudit.model.operations.about import ROTATION_POLICY, About, Form, Named, Unnamed
from keyaudit.model.operations.kinds import (
    AZURE_CLI,
    HSMS,
    KEY_VAULT_ARM,
    KEY_VAULT_DATA,
    KEY_VAULT_EXTERNAL,
    KEY_VAULT_PREVIEW,
    SDK_ASSETS,
    Family,
    Operation,
    Paging,
    Recording,
    Right,
    Rights,
    Surface,
    Throttle,
    arm,
    resource_graph,
)

_VERSION = (KEY_VAULT_DATA,)
_PAGE = (KEY_VAULT_DATA, ("maxresults", "25"))

_HSMS = "/subscriptions/{subscription}/providers/Microsoft.KeyVault/managedHSMs"
_HSM = "/subscriptions/{subscription}/resourceGroups/{resource_group}/providers/Microsoft.KeyVault/managedHSMs/{vault}"
_DEFINITIONS = "/providers/Microsoft.Authorization/roleDefinitions"
_ASSIGNMENTS = "/providers/Microsoft.Authorization/roleAssignments"

# https://learn.microsoft.com/azure/key-vault/managed-hsm/built-in-roles
_AUDITOR = Right(rights=Rights.HSM, name="Managed HSM Crypto Auditor", on="the HSM")
# The only built-in role with it is Managed HSM Administrator, which can also write settings and roles.
_SETTINGS = Right(rights=Rights.HSM, on="the HSM", data_action="Microsoft.KeyVault/managedHsm/settings/read/action")
# Of the built-in roles only Managed HSM EKM Administrator is documented for it, which can also write the connection.
# https://learn.microsoft.com/azure/key-vault/managed-hsm/external-key-management-key-lifecycle
_EKM = Right(rights=Rights.HSM, on="the HSM", data_action="ekm/read")


# Microsoft's documents disagree about which built-in role may list deleted keys: Crypto Officer by built-in-roles, Crypto User
# by recovery. Both can do much more, and Crypto Auditor is documented with the action that purges them: none is advised.
# https://learn.microsoft.com/azure/key-vault/managed-hsm/built-in-roles
# https://learn.microsoft.com/azure/key-vault/managed-hsm/recovery
_DELETED = Right(rights=Rights.HSM, on="the HSM", data_action="Microsoft.KeyVault/managedHsm/keys/deletedKeys/read/action")


_local = partial(Operation, surface=Surface.MANAGED_HSM, query=_VERSION, throttle=Throttle.VAULT, right=_AUDITOR, after=HSMS)


def _keys(id_: str, noun: str, path: str, *after: str, about: About) -> Operation:
    return _local(id_, noun, path, query=_PAGE, paging=Paging.NEXT_LINK, after=after or HSMS, about=about)


def _roles(id_: str, noun: str, path: str, *after: str, never_empty: str = "", about: About) -> Operation:
    return _local(id_, noun, path, paging=Paging.NEXT_LINK, after=after or HSMS, never_empty=never_empty, about=about)


_VERSION_OF_KEY = Named("key.kid", "/keys/{key}/{version}")
_NO_ID = Unnamed("an EKM connection and its certificate have no ids")
_NO_HSM = Unnamed("ids and scopes within an HSM do not name the HSM")


FAMILY = Family("Managed HSMs", order=60)

_OF_A_KEY = ("hsm.key.get",)

DECLARED = (
    resource_graph("hsm.query", "Managed HSMs (Resource Graph)"),
    arm("hsm.list", "Managed HSMs", _HSMS, version=KEY_VAULT_ARM, paging=Paging.NEXT_LINK),
    arm("hsm.get", "a Managed HSM", _HSM, version=KEY_VAULT_ARM, after=("hsm.query",)),
    _keys("hsm.key.list", "keys of a Managed HSM", "/keys", about=Named("kid")),
    _keys(
        "hsm.key.versions",
        "key versions of a Managed HSM",
        "/keys/{key}/versions",
        "hsm.key.list",
        about=Named("kid", "/keys/{key}"),
    ),
    # An empty {version} leaves the trailing slash, which names the current version.
    _local(
        "hsm.key.get",
        "HSM key material's public facts",
        "/keys/{key}/{version}",
        query=(KEY_VAULT_EXTERNAL,),
        after=("hsm.key.list", "hsm.key.versions"),
        about=_VERSION_OF_KEY,
    ),
    # Sent only for a key that the version above refuses: it does not say whether a key is external.
    _local(
        "hsm.key.get_older",
        "HSM key material's public facts (older version)",
        "/keys/{key}/{version}",
        after=_OF_A_KEY,
        about=_VERSION_OF_KEY,
    ),
    # Sent only for a key that both refuse, or whose type they do not name whole.
    _local(
        "hsm.key.get_preview",
        "HSM key material's public facts (preview)",
        "/keys/{key}/{version}",
        query=(KEY_VAULT_PREVIEW,),
        after=_OF_A_KEY,
        about=_VERSION_OF_KEY,
    ),
    _local(
        "hsm.key.rotation_policy",
        "rotation policies of HSM keys",
        "/keys/{key}/rotationpolicy",
        after=("hsm.key.list",),
        about=ROTATION_POLICY,
    ),
    _local(
        "hsm.deleted_key.list",
        "deleted keys of a Managed HSM",
        "/deletedkeys",
        query=_PAGE,
        paging=Paging.NEXT_LINK,
        right=_DELETED,
        evidence=DELETED_HSM_KEYS,
        about=Named("kid", "/keys"),
    ),
    _roles("hsm.role_definition.list", "local role definitions", _DEFINITIONS, about=_NO_HSM),
    # A list at / or /keys does not include assignments on a single key.
    # https://learn.microsoft.com/azure/key-vault/managed-hsm/role-management
    # No role of Azure Resource Manager opens it: https://learn.microsoft.com/azure/key-vault/managed-hsm/access-control
    _roles(
        "hsm.role_assignment.list",
        "local role assignments",
        _ASSIGNMENTS,
        never_empty="an identity that may read it has a local role itself",
        about=_NO_HSM,
    ),
    _roles("hsm.role_assignment.of_keys", "local role assignments on all keys", "/keys" + _ASSIGNMENTS, about=_NO_HSM),
    _roles(
        "hsm.role_assignment.of_key",
        "local role assignments on one key",
        "/keys/{key}" + _ASSIGNMENTS,
        "hsm.key.list",
        about=Named("properties.scope", "/keys/{key}", Form.ABOVE),
    ),
    _local(
        "hsm.setting.list", "HSM settings", "/settings", right=_SETTINGS, about=Unnamed("settings have names and values alone")
    ),
    # Sent only for an HSM with an external key. POST /ekm/check is never sent: it calls the proxy.
    _local(
        "hsm.ekm.get",
        "EKM connections",
        "/ekm",
        query=(KEY_VAULT_EXTERNAL,),
        right=_EKM,
        after=_OF_A_KEY,
        about=_NO_ID,
    ),
    _local(
        "hsm.ekm.certificate",
        "client certificates of EKM connections",
        "/ekm/certificate",
        query=(KEY_VAULT_EXTERNAL,),
        right=_EKM,
        after=("hsm.ekm.get",),
        about=_NO_ID,
    ),
)

RECORDED = {
    "hsm.list": Recording(AZURE_CLI, "test_keyvault_hsm_mgmt", 2020),
    "hsm.get": Recording(AZURE_CLI, "test_keyvault_hsm_mgmt", 2020),
    "hsm.key.list": Recording(AZURE_CLI, "test_keyvault_hsm_key_using_hsm_name", 2020),
    "hsm.key.versions": Recording(AZURE_CLI, "test_keyvault_hsm_key_using_hsm_name", 2020),
    "hsm.key.get": Recording(SDK_ASSETS, "test_ec_key_id", 2026, kept=True),
    "hsm.key.get_older": Recording(SDK_ASSETS, "test_ec_key_id", 2024, kept=True),
    "hsm.key.rotation_policy": Recording(SDK_ASSETS, "test_key_rotation_policy", 2026),
    "hsm.role_definition.list": Recording(SDK_ASSETS, "test_role_assignment", 2024, kept=True),
    "hsm.role_assignment.list": Recording(SDK_ASSETS, "test_role_assignment", 2024, kept=True),
    "hsm.setting.list": Recording(AZURE_CLI, "test_keyvault_hsm_setting", 2023),
}
