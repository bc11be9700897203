"""The tables of keys and settings of relying parties, from supplied files."""

from keyaudit.model.evidence import RELYING_PARTIES
from keyaudit.model.relying_parties import SHARED_AUTHORITIES
from keyaudit.model.schema.columns import Area, Table, flag, integer, text, time, where_found
from keyaudit.model.schema.opens import WIDE
from keyaudit.model.tables.entra.shared_key import SHARED

_SERVICE = text("relying_party", "your service, by the folder or name of its file")

PUBLISHED = ("login.metadata", "login.keys", "login.app_keys", *SHARED.values())
"""The operations needed to prove that a key is no longer published."""

TRUSTED_KEY = Table(
    name="trusted_key",
    order=310,
    area=Area.FEDERATION,
    noun="trusted key",
    plural="trusted keys",
    meaning="one key with which one of your services accepts tokens, from its configuration or cache",
    needs=RELYING_PARTIES,
    added_by=(),
    replaced=False,
    opens=WIDE,
    columns=(
        *where_found(),
        _SERVICE,
        text("held_as", "cache: fetched from the issuer; pinned: in its configuration; signed-list: in a signed list",
            values=("cache", "pinned", "signed-list"), needs=RELYING_PARTIES),
        text("key_id", "kid", absent="it has none", needs=RELYING_PARTIES),
        text("thumbprint", "SHA-1 of the certificate in upper-case hex",
            absent="it has no certificate", needs=RELYING_PARTIES),
        text("token_issuer", "the issuer of the tokens it is trusted for", absent="for anybody's", needs=RELYING_PARTIES),
        time("fetched_on", "when it was last fetched from the issuer, as the file says (fetched_on)",
            absent="it was never fetched", past=True, needs=RELYING_PARTIES),
        flag("published", "Entra still publishes the key: for the tenant, one of its applications, or many tenants",
            needs=RELYING_PARTIES, derived=True),
    ),
)

TOKEN_VALIDATOR = Table(
    name="token_validator",
    order=320,
    area=Area.FEDERATION,
    noun="token validator",
    plural="token validators",
    meaning="the settings with which one of your services decides which tokens it accepts",
    needs=RELYING_PARTIES,
    added_by=(),
    replaced=False,
    opens=WIDE,
    columns=(
        *where_found(),
        _SERVICE,
        text("authority", "the metadata from which it fetches keys; many tenants share the first three kinds",
            values=(*SHARED_AUTHORITIES, "tenant", "b2c"), needs=RELYING_PARTIES),
        flag("validates_issuer", "it compares the token's issuer with an expected issuer", needs=RELYING_PARTIES),
        integer("tenants_allowed", "the number of tenants whose tokens it accepts; 0: any tenant", needs=RELYING_PARTIES),
        flag("validates_audience", "it compares the token's audience with its own", needs=RELYING_PARTIES),
    ),
)
