"""Relations through modules, local values and keys of a mapping; the configuration shows them in part or not at all."""

from tests.plan.configuration import NO_DEFAULT, Call, Module, resource
from tests.plan.plans.described import Plan, configuration, good_vault, key, results
from tests.plan.terms import Made, Ref, ref

_SOFTWARE = {"key_type": "RSA", "expiration_date": None, "rotation_policy": None}
_BAD = "kv-key-no-expiry kv-key-no-auto-rotation kv-key-software-protected pqc-quantum-vulnerable-long-lived: {}"

_VAULT_MODULE = Module(
    variables={"name": NO_DEFAULT, "group": NO_DEFAULT, "tenant": NO_DEFAULT},
    resources=[
        resource(
            "azurerm_key_vault.this",
            name=ref("var.name"),
            location="westeurope",
            resource_group_name=ref("var.group"),
            tenant_id=ref("var.tenant"),
            sku_name="premium",
            rbac_authorization_enabled=True,
            purge_protection_enabled=True,
            public_network_access_enabled=False,
        )
    ],
    outputs={"id": ref("azurerm_key_vault.this.id")},
)
_KEY_MODULE = Module(
    variables={"vault_id": NO_DEFAULT, "name": NO_DEFAULT},
    resources=[
        resource(
            "azurerm_key_vault_key.this",
            name=ref("var.name"),
            key_vault_id=ref("var.vault_id"),
            key_type="RSA",
            key_size=3072,
            key_opts=["sign", "verify"],
        )
    ],
)

PLANS = (
    Plan(
        # From the output of one module into the variable of another.
        name="modules-linked",
        after=configuration(
            "modules-linked",
            calls=[
                Call(
                    name="vault",
                    source="./modules/vault",
                    module=_VAULT_MODULE,
                    arguments={
                        "name": "kv-modules-linked",
                        "group": ref("azurerm_resource_group.main.name"),
                        "tenant": ref("data.azurerm_client_config.current.tenant_id"),
                    },
                ),
                Call(
                    name="key",
                    source="./modules/key",
                    module=_KEY_MODULE,
                    arguments={"vault_id": ref("module.vault.id"), "name": "linked"},
                ),
            ],
        ),
        fails=results(
            "kv-no-private-endpoint log-keyvault-audit-off: kv-modules-linked", _BAD.format("kv-modules-linked/keys/linked")
        ),
    ),
)

HIDDEN = (
    Plan(
        # A local value stands between the key and its vault, and local values are not in the document.
        name="vault-by-local",
        after=configuration(
            "vault-by-local",
            *good_vault("kv-by-local"),
            key("azurerm_key_vault_key.local", "by-local", key_vault_id=ref("local.vault_id"), **_SOFTWARE),
            local={"vault_id": ref("azurerm_key_vault.main.id")},
        ),
        fails=results("kv-no-private-endpoint: kv-by-local", _BAD.format("kv-by-local/keys/by-local")),
    ),
    Plan(
        # The document says that the key is in one of the vaults, and not in which.
        name="vault-by-key",
        after=configuration(
            "vault-by-key",
            resource(
                "azurerm_key_vault.each",
                _for_each={"kv-by-key-closed": False, "kv-by-key-open": True},
                name=ref("each.key"),
                location="westeurope",
                resource_group_name=ref("azurerm_resource_group.main.name"),
                tenant_id=ref("data.azurerm_client_config.current.tenant_id"),
                sku_name="premium",
                rbac_authorization_enabled=True,
                purge_protection_enabled=True,
                public_network_access_enabled=ref("each.value"),
            ),
            resource(
                "azurerm_key_vault_key.each",
                _for_each={"kv-by-key-closed": "in-closed", "kv-by-key-open": "in-open"},
                name=ref("each.value"),
                key_vault_id=Made(lambda vaults, name: vaults[name]["id"], (Ref("azurerm_key_vault.each"), Ref("each.key"))),
                key_type="RSA",
                key_size=3072,
                key_opts=["sign", "verify"],
            ),
        ),
        fails=results(
            "kv-no-private-endpoint log-keyvault-audit-off: kv-by-key-closed",
            "kv-no-private-endpoint log-keyvault-audit-off kv-public-network-open: kv-by-key-open",
            _BAD.format("kv-by-key-closed/keys/in-closed"),
            _BAD.format("kv-by-key-open/keys/in-open"),
        ),
    ),
)
"""Plans whose document does not show which vault a key is in."""
