"""The columns of a vault or Managed HSM. No requests."""

from collections.abc import Sequence

from msgspec import UNSET, Raw, Struct, UnsetType

from keyaudit.cloud.environment import Environment
from keyaudit.collect.access.policies import policies_of
from keyaudit.collect.key_vault.network import NETWORK, NetworkProperties, put_network
from keyaudit.collect.places import Subscription, source, vault_id_parts
from keyaudit.collect.rows import Row, wired
from keyaudit.collect.wire import Wire, is_null, read
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.places import KEY_VAULT, MANAGED_HSM
from keyaudit.model.tables.vaults.vault import VAULT
from keyaudit.model.values.times import DAY

_OF_ANY = (
    "vault_uri",
    "tenant_id",
    "of_another_tenant",
    "purge_protection",
    "soft_delete",
    "soft_delete_retention",
    *NETWORK,
    "provisioning_state",
    "create_mode",
)
_ONLY = {
    KEY_VAULT: (
        "access_policies",
        "storage_policies",
        "enabled_for_deployment",
        "enabled_for_disk_encryption",
        "enabled_for_template_deployment",
    ),
    MANAGED_HSM: ("security_domain", "initial_admins", "regions"),
}


_MADE = "systemData"


class VaultItem(Struct, rename="camel"):
    """A vault or HSM, in the same form from Resource Graph and ARM."""

    id: str
    name: Wire = UNSET
    location: Wire = UNSET
    tags: Wire = UNSET
    sku: Wire = UNSET
    """The SKU of an HSM; a vault has it in its properties."""
    system_data: Wire = UNSET
    properties: Wire = UNSET
    api_version: Wire = UNSET
    """Only of a plan: the version that its provider azapi is given."""


class _Sku(Struct):
    name: str


@wired(VAULT, _MADE)
class _SystemData(Struct):
    """Its creator and creation time."""


class _SecurityDomain(Struct, rename="camel"):
    activation_status: Wire = UNSET


class _Region(Struct):
    name: str


class VaultProperties(NetworkProperties, rename="camel"):
    """The properties of a vault or HSM."""

    vault_uri: Wire = UNSET
    hsm_uri: Wire = UNSET
    tenant_id: Wire = UNSET
    sku: Wire = UNSET
    enable_rbac_authorization: Wire = UNSET
    access_policies: Wire = UNSET
    enable_purge_protection: Wire = UNSET
    enable_soft_delete: Wire = UNSET
    soft_delete_retention_in_days: Wire = UNSET
    provisioning_state: Wire = UNSET
    create_mode: Wire = UNSET
    enabled_for_deployment: Wire = UNSET
    enabled_for_disk_encryption: Wire = UNSET
    enabled_for_template_deployment: Wire = UNSET
    security_domain_properties: Wire = UNSET
    initial_admin_object_ids: Wire = UNSET
    regions: Wire = UNSET


def vault_row(
    environment: Environment, tenant_id: str, subscription: Subscription, item: VaultItem, operation: str
) -> dict[str, object]:
    """The row of a vault or HSM of `subscription`, from the answer of `operation`. `tenant_id` is the audited tenant's."""
    parts = vault_id_parts(item.id)
    if parts is None:
        raise ValueError(f"not a vault's id: {item.id!r}")
    url, version = source(
        environment, operation, subscription=subscription.id, resource_group=parts.resource_group, vault=parts.name
    )
    row = Row(VAULT, id=item.id, resource_id=item.id, scope_id=subscription.scope.id, url=url, version=version)
    row.put("name", item.name)
    row.put("api_version", item.api_version)
    row.put("subscription_id", subscription.id)
    row.put("subscription_name", subscription.name)
    row.put("resource_group", parts.resource_group)
    row.put("location", item.location)
    row.put("kind", parts.kind)
    row.fill(item)
    _put_maker(row, item.system_data, asked_for=not operation.endswith(".query"))
    for kind, columns in _ONLY.items():
        if kind != parts.kind:
            row.clear(columns)
    hsm = parts.kind == MANAGED_HSM
    if hsm:
        row.put("access_model", "hsm-local")
        _put_sku(row, item.sku)
    properties = read(item.properties, VaultProperties)
    if isinstance(properties, Refusal):
        row.refuse((*_OF_ANY, *_ONLY[parts.kind], *(() if hsm else ("sku", "access_model"))), properties.reason)
    else:
        _put_properties(row, properties, tenant_id)
        (_put_hsm if hsm else _put_vault)(row, properties)
        put_network(row, properties, documented=not hsm)
    return row.finish()


