"""The table of vaults and Managed HSMs."""

from keyaudit.model.evidence import CUSTODY, LOGS
from keyaudit.model.schema.columns import (
    Area,
    Left,
    Table,
    Where,
    count,
    duration,
    flag,
    integer,
    mapping,
    text,
    texts,
    time,
    where_found,
)
from keyaudit.model.severity import Opens
from keyaudit.model.tables.places import (
    ACCESS_MODELS,
    ARM_LEAVES_OUT,
    KEY_VAULT,
    KINDS,
    MANAGED_HSM,
    SKUS,
    VAULT_PARTS,
    in_test,
    vault_place,
)
from keyaudit.model.tables.reach import ACTIONS, ADMINISTRATORS, USING_AND_GRANTING, reach_columns
from keyaudit.model.tables.vaults.event_subscription import OBJECTS

_FOUND = ("vault.query", "vault.list", "hsm.query", "hsm.list")
_FIREWALL_OFF = "learn.microsoft.com/azure/key-vault/general/network-security: the firewall is off until it is set up"

_NO_VAULT = (Where("kind", (MANAGED_HSM,)),)
_NO_HSM = (Where("kind", (KEY_VAULT,)),)


VAULT = Table(
    name="vault",
    order=30,
    area=Area.VAULTS,
    noun="vault",
    plural="vaults",
    meaning="a Key Vault or a Managed HSM",
    added_by=_FOUND,
    parts=VAULT_PARTS,
    opens={Opens.WIDE: 'not in_test and (kind == "managed-hsm" or holds_signing_key)', Opens.ONE: "not in_test"},
    columns=(
        *where_found(*_FOUND),
        *vault_place(_FOUND),
        text("kind", "what it is, from its resource type", values=KINDS),
        text("vault_uri", "the address at which its keys are read", _FOUND),
        text("sku", "in lower case; premium does not prove that a key is in an HSM", _FOUND,
            values=SKUS),
        mapping("tags", "resource tags", _FOUND, absent="it has no tags", left_out=Left(None, ARM_LEAVES_OUT), wire="tags"),
        text("environment",
            "the tag env or environment, in lower case; else the vault's or subscription's environment in [environments]",
            absent="no such tag, and no matching setting", derived=True),
        text("tenant_id", "the tenant whose identities it accepts, a GUID in lower case", _FOUND),
        flag("of_another_tenant", "it accepts identities of a tenant other than its subscription's", _FOUND),
        text("access_model", "rbac, access-policy, or hsm-local for an HSM's own roles; a vault that never chose has access "
            "policies, regardless of the api-version", _FOUND,
            left_out=Left("access-policy", "learn.microsoft.com/azure/key-vault/general/access-control-default"),
            values=ACCESS_MODELS),
        text("api_version", "the version of Azure Resource Manager's API with which a plan manages it by the provider azapi",
            ("vault.query", "vault.list"),
            absent="not from a plan, or from a provider that chooses the version itself",
            left_out=Left(None, "only the type of a resource of azapi names it")),
        integer("access_policies", "the number of its access policies; under rbac they have no effect",
            ("vault.query", "vault.list"),
            absent="not a Key Vault", absent_where=_NO_VAULT),
        integer("storage_policies", "the number of its access policies with a permission for storage accounts that the vault "
            "manages, a legacy feature; under rbac they have no effect",
            ("vault.query", "vault.list"),
            absent="not a Key Vault", absent_where=_NO_VAULT),
        flag("purge_protection", "a deleted vault or key cannot be purged before its retention ends", _FOUND,
            left_out=Left(False, ARM_LEAVES_OUT)),
        flag("soft_delete", "a deleted key can be recovered", _FOUND),
        duration("soft_delete_retention", "how long a deleted key can be recovered", _FOUND,
            absent="never set: the service's default applies", left_out=Left(None, ARM_LEAVES_OUT)),
        text("public_network_access",
            "whether it is reachable other than through private endpoints", _FOUND,
            absent="never set: public access is not disabled", left_out=Left(None, ARM_LEAVES_OUT),
            values=("Enabled", "Disabled", "SecuredByPerimeter")),
        text("network_default_action", "the default action for addresses without a network rule", _FOUND,
            absent="no network rules were ever set: the firewall is off", left_out=Left(None, _FIREWALL_OFF),
            values=("Allow", "Deny")),
        text("network_bypass",
            "the services that bypass the network rules: AzureServices, which are Microsoft's trusted services, or None",
            _FOUND,
            absent="no network rules were ever set", left_out=Left(None, _FIREWALL_OFF), values=("AzureServices", "None")),
        integer("ip_rules", "the number of address ranges that the network rules allow", _FOUND, left_out=Left(0,
            _FIREWALL_OFF)),
        flag("every_address_let_in", "the allowed address ranges together cover all of IPv4", _FOUND,
            left_out=Left(False, _FIREWALL_OFF)),
        integer("virtual_network_rules", "the number of subnets that the network rules allow", _FOUND, left_out=Left(0,
            _FIREWALL_OFF)),
        integer("private_endpoints", "private endpoint connections, in any state", _FOUND,
            left_out=Left(0, ARM_LEAVES_OUT)),
        integer("private_endpoints_approved", "approved private endpoint connections; only these give access", _FOUND,
            left_out=Left(0, ARM_LEAVES_OUT)),
        flag("network_open", "it can be reached from any network; the rules of a network security perimeter are not read",
            derived=True),
        text("reached_from", "the networks that can reach it: any network, those that its rules allow, or only private "
            "endpoints; the rules of a network security perimeter are not read",
            values=("any-network", "chosen-networks", "private-endpoints"), derived=True),
        text("provisioning_state", "its provisioning state in Azure", _FOUND, values=("Succeeded", "RegisteringDns",
            "Provisioning",
            "Updating", "Deleting", "PartiallyDeleted", "Failed", "Activated", "SecurityDomainRestore", "Restoring"),
            wire="properties.provisioningState"),
        text("create_mode", "in lower case; recover while a deleted vault is being recovered", _FOUND,
            absent="not stated: it is not being recovered", left_out=Left(None, ARM_LEAVES_OUT),
            values=("default", "recover")),
        *(
            flag(name, f"{who} may read secrets from it", ("vault.query", "vault.list"),
                absent="not a Key Vault", absent_where=_NO_VAULT, left_out=Left(False, ARM_LEAVES_OUT))
            for name, who in (
                ("enabled_for_deployment", "virtual machines"),
                ("enabled_for_disk_encryption", "Azure Disk Encryption"),
                ("enabled_for_template_deployment", "Resource Manager, for a template's deployment,"),
            )
        ),
        time("created_on", "when the resource was created", _FOUND, absent="ARM does not state it",
            left_out=Left(None, "systemData is optional in ARM's common types"), past=True, wire="systemData.createdAt"),
        text("created_by", "who created the resource: a user's name, or an application's id",
            _FOUND, absent="ARM does not state it",
            left_out=Left(None, "systemData is optional in ARM's common types"), wire="systemData.createdBy"),
        text("security_domain",
            "whether the HSM was activated by the download of its security domain; no API shows who keeps the shares",
            ("hsm.query", "hsm.list"),
            absent="not a Managed HSM", absent_where=_NO_HSM, values=("Active", "NotActivated", "Unknown", "Failed")),
        time("security_domain_recorded_on",
            "the date of the last custody record for the shares of the HSM's security domain",
            absent="not a Managed HSM, or the supplied records have no entry for it",
            needs=CUSTODY, derived=True),
        texts("initial_admins", "object ids of the initial administrators of the HSM; its local roles show the current ones",
            ("hsm.query", "hsm.list"),
            absent="not a Managed HSM", absent_where=_NO_HSM),
        texts("regions", "the regions that the HSM is replicated to; empty if it is only in its own region",
            ("hsm.query", "hsm.list"),
            absent="not a Managed HSM", absent_where=_NO_HSM),
        flag("audit_logged", "a diagnostic setting sends its audit log (AuditEvent, or the group audit or allLogs) somewhere "
            "that is not known to be deleted", derived=True),
        flag("audit_searchable", "its audit log goes to a log table that can be searched", derived=True),
        texts("audit_destinations", "the kinds of destinations of its audit log, sorted",
            values=("workspace", "storage", "event-hub", "partner"), derived=True),
        duration("audit_retention", "the longest time for which its audit log can be searched",
            absent="no destination of it can be searched", derived=True),
        texts("near_expiry_heard", "the kinds of objects with near-expiry events that an event subscription receives. Filters "
            "on names are not evaluated; whether the destination still exists is not read",
            absent="not a Key Vault", absent_where=_NO_VAULT, values=OBJECTS, derived=True),
        texts("caller_addresses",
            "the addresses in the supplied logs from which its keys, secrets and certificates were used in the last 30 days",
            partial=True, derived=True, needs=LOGS),
        *(
            count(name, f"enabled current keys, certificates and secrets in it that will expire and that nothing renews: no "
                f"policy, no App Service certificate, no contacts who get mail, no job in the tag keyaudit:rotator{more}",
                derived=True)
            for name, more in (
                ("expiring_by_hand", ""),
                ("expiring_unheard", ", and no event subscription receives their near-expiry events"),
            )
        ),
        flag("keys_through_arm",
            "Azure Resource Manager can manage the keys of the HSM, so that Azure roles give access to them too",
            absent="not a Managed HSM", absent_where=_NO_HSM, derived=True),
        flag("holds_signing_key", "an enabled key version in it can sign", derived=True),
        *(
            count(name, f"how many {what} the tags of its enabled keys, certificates and secrets name{and_}", derived=True)
            for name, what, and_ in (
                ("apps_in_it", "applications", ", by the tag app"),
                ("environments_in_it", "environments", ", with its own"),
            )
        ),
        *reach_columns(*ACTIONS),
        USING_AND_GRANTING,
        ADMINISTRATORS,
        in_test("it or its subscription"),
    ),
)
