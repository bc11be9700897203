"""The permissions of all users: the authorization policy, and security defaults."""

from collections.abc import Sequence

from msgspec import UNSET, Struct

from keyaudit.cloud.gateway import Gateway
from keyaudit.collect.calls import Calls
from keyaudit.collect.rows import Row, Wire, read
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.reasons import Reason

OPERATIONS = ("authorization_policy.get", "security_defaults.get")

_USERS = ("users_register_apps", "users_consent", "user_consent_policies")
_AUTHORIZATION = (*_USERS, "guest_invites", "guest_rights")

# https://learn.microsoft.com/graph/api/resources/authorizationpolicy
_GUESTS = {
    "a0b1b346-4d3e-4e8b-98f8-753987be4970": "member",
    "10dae51f-b6af-4016-8d66-8c2a99b929b3": "guest",
    "2af84b1e-32c8-42b7-82bc-daa82404023b": "restricted-guest",
}
_ODD = Refusal(Reason.UNRECOGNISED)
# Consent for oneself, and for the groups and chats that one owns.
# https://learn.microsoft.com/graph/api/resources/defaultuserrolepermissions
_FOR_SELF = "managepermissiongrantsforself."
_FOR_OWNED = "managepermissiongrantsforownedresource."


class AuthorizationPolicy(Struct, rename="camel"):
    """The authorization policy."""

    id: str
    allow_invites_from: Wire = UNSET
    guest_user_role_id: Wire = UNSET
    default_user_role_permissions: Wire = UNSET


class UserPermissions(Struct, rename="camel"):
    """The default permissions of users."""

    allowed_to_create_apps: Wire = UNSET
    permission_grant_policies_assigned: Wire = UNSET


class SecurityDefaults(Struct, rename="camel"):
    """The policy of security defaults."""

    is_enabled: Wire = UNSET


class Authorization:
    """The data of both, for the tenant's row."""

    def __init__(self, scope: Scope) -> None:
        self._policy_calls = Calls(scope, "authorization_policy.get")
        self._defaults_calls = Calls(scope, "security_defaults.get")
        self._policy: AuthorizationPolicy | Refusal
        self._defaults: SecurityDefaults | Refusal

    async def collect(self, gateway: Gateway) -> None:
        """Read both."""
        self._policy = await gateway.get("authorization_policy.get", AuthorizationPolicy)
        self._defaults = await gateway.get("security_defaults.get", SecurityDefaults)
        for calls, found in ((self._policy_calls, self._policy), (self._defaults_calls, self._defaults)):
            if isinstance(found, Refusal):
                calls.refused(found)
            else:
                calls.answered()

    def put(self, row: Row) -> None:
        """Fill the columns of both."""
        if isinstance(self._policy, Refusal):
            row.refuse(_AUTHORIZATION, self._policy.reason)
        else:
            _put_policy(row, self._policy)
        if isinstance(self._defaults, Refusal):
            row.refuse(("security_defaults",), self._defaults.reason)
        else:
            row.put("security_defaults", self._defaults.is_enabled)

    @property
    def coverage(self) -> Sequence[Coverage]:
        """The coverage of `OPERATIONS`."""
        return self._policy_calls.coverage(), self._defaults_calls.coverage()


def _put_policy(row: Row, policy: AuthorizationPolicy) -> None:
    row.put("guest_invites", policy.allow_invites_from)
    role = read(policy.guest_user_role_id, str)
    row.put_read("guest_rights", role if isinstance(role, Refusal) else _GUESTS.get(role.lower(), _ODD))
    users = read(policy.default_user_role_permissions, UserPermissions)
    if isinstance(users, Refusal):
        row.refuse(_USERS, users.reason)
        return
    row.put("users_register_apps", users.allowed_to_create_apps)
    granted = read(users.permission_grant_policies_assigned, list[str])
    if isinstance(granted, Refusal):
        row.refuse(("users_consent", "user_consent_policies"), granted.reason)
        return
    own = sorted({name[len(_FOR_SELF) :] for name in granted if name.lower().startswith(_FOR_SELF)})
    known = all(name.lower().startswith((_FOR_SELF, _FOR_OWNED)) for name in granted)
    row.put_all(user_consent_policies=own if known else _ODD, users_consent=True if own else False if known else _ODD)
