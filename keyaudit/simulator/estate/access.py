"""Access: roles, their assignments, eligibility and denials, access policies, users and groups."""

from msgspec import Struct


class Role(Struct, frozen=True, kw_only=True):
    """A role definition; `id` is its GUID."""

    id: str
    name: str
    custom: bool = False
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()


class RoleAssignment(Struct, frozen=True, kw_only=True):
    """A role assignment. `scope` is a full id as Azure spells it, `role` the definition's GUID."""

    id: str
    scope: str
    role: str
    principal: str
    principal_type: str = "User"
    condition: str | None = None
    created: int | None = None


class Eligibility(Struct, frozen=True, kw_only=True):
    """A role that a principal may activate, until `end` if that is set."""

    id: str
    scope: str
    role: str
    principal: str
    principal_type: str = "User"
    start: int
    end: int | None = None


class Delegation(Struct, frozen=True, kw_only=True):
    """A scope that is delegated to another tenant, with roles as the registration definition has them."""

    id: str
    scope: str
    tenant: str
    """The tenant that manages it."""
    name: str
    roles: tuple[dict[str, object], ...] = ()
    eligible: tuple[dict[str, object], ...] | None = None
    """None: the definition was made without any, and does not have the member."""


class DenyAssignment(Struct, frozen=True, kw_only=True):
    """A deny assignment. No `principals`: everyone but those `excluded`."""

    id: str
    name: str
    scope: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()
    principals: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    here_alone: bool = False
    """doNotApplyToChildScopes."""


class AccessPolicy(Struct, frozen=True, kw_only=True):
    """An entry of a vault's access policies."""

    principal: str
    application: str | None = None
    """applicationId of a compound identity."""
    keys: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    storage: tuple[str, ...] | None = None
    """None: left out."""


class User(Struct, frozen=True, kw_only=True):
    """A user; `type` is userType. `parent`: of an agent user, the object id of the agent identity that acts as it."""

    id: str
    name: str
    upn: str
    type: str | None = "Member"
    enabled: bool = True
    parent: str | None = None


class Group(Struct, frozen=True, kw_only=True):
    """A group; `members` are object ids, of groups too."""

    id: str
    name: str
    members: tuple[str, ...] = ()
    hidden: bool = False
    """Hidden membership: the audited identity sees no member."""
