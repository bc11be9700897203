"""The services of Contoso that use certificates, secrets and keys of its vaults, and the version that each of them uses."""

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from keyaudit.simulator import x509
from keyaudit.simulator.estate import Certificate, CertificateVersion, Plant, Resource, Subscription, Vault
from keyaudit.simulator.estates.defects import CMK_OLD_VERSION, CMK_UNREADABLE, SECRET_OLD_VERSION, SECRET_UNREADABLE
from keyaudit.simulator.key_vault import certificates

_SHOP, _LABELS, _REFERENCES = "app-contoso-shop", "app-contoso-labels", "config/configreferences/appsettings"
_EDGE, _ORDERS, _DATA = "kv-platform-edge", "kv-orders-prod", "kv-data-prod"
_TLS, _API, _MAIL = "wildcard-contoso-example", "api-gateway-tls", "mail-relay-tls"
_PASSWORD = "acquirer-sftp-password"  # noqa: S105 - the name of a secret
_FINDS = (
    (SECRET_UNREADABLE, _LABELS, f"{_REFERENCES}/MAIL_CERTIFICATE/secrets/{_EDGE}.vault.azure.net/{_MAIL}"),
    (SECRET_OLD_VERSION, _SHOP, f"{_REFERENCES}/ACQUIRER_PASSWORD/secrets/kv-payments-prod.vault.azure.net/{_PASSWORD}"),
    (SECRET_OLD_VERSION, "apim-contoso", f"secrets/{_EDGE}.vault.azure.net/{_API}"),
    (CMK_UNREADABLE, "psql-contoso-stores", f"encryption/{_DATA}.vault.azure.net/cosmos-cmk"),
    (CMK_OLD_VERSION, "stcontosolake", f"encryptionScopes/finance/encryption/{_DATA}.vault.azure.net/cosmos-cmk"),
)
"""Policy, resource, and the part of the resource that it must find."""


def consumer_plants(resources: Iterable[Resource]) -> set[Plant]:
    """Their planted defects."""
    ids = {resource.name: resource.id.lower() for resource in resources}
    return {Plant(policy, f"{ids[name]}/{part}".lower()) for policy, name, part in _FINDS}


def lay_consumers(subscriptions: Sequence[Subscription], vaults: Iterable[Vault]) -> tuple[Resource, ...]:
    """The resources, in the subscriptions `contoso-prod` and `contoso-platform`."""
    places = {subscription.name: subscription.id for subscription in subscriptions}
    by_name = {vault.name: vault for vault in vaults}
    prod = {"subscription": places["contoso-prod"], "tags": {"env": "prod"}}
    shared = {"subscription": places["contoso-platform"], "tags": {"env": "shared"}}
    return (*_edge(by_name, shared), *_apps(by_name, prod), *_databases(by_name, prod))


def scopes(vaults: Iterable[Vault]) -> dict[str, dict[str, dict[str, object]]]:
    """The encryption scopes of the account stcontosolake: one has not taken the new version."""
    [key] = [key for vault in vaults if vault.name == _DATA for key in vault.keys if key.name == "cosmos-cmk"]
    uri = f"https://{_DATA}.vault.azure.net/keys/{key.name}"
    old = next(version.version for version in key.versions if version.version != key.current)
    using = {"finance": old, "sales": key.current}
    named = {name: {"keyUri": uri, "currentVersionedKeyIdentifier": f"{uri}/{version}"} for name, version in using.items()}
    found: dict[str, dict[str, object]] = {
        name: {"source": "Microsoft.KeyVault", "state": "Enabled", "keyVaultProperties": each} for name, each in named.items()
    }
    return {"encryptionScopes": {"plain": {"source": "Microsoft.Storage", "state": "Enabled"}, **found}}


def _edge(vaults: Mapping[str, Vault], place: dict[str, Any]) -> Iterator[Resource]:
    edge = vaults[_EDGE]
    certificate, current, _ = _versions(edge, _TLS)
    properties = {
        "provisioningState": "Succeeded",
        "publicCertData": base64.b64encode(certificates.der(edge, certificate, current)).decode(),
        "keyVaultSecretId": f"https://{_EDGE}.vault.azure.net/secrets/{_TLS}",
    }
    listeners = [{"name": "wildcard", "properties": properties}]
    yield Resource(
        type="Microsoft.Network/applicationGateways",
        name="agw-contoso-edge",
        resource_group="rg-platform",
        properties={"sslCertificates": listeners},
        **place,
    )
    # It still serves the certificate before, months after the renewal.
    api, _, old = _versions(edge, _API)
    host = {
        "type": "Proxy",
        "hostName": "api.contoso.example",
        "certificateSource": "KeyVault",
        "certificateStatus": "Completed",
        "keyVaultId": f"https://{_EDGE}.vault.azure.net/secrets/{_API}",
        "certificate": {"thumbprint": x509.thumbprint(certificates.der(edge, api, old)), "subject": f"CN={api.subject}"},
    }
    yield Resource(
        type="Microsoft.ApiManagement/service",
        name="apim-contoso",
        resource_group="rg-platform",
        properties={"hostnameConfigurations": [host]},
        **place,
    )


def _apps(vaults: Mapping[str, Vault], place: dict[str, Any]) -> Iterator[Resource]:
    [password] = [one for one in vaults["kv-payments-prod"].secrets if one.name == _PASSWORD]
    new, old = (each.version for each in password.versions[:2])
    yield _app(
        _SHOP,
        place,
        ACQUIRER_PASSWORD=_reference("kv-payments-prod", _PASSWORD, "Resolved", old),
        ACQUIRER_PASSWORD_NEXT=_reference("kv-payments-prod", _PASSWORD, "Resolved", new),
    )
    yield _app(_LABELS, place, MAIL_CERTIFICATE=_reference(_EDGE, _MAIL, "AccessToKeyVaultDenied"))


def _app(name: str, place: dict[str, Any], **references: dict[str, object]) -> Resource:
    below: dict[str, dict[str, dict[str, object]]] = {_REFERENCES: dict(references)}
    return Resource(
        type="Microsoft.Web/sites", name=name, resource_group="rg-stores-prod", properties={}, children=below, **place
    )


def _reference(vault: str, name: str, status: str, version: str = "") -> dict[str, object]:
    found: dict[str, object] = {
        "reference": f"@Microsoft.KeyVault(SecretUri=https://{vault}.vault.azure.net/secrets/{name}/)",
        "vaultName": vault,
        "secretName": name,
        "identityType": "SystemAssigned",
        "status": status,
    }
    return found | ({"activeVersion": version} if version else {})


def _databases(vaults: Mapping[str, Vault], place: dict[str, Any]) -> Iterator[Resource]:
    [key] = [key for key in vaults[_DATA].keys if key.name == "cosmos-cmk"]
    uri = f"https://{_DATA}.vault.azure.net/keys/{key.name}/"
    for name, status in (("psql-contoso-stores", "Invalid"), ("psql-contoso-loyalty", "Valid")):
        encryption = {"type": "AzureKeyVault", "primaryKeyURI": uri, "primaryEncryptionKeyStatus": status}
        yield Resource(
            type="Microsoft.DBforPostgreSQL/flexibleServers",
            name=name,
            resource_group="rg-stores-prod",
            properties={"dataEncryption": encryption},
            **place,
        )


def _versions(vault: Vault, name: str) -> tuple[Certificate, CertificateVersion, CertificateVersion]:
    """A certificate with its current version, and another one."""
    [certificate] = [one for one in vault.certificates if one.name == name]
    other = next(one for one in certificate.versions if one.version != certificate.current)
    return certificate, certificates.current(certificate), other
