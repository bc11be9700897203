"""Run as a program of its own by the Python of `.ci/tools/sdk`: Azure's management and vault clients, led by the environment
alone; prints what they saw as JSON.
"""

import json
import sys

from azure.core.exceptions import HttpResponseError
from azure.identity import EnvironmentCredential
from azure.keyvault.certificates import CertificateClient
from azure.keyvault.secrets import SecretClient
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.keyvault import KeyVaultManagementClient

VAULT = "https://kv-open.vault.azure.net"


def certificates(credential: EnvironmentCredential) -> dict[str, object]:
    """CertificateClient: lists, one certificate with its policy, the operation, issuers and contacts; and a write."""
    with CertificateClient(VAULT, credential) as client:
        whole = client.get_certificate("backing")
        policy = client.get_certificate_policy("backing")
        operation = client.get_certificate_operation("requested")
        try:
            client.begin_delete_certificate("backing")
            refused = None
        except HttpResponseError as error:
            refused = error.status_code
        return {
            "names": [one.name for one in client.list_properties_of_certificates(include_pending=True)],
            "versions": len(list(client.list_properties_of_certificate_versions("backing"))),
            "deleted": [one.name for one in client.list_deleted_certificates()],
            "thumbprint": len(whole.properties.x509_thumbprint or b""),
            "policy": [policy.issuer_name, policy.validity_in_months, whole.policy and whole.policy.subject == policy.subject],
            "operation": [operation.status, bool(operation.csr)],
            "issuers": [one.name for one in client.list_properties_of_issuers()],
            "contacts": [one.email for one in client.get_contacts()],
            "refused": refused,
        }


def secrets(credential: EnvironmentCredential) -> dict[str, object]:
    """SecretClient, lists alone."""
    with SecretClient(VAULT, credential) as client:
        return {
            "names": [one.name for one in client.list_properties_of_secrets()],
            "deleted": [one.name for one in client.list_deleted_secrets()],
        }


def vaults(credential: EnvironmentCredential, subscription: str) -> dict[str, object]:
    """azure-mgmt-keyvault; and a write."""
    with KeyVaultManagementClient(credential, subscription) as client:
        try:
            client.vaults.delete("rg-main", "kv-open")
            refused = None
        except HttpResponseError as error:
            refused = error.error and error.error.code
        return {
            "vaults": [[one.name, one.properties.enable_rbac_authorization] for one in client.vaults.list_by_subscription()],
            "keys": [one.name for one in client.keys.list("rg-main", "kv-open")],
            "key": client.keys.get("rg-main", "kv-open", "signing").properties.kty,
            "secrets": [[one.name, one.properties.value] for one in client.secrets.list("rg-main", "kv-open")],
            "deleted": [one.name for one in client.vaults.list_deleted()],
            "hsms": [one.name for one in client.managed_hsms.list_by_subscription()],
            "refused": refused,
        }


def roles(credential: EnvironmentCredential, subscription: str) -> dict[str, object]:
    """azure-mgmt-authorization."""
    scope = f"/subscriptions/{subscription}"
    with AuthorizationManagementClient(credential, subscription) as client:
        definitions = {one.id: one.role_name for one in client.role_definitions.list(scope)}
        everywhere = list(client.role_assignments.list_for_subscription())
        here = list(client.role_assignments.list_for_scope(scope, filter="atScope()"))
        return {
            "assignments": sorted([definitions[one.role_definition_id], one.principal_type] for one in everywhere),
            "at scope": len(here),
            "custom": [one.role_name for one in client.role_definitions.list(scope, filter="type eq 'CustomRole'")],
            "denials": len(list(client.deny_assignments.list_for_scope(scope))),
            "eligible": len(list(client.role_eligibility_schedule_instances.list_for_scope(scope))),
        }


if __name__ == "__main__":
    signed_in, home = EnvironmentCredential(), sys.argv[1]
    seen = {
        "certificates": certificates(signed_in),
        "secrets": secrets(signed_in),
        "vaults": vaults(signed_in, home),
        "roles": roles(signed_in, home),
    }
    print(json.dumps(seen))
