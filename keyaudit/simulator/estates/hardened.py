"""The estate `hardened`: a small tenant without findings, so that a gate over it passes."""

from keyaudit.simulator.estate import (
    AlertRule,
    AppManagementPolicy,
    CredentialUse,
    Domain,
    Estate,
    Logs,
    ManagedIdentity,
    Posture,
    Resource,
    Restriction,
    Restrictions,
    Role,
    RoleAssignment,
    SignIn,
    Subscription,
    User,
    Vault,
    Workspace,
)
from keyaudit.simulator.estates.certificate_plans import CLIENT, CertificatePlan, Furniture, furnished
from keyaudit.simulator.estates.contoso import lay_vaults
from keyaudit.simulator.estates.contoso.workloads import access_policy, named_addresses
from keyaudit.simulator.estates.hardened_entra import SIGNER, agents, cluster_issuer, lay_applications, of_cluster, workloads
from keyaudit.simulator.estates.hsm_plans import ADMINISTRATOR, CRYPTO_AUDITOR, EKM_ADMINISTRATOR, EkmPlan, HsmPlan, lay_hsm
from keyaudit.simulator.estates.ids import Ground
from keyaudit.simulator.estates.key_plans import (
    EVERY,
    EXTERNAL_RSA_3072,
    P384_HSM,
    RSA_HSM_3072,
    SIGN,
    WRAP,
    KeyPlan,
    VaultPlan,
    VersionPlan,
    kept,
)
from keyaudit.simulator.estates.log_plans import GROUP, PLATFORM, hsm_to_sentinel, setting, to_sentinel, workspace_id

_VAULT, _HSM = "kv-trust-prod", "hsm-trust-prod"
_CLIENT_CERTIFICATE = "payroll-client"
_SIGN_ONLY = "Contoso Trust Signer"
"""A custom role, for vault and HSM: the built-in roles that can sign can also back up the key."""
_ENTRA_CATEGORIES = (
    "AuditLogs",
    "SignInLogs",
    "NonInteractiveUserSignInLogs",
    "ServicePrincipalSignInLogs",
    "ManagedIdentitySignInLogs",
    "ADFSSignInLogs",
    "RiskyUsers",
    "UserRiskEvents",
    "RiskyServicePrincipals",
    "ServicePrincipalRiskEvents",
    "EnrichedOffice365AuditLogs",
    "MicrosoftGraphActivityLogs",
)
_ACTIVITY = ("Administrative", "Security", "Alert", "Policy")
_VAULTS = (
    VaultPlan(
        name=_VAULT,
        group="rg-trust-prod",
        tags={"env": "prod", "owner": "trust", "app": "trust-services"},
        default_action="Deny",
        endpoints=("Approved",),
        logs=to_sentinel,
        keys=(
            kept("invoice-signing", RSA_HSM_3072, SIGN, 60, every=180, count=3),
            kept("archive-wrap", RSA_HSM_3072, WRAP, 100, count=2),
            kept("device-attestation", P384_HSM, SIGN, 30, every=180, count=2),
            KeyPlan(
                _CLIENT_CERTIFICATE,
                RSA_HSM_3072,
                EVERY,
                (VersionPlan(40, 180),),
                managed=True,
            ),
        ),
    ),
)

_TRUST = HsmPlan(
    name=_HSM,
    group="rg-trust-prod",
    tags={"env": "prod", "owner": "trust"},
    admins=("Hana Sato", "Omar Aziz", "Lea Fournier"),
    custom=((_SIGN_ONLY, ("keys/read/action", "keys/sign/action", "keys/verify/action")),),
    held=(
        (ADMINISTRATOR, "Hana Sato", ""),
        (ADMINISTRATOR, "Omar Aziz", ""),
        (ADMINISTRATOR, "Lea Fournier", ""),
        (CRYPTO_AUDITOR, "keyaudit", ""),
        (_SIGN_ONLY, "Issuing service", "root-signing"),
        (EKM_ADMINISTRATOR, "Hana Sato", ""),
        (EKM_ADMINISTRATOR, "Omar Aziz", ""),
    ),
    logs=hsm_to_sentinel,
    keys=(
        kept("root-signing", P384_HSM, SIGN, 90, count=2, tags={"app": "internal-pki"}),
        KeyPlan(
            "archive-kek",
            EXTERNAL_RSA_3072,
            WRAP,
            (VersionPlan(60, 365),),
            # A Managed HSM does not rotate it.
            tags={"app": "internal-pki", "keyaudit:rotator": "hsm-custodian"},
            external=True,
        ),
    ),
    ekm=EkmPlan(host="ekm.trust.contoso.example", server_ends=700, client_ends=900),
)


