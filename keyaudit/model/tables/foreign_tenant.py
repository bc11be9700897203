"""The table of what the tenant accepts from other tenants: the default of its cross-tenant access settings, and partners."""

from keyaudit.model.columns import Area, Table, Where, flag, text, texts, where_found

_DEFAULT = ("cross_tenant.default",)
_PARTNERS = ("cross_tenant.partners",)
_BOTH = (*_DEFAULT, *_PARTNERS)
_NOT_DEFAULT = (Where("kind", ("default",)),)

FOREIGN_TENANT = Table(
    name="foreign_tenant",
    order=28,
    area=Area.TENANT,
    replaced=False,
    noun="cross-tenant access setting",
    plural="cross-tenant access settings",
    meaning="what the tenant accepts from other tenants: one row for its default, and one for each partner",
    added_by=_BOTH,
    parts={"cross_tenant.default": ({"kind": "default"},), "cross_tenant.partners": ({"kind": "partner"},)},
    columns=(
        *where_found(),
        text("kind", "the default for every other tenant, or the settings of one partner", values=("default", "partner")),
        text("tenant", "the partner's tenant", _PARTNERS, guid=True, absent="the default is about every other tenant",
            absent_where=_NOT_DEFAULT),
        flag("mfa_trusted", "inboundTrust.isMfaAccepted: multifactor authentication at the other tenant counts here", _BOTH,
            absent="the default decides", absent_where=(Where("kind", ("partner",)),)),
        flag("creates_users", "userSyncInbound.isSyncAllowed: the partner may create, change and delete users here", _PARTNERS),
        flag("multi_tenant_organization", "isInMultiTenantOrganization: it and this tenant are one organization", _PARTNERS),
        flag("service_provider", "isServiceProvider: it is a Cloud Service Provider of this tenant", _PARTNERS),
        texts("admin_roles", "the directory roles that its users have here by granular delegated admin privileges, sorted",
            _PARTNERS),
    ),
)
