"""Contoso's applications with too much trust: in their keys, their federated credentials, and their permissions."""

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from keyaudit.simulator import roles
from keyaudit.simulator.estate import AppRole, AppRoleGrant, Estate, Plant, RoleAssignment
from keyaudit.simulator.estates.defects import (
    CONSENT_FOR_EVERYONE,
    FOREIGN_PRIVILEGED,
    INACTIVE_WITH_PRIVILEGE,
    MI_OVERPRIVILEGED,
    POWERFUL_WITH_USER_OWNER,
    SAML_EXPIRING,
    SAML_LIFETIME,
    SAML_SHARED,
    TAKES_OVER_TENANT,
    TENANT_WIDE_APP_ROLE,
    UNKNOWN_ISSUER,
    WEAK_SIGNING_CERTIFICATE,
)
from keyaudit.simulator.estates.holder_plans import ApplicationPlan, Federated, PrincipalPlan, Saml
from keyaudit.simulator.estates.ids import Ground, application_id, principal_id

CLAIMS_API = "Franchise Ordering"
_SLEEPER = "Loyalty Export"
_WORKFLOW, _MACHINE = "logic-invoice-intake", "vm-batch-01"
_GRAPH = "Microsoft Graph"

TRUSTED: tuple[ApplicationPlan, ...] = (
    ApplicationPlan(
        name="VanArsdel Payroll",
        age=1_070,
        owners=("lukas.brandt",),
        principal=PrincipalPlan(sso_mode="saml", credentials=(Saml(1_044, preferred=True, finds=(SAML_EXPIRING,)),)),
    ),
    ApplicationPlan(
        name="Coho Winery Orders",
        age=1_090,
        owners=("sofia.rossi",),
        principal=PrincipalPlan(sso_mode="saml", credentials=(Saml(1_065, finds=(SAML_EXPIRING,)),)),
    ),
    # Created by the product's installer.
    ApplicationPlan(
        name="Lucerne Publishing",
        age=720,
        owners=("jonas.lind",),
        principal=PrincipalPlan(
            sso_mode="saml",
            credentials=(
                Saml(
                    700,
                    3_650,
                    preferred=True,
                    digest="sha1",
                    issuer="CN=Lucerne Publishing Setup",
                    finds=(SAML_LIFETIME, WEAK_SIGNING_CERTIFICATE),
                ),
            ),
        ),
    ),
    ApplicationPlan(
        name="Contoso Suites Booking",
        age=520,
        owners=("amira.haddad",),
        principal=PrincipalPlan(sso_mode="saml", credentials=(Saml(500, 1_825, preferred=True, finds=(SAML_LIFETIME,)),)),
    ),
    # Two installations of one product, set up with the same certificate file.
    *(
        ApplicationPlan(
            name=name,
            age=280,
            owners=("noah.meyer",),
            principal=PrincipalPlan(
                sso_mode="saml", credentials=(Saml(260, preferred=True, shared="trey-research", finds=(SAML_SHARED,)),)
            ),
        )
        for name in ("Trey Research Archive", "Trey Research Portal")
    ),
    ApplicationPlan(name=CLAIMS_API, age=350, owners=("jonas.lind",), principal=PrincipalPlan(credentials=(Saml(330),))),
    # A test server under a desk.
    ApplicationPlan(
        name="edge-lab-deploy",
        age=230,
        credentials=(
            Federated(
                "lab", "https://oidc.lab.contoso.example", "system:serviceaccount:edge:deployer", finds=(UNKNOWN_ISSUER,)
            ),
        ),
        owners=("piotr.nowak",),
    ),
    ApplicationPlan(name=_SLEEPER, age=640, owners=("amira.haddad",)),
)
"""The additional applications."""

_FOUND: Mapping[str, tuple[str, ...]] = {
    TENANT_WIDE_APP_ROLE: (
        "Integration Hub",
        "Backup Orchestrator",
        "notification-sender-prod",
        "Humongous Insurance Claims",
    ),
    # The two external applications are not in the report.
    INACTIVE_WITH_PRIVILEGE: ("Legacy Reporting", "Humongous Insurance Claims", "Alpine Ski House Booking", _SLEEPER),
    CONSENT_FOR_EVERYONE: ("Margie's Travel Connector",),
    FOREIGN_PRIVILEGED: ("Alpine Ski House Booking", "Humongous Insurance Claims"),
    MI_OVERPRIVILEGED: (_WORKFLOW, _MACHINE),
    TAKES_OVER_TENANT: (
        "Alpine Ski House Booking",
        "Billing API",
        "Legacy Reporting",
        "etl-runner",
        "github-infra",
        _WORKFLOW,
    ),
}
"""The service principals that each policy must find."""


def with_trust(estate: Estate, ground: Ground) -> Estate:
    """The estate with the remaining grants, the last sign-in of the dormant application, and defects of service principals."""
    plants = {Plant(policy, _row(name, ground)) for policy, names in _FOUND.items() for name in names}
    # A pipeline owns it, whose application a person owns.
    owned = application_id(ground.tenant, ground.guid("application", "notification-sender-prod"))
    plants.add(Plant(POWERFUL_WITH_USER_OWNER, owned))
    asleep = ground.guid("client", _SLEEPER)
    return replace(
        estate,
        app_role_grants=(*estate.app_role_grants, *_granted(estate, ground)),
        role_assignments=(*estate.role_assignments, _assigned(estate, ground)),
        sign_ins=tuple(
            replace(one, app_only=ground.moment(101, "sign-in", _SLEEPER)) if one.app_id == asleep else one
            for one in estate.sign_ins
        ),
        plants=estate.plants | plants,
    )


def _row(name: str, ground: Ground) -> str:
    return principal_id(ground.tenant, ground.guid("principal", name))


def _granted(estate: Estate, ground: Ground) -> Iterator[AppRoleGrant]:
    graph = next(one for one in estate.service_principals if one.name == _GRAPH)
    published: Mapping[str | None, AppRole] = {role.value: role for role in graph.app_roles}
    # To grant other workflows their permissions, it got one that can grant any.
    for name, role in ((_WORKFLOW, "AppRoleAssignment.ReadWrite.All"), (_SLEEPER, "User.Read.All")):
        yield AppRoleGrant(
            principal_id=ground.guid("principal", name),
            resource_id=graph.id,
            role_id=published[role].id,
            created=ground.moment(150, "app role", name, role),
        )


def _assigned(estate: Estate, ground: Ground) -> RoleAssignment:
    """A machine for test runs, with Contributor on its subscription."""
    subscription = next(one for one in estate.subscriptions if one.name == "contoso-nonprod")
    return RoleAssignment(
        id=ground.guid("assignment", _MACHINE),
        scope=f"/subscriptions/{subscription.id}",
        role=roles.CONTRIBUTOR,
        principal=ground.guid("principal", _MACHINE),
        principal_type="ServicePrincipal",
        created=ground.moment(320, "assignment", _MACHINE),
    )
