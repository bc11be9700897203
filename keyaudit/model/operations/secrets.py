"""Reads of secret metadata: lists, which contain no values. A GET of a secret returns its value, so none is declared."""

from keyaudit.model.operations.kinds import Family, vault_object

_LIST = "under access policies, secrets list"

FAMILY = Family("secrets, without their values", order=40)

DECLARED = (
    vault_object("secret.list", "secrets' metadata", "/secrets", otherwise=_LIST, paged=True),
    vault_object(
        "secret.versions",
        "secret versions' metadata",
        "/secrets/{secret}/versions",
        otherwise=_LIST,
        paged=True,
        after=("secret.list",),
    ),
)
