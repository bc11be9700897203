"""The table of the tenant."""

from keyaudit.model.evidence import LOGS
from keyaudit.model.reasons import Reason
from keyaudit.model.schema.columns import Area, Table, count, flag, text, texts, time, where_found
from keyaudit.model.schema.opens import ALWAYS
from keyaudit.model.schema.wire import At, Unreadable, translated
from keyaudit.model.severity import Opens
from keyaudit.model.tables.alert_rule import WATCHED

_AUTHORIZATION = ("authorization_policy.get",)
# The domain in the file is compared with the tenant's domains.
_IMPORTED = ("organization.get", "domain.list")

# https://learn.microsoft.com/graph/api/resources/authorizationpolicy
_GUESTS = {
    "a0b1b346-4d3e-4e8b-98f8-753987be4970": "member",
    "10dae51f-b6af-4016-8d66-8c2a99b929b3": "guest",
    "2af84b1e-32c8-42b7-82bc-daa82404023b": "restricted-guest",
}
# Consent for oneself, and for the groups and chats that one owns.
# https://learn.microsoft.com/graph/api/resources/defaultuserrolepermissions
_FOR_SELF = "managepermissiongrantsforself."
_FOR_OWNED = "managepermissiongrantsforownedresource."
_GRANTED = "defaultUserRolePermissions.permissionGrantPoliciesAssigned"


def _user_consent_policies(granted: list[str]) -> list[str]:
    if not all(name.lower().startswith((_FOR_SELF, _FOR_OWNED)) for name in granted):
        raise Unreadable(Reason.UNRECOGNISED)
    return sorted({name[len(_FOR_SELF) :] for name in granted if name.lower().startswith(_FOR_SELF)})


def _users_consent(granted: list[str]) -> bool:
    """True as soon as one policy lets them consent; an unknown policy may do that too."""
    return any(name.lower().startswith(_FOR_SELF) for name in granted) or bool(_user_consent_policies(granted))


TENANT = Table(
    name="tenant",
    order=10,
    area=Area.TENANT,
    noun="tenant",
    plural="tenants",
    meaning="the Entra tenant",
    added_by=("organization.get",),
    opens={Opens.TENANT: ALWAYS},
    columns=(
        *where_found("organization.get", wire="displayName"),
        time("created_on", "when the tenant was created", ("organization.get",), absent="Graph has no date", past=True,
            wire="createdDateTime"),
        text("default_domain", "the default domain's name", ("domain.list",), absent="no domain is the default"),
        texts("verified_domains", "verified domains, sorted", ("domain.list",)),
        texts("federated_domains", "federated domains, sorted", ("domain.list",)),
        flag("users_register_apps", "any user may register applications (allowedToCreateApps)", _AUTHORIZATION,
            wire="defaultUserRolePermissions.allowedToCreateApps"),
        flag("users_consent", "users may consent by themselves to an application's access to their data", _AUTHORIZATION,
            wire=At(_GRANTED, list[str], _users_consent)),
        texts("user_consent_policies", "the permission grant policies under which users consent by themselves, sorted",
            _AUTHORIZATION, wire=At(_GRANTED, list[str], _user_consent_policies)),
        text("guest_invites", "who may invite guests (allowInvitesFrom)", _AUTHORIZATION,
            values=("none", "adminsAndGuestInviters", "adminsGuestInvitersAndAllMembers", "everyone"),
            wire="allowInvitesFrom"),
        text("guest_rights", "what guests may see of the directory (guestUserRoleId)", _AUTHORIZATION,
            values=("member", "guest", "restricted-guest"), wire=At("guestUserRoleId", str, translated(_GUESTS))),
        flag("security_defaults", "security defaults are on; a tenant with Conditional Access has them off",
            ("security_defaults.get",), wire="isEnabled"),
        flag("unified_audit_enabled",
            "the unified audit log of Microsoft 365 records events, according to the file of --import ual", _IMPORTED),
        flag("mailbox_audit_default",
            "mailbox auditing is on for the organization (AuditDisabled is false), according to the file of --import ual",
            _IMPORTED),
        text("unified_audit_evidence", "SHA-256 of that file, in hex", _IMPORTED),
        time("appid_baseline_on", "the end of the baseline of applications that read mail and use keys here",
            absent="no baseline was supplied with the logs", needs=LOGS, derived=True),
        flag("signs_in_elsewhere", "one of its domains is federated: its users sign in at another identity provider",
            derived=True),
        texts("entra_log_categories", "the exported categories of Entra's logs, sorted", derived=True),
        count("key_alerts", "enabled alert rules that watch Key Vault and notify somebody", derived=True),
        texts("alerts_watch", "the subjects of enabled alert rules that notify somebody, sorted",
            values=WATCHED, derived=True),
    ),
)
