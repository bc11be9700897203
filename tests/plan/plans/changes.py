"""Plans over what exists: updates, replacements, deletions, plans that change nothing; and providers with aliases."""

from msgspec.structs import replace

from tests.plan.configuration import Configuration, Provider, Resource, resource
from tests.plan.plans.described import (
    ALICE,
    Plan,
    configuration,
    good_vault,
    identity,
    key,
    logged,
    results,
    subscription_id,
    vault,
)
from tests.plan.terms import ref

_SOFTWARE = {"key_type": "RSA", "expiration_date": None, "rotation_policy": None}


def _used(name: str, *more: Resource) -> Configuration:
    """A storage account that encrypts with a key."""
    return configuration(
        name,
        *good_vault(f"kv-{name}"),
        resource(
            "azurerm_storage_account.main",
            name=f"st{name.replace('-', '')}",
            location="westeurope",
            resource_group_name=ref("azurerm_resource_group.main.name"),
            account_tier="Standard",
            account_replication_type="LRS",
            shared_access_key_enabled=False,
            identity=[{"type": "SystemAssigned"}],
        ),
        *more,
    )


def _wrapping(**changes: object) -> Resource:
    return key("azurerm_key_vault_key.wrap", "wrap", key_opts=["wrapKey", "unwrapKey"], **changes)


_ENCRYPTION = resource(
    "azurerm_storage_account_customer_managed_key.main",
    storage_account_id=ref("azurerm_storage_account.main.id"),
    key_vault_key_id="https://kv-key-deleted-in-use.vault.azure.net/keys/wrap",
)


def _aliased(name: str) -> Configuration:
    """A vault in the subscription of another provider block."""
    other = subscription_id(f"{name}-other")
    made = configuration(
        name,
        resource("azurerm_resource_group.other", _provider="azurerm.other", name=f"rg-{name}-other", location="westeurope"),
        vault(
            "azurerm_key_vault.other",
            "kv-aliased",
            _provider="azurerm.other",
            resource_group_name=ref("azurerm_resource_group.other.name"),
            purge_protection_enabled=None,
        ),
        replace(logged("azurerm_monitor_diagnostic_setting.other", "azurerm_key_vault.other.id"), provider="azurerm.other"),
    )
    alias = Provider(name="azurerm", alias="other", arguments={"features": [{}], "subscription_id": other})
    return replace(made, providers=[*made.providers, alias])


def _with_secret(begins: str, ends: str) -> Configuration:
    """An application with one client secret."""
    return configuration(
        "secret-replaced",
        resource("azuread_application.main", display_name="Planned Rotation", owners=[ALICE]),
        resource(
            "azuread_application_password.main",
            application_id=ref("azuread_application.main.id"),
            display_name="rotated",
            start_date=begins,
            end_date=ends,
        ),
    )


def _each(*names: str) -> Configuration:
    """A key of each name, in software if it is the legacy one."""
    return configuration(
        "for-each-shrinks",
        *good_vault("kv-for-each-shrinks"),
        resource(
            "azurerm_key_vault_key.each",
            _for_each={name: "RSA" if name == "legacy" else "RSA-HSM" for name in names},
            name=ref("each.key"),
            key_vault_id=ref("azurerm_key_vault.main.id"),
            key_type=ref("each.value"),
            key_size=3072,
            key_opts=["sign", "verify"],
            expiration_date="2027-09-01T00:00:00Z",
        ),
    )


def _old(**tags: object) -> Configuration:
    """A key and a secret that nobody has replaced."""
    return configuration(
        "old-objects",
        *good_vault("kv-old-objects"),
        key("azurerm_key_vault_key.signing", "signing", expiration_date=None, rotation_policy=None, **tags),
        resource(
            "azurerm_key_vault_secret.token",
            name="token",
            key_vault_id=ref("azurerm_key_vault.main.id"),
            value="s3cr3t-in-clear",
            expiration_date="2027-09-01T00:00:00Z",
            **tags,
        ),
    )


