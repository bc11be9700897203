"""The tables of keys and settings of relying parties, from supplied files."""

from keyaudit.model.columns import Area, Table, flag, integer, text, time, where_found
from keyaudit.model.evidence import RELYING_PARTIES
from keyaudit.model.relying_parties import SHARED_AUTHORITIES
from keyaudit.model.tables.shared_key import SHARED

_SERVICE = text("relying_party", "the service of yours, by the folder or the name of its file")

PUBLISHED = ("login.metadata", "login.keys", "login.app_keys", *SHARED.values())
"""The operations needed to prove that a key is no longer published."""

TRUSTED_KEY = Table(
    name="trusted_key",
    order=310,
    area=Area.FEDERATION,
    noun="trusted key",
    plural="trusted keys",
    meaning="one key by which a service of yours accepts tokens, as its configuration or its cache holds it",
    needs=RELYING_PARTIES,
    added_by=(),
    replaced=False,
    columns=(
        *where_found(),
        _SERVICE,
        text("held_as", "cache: fetched from the issuer; pinned: in its configuration; signed-list: in a list that is signed",
            values=("cache", "pinned", "signed-list"), needs=RELYING_PARTIES),
        text("key_id", "kid", absent="it has none", needs=RELYING_PARTIES),
        text("thumbprint", "SHA-1 of the certificate in upper-case hex",
            absent="no certificate is with it", needs=RELYING_PARTIES),
        text("token_issuer", "whose tokens it is trusted for", absent="for anybody's", needs=RELYING_PARTIES),
        time("fetched_on", "when it was last fetched from the issuer, as the file says (fetched_on)",
            absent="it was never fetched", past=True, needs=RELYING_PARTIES),
        flag("published", "Entra publishes the key still: for the tenant, an application of it, or many tenants",
            needs=RELYING_PARTIES, derived=True),
    ),
)

TOKEN_VALIDATOR = Table(
    name="token_validator",
    order=320,
    area=Area.FEDERATION,
    noun="token validator",
    plural="token validators",
    meaning="the settings by which a service of yours decides which tokens it accepts",
    needs=RELYING_PARTIES,
    added_by=(),
    replaced=False,
    columns=(
        *where_found(),
        _SERVICE,
        text("authority", "whose metadata it fetches keys from; the first three are metadata that many tenants share",
            values=(*SHARED_AUTHORITIES, "tenant", "b2c"), needs=RELYING_PARTIES),
        flag("validates_issuer", "it compares the token's issuer with one that it expects", needs=RELYING_PARTIES),
        integer("tenants_allowed", "how many tenants it names whose tokens it accepts; 0: anybody's", needs=RELYING_PARTIES),
        flag("validates_audience", "it compares the token's audience with its own", needs=RELYING_PARTIES),
    ),
)
