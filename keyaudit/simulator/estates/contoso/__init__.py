"""The estate `contoso`, the face of the demo: a retailer's tenant, fully readable, in which all defects are intended."""

from collections.abc import Iterable

from msgspec.structs import replace

from keyaudit.simulator.estate import Application, Domain, Estate, Plant, ServicePrincipal, Subscription, Vault
from keyaudit.simulator.estates.certificate_plans import Furniture, furnished
from keyaudit.simulator.estates.contoso.access import with_access
from keyaudit.simulator.estates.contoso.agents import with_agents
from keyaudit.simulator.estates.contoso.applications import APPLICATIONS
from keyaudit.simulator.estates.contoso.certificates import FURNITURE, deleted_vaults
from keyaudit.simulator.estates.contoso.consumers import consumer_plants, lay_consumers, scopes
from keyaudit.simulator.estates.contoso.events import with_events
from keyaudit.simulator.estates.contoso.grants import with_grants
from keyaudit.simulator.estates.contoso.hsm import HSMS
from keyaudit.simulator.estates.contoso.joined import with_reader, with_vault_certificates
from keyaudit.simulator.estates.contoso.logs import contoso_logs, log_plants, logged
from keyaudit.simulator.estates.contoso.other import NONPROD_VAULTS, SHARED_VAULTS
from keyaudit.simulator.estates.contoso.posture import contoso_posture, posture_plants
from keyaudit.simulator.estates.contoso.principals import PRINCIPALS
from keyaudit.simulator.estates.contoso.privileges import with_privileges
from keyaudit.simulator.estates.contoso.prod import PROD_VAULTS
from keyaudit.simulator.estates.contoso.reach import with_reach
from keyaudit.simulator.estates.contoso.services import lay_services, service_plants
from keyaudit.simulator.estates.contoso.signing import federated_domains, lay_signing
from keyaudit.simulator.estates.contoso.signing_plants import signing_plants
from keyaudit.simulator.estates.contoso.trust import TRUSTED, with_trust
from keyaudit.simulator.estates.contoso.workloads import workload_plants
from keyaudit.simulator.estates.holder_plans import ApplicationPlan, PrincipalPlan
from keyaudit.simulator.estates.holders import lay_application, lay_principal, owners_of
from keyaudit.simulator.estates.hsm_plans import lay_hsm
from keyaudit.simulator.estates.ids import Ground
from keyaudit.simulator.estates.key_plans import VaultPlan, lay_vault

_SEED = 2016
_SUBSCRIPTIONS = {
    "contoso-prod": PROD_VAULTS,
    "contoso-nonprod": NONPROD_VAULTS,
    "contoso-platform": SHARED_VAULTS,
}


def contoso(as_of: int) -> Estate:
    """The tenant as it stands at `as_of`; only the signing key of 2016 keeps its date."""
    ground = Ground(_SEED, as_of, "contoso.example")
    named = (Subscription(id=ground.guid("subscription", name), name=name) for name in _SUBSCRIPTIONS)
    subscriptions = tuple(logged(subscription, ground) for subscription in named)
    plans = ((plan, subscription.id) for subscription in subscriptions for plan in _SUBSCRIPTIONS[subscription.name])
    vaults, in_vaults = lay_vaults(plans, ground)
    vaults, of_furniture = furnish(vaults, ground)
    place = {subscription.name: subscription.id for subscription in subscriptions}
    hsms, in_hsms = zip(*(lay_hsm(plan, place[where], ground) for plan, where in HSMS), strict=True)
    applications, principals, in_entra = lay_entra((*APPLICATIONS, *TRUSTED), PRINCIPALS, ground)
    applications, joined = with_vault_certificates(applications, vaults, ground)
    federated, signing = federated_domains(ground), lay_signing(ground)
    in_signing = signing_plants(ground, federated, signing, principals)
    below = {"stcontosolake": scopes(vaults)}
    services = (replace(one, children=below.get(one.name, {})) for one in lay_services(ground, subscriptions, vaults))
    resources = (*services, *lay_consumers(subscriptions, vaults))
    elsewhere = (
        log_plants(ground),
        posture_plants(ground),
        workload_plants(ground),
        service_plants(resources),
        consumer_plants(resources),
    )
    beside = (of_furniture, in_entra, joined, in_signing, *elsewhere)
    estate = Estate(
        name="contoso",
        as_of=as_of,
        tenant_id=ground.tenant,
        tenant_name="Contoso (simulated tenant)",
        tenant_created=ground.moment(4_400, "tenant"),
        domains=(
            Domain(name=ground.domain, default=True),
            *federated,
            Domain(name="contoso.onmicrosoft.com", initial=True),
        ),
        subscriptions=subscriptions,
        vaults=vaults,
        applications=applications,
        service_principals=principals,
        posture=contoso_posture(applications, ground),
        logs=contoso_logs(ground, vaults, hsms),
        resources=resources,
        token_signing=signing,
        hsms=hsms,
        deleted_vaults=deleted_vaults(ground, subscriptions[0].id, subscriptions[1].id),
        plants=frozenset(in_vaults.union(*beside, *in_hsms)),
    )
    estate = with_privileges(with_reader(with_access(estate, ground), ground), ground)
    estate = with_events(with_reach(estate, ground), ground)
    estate = with_agents(with_grants(with_trust(estate, ground), ground), ground)
    known = {user.id for user in estate.users}
    owners = (user for user in owners_of((*APPLICATIONS, *TRUSTED), ground) if user.id not in known)
    return replace(estate, users=(*estate.users, *owners))


def lay_vaults(plans: Iterable[tuple[VaultPlan, str]], ground: Ground) -> tuple[tuple[Vault, ...], set[Plant]]:
    """Every vault of `plans`, each with its subscription's id, and the planted defects."""
    vaults: list[Vault] = []
    plants: set[Plant] = set()
    for plan, subscription in plans:
        vault, found = lay_vault(plan, subscription, ground)
        vaults.append(vault)
        plants |= found
    return tuple(vaults), plants


def furnish(vaults: Iterable[Vault], ground: Ground) -> tuple[tuple[Vault, ...], set[Plant]]:
    """The vaults with Contoso's certificates and secrets, and their planted defects."""
    laid = [furnished(vault, FURNITURE.get(vault.name, Furniture()), ground) for vault in vaults]
    return tuple(vault for vault, _ in laid), {plant for _, plants in laid for plant in plants}


def lay_entra(
    applications: Iterable[ApplicationPlan], principals: Iterable[PrincipalPlan], ground: Ground
) -> tuple[tuple[Application, ...], tuple[ServicePrincipal, ...], set[Plant]]:
    """The applications, all service principals (those of the applications first), and the planted defects."""
    laid: list[Application] = []
    all_principals: list[ServicePrincipal] = []
    plants: set[Plant] = set()
    for plan in applications:
        application, its_own, found = lay_application(plan, ground)
        laid.append(application)
        all_principals.extend([its_own] if its_own else [])
        plants |= found
    for other in principals:
        principal, found = lay_principal(other, ground)
        all_principals.append(principal)
        plants |= found
    return tuple(laid), tuple(all_principals), plants
