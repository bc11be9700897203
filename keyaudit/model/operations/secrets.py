"""Reads of what a vault says of its secrets: lists, which hold no value. A GET of a secret gives its value: there is none."""

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
