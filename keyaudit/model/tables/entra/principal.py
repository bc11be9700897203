"""The tables of principals: those that grants name, owners of applications, and members of groups."""

from keyaudit.model.schema.columns import Area, Table, Where, flag, text, texts, where_found
from keyaudit.model.tables.grant import GRANT

_MEMBERS = ("group.members",)
_PRINCIPAL = ("principal.lookup", "principal.get", *_MEMBERS)
_OWNERS = (
    *("application.list", "application.owners", "application.owners_of"),
    *("service_principal.list", "service_principal.owners", "service_principal.owners_of"),
)
_APPLICATIONS = ("service-principal", "managed-identity")
_KINDS = ("user", "group", *_APPLICATIONS, "foreign-group", "device", "contact", "deleted")

PRINCIPAL = Table(
    name="principal",
    order=290,
    area=Area.ACCESS,
    noun="principal",
    plural="principals",
    meaning="a user, group or service principal that has access, owns an application, or is in a group that has access",
    added_by=(*GRANT.added_by, *_OWNERS, *_MEMBERS),
    columns=(
        *where_found(*_PRINCIPAL),
        text("object_id", "its object id, in lower case"),
        text("kind", "its type; foreign-group: a group of another tenant; deleted: no longer in the directory",
            _PRINCIPAL,
            values=_KINDS),
        text("user_principal_name", "a user's sign-in name", _PRINCIPAL,
            absent="not a user", absent_where=(Where("kind", tuple(kind for kind in _KINDS if kind != "user")),)),
        text("user_type", "userType of a user", _PRINCIPAL, absent="not a user",
            absent_where=(Where("kind", tuple(kind for kind in _KINDS if kind != "user")),), values=("Member", "Guest")),
        text("app_id", "the application (client) id of a service principal", _PRINCIPAL, absent="not a service principal",
            absent_where=(Where("kind", tuple(kind for kind in _KINDS if kind not in _APPLICATIONS)),)),
        flag("enabled", "accountEnabled: it may sign in", _PRINCIPAL,
            absent="it cannot sign in, or Graph has no value for a service principal",
            absent_where=(Where("kind", tuple(kind for kind in _KINDS if kind != "user")),)),
        text("home", "its home: this tenant, Microsoft, another tenant (a guest, an external application), or nobody",
            _PRINCIPAL,
            values=("own", "microsoft", "foreign", "none")),
        flag("members_listed", "every member of the group was listed; true, or unknown with the reason", _MEMBERS,
            absent="not a group named in a grant"),
        text("environment", "the home environment of a service principal",
            absent="not a service principal, or not stated", derived=True),
    ),
)

MEMBERSHIP = Table(
    name="membership",
    order=300,
    area=Area.ACCESS,
    noun="membership",
    plural="memberships",
    meaning="a direct or nested member of a group that a grant names; groups themselves are not included",
    added_by=_MEMBERS,
    columns=(
        *where_found(),
        text("group_id", "object id of the group, in lower case"),
        text("member_id", "object id of the member, in lower case"),
        texts("through",
            "object ids of the groups in between on a shortest path, outermost first; empty for a direct member",
            ("group.members", "group.direct_members")),
    ),
)
