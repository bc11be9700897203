"""The columns of a key version from Key Vault's data plane. No requests."""

from msgspec import UNSET, Raw, Struct, UnsetType, field

from keyaudit.collect.rows import Row, wired
from keyaudit.collect.wire import Wire, is_null, read
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.places import MANAGED_HSM
from keyaudit.model.tables.vaults.key import KEY, OUTSIDE
from keyaudit.model.values import base64url

ATTRIBUTES = (
    "enabled",
    "created_on",
    "updated_on",
    "activates_on",
    "expires_on",
    "exportable",
    "hsm_platform",
    "recovery_level",
)
MATERIAL = (
    "kty",
    "key_size",
    "curve",
    "parameter_set",
    "key_ops",
    "release_policy_immutable",
    "external_key_id",
    "custody",
)

_SOFTWARE = frozenset({"RSA", "EC", "oct", "AKP"})
_TYPES = frozenset(KEY.by_name["kty"].values)
_HSM = "-HSM"
_LEAST_MODULUS = 512
"""Bits. No service ever made or took an RSA key of fewer: a shorter modulus is one that was not read right."""


class KeyItem(Struct):
    """An item of the key list or of a version list."""

    kid: str
    attributes: Wire = UNSET
    tags: Wire = UNSET
    managed: Wire = UNSET


@wired(KEY, "attributes")
class Attributes(Struct, rename="camel"):
    """A key's attributes, in the same form on the data plane and in ARM."""

    created: Wire = UNSET
    exportable: Wire = UNSET
    hsm_platform: Wire = UNSET
    key_size: Wire = field(default=UNSET, name="key_size")
    external_key: Wire = field(default=UNSET, name="external_key")


class ExternalKey(Struct):
    """A reference to a key in an HSM outside Azure."""

    id: str


@wired(KEY, "key")
class Material(Struct):
    """The JSON Web Key within a key: public facts only."""

    kid: str
    kty: Wire = UNSET
    n: Wire = UNSET
    crv: Wire = UNSET
    alg: Wire = UNSET


class ReleasePolicy(Struct):
    """The state of a release policy."""

    immutable: Wire = UNSET


class KeyBundle(Struct):
    """The answer to a GET of one key version."""

    key: Material
    attributes: Wire = UNSET
    tags: Wire = UNSET
    managed: Wire = UNSET
    release_policy: Wire = UNSET

    @property
    def whole(self) -> bool:
        """Whether it names a known type of key, and of an AKP key the algorithm."""
        kty = read(self.key.kty, str)
        if isinstance(kty, Refusal):
            return True
        named = kty.upper()
        known = named in {each.upper() for each in _TYPES}
        return known and (not named.startswith("AKP") or not isinstance(self.key.alg, UnsetType))

    @property
    def external_key_id(self) -> str | Refusal | None:
        """The external key that it stands for; None if it is none."""
        attributes = read(self.attributes, Attributes)
        if isinstance(attributes, Refusal):
            return attributes
        if isinstance(attributes.external_key, UnsetType) or is_null(attributes.external_key):
            return None
        found = read(attributes.external_key, ExternalKey)
        return found if isinstance(found, Refusal) else found.id or Refusal(Reason.BAD_VALUE)


class OlderKeyBundle(KeyBundle):
    """The answer of an older version of the API, which does not say whether a key of a Managed HSM is external."""


class PreviewKeyBundle(KeyBundle):
    """The answer of a preview of the API."""


def put_attributes(row: Row, raw: Wire, *, promised: bool, reason: Reason) -> None:
    """Fill the columns of a key's attributes. `vault_kind` must be filled before: an HSM's keys have no `hsmPlatform`.

    `promised`: the answer is of a GET on the data plane. Lists and ARM may contain `exportable` and `hsmPlatform`, but this is
    not documented: if left out there, they are unknown with `reason`.
    """
    attributes = read(raw, Attributes)
    row.fill(attributes, "attributes")
    if isinstance(attributes, Refusal):
        row.refuse(("exportable", "hsm_platform"), attributes.reason)
        return
    platform = attributes.hsm_platform
    if _in_hsm(row) and isinstance(platform, UnsetType):
        row.put("hsm_platform", None)
    else:
        _put_promised(row, "hsm_platform", _required(platform), promised=promised, reason=reason)
    _put_promised(row, "exportable", attributes.exportable, promised=promised, reason=reason)


