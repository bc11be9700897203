"""Reads of certificates from the vault. Private keys are never read."""

from keyaudit.model.operations.about import Named
from keyaudit.model.operations.kinds import SDK_ASSETS, AccessPolicy, Family, Recording, vault_object

_LIST, _GET = (AccessPolicy("certificates", permission) for permission in ("list", "get"))

FAMILY = Family("certificates", order=30)

DECLARED = (
    # Certificates with a pending order are listed only with includePending.
    vault_object(
        "certificate.list",
        "certificates",
        "/certificates",
        access_policy=_LIST,
        about=Named("id"),
        query=(("includePending", "true"),),
        paged=True,
    ),
    vault_object(
        "certificate.versions",
        "certificate versions",
        "/certificates/{certificate}/versions",
        access_policy=_LIST,
        about=Named("id", "/certificates/{certificate}"),
        paged=True,
        after=("certificate.list",),
    ),
    # An empty {version} leaves the trailing slash, which names the current version.
    vault_object(
        "certificate.get",
        "certificates' public facts and policies",
        "/certificates/{certificate}/{version}",
        access_policy=_GET,
        about=Named("id"),
        after=("certificate.list", "certificate.versions"),
    ),
)

RECORDED = {
    "certificate.list": Recording(SDK_ASSETS, "test_example_certificate_list_operations", 2024, kept=True),
    "certificate.versions": Recording(SDK_ASSETS, "test_list_certificate_versions", 2024),
    "certificate.get": Recording(SDK_ASSETS, "test_example_certificate_recover", 2024, kept=True),
}