PLANS = (
    Plan(
        name="unchanged",
        before=configuration("unchanged", *good_vault("kv-unchanged"), key("azurerm_key_vault_key.old", "old", **_SOFTWARE)),
        after=configuration("unchanged", *good_vault("kv-unchanged"), key("azurerm_key_vault_key.old", "old", **_SOFTWARE)),
        fails=results(
            "kv-no-private-endpoint: kv-unchanged",
            "kv-key-no-expiry kv-key-no-auto-rotation kv-key-software-protected pqc-quantum-vulnerable-long-lived:"
            " kv-unchanged/keys/old",
        ),
    ),
    Plan(
        # The key is given an end and a rotation policy where it is.
        name="updated",
        before=configuration(
            "updated",
            vault("azurerm_key_vault.main", "kv-updated", purge_protection_enabled=None),
            logged("azurerm_monitor_diagnostic_setting.main", "azurerm_key_vault.main.id"),
            key("azurerm_key_vault_key.signing", "signing", expiration_date=None, rotation_policy=None),
        ),
        after=configuration("updated", *good_vault("kv-updated"), key("azurerm_key_vault_key.signing", "signing")),
        fails=results("kv-no-private-endpoint: kv-updated"),
    ),
    Plan(
        # The vault is opened to every network, and its log is no longer kept.
        name="worsened",
        before=configuration("worsened", *good_vault("kv-worsened")),
        after=configuration(
            "worsened",
            vault(
                "azurerm_key_vault.main",
                "kv-worsened",
                public_network_access_enabled=True,
                network_acls=[{"default_action": "Allow", "bypass": "AzureServices"}],
            ),
        ),
        fails=results("kv-no-private-endpoint kv-public-network-open log-keyvault-audit-off: kv-worsened"),
    ),
    Plan(
        # A key's size cannot change: the key is deleted, purged, and made again.
        name="replaced",
        before=configuration(
            "replaced",
            vault("azurerm_key_vault.main", "kv-replaced", purge_protection_enabled=None),
            logged("azurerm_monitor_diagnostic_setting.main", "azurerm_key_vault.main.id"),
            key("azurerm_key_vault_key.signing", "signing", key_size=2048),
        ),
        after=configuration(
            "replaced",
            vault("azurerm_key_vault.main", "kv-replaced", purge_protection_enabled=None),
            logged("azurerm_monitor_diagnostic_setting.main", "azurerm_key_vault.main.id"),
            key("azurerm_key_vault_key.signing", "signing", key_size=4096),
        ),
        fails=results("kv-no-private-endpoint kv-purge-protection-off: kv-replaced"),
    ),
    Plan(
        name="key-deleted",
        before=configuration("key-deleted", *good_vault("kv-key-deleted"), key("azurerm_key_vault_key.signing", "signing")),
        after=configuration("key-deleted", *good_vault("kv-key-deleted")),
        fails=results("kv-no-private-endpoint: kv-key-deleted"),
    ),
    Plan(
        # The account names the key by its address, so Terraform does not know that it needs it.
        name="key-deleted-in-use",
        before=_used("key-deleted-in-use", _wrapping(), replace(_ENCRYPTION, depends_on=("azurerm_key_vault_key.wrap",))),
        after=_used("key-deleted-in-use", _ENCRYPTION),
        fails=results(
            "kv-no-private-endpoint: kv-key-deleted-in-use",
            "use-cmk-key-unusable: customer-managed key of stkeydeletedinuse",
        ),
    ),
    Plan(
        name="vault-deleted",
        before=configuration("vault-deleted", *good_vault("kv-vault-deleted"), key("azurerm_key_vault_key.signing", "signing")),
        after=configuration("vault-deleted"),
    ),
    Plan(
        # A second user may sign with a key that exists.
        name="signer-added",
        before=configuration("signer-added", *good_vault("kv-signer-added"), key("azurerm_key_vault_key.signing", "signing")),
        after=configuration(
            "signer-added",
            *good_vault("kv-signer-added"),
            key("azurerm_key_vault_key.signing", "signing"),
            resource(
                "azurerm_role_assignment.alice",
                scope=ref("azurerm_key_vault_key.signing.resource_versionless_id"),
                role_definition_name="Key Vault Crypto User",
                principal_id=ALICE,
            ),
        ),
        fails=results(
            "kv-no-private-endpoint: kv-signer-added",
            "scope-human-standing-signer scope-key-backup-right:"
            " role assignment Key Vault Crypto User: Alice Berg on kv-signer-added/keys/signing",
        ),
    ),
    Plan(
        name="identity-deleted",
        before=configuration("identity-deleted", identity("azurerm_user_assigned_identity.main", "id-deleted")),
        after=configuration("identity-deleted"),
    ),
    Plan(
        # The vault is there already, and the key is read from it.
        name="key-in-vault-read",
        before=configuration("key-in-vault-read", *good_vault("kv-key-vault-read")),
        after=configuration(
            "key-in-vault-read",
            *good_vault("kv-key-vault-read"),
            resource("data.azurerm_key_vault.read", name="kv-key-vault-read", resource_group_name="rg-key-in-vault-read"),
            key("azurerm_key_vault_key.added", "added", key_vault_id=ref("data.azurerm_key_vault.read.id"), **_SOFTWARE),
        ),
        fails=results(
            "kv-no-private-endpoint: kv-key-vault-read",
            "kv-key-no-expiry kv-key-no-auto-rotation kv-key-software-protected pqc-quantum-vulnerable-long-lived:"
            " kv-key-vault-read/keys/added",
        ),
    ),
    Plan(
        # The data source refers to a vault that is not there yet, so it is read while the plan is applied.
        name="data-read-later",
        after=configuration(
            "data-read-later",
            *good_vault("kv-data-read-later"),
            resource(
                "data.azurerm_key_vault.later",
                name=ref("azurerm_key_vault.main.name"),
                resource_group_name=ref("azurerm_resource_group.main.name"),
                _depends_on=("azurerm_key_vault.main",),
            ),
            key("azurerm_key_vault_key.added", "added", key_vault_id=ref("data.azurerm_key_vault.later.id"), **_SOFTWARE),
        ),
        fails=results(
            "kv-no-private-endpoint: kv-data-read-later",
            "kv-key-no-expiry kv-key-no-auto-rotation kv-key-software-protected pqc-quantum-vulnerable-long-lived:"
            " kv-data-read-later/keys/added",
        ),
    ),
    Plan(
        name="aliased",
        after=_aliased("aliased"),
        other_subscriptions={"azurerm.other": "aliased-other"},
        fails=results("kv-no-private-endpoint kv-purge-protection-off: kv-aliased"),
    ),
    Plan(
        # A secret cannot be changed, so it is replaced, and the one of before is gone.
        name="secret-replaced",
        before=_with_secret("2026-10-01T00:00:00Z", "2028-10-01T00:00:00Z"),
        after=_with_secret("2026-11-24T00:00:00Z", "2027-02-24T00:00:00Z"),
        fails=results("app-secret-exists: app registration Planned Rotation"),
    ),
    Plan(
        # One of two keys is taken out of the mapping.
        name="for-each-shrinks",
        before=_each("signing", "legacy"),
        after=_each("signing"),
        fails=results(
            "kv-no-private-endpoint kv-near-expiry-unheard: kv-for-each-shrinks",
            "kv-key-no-auto-rotation: kv-for-each-shrinks/keys/signing",
        ),
    ),
    Plan(
        name="role-taken-away",
        before=configuration(
            "role-taken-away",
            *good_vault("kv-role-taken"),
            key("azurerm_key_vault_key.signing", "signing"),
            resource(
                "azurerm_role_assignment.alice",
                scope=ref("azurerm_key_vault.main.id"),
                role_definition_name="Key Vault Crypto User",
                principal_id=ALICE,
            ),
        ),
        after=configuration("role-taken-away", *good_vault("kv-role-taken"), key("azurerm_key_vault_key.signing", "signing")),
        fails=results("kv-no-private-endpoint: kv-role-taken"),
    ),
    Plan(
        # Only tags change. How old a key and a secret are is not in the plan, and in the snapshot of before.
        name="old-objects",
        age=800,
        before=_old(),
        after=_old(tags={"app": "orders"}),
        fails=results(
            "kv-no-private-endpoint kv-near-expiry-unheard: kv-old-objects",
            "kv-key-no-expiry kv-key-no-auto-rotation kv-key-rotation-overdue pqc-quantum-vulnerable-long-lived:"
            " kv-old-objects/keys/signing",
            "kv-secret-stale: kv-old-objects/secrets/token",
        ),
    ),
)
