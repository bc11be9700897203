"""Rows with pseudonyms: the unchanged columns, and the kinds of names in the others."""

from collections.abc import Callable, Mapping

from keyaudit.model.directory.tiers import DIRECTORY_ROLES, PERMISSIONS
from keyaudit.model.results.findings import Value
from keyaudit.model.schema.columns import Column, Table, Type
from keyaudit.report.redact.pseudonyms import Pseudonyms

_STAY = frozenset(
    {
        "activity_log_categories", "categories", "category_groups", "disabled_by_microsoft", "ekus", "entra_log_categories",
        "instance_locks", "key_usage", "location", "recovery_level", "regions", "signature_hash", "slot", "source",
        "source_version", "tables", "unified_audit_evidence", "update_result",
    }
)  # fmt: skip
"""Text columns that contain only Azure's own words, or ours."""
_OWN_NAMES = frozenset({"hsm_setting", "log_table", "defender_plan"})
"""Tables whose rows have names from Azure."""

_KINDS = {
    "api": "api", "app_roles": "permission", "app_tags": "tag", "audiences": "audience", "claims": "claim",
    "client_id": "app", "openshift_clusters": "account-key",
    "blueprint_name": "app", "content_type": "content", "created_by": "person", "credential_admins": "principal",
    "media_type": "content",
    "default_domain": "domain", "delegated_for_everyone": "permission",
    "directory_roles": "role", "exposed_roles": "permission", "exposed_scopes": "permission", "federated_domains": "domain",
    "id": "resource", "inheritable_roles": "permission", "inheritable_scopes": "permission", "inherited": "permission",
    "inherited_wide": "permission", "issuer": "subject", "issuer_host": "host", "issuer_name": "issuer",
    "principal_name": "principal", "provider_name": "provider", "repository_host": "host", "resource_group": "resource-group",
    "resource_id": "resource", "store_name": "store",
    "subject": "subject", "subscription_name": "subscription", "tenant_wide_app_roles": "permission",
    "user_consent_policies": "consent", "user_principal_name": "person", "validated_names": "domain",
    "vault_name": "vault", "verified_domains": "domain", "verified_publisher": "publisher", "wide_azure_roles": "role",
}  # fmt: skip
"""The kind of name in a column, if it differs from the column's name."""
_NAMES = {
    **dict.fromkeys(("application", "service_principal", "agent", "blueprint"), "app"),
    "federated_domain": "domain", "signing_certificate": "subject",
}  # fmt: skip
"""The kind of a table's rows, if it differs from the table's name."""
_PEOPLE = {"user": "person", "group": "group", "foreign-group": "group"}
_SIGNERS = {"federated-domain": "domain", "external-idp": "provider"}

_PUBLIC = frozenset(
    {
        *(each.name for ranked in (*PERMISSIONS.values(), DIRECTORY_ROLES) for each in ranked), *PERMISSIONS,
        "Microsoft Graph", "Office 365 Exchange Online", "Office 365 SharePoint Online",
        "openid", "profile", "email", "offline_access", "User.Read", "User.Read.All",
        "Owner", "Contributor", "Reader", "User Access Administrator", "Role Based Access Control Administrator",
        "Key Vault Administrator", "Key Vault Certificate User", "Key Vault Certificates Officer", "Key Vault Contributor",
        "Key Vault Crypto Officer", "Key Vault Crypto Service Encryption User", "Key Vault Crypto Service Release User",
        "Key Vault Crypto User", "Key Vault Data Access Administrator", "Key Vault Reader", "Key Vault Secrets Officer",
        "Key Vault Secrets User", "Managed HSM Administrator", "Managed HSM Backup User", "Managed HSM Crypto Auditor",
        "Managed HSM Crypto Officer", "Managed HSM Crypto Service Encryption User", "Managed HSM Crypto User",
        "Managed HSM Policy Administrator", "Directory Readers", "Directory Synchronization Accounts",
        "microsoft-user-default-low", "microsoft-user-default-legacy", "Self", "Unknown", "everyone", "true", "false",
        "application/x-pkcs12", "application/x-pem-file", "application/json", "text/plain", "api://AzureADTokenExchange",
    }
)  # fmt: skip
"""Texts that are the same in every tenant: roles, permissions, services and content types."""
_ENVIRONMENTS = frozenset(
    {
        "prod", "production", "prd", "live", "preprod", "pre-production", "staging", "stage", "nonprod", "non-production",
        "test", "testing", "tst", "qa", "uat", "dev", "development", "sandbox", "lab", "demo", "shared",
    }
)  # fmt: skip
"""Common names of environments."""

