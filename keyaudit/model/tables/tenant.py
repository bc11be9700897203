"""The table of the tenant."""

from keyaudit.model.columns import Area, Table, count, flag, text, texts, time, where_found
from keyaudit.model.evidence import LOGS
from keyaudit.model.tables.alert_rule import WATCHED

_AUTHORIZATION = ("authorization_policy.get",)
# The domain in the file is compared with the tenant's domains.
_IMPORTED = ("organization.get", "domain.list")

TENANT = Table(
    name="tenant",
    order=10,
    area=Area.TENANT,
    noun="tenant",
    plural="tenants",
    meaning="the Entra tenant",
    added_by=("organization.get",),
    columns=(
        *where_found("organization.get", wire="displayName"),
        time("created_on", "when the tenant was made", ("organization.get",), absent="Graph has no date", past=True,
            wire="createdDateTime"),
        text("default_domain", "the default domain's name", ("domain.list",), absent="no domain is the default"),
        texts("verified_domains", "verified domains, sorted", ("domain.list",)),
        texts("federated_domains", "domains that sign in elsewhere, sorted", ("domain.list",)),
        flag("users_register_apps", "any user may register applications (allowedToCreateApps)", _AUTHORIZATION),
        flag("users_consent", "users may consent by themselves to what an application asks of their data", _AUTHORIZATION),
        texts("user_consent_policies", "the permission grant policies under which users consent by themselves, sorted",
            _AUTHORIZATION),
        text("guest_invites", "who may invite guests (allowInvitesFrom)", _AUTHORIZATION,
            values=("none", "adminsAndGuestInviters", "adminsGuestInvitersAndAllMembers", "everyone")),
        text("guest_rights", "what guests may see of the directory (guestUserRoleId)", _AUTHORIZATION,
            values=("member", "guest", "restricted-guest")),
        flag("security_defaults", "security defaults are on; a tenant with Conditional Access has them off",
            ("security_defaults.get",)),
        flag("unified_audit_enabled",
            "the unified audit log of Microsoft 365 takes events in, as the file of --import ual says", _IMPORTED),
        flag("mailbox_audit_default",
            "mailbox auditing is on for the organization (AuditDisabled is false), as the file of --import ual says",
            _IMPORTED),
        text("unified_audit_evidence", "SHA-256 of that file, in hex", _IMPORTED),
        time("appid_baseline_on", "up to when it was learned from the logs which applications read mail and use keys here",
            absent="no baseline was supplied with the logs", needs=LOGS, derived=True),
        flag("signs_in_elsewhere", "a domain of it is federated: its users sign in at another identity provider", derived=True),
        texts("entra_log_categories", "the categories of Entra's logs that are sent somewhere, sorted", derived=True),
        count("key_alerts", "alert rules that are on, notify, and watch Key Vault", derived=True),
        texts("alerts_watch", "what alert rules that are on and notify watch, sorted",
            values=WATCHED, derived=True),
    ),
)
