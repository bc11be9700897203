"""The estate `northgate-abused`: `northgate` with fifteen dangers, and each can be left out."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from msgspec.structs import replace

from keyaudit.simulator import roles
from keyaudit.simulator.estate import DirectoryRoleGrant, Domain, Estate, FederatedCredential, Federation, RoleAssignment, Vault
from keyaudit.simulator.estates.holder_plans import GITHUB
from keyaudit.simulator.estates.ids import DAY
from keyaudit.simulator.estates.installer_credentials import Maker, years
from keyaudit.simulator.estates.key_plans import P256_HSM, SIGN, KeyPlan, VersionPlan, lay_key
from keyaudit.simulator.x509 import certificate
from tests.simulator.estates.northgate import authority, maker, northgate, with_uses
from tests.simulator.estates.northgate_azure import (
    BUILD,
    CMK,
    CODE_SIGNING,
    PROD,
    SIGNING,
    SQL_KEY,
    assigned,
    scope_of,
)
from tests.simulator.estates.northgate_entra import (
    ARCHIVE,
    AUTOMATION,
    DEVELOPERS,
    EXCHANGE,
    FREIGHT_CI,
    GRAPH,
    GUEST,
    HR,
    PAYROLL,
    SDK,
    SORTER,
    directory_role,
    granted,
    saml,
)

Danger: TypeAlias = Callable[[Estate, Maker], Estate]

PARTNERS, ROOT, MONITOR, GUEST_OWNER = "northgate-partners.example", "Helpdesk Test Root", "Old MSP Monitor", "casey.morgan"


def northgate_abused(as_of: int) -> Estate:
    """The tenant as it stands at `as_of`, with every danger."""
    return with_dangers(as_of, *DANGERS)


def with_dangers(as_of: int, *names: str) -> Estate:
    """The tenant with some of the dangers."""
    estate, make = northgate(as_of), maker(as_of)
    for name in names:
        estate = DANGERS[name](estate, make)
    estate = replace(estate, name="northgate-abused", tenant_name="Northgate, abused (simulated tenant)")
    return with_uses(estate, make.ground)


def _administers(estate: Estate, make: Maker) -> Estate:
    """An application of another organisation with an administrator's power. In the case of

    https://www.microsoft.com/security/blog/2022/09/22/malicious-oauth-applications-used-to-compromise-email-servers-and-spread-spam/
    it was registered in the tenant itself.
    """
    sorter = make.principal(SORTER, 6, home_tenant=make.ground.guid("vendor", SORTER))
    grant = granted(make, SORTER, GRAPH, "RoleManagement.ReadWrite.Directory")
    return replace(
        estate, service_principals=(*estate.service_principals, sorter), app_role_grants=(*estate.app_role_grants, grant)
    )


def _certificate_ends(estate: Estate, make: Maker) -> Estate:
    """https://learn.microsoft.com/entra/identity/enterprise-apps/tutorial-manage-certificates-for-federated-single-sign-on"""
    ends = saml(make, PAYROLL, 1_087, make.ground.as_of + 8 * DAY)
    principals = tuple(ends if one.name == PAYROLL else one for one in estate.service_principals)
    return replace(estate, service_principals=principals)


def _any_branch(estate: Estate, make: Maker) -> Estate:
    """https://learn.microsoft.com/entra/workload-id/workload-identities-flexible-federated-identity-credentials"""
    loose = FederatedCredential(
        id=make.ground.guid("federated", "branches"),
        name="branches",
        issuer=GITHUB,
        subject=None,
        claims_expression="claims['sub'] matches 'repo:northgate/route-sdk:ref:refs/heads/*'",
    )
    return _owner(_federated(estate, SDK, loose), make, make.ground.guid("principal", SDK), "ServicePrincipal")


