"""Who reaches Contoso from other tenants, its HSMs that no key API shows, and limits of its managed identities.

Delegations: https://learn.microsoft.com/azure/templates/microsoft.managedservices/registrationdefinitions; partners:
https://learn.microsoft.com/graph/api/crosstenantaccesspolicy-list-partners; HSMs:
https://learn.microsoft.com/azure/templates/microsoft.hardwaresecuritymodules/cloudhsmclusters and .../dedicatedhsms.
"""

from msgspec.structs import replace

from keyaudit.simulator import roles
from keyaudit.simulator.estate import Delegation, Estate, Plant, Resource
from keyaudit.simulator.estates.defects import (
    ACS_LEFT,
    CONTROL_OF_OTHERS,
    DELEGATED,
    HSM_DEDICATED,
    HSM_DEVICE_NO_LOG,
    HSM_DEVICE_OPEN,
    HSM_NOT_ACTIVE,
    IDENTITY_UNLIMITED,
    MFA_OF_OTHERS,
)
from keyaudit.simulator.estates.ids import Ground
from keyaudit.simulator.estates.log_plans import setting, workspace_id

_CLOUD, _DEDICATED = (f"Microsoft.HardwareSecurityModules/{kind}" for kind in ("cloudHsmClusters", "dedicatedHSMs"))
_TRUST_GROUP = "rg-trust-hsm"
_SETTINGS = "HsmServiceOperations"
_OPERATIONS, _BUILDERS, _WATCHERS, _FIXERS = (
    "Northwind Managed Services",
    "Fabrikam Platform Builders",
    "Relecloud Monitoring",
    "Adventure Works On-call",
)
_SYNCING, _SISTER, _PLAIN = "Tailspin Toys", "Contoso Holding", "Wingtip Partners"


def with_reach(estate: Estate, ground: Ground) -> Estate:
    """The estate with what other tenants reach in it, its HSMs without a key API, and the planted defects of both."""
    place = {one.name: one.id for one in estate.subscriptions}
    delegations = _delegations(ground, place)
    devices = _devices(ground, place)
    posture = replace(estate.posture, partners=_partners(ground), mfa_of_others=True)
    return replace(
        estate,
        delegations=delegations,
        resources=(*estate.resources, *devices),
        posture=posture,
        plants=estate.plants | _plants(ground, place, delegations, devices),
    )


def _delegations(ground: Ground, place: dict[str, str]) -> tuple[Delegation, ...]:
    """Of production all the time, of a resource group on demand, one with an approval; and two that lead to no key."""
    production, nonprod = (f"/subscriptions/{place[name]}" for name in ("contoso-prod", "contoso-nonprod"))

    def one(name: str, scope: str, role: str = roles.READER, *eligible: dict[str, object], part: str = "") -> Delegation:
        held: dict[str, object] = {
            "principalId": ground.guid("of another", name),
            "principalIdDisplayName": f"{name} L1",
            "roleDefinitionId": role,
        }
        return Delegation(
            id=ground.guid("delegation", name, part),
            scope=scope,
            tenant=ground.guid("tenant", name),
            name=f"{name}{part}",
            roles=(held,),
            eligible=eligible or None,
        )

    def elevated(name: str, *approvers: str) -> dict[str, object]:
        policy: dict[str, object] = {"multiFactorAuthProvider": "Azure", "maximumActivationDuration": "PT8H"}
        if approvers:
            policy["managedByTenantApprovers"] = [{"principalId": ground.guid("of another", each)} for each in approvers]
        return {
            "principalId": ground.guid("of another", name, "elevated"),
            "roleDefinitionId": roles.CONTRIBUTOR,
            "justInTimeAccessPolicy": policy,
        }

    return (
        one(_OPERATIONS, production, roles.CONTRIBUTOR),
        one(_BUILDERS, f"{production}/resourceGroups/rg-data-prod", roles.READER, elevated(_BUILDERS)),
        one(_FIXERS, nonprod, roles.READER, elevated(_FIXERS, "duty manager")),
        one(_WATCHERS, nonprod),
        # Nothing in it leads to a key.
        one(_OPERATIONS, f"{production}/resourceGroups/rg-archive", roles.CONTRIBUTOR, part=" (archive)"),
    )


def _partners(ground: Ground) -> tuple[dict[str, object], ...]:
    """One that creates users here, one of the same organization that does, and one without settings of its own."""
    return (
        partner(ground.guid("tenant", _SYNCING), syncs=True),
        partner(ground.guid("tenant", _SISTER), syncs=True, own=True),
        partner(ground.guid("tenant", _PLAIN)),
    )


