"""The tables of evidence that Azure's read APIs do not hold: what logs show, and what relying parties trust."""

from keyaudit.model.columns import Column, Table, Type, where_found
from keyaudit.model.evidence import LOGS, RELYING_PARTIES

_SERVICE = Column(name="relying_party", type=Type.TEXT, meaning="the service of yours, by the name that its file gives")

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

TRUSTED_KEY = Table(
    name="trusted_key",
    noun="trusted key",
    plural="trusted keys",
    meaning="one key by which a service of yours accepts tokens, as its configuration or its cache holds it",
    needs=RELYING_PARTIES,
    listed_by=(),
    replaced=False,
    columns=(
        *where_found(),
        _SERVICE,
        Column(
            name="held_as",
            type=Type.TEXT,
            meaning="cache: fetched from the issuer; pinned: in its configuration; signed-list: in a list that is signed",
            values=("cache", "pinned", "signed-list"),
        ),
        Column(name="key_id", type=Type.TEXT, meaning="kid", absent="it has none", needs=RELYING_PARTIES),
        Column(
            name="thumbprint",
            type=Type.TEXT,
            meaning="SHA-1 of the certificate in upper-case hex",
            absent="no certificate is with it",
            needs=RELYING_PARTIES,
        ),
        Column(
            name="token_issuer",
            type=Type.TEXT,
            meaning="whose tokens it is trusted for",
            absent="for anybody's",
            needs=RELYING_PARTIES,
        ),
        Column(
            name="fetched_on",
            type=Type.TIME,
            unit="seconds since 1970 UTC",
            meaning="when it was last fetched from the issuer",
            absent="it was never fetched",
            needs=RELYING_PARTIES,
        ),
        Column(
            name="published",
            type=Type.BOOLEAN,
            meaning="the issuer publishes the key still",
            derived_from=("key_id", "thumbprint", "issuer_key.key_id", "issuer_key.thumbprint"),
            needs=RELYING_PARTIES,
        ),
    ),
)

TOKEN_VALIDATOR = Table(
    name="token_validator",
    noun="token validator",
    plural="token validators",
    meaning="the settings by which a service of yours decides which tokens it accepts",
    needs=RELYING_PARTIES,
    listed_by=(),
    replaced=False,
    columns=(
        *where_found(),
        _SERVICE,
        Column(
            name="authority",
            type=Type.TEXT,
            meaning="whose metadata it fetches keys from; the first three are metadata that many tenants share",
            values=("common", "organizations", "consumers", "tenant", "b2c"),
            needs=RELYING_PARTIES,
        ),
        Column(
            name="validates_issuer",
            type=Type.BOOLEAN,
            meaning="it compares the token's issuer with one that it expects",
            needs=RELYING_PARTIES,
        ),
        Column(
            name="tenants_allowed",
            type=Type.INTEGER,
            meaning="how many tenants it names whose tokens it accepts; 0: anybody's",
            needs=RELYING_PARTIES,
        ),
        Column(
            name="validates_audience",
            type=Type.BOOLEAN,
            meaning="it compares the token's audience with its own",
            needs=RELYING_PARTIES,
        ),
    ),
)
