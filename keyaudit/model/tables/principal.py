"""The tables of principals: who grants name, and who is in the groups that they name."""

from keyaudit.model.columns import Column, Table, Type, Where, where_found
from keyaudit.model.tables.grant import GRANT

_MEMBERS = ("group.members",)
_PRINCIPAL = ("principal.lookup", *_MEMBERS)
_APPLICATIONS = ("service-principal", "managed-identity")
_KINDS = ("user", "group", *_APPLICATIONS, "foreign-group", "device", "contact", "deleted")

PRINCIPAL = Table(
    name="principal",
    noun="principal",
    plural="principals",
    meaning="a user, group or service principal that a grant names, or that is in a group which one names",
    added_by=(*GRANT.added_by, *_MEMBERS),
    columns=(
        *where_found(*_PRINCIPAL),
        Column(name="object_id", type=Type.TEXT, meaning="its object id, in lower case"),
        Column(
            name="kind",
            type=Type.TEXT,
            meaning="what it is; foreign-group: another tenant's; deleted: the directory has no such object any more",
            operations=_PRINCIPAL,
            values=_KINDS,
        ),
        Column(
            name="user_principal_name",
            type=Type.TEXT,
            meaning="a user's sign-in name",
            operations=_PRINCIPAL,
            absent="not a user",
            absent_where=(Where("kind", tuple(kind for kind in _KINDS if kind != "user")),),
        ),
        Column(
            name="user_type",
            type=Type.TEXT,
            meaning="userType of a user",
            operations=_PRINCIPAL,
            absent="not a user",
            values=("Member", "Guest"),
            absent_where=(Where("kind", tuple(kind for kind in _KINDS if kind != "user")),),
        ),
        Column(
            name="app_id",
            type=Type.TEXT,
            meaning="the application (client) id of a service principal",
            operations=_PRINCIPAL,
            absent="not a service principal",
            absent_where=(Where("kind", tuple(kind for kind in _KINDS if kind not in _APPLICATIONS)),),
        ),
        Column(
            name="enabled",
            type=Type.BOOLEAN,
            meaning="accountEnabled: it may sign in",
            operations=_PRINCIPAL,
            absent="it cannot sign in at all, or Graph holds no value for a service principal",
            absent_where=(Where("kind", tuple(kind for kind in _KINDS if kind != "user")),),
        ),
        Column(
            name="home",
            type=Type.TEXT,
            meaning="whose it is: this tenant's, Microsoft's, another tenant's (a guest, a foreign application), or nobody's",
            operations=_PRINCIPAL,
            values=("own", "microsoft", "foreign", "none"),
        ),
        Column(
            name="members_listed",
            type=Type.BOOLEAN,
            meaning="every member of the group was listed; true, or unknown with the reason",
            operations=_MEMBERS,
            absent="not a group that a grant names",
        ),
        Column(
            name="environment",
            type=Type.TEXT,
            meaning="the environment that a service principal is at home in",
            absent="not a service principal, or nothing says so",
            derived_from=("kind", "service_principal.environment"),
        ),
    ),
)

MEMBERSHIP = Table(
    name="membership",
    noun="membership",
    plural="memberships",
    meaning="somebody in a group that a grant names, be it through other groups; groups themselves are not here",
    added_by=_MEMBERS,
    columns=(
        *where_found(),
        Column(name="group_id", type=Type.TEXT, meaning="object id of the group, in lower case"),
        Column(name="member_id", type=Type.TEXT, meaning="object id of the member, in lower case"),
        Column(
            name="through",
            type=Type.TEXTS,
            meaning="object ids of the groups in between, the outermost first, along a shortest way; empty for a direct member",
            operations=("group.members", "group.direct_members"),
        ),
    ),
)
