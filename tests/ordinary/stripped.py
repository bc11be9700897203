"""The same objects without what makes them a footprint, to see whether judgement was tuned to the footprints.

Names, app ids of Microsoft, identifier URIs, subjects of certificates, ARM ids of identities, content types and
the resources that name keys and secrets all go. Permissions, roles, owners, dates and kinds of credentials stay.
"""

import uuid

from msgspec.structs import replace

from keyaudit.simulator import x509
from keyaudit.simulator.estate import Application, Estate, KeyCredential, Secret, ServicePrincipal

_NAMING = frozenset(
    {
        "Microsoft.CertificateRegistration/certificateOrders",
        "Microsoft.Compute/diskEncryptionSets",
        "Microsoft.Compute/virtualMachines",
        "Microsoft.ContainerService/managedClusters",
        "Microsoft.DocumentDB/databaseAccounts",
        "Microsoft.Kubernetes/connectedClusters",
        "Microsoft.RedHatOpenShift/openShiftClusters",
        "Microsoft.Sql/servers",
        "Microsoft.Storage/storageAccounts",
    }
)


def stripped(estate: Estate) -> Estate:
    """The estate without its footprints."""
    applications = tuple(_application(one) for one in estate.applications)
    own = {one.app_id for one in applications}
    return replace(
        estate,
        applications=applications,
        service_principals=tuple(_principal(one, own=one.app_id in own) for one in estate.service_principals),
        resources=tuple(one for one in estate.resources if one.type not in _NAMING),
        vaults=tuple(replace(one, secrets=tuple(_secret(each) for each in one.secrets)) for one in estate.vaults),
    )


def _application(one: Application) -> Application:
    return replace(
        one,
        name=f"app {one.id[:8]}",
        identifier_uris=(),
        reply_urls=(),
        template=None,
        encryption_key=None,
        keys=tuple(_key(key) for key in one.keys),
        passwords=tuple(replace(each, display_name=None) for each in one.passwords),
    )


def _principal(one: ServicePrincipal, *, own: bool) -> ServicePrincipal:
    kept = own or one.type == "ManagedIdentity" or one.agent or one.app_roles
    return replace(
        one,
        name=f"app {one.id[:8]}",
        app_id=one.app_id if kept else str(uuid.uuid5(uuid.NAMESPACE_OID, one.id)),
        names=(),
        template=None,
        alternative_names=(),
        keys=tuple(_key(key) for key in one.keys),
        passwords=tuple(replace(each, display_name=None, thumbprint=None) for each in one.passwords),
    )


def _key(key: KeyCredential) -> KeyCredential:
    """One certificate stays one, wherever it is; only its subject and issuer change."""
    if key.certificate is None or key.start is None or key.end is None:
        return key
    subject = f"CN=key {key.thumbprint}"
    made = x509.certificate(subject, key_name=str(key.thumbprint), start=key.start, end=key.end)
    return replace(key, display_name=subject, certificate=made, thumbprint=x509.thumbprint(made))


def _secret(secret: Secret) -> Secret:
    if secret.managed:
        return secret
    return replace(secret, versions=tuple(replace(one, content_type=None) for one in secret.versions))
