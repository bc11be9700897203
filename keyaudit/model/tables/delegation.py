"""The table of scopes that are delegated to other tenants (Azure Lighthouse)."""

from keyaudit.model.columns import Area, Table, Where, flag, text, texts, where_found
from keyaudit.model.tables.grant import Allows

_DELEGATED = ("delegation.query",)
_ROLE = (*_DELEGATED, "role_definition.query")

DELEGATION = Table(
    name="delegation",
    order=175,
    area=Area.ACCESS,
    replaced=False,
    noun="delegation to another tenant",
    plural="delegations to other tenants",
    meaning="roles that principals of another tenant have in a subscription or resource group (Azure Lighthouse): one row for "
    "those that they have, and one for those that they can activate",
    added_by=_DELEGATED,
    columns=(
        *where_found(*_DELEGATED),
        text("subscription_id", "the subscription, a GUID in lower case"),
        text("resource_group", "the delegated resource group, as Azure spells it", absent="the whole subscription is"),
        text("definition_id", "id of the registration definition, in lower case: one may be assigned to several scopes",
            _DELEGATED),
        text("managing_tenant", "managedByTenantId: the tenant whose principals have the roles", _DELEGATED, guid=True),
        flag("standing", "they have these roles; false: they are eligible and have to activate them first", _DELEGATED),
        texts("roles", "the roles that give access to keys, certificates or secrets, sorted", _ROLE),
        texts("allows", "the permissions on keys, certificates and secrets that these roles give", _ROLE,
            values=tuple(each.value for each in Allows)),
        flag("guarded", "activating one of these roles needs multifactor authentication and an approval", _ROLE,
            absent="they need not activate them", absent_where=(Where("standing", (True,)),)),
        flag("vaults_inside", "a vault is in the delegated scope", (*_DELEGATED, "vault.query", "vault.list")),
    ),
)