_Change = Callable[[Mapping[str, Value], Value], Value]


class Rows:
    """Redacts rows of every table with one key."""

    def __init__(self, names: Pseudonyms) -> None:
        self._names = names
        self._changes: dict[str, dict[str, _Change]] = {}
        self._last: tuple[Mapping[str, Value], Mapping[str, Value]] = ({}, {})

    def row(self, table: Table, row: Mapping[str, Value]) -> Mapping[str, Value]:
        """The row with pseudonyms. Reasons of unknown columns stay."""
        before, after = self._last
        # All findings of a row share the same row object.
        if before is row and row:
            return after
        changes = self._changes.get(table.name) or self._of(table)
        found = {
            name: changes[name](row, value) if value is not None and name in changes else value
            for name, value in row.items()
            if name in table.by_name or name == "unknown"
        }
        self._last = (row, found)
        return found

    def environment(self, text: str) -> str:
        """An environment; common names stay."""
        return text if text.lower() in _ENVIRONMENTS else self._names.name("environment", text)

    def _of(self, table: Table) -> dict[str, _Change]:
        found = {column.name: change for column in table.columns if (change := self._change(table, column))}
        self._changes[table.name] = found
        return found

    def _change(self, table: Table, column: Column) -> _Change | None:
        """The change of a column's values; None: unchanged."""
        if column.type is Type.MAP:
            return lambda _, value: self._tags(value) if isinstance(value, dict) else None
        if column.type not in (Type.TEXT, Type.TEXTS) or _stays(table, column.name):
            return None
        if column.values:
            return _each(lambda _, text: text if text in column.values else self._names.name("value", text))
        if "environment" in column.name:
            return _each(lambda _, text: "->".join(map(self.environment, text.split("->"))))
        if column.name == "names":
            return _each(lambda _, text: self._alternative(text))
        kind = _kind(table, column.name)
        return _each(lambda row, text: text if text in _PUBLIC else self._names.text(kind(row), text))

    def _alternative(self, name: str) -> str:
        """A subject alternative name: `dns:host-7f3a...`."""
        kind, colon, text = name.partition(":")
        if colon and kind.isalpha() and len(kind) < 10:
            return f"{kind}:{self._names.text('domain', text)}"
        return self._names.text("domain", name)

    def _tags(self, tags: dict[str, str]) -> dict[str, str]:
        found = {}
        for name, value in tags.items():
            if name in ("env", "environment"):
                found[name] = self.environment(value)
            elif name == "owner" or name.startswith("keyaudit:"):
                found[name] = self._names.text(name.rpartition(":")[2], value)
            else:
                found[self._names.name("tag", name)] = self._names.text("value", value)
        return found


def _each(change: Callable[[Mapping[str, Value], str], str]) -> _Change:
    """The change for a text, or for each of several."""

    def changed(row: Mapping[str, Value], value: Value) -> Value:
        if isinstance(value, str):
            return change(row, value)
        return [change(row, each) for each in value] if isinstance(value, list) else None

    return changed


def _stays(table: Table, column: str) -> bool:
    return column in _STAY or (column == "name" and table.name in _OWN_NAMES)


def _kind(table: Table, column: str) -> Callable[[Mapping[str, Value]], str]:
    if column in ("name", "principal_name") and table.name in ("principal", "grant"):
        by = "kind" if table.name == "principal" else "principal_kind"
        if (table.name, column) != ("grant", "name"):
            return lambda row: _PEOPLE.get(str(row.get(by)), "app")
        return lambda _: "role"
    if column == "holder_name":
        return lambda row: _SIGNERS.get(str(row.get("kind")), "app")
    kind = _NAMES.get(table.name, table.name.replace("_", "-")) if column == "name" else _KINDS.get(column)
    named = kind or column.removesuffix("_id").replace("_", "-")
    return lambda _: named
