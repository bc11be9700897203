"""The estate `northgate`: a company that is run normally, written without regard to the policies."""

from msgspec.structs import replace

from keyaudit.simulator.estate import (
    Application,
    Authority,
    AuthorityStore,
    CredentialUse,
    Domain,
    Estate,
    KeyCredential,
    PasswordCredential,
    Posture,
    Restriction,
    Restrictions,
    SignIn,
    TokenSigning,
)
from keyaudit.simulator.estates.contoso.workloads import access_policy
from keyaudit.simulator.estates.hardened import hardened_logs
from keyaudit.simulator.estates.ids import DAY, Ground
from keyaudit.simulator.estates.installer_credentials import Maker
from keyaudit.simulator.x509 import certificate
from tests.simulator.estates.northgate_azure import cluster_issuer, lay_azure
from tests.simulator.estates.northgate_entra import EMERGENCY, GRAPH, STALE, lay_directory


def maker(as_of: int) -> Maker:
    """Makes the objects of the company."""
    return Maker(Ground(2031, as_of, "northgate.example"))


def northgate(as_of: int) -> Estate:
    """The tenant as it stands at `as_of`."""
    make = maker(as_of)
    ground = make.ground
    directory, azure = lay_directory(make, cluster_issuer(ground)), lay_azure(make)
    estate = Estate(
        name="northgate",
        as_of=as_of,
        tenant_id=ground.tenant,
        tenant_name="Northgate (simulated tenant)",
        tenant_created=ground.moment(3_000, "tenant"),
        domains=(
            Domain(name=ground.domain, default=True),
            Domain(name="northgate-partners.example"),
            Domain(name="northgate.onmicrosoft.com", initial=True),
        ),
        subscriptions=azure.subscriptions,
        vaults=azure.vaults,
        applications=directory.applications,
        service_principals=(*directory.principals, *azure.principals),
        resources=azure.resources,
        identities=azure.identities,
        app_role_grants=directory.grants,
        consents=directory.consents,
        directory_roles=directory.roles,
        directory_role_grants=directory.role_grants,
        users=directory.users,
        groups=directory.groups,
        role_assignments=azure.assignments,
        eligibilities=azure.eligibilities,
        token_signing=TokenSigning(
            infrastructures=(
                AuthorityStore(
                    id=ground.guid("pki"), name="Northgate PKI", authorities=(authority(make, "Northgate Root CA"),)
                ),
            )
        ),
        posture=_posture(make),
        logs=hardened_logs(ground),
    )
    return with_uses(estate, ground)


def authority(make: Maker, name: str, age: int = 900, *, crl: bool = True) -> Authority:
    """A root that users' certificates may come from.

    https://learn.microsoft.com/entra/identity/authentication/how-to-certificate-based-authentication
    """
    start = make.ground.moment(age, "authority", name)
    made = certificate(f"CN={name}", key_name=name, start=start, end=start + 3_650 * DAY, authority=True)
    url = f"http://crl.{make.ground.domain}/root.crl" if crl else None
    return Authority(id=make.ground.guid("authority", name), name=f"CN={name}", certificate=made, crl=url, created=start)


def with_uses(estate: Estate, ground: Ground) -> Estate:
    """The estate with the last sign-ins, two days ago but for what is no longer used."""
    graph = ground.guid("principal", GRAPH)
    return replace(
        estate,
        sign_ins=tuple(
            SignIn(
                app_id=one.app_id,
                delegated=ground.moment(400 if one.name in STALE else 2, "sign-in", one.id),
                app_only=ground.moment(400 if one.name in STALE else 2, "sign-in", one.id),
            )
            for one in estate.service_principals
        ),
        credential_uses=tuple(
            CredentialUse(
                key_id=each.key_id,
                app_id=one.app_id,
                last=ground.moment(2, "use", each.key_id),
                resource_id=graph,
                certificate=isinstance(each, KeyCredential),
                end=each.end,
            )
            for one in estate.applications
            if one.name not in STALE
            for each in _held(one)
        ),
    )


def _held(application: Application) -> tuple[KeyCredential | PasswordCredential, ...]:
    return (*application.keys, *application.passwords)


def _posture(make: Maker) -> Posture:
    """Multifactor authentication for all but the emergency accounts, no legacy protocols, and secrets of a year at most.

    https://learn.microsoft.com/entra/identity/conditional-access/plan-conditional-access
    """
    limits = Restrictions(
        passwords=(Restriction(type="passwordLifetime", max_lifetime="P366D", created_after=make.ground.as_of - 90 * DAY),),
        uris=(Restriction(type="uriAdditionWithoutUniqueTenantIdentifier"),),
    )
    return Posture(
        default_enabled=True,
        for_applications=limits,
        for_service_principals=limits,
        users_register_apps=False,
        invites_from="adminsAndGuestInviters",
        guest_role="2af84b1e-32c8-42b7-82bc-daa82404023b",
        security_defaults=False,
        conditional_access=(
            access_policy(make.ground.guid("conditional access", "guests"), "Guests: multifactor"),
            _for_all(make, "Everyone: multifactor", "mfa", ["all"]),
            _for_all(make, "Everyone: no legacy protocols", "block", ["exchangeActiveSync", "other"]),
        ),
    )


def _for_all(make: Maker, name: str, control: str, clients: list[str]) -> dict[str, object]:
    policy = access_policy(make.ground.guid("conditional access", name), name)
    conditions, grant = policy["conditions"], policy["grantControls"]
    assert isinstance(conditions, dict)
    assert isinstance(grant, dict)
    left_out = [make.ground.guid("user", alias) for alias in EMERGENCY]
    users = {**conditions["users"], "includeUsers": ["All"], "excludeUsers": left_out}
    return {
        **policy,
        "conditions": {**conditions, "clientAppTypes": clients, "users": users},
        "grantControls": {**grant, "builtInControls": [control]},
    }
