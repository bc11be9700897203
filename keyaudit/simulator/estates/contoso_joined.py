"""Contoso's applications that sign in with a certificate of a vault: one that serves two, and one that was left behind."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from keyaudit.simulator import certificates, x509
from keyaudit.simulator.estate import Application, KeyCredential, Plant, Vault
from keyaudit.simulator.estates.defects import SAME_CREDENTIAL
from keyaudit.simulator.estates.ids import Ground, application_id, credential_id


@dataclass(frozen=True, slots=True)
class _Use:
    """An application with the version of a certificate that was uploaded to it: 0 is the oldest."""

    application: str
    certificate: str
    version: int
    finds: tuple[str, ...] = ()


_USES = (
    # One certificate for production and for the tests.
    _Use("etl-runner", "etl-client", 1, finds=(SAME_CREDENTIAL,)),
    _Use("etl-runner-test", "etl-client", 1, finds=(SAME_CREDENTIAL,)),
    # The vault renewed it, and nobody told Entra.
    _Use("edi-gateway", "edi-client", 0),
)


def with_vault_certificates(
    applications: tuple[Application, ...], vaults: Iterable[Vault], ground: Ground
) -> tuple[Application, ...]:
    """The applications, those in the plan with the public half of the certificate that a vault holds."""
    held = {certificate.name: (vault, certificate) for vault in vaults for certificate in vault.certificates}
    laid: dict[str, KeyCredential] = {}
    for use in _USES:
        vault, certificate = held[use.certificate]
        version = sorted(certificate.versions, key=lambda one: one.created)[use.version]
        made = certificates.der(vault, certificate, version)
        laid[use.application] = KeyCredential(
            key_id=_key_id(use, ground),
            start=version.created,
            end=version.exp,
            display_name=f"CN={certificate.subject}",
            thumbprint=x509.thumbprint(made),
            certificate=made,
        )
    return tuple(replace(one, keys=(*one.keys, laid[one.name])) if one.name in laid else one for one in applications)


def joined_plants(ground: Ground) -> set[Plant]:
    """What must be found on these credentials."""
    return {
        Plant(
            policy,
            credential_id(application_id(ground.tenant, ground.guid("application", use.application)), _key_id(use, ground)),
        )
        for use in _USES
        for policy in use.finds
    }


def _key_id(use: _Use, ground: Ground) -> str:
    return ground.guid("uploaded", use.application, use.certificate)