def hardened(as_of: int) -> Estate:
    """The tenant as it stands at `as_of`; nothing is planted in it."""
    ground = Ground(2026, as_of, "trust.contoso.example")
    subscription = Subscription(
        id=ground.guid("subscription", PLATFORM),
        name=PLATFORM,
        management_groups=("mg-platform",),
        activity_settings=(hardened_activity(ground),),
        defender="Standard",
    )
    vaults, _ = lay_vaults(((plan, subscription.id) for plan in _VAULTS), ground)
    furniture = Furniture(
        certificates=(
            CertificatePlan(
                _CLIENT_CERTIFICATE,
                "payroll-client",
                "Contoso Issuing CA 2",
                "Unknown",
                ekus=(CLIENT,),
                exportable=False,
                renew_days=30,
                months=6,
                # Its CA is not integrated with Key Vault.
                tags={"keyaudit:rotator": "pki-renewal"},
            ),
        ),
    )
    vaults = tuple(furnished(vault, furniture, ground)[0] for vault in vaults)
    hsm, _ = lay_hsm(_TRUST, subscription.id, ground)
    applications, principals = lay_applications(vaults[0], ground)
    assistants = agents(ground)
    return Estate(
        name="hardened",
        as_of=as_of,
        tenant_id=ground.tenant,
        tenant_name="Contoso Trust (simulated tenant)",
        tenant_created=ground.moment(1_900, "tenant"),
        domains=(Domain(name=ground.domain, default=True), Domain(name="contosotrust.onmicrosoft.com", initial=True)),
        subscriptions=(subscription,),
        vaults=vaults,
        applications=applications,
        service_principals=(*principals, *workloads(ground), *assistants),
        users=tuple(
            User(id=ground.guid(kind, name), name=name, upn=f"{name.lower().replace(' ', '.')}@{ground.domain}")
            for kind, name in (
                ("user", "noor.bakker"),
                ("user", "elias.berg"),
                *(("principal", name) for name in _TRUST.admins),
            )
        ),
        roles=(
            Role(
                id=ground.guid("role", _SIGN_ONLY),
                name=_SIGN_ONLY,
                custom=True,
                data_actions=tuple(
                    f"Microsoft.KeyVault/vaults/keys/{action}" for action in ("read", "sign/action", "verify/action")
                ),
            ),
        ),
        role_assignments=(
            RoleAssignment(
                id=ground.guid("assignment", SIGNER),
                scope=f"/subscriptions/{subscription.id}/resourceGroups/rg-trust-prod/providers/Microsoft.KeyVault/vaults/{_VAULT}",
                role=ground.guid("role", _SIGN_ONLY),
                principal=ground.guid("principal", SIGNER),
                principal_type="ServicePrincipal",
                created=ground.moment(300, "assignment"),
            ),
        ),
        hsms=(hsm,),
        resources=(_storage(subscription, vaults[0]), _cluster(subscription, ground)),
        identities=(
            ManagedIdentity(
                name=SIGNER,
                subscription=subscription.id,
                resource_group="rg-trust-prod",
                principal_id=ground.guid("principal", SIGNER),
                client_id=ground.guid("client", SIGNER),
                isolation="Regional",
                federated=of_cluster(ground),
            ),
        ),
        sign_ins=tuple(
            SignIn(app_id=one.app_id, app_only=ground.moment(2, "sign-in", one.id)) for one in (*principals, *assistants)
        ),
        credential_uses=tuple(
            CredentialUse(
                key_id=key.key_id,
                app_id=one.app_id,
                last=ground.moment(2, "use", key.key_id),
                resource_id=ground.guid("principal", "Microsoft Graph"),
                certificate=True,
                end=key.end,
            )
            for one in applications
            for key in one.keys
        ),
        posture=hardened_posture(ground),
        logs=hardened_logs(ground),
    )


def _cluster(subscription: Subscription, ground: Ground) -> Resource:
    return Resource(
        type="Microsoft.ContainerService/managedClusters",
        name="aks-trust-prod",
        subscription=subscription.id,
        resource_group="rg-trust-prod",
        properties={
            "disableLocalAccounts": True,
            "oidcIssuerProfile": {"enabled": True, "issuerURL": cluster_issuer(ground)},
        },
    )


