"""Vaults, their logs, secrets and certificates."""

from typing import Any

from tests.plan.configuration import Resource, resource
from tests.plan.plans.described import ALICE, Plan, configuration, good_vault, logged, results, vault
from tests.plan.terms import ref

_EVERY = ["Get", "List", "Create", "Delete", "Sign", "Decrypt", "UnwrapKey", "WrapKey", "Backup", "Purge", "Import"]


def _secret(name: str, **arguments: Any) -> Resource:
    return resource(
        f"azurerm_key_vault_secret.{name.replace('-', '_')}",
        **{"name": name, "key_vault_id": ref("azurerm_key_vault.main.id"), **arguments},
    )


def _certificate(name: str, **changes: Any) -> Resource:
    settings: dict[str, Any] = {
        "key_type": "RSA-HSM",
        "key_size": 3072,
        "exportable": False,
        "reuse_key": False,
        "months": 6,
        "renew": "AutoRenew",
        "usages": ["1.3.6.1.5.5.7.3.2"],
        **changes,
    }
    return resource(
        f"azurerm_key_vault_certificate.{name.replace('-', '_')}",
        name=name,
        key_vault_id=ref("azurerm_key_vault.main.id"),
        certificate_policy=[
            {
                "issuer_parameters": [{"name": "Self"}],
                "key_properties": [{each: settings[each] for each in ("key_type", "key_size", "exportable", "reuse_key")}],
                "lifetime_action": [
                    {"action": [{"action_type": settings["renew"]}], "trigger": [{"lifetime_percentage": 80}]},
                ],
                "secret_properties": [{"content_type": "application/x-pkcs12"}],
                "x509_certificate_properties": [
                    {
                        "subject": f"CN={name}",
                        "key_usage": ["digitalSignature"],
                        "validity_in_months": settings["months"],
                        **({"extended_key_usage": settings["usages"]} if settings["usages"] else {}),
                    }
                ],
            }
        ],
    )


def _users_policy(**permissions: Any) -> dict[str, Any]:
    return {"tenant_id": ref("data.azurerm_client_config.current.tenant_id"), "object_id": ALICE, **permissions}


