"""The table of user-assigned managed identities, and of what limits who can use them."""

from keyaudit.model.schema.columns import Area, Table, flag, text, texts, where_found
from keyaudit.model.schema.holder_columns import POWERS
from keyaudit.model.schema.opens import ALWAYS
from keyaudit.model.severity import Opens

_QUERY = ("managed_identity.query",)
_LIMITS = ("managed_identity.list", "managed_identity.list_stable")

MANAGED_IDENTITY = Table(
    name="managed_identity",
    order=105,
    area=Area.APPLICATIONS,
    replaced=False,
    noun="user-assigned managed identity",
    plural="user-assigned managed identities",
    meaning="a user-assigned managed identity: a separate resource that can be assigned to other resources",
    added_by=_QUERY,
    opens={
        Opens.TENANT: "tier0",
        Opens.WIDE: "tenant_wide or signs",
        Opens.ONE: ALWAYS,
    },
    columns=(
        *where_found(*_QUERY),
        text("subscription_id", "the subscription, a GUID in lower case"),
        text("resource_group", "the resource group, as Azure spells it"),
        text("principal_id", "the object id of its service principal, in lower case", _QUERY, guid=True),
        text("app_id", "its client id", _QUERY, guid=True),
        text("isolation_scope", "isolationScope: Regional, if it can be assigned only to resources in its own region", _LIMITS,
            values=("None", "Regional"), wire="properties.isolationScope"),
        texts("limited_to", "the only resource providers and types that it can be assigned to, sorted; empty: all",
            ("managed_identity.list",)),
        *POWERS,
        flag("signs", "a role assignment of its own lets it sign with keys", derived=True),
    ),
)
