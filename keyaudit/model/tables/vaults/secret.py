"""The table of secrets, by version, with metadata only. Values are never read."""

from keyaudit.model.schema.columns import Area, Left, Table, count, flag, text, where_found
from keyaudit.model.schema.opens import UNLESS_IN_TEST
from keyaudit.model.tables.places import KEY_VAULT_LEAVES_OUT, VAULT_ACCESS_MODEL, in_test
from keyaudit.model.tables.reach import READING, reach_columns
from keyaudit.model.tables.vaults.vault_objects import attributes, superseded, version_place

_SECRET = ("secret.list", "secret.versions")
_VERSIONS = ("secret.versions",)

SECRET = Table(
    name="secret",
    order=70,
    area=Area.KEYS,
    noun="secret version",
    plural="secret versions",
    meaning="one version of a secret in a vault, without its value",
    added_by=_SECRET,
    row_for_each=("secret.list",),
    subject="secret_id",
    opens=UNLESS_IN_TEST,
    columns=(
        *where_found(),
        *version_place("secret", _SECRET),
        *attributes(_SECRET, activates="nbf: not valid before",
            expires="exp: expiration date; the service still returns the secret afterwards", never_expires="it never expires",
            dateless=Left(None, "learn.microsoft.com/azure/key-vault/secrets/about-secrets")),
        text("content_type", "the content type that its owner set", _SECRET,
            absent="nothing was said", left_out=Left(None, KEY_VAULT_LEAVES_OUT), wire="contentType"),
        flag("managed", "it belongs to a certificate, and is evaluated with it", _SECRET,
            left_out=Left(False, KEY_VAULT_LEAVES_OUT), wire="managed"),
        text("certificate_id", "the certificate of the same name that it belongs to",
            absent="it backs none", derived=True),
        *superseded("secret", _VERSIONS, _VERSIONS, "the newest version: no read without the secret's value identifies the "
            "current one"),
        VAULT_ACCESS_MODEL,
        text("media_type", "the content type in lower case, without parameters such as a charset",
            absent="nothing was said", derived=True),
        count("encrypts_disks", "readable virtual machines and disks that are encrypted with it", derived=True),
        count("bought_certificates", "readable App Service certificate orders that store their certificate in it",
            derived=True),
        *reach_columns(READING),
        in_test("its vault or subscription"),
    ),
)
