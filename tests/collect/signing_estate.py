"""A tenant with one of everything that tokens are signed with and checked by."""

from msgspec.structs import replace

from keyaudit.simulator.estate import (
    Authority,
    AuthorityStore,
    Domain,
    ExternalProvider,
    Federation,
    KeyCredential,
    KeySet,
    PublishedKey,
    ServicePrincipal,
    SetKey,
    TokenPolicy,
    TokenSigning,
)
from keyaudit.simulator.x509 import certificate, thumbprint
from tests.collect.estate import AS_OF, DAY, ESTATE, FEDERATION, PRINCIPALS, TENANT

CUSTOM_APP = "a1000000-0000-4000-8000-000000000009"
MANY = tuple(f"a0000000-0000-4000-8000-0000000001{number:02}" for number in range(25))


def made(name: str, age: int, life: int, **more: str) -> bytes:
    start = AS_OF - age * DAY
    return certificate(f"CN={name}", key_name=name, start=start, end=start + life * DAY, **more)


NEXT = made("Token Signing Service", 200, 3650, issuer="CN=Nobody", issuer_key="nobody")
PARTNER = made("login.partner.example", 20, 730)
CUSTOM = made("Custom", 30, 365)
ROOT, ISSUING, CLASSIC, FOR_APPLICATIONS = (made(name, 900, 7300) for name in ("root", "issuing", "classic", "applications"))
OLD, CONSUMERS, B2C = made("old", 2000, 1825), made("consumers", 10, 1825), made("b2c", 50, 365)


def _policy(collection: str, number: int, definition: str, applies_to: tuple[str, ...], default: bool = False) -> TokenPolicy:
    return TokenPolicy(
        collection=collection,
        id=f"90000000-0000-4000-8000-00000000000{number}",
        name=f"policy {number}",
        definition=(definition,),
        applies_to=applies_to,
        default=default,
    )


CLAIMS = """{"ClaimsMappingPolicy":{"Version":1,"IncludeBasicClaimSet":"true","ClaimsSchema":[
 {"Source":"user","ID":"employeeid","SamlClaimType":"http://a/name","JwtClaimType":"name"},{"ID":"x","JwtClaimType":"oid"}],
 "ClaimsTransformations":[{"ID":"j"}]}}"""
LIFETIME = '{"TokenLifetimePolicy":{"Version":1,"AccessTokenLifetime":"1.08:00:30"}}'
ISSUANCE = """{"TokenIssuancePolicy":{"TokenResponseSigningPolicy":"TokenOnly","SamlTokenVersion":"1.1",
 "SigningAlgorithm":"http://www.w3.org/2000/09/xmldsig#rsa-sha1","Version":"1","EmitSAMLNameFormat":"true"}}"""
POLICIES = (
    _policy("claimsMappingPolicies", 1, CLAIMS, (PRINCIPALS[0].id,)),
    _policy("tokenLifetimePolicies", 2, LIFETIME, (), default=True),
    _policy("tokenIssuancePolicies", 3, ISSUANCE, MANY),
    _policy("claimsMappingPolicies", 4, '{"ClaimsMappingPolicy":{"Version":1}}', MANY),
    _policy("tokenLifetimePolicies", 5, '{"TokenLifetimePolicy":{"Version":1}}', MANY),
)
CUSTOM_PRINCIPAL = ServicePrincipal(
    id="50000000-0000-4000-8000-000000000009",
    app_id=CUSTOM_APP,
    name="claims",
    created=AS_OF - 100 * DAY,
    home_tenant=TENANT,
    keys=tuple(
        KeyCredential(
            key_id=f"c0000000-0000-4000-8000-0000000000{number}",
            start=AS_OF - 30 * DAY,
            end=AS_OF + 335 * DAY,
            usage=usage,
            type=type_,
            thumbprint=thumbprint(CUSTOM),
            certificate=CUSTOM,
        )
        for number, usage, type_ in ((91, "Sign", "X509CertAndPassword"), (92, "Verify", "AsymmetricX509Cert"))
    ),
)
SECOND = Federation(
    id="d0000000-0000-4000-8000-000000000002",
    name="Outlet",
    host="sts.c.example",
    certificate=made("sts.c.example", 10, 365),
    next_certificate=NEXT,
    protocol="saml",
    mfa_behavior="acceptIfMfaDoneByFederatedIdp",
    signs_requests=True,
    update_result="couldNotAccessRemoteHost",
    updated=AS_OF - DAY,
)


def _authority(number: int, name: str, held: bytes, **more: object) -> Authority:
    return Authority(id=f"93000000-0000-4000-8000-00000000000{number}", name=name, certificate=held, **more)  # type: ignore[arg-type]


SIGNING = replace(
    ESTATE,
    name="signing",
    domains=(
        Domain(name="b.example", default=True),
        Domain(name="a.example", federated=True, federation=FEDERATION),
        Domain(name="C.example", federated=True, federation=SECOND),
    ),
    service_principals=(*PRINCIPALS, CUSTOM_PRINCIPAL),
    token_signing=TokenSigning(
        external=(
            ExternalProvider(
                id="d1000000-0000-4000-8000-000000000001", name="Partner", host="login.partner.example", certificate=PARTNER
            ),
        ),
        policies=POLICIES,
        validated_domains="enumerated",
        validated_names=("b.example", "a.example"),
        infrastructures=(
            AuthorityStore(
                id="91000000-0000-4000-8000-000000000001",
                name="PKI",
                authorities=(
                    _authority(1, "Root", ROOT, created=AS_OF - 5 * DAY),
                    _authority(2, "Issuing", ISSUING, root=False, crl="http://crl.example/a.crl", created=AS_OF - DAY),
                ),
            ),
        ),
        classic=(_authority(3, "Classic", CLASSIC, crl="http://crl.example/c.crl", delta_crl="http://crl.example/d.crl"),),
        for_applications=(
            AuthorityStore(
                id="91000000-0000-4000-8000-000000000002",
                name="Apps",
                authorities=(_authority(4, "Applications", FOR_APPLICATIONS),),
            ),
        ),
        published=(PublishedKey(certificate=OLD), PublishedKey(certificate=CONSUMERS, consumers=True)),
        tenant_type="AAD B2C",
        key_sets=(
            KeySet(
                id="B2C_1A_TokenSigningKeyContainer",
                keys=(
                    SetKey(kid="first", nbf=AS_OF - DAY, exp=AS_OF + DAY, certificate=B2C),
                    SetKey(kid="second", kty="oct", use="enc", status="disabled"),
                ),
            ),
            KeySet(id="B2C_1A_Empty"),
        ),
    ),
)
