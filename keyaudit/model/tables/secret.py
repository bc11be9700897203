"""The table of secrets, by version, with metadata only. Values are never read."""

from keyaudit.model.columns import Area, Left, Table, count, flag, text, where_found
from keyaudit.model.tables.places import KEY_VAULT_LEAVES_OUT, VAULT_ACCESS_MODEL, in_test
from keyaudit.model.tables.reach import READING, reach_columns
from keyaudit.model.tables.vault_objects import attributes, superseded, version_place

_SECRET = ("secret.list", "secret.versions")
_VERSIONS = ("secret.versions",)

SECRET = Table(
    name="secret",
    order=70,
    area=Area.KEYS,
    noun="secret version",
    plural="secret versions",
    meaning="what a vault says of one version of a secret, without its value",
    added_by=_SECRET,
    row_for_each=("secret.list",),
    subject="secret_id",
    columns=(
        *where_found(),
        *version_place("secret", _SECRET),
        *attributes(_SECRET, activates="nbf: not to be used before",
            expires="exp: not to be used after; the service gives it out all the same", never_expires="it never expires",
            dateless=Left(None, "learn.microsoft.com/azure/key-vault/secrets/about-secrets")),
        text("content_type", "what its owner says that it holds", _SECRET,
            absent="nothing was said", left_out=Left(None, KEY_VAULT_LEAVES_OUT), wire="contentType"),
        flag("managed", "it backs a certificate, with which it is judged", _SECRET,
            left_out=Left(False, KEY_VAULT_LEAVES_OUT), wire="managed"),
        text("certificate_id", "the certificate that it backs, which has its name",
            absent="it backs none", derived=True),
        *superseded("secret", _VERSIONS, _VERSIONS, "the version made last: no read that gives no value names the current one"),
        VAULT_ACCESS_MODEL,
        text("media_type", "the content type in lower case, without parameters such as a charset",
            absent="nothing was said", derived=True),
        count("encrypts_disks", "virtual machines and disks, as far as readable, that are encrypted with it", derived=True),
        count("bought_certificates", "orders of App Service certificates, as far as readable, that say they store theirs in it",
            derived=True),
        *reach_columns(READING),
        in_test("its vault or subscription"),
    ),
)
