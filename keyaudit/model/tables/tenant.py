"""The table of the tenant."""

from keyaudit.model.columns import Column, Table, Type, where_found
from keyaudit.model.evidence import LOGS
from keyaudit.model.tables.alert_rule import WATCHED

_AUTHORIZATION = ("authorization_policy.get",)
# The file is checked against the tenant's domains.
_IMPORTED = ("organization.get", "domain.list")

TENANT = Table(
    name="tenant",
    noun="tenant",
    plural="tenants",
    meaning="the Entra tenant",
    added_by=("organization.get",),
    columns=(
        *where_found("organization.get"),
        Column(
            name="created_on",
            type=Type.TIME,
            unit="seconds since 1970 UTC",
            meaning="when the tenant was made",
            operations=("organization.get",),
            absent="Graph has no date",
            past=True,
        ),
        Column(
            name="default_domain",
            type=Type.TEXT,
            meaning="the default domain's name",
            operations=("domain.list",),
            absent="no domain is the default",
        ),
        Column(name="verified_domains", type=Type.TEXTS, meaning="verified domains, sorted", operations=("domain.list",)),
        Column(
            name="federated_domains",
            type=Type.TEXTS,
            meaning="domains that sign in elsewhere, sorted",
            operations=("domain.list",),
        ),
        Column(
            name="users_register_apps",
            type=Type.BOOLEAN,
            meaning="any user may register applications (allowedToCreateApps)",
            operations=_AUTHORIZATION,
        ),
        Column(
            name="users_consent",
            type=Type.BOOLEAN,
            meaning="users may consent by themselves to what an application asks of their data",
            operations=_AUTHORIZATION,
        ),
        Column(
            name="user_consent_policies",
            type=Type.TEXTS,
            meaning="the permission grant policies under which users consent by themselves, sorted",
            operations=_AUTHORIZATION,
        ),
        Column(
            name="guest_invites",
            type=Type.TEXT,
            meaning="who may invite guests (allowInvitesFrom)",
            operations=_AUTHORIZATION,
            values=("none", "adminsAndGuestInviters", "adminsGuestInvitersAndAllMembers", "everyone"),
        ),
        Column(
            name="guest_rights",
            type=Type.TEXT,
            meaning="what guests may see of the directory (guestUserRoleId)",
            operations=_AUTHORIZATION,
            values=("member", "guest", "restricted-guest"),
        ),
        Column(
            name="security_defaults",
            type=Type.BOOLEAN,
            meaning="security defaults are on; a tenant with Conditional Access has them off",
            operations=("security_defaults.get",),
        ),
        Column(
            name="unified_audit_enabled",
            type=Type.BOOLEAN,
            meaning="the unified audit log of Microsoft 365 takes events in, as the file of --import ual says",
            operations=_IMPORTED,
        ),
        Column(
            name="mailbox_audit_default",
            type=Type.BOOLEAN,
            meaning="mailbox auditing is on for the organization (AuditDisabled is false), as the file of --import ual says",
            operations=_IMPORTED,
        ),
        Column(
            name="unified_audit_evidence",
            type=Type.TEXT,
            meaning="SHA-256 of that file, in hex",
            operations=_IMPORTED,
        ),
        Column(
            name="appid_baseline_on",
            type=Type.TIME,
            unit="seconds since 1970 UTC",
            meaning="up to when it was learned from the logs which applications read mail and use keys here",
            absent="no baseline was supplied with the logs",
            derived_from=("usage_baseline.learned_until",),
            needs=LOGS,
        ),
        Column(
            name="signs_in_elsewhere",
            type=Type.BOOLEAN,
            meaning="a domain of it is federated: its users sign in at another identity provider",
            derived_from=("federated_domains",),
        ),
        Column(
            name="entra_log_categories",
            type=Type.TEXTS,
            meaning="the categories of Entra's logs that are sent somewhere, sorted",
            derived_from=("log_sink.categories", "log_sink.category_groups"),
            rows_of=("entra_log.list",),
        ),
        Column(
            name="key_alerts",
            type=Type.COUNT,
            meaning="alert rules that are on, notify, and watch Key Vault; Sentinel's own rules are not counted",
            derived_from=("alert_rule.enabled", "alert_rule.notifies", "alert_rule.watches"),
        ),
        Column(
            name="alerts_watch",
            type=Type.TEXTS,
            meaning="what alert rules that are on and notify watch, sorted; Sentinel's own rules are not read",
            values=WATCHED,
            derived_from=("alert_rule.enabled", "alert_rule.notifies", "alert_rule.watches"),
        ),
    ),
)