def put_material(row: Row, bundle: KeyBundle, external_unread: Reason = Reason.UNRECOGNISED) -> None:
    """Fill the columns that only a GET returns, after `put_attributes`, because custody depends on `hsm_platform`.

    `external_unread`: why an older version was asked, for a bundle of that version.
    """
    row.fill(bundle.key, "key")
    put_size(row, _modulus_bits(bundle), bundle.key.crv, bundle.key.alg)
    if not _in_hsm(row):
        row.put("external_key_id", None)
    elif isinstance(bundle, OlderKeyBundle):
        row.refuse(("external_key_id",), external_unread)
    else:
        row.put_read("external_key_id", bundle.external_key_id)
    put_custody(row, platform_known=not _platform_left_out(bundle.attributes))
    if isinstance(bundle.release_policy, UnsetType) or is_null(bundle.release_policy):
        row.put("release_policy_immutable", None)
        return
    policy = read(bundle.release_policy, ReleasePolicy)
    # Left out or null means that there is no release policy.
    row.put_read("release_policy_immutable", policy if isinstance(policy, Refusal) else read(policy.immutable, bool))


def refuse_material(row: Row, reason: Reason) -> None:
    """Make the columns of `put_material` unknown; a key of a vault is never external, even if nothing was read."""
    row.refuse(MATERIAL, reason)
    if not _in_hsm(row):
        row.put("external_key_id", None)


def put_size(row: Row, bits: object, curve: Wire, alg: Wire) -> None:
    """Fill `key_size`, `curve` and `parameter_set` by `kty`: `bits` is a wire value, a number, or a refusal."""
    kty = row.values.get("kty")
    if not isinstance(kty, str):
        row.refuse(("key_size", "curve", "parameter_set"), row.unknown.get("kty", Reason.UNRECOGNISED))
        return
    row.put_read("parameter_set", _required(alg) if kty.startswith("AKP") else None)
    row.put_read("key_size", _required(bits) if kty.startswith("RSA") else None)
    row.put_read("curve", _curve(curve) if kty.startswith(("EC", "OKP")) else None)


def put_custody(row: Row, *, platform_known: bool) -> None:
    """Fill `custody` from `external_key_id`, `kty` and `hsm_platform`. Contradicting or new values make it unknown."""
    kty, platform = row.values.get("kty"), row.values.get("hsm_platform")
    if row.values.get("external_key_id") is not None:
        row.put("custody", OUTSIDE)
    elif "external_key_id" in row.unknown:
        row.refuse(("custody",), row.unknown["external_key_id"])
    elif not isinstance(kty, str):
        row.refuse(("custody",), row.unknown["kty"])
    elif _in_hsm(row):
        row.put_read("custody", "managed-hsm" if kty.endswith(_HSM) else Refusal(Reason.UNRECOGNISED))
    elif platform_known and not isinstance(platform, str):
        row.refuse(("custody",), row.unknown["hsm_platform"])
    elif kty.endswith(_HSM) and platform != "0":
        row.put("custody", "vault-hsm")
    elif kty in _SOFTWARE and (platform == "0" or not platform_known):
        row.put("custody", "software")
    else:
        row.refuse(("custody",), Reason.UNRECOGNISED)


def created_on(attributes: Wire) -> object:
    """The creation time in a key's attributes; not a number if it is missing."""
    found = read(attributes, Attributes)
    return found if isinstance(found, Refusal) else read(found.created, int)


def _in_hsm(row: Row) -> bool:
    return row.values["vault_kind"] == MANAGED_HSM


def _put_promised(row: Row, column: str, member: object, *, promised: bool, reason: Reason) -> None:
    if isinstance(member, UnsetType) and not promised:
        row.refuse((column,), reason)
    else:
        row.put_read(column, member)


def _required(value: object) -> object:
    """Refuse null, which would mean another kind of key or vault than the row has."""
    return Refusal(Reason.BAD_VALUE) if isinstance(value, Raw) and is_null(value) else value


def _curve(raw: Wire) -> object:
    """A curve by the name that Key Vault has for it now: keys that were made or imported by an older name keep that name.

    https://github.com/Azure/azure-sdk-for-node/issues/4603 and https://github.com/Azure/azure-cli/issues/18462
    """
    found = read(raw, str)
    return "P-256K" if isinstance(found, str) and found.upper() == "SECP256K1" else _required(raw)


def _platform_left_out(attributes: Wire) -> bool:
    found = read(attributes, Attributes)
    return not isinstance(found, Refusal) and isinstance(found.hsm_platform, UnsetType)


def _modulus_bits(bundle: KeyBundle) -> object:
    """The size of the modulus, or the size in the attributes if there is none."""
    if isinstance(bundle.key.n, UnsetType):
        attributes = read(bundle.attributes, Attributes)
        return attributes if isinstance(attributes, Refusal) else attributes.key_size
    encoded = read(bundle.key.n, str)
    if isinstance(encoded, Refusal):
        return encoded
    try:
        modulus = base64url.decoded(encoded)
    except ValueError:
        return Refusal(Reason.BAD_VALUE)
    bits = int.from_bytes(modulus).bit_length()
    return bits if bits >= _LEAST_MODULUS else Refusal(Reason.BAD_VALUE)
