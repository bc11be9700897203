"""The tables from supplied logs."""


import dataclasses

from keyaudit.model.evidence import LOGS
from keyaudit.model.schema.columns import Area, Table, flag, integer, text, texts, time, where_found
from keyaudit.model.schema.opens import ALWAYS, ONE
from keyaudit.model.severity import Opens
from keyaudit.model.usage import Facet, Kind
from keyaudit.model.values.times import DAY

KEY_VAULT_LOG = "AZKVAuditLogs"
MAIL_LOG = "OfficeActivity"
SIGN_IN_LOGS = ("AADServicePrincipalSignInLogs", "AADManagedIdentitySignInLogs")
USER_SIGN_IN_LOG = "SigninLogs"
DIRECTORY_LOG = "AuditLogs"
ACTIVITY_LOG = "AzureActivity"
"""Logs by the names of their tables, independent of the export format."""

REACHES = 7 * DAY
"""A log whose last event is no older than this is taken to continue until now: exports arrive late and in batches."""
LATE = 4 * DAY
"""A log with an event no older than this continues: records arrive late, and there may be none on a long weekend."""

SHOWN_BY = {
    **dict.fromkeys(
        (
            *("sign", "verify", "encrypt", "decrypt", "wrap", "unwrap", "backup", "release", "read-secret"),
            *("import", "restore", "rotate", "change-rotation-policy", "delete", "purge", "write-secret"),
            *("write-vault", "change-vault-access", "use-security-domain", "create", "update", "list"),
        ),
        KEY_VAULT_LOG,
    ),
    **dict.fromkeys(("read-mail", "send-mail", "forward-mail", "grant-mailbox-access"), MAIL_LOG),
    "sign-in": SIGN_IN_LOGS[0],
    **dict.fromkeys(("saml-sign-in", "device-code-sign-in"), USER_SIGN_IN_LOG),
    **dict.fromkeys(
        (
            *("add-credential", "remove-credential", "add-service-principal", "change-federation"),
            *("grant-permission", "add-owner", "assign-directory-role", "restore-application", "enable-principal"),
            *("change-trusted-authority", "change-certificate-sign-in"),
        ),
        DIRECTORY_LOG,
    ),
    # Only changes after which less is recorded: switched off, or bypassed.
    "change-audit": MAIL_LOG,
    **dict.fromkeys(
        (
            *("remove-log-settings", "remove-log-destination", "remove-alert-rule", "assign-role", "elevate-access"),
            *("list-account-keys", "regenerate-account-key", "change-federation-servers", "change-log-settings"),
            *("add-federated-credential", "assign-identity"),
        ),
        ACTIVITY_LOG,
    ),
}
"""Operations in one vocabulary over all logs, with the log that records each. Other logs may contain copies."""
_OPERATIONS = tuple(SHOWN_BY)
_TARGETS = (
    *("key", "secret", "certificate", "mailbox", "application", "service-principal"),
    *("domain", "tenant", "resource", "vault", "user", "group"),
)