def _tenant_administrator(estate: Estate, make: Maker) -> Estate:
    """https://learn.microsoft.com/entra/identity-platform/security-best-practices-for-app-registration"""
    forever = replace(make.secret(AUTOMATION, 500, 1), end=253_402_300_799)
    estate = replace(
        estate,
        applications=(*estate.applications, make.application(AUTOMATION, 520, passwords=(forever,))),
        service_principals=(*estate.service_principals, make.principal(AUTOMATION, 520)),
    )
    held = DirectoryRoleGrant(
        principal_id=make.ground.guid("principal", AUTOMATION), role_id=directory_role("Global Administrator")
    )
    return replace(estate, directory_role_grants=(*estate.directory_role_grants, held))


def _code_signing(estate: Estate, make: Maker) -> Estate:
    """https://cabforum.org/working-groups/code-signing/requirements/: the key may not leave the HSM."""

    def exported(vault: Vault) -> Vault:
        def loosened(name: str) -> bool:
            return name == CODE_SIGNING

        return replace(
            vault,
            keys=tuple(
                replace(key, versions=tuple(replace(one, kty="RSA", hsm_platform="0", exportable=True) for one in key.versions))
                if loosened(key.name)
                else key
                for key in vault.keys
            ),
            certificates=tuple(
                replace(one, policy=replace(one.policy, kty="RSA", exportable=True)) if loosened(one.name) else one
                for one in vault.certificates
            ),
        )

    read = assigned(
        make.ground, make.ground.guid("group", DEVELOPERS), roles.SECRETS_USER, scope_of(make.ground, PROD, BUILD), "Group"
    )
    return _role(_vault(estate, BUILD, exported), read)


def _guest_owns(estate: Estate, make: Maker) -> Estate:
    """https://learn.microsoft.com/entra/architecture/security-operations-applications"""
    guest = make.ground.guid("user", GUEST)
    applications = tuple(replace(one, owners=(*one.owners, guest)) if one.name == HR else one for one in estate.applications)
    grant = granted(make, HR, GRAPH, "RoleManagement.ReadWrite.Directory")
    return replace(estate, applications=applications, app_role_grants=(*estate.app_role_grants, grant))


def _federated_domain(estate: Estate, make: Maker) -> Estate:
    """https://www.cisa.gov/news-events/cybersecurity-advisories/aa21-008a"""
    start = make.ground.moment(3, "federation", PARTNERS)
    federation = Federation(
        id=make.ground.guid("federation", PARTNERS),
        name="any.sts",
        host="any.sts.example",
        certificate=certificate("CN=any.sts", key_name=PARTNERS, start=start, end=start + 3_650 * DAY),
        mfa_behavior="acceptIfMfaDoneByFederatedIdp",
    )
    domains = tuple(
        Domain(name=PARTNERS, federated=True, federation=federation) if one.name == PARTNERS else one for one in estate.domains
    )
    return replace(estate, domains=domains)


def _unwatched_signing(estate: Estate, make: Maker) -> Estate:
    """https://learn.microsoft.com/azure/key-vault/general/secure-key-vault"""
    old = lay_key(KeyPlan("customs-token-signing", P256_HSM, SIGN, (VersionPlan(1_500),)), SIGNING, make.ground)
    return _vault(estate, SIGNING, lambda one: replace(one, keys=(*one.keys, old), diagnostic_settings=()))


def _first_party_secret(estate: Estate, make: Maker) -> Estate:
    """https://www.cisa.gov/news-events/cybersecurity-advisories/aa21-008a"""
    added = make.secret("first party", 4, 730, "backup")
    principals = (
        replace(one, passwords=(*one.passwords, added)) if one.name == EXCHANGE else one for one in estate.service_principals
    )
    return replace(estate, service_principals=tuple(principals))


def _old_provider(estate: Estate, make: Maker) -> Estate:
    """https://www.cisa.gov/news-events/cybersecurity-advisories/aa22-131a: a former provider keeps its access."""
    monitor = make.principal(MONITOR, 1_200, home_tenant=make.ground.guid("vendor", MONITOR))
    estate = replace(estate, service_principals=(*estate.service_principals, monitor))
    return _role(estate, assigned(make.ground, monitor.id, roles.CRYPTO_OFFICER, scope_of(make.ground, PROD, SIGNING)))


