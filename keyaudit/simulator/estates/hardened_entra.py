"""Applications, agents and workload identities of the estate `hardened`: all sign in without a secret."""

from msgspec.structs import replace

from keyaudit.simulator import x509
from keyaudit.simulator.estate import (
    Application,
    FederatedCredential,
    Inheritable,
    KeyCredential,
    ServicePrincipal,
    Vault,
)
from keyaudit.simulator.estates.contoso import lay_entra
from keyaudit.simulator.estates.contoso.privileges import LOCK
from keyaudit.simulator.estates.holder_plans import GITHUB, ApplicationPlan, Federated, PrincipalPlan, Saml
from keyaudit.simulator.estates.ids import Ground
from keyaudit.simulator.key_vault import certificates

SIGNER = "id-invoice-signer-prod"
_PIPELINE = "Release Pipeline"
_BLUEPRINT = "Payroll Agents"
_THIS_TENANT = "https://login.microsoftonline.com/{tenant}/v2.0"
_APPLICATIONS = (
    ApplicationPlan(
        name=_PIPELINE,
        age=500,
        credentials=(
            Federated("production", GITHUB, "repo:contoso@4410021/release@66230187:environment:production"),
            Federated(
                "main",
                GITHUB,
                expression="claims['sub'] eq 'repo:contoso/release:ref:refs/heads/main'"
                " and claims['repository_id'] eq '66230187'",
            ),
            Federated("gitlab", "https://gitlab.com", "project_id:48120077:ref_type:branch:ref:main"),
            Federated(
                "azure-devops",
                _THIS_TENANT,
                "/eid1/c/pub/t/ZGVtbw/a/cGlwZWxpbmVz/sc/5b0c6f1e-8a54-4c0e-9a43-6d2f7b1c9e10/0d8f2a5b-6c1e-4f6d-9b64-2a7c5e1d3f80",
            ),
            Federated("google", "https://accounts.google.com", "112633961854638529490"),
        ),
        owners=("noor.bakker", "elias.berg"),
    ),
    ApplicationPlan(name="Payroll Export", age=420, owners=("noor.bakker", "elias.berg")),
    ApplicationPlan(
        name=_BLUEPRINT,
        age=300,
        credentials=(Federated("runtime", GITHUB, "repo:contoso@4410021/payroll-agents@66230188:environment:production"),),
        owners=("noor.bakker", "elias.berg"),
        principal=PrincipalPlan(agent="agentIdentityBlueprintPrincipal"),
    ),
    ApplicationPlan(
        name="Travel Desk",
        age=400,
        principal=PrincipalPlan(sso_mode="saml", credentials=(Saml(60, 365, preferred=True),)),
        owners=("elias.berg", "noor.bakker"),
    ),
)


def lay_applications(vault: Vault, ground: Ground) -> tuple[tuple[Application, ...], tuple[ServicePrincipal, ...]]:
    """The applications and their service principals; one of them has the certificate of the vault."""
    laid, principals, _ = lay_entra(_APPLICATIONS, (), ground)
    applications = tuple(
        replace(one, lock=LOCK, keys=_from_vault(vault, ground) if one.name == "Payroll Export" else one.keys) for one in laid
    )
    applications = tuple(_with_identity(one, ground) if one.name == _PIPELINE else one for one in applications)
    return tuple(_as_blueprint(one, ground) if one.name == _BLUEPRINT else one for one in applications), principals


def _from_vault(vault: Vault, ground: Ground) -> tuple[KeyCredential, ...]:
    """The public half of the vault's certificate, as it was uploaded to an application."""
    [certificate] = vault.certificates
    [version] = certificate.versions
    made = certificates.der(vault, certificate, version)
    return (
        KeyCredential(
            key_id=ground.guid("uploaded", certificate.name),
            start=version.created,
            end=version.exp,
            display_name=f"CN={certificate.subject}",
            thumbprint=x509.thumbprint(made),
            certificate=made,
        ),
    )


def _with_identity(application: Application, ground: Ground) -> Application:
    """An application that also trusts a managed identity of the tenant."""
    trusting = FederatedCredential(
        id=ground.guid("trusts", SIGNER),
        name=SIGNER,
        issuer=_THIS_TENANT.replace("{tenant}", ground.tenant),
        subject=ground.guid("principal", SIGNER),
    )
    return replace(application, federated=(*application.federated, trusting))


def cluster_issuer(ground: Ground) -> str:
    """The issuer of the tenant's own cluster."""
    return f"https://westeurope.oic.prod-aks.azure.com/{ground.tenant}/{ground.guid('cluster')}/"


def of_cluster(ground: Ground) -> tuple[FederatedCredential, ...]:
    """The credential of one service account of the tenant's own cluster."""
    return (
        FederatedCredential(
            id=ground.guid("trusts", "cluster"),
            name="cluster",
            issuer=cluster_issuer(ground),
            subject="system:serviceaccount:invoices:signer",
        ),
    )


def _as_blueprint(application: Application, ground: Ground) -> Application:
    """A blueprint whose agents inherit only permissions to sign in a user."""
    return replace(
        application,
        blueprint=True,
        sponsors=(ground.guid("user", "noor.bakker"),),
        inheritable=(Inheritable(api="00000003-0000-0000-c000-000000000000", scopes=("User.Read",)),),
    )


def agents(ground: Ground) -> tuple[ServicePrincipal, ...]:
    """The agents of the one blueprint."""
    return tuple(
        ServicePrincipal(
            id=ground.guid("principal", name),
            app_id=ground.guid("principal", name),
            name=name,
            created=ground.moment(200, "agent", name),
            type="ServiceIdentity",
            agent="agentIdentity",
            blueprint=ground.guid("client", _BLUEPRINT),
            owners=(ground.guid("user", "elias.berg"),),
            sponsors=(ground.guid("user", "noor.bakker"),),
        )
        for name in ("Payslip Agent", "Leave Agent")
    )


def workloads(ground: Ground) -> tuple[ServicePrincipal, ...]:
    """The managed identities."""
    return tuple(
        ServicePrincipal(
            id=ground.guid("principal", name),
            app_id=ground.guid("client", name),
            name=name,
            created=ground.moment(500, "service", name),
            type="ManagedIdentity",
            tags=("env:prod",),
            federated=of_cluster(ground) if name == SIGNER else (),
        )
        for name in (SIGNER, "Issuing service")
    )