USAGE = Table(
    name="usage",
    order=330,
    area=Area.LOGS,
    noun="use",
    plural="uses",
    meaning=(
        "one use of a key, secret, certificate or mailbox, one sign-in with a credential, or one change of credentials,"
        " federation or logging, in a log; and one row for each such operation that the logs may have missed"
    ),
    needs=LOGS,
    added_by=(),
    replaced=False,
    opens={
        Opens.TENANT: 'target_kind in ["domain", "tenant"]',
        # Not all permissions of Microsoft's own applications can be seen.
        Opens.WIDE: 'target_home is not None and target_home == "microsoft"',
        Opens.ONE: ALWAYS,
    },
    columns=(
        *where_found(),
        time("used_on", "when it happened; for an operation outside the logs, the last possible time"),
        text("operation", "the operation, with the same names for all logs", values=_OPERATIONS),
        flag("succeeded", "it was performed, not refused", needs=LOGS),
        text("actor_app_id", "client id of the application that performed it, in lower case",
            absent="the log names none", needs=LOGS),
        text("client_app_id", "client id of the application that called it, in lower case",
            absent="the log names none, or no other application called it", needs=LOGS),
        text("api_app_id", "client id of the API through which the application read or sent mail, in lower case",
            absent="the log names none", needs=LOGS),
        text("principal_id",
            "object id of the user or service principal that it was performed for, else the sign-in name, in lower case",
            absent="the log names none", needs=LOGS),
        text("credential_key_id", "key id of the credential that was used to sign in, added or removed, in lower case",
            absent="the log names none", needs=LOGS),
        text("target_kind", "the target of the operation; for a sign-in, the application that the user or service signed in to",
            values=_TARGETS, needs=LOGS),
        text("target_id", "in lower case: the version of the key, secret or certificate as in its table, without the version "
            "if the log names none; else the mailbox, object id, domain, tenant or resource id",
            needs=LOGS),
        text("network", "the address it came from", absent="the log names none", needs=LOGS),
        text("client", "the program, by its user agent", absent="the log names none", needs=LOGS),
        text("granted_to", "object id of the service principal, user or group that got a permission or role, in lower case",
            absent="no permission was granted", needs=LOGS),
        text("permission", "the permission or role that was granted, or several permissions separated by spaces",
            absent="no permission was granted, or it was a role without a name", needs=LOGS),
        text("source", "the log that contains it, by its table name"),
        flag("expected",
            "the baseline knows this actor for the same operation on the same key, secret, kind of mailbox or kind of object",
            needs=LOGS, derived=True),
        text("environment", "the environment of the key, by its tags, its vault's tags, or your rules",
            absent="not stated, or no key was used", needs=LOGS, derived=True),
        text("actor_environment", "the home environment of the service principal that used the key",
            absent="no key was used, or it is a person or Microsoft's own", needs=LOGS, derived=True),
        time("superseded_on",
            "the creation date of the first enabled version after the key version that was used",
            absent="no newer version, or no key was used", needs=LOGS, derived=True),
        flag("signed_in_with", "the added credential was used to sign in afterwards; false if none was added",
            needs=LOGS, derived=True),
        text("target_home", "the owner of the application that got or lost a credential: this tenant, Microsoft, another "
            "tenant, or nobody",
            absent="no credentials were changed", values=("own", "microsoft", "foreign", "none"), needs=LOGS, derived=True),
        time("logs_until", "the end of the log that contains it, or now if that is earlier", derived=True),
        text("agent_blueprint", "the client id of the blueprint of a new agent identity: an agent of the tenant, or one that "
            "the blueprint's own principal created", absent="no agent was created", needs=LOGS, derived=True),
        integer("agents_created", "the number of agent identities created from that blueprint in the 24 hours up to this one, "
            "unless the next one counts more", absent="no agent was created, or the next one counts more",
            needs=LOGS, derived=True),
        integer("uses", "the number of uses on that day that this row represents, including itself: more than 1 if the log "
            "was summarized at its source, and only the first and last of equal uses were fetched", needs=LOGS),
        text("issuer", "the issuer that an added federated credential trusts", absent="no federated credential was added",
            needs=LOGS),
        flag("privileged", "it gives control of the tenant, or access to all mail or files, and is always reported",
            absent="it does not", needs=LOGS),
    ),
)

USAGE_LOG = Table(
    name="usage_log",
    order=340,
    area=Area.TENANT,
    noun="log",
    plural="logs",
    meaning="the supplied part of one log of one resource or of the tenant",
    needs=LOGS,
    added_by=(),
    replaced=False,
    columns=(
        *where_found(),
        text("source", "the log, by its table name"),
        text("logged_id",
            "id in lower case of the vault, HSM, subscription or tenant whose log it is; else the vault's address"),
        time("first_on", "the day of its first event of any kind, at midnight UTC", needs=LOGS),
        time("last_on", "the day of its last event of any kind, at midnight UTC", needs=LOGS),
        time("whole_since", "the day from which nothing is missing up to the last one, at midnight UTC: no day without an "
            "event on a weekday that always has some, no line or file that could not be read, no mailbox that was not "
            "recorded",
            absent="no such day is known", needs=LOGS),
        flag("learned", "the baseline was learned from such a log, so it includes the usual actors in it",
            absent="no baseline was supplied", needs=LOGS),
    ),
)

