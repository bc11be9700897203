"""The closed list of changes that are right: other answers than unknown that a fault may lead to, each with its reason."""

from collections.abc import Mapping

from keyaudit.model.columns import Column
from keyaudit.model.tables import TABLES
from tests.sweep.compare import GONE, Wrong
from tests.sweep.estate import ESTATE
from tests.sweep.faults import Fault

_NOTHING_NAMES_THEM = "an empty list is an answer, and nothing else that is read names what was in it"
_FILTERED = "it lists those alone that have a federated credential, and nothing else that is read tells of one"
_NONE_THERE = "so answers what was never set up, and a policy that asks for it fails"

EMPTY_BELIEVED: Mapping[str, str] = {
    "application.federated": _FILTERED,
    "service_principal.federated": _FILTERED,
    "agent_user.list": _NOTHING_NAMES_THEM,
    "app_authority.list": _NOTHING_NAMES_THEM,
    "app_management.applied": _NOTHING_NAMES_THEM,
    "app_management.list": _NOTHING_NAMES_THEM,
    "b2c.key_sets": _NOTHING_NAMES_THEM,
    "blueprint.inheritable_of": _NOTHING_NAMES_THEM,
    "blueprint.sponsors_of": _NOTHING_NAMES_THEM,
    "classic_authority.list": _NOTHING_NAMES_THEM,
    "delegated_grant.list": _NOTHING_NAMES_THEM,
    "deleted_certificate.list": _NOTHING_NAMES_THEM,
    "deleted_hsm.list": _NOTHING_NAMES_THEM,
    "deleted_key.list": _NOTHING_NAMES_THEM,
    "deleted_secret.list": _NOTHING_NAMES_THEM,
    "deleted_vault.list": _NOTHING_NAMES_THEM,
    "deny_assignment.list": _NOTHING_NAMES_THEM,
    "directory_role.eligibilities": _NOTHING_NAMES_THEM,
    "external_federation.list": _NOTHING_NAMES_THEM,
    "hsm.key.list": _NOTHING_NAMES_THEM,
    "hsm.role_assignment.of_key": _NOTHING_NAMES_THEM,
    "hsm.role_assignment.of_keys": _NOTHING_NAMES_THEM,
    "pki.authorities": _NOTHING_NAMES_THEM,
    "pki.list": _NOTHING_NAMES_THEM,
    "role_eligibility.list": _NOTHING_NAMES_THEM,
    "service.query": _NOTHING_NAMES_THEM,
    "activity_log.list": _NONE_THERE,
    "alert_rule.query": _NONE_THERE,
    "diagnostic_setting.list": _NONE_THERE,
    "entra_log.list": _NONE_THERE,
    "hsm.diagnostic_setting.list": _NONE_THERE,
}
"""Lists that may be empty. What is missing from one is found by expectations (`[expect]`), not by the answers."""

DECLARED: Mapping[str, str] = {
    "applicationAuthenticationClientSignInActivity": "sign_in_activity.last_app_only_on",
    "created": "key.created_on",
    "certificateRevocationListUrl": "trusted_authority.crl_url",
    "createdAt": "vault.created_on",
    "customKeyIdentifier": "credential.thumbprint",
    "delegatedClientSignInActivity": "sign_in_activity.last_delegated_on",
    "enablePurgeProtection": "vault.purge_protection",
    "enableRbacAuthorization": "vault.access_model",
    "endDateTime": "credential.expires_on",
    "exp": "key.expires_on",
    "federatedIdpMfaBehavior": "federated_domain.mfa_behavior",
    "generationTime": "account_key.created_on",
    "key1": "account_key.created_on",
    "key2": "account_key.created_on",
    "keyCreationTime": "account_key.created_on",
    "keyPolicy": "account_key.expiry_period",
    "keyversion": "key_use.version",
    "lastSignInDateTime": "credential_activity.last_used_on",
    "managed": "key.managed",
    "networkAcls": "vault.network_default_action",
    "privateEndpointConnections": "vault.private_endpoints",
    "publicNetworkAccess": "vault.public_network_access",
    "release_policy": "key.release_policy_immutable",
    "restrictForAppsCreatedAfterDateTime": "app_management_policy.password_lifetime_from",
    "systemData": "vault.created_on",
    "tags": "vault.tags",
}
"""Members by their last name, with a column of which the declaration says what their absence means, or that of the member."""

LEFT_OUT_SAYS: Mapping[str, str] = {
    "generationTime": "Cosmos DB has no date of a key that was never made anew",
}
"""Members by their last name, in an object that Resource Graph passes on as the service has it, that need not be there."""

NULL_SAYS: Mapping[str, str] = {
    "adminUserEnabled": "Resource Graph has null for what was never set: a registry's admin user is off until then",
    "allowSharedKeyAccess": "null is true: requests by key are taken",
    "categoryGroup": "the log is named by its category",
    "disableLocalAuth": "null is false: keys let in",
    "eventHubAuthorizationRuleId": "nothing is sent to an event hub",
    "nextSigningCertificate": "there is none",
    "servicePrincipalLockConfiguration": "null where it was never set",
    "storageAccountId": "nothing is sent to a storage account",
    "workspaceId": "nothing is sent to a workspace",
}
"""Members by their last name whose null is documented to say something that no column has as its absence."""

ANOTHER: Mapping[tuple[str, str], str] = {
    ("b2c.key_sets", "id"): "a key set is called as somebody chose to call it",
    ("entra_log.list", "properties.logs[].category"): "a log of another name is another log, and Entra gets new ones",
}
"""Members in which every text is right, and names something else: by operation, and by what the member is called there."""

_OF_CERTIFICATES = frozenset({"key.list", "secret.list", "certificate.list"})
"""Lists that a vault's certificates tie together: each has a key and a secret of its name."""

_CERTIFIED = tuple(f"https://{vault.name}.vault.azure.net/" for vault in ESTATE.vaults if vault.certificates)
_UNTIED = "no certificate of this vault names a key or a secret, nor a key a certificate"


_ROLES = frozenset({"hsm.role_definition.list", "role_definition.query"})
_UNREAD_ROLE = "an assignment of a role that could not be read is a row, and a policy about its place alone can judge it"


def believed(fault: Fault, wrong: Wrong) -> str:
    """Why this change is right; empty where it is not."""
    if fault.operation in _ROLES and wrong.policy == "hsm-role-at-root" and (wrong.before, wrong.after) == (GONE, "pass"):
        return _UNREAD_ROLE
    if fault.kind in ("null", "missing"):
        *parents, member = fault.member.split(".")
        return _absent(fault.kind, "tags" if "tags" in parents else member)
    if fault.kind == "absurd":
        return ANOTHER.get((fault.operation, fault.member), "")
    if fault.kind != "empty list":
        return ""
    if fault.operation in _OF_CERTIFICATES and wrong.row.startswith("https://") and not wrong.row.startswith(_CERTIFIED):
        return _UNTIED
    return EMPTY_BELIEVED.get(fault.operation, "")


def _absent(kind: str, member: str) -> str:
    """What it means that a member is null or missing; empty where that is nowhere said."""
    column = declared(member)
    said = column.left_out.source if column and column.left_out else ""
    if kind == "missing":
        return said or LEFT_OUT_SAYS.get(member, "")
    return NULL_SAYS.get(member, "") or said or (column.absent if column else "")


def declared(member: str) -> Column | None:
    """The column that a member fills whose absence is declared."""
    table, _, column = DECLARED.get(member, "").partition(".")
    return TABLES[table].by_name[column] if table else None
