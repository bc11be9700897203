"""The tenant's settings for applications and users."""

from msgspec import Struct


class Restriction(Struct, frozen=True, kw_only=True):
    """One restriction of an app management policy; `exempt` holds custom security attributes and their values."""

    type: str
    state: str = "enabled"
    max_lifetime: str | None = None
    created_after: int | None = None
    exempt: tuple[tuple[str, str], ...] = ()


class Restrictions(Struct, frozen=True, kw_only=True):
    """Restrictions of secrets and symmetric keys, of certificates, and of applications' URIs and audiences."""

    passwords: tuple[Restriction, ...] = ()
    keys: tuple[Restriction, ...] = ()
    uris: tuple[Restriction, ...] = ()
    audiences: tuple[Restriction, ...] = ()
    redirects: tuple[Restriction, ...] = ()


class AppManagementPolicy(Struct, frozen=True, kw_only=True):
    """A custom policy, with the object ids that it is assigned to."""

    id: str
    name: str
    enabled: bool = True
    restrictions: Restrictions = Restrictions()
    assigned_to: tuple[str, ...] = ()


class Posture(Struct, frozen=True, kw_only=True):
    """All settings; the defaults are those of a new tenant."""

    default_enabled: bool = False
    for_applications: Restrictions = Restrictions()
    for_service_principals: Restrictions = Restrictions()
    policies: tuple[AppManagementPolicy, ...] = ()
    users_register_apps: bool = True
    consent_policies: tuple[str, ...] = ("ManagePermissionGrantsForSelf.microsoft-user-default-low",)
    invites_from: str = "everyone"
    guest_role: str = "10dae51f-b6af-4016-8d66-8c2a99b929b3"
    security_defaults: bool = True
    conditional_access: tuple[dict[str, object], ...] = ()
    """Conditional access policies, as Graph shows them; a tenant with security defaults has none."""
    named_locations: tuple[dict[str, object], ...] = ()
    mfa_of_others: bool = False
    """The default of cross-tenant access: multifactor authentication at other tenants counts."""
    partners: tuple[dict[str, object], ...] = ()
    """The partners of cross-tenant access, as Graph shows them."""
    risky_principals: tuple[dict[str, object], ...] = ()
    risk_detections: tuple[dict[str, object], ...] = ()
    """What Entra ID Protection says of workload identities, as Graph shows it."""
