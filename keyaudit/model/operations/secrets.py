"""Reads of secret metadata: lists, which contain no values. A GET of a secret returns its value, so none is declared."""

from keyaudit.model.operations.about import Named
from keyaudit.model.operations.kinds import SDK_ASSETS, AccessPolicy, Family, Recording, vault_object

_LIST = AccessPolicy("secrets", "list")

FAMILY = Family("secrets, without their values", order=40)

DECLARED = (
    vault_object("secret.list", "secrets' metadata", "/secrets", access_policy=_LIST, about=Named("id"), paged=True),
    vault_object(
        "secret.versions",
        "secret versions' metadata",
        "/secrets/{secret}/versions",
        access_policy=_LIST,
        about=Named("id", "/secrets/{secret}"),
        paged=True,
        after=("secret.list",),
    ),
)

RECORDED = {
    "secret.list": Recording(SDK_ASSETS, "test_example_secret_list_operations", 2024, kept=True),
    "secret.versions": Recording(SDK_ASSETS, "test_list_versions", 2024),
}
