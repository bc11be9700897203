"""The estate `ordinary`: a tenant that holds what Microsoft's installers and common products leave, and how people run it.

Each object is as its installer makes it. The tests state, with the source, how keyaudit must judge each one.
"""

from msgspec.structs import replace

from keyaudit.simulator.estate import (
    CredentialUse,
    Domain,
    Estate,
    KeyCredential,
    PasswordCredential,
    Posture,
    Restriction,
    Restrictions,
    SignIn,
    Subscription,
)
from keyaudit.simulator.estates.hardened import hardened_activity, hardened_logs, hardened_posture
from keyaudit.simulator.estates.ids import Ground
from keyaudit.simulator.estates.log_plans import PLATFORM
from keyaudit.simulator.estates.ordinary_azure import arc_issuer, cluster_issuer, lay_azure
from keyaudit.simulator.estates.ordinary_entra import GRAPH, INTRANET, RUN_AS, lay_entra
from keyaudit.simulator.estates.ordinary_practices import with_habits

_UNUSED = frozenset({RUN_AS, INTRANET})


def ground_of(as_of: int) -> Ground:
    """The names and dates of the tenant."""
    return Ground(2027, as_of, "fabrikam.example")


def ordinary(as_of: int) -> Estate:
    """The tenant as it stands at `as_of`."""
    ground = ground_of(as_of)
    subscription = Subscription(
        id=ground.guid("subscription", PLATFORM),
        name="fabrikam-prod",
        management_groups=("mg-fabrikam",),
        activity_settings=(hardened_activity(ground),),
        defender="Standard",
    )
    entra = lay_entra(ground, cluster_issuer(ground), arc_issuer(ground))
    azure = lay_azure(ground, subscription.id)
    principals = (*entra.principals, *azure.principals)
    estate = Estate(
        name="ordinary",
        as_of=as_of,
        tenant_id=ground.tenant,
        tenant_name="Fabrikam (simulated tenant)",
        tenant_created=ground.moment(3_200, "tenant"),
        domains=(
            Domain(name=ground.domain, default=True),
            *entra.domains,
            Domain(name="fabrikam.onmicrosoft.com", initial=True),
        ),
        subscriptions=(subscription,),
        vaults=azure.vaults,
        applications=entra.applications,
        service_principals=principals,
        resources=azure.resources,
        stored=azure.stored,
        identities=azure.identities,
        app_role_grants=entra.grants,
        consents=entra.consents,
        directory_roles=entra.roles,
        directory_role_grants=entra.role_grants,
        sign_ins=tuple(
            SignIn(app_id=one.app_id, app_only=ground.moment(2, "sign-in", one.id))
            for one in principals
            if one.name not in _UNUSED
        ),
        users=entra.users,
        role_assignments=azure.assignments,
        posture=_posture(ground),
        logs=hardened_logs(ground),
    )
    return with_habits(replace(estate, credential_uses=credential_uses(estate)), ground)


def credential_uses(estate: Estate) -> tuple[CredentialUse, ...]:
    """The last use of the credentials of applications, two days ago, as Entra's report has it."""
    ground = ground_of(estate.as_of)
    found = []
    for one in estate.applications:
        signing = tuple(key for key in one.keys if key.usage == "Verify")
        held: tuple[KeyCredential | PasswordCredential, ...] = () if one.name in _UNUSED else (*signing, *one.passwords)
        found += [
            CredentialUse(
                key_id=each.key_id,
                app_id=one.app_id,
                last=ground.moment(2, "use", each.key_id),
                resource_id=ground.guid("principal", GRAPH),
                certificate=isinstance(each, KeyCredential),
                end=each.end,
            )
            for each in held
        ]
    return tuple(found)


def _posture(ground: Ground) -> Posture:
    """Restrictions that hold from today on, so that they say nothing of older credentials."""
    strict = hardened_posture(ground)
    limits = strict.for_applications

    def later(restrictions: tuple[Restriction, ...]) -> tuple[Restriction, ...]:
        return tuple(replace(one, created_after=ground.as_of) for one in restrictions)

    from_now = Restrictions(
        passwords=later(limits.passwords), keys=later(limits.keys), uris=limits.uris, redirects=limits.redirects
    )
    return replace(strict, for_applications=from_now, for_service_principals=from_now, policies=())
