"""The examples of vaults, Managed HSMs, roles, logs and identities."""

from tests.plan.configuration import Resource, resource
from tests.plan.examples.parts import HSM, KEY_OPTIONS, NOBODY, hsm, hsm_key, identity, own_policy, storage, vault
from tests.plan.terms import ref

VAULTS: tuple[tuple[str, tuple[Resource, ...]], ...] = (
    ("azurerm_resource_group", ()),
    (
        "azurerm_key_vault",
        (
            vault(
                enabled_for_disk_encryption=True,
                soft_delete_retention_days=7,
                purge_protection_enabled=False,
                sku_name="standard",
                access_policy=own_policy(key_permissions=["Get"], secret_permissions=["Get"], storage_permissions=["Get"]),
            ),
        ),
    ),
    (
        "azurerm_key_vault_access_policy",
        (
            vault(),
            resource(
                "azurerm_key_vault_access_policy.example",
                key_vault_id=ref("azurerm_key_vault.example.id"),
                **own_policy(key_permissions=["Get"], secret_permissions=["Get"])[0],
            ),
        ),
    ),
    (
        "azurerm_key_vault_key",
        (
            vault(soft_delete_retention_days=7, access_policy=own_policy(key_permissions=["Create", "Delete", "Get"])),
            resource(
                "azurerm_key_vault_key.generated",
                name="generated-certificate",
                key_vault_id=ref("azurerm_key_vault.example.id"),
                key_type="RSA",
                key_size=2048,
                key_opts=KEY_OPTIONS,
                rotation_policy=[
                    {
                        "automatic": [{"time_before_expiry": "P30D"}],
                        "expire_after": "P90D",
                        "notify_before_expiry": "P29D",
                    }
                ],
            ),
        ),
    ),
    (
        "azurerm_key_vault_secret",
        (
            vault(soft_delete_retention_days=7),
            resource(
                "azurerm_key_vault_secret.example",
                name="secret-sauce",
                value="szechuan",
                key_vault_id=ref("azurerm_key_vault.example.id"),
            ),
        ),
    ),
    (
        "azurerm_key_vault_certificate",
        (
            vault(),
            resource(
                "azurerm_key_vault_certificate.example",
                name="imported-cert",
                key_vault_id=ref("azurerm_key_vault.example.id"),
                certificate=[{"contents": "bm8gY2VydGlmaWNhdGU=", "password": ""}],
            ),
        ),
    ),
    (HSM, (hsm(soft_delete_retention_days=90, tags={"Env": "Test"}),)),
    (
        f"{HSM}_key",
        (
            hsm(
                security_domain_key_vault_certificate_ids=[f"https://a.vault.azure.net/certificates/{n}/0" for n in "123"],
                security_domain_quorum=2,
            ),
            hsm_key(),
        ),
    ),
    (
        f"{HSM}_key_rotation_policy",
        (
            hsm(),
            hsm_key(),
            resource(
                f"{HSM}_key_rotation_policy.example",
                managed_hsm_key_id=ref(f"{HSM}_key.example.id"),
                expire_after="P60D",
                time_before_expiry="P30D",
            ),
        ),
    ),
    (
        f"{HSM}_role_assignment",
        (
            hsm(),
            resource(
                f"{HSM}_role_assignment.example",
                name="a9dbe818-56e7-5878-c0ce-a1477692c1d6",
                managed_hsm_id=ref(f"{HSM}.example.id"),
                scope="/keys",
                role_definition_id="Microsoft.KeyVault/providers/Microsoft.Authorization/roleDefinitions/21dbd100-6940-42c2-9190-5d6cb909625b",
                principal_id=ref("data.azurerm_client_config.current.object_id"),
            ),
        ),
    ),
    (
        f"{HSM}_role_definition",
        (
            hsm(),
            resource(
                f"{HSM}_role_definition.example",
                name="7d206142-bf01-11ed-80bc-00155d61ee9e",
                managed_hsm_id=ref(f"{HSM}.example.id"),
                description="desc foo",
                permission=[{"data_actions": ["Microsoft.KeyVault/managedHsm/keys/read/action"]}],
            ),
        ),
    ),
    (
        "azurerm_role_assignment",
        (
            resource(
                "azurerm_role_assignment.example",
                scope=f"/subscriptions/{NOBODY}",
                role_definition_name="Reader",
                principal_id=ref("data.azurerm_client_config.current.object_id"),
            ),
        ),
    ),
    (
        "azurerm_role_definition",
        (
            resource(
                "azurerm_role_definition.example",
                name="my-custom-role",
                scope=f"/subscriptions/{NOBODY}",
                description="This is a custom role created via Terraform",
                permissions=[{"actions": ["*"], "not_actions": []}],
                assignable_scopes=[f"/subscriptions/{NOBODY}"],
            ),
        ),
    ),
    (
        "azurerm_monitor_diagnostic_setting",
        (
            storage(account_replication_type="LRS"),
            vault(soft_delete_retention_days=7, purge_protection_enabled=False, sku_name="standard"),
            resource(
                "azurerm_monitor_diagnostic_setting.example",
                name="example",
                target_resource_id=ref("azurerm_key_vault.example.id"),
                storage_account_id=ref("azurerm_storage_account.example.id"),
                enabled_log=[{"category": "AuditEvent"}],
                enabled_metric=[{"category": "AllMetrics"}],
            ),
        ),
    ),
    ("azurerm_user_assigned_identity", (identity(),)),
    (
        "azurerm_federated_identity_credential",
        (
            identity(),
            resource(
                "azurerm_federated_identity_credential.example",
                name="example",
                audience=["foo"],
                issuer="https://foo",
                user_assigned_identity_id=ref("azurerm_user_assigned_identity.example.id"),
                subject="foo",
            ),
        ),
    ),
)
