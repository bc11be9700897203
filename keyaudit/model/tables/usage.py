"""The table of what logs show, which is evidence that Azure's read APIs do not hold."""

from keyaudit.model.columns import Column, Table, Type, where_found
from keyaudit.model.evidence import LOGS

USAGE = Table(
    name="usage",
    noun="use",
    plural="uses",
    meaning=(
        "one use of a key, secret, certificate or mailbox, one sign-in with a credential, or one change of credentials,"
        " federation or logging, that a log shows"
    ),
    needs=LOGS,
    listed_by=(),
    replaced=False,
    columns=(
        *where_found(),
        Column(
            name="used_on",
            type=Type.TIME,
            unit="seconds since 1970 UTC",
            meaning="when it was done",
        ),
        Column(
            name="operation",
            type=Type.TEXT,
            meaning="what was done, in one vocabulary over all logs",
            values=(
                *("sign", "verify", "encrypt", "decrypt", "wrap", "unwrap", "backup", "release", "read-secret"),
                *("read-mail", "sign-in"),
                *("add-credential", "remove-credential", "add-service-principal", "change-federation"),
                # Only what records less than before: switched off, or passed by.
                *("change-audit", "remove-log-settings"),
            ),
        ),
        Column(
            name="succeeded",
            type=Type.BOOLEAN,
            meaning="it was done, and not refused",
            needs=LOGS,
        ),
        Column(
            name="actor_app_id",
            type=Type.TEXT,
            meaning="client id of the application that did it, in lower case",
            absent="the log names none",
            needs=LOGS,
        ),
        Column(
            name="client_app_id",
            type=Type.TEXT,
            meaning="client id of the application that called it, in lower case",
            absent="the log names none, or it was called by nobody else",
            needs=LOGS,
        ),
        Column(
            name="principal_id",
            type=Type.TEXT,
            meaning="object id of the user or service principal for whom it was done, else the sign-in name, in lower case",
            absent="the log names none",
            needs=LOGS,
        ),
        Column(
            name="credential_key_id",
            type=Type.TEXT,
            meaning="key id of the credential that was signed in with, added or removed, in lower case",
            absent="the log names none",
            needs=LOGS,
        ),
        Column(
            name="target_kind",
            type=Type.TEXT,
            meaning="what it was done with or to; of a sign-in the application that was signed in to",
            values=(
                *("key", "secret", "certificate", "mailbox", "application", "service-principal"),
                *("domain", "tenant", "resource"),
            ),
        ),
        Column(
            name="target_id",
            type=Type.TEXT,
            meaning=(
                "in lower case: the version of the key, secret or certificate as in its table, without the version where the"
                " log names none; else the mailbox, object id, domain, tenant or resource id"
            ),
            needs=LOGS,
        ),
        Column(
            name="network",
            type=Type.TEXT,
            meaning="the address it came from",
            absent="the log names none",
            needs=LOGS,
        ),
        Column(
            name="client",
            type=Type.TEXT,
            meaning="the program, as it names itself",
            absent="the log names none",
            needs=LOGS,
        ),
        Column(name="source", type=Type.TEXT, meaning="the log that shows it, by the name of its table"),
        Column(
            name="expected",
            type=Type.BOOLEAN,
            meaning="the baseline names the application for such an operation, or it is Microsoft's own",
            derived_from=("operation", "actor_app_id", "client_app_id"),
            needs=LOGS,
        ),
    ),
)
