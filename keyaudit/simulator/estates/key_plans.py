"""Plans of keys and vaults in days before the audit, each with the defects it was given; `lay_vault` dates and builds them."""

from msgspec import Struct
from msgspec.structs import replace

from keyaudit.simulator.estate import DeletedKey, Key, KeyVersion, Plant, RotationPolicy, Vault
from keyaudit.simulator.estates.ids import DAY, Ground, deleted_key_id, key_id, vault_id
from keyaudit.simulator.estates.log_plans import LogPlan, unlogged

SIGN = ("sign", "verify")
WRAP = ("wrapKey", "unwrapKey")
CRYPT = ("encrypt", "decrypt", "wrapKey", "unwrapKey")
UNWRAP_ONLY = ("decrypt", "unwrapKey")
PUBLIC_ONLY = ("encrypt", "verify")
EVERY = ("encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey")
"""The default operations of an RSA key."""

_OLDER_PLATFORM = 1_000
"""HSM keys that are older than this many days are on the older HSM platform."""


class Material(Struct, frozen=True):
    """Key type with its size in bits, or its curve."""

    kty: str
    size: int | None = None
    crv: str | None = None


RSA_1024 = Material("RSA", size=1024)
RSA_2048 = Material("RSA", size=2048)
RSA_3072 = Material("RSA", size=3072)
RSA_HSM_2048 = Material("RSA-HSM", size=2048)
RSA_HSM_3072 = Material("RSA-HSM", size=3072)
RSA_HSM_4096 = Material("RSA-HSM", size=4096)
P256 = Material("EC", crv="P-256")
P384 = Material("EC", crv="P-384")
P256K = Material("EC", crv="P-256K")
P256_HSM = Material("EC-HSM", crv="P-256")
P384_HSM = Material("EC-HSM", crv="P-384")
P521_HSM = Material("EC-HSM", crv="P-521")
P256K_HSM = Material("EC-HSM", crv="P-256K")
OCT_HSM_256 = Material("oct-HSM", size=256)
EXTERNAL_RSA_3072 = Material("RSA", size=3072)
"""Of a key in an HSM outside Azure, whose type says nothing of where it is."""


class VersionPlan(Struct, frozen=True):
    """A version created `age` days ago, valid for `life` days (None: no expiration date).

    `made` is a fixed date, used unless `age` is older. `ops` and `tags` replace the key's. `finds` names the policies that must
    find this very version.
    """

    age: int
    life: int | None = None
    enabled: bool = True
    dated: bool = True
    made: int | None = None
    ops: tuple[str, ...] | None = None
    tags: dict[str, str] | None = None
    finds: tuple[str, ...] = ()


class KeyPlan(Struct, frozen=True):
    """A key, its versions from the newest, which is the current one, to the oldest. `finds`: the policies that must find it."""

    name: str
    material: Material
    ops: tuple[str, ...]
    versions: tuple[VersionPlan, ...]
    rotation: RotationPolicy | None = None
    tags: dict[str, str] | None = None
    managed: bool = False
    exportable: bool = False
    release_policy_immutable: bool | None = None
    external: bool = False
    """Whether it stands for a key in an HSM outside Azure."""
    finds: tuple[str, ...] = ()


class VaultPlan(Struct, frozen=True, kw_only=True):
    """A vault and its keys; `deleted` keys went some days ago. `finds`: the policies that must find the vault."""

    name: str
    group: str
    location: str = "westeurope"
    sku: str = "premium"
    tags: dict[str, str] | None = None
    rbac: bool | None = True
    purge_protection: bool | None = True
    soft_delete: bool | None = True
    public_network_access: str | None = "Enabled"
    default_action: str | None = None
    endpoints: tuple[str, ...] = ()
    """The state of each private endpoint connection."""
    logs: LogPlan = unlogged
    keys: tuple[KeyPlan, ...] = ()
    deleted: tuple[tuple[KeyPlan, int], ...] = ()
    finds: tuple[str, ...] = ()


def kept(
    name: str,
    material: Material,
    ops: tuple[str, ...],
    age: int,
    *,
    every: int = 365,
    count: int = 1,
    live: int = 0,
    tags: dict[str, str] | None = None,
    exportable: bool = False,
    release_policy_immutable: bool | None = None,
    finds: tuple[str, ...] = (),
) -> KeyPlan:
    """A well-kept key: rotated by policy `every` so many days, with 90 days of grace before each version ends.

    Of its `count` versions the current one is `age` days old; the `live` ones before that are still enabled, the rest not.
    """
    life = every + 90
    versions = tuple(VersionPlan(age + every * nth, life, enabled=nth <= live) for nth in range(count))
    return KeyPlan(
        name,
        material,
        ops,
        versions,
        rotation=RotationPolicy(rotate_after=f"P{every}D", expiry_time=f"P{life}D"),
        tags=tags,
        exportable=exportable,
        release_policy_immutable=release_policy_immutable,
        finds=finds,
    )


