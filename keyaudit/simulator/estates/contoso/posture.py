"""Contoso's settings for applications and users: limits for new applications only, and policies that exempt others."""

from collections.abc import Iterable, Mapping

from keyaudit.simulator.estate import Application, AppManagementPolicy, Plant, Posture, Restriction, Restrictions
from keyaudit.simulator.estates.contoso.workloads import conditional_access, named_locations, risk_detections, risky_principals
from keyaudit.simulator.estates.defects import (
    MANAGEMENT_POLICY_EXEMPTS,
    MANAGEMENT_POLICY_OFF,
    MANAGEMENT_URIS_OPEN,
    USERS_CAN_CONSENT,
    USERS_CAN_REGISTER,
)
from keyaudit.simulator.estates.ids import DAY, Ground

_CHOSEN = Restriction(type="customPasswordAddition")


def _lives(secret: str, certificate: str) -> Restrictions:
    return Restrictions(
        passwords=(Restriction(type="passwordLifetime", max_lifetime=secret), _CHOSEN),
        keys=(Restriction(type="asymmetricKeyLifetime", max_lifetime=certificate),),
    )


_LEGACY, _INTEGRATIONS, _PARTNERS, _PAYMENTS = "Legacy exception", "Integrations", "Partner certificates", "Payments"
_POLICIES: Mapping[str, tuple[str, Restrictions]] = {
    # Policy to its application; the last policy has no defect.
    _LEGACY: (
        "Warehouse Scanner Gateway",
        Restrictions(
            passwords=(Restriction(type="passwordLifetime", max_lifetime="P731D"),),
            # Frees its application: what it does not define would be left to the default policy.
            uris=(Restriction(type="uriAdditionWithoutUniqueTenantIdentifier", state="disabled"),),
        ),
    ),
    _INTEGRATIONS: ("Integration Hub", _lives("P211D", "P366D")),
    _PARTNERS: ("Backup Orchestrator", _lives("P181D", "P401D")),
    _PAYMENTS: (
        "Payments API",
        Restrictions(
            passwords=(Restriction(type="passwordAddition"), _CHOSEN),
            keys=(Restriction(type="asymmetricKeyLifetime", max_lifetime="P366D"),),
            uris=(Restriction(type="nonDefaultUriAddition"),),
        ),
    ),
}
_TOO_WIDE = ("default/applications", "default/service-principals", _LEGACY, _INTEGRATIONS, _PARTNERS)


def contoso_posture(applications: Iterable[Application], ground: Ground) -> Posture:
    """The posture as it stands at the ground's `as_of`. The service wants less than a limit, so that 181 days are 180."""
    since = ground.as_of - 420 * DAY
    ids = {one.name: one.id for one in applications}
    return Posture(
        default_enabled=True,
        for_applications=Restrictions(
            passwords=(
                Restriction(type="passwordLifetime", max_lifetime="P181D", created_after=since),
                Restriction(type="customPasswordAddition", created_after=since),
                Restriction(type="symmetricKeyAddition", state="disabled"),
            ),
            keys=(
                Restriction(
                    type="asymmetricKeyLifetime",
                    max_lifetime="P366D",
                    created_after=since,
                    exempt=(("Operations_Role", "pki-automation"),),
                ),
            ),
            uris=(Restriction(type="uriAdditionWithoutUniqueTenantIdentifier", created_after=since),),
            audiences=(Restriction(type="personalMicrosoftAccount"),),
            redirects=(Restriction(type="uriWithWildcard"), Restriction(type="uriWithBlockedDomain", state="disabled")),
        ),
        for_service_principals=Restrictions(
            passwords=(Restriction(type="passwordLifetime", state="disabled", max_lifetime="P181D"),)
        ),
        policies=tuple(
            AppManagementPolicy(
                id=_policy_id(name, ground), name=name, restrictions=restrictions, assigned_to=(ids[application],)
            )
            for name, (application, restrictions) in _POLICIES.items()
        ),
        security_defaults=False,
        conditional_access=conditional_access(ground),
        named_locations=named_locations(ground),
        risky_principals=risky_principals(ground),
        risk_detections=risk_detections(ground),
    )


def posture_plants(ground: Ground) -> set[Plant]:
    """The planted defects of the tenant and its policies."""
    tenant = f"/tenants/{ground.tenant}"
    return {
        Plant(USERS_CAN_REGISTER, tenant),
        Plant(USERS_CAN_CONSENT, tenant),
        Plant(MANAGEMENT_POLICY_EXEMPTS, f"{tenant}/appmanagementpolicies/default/applications"),
        *(
            Plant(
                MANAGEMENT_POLICY_OFF,
                f"{tenant}/appmanagementpolicies/{_policy_id(name, ground) if name in _POLICIES else name}",
            )
            for name in _TOO_WIDE
        ),
        *(
            Plant(
                MANAGEMENT_URIS_OPEN,
                f"{tenant}/appmanagementpolicies/{_policy_id(name, ground) if name in _POLICIES else name}",
            )
            for name in ("default/applications", _LEGACY)
        ),
    }


def _policy_id(name: str, ground: Ground) -> str:
    return ground.guid("app management policy", name)