PLANS = (
    Plan(
        name="vault-good",
        after=configuration("vault-good", *good_vault("kv-vault-good")),
        fails=results("kv-no-private-endpoint: kv-vault-good"),
    ),
    Plan(
        # Everything that may be left out is left out.
        name="vault-defaults",
        after=configuration(
            "vault-defaults",
            vault(
                "azurerm_key_vault.main",
                "kv-vault-defaults",
                rbac_authorization_enabled=False,
                purge_protection_enabled=None,
                public_network_access_enabled=None,
                network_acls=None,
                tags=None,
            ),
        ),
        fails=results(
            "kv-purge-protection-off kv-public-network-open kv-legacy-access-policies kv-no-private-endpoint"
            " log-keyvault-audit-off: kv-vault-defaults"
        ),
    ),
    Plan(
        name="vault-access-policies",
        after=configuration(
            "vault-access-policies",
            vault(
                "azurerm_key_vault.main",
                "kv-access-policies",
                rbac_authorization_enabled=False,
                access_policy=[_users_policy(key_permissions=_EVERY, secret_permissions=["Get"])],
            ),
            logged("azurerm_monitor_diagnostic_setting.main", "azurerm_key_vault.main.id"),
        ),
        fails=results(
            "kv-legacy-access-policies kv-no-private-endpoint: kv-access-policies",
            "scope-access-policy-all scope-human-standing-signer scope-key-backup-right:"
            " access policy: Alice Berg on kv-access-policies",
        ),
    ),
    Plan(
        # The object id of the identity is known only after it is made.
        name="access-policy-of-identity",
        after=configuration(
            "access-policy-of-identity",
            vault("azurerm_key_vault.main", "kv-policy-identity", rbac_authorization_enabled=False),
            logged("azurerm_monitor_diagnostic_setting.main", "azurerm_key_vault.main.id"),
            resource(
                "azurerm_user_assigned_identity.app",
                name="id-policy-app",
                location="westeurope",
                resource_group_name=ref("azurerm_resource_group.main.name"),
            ),
            resource(
                "azurerm_key_vault_access_policy.app",
                key_vault_id=ref("azurerm_key_vault.main.id"),
                tenant_id=ref("data.azurerm_client_config.current.tenant_id"),
                object_id=ref("azurerm_user_assigned_identity.app.principal_id"),
                key_permissions=["Get", "Sign", "Backup", "Purge"],
            ),
        ),
        fails=results(
            "kv-legacy-access-policies kv-no-private-endpoint: kv-policy-identity",
            "scope-access-policy-all scope-key-backup-right: access policy: id-policy-app on kv-policy-identity",
        ),
    ),
    Plan(
        name="logs-to-storage-alone",
        after=configuration(
            "logs-to-storage-alone",
            vault("azurerm_key_vault.main", "kv-logs-storage"),
            resource(
                "azurerm_storage_account.logs",
                name="stlogsalone",
                location="westeurope",
                resource_group_name=ref("azurerm_resource_group.main.name"),
                account_tier="Standard",
                account_replication_type="LRS",
                shared_access_key_enabled=False,
            ),
            resource(
                "azurerm_monitor_diagnostic_setting.archive",
                name="archive",
                target_resource_id=ref("azurerm_key_vault.main.id"),
                storage_account_id=ref("azurerm_storage_account.logs.id"),
                enabled_log=[{"category": "AuditEvent"}],
            ),
        ),
        fails=results("kv-no-private-endpoint log-keyvault-not-searchable: kv-logs-storage"),
    ),
    Plan(
        name="secrets",
        after=configuration(
            "secrets",
            *good_vault("kv-secrets"),
            _secret("api-token", value="s3cr3t-in-clear", expiration_date="2027-02-01T00:00:00Z"),
            _secret("no-end", value="s3cr3t-in-clear"),
            _secret(
                "partner-signing-key", value_wo="s3cr3t-write-only", value_wo_version=1, content_type="application/x-pem-file"
            ),
            _secret("ends-later", value="s3cr3t-in-clear", expiration_date=ref("time_offset.quarter.rfc3339")),
            resource("time_offset.quarter", offset_days=90),
        ),
        fails=results(
            "kv-no-private-endpoint kv-near-expiry-unheard: kv-secrets",
            "kv-secret-no-expiry: kv-secrets/secrets/no-end",
            "kv-secret-no-expiry kv-secret-holds-private-key: kv-secrets/secrets/partner-signing-key",
        ),
        unknown=results("kv-secret-no-expiry: kv-secrets/secrets/ends-later"),
    ),
    Plan(
        name="certificate-good",
        after=configuration("certificate-good", *good_vault("kv-certificate-good"), _certificate("client")),
        fails=results("kv-no-private-endpoint: kv-certificate-good"),
    ),
    Plan(
        name="certificate-bad",
        after=configuration(
            "certificate-bad",
            *good_vault("kv-certificate-bad"),
            _certificate(
                "portal", key_type="RSA", key_size=2048, exportable=True, reuse_key=True, months=24, renew="EmailContacts"
            ),
        ),
        fails=results(
            "kv-no-private-endpoint: kv-certificate-bad",
            "kv-cert-exportable-key kv-cert-no-auto-renew kv-cert-reuse-key-on-renew kv-cert-software-key"
            " kv-cert-validity-too-long: kv-certificate-bad/certificates/portal",
        ),
    ),
    Plan(
        # Without extended key usages, Key Vault issues for servers and clients.
        name="certificate-usages-left-out",
        after=configuration(
            "certificate-usages-left-out", *good_vault("kv-certificate-usages"), _certificate("gateway", usages=[])
        ),
        fails=results("kv-no-private-endpoint: kv-certificate-usages"),
    ),
)
