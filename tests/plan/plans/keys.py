"""Keys: good and bad, with values that are computed, absent or of a default, in modules and for each of several."""

from typing import Any

from tests.plan.configuration import NO_DEFAULT, Call, Module, resource
from tests.plan.plans.described import Plan, configuration, good_vault, key, results
from tests.plan.terms import joined, ref

_NO_ENDPOINT = "kv-no-private-endpoint: {}"


def _keys_module() -> Module:
    """A module that makes one key in a vault that it is given."""
    return Module(
        variables={"vault_id": NO_DEFAULT, "name": NO_DEFAULT, "type": "RSA", "expires": None},
        resources=[
            resource(
                "azurerm_key_vault_key.this",
                name=ref("var.name"),
                key_vault_id=ref("var.vault_id"),
                key_type=ref("var.type"),
                key_size=3072,
                key_opts=["sign", "verify"],
                expiration_date=ref("var.expires"),
            )
        ],
        outputs={"id": ref("azurerm_key_vault_key.this.versionless_id")},
    )


def _plan(name: str, *resources: Any, fails: tuple[str, ...] = (), unknown: tuple[str, ...] = (), **more: Any) -> Plan:
    """A plan of keys in a vault of an architect."""
    vault = f"kv-{name}"
    return Plan(
        name=name,
        after=configuration(name, *good_vault(vault), *resources, **more),
        fails=results(_NO_ENDPOINT.format(vault), *fails),
        unknown=results(*unknown),
    )