USAGE_BASELINE = Table(
    name="usage_baseline",
    order=350,
    area=Area.TENANT,
    noun="usual use",
    plural="usual uses",
    meaning=(
        "one application that usually performs an operation on a class of targets, or a caller, network, program, key, "
        "principal or API that it usually does so with"
    ),
    needs=LOGS,
    added_by=(),
    replaced=False,
    columns=(
        *where_found(),
        text("operation", "the operation, as in usage", values=_OPERATIONS),
        text("target_kind", "the kind of target, as in usage", values=_TARGETS),
        text("target_class", "the key, secret or certificate without its version, the mailbox's domain, or the application "
            "signed in to; (any): all of the kind"),
        text("app_id", "client id of the application that performs it, in lower case; for changes without an application, the "
            "object id of the principal",
            absent="the log names none", needs=LOGS),
        text("facet", "the property that the value describes: app covers all uses together", values=tuple(map(str, Facet))),
        text("value", "the caller, network, program, key, principal or API; empty for app"),
        time("first_on", "the first such use in the baseline's logs"),
        time("last_on", "the last such use in the baseline's logs"),
        integer("mailboxes",
            "the most mailboxes that the application read in one day, in all, from the network or with the program; for hour "
            "the most calls in one hour; 0 for other facets and operations"),
        time("learned_until", "the end of the baseline's last day", needs=LOGS),
        integer("reads",
            "the most that one mailbox was read in one day, in all, from the network or with the program; 0 for other facets "
            "and operations"),
        integer("uses", "how many such uses were learned; 0 for hour"),
        integer("days", "on how many days"),
    ),
)

_RANKS = ("info", "low", "medium", "high")

UNUSUAL_USE = Table(
    name="unusual_use",
    order=360,
    area=Area.LOGS,
    noun="use outside the baseline",
    plural="uses outside the baseline",
    meaning=(
        "the uses after the baseline by one application, of one operation on one class of targets, that are outside the "
        "baseline for one reason; and one row for each incomplete log"
    ),
    needs=LOGS,
    added_by=(),
    replaced=False,
    opens=ONE,
    columns=(
        *where_found(),
        *(
            dataclasses.replace(column, needs=LOGS, derived=True)
            for column in (
                text("kind", "the reason", values=tuple(map(str, Kind))),
                text("risk", "the severity, by operation", values=_RANKS),
                text("operation", "the operation, as in usage", values=_OPERATIONS),
                text("target_kind", "the kind of target", values=_TARGETS),
                text("target_class", "the class of targets, as in usage_baseline"),
                text("app_id", "client id of the application that performed it, as in usage_baseline",
                    absent="the log names none"),
                texts("new_values", "the first few values that are new; none for the application"),
                integer("new_count", "how many values are new"),
                integer("mailboxes", "the most mailboxes read in one day, or reads of one mailbox, or calls in one hour, or "
                    "users who signed in on one day, or new networks of one day"),
                integer("usual_mailboxes", "the maximum of one day in the baseline"),
                integer("uses", "how many uses"),
                integer("refused", "the number of refused uses"),
                integer("days", "the number of days with such uses"),
                time("first_on", "the first such use"),
                texts("objects", "the targets of the first three"),
                texts("principals", "the principals that the first three were performed for"),
                texts("networks", "the source addresses of the first three"),
                texts("records", "the ids of the first three records, if they have ids"),
                flag("notable", "its severity is above info, even if the log does not show whether it was refused"),
            )
        ),
        text("source", "the log that contains it; empty if it may be any", derived=True),
        time("last_on",
            "the last such use; for a use outside the logs, the last possible time", derived=True),
        time("logs_until", "the end of the logs, or now if that is earlier", derived=True),
    ),
)
