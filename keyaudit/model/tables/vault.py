"""The table of vaults and Managed HSMs."""

from keyaudit.model.columns import Column, Left, Table, Type, Where, where_found
from keyaudit.model.evidence import CUSTODY
from keyaudit.model.tables.places import (
    ACCESS_MODELS,
    ARM_LEAVES_OUT,
    KEY_VAULT,
    KINDS,
    MANAGED_HSM,
    VAULT_PARTS,
    vault_place,
)
from keyaudit.model.tables.reach import ACTIONS, ADMINISTRATORS, USING_AND_GRANTING, reach_columns

_FOUND = ("vault.query", "vault.list", "hsm.query", "hsm.list")
_FIREWALL_OFF = "learn.microsoft.com/azure/key-vault/general/network-security: the firewall is off until it is set up"

_NO_VAULT = (Where("kind", (MANAGED_HSM,)),)
_NO_HSM = (Where("kind", (KEY_VAULT,)),)

_AUDITED = ("diagnostic_setting.list", "hsm.diagnostic_setting.list")
_OBJECTS = ("key", "certificate", "secret")

VAULT = Table(
    name="vault",
    noun="vault",
    plural="vaults",
    meaning="a Key Vault or a Managed HSM",
    added_by=_FOUND,
    parts=VAULT_PARTS,
    columns=(
        *where_found(*_FOUND),
        *vault_place(_FOUND),
        Column(name="kind", type=Type.TEXT, meaning="what it is, from its resource type", values=KINDS),
        Column(
            name="vault_uri",
            type=Type.TEXT,
            meaning="where its keys are read",
            operations=_FOUND,
        ),
        Column(
            name="sku",
            type=Type.TEXT,
            meaning="in lower case; premium proves nothing about a key",
            operations=_FOUND,
            values=("standard", "premium", "standard_b1"),
        ),
        Column(
            name="tags",
            type=Type.MAP,
            meaning="resource tags",
            operations=_FOUND,
            absent="it has no tags",
            left_out=Left(None, ARM_LEAVES_OUT),
        ),
        Column(
            name="environment",
            type=Type.TEXT,
            meaning="the tag env or environment, in lower case; else what [environments] says of the vault or subscription",
            absent="no such tag, and nothing said",
            derived_from=("tags", "subscription_name"),
        ),
        Column(
            name="tenant_id",
            type=Type.TEXT,
            meaning="the tenant whose identities it takes, a GUID in lower case",
            operations=_FOUND,
        ),
        Column(
            name="of_another_tenant",
            type=Type.BOOLEAN,
            meaning="the identities that it takes are another tenant's than the one that pays for it",
            operations=_FOUND,
        ),
        Column(
            name="access_model",
            type=Type.TEXT,
            meaning=(
                "rbac, access-policy, or hsm-local for an HSM's own roles; "
                "a vault that never chose has access policies, whatever api-version reads it"
            ),
            operations=_FOUND,
            values=ACCESS_MODELS,
            left_out=Left("access-policy", "learn.microsoft.com/azure/key-vault/general/access-control-default"),
        ),
        Column(
            name="access_policies",
            type=Type.INTEGER,
            meaning="how many access policies it has; under rbac they are left-overs that open nothing",
            operations=("vault.query", "vault.list"),
            absent="not a Key Vault",
            absent_where=_NO_VAULT,
        ),
        Column(
            name="purge_protection",
            type=Type.BOOLEAN,
            meaning="a deleted vault or key cannot be purged before its retention ends",
            operations=_FOUND,
            left_out=Left(False, ARM_LEAVES_OUT),
        ),
        Column(
            name="soft_delete",
            type=Type.BOOLEAN,
            meaning="a deleted key can be recovered",
            operations=_FOUND,
        ),
        Column(
            name="soft_delete_retention",
            type=Type.DURATION,
            unit="seconds",
            meaning="how long a deleted key can be recovered",
            operations=_FOUND,
            absent="never set: the service's default holds",
            left_out=Left(None, ARM_LEAVES_OUT),
        ),
        Column(
            name="public_network_access",
            type=Type.TEXT,
            meaning="the first of two switches: whether other networks than private endpoints may reach it at all",
            operations=_FOUND,
            values=("Enabled", "Disabled", "SecuredByPerimeter"),
            absent="never set: it is not disabled",
            left_out=Left(None, ARM_LEAVES_OUT),
        ),
        Column(
            name="network_default_action",
            type=Type.TEXT,
            meaning="the second switch: what becomes of an address that no network rule names",
            operations=_FOUND,
            values=("Allow", "Deny"),
            absent="no network rules were ever set: the firewall is off",
            left_out=Left(None, _FIREWALL_OFF),
        ),
        Column(
            name="network_bypass",
            type=Type.TEXT,
            meaning="who passes the network rules: AzureServices, which are Microsoft's trusted services, or None",
            operations=_FOUND,
            values=("AzureServices", "None"),
            absent="no network rules were ever set",
            left_out=Left(None, _FIREWALL_OFF),
        ),
        Column(
            name="ip_rules",
            type=Type.INTEGER,
            meaning="how many address ranges the network rules let in",
            operations=_FOUND,
            left_out=Left(0, _FIREWALL_OFF),
        ),
        Column(
            name="every_address_let_in",
            type=Type.BOOLEAN,
            meaning="the address ranges that are let in are, together, the whole of IPv4",
            operations=_FOUND,
            left_out=Left(False, _FIREWALL_OFF),
        ),
        Column(
            name="virtual_network_rules",
            type=Type.INTEGER,
            meaning="how many subnets the network rules let in",
            operations=_FOUND,
            left_out=Left(0, _FIREWALL_OFF),
        ),
        Column(
            name="private_endpoints",
            type=Type.INTEGER,
            meaning="private endpoint connections, in whatever state",
            operations=_FOUND,
            left_out=Left(0, ARM_LEAVES_OUT),
        ),
        Column(
            name="private_endpoints_approved",
            type=Type.INTEGER,
            meaning="private endpoint connections that are approved: no other lets anyone in",
            operations=_FOUND,
            left_out=Left(0, ARM_LEAVES_OUT),
        ),
        Column(
            name="network_open",
            type=Type.BOOLEAN,
            meaning="it can be reached from any network; a network security perimeter's rules are not read",
            derived_from=("public_network_access", "network_default_action", "every_address_let_in"),
        ),
        Column(
            name="reached_from",
            type=Type.TEXT,
            meaning=(
                "from where it can be reached: any network, the networks that its rules let in, or private endpoints alone;"
                " a network security perimeter's rules are not read"
            ),
            values=("any-network", "chosen-networks", "private-endpoints"),
            derived_from=("public_network_access", "network_default_action", "every_address_let_in"),
        ),
        Column(
            name="provisioning_state",
            type=Type.TEXT,
            meaning="what Azure is doing with it",
            operations=_FOUND,
            values=(
                "Succeeded",
                "RegisteringDns",
                "Provisioning",
                "Updating",
                "Deleting",
                "Failed",
                "Activated",
                "SecurityDomainRestore",
                "Restoring",
            ),
        ),
        Column(
            name="create_mode",
            type=Type.TEXT,
            meaning="recover while it is being brought back from its deletion, in lower case",
            operations=_FOUND,
            absent="Azure does not say: it is not being recovered",
            left_out=Left(None, ARM_LEAVES_OUT),
            values=("default", "recover"),
        ),
        *(
            Column(
                name=name,
                type=Type.BOOLEAN,
                meaning=f"{who} may fetch secrets from it",
                operations=("vault.query", "vault.list"),
                absent="not a Key Vault",
                left_out=Left(False, ARM_LEAVES_OUT),
                absent_where=_NO_VAULT,
            )
            for name, who in (
                ("enabled_for_deployment", "virtual machines"),
                ("enabled_for_disk_encryption", "Azure Disk Encryption"),
                ("enabled_for_template_deployment", "Resource Manager, for a template's deployment,"),
            )
        ),
        Column(
            name="created_on",
            type=Type.TIME,
            unit="seconds since 1970 UTC",
            meaning="when the resource was made",
            operations=_FOUND,
            absent="ARM does not say",
            left_out=Left(None, "systemData is optional in ARM's common types"),
            past=True,
        ),
        Column(
            name="created_by",
            type=Type.TEXT,
            meaning="who made the resource: a user's name, or an application's id",
            operations=_FOUND,
            absent="ARM does not say",
            left_out=Left(None, "systemData is optional in ARM's common types"),
        ),
        Column(
            name="security_domain",
            type=Type.TEXT,
            meaning="whether the HSM was activated, by the download of its security domain; who keeps the shares no API says",
            operations=("hsm.query", "hsm.list"),
            values=("Active", "NotActivated", "Unknown", "Failed"),
            absent="not a Managed HSM",
            absent_where=_NO_HSM,
        ),
        Column(
            name="security_domain_recorded_on",
            type=Type.TIME,
            unit="seconds since 1970 UTC",
            meaning="when a custody record last confirmed who keeps the shares of the HSM's security domain; no API says",
            absent="not a Managed HSM, or the records that were supplied have none of it",
            derived_from=("kind",),
            needs=CUSTODY,
        ),
        Column(
            name="initial_admins",
            type=Type.TEXTS,
            meaning="object ids of who administered the HSM when it was made; who does now, its local roles say",
            operations=("hsm.query", "hsm.list"),
            absent="not a Managed HSM",
            absent_where=_NO_HSM,
        ),
        Column(
            name="regions",
            type=Type.TEXTS,
            meaning="the regions that the HSM is replicated to; none where it lies in its own alone",
            operations=("hsm.query", "hsm.list"),
            absent="not a Managed HSM",
            absent_where=_NO_HSM,
        ),
        Column(
            name="audit_logged",
            type=Type.BOOLEAN,
            meaning="a diagnostic setting sends its audit log somewhere: AuditEvent, or the group audit or allLogs",
            derived_from=("log_sink.audits",),
            rows_of=_AUDITED,
        ),
        Column(
            name="audit_searchable",
            type=Type.BOOLEAN,
            meaning="its audit log goes to a log table that can be queried at will",
            derived_from=("log_sink.audits", "log_sink.searchable"),
            rows_of=_AUDITED,
        ),
        Column(
            name="audit_destinations",
            type=Type.TEXTS,
            meaning="the kinds of places that its audit log goes to, sorted",
            values=("workspace", "storage", "event-hub", "partner"),
            derived_from=("log_sink.audits",),
            rows_of=_AUDITED,
        ),
        Column(
            name="audit_retention",
            type=Type.DURATION,
            unit="seconds",
            meaning="how long its audit log can be queried, where that is longest",
            absent="it goes nowhere where it can be queried",
            derived_from=("log_sink.audits", "log_sink.searchable", "log_sink.retention"),
            rows_of=_AUDITED,
        ),
        Column(
            name="keys_through_arm",
            type=Type.BOOLEAN,
            meaning="the HSM lets Azure Resource Manager manage its keys, so that Azure roles reach them too",
            derived_from=("hsm_setting.value",),
            absent="not a Managed HSM",
            absent_where=_NO_HSM,
        ),
        Column(
            name="holds_signing_key",
            type=Type.BOOLEAN,
            meaning="an enabled key version in it can sign",
            derived_from=("key.enabled", "key.key_ops"),
        ),
        *(
            Column(
                name=name,
                type=Type.COUNT,
                meaning=f"how many {what} the tags of its enabled keys, certificates and secrets name{and_}",
                derived_from=(*own, *(f"{table}.{column}" for table in _OBJECTS for column in ("enabled", "tags"))),
            )
            for name, what, and_, own in (
                ("apps_in_it", "applications", ", by the tag app", ()),
                ("environments_in_it", "environments", ", with its own", ("tags", "subscription_name")),
            )
        ),
        *reach_columns(*ACTIONS, derived_from=("access_model", "access_policies")),
        USING_AND_GRANTING,
        ADMINISTRATORS,
    ),
)