PLANS = (
    _plan("key-good", key("azurerm_key_vault_key.signing", "signing")),
    _plan(
        # As the provider's example makes it, but without its rotation policy.
        "key-bad",
        key(
            "azurerm_key_vault_key.generated",
            "generated",
            key_type="RSA",
            key_size=2048,
            key_opts=["decrypt", "encrypt", "sign", "unwrapKey", "verify", "wrapKey"],
            expiration_date=None,
            rotation_policy=None,
        ),
        fails=(
            (
                "kv-key-no-expiry kv-key-no-auto-rotation kv-key-software-protected use-sign-and-decrypt"
                " pqc-quantum-vulnerable-long-lived: kv-key-bad/keys/generated"
            ),
        ),
    ),
    _plan(
        # The end is a year after whenever the plan is applied.
        "key-end-computed",
        resource("time_offset.year", offset_days=365),
        key("azurerm_key_vault_key.signing", "signing", expiration_date=ref("time_offset.year.rfc3339"), rotation_policy=None),
        fails=("kv-near-expiry-unheard: kv-key-end-computed", "kv-key-no-auto-rotation: kv-key-end-computed/keys/signing"),
        unknown=("kv-key-no-expiry pqc-quantum-vulnerable-long-lived: kv-key-end-computed/keys/signing",),
    ),
    _plan(
        # https://registry.terraform.io/providers/hashicorp/azurerm: the API's default curve is P-256.
        "key-curve-default",
        key("azurerm_key_vault_key.signing", "signing", key_type="EC-HSM", key_size=None),
        unknown=("use-weak-parameters pqc-quantum-vulnerable-long-lived: kv-key-curve-default/keys/signing",),
    ),
    _plan(
        "key-curve-weak",
        key("azurerm_key_vault_key.coin", "coin", key_type="EC-HSM", key_size=None, curve="P-256K"),
        fails=("use-weak-parameters: kv-key-curve-weak/keys/coin",),
    ),
    _plan(
        "key-released",
        key(
            "azurerm_key_vault_key.enclave",
            "enclave",
            key_opts=["wrapKey", "unwrapKey"],
            release_policy=[{"json": '{"version":"1.0.0","anyOf":[]}'}],
        ),
        fails=("kv-key-release-policy-mutable kv-key-exportable: kv-key-released/keys/enclave",),
    ),
    _plan(
        # Rotated after its creation, without an end.
        "key-no-end-rotates",
        key(
            "azurerm_key_vault_key.wrap",
            "wrap",
            key_opts=["wrapKey", "unwrapKey"],
            expiration_date=None,
            rotation_policy=[{"automatic": [{"time_after_creation": "P180D"}]}],
        ),
        fails=("kv-key-no-expiry pqc-quantum-vulnerable-long-lived: kv-key-no-end-rotates/keys/wrap",),
    ),
    _plan(
        "key-notifies-alone",
        key(
            "azurerm_key_vault_key.signing",
            "signing",
            rotation_policy=[{"expire_after": "P1Y", "notify_before_expiry": "P30D"}],
        ),
        fails=("kv-near-expiry-unheard: kv-key-notifies-alone", "kv-key-no-auto-rotation: kv-key-notifies-alone/keys/signing"),
    ),
    _plan(
        "keys-for-each",
        resource(
            "azurerm_key_vault_key.each",
            _for_each={"orders": {"type": "RSA-HSM"}, "invoices": {"type": "RSA"}},
            name=joined("{}-signing", "each.key"),
            key_vault_id=ref("azurerm_key_vault.main.id"),
            key_type=ref("each.value.type"),
            key_size=3072,
            key_opts=["sign", "verify"],
            expiration_date="2027-09-01T00:00:00Z",
        ),
        fails=(
            "kv-near-expiry-unheard: kv-keys-for-each",
            "kv-key-no-auto-rotation: kv-keys-for-each/keys/orders-signing",
            "kv-key-no-auto-rotation kv-key-software-protected: kv-keys-for-each/keys/invoices-signing",
        ),
    ),
    _plan(
        "keys-counted",
        resource(
            "azurerm_key_vault_key.two",
            _count=2,
            name=joined("{}-{}", "var.signing_name", "count.index"),
            key_vault_id=ref("azurerm_key_vault.main.id"),
            key_type="RSA-HSM",
            key_size=3072,
            key_opts=["sign", "verify"],
        ),
        signing_name="counted",
        fails=(
            "kv-key-no-expiry kv-key-no-auto-rotation pqc-quantum-vulnerable-long-lived: kv-keys-counted/keys/counted-0",
            "kv-key-no-expiry kv-key-no-auto-rotation pqc-quantum-vulnerable-long-lived: kv-keys-counted/keys/counted-1",
        ),
    ),
    _plan(
        "keys-in-modules",
        calls=[
            Call(
                name="hardware",
                source="./modules/key",
                module=_keys_module(),
                arguments={
                    "vault_id": ref("azurerm_key_vault.main.id"),
                    "name": "hardware",
                    "type": "RSA-HSM",
                    "expires": "2027-09-01T00:00:00Z",
                },
            ),
            Call(
                name="software",
                source="./modules/key",
                module=_keys_module(),
                arguments={"vault_id": ref("azurerm_key_vault.main.id"), "name": "software"},
            ),
            Call(
                name="several",
                source="./modules/key",
                module=_keys_module(),
                for_each={"a": "RSA-HSM", "b": "RSA"},
                arguments={
                    "vault_id": ref("azurerm_key_vault.main.id"),
                    "name": joined("several-{}", "each.key"),
                    "type": ref("each.value"),
                    "expires": "2027-09-01T00:00:00Z",
                },
            ),
        ],
        outputs={"hardware_id": ref("module.hardware.id")},
        fails=(
            "kv-near-expiry-unheard: kv-keys-in-modules",
            "kv-key-no-auto-rotation: kv-keys-in-modules/keys/hardware",
            (
                "kv-key-no-auto-rotation kv-key-no-expiry kv-key-software-protected pqc-quantum-vulnerable-long-lived:"
                " kv-keys-in-modules/keys/software"
            ),
            "kv-key-no-auto-rotation: kv-keys-in-modules/keys/several-a",
            "kv-key-no-auto-rotation kv-key-software-protected: kv-keys-in-modules/keys/several-b",
        ),
    ),
)
