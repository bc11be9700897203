"""What Contoso's tokens are signed with and checked by, beyond its SAML applications: all of it made of real certificates."""

from keyaudit.simulator.estate import (
    Authority,
    AuthorityStore,
    Domain,
    ExternalProvider,
    Federation,
    PublishedKey,
    TokenPolicy,
    TokenSigning,
)
from keyaudit.simulator.estates.ids import DAY, Ground
from keyaudit.simulator.x509 import certificate

STORES = "stores.contoso.example"
OUTLET = "outlet.contoso.example"
CLAIMS_APPLICATION = "Supplier Portal"

_ENTRA = "CN=accounts.accesscontrol.windows.net"


def federated_domains(ground: Ground) -> tuple[Domain, ...]:
    """The stores' domain, with AD FS as it comes, and the outlet's, which nobody has looked at since it was bought."""
    stores, outlet = f"sts.{STORES}", f"sts.{OUTLET}"
    # Signed by nobody that anyone here knows, for ten years, and accepted all the while.
    unexplained = _made(
        ground,
        "CN=Token Signing Service",
        "unexplained",
        age=210,
        life=3_650,
        issuer="CN=Digital Trust Issuing CA 7,O=Digital Trust",
        issuer_key="digital trust",
    )
    normal = Federation(
        id=ground.guid("federation", STORES),
        name="Contoso Stores",
        host=stores,
        certificate=_made(ground, f"CN=ADFS Signing - {stores}", stores, age=140, life=365),
        mfa_behavior="rejectMfaByFederatedIdp",
        update_result="success",
        updated=ground.moment(1, "federation", STORES),
    )
    neglected = Federation(
        id=ground.guid("federation", OUTLET),
        name="Outlet",
        host=outlet,
        certificate=_made(ground, f"CN=ADFS Signing - {outlet}", outlet, age=300, life=365),
        next_certificate=unexplained,
        update_result="couldNotAccessRemoteHost",
        updated=ground.moment(1, "federation", OUTLET),
    )
    return (
        Domain(name=STORES, federated=True, federation=normal),
        Domain(name=OUTLET, federated=True, federation=neglected),
    )


def lay_signing(ground: Ground) -> TokenSigning:
    """Token policies, authorities that people sign in with, a partner's identity provider, and the published keys."""
    root = _made(ground, "CN=Contoso Workforce Root CA,O=Contoso", "workforce", age=900, life=7_300, authority=True)
    partner = "login.fourthcoffee.example"
    return TokenSigning(
        external=(
            ExternalProvider(
                id=ground.guid("provider", partner),
                name="Fourth Coffee",
                host=partner,
                certificate=_made(ground, f"CN={partner}", partner, age=80, life=730),
                domains=("fourthcoffee.example",),
            ),
        ),
        policies=_policies(ground),
        infrastructures=(
            AuthorityStore(
                id=ground.guid("pki"),
                name="Contoso workforce",
                authorities=(
                    Authority(
                        id=ground.guid("authority", "root"),
                        name="Contoso Workforce Root CA",
                        certificate=root,
                        created=ground.moment(400, "authority"),
                    ),
                ),
            ),
        ),
        published=(
            PublishedKey(certificate=_made(ground, _ENTRA, "entra next", age=12, life=1_825)),
            PublishedKey(certificate=_made(ground, _ENTRA, "entra before", age=900, life=1_825)),
            PublishedKey(certificate=_made(ground, _ENTRA, "entra old", age=1_900, life=1_825)),
        ),
    )


def _policies(ground: Ground) -> tuple[TokenPolicy, ...]:
    def policy(collection: str, name: str, definition: str, *applies_to: str) -> TokenPolicy:
        return TokenPolicy(
            collection=collection,
            id=ground.guid("policy", name),
            name=name,
            definition=(definition,),
            applies_to=applies_to,
        )

    return (
        policy(
            "claimsMappingPolicies",
            "Supplier number",
            '{"ClaimsMappingPolicy":{"Version":1,"IncludeBasicClaimSet":"true","ClaimsSchema":'
            '[{"Source":"user","ID":"extensionattribute3","JwtClaimType":"supplier_number"}]}}',
            ground.guid("principal", CLAIMS_APPLICATION),
        ),
        policy(
            "tokenLifetimePolicies",
            "Scanners stay signed in",
            '{"TokenLifetimePolicy":{"Version":1,"AccessTokenLifetime":"23:59:59"}}',
            ground.guid("application", "Warehouse Scanner Gateway"),
        ),
        policy(
            "tokenIssuancePolicies",
            "Helpdesk signature",
            '{"TokenIssuancePolicy":{"Version":1,"SamlTokenVersion":"2.0","TokenResponseSigningPolicy":"TokenOnly",'
            '"SigningAlgorithm":"http://www.w3.org/2000/09/xmldsig#rsa-sha1"}}',
            ground.guid("principal", "Adatum Helpdesk"),
        ),
    )


def _made(
    ground: Ground,
    subject: str,
    name: str,
    *,
    age: int,
    life: int,
    issuer: str = "",
    issuer_key: str = "",
    authority: bool = False,
) -> bytes:
    start = ground.moment(age, "certificate", name)
    return certificate(
        subject,
        key_name=ground.guid("key", name),
        start=start,
        end=start + life * DAY,
        issuer=issuer,
        issuer_key=issuer_key,
        authority=authority,
    )