def _guest_owner(estate: Estate, make: Maker) -> Estate:
    """https://learn.microsoft.com/azure/defender-for-cloud/recommendations-reference-identity-access"""
    return _owner(estate, make, make.ground.guid("user", GUEST_OWNER), "User")


def _database_key_ends(estate: Estate, make: Maker) -> Estate:
    """https://learn.microsoft.com/azure/azure-sql/database/transparent-data-encryption-byok-overview"""
    ends = make.ground.as_of + 6 * DAY

    def ending(vault: Vault) -> Vault:
        keys = (
            replace(key, rotation=None, versions=tuple(replace(one, exp=ends) for one in key.versions))
            if key.name == SQL_KEY
            else key
            for key in vault.keys
        )
        return replace(vault, keys=tuple(keys))

    return _vault(estate, CMK, ending)


def _unknown_issuer(estate: Estate, make: Maker) -> Estate:
    """https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations"""
    added = make.federated("preview", "https://oidc.preview-builds.example", "build")
    estate = _federated(estate, FREIGHT_CI, added)
    ground = make.ground
    return _role(estate, assigned(ground, ground.guid("principal", FREIGHT_CI), roles.CONTRIBUTOR, scope_of(ground, PROD)))


def _every_mailbox(estate: Estate, make: Maker) -> Estate:
    """https://www.microsoft.com/security/blog/2024/01/25/midnight-blizzard-guidance-for-responders-on-nation-state-attack/"""
    start = make.secret(ARCHIVE, 900, 1)
    secret = replace(start, end=years(start.start or 0, 5))
    return replace(
        estate,
        applications=(*estate.applications, make.application(ARCHIVE, 1_700, passwords=(secret,))),
        service_principals=(*estate.service_principals, make.principal(ARCHIVE, 1_700)),
        app_role_grants=(*estate.app_role_grants, granted(make, ARCHIVE, EXCHANGE, "full_access_as_app")),
    )


def _test_root(estate: Estate, make: Maker) -> Estate:
    """https://learn.microsoft.com/entra/identity/authentication/concept-certificate-based-authentication-technical-deep-dive"""
    signing = estate.token_signing
    [store] = signing.infrastructures
    store = replace(store, authorities=(*store.authorities, authority(make, ROOT, 3, crl=False)))
    return replace(estate, token_signing=replace(signing, infrastructures=(store,)))


def _owner(estate: Estate, make: Maker, principal: str, kind: str) -> Estate:
    return _role(estate, assigned(make.ground, principal, roles.OWNER, scope_of(make.ground, PROD), kind))


def _role(estate: Estate, added: RoleAssignment) -> Estate:
    return replace(estate, role_assignments=(*estate.role_assignments, added))


def _vault(estate: Estate, name: str, change: Callable[[Vault], Vault]) -> Estate:
    return replace(estate, vaults=tuple(change(one) if one.name == name else one for one in estate.vaults))


def _federated(estate: Estate, name: str, added: FederatedCredential) -> Estate:
    applications = (replace(one, federated=(*one.federated, added)) if one.name == name else one for one in estate.applications)
    return replace(estate, applications=tuple(applications))


DANGERS: Mapping[str, Danger] = {
    "federated domain": _federated_domain,
    "unknown publisher": _administers,
    "tenant administrator": _tenant_administrator,
    "first-party secret": _first_party_secret,
    "any branch": _any_branch,
    "guest owns": _guest_owns,
    "test root": _test_root,
    "guest Owner": _guest_owner,
    "every mailbox": _every_mailbox,
    "database key": _database_key_ends,
    "payroll certificate": _certificate_ends,
    "code signing": _code_signing,
    "unknown issuer": _unknown_issuer,
    "old provider": _old_provider,
    "unwatched signing": _unwatched_signing,
}
"""By name, in the order in which an architect would deal with them."""
