"""What the tenant accepts from other tenants: the default of its cross-tenant access settings, and partners.

https://learn.microsoft.com/graph/api/resources/crosstenantaccesspolicy-overview
"""

from keyaudit.model.operations.kinds import Family, Paging, graph, graph_right
from keyaudit.model.reasons import Reason
from keyaudit.model.schema.columns import Area, Table, Where, flag, text, texts, where_found
from keyaudit.model.schema.opens import WIDE
from keyaudit.model.schema.wire import At, Read, Unreadable

SURFACE = "cross-tenant access"
FAMILY = Family("other tenants", order=116)

_POLICIES = graph_right("Policy.Read.All")

DECLARED = (
    graph(
        "cross_tenant.default",
        "default cross-tenant access settings",
        "/v1.0/policies/crossTenantAccessPolicy/default",
        paging=Paging.NONE,
        right=_POLICIES,
    ),
    graph(
        "cross_tenant.partners",
        "cross-tenant access settings of partners",
        "/v1.0/policies/crossTenantAccessPolicy/partners",
        query=(("$expand", "identitySynchronization"),),
        right=_POLICIES,
    ),
)

_DEFAULT = ("cross_tenant.default",)
_PARTNERS = ("cross_tenant.partners",)
_BOTH = (*_DEFAULT, *_PARTNERS)
_NOT_DEFAULT = (Where("kind", ("default",)),)


def _admin_roles(service_provider: bool) -> list[str]:
    """The relationships with their roles are read in the provider's tenant:
    https://learn.microsoft.com/graph/api/tenantrelationship-list-delegatedadminrelationships
    """
    if service_provider:
        raise Unreadable(Reason.PUBLISHER_ONLY)
    return []


FOREIGN_TENANT = Table(
    name="foreign_tenant",
    order=28,
    area=Area.TENANT,
    replaced=False,
    noun="cross-tenant access setting",
    plural="cross-tenant access settings",
    meaning="the cross-tenant access settings for other tenants: one row for the default, and one for each partner",
    added_by=_BOTH,
    parts={"cross_tenant.default": ({"kind": "default"},), "cross_tenant.partners": ({"kind": "partner"},)},
    reads=(
        Read(
            operation="cross_tenant.default",
            id="crossTenantAccess/default",
            single=True,
            key="",
            columns={"mfa_trusted": At("inboundTrust.isMfaAccepted")},
            # What only a partner can be given.
            fixed={
                "name": "every other tenant", "kind": "default", "tenant": None, "creates_users": False,
                "multi_tenant_organization": False, "service_provider": False, "admin_roles": [],
            },
        ),
        Read(
            operation="cross_tenant.partners",
            id="crossTenantAccess/{key}",
            key="tenantId",
            key_column="tenant",
            columns={"name": At("tenantId")},
            fixed={"kind": "partner"},
        ),
    ),
    opens=WIDE,
    # Null is what was never set for a partner:
    # https://learn.microsoft.com/graph/api/resources/crosstenantaccesspolicyconfigurationpartner
    columns=(
        *where_found(),
        text("kind", "the default for every other tenant, or the settings of one partner", values=("default", "partner")),
        text("tenant", "the partner's tenant", _PARTNERS, guid=True, absent="the default applies to every other tenant",
            absent_where=_NOT_DEFAULT),
        flag("mfa_trusted", "inboundTrust.isMfaAccepted: multifactor authentication at the other tenant is accepted here",
            _BOTH,
            absent="the default decides", absent_where=(Where("kind", ("partner",)),),
            wire=At("inboundTrust?.isMfaAccepted?")),
        # Without synchronization there is no such object:
        # https://learn.microsoft.com/graph/api/resources/crosstenantidentitysyncpolicypartner
        flag("creates_users", "userSyncInbound.isSyncAllowed: the partner may create, change and delete users here", _PARTNERS,
            wire=At("identitySynchronization?.userSyncInbound.isSyncAllowed", none=False)),
        # Null as in an answer about a partner that is none of it: https://learn.microsoft.com/graph/api/policydeletableitem-get
        flag("multi_tenant_organization", "isInMultiTenantOrganization: it and this tenant belong to one multitenant "
            "organization", _PARTNERS,
            wire=At("isInMultiTenantOrganization?", none=False)),
        flag("service_provider", "isServiceProvider: it is a Cloud Service Provider of this tenant", _PARTNERS,
            wire=At("isServiceProvider?", none=False)),
        texts("admin_roles", "the directory roles that its users have here by granular delegated admin privileges, sorted",
            _PARTNERS, wire=At("isServiceProvider?", bool, _admin_roles, none=[])),
    ),
)
