"""Planted defects of the keys that sign and verify Contoso's tokens."""

from base64 import urlsafe_b64encode
from collections.abc import Iterable
from urllib.parse import quote

from keyaudit.simulator.estate import Domain, KeyCredential, Plant, ServicePrincipal, TokenSigning
from keyaudit.simulator.estates.contoso.signing import (
    BRANCH_CA,
    CALL_CENTRE,
    CLAIMS_APPLICATION,
    FORMER_CA,
    FRANCHISE,
    HELPDESK,
    OUTLET,
    ROOT_CA,
    SCANNERS,
    WHOLESALE,
)
from keyaudit.simulator.estates.contoso.trust import CLAIMS_API
from keyaudit.simulator.estates.defects import (
    AUTHORITY_EXPIRED,
    AUTHORITY_NO_CRL,
    CLAIMS_SIGNING_KEY,
    DOMAIN_CERT_EXPIRING,
    DOMAIN_CERT_VALIDITY,
    DOMAIN_MFA_TRUST,
    DOMAIN_SECOND_CERT,
    PUBLISHED_FOR_CONSUMERS,
    PUBLISHED_KEY_EXPIRED,
    SAML_SIGNED_OVER_SHA1,
    TOKEN_LIFETIME,
    WEAK_SIGNING_CERTIFICATE,
)
from keyaudit.simulator.estates.ids import Ground, principal_id, signing_certificate_id
from keyaudit.simulator.x509 import thumbprint

_LEFTOVER = "Woodgrove Treasury"
"""It moved to OpenID Connect, but still has its SAML certificate."""
_CONSUMERS = "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"
"""The issuer of tokens for personal accounts."""


def signing_plants(
    ground: Ground, domains: Iterable[Domain], signing: TokenSigning, principals: Iterable[ServicePrincipal]
) -> set[Plant]:
    """All of these defects."""
    tenant = f"/tenants/{ground.tenant}"
    by_name = {domain.name: domain.federation for domain in domains if domain.federation}
    own = {one.name: one.keys for one in principals}

    def of_domain(name: str, *, following: bool = False) -> str:
        found = by_name[name].next_certificate if following else by_name[name].certificate
        return signing_certificate_id(f"{tenant}/domains/{name}", thumbprint(found or b""))

    def published(certificate: bytes | None, *place: str) -> str:
        digest = urlsafe_b64encode(bytes.fromhex(thumbprint(certificate or b""))).decode().rstrip("=")
        return "/".join((tenant, "issuerkeys", *place, digest)).lower()

    messenger = signing.external[1]
    authorities = {one.name: one.certificate for one in signing.infrastructures[0].authorities}
    store = f"{tenant}/certificateauthorities/pki/{signing.infrastructures[0].id}"
    policies = {one.name: one.id for one in signing.policies}
    *_, retired, consumers = (one.certificate for one in signing.published)
    mapped = ((CLAIMS_APPLICATION, _signs(own[CLAIMS_APPLICATION])), (CLAIMS_API, _signs(own[CLAIMS_API])))
    leftover = _signs(own[_LEFTOVER])
    found = {
        DOMAIN_SECOND_CERT: (of_domain(OUTLET, following=True), of_domain(WHOLESALE, following=True)),
        DOMAIN_CERT_VALIDITY: (of_domain(OUTLET, following=True), of_domain(FRANCHISE), of_domain(WHOLESALE)),
        DOMAIN_CERT_EXPIRING: (of_domain(FRANCHISE),),
        DOMAIN_MFA_TRUST: (f"{tenant}/domains/{OUTLET}", f"{tenant}/domains/{FRANCHISE}"),
        WEAK_SIGNING_CERTIFICATE: (
            signing_certificate_id(f"{tenant}/externalidentityproviders/{messenger.id}", thumbprint(messenger.certificate)),
        ),
        CLAIMS_SIGNING_KEY: tuple(
            signing_certificate_id(principal_id(ground.tenant, ground.guid("principal", name)), key.thumbprint or "")
            for name, key in mapped
        ),
        TOKEN_LIFETIME: (f"{tenant}/policies/{policies[SCANNERS]}", f"{tenant}/policies/{policies[CALL_CENTRE]}"),
        SAML_SIGNED_OVER_SHA1: (f"{tenant}/policies/{policies[HELPDESK]}",),
        AUTHORITY_EXPIRED: (f"{store}/{thumbprint(authorities[FORMER_CA]).lower()}",),
        AUTHORITY_NO_CRL: tuple(f"{store}/{thumbprint(authorities[name]).lower()}" for name in (ROOT_CA, BRANCH_CA)),
        PUBLISHED_KEY_EXPIRED: (
            published(retired),
            published(leftover.certificate, ground.guid("client", _LEFTOVER)),
        ),
        PUBLISHED_FOR_CONSUMERS: (published(consumers) + "/" + quote(_CONSUMERS, safe="").lower(),),
    }
    return {Plant(policy, subject) for policy, subjects in found.items() for subject in subjects}


def _signs(keys: Iterable[KeyCredential]) -> KeyCredential:
    return next(key for key in keys if key.usage == "Sign")
