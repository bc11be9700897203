"""Role assignments, role definitions, managed identities, and Managed HSMs with their local roles."""

from typing import Any

from tests.plan.configuration import NO_DEFAULT, Call, Module, Resource, resource
from tests.plan.plans.described import ADMINISTRATORS, ALICE, Plan, configuration, good_vault, identity, key, logged, results
from tests.plan.terms import joined, ref

_CRYPTO_USER = "/Microsoft.KeyVault/providers/Microsoft.Authorization/roleDefinitions/21dbd100-6940-42c2-9190-5d6cb909625b"
_HSM = "azurerm_key_vault_managed_hardware_security_module"


def _assignment(name: str, **arguments: Any) -> Resource:
    return resource(f"azurerm_role_assignment.{name}", **arguments)


def _hsm(name: str, **changes: Any) -> Resource:
    good: dict[str, Any] = {
        "name": name,
        "resource_group_name": ref("azurerm_resource_group.main.name"),
        "location": ref("azurerm_resource_group.main.location"),
        "sku_name": "Standard_B1",
        "tenant_id": ref("data.azurerm_client_config.current.tenant_id"),
        "admin_object_ids": list(ADMINISTRATORS),
        "purge_protection_enabled": True,
        "public_network_access_enabled": False,
        "network_acls": [{"default_action": "Deny", "bypass": "AzureServices"}],
        "security_domain_key_vault_certificate_ids": [
            f"https://kv-domain.vault.azure.net/certificates/share-{number}/{number:032d}" for number in range(3)
        ],
        "security_domain_quorum": 2,
    }
    return resource(f"{_HSM}.main", **{each: value for each, value in {**good, **changes}.items() if value is not None})


def _reader_module() -> Module:
    """A module that makes an identity and gives it a role on a scope."""
    return Module(
        variables={"group": NO_DEFAULT, "scope": NO_DEFAULT, "role": NO_DEFAULT, "name": NO_DEFAULT},
        resources=[
            resource(
                "azurerm_user_assigned_identity.this",
                name=ref("var.name"),
                location="westeurope",
                resource_group_name=ref("var.group"),
                isolation_scope="Regional",
            ),
            resource(
                "azurerm_role_assignment.this",
                scope=ref("var.scope"),
                role_definition_name=ref("var.role"),
                principal_id=ref("azurerm_user_assigned_identity.this.principal_id"),
            ),
        ],
        outputs={"principal_id": ref("azurerm_user_assigned_identity.this.principal_id")},
    )