def certificate_key(
    name: str,
    age: int,
    *,
    material: Material = RSA_2048,
    life: int = 365,
    count: int = 2,
    early: int = 30,
    exportable: bool = False,
    oldest_finds: tuple[str, ...] = (),
) -> KeyPlan:
    """The key behind a certificate: renewed `early` days before its end, its old versions stay enabled, as in the service.

    `oldest_finds` names the policies that must find its oldest version.
    """
    versions = tuple(VersionPlan(age + (life - early) * nth, life) for nth in range(count))
    versions = (*versions[:-1], replace(versions[-1], finds=oldest_finds))
    return KeyPlan(name, material, EVERY, versions, managed=True, exportable=exportable)


def lay_vault(plan: VaultPlan, subscription: str, ground: Ground) -> tuple[Vault, set[Plant]]:
    """The vault at the ground's `as_of`, and its planted defects."""
    row = vault_id(subscription, plan.group, plan.name)
    plants = {Plant(policy, row) for policy in plan.finds}
    keys = []
    for planned in plan.keys:
        key = lay_key(planned, plan.name, ground)
        keys.append(key)
        plants |= plants_of(planned, key, key_id(plan.name, planned.name))
    for planned, _ in plan.deleted:
        plants |= {Plant(policy, deleted_key_id(plan.name, planned.name)) for policy in planned.finds}
    vault = Vault(
        name=plan.name,
        subscription=subscription,
        resource_group=plan.group,
        location=plan.location,
        sku=plan.sku,
        tags=plan.tags,
        rbac=plan.rbac,
        purge_protection=plan.purge_protection,
        soft_delete=plan.soft_delete,
        public_network_access=plan.public_network_access,
        default_action=plan.default_action,
        endpoints=plan.endpoints,
        diagnostic_settings=plan.logs(ground, row),
        keys=tuple(keys),
        deleted_keys=tuple(lay_deleted(planned, days, plan.name, ground) for planned, days in plan.deleted),
    )
    return vault, plants


def plants_of(plan: KeyPlan, key: Key, subject: str) -> set[Plant]:
    """The planted defects of a key with the id `subject`."""
    plants = {Plant(policy, subject) for policy in plan.finds}
    for planned, version in zip(plan.versions, key.versions, strict=True):
        plants.update(Plant(policy, f"{subject}/{version.version}") for policy in planned.finds)
    return plants


def lay_key(plan: KeyPlan, vault: str, ground: Ground) -> Key:
    """The key with its versions, in the vault or HSM of that name."""
    versions = tuple(_lay_version(plan, nth, vault, ground) for nth in range(len(plan.versions)))
    rotation = plan.rotation
    if rotation is not None:
        rotation = replace(rotation, created=ground.moment(plan.versions[-1].age - 1, "rotation", vault, plan.name))
    return Key(name=plan.name, versions=versions, current=versions[0].version, managed=plan.managed, rotation=rotation)


def _lay_version(plan: KeyPlan, nth: int, vault: str, ground: Ground) -> KeyVersion:
    planned = plan.versions[nth]
    # Counted from the oldest, so that a newer version does not rename the others.
    name = ground.hexadecimal("version", vault, plan.name, str(len(plan.versions) - nth))
    made = ground.moment(planned.age, name)
    if planned.made is not None:
        made = min(planned.made, made)
    touched = made
    if not planned.enabled:
        # Disabled a week after its successor was created; without one, half its age ago.
        successor_age = plan.versions[nth - 1].age if nth else planned.age // 2
        touched = max(made, ground.as_of - max(successor_age - 7, 0) * DAY - DAY)
    hsm = "1" if planned.age > _OLDER_PLATFORM else "2"
    return KeyVersion(
        version=name,
        kty=plan.material.kty,
        key_ops=planned.ops or plan.ops,
        created=made if planned.dated else None,
        updated=touched if planned.dated else None,
        enabled=planned.enabled,
        exp=None if planned.life is None else made + planned.life * DAY,
        key_size=plan.material.size,
        crv=plan.material.crv,
        exportable=plan.exportable,
        hsm_platform=hsm if plan.material.kty.endswith("-HSM") else "0",
        release_policy_immutable=plan.release_policy_immutable,
        tags=planned.tags or plan.tags,
        external_key=f"{plan.name}-{name[:8]}" if plan.external else None,
    )


def lay_deleted(plan: KeyPlan, days: int, vault: str, ground: Ground) -> DeletedKey:
    """A key of a vault or HSM that was deleted so many days ago."""
    deleted = ground.as_of - days * DAY
    return DeletedKey(key=lay_key(plan, vault, ground), deleted=deleted, purge=deleted + 90 * DAY)