def partner(tenant: str, *, syncs: bool = False, own: bool = False, provider: bool | None = None) -> dict[str, object]:
    """A partner as Graph shows it, with its identity synchronization."""
    synchronization = {"tenantId": tenant, "displayName": None, "userSyncInbound": {"isSyncAllowed": True}}
    return {
        "tenantId": tenant,
        "isServiceProvider": provider,
        "isInMultiTenantOrganization": own,
        "inboundTrust": None,
        "b2bCollaborationOutbound": None,
        "b2bCollaborationInbound": None,
        "b2bDirectConnectOutbound": None,
        "b2bDirectConnectInbound": None,
        "tenantRestrictions": None,
        "automaticUserConsentSettings": {"inboundAllowed": None, "outboundAllowed": None},
        "identitySynchronization": synchronization if syncs else None,
    }


def _devices(ground: Ground, place: dict[str, str]) -> tuple[Resource, ...]:
    """A Cloud HSM as it should be, one that nobody took over, a Dedicated HSM that is being retired, and one for payments."""
    logged = workspace_id(ground, "log-contoso-security")

    def cluster(name: str, state: str, network: str, *, audited: bool) -> Resource:
        own = f"subscriptions/{place['contoso-platform']}/resourceGroups/{_TRUST_GROUP}/providers/{_CLOUD}/{name}"
        return Resource(
            type=_CLOUD,
            name=name,
            subscription=place["contoso-platform"],
            resource_group=_TRUST_GROUP,
            sku={"family": "B", "name": "Standard_B1", "capacity": None},
            properties={
                "activationState": state,
                "publicNetworkAccess": network,
                "provisioningState": "Succeeded",
                "hsms": [
                    {"fqdn": f"hsm{number}.{name}.privatelink.cloudhsm.azure.net", "state": state} for number in (1, 2, 3)
                ],
            },
            diagnostic_settings=(setting(own, "to-security", (_SETTINGS,), workspace=logged),) if audited else (),
        )

    def dedicated(name: str, sku: str) -> Resource:
        return Resource(
            type=_DEDICATED,
            name=name,
            subscription=place["contoso-prod"],
            resource_group="rg-payments-prod",
            sku={"name": sku},
            properties={"stampId": "stamp1", "provisioningState": "Succeeded"},
        )

    return (
        cluster("chsm-trust", "Active", "Disabled", audited=True),
        cluster("chsm-pilot", "NotActivated", "Enabled", audited=False),
        dedicated("dhsm-clearing", "SafeNet Luna Network HSM A790"),
        dedicated("phsm-cards", "payShield10K_LMK1_CPS60"),
    )


def _plants(
    ground: Ground, place: dict[str, str], delegations: tuple[Delegation, ...], devices: tuple[Resource, ...]
) -> set[Plant]:
    def assigned(one: Delegation) -> str:
        return f"{one.scope}/providers/Microsoft.ManagedServices/registrationAssignments/{one.id}".lower()

    operations, builders, fixers, *_ = delegations
    ids = {each.name: each.id.lower() for each in devices}
    tenant = f"/tenants/{ground.tenant}/crosstenantaccess"
    return {
        Plant(DELEGATED, assigned(operations)),
        Plant(DELEGATED, assigned(builders)),
        Plant(DELEGATED, assigned(fixers)),
        Plant(CONTROL_OF_OTHERS, f"{tenant}/{ground.guid('tenant', _SYNCING)}"),
        Plant(CONTROL_OF_OTHERS, f"{tenant}/{ground.guid('tenant', _SISTER)}"),
        Plant(MFA_OF_OTHERS, f"{tenant}/default"),
        Plant(
            IDENTITY_UNLIMITED,
            f"/subscriptions/{place['contoso-prod']}/resourcegroups/rg-identities/providers"
            "/microsoft.managedidentity/userassignedidentities/id-payments-settlement-prod",
        ),
        Plant(ACS_LEFT, f"/tenants/{ground.tenant}/serviceprincipals/{ground.guid('principal', 'Mainframe Gateway')}"),
        Plant(HSM_NOT_ACTIVE, ids["chsm-pilot"]),
        Plant(HSM_DEVICE_OPEN, ids["chsm-pilot"]),
        Plant(HSM_DEVICE_NO_LOG, ids["chsm-pilot"]),
        Plant(HSM_DEDICATED, ids["dhsm-clearing"]),
    }
