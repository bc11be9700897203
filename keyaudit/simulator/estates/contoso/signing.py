"""Keys that sign and verify Contoso's tokens, except those of SAML applications, with real certificates."""

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
from keyaudit.simulator.estates.contoso.trust import CLAIMS_API
from keyaudit.simulator.estates.ids import DAY, Ground
from keyaudit.simulator.x509 import certificate

STORES = "stores.contoso.example"
OUTLET = "outlet.contoso.example"
FRANCHISE = "franchise.contoso.example"
WHOLESALE = "wholesale.contoso.example"
CLAIMS_APPLICATION = "Supplier Portal"

_ENTRA = "CN=accounts.accesscontrol.windows.net"
SCANNERS, CALL_CENTRE, HELPDESK = "Scanners stay signed in", "Call centre shift", "Helpdesk signature"
ROOT_CA, BRANCH_CA, FORMER_CA = "Contoso Workforce Root CA", "Contoso Branch Card CA", "Contoso Former Issuing CA"


def federated_domains(ground: Ground) -> tuple[Domain, ...]:
    """The stores' domain, with AD FS in its default settings, and three unattended domains."""
    stores, outlet, franchise, wholesale = (f"sts.{name}" for name in (STORES, OUTLET, FRANCHISE, WHOLESALE))
    # From an unknown CA, valid for ten years, and trusted.
    unexplained = _made(
        ground,
        "CN=Token Signing Service",
        "unexplained",
        age=210,
        life=3_650,
        issuer="CN=Digital Trust Issuing CA 7,O=Digital Trust",
        issuer_key="digital trust",
    )
    return (
        _domain(
            ground,
            STORES,
            "Contoso Stores",
            certificate=_adfs(ground, stores, age=140),
            mfa_behavior="rejectMfaByFederatedIdp",
            update_result="success",
        ),
        # Unattended since it was bought.
        _domain(
            ground,
            OUTLET,
            "Outlet",
            certificate=_adfs(ground, outlet, age=300),
            next_certificate=unexplained,
            update_result="couldNotAccessRemoteHost",
        ),
        # Created by hand, valid for more than three years.
        _domain(
            ground,
            FRANCHISE,
            "Franchise partners",
            certificate=_adfs(ground, franchise, age=1_183, life=1_200),
            mfa_behavior="acceptIfMfaDoneByFederatedIdp",
            update_result="couldNotAccessRemoteHost",
        ),
        # AD FS already uses the next certificate, which never became the primary one here.
        _domain(
            ground,
            WHOLESALE,
            "Wholesale",
            certificate=_adfs(ground, wholesale, age=413),
            next_certificate=_adfs(ground, wholesale, age=68, name=f"{wholesale} next"),
            mfa_behavior="enforceMfaByFederatedIdp",
            update_result="couldNotUpdateTenant",
        ),
    )


def lay_signing(ground: Ground) -> TokenSigning:
    """Token policies, CAs for user sign-in, partners' identity providers, and the published keys."""
    return TokenSigning(
        external=(
            _partner(ground, "Fourth Coffee", "fourthcoffee.example", age=80, life=730),
            # An old appliance.
            _partner(
                ground,
                "Consolidated Messenger",
                "consolidatedmessenger.example",
                age=2_500,
                life=5_475,
                bits=1_024,
            ),
        ),
        policies=_policies(ground),
        infrastructures=(AuthorityStore(id=ground.guid("pki"), name="Contoso workforce", authorities=_authorities(ground)),),
        published=(
            PublishedKey(certificate=_made(ground, _ENTRA, "entra next", age=12, life=1_825)),
            PublishedKey(certificate=_made(ground, _ENTRA, "entra before", age=900, life=1_825)),
            PublishedKey(certificate=_made(ground, _ENTRA, "entra old", age=1_900, life=1_825)),
            PublishedKey(certificate=_made(ground, _ENTRA, "consumers", age=400, life=1_825), consumers=True),
        ),
    )


def _domain(
    ground: Ground,
    name: str,
    title: str,
    *,
    certificate: bytes,
    next_certificate: bytes | None = None,
    mfa_behavior: str | None = None,
    update_result: str,
) -> Domain:
    federation = Federation(
        id=ground.guid("federation", name),
        name=title,
        host=f"sts.{name}",
        certificate=certificate,
        next_certificate=next_certificate,
        mfa_behavior=mfa_behavior,
        update_result=update_result,
        updated=ground.moment(1, "federation", name),
    )
    return Domain(name=name, federated=True, federation=federation)


def _adfs(ground: Ground, host: str, *, age: int, life: int = 365, name: str = "") -> bytes:
    return _made(ground, f"CN=ADFS Signing - {host}", name or host, age=age, life=life)


def _partner(ground: Ground, name: str, domain: str, *, age: int, life: int, bits: int = 2_048) -> ExternalProvider:
    host = f"login.{domain}"
    return ExternalProvider(
        id=ground.guid("provider", host),
        name=name,
        host=host,
        certificate=_made(ground, f"CN={host}", host, age=age, life=life, bits=bits),
        domains=(domain,),
    )


def _authorities(ground: Ground) -> tuple[Authority, ...]:
    def below(name: str, *, age: int, life: int, crl: str | None) -> Authority:
        subject = f"CN={name},O=Contoso"
        made = _made(ground, subject, name, age=age, life=life, issuer=root, issuer_key="workforce", authority=True)
        created = ground.moment(age - 10, "authority", name)
        return Authority(id=ground.guid("authority", name), name=name, certificate=made, root=False, crl=crl, created=created)

    root = f"CN={ROOT_CA},O=Contoso"
    return (
        Authority(
            id=ground.guid("authority", "root"),
            name=ROOT_CA,
            certificate=_made(ground, root, "workforce", age=900, life=7_300, authority=True),
            created=ground.moment(400, "authority"),
        ),
        below("Contoso Workforce Issuing CA", age=800, life=3_650, crl="http://pki.contoso.example/workforce.crl"),
        # For the branches' smart cards; its revocation list was never set.
        below(BRANCH_CA, age=700, life=3_650, crl=None),
        # Its predecessor, whose server was switched off.
        below(FORMER_CA, age=880, life=730, crl="http://pki.contoso.example/former.crl"),
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
            SCANNERS,
            '{"TokenLifetimePolicy":{"Version":1,"AccessTokenLifetime":"23:59:59"}}',
            ground.guid("application", "Warehouse Scanner Gateway"),
        ),
        # The length of a shift.
        policy(
            "tokenLifetimePolicies",
            CALL_CENTRE,
            '{"TokenLifetimePolicy":{"Version":1,"AccessTokenLifetime":"01:45:00"}}',
            ground.guid("application", "Returns Portal"),
        ),
        policy(
            "tokenLifetimePolicies",
            "Payments stay short",
            '{"TokenLifetimePolicy":{"Version":1,"AccessTokenLifetime":"00:15:00"}}',
            ground.guid("application", "Payments API"),
        ),
        policy(
            "claimsMappingPolicies",
            "Franchise number",
            '{"ClaimsMappingPolicy":{"Version":1,"IncludeBasicClaimSet":"true","ClaimsSchema":'
            '[{"Source":"user","ID":"extensionattribute4","JwtClaimType":"franchise_number"}]}}',
            ground.guid("principal", CLAIMS_API),
        ),
        policy(
            "tokenIssuancePolicies",
            HELPDESK,
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
    bits: int = 2_048,
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
        bits=bits,
    )
