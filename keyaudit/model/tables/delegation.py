"""The table of scopes that are delegated to other tenants (Azure Lighthouse)."""

from keyaudit.model.schema.columns import Area, Table, flag, text, texts, where_found
from keyaudit.model.severity import Opens
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
    meaning="roles that principals of another tenant have in a subscription or resource group (Azure Lighthouse)",
    added_by=_DELEGATED,
    # Who may only purge, or set a policy where no vault has policies, gets no key by it.
    opens={
        Opens.WIDE: (
            'not covers(["purge-vault", "set-policy"], allows) or not covers(["purge-vault", "set-policy"], eligible_allows)'
            " or not covers([], policy_vaults)"
        ),
    },
    columns=(
        *where_found(*_DELEGATED, wire="properties.registrationDefinitionName"),
        text("subscription_id", "the subscription, a GUID in lower case"),
        text("resource_group", "the delegated resource group, as Azure spells it", absent="the whole subscription is"),
        text("definition_id", "id of the registration definition, in lower case: one may be assigned to several scopes",
            _DELEGATED),
        text("managing_tenant", "managedByTenantId: the tenant whose principals have the roles", _DELEGATED, guid=True,
            wire="properties.managedByTenantId"),
        texts("roles", "their permanent roles that give access to keys, certificates or secrets, sorted",
            _ROLE),
        texts("allows", "the permissions that these roles give on keys, certificates and secrets", _ROLE,
            values=tuple(each.value for each in Allows)),
        texts("eligible_roles", "the eligible roles that give such access, sorted", _ROLE),
        texts("eligible_allows", "the permissions that those roles give", _ROLE, values=tuple(each.value for each in Allows)),
        flag("guarded", "activating an eligible role requires multifactor authentication and approval; true if there is no "
            "eligible role", _ROLE),
        flag("vaults_inside", "a vault is in the delegated scope", (*_DELEGATED, "vault.query", "vault.list")),
        texts("policy_vaults", "the vaults under access policies in the delegated scope, sorted", partial=True, derived=True),
    ),
)