PLANS = (
    Plan(
        # The scope is one key, and the identity belongs to nothing that encrypts.
        name="role-on-key",
        after=configuration(
            "role-on-key",
            *good_vault("kv-role-on-key"),
            key("azurerm_key_vault_key.wrap", "wrap", key_opts=["wrapKey", "unwrapKey"]),
            identity("azurerm_user_assigned_identity.storage", "id-role-on-key", isolation_scope="Regional"),
            _assignment(
                "wrap",
                scope=ref("azurerm_key_vault_key.wrap.resource_versionless_id"),
                role_definition_name="Key Vault Crypto Service Encryption User",
                principal_id=ref("azurerm_user_assigned_identity.storage.principal_id"),
            ),
        ),
        fails=results(
            "kv-no-private-endpoint: kv-role-on-key",
        ),
    ),
    Plan(
        # One role for a user over every vault of the resource group.
        name="role-on-group",
        after=configuration(
            "role-on-group",
            *good_vault("kv-role-on-group"),
            key("azurerm_key_vault_key.signing", "signing"),
            _assignment(
                "alice",
                scope=ref("azurerm_resource_group.main.id"),
                role_definition_name="Key Vault Crypto User",
                principal_id=ALICE,
            ),
        ),
        fails=results(
            "kv-no-private-endpoint: kv-role-on-group",
            "scope-data-plane-at-subscription scope-human-standing-signer scope-key-backup-right:"
            " role assignment Key Vault Crypto User: Alice Berg on resource group rg-role-on-group",
        ),
    ),
    Plan(
        name="role-custom-wildcard",
        after=configuration(
            "role-custom-wildcard",
            *good_vault("kv-role-custom"),
            key("azurerm_key_vault_key.signing", "signing"),
            identity("azurerm_user_assigned_identity.ops", "id-role-custom"),
            resource(
                "azurerm_role_definition.custodian",
                name="Planned Custodian",
                scope=ref("azurerm_resource_group.main.id"),
                permissions=[{"actions": [], "data_actions": ["Microsoft.KeyVault/vaults/keys/*"]}],
            ),
            _assignment(
                "ops",
                scope=ref("azurerm_key_vault.main.id"),
                role_definition_id=ref("azurerm_role_definition.custodian.role_definition_resource_id"),
                principal_id=ref("azurerm_user_assigned_identity.ops.principal_id"),
            ),
        ),
        fails=results(
            "kv-no-private-endpoint: kv-role-custom",
            "scope-custom-role-wildcard scope-key-backup-right:"
            " role assignment Planned Custodian: id-role-custom on kv-role-custom",
            "sp-mi-not-limited: managed identity id-role-custom",
        ),
    ),
    Plan(
        # Conditions restrict secrets alone: https://learn.microsoft.com/azure/role-based-access-control/conditions-format
        name="role-with-condition",
        after=configuration(
            "role-with-condition",
            *good_vault("kv-role-condition"),
            key("azurerm_key_vault_key.signing", "signing"),
            _assignment(
                "alice",
                scope=ref("azurerm_key_vault.main.id"),
                role_definition_name="Key Vault Crypto User",
                principal_id=ALICE,
                condition_version="2.0",
                condition="((!(ActionMatches{'Microsoft.KeyVault/vaults/keys/sign/action'})) OR "
                "(@Resource[Microsoft.KeyVault/vaults/keys:name] StringEquals 'signing'))",
            ),
        ),
        fails=results(
            "kv-no-private-endpoint: kv-role-condition",
            "scope-condition-without-effect scope-human-standing-signer scope-key-backup-right:"
            " role assignment Key Vault Crypto User: Alice Berg on kv-role-condition",
        ),
    ),
    Plan(
        name="role-in-module",
        after=configuration(
            "role-in-module",
            *good_vault("kv-role-module"),
            key("azurerm_key_vault_key.signing", "signing"),
            calls=[
                Call(
                    name="signer",
                    source="./modules/reader",
                    module=_reader_module(),
                    arguments={
                        "group": ref("azurerm_resource_group.main.name"),
                        "scope": ref("azurerm_key_vault.main.id"),
                        "role": "Key Vault Crypto User",
                        "name": "id-role-module",
                    },
                )
            ],
            outputs={"signer": ref("module.signer.principal_id")},
        ),
        fails=results(
            "kv-no-private-endpoint: kv-role-module",
            "scope-key-backup-right: role assignment Key Vault Crypto User: id-role-module on kv-role-module",
        ),
    ),
    Plan(
        name="identity-owner",
        after=configuration(
            "identity-owner",
            identity("azurerm_user_assigned_identity.deploy", "id-owner"),
            _assignment(
                "owner",
                scope=joined("/subscriptions/{}", "data.azurerm_client_config.current.subscription_id"),
                role_definition_name="Owner",
                principal_id=ref("azurerm_user_assigned_identity.deploy.principal_id"),
            ),
        ),
        fails=results("sp-mi-overprivileged: managed identity id-owner"),
    ),
    Plan(
        name="identity-federated-good",
        after=configuration(
            "identity-federated-good",
            identity("azurerm_user_assigned_identity.deploy", "id-federated-good"),
            resource(
                "azurerm_federated_identity_credential.main",
                name="production",
                user_assigned_identity_id=ref("azurerm_user_assigned_identity.deploy.id"),
                audience=["api://AzureADTokenExchange"],
                issuer="https://token.actions.githubusercontent.com",
                subject="repo:contoso@87654/shop@123456:environment:production",
            ),
        ),
    ),
    Plan(
        # The provider's own example has an audience and an issuer of nobody's.
        name="identity-federated-bad",
        after=configuration(
            "identity-federated-bad",
            identity("azurerm_user_assigned_identity.deploy", "id-federated-bad"),
            resource(
                "azurerm_federated_identity_credential.example",
                name="example",
                user_assigned_identity_id=ref("azurerm_user_assigned_identity.deploy.id"),
                audience=["foo"],
                issuer="https://foo.example",
                subject="foo",
            ),
            resource(
                "azurerm_federated_identity_credential.pulls",
                name="pulls",
                user_assigned_identity_id=ref("azurerm_user_assigned_identity.deploy.id"),
                audience=["api://AzureADTokenExchange"],
                issuer="https://token.actions.githubusercontent.com",
                subject="repo:contoso/shop:pull_request",
            ),
        ),
        fails=results(
            "fed-fic-unknown-issuer fed-fic-broad-subject: managed identity id-federated-bad, federated credential example",
            "fed-fic-broad-subject fed-fic-mutable-subject: managed identity id-federated-bad, federated credential pulls",
        ),
    ),
    Plan(
        name="hsm-good",
        after=configuration(
            "hsm-good", _hsm("hsm-planned-good"), logged("azurerm_monitor_diagnostic_setting.hsm", f"{_HSM}.main.id")
        ),
    ),
    Plan(
        # One administrator, no network rule, no purge protection, and nobody has its security domain.
        name="hsm-bad",
        after=configuration(
            "hsm-bad",
            _hsm(
                "hsm-planned-bad",
                admin_object_ids=[ADMINISTRATORS[0]],
                purge_protection_enabled=None,
                public_network_access_enabled=None,
                network_acls=None,
                security_domain_key_vault_certificate_ids=None,
                security_domain_quorum=None,
            ),
        ),
        fails=results(
            "hsm-admin-count hsm-public-network hsm-purge-protection-off log-keyvault-audit-off: hsm-planned-bad",
        ),
    ),
    Plan(
        name="hsm-keys",
        after=configuration(
            "hsm-keys",
            _hsm("hsm-planned-keys"),
            logged("azurerm_monitor_diagnostic_setting.hsm", f"{_HSM}.main.id"),
            identity("azurerm_user_assigned_identity.signer", "id-hsm-signer"),
            resource(
                f"{_HSM}_role_definition.signer",
                name="7d206142-bf01-41ed-80bc-00155d61ee9e",
                managed_hsm_id=ref(f"{_HSM}.main.id"),
                role_name="Planned Signer",
                permission=[{"data_actions": ["Microsoft.KeyVault/managedHsm/keys/sign/action"]}],
            ),
            resource(
                f"{_HSM}_role_assignment.signer",
                name="1e243909-064c-4ac3-84e9-1c8bf8d6ad22",
                managed_hsm_id=ref(f"{_HSM}.main.id"),
                scope="/keys/root",
                role_definition_id=ref(f"{_HSM}_role_definition.signer.resource_manager_id"),
                principal_id=ref("azurerm_user_assigned_identity.signer.principal_id"),
            ),
            resource(
                f"{_HSM}_role_assignment.wide",
                name="1e243909-064c-4ac3-84e9-1c8bf8d6ad23",
                managed_hsm_id=ref(f"{_HSM}.main.id"),
                scope="/keys",
                role_definition_id=_CRYPTO_USER,
                principal_id=ref("azurerm_user_assigned_identity.signer.principal_id"),
            ),
            resource(
                f"{_HSM}_key.root",
                name="root",
                managed_hsm_id=ref(f"{_HSM}.main.id"),
                key_type="EC-HSM",
                curve="P-384",
                key_opts=["sign", "verify"],
                expiration_date="2027-09-01T00:00:00Z",
            ),
            resource(
                f"{_HSM}_key_rotation_policy.root",
                managed_hsm_key_id=ref(f"{_HSM}_key.root.id"),
                expire_after="P1Y",
                time_before_expiry="P60D",
            ),
            resource(
                f"{_HSM}_key.idle",
                name="idle",
                managed_hsm_id=ref(f"{_HSM}.main.id"),
                key_type="RSA-HSM",
                key_size=2048,
                key_opts=["sign", "verify"],
            ),
        ),
        fails=results(
            "hsm-role-at-root scope-key-backup-right:"
            " local role assignment Managed HSM Crypto User: id-hsm-signer on all keys of hsm-planned-keys",
            "kv-key-no-expiry kv-key-no-auto-rotation pqc-quantum-vulnerable-long-lived: hsm-planned-keys/keys/idle",
        ),
    ),
)