def _put_properties(row: Row, properties: VaultProperties, tenant_id: str) -> None:
    owner = read(properties.tenant_id, str)
    row.put_read("tenant_id", owner if isinstance(owner, Refusal) else owner.lower())
    row.put_read("of_another_tenant", owner if isinstance(owner, Refusal) else owner.lower() != tenant_id.lower())
    row.fill(properties, "properties")
    mode = _never_set(properties.create_mode)
    row.put("create_mode", mode if isinstance(mode, UnsetType) else _lowered(mode))
    days = properties.soft_delete_retention_in_days
    count = read(days, int)
    if isinstance(days, UnsetType) or is_null(days):
        row.put("soft_delete_retention", UNSET)
    else:
        row.put_read("soft_delete_retention", count if isinstance(count, Refusal) else count * DAY)


def _put_vault(row: Row, properties: VaultProperties) -> None:
    row.put("vault_uri", properties.vault_uri)
    _put_sku(row, properties.sku)
    rbac = _never_set(properties.enable_rbac_authorization)
    allowed = read(rbac, bool)
    if isinstance(rbac, UnsetType) or isinstance(allowed, Refusal):
        row.put_read("access_model", rbac if isinstance(rbac, UnsetType) else allowed)
    else:
        row.put("access_model", "rbac" if allowed else "access-policy")
    policies = policies_of(properties.access_policies)
    row.put_read("access_policies", policies.count)
    row.put_read("storage_policies", policies.storage)
    row.put("purge_protection", _never_set(properties.enable_purge_protection))
    _put_soft_delete(row, properties)
    row.put("enabled_for_deployment", _never_set(properties.enabled_for_deployment))
    row.put("enabled_for_disk_encryption", _never_set(properties.enabled_for_disk_encryption))
    row.put("enabled_for_template_deployment", _never_set(properties.enabled_for_template_deployment))


def _put_soft_delete(row: Row, properties: VaultProperties) -> None:
    """Fill `soft_delete` of a vault. If it was left out, only purge protection proves it, which requires it:
    https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview.

    Otherwise it is unknown: a new vault has it by default, and says so. For older vaults that never set it Microsoft announced
    that it would be turned on in February 2025, and documents neither that it was nor how an answer shows it:
    https://learn.microsoft.com/azure/key-vault/general/soft-delete-change
    """
    stated = _never_set(properties.enable_soft_delete)
    if not isinstance(stated, UnsetType):
        row.put("soft_delete", stated)
    elif row.values.get("purge_protection") is True:
        row.put("soft_delete", True)
    else:
        row.refuse(("soft_delete",), Reason.NOT_STATED)


def _put_hsm(row: Row, properties: VaultProperties) -> None:
    """Fill the columns of an HSM. The documented meaning of a vault's missing members does not apply to HSMs."""
    row.put("vault_uri", properties.hsm_uri)
    row.put_read("purge_protection", read(properties.enable_purge_protection, bool))
    # On for every HSM, and immutable: https://learn.microsoft.com/azure/key-vault/managed-hsm/soft-delete-overview
    left_out = isinstance(properties.enable_soft_delete, UnsetType)
    row.put("soft_delete", True if left_out else properties.enable_soft_delete)
    domain = read(properties.security_domain_properties, _SecurityDomain)
    row.put_read("security_domain", domain if isinstance(domain, Refusal) else read(domain.activation_status, str))
    row.put_read("initial_admins", read(properties.initial_admin_object_ids, list[str]))
    regions = read(properties.regions, list[_Region])
    row.put_read("regions", regions if isinstance(regions, Refusal) else _names(regions))


def _names(regions: Sequence[_Region]) -> list[str]:
    return [region.name for region in regions]


def _put_sku(row: Row, raw: Wire) -> None:
    sku = read(raw, _Sku)
    row.put_read("sku", sku if isinstance(sku, Refusal) else sku.name.lower())


def _put_maker(row: Row, raw: Wire, *, asked_for: bool) -> None:
    """`asked_for`: whether the answer can contain it; Resource Graph's cannot."""
    if not asked_for:
        row.fill(Refusal(Reason.NOT_VISIBLE), _MADE)
        return
    row.fill(_SystemData() if isinstance(raw, UnsetType) or is_null(raw) else read(raw, _SystemData), _MADE)


def _lowered(raw: Raw) -> object:
    """For `put`: the text in lower case; other values unchanged, so that they become bad_value."""
    text = read(raw, str)
    return raw if isinstance(text, Refusal) else text.lower()


def _never_set(raw: Wire) -> Wire:
    """Null as a missing member: on older vaults, settings that were never set are null.

    https://learn.microsoft.com/azure/key-vault/general/access-control-default
    """
    return UNSET if isinstance(raw, Raw) and is_null(raw) else raw
