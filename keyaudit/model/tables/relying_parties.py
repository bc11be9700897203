"""The tables of what relying parties trust: evidence that Azure's read APIs do not hold."""

from keyaudit.model.columns import Column, Table, Type, where_found
from keyaudit.model.evidence import RELYING_PARTIES
from keyaudit.model.relying_parties import SHARED_AUTHORITIES
from keyaudit.model.tables.shared_key import SHARED

_SERVICE = Column(name="relying_party", type=Type.TEXT, meaning="the service of yours, by the folder or the name of its file")

PUBLISHED = ("login.metadata", "login.keys", "login.app_keys", *SHARED.values())
"""The reads without which it cannot be told that a key is published no more."""

TRUSTED_KEY = Table(
    name="trusted_key",
    noun="trusted key",
    plural="trusted keys",
    meaning="one key by which a service of yours accepts tokens, as its configuration or its cache holds it",
    needs=RELYING_PARTIES,
    added_by=(),
    replaced=False,
    columns=(
        *where_found(),
        _SERVICE,
        Column(
            name="held_as",
            type=Type.TEXT,
            meaning="cache: fetched from the issuer; pinned: in its configuration; signed-list: in a list that is signed",
            values=("cache", "pinned", "signed-list"),
            needs=RELYING_PARTIES,
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
            meaning="when it was last fetched from the issuer, as the file says (fetched_on)",
            absent="it was never fetched",
            needs=RELYING_PARTIES,
            past=True,
        ),
        Column(
            name="published",
            type=Type.BOOLEAN,
            meaning="Entra publishes the key still: for the tenant, an application of it, or many tenants",
            derived_from=(
                "key_id",
                "thumbprint",
                "token_issuer",
                *(f"{table}.{column}" for table in ("issuer_key", "shared_key") for column in ("key_id", "thumbprint")),
            ),
            rows_of=PUBLISHED,
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
    added_by=(),
    replaced=False,
    columns=(
        *where_found(),
        _SERVICE,
        Column(
            name="authority",
            type=Type.TEXT,
            meaning="whose metadata it fetches keys from; the first three are metadata that many tenants share",
            values=(*SHARED_AUTHORITIES, "tenant", "b2c"),
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
