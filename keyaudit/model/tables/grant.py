"""The table of grants: role assignments, access policies, permissions, each as it was assigned."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from keyaudit.model.schema.columns import Area, Table, Where, count, flag, integer, text, texts, time, where_found
from keyaudit.model.severity import Opens
from keyaudit.model.tables.places import in_test


class Allows(StrEnum):
    """The closed list of permissions; a row's list is in this order."""

    SIGN = "sign"
    DECRYPT = "decrypt"
    WRAP = "wrap"
    """Unwrap other keys."""
    READ_PRIVATE = "read-private"
    """Read secrets, and with them the private part of an exportable certificate."""
    BACKUP = "backup"
    RELEASE = "release"
    IMPORT = "import"
    MANAGE = "manage"
    """Make, change or delete keys and certificates."""
    PURGE = "purge"
    PURGE_VAULT = "purge-vault"
    """Purge a deleted vault with its content."""
    GRANT = "grant"
    """Grant oneself access."""
    SET_POLICY = "set-policy"
    """Grant oneself access, but only in vaults under access policies."""
    CONNECT = "connect"
    """Set the external key manager that a Managed HSM sends the operations of external keys to."""


_DATA = (
    Allows.SIGN,
    Allows.DECRYPT,
    Allows.WRAP,
    Allows.READ_PRIVATE,
    Allows.BACKUP,
    Allows.RELEASE,
    Allows.IMPORT,
    Allows.MANAGE,
    Allows.PURGE,
)
HONOURED: Mapping[str, Mapping[str, Sequence[Allows]]] = {
    "rbac": {"azure-role": (*_DATA, Allows.PURGE_VAULT, Allows.GRANT)},
    "access-policy": {"azure-role": (Allows.PURGE_VAULT, Allows.GRANT, Allows.SET_POLICY), "access-policy": _DATA},
    "hsm-local": {"hsm-role": (*_DATA, Allows.GRANT, Allows.CONNECT)},
}
"""By a vault's access model and a grant's kind, the permissions that the vault honours; others have no effect there."""

HSM_ADMINISTRATOR = "a290e904-7015-4bba-90c8-60543313cdb4"
"""The local role Managed HSM Administrator. https://learn.microsoft.com/azure/key-vault/managed-hsm/built-in-roles"""

KEY_ADMINISTRATORS = ("00482a5a-887f-4fb3-b363-3b7fe8e74483", "14b46e9e-c2b7-41b4-b07b-48a6ebf60603")
"""The roles Key Vault Administrator and Key Vault Crypto Officer, which may do everything with keys and so sign, too.
https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/security"""

_POLICIES = ("vault.query", "vault.list")
_ROLES = ("role_assignment.query",)
_ELIGIBLE = ("role_eligibility.list",)
_DENIED = ("deny_assignment.list",)
_LOCAL = ("hsm.role_assignment.list", "hsm.role_assignment.of_keys", "hsm.role_assignment.of_key")
_APP_ROLES = ("service_principal.app_roles", "service_principal.app_roles_of")
_APIS = ("service_principal.list",)
_DELEGATED = ("delegated_grant.list",)
_DIRECTORY_ROLES = ("directory_role.assignments", "directory_role.eligibilities")
_DIRECTORY_ROLE = ("directory_role.definitions",)
_GRANT = (*_POLICIES, *_ROLES, *_LOCAL)
_DEFINED = (*_POLICIES, "role_definition.query", "hsm.role_definition.list")

_KINDS = ("azure-role", "access-policy", "hsm-role", "app-role", "delegated", "directory-role")
_NO_API = (Where("kind", ("azure-role", "access-policy", "hsm-role", "directory-role")),)
_ADDED_BY = (*_POLICIES, *_ROLES, *_ELIGIBLE, *_LOCAL, *_APP_ROLES, *_DELEGATED, *_DIRECTORY_ROLES)
HOLDERS = (*_ADDED_BY, "group.members")
"""The operations that list the principals which have grants, but not those that only own applications."""