def _storage(subscription: Subscription, vault: Vault) -> Resource:
    wrapping = next(key for key in vault.keys if key.name == "archive-wrap")
    uri = f"https://{vault.name}.vault.azure.net"
    return Resource(
        type="Microsoft.Storage/storageAccounts",
        name="stcontosotrust",
        subscription=subscription.id,
        resource_group="rg-trust-prod",
        properties={
            "allowSharedKeyAccess": False,
            "keyCreationTime": {"key1": None, "key2": None},
            "encryption": {
                "keySource": "Microsoft.Keyvault",
                "keyvaultproperties": {
                    "keyvaulturi": uri,
                    "keyname": wrapping.name,
                    "keyversion": "",
                    "currentVersionedKeyIdentifier": f"{uri}/keys/{wrapping.name}/{wrapping.current}",
                },
            },
        },
    )


def hardened_posture(ground: Ground) -> Posture:
    """Settings that forbid client secrets and keep users from registering applications."""
    limits = Restrictions(
        passwords=(
            Restriction(type="passwordAddition"),
            Restriction(type="passwordLifetime", max_lifetime="P90D"),
            Restriction(type="customPasswordAddition"),
            Restriction(type="symmetricKeyAddition"),
            Restriction(type="symmetricKeyLifetime", max_lifetime="P90D"),
        ),
        keys=(Restriction(type="asymmetricKeyLifetime", max_lifetime="P181D"),),
        uris=(Restriction(type="uriAdditionWithoutUniqueTenantIdentifier"),),
        redirects=(Restriction(type="uriWithWildcard"),),
    )
    return Posture(
        default_enabled=True,
        for_applications=limits,
        for_service_principals=limits,
        policies=(
            AppManagementPolicy(
                id=ground.guid("app management policy", "strict"), name="Stricter for payroll", restrictions=limits
            ),
        ),
        users_register_apps=False,
        consent_policies=(),
        invites_from="adminsAndGuestInviters",
        guest_role="2af84b1e-32c8-42b7-82bc-daa82404023b",
        security_defaults=False,
        conditional_access=(
            access_policy(
                ground.guid("conditional access", "workloads"),
                "Workloads from our networks",
                workloads=("ServicePrincipalsInMyTenant",),
                leaving_out=(ground.guid("named location", "networks"),),
            ),
        ),
        named_locations=(named_addresses(ground.guid("named location", "networks"), "networks", "203.0.113.0/25"),),
    )


def hardened_activity(ground: Ground) -> dict[str, object]:
    """The setting of the activity log of the subscription with the workspaces."""
    place = f"subscriptions/{ground.guid('subscription', PLATFORM)}/providers/AzureResourceManager"
    return setting(place, "activity-to-sentinel", _ACTIVITY, workspace=workspace_id(ground, "log-security"))


def hardened_logs(ground: Ground) -> Logs:
    """Logs of Entra, kept for two years, and alerts on changes of keys and credentials."""
    platform = ground.guid("subscription", PLATFORM)
    group = f"/subscriptions/{platform}/resourceGroups/{GROUP}/providers/microsoft.insights/actionGroups/ag-security"
    watched = (
        ("key-changed", 'AZKVAuditLogs | where OperationName in ("KeyRotate", "KeyDelete", "KeyPurge", "KeyBackup")'),
        ("security-domain", 'AzureDiagnostics | where OperationName startswith "SecurityDomain"'),
        ("credential-added", 'AuditLogs | where OperationName in ("Add service principal credentials", "Update application")'),
        ("credentials-managed", 'AuditLogs | where OperationName has "Certificates and secrets management"'),
        ("federation-changed", 'AuditLogs | where OperationName == "Set federation settings on domain"'),
    )
    return Logs(
        workspaces=(Workspace(name="log-security", subscription=platform, resource_group=GROUP, retention_days=730),),
        entra_settings=(
            setting(
                "providers/microsoft.aadiam",
                "entra-to-sentinel",
                _ENTRA_CATEGORIES,
                workspace=workspace_id(ground, "log-security"),
            ),
        ),
        alert_rules=tuple(
            AlertRule(name=name, subscription=platform, resource_group=GROUP, query=query, action_group=group)
            for name, query in watched
        ),
    )
