"""Contoso's applications that sign in with a certificate of a vault: one that serves two, and two that were left behind."""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from keyaudit.simulator import roles, x509
from keyaudit.simulator.estate import Application, Estate, KeyCredential, Plant, RoleAssignment, Vault
from keyaudit.simulator.estates.defects import (
    CERT_SELF_SIGNED,
    EXPORTABLE_AUTH_CERT,
    NOT_RETIRED,
    ONE_CERT_MANY,
    PUBLIC_CERTIFICATE,
    SAME_CREDENTIAL,
)
from keyaudit.simulator.estates.ids import Ground, application_id, certificate_id, credential_id, vault_id
from keyaudit.simulator.key_vault import certificates

_READABLE, _READER = "kv-data-prod", "tomas.novak"
"""A vault, and the principal that can read its secrets and therefore private keys."""


class _Use(Struct, frozen=True):
    """An application, and the certificate version that was uploaded to it; 0 is the oldest, -1 the newest.

    `finds`: the policies that must find that version; `retired` false: the credential should have been removed.
    """

    application: str
    certificate: str
    version: int
    in_entra: tuple[str, ...] = ()
    """The policies that must find the credential; `finds`: those that must find the certificate."""
    finds: tuple[str, ...] = ()


_USES = (
    # One certificate for production and for the tests.
    _Use(
        "etl-runner",
        "etl-client",
        1,
        in_entra=(SAME_CREDENTIAL,),
        finds=(CERT_SELF_SIGNED, ONE_CERT_MANY, EXPORTABLE_AUTH_CERT),
    ),
    _Use("etl-runner-test", "etl-client", 1, in_entra=(SAME_CREDENTIAL,)),
    # Renewed in the vault, but not in Entra. A managed identity, not the application itself, loads the first one.
    _Use("edi-gateway", "edi-client", 0, in_entra=(NOT_RETIRED,), finds=(CERT_SELF_SIGNED, EXPORTABLE_AUTH_CERT)),
    _Use("feed-publisher", "feed-client", 0, in_entra=(NOT_RETIRED,)),
    # The key of a web server signs in, too.
    _Use("Partner EDI", "pay-api-tls", -1, finds=(PUBLIC_CERTIFICATE,)),
)


def with_vault_certificates(
    applications: tuple[Application, ...], vaults: Iterable[Vault], ground: Ground
) -> tuple[tuple[Application, ...], set[Plant]]:
    """The applications, those in the plan with their vault certificate's public half, and the planted defects."""
    ids = {application.name: application.id for application in applications}
    held = {certificate.name: (vault, certificate) for vault in vaults for certificate in vault.certificates}
    laid: dict[str, KeyCredential] = {}
    plants: set[Plant] = set()
    for use in _USES:
        vault, certificate = held[use.certificate]
        version = sorted(certificate.versions, key=lambda one: one.created)[use.version]
        made = certificates.der(vault, certificate, version)
        key_id = ground.guid("uploaded", use.application, use.certificate)
        row = f"{certificate_id(vault.name, use.certificate)}/{version.version}"
        plants.update(Plant(policy, row) for policy in use.finds)
        credential = credential_id(application_id(ground.tenant, ids[use.application]), key_id)
        plants.update(Plant(policy, credential) for policy in use.in_entra)
        laid[use.application] = KeyCredential(
            key_id=key_id,
            start=version.created,
            end=version.exp,
            display_name=f"CN={certificate.subject}",
            thumbprint=x509.thumbprint(made),
            certificate=made,
        )
    joined = (replace(one, keys=(*one.keys, laid[one.name])) if one.name in laid else one for one in applications)
    return tuple(joined), plants


def with_reader(estate: Estate, ground: Ground) -> Estate:
    """The estate with a harmless-looking role: reading secrets in a vault."""
    vault = next(vault for vault in estate.vaults if vault.name == _READABLE)
    assignment = RoleAssignment(
        id=ground.guid("assignment", _READABLE, _READER),
        scope=vault_id(vault.subscription, vault.resource_group, vault.name),
        role=roles.SECRETS_USER,
        principal=ground.guid("user", _READER),
        principal_type="User",
        created=ground.moment(280, "assignment", _READABLE, _READER),
    )
    return replace(estate, role_assignments=(*estate.role_assignments, assignment))