GRANT = Table(
    name="grant",
    order=170,
    area=Area.ACCESS,
    replaced=False,
    noun="grant",
    plural="grants",
    meaning="a role assignment, access policy or permission as it was granted; members of groups are in membership",
    added_by=_ADDED_BY,
    parts={
        **dict.fromkeys(_POLICIES, ({"kind": "access-policy", "standing": True},)),
        **dict.fromkeys(_ROLES, ({"kind": "azure-role", "standing": True},)),
        **dict.fromkeys(_ELIGIBLE, ({"kind": "azure-role", "standing": False},)),
        **dict.fromkeys(_LOCAL, ({"kind": "hsm-role", "standing": True},)),
        **dict.fromkeys(_APP_ROLES, ({"kind": "app-role", "standing": True},)),
        **dict.fromkeys(_DELEGATED, ({"kind": "delegated", "standing": True},)),
        "directory_role.assignments": ({"kind": "directory-role", "standing": True},),
        "directory_role.eligibilities": ({"kind": "directory-role", "standing": False},),
    },
    fills={
        "role_definition.query": (*_ROLES, *_ELIGIBLE),
        "hsm.role_definition.list": _LOCAL,
        "directory_role.definitions": _DIRECTORY_ROLES,
    },
    opens={
        Opens.TENANT: "tier is not None and tier == 0",
        Opens.WIDE: (
            '(tier is not None and tier == 1) or scope_kind in ["root", "management-group"]'
            ' or (not in_test and (scope_kind == "subscription" or "sign" in allows))'
        ),
        Opens.ONE: "not in_test",
    },
    columns=(
        *where_found(*_DEFINED, *_APIS, *_DIRECTORY_ROLE),
        text("kind", "how it is granted", values=_KINDS),
        text("principal_id", "object id of the principal, in lower case", _GRANT),
        text("principal_type", "the type of the principal according to the grant", _GRANT,
            absent="the grant does not state it",
                values=("user", "group", "service-principal", "foreign-group", "device", "everyone")),
        text("application_id", "the client id of the only application through which the principal has it, in lower case",
            _GRANT,
            absent="through any application"),
        text("scope",
            "where it applies, including everything below: a full resource id in lower case, / for everything, or an API's "
            "object id",
            _GRANT),
        text("scope_kind", "the kind of scope; an HSM's keys and roles are objects", _GRANT, values=("root",
            "management-group", "subscription", "resource-group", "vault", "object", "hsm", "tenant", "administrative-unit",
            "directory-object", "api")),
        text("vault_id", "the scope's vault or Managed HSM, in lower case", _GRANT,
            absent="its scope is wider than a vault, or concerns no vault"),
        text("role_id", "the role's GUID or id, in lower case", _GRANT,
            absent="an access policy or a delegated permission has no role",
            absent_where=(Where("kind", ("access-policy", "delegated")),)),
        flag("custom", "the role is a custom role", _DEFINED),
        flag("wildcard",
            "a wildcard covers every key operation: in a role's data actions, or all in an access policy",
            _DEFINED),
        texts("allows", "the permissions it gives on keys, certificates and secrets, if the vault honours it",
            (*_DEFINED, *_DENIED),
            values=tuple(each.value for each in Allows)),
        texts("denied", "permissions that a deny assignment removes in its whole scope; they are not in allows", _DENIED,
            values=tuple(each.value for each in Allows)),
        text("condition", "the condition of the assignment; it is evaluated as if the condition were met", _GRANT,
            absent="it has no condition"),
        flag("standing",
            "it is active, permanently or temporarily; false: the principal is eligible and must activate it first",
            _GRANT),
        time("created_on", "when it was granted", _GRANT, absent="the date is not recorded",
            absent_where=(Where("kind", tuple(kind for kind in _KINDS if kind != "azure-role")),), past=True),
        time("expires_on", "when it expires", _GRANT, absent="it has no expiration date"),
        text("api", "the name of the API that an app role or a delegated permission is for", _APIS,
            absent="not a permission on an API", absent_where=_NO_API),
        text("api_id", "the client id of that API, in lower case", _APIS,
            absent="not a permission on an API", absent_where=_NO_API),
        integer("tier", "the tier of an app role or directory role: 0, control of the whole tenant; 1, all of one kind of data",
            (*_APIS, *_DIRECTORY_ROLE),
            absent="not an app role or directory role, or one without a tier"),
        text("on_behalf_of", "the users of a delegated permission: everyone, or a user's object id in lower case", _DELEGATED,
            absent="not a delegated permission",
            absent_where=(Where("kind", tuple(kind for kind in _KINDS if kind != "delegated")),)),
        flag("agent_credentials", "the directory role can add a credential to blueprints of agent identities", _DIRECTORY_ROLE,
            absent="not a directory role",
            absent_where=(Where("kind", tuple(kind for kind in _KINDS if kind != "directory-role")),)),
        text("principal_kind", "the type of the principal in the directory, else in the grant",
            values=("user", "group", "service-principal", "managed-identity", "foreign-group", "device", "contact", "everyone",
            "deleted"), derived=True),
        text("principal_name", "the display name of the principal",
            absent="it has no name", derived=True),
        text("principal_app_id", "the application (client) id of a service principal, in lower case",
            absent="not a service principal", derived=True),
        text("scope_name", "the display name of the subscription, if the scope is one",
            absent="the scope is not a subscription",
            absent_where=(Where("scope_kind", ("root", "management-group", "resource-group", "vault", "object", "hsm", "tenant",
            "administrative-unit", "directory-object", "api")),), derived=True),
        flag("effective", "a vault or HSM in its scope honours one of its permissions; true for other kinds of grants",
            derived=True),
        texts("environments_opened",
            "the environments of the vaults and HSMs in its scope whose keys or secrets it opens, sorted",
            derived=True),
        texts("environment_crossings",
            "test->prod: a principal of the first environment has access to the second; includes group members; sorted",
            derived=True),
        *(
            count(who, f"{told} have it, members of a group included", derived=True)
            for who, told in {
                "principals": "users, service principals and groups of other tenants that",
                "humans": "users that",
                "workloads": "service principals and managed identities that",
                "foreign": "guests, applications and groups of other tenants that",
            }.items()
        ),
        flag("holders_named", "a tag or setting names the environment of each workload that holds it; with [environments], "
            "unknown if neither does", derived=True),
        count("encrypting", "managed identities with this grant whose services encrypt with a vault key; includes group "
            "members", derived=True),
        flag("places_named", "a tag or setting names the environment of each vault and HSM that it opens; with "
            "[environments], unknown if neither does", derived=True),
        in_test("each vault and HSM whose content it opens, and it opens one,"),
    ),
)
