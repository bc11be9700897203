"""The permissions of a role: its actions and data actions, matched with Azure's rules against a closed table.

https://learn.microsoft.com/azure/role-based-access-control/role-definitions: actions minus notActions, and data actions minus
notDataActions, within each permission by itself; case does not count; an asterisk stands for any run of characters.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from keyaudit.model.tables.grant import Allows

_VAULT = "microsoft.keyvault/vaults"

CONTROL: Mapping[str, Allows] = {
    "microsoft.authorization/roleassignments/write": Allows.GRANT,
    "microsoft.authorization/roledefinitions/write": Allows.GRANT,
    "microsoft.authorization/roleeligibilityschedulerequests/write": Allows.GRANT,
    "microsoft.authorization/roleassignmentschedulerequests/write": Allows.GRANT,
    # It can write access policies. To change the permission model takes the right to assign roles, too: so say the pages
    # rbac-guide (June 2026) and rbac-migration, and the vault refuses a deployment with "Caller is not allowed to change
    # permission model", which names that action. Only access-control-default (April 2026) says that the portal alone asks.
    # https://learn.microsoft.com/azure/key-vault/general/rbac-guide, https://github.com/Azure/bicep/issues/13541
    f"{_VAULT}/write": Allows.SET_POLICY,
    f"{_VAULT}/accesspolicies/write": Allows.SET_POLICY,
    "microsoft.keyvault/locations/deletedvaults/purge/action": Allows.PURGE_VAULT,
}
"""Actions of the control plane, in lower case."""

DATA: Mapping[str, Allows] = {
    f"{_VAULT}/keys/sign/action": Allows.SIGN,
    f"{_VAULT}/keys/decrypt/action": Allows.DECRYPT,
    f"{_VAULT}/keys/unwrap/action": Allows.WRAP,
    # The private key of an exportable certificate is read as the secret of its name.
    f"{_VAULT}/secrets/getsecret/action": Allows.READ_PRIVATE,
    f"{_VAULT}/keys/backup/action": Allows.BACKUP,
    f"{_VAULT}/keys/release/action": Allows.RELEASE,
    f"{_VAULT}/keys/import/action": Allows.IMPORT,
    f"{_VAULT}/keys/restore/action": Allows.IMPORT,
    f"{_VAULT}/certificates/import/action": Allows.IMPORT,
    f"{_VAULT}/certificates/restore/action": Allows.IMPORT,
    f"{_VAULT}/keys/create/action": Allows.MANAGE,
    f"{_VAULT}/keys/update/action": Allows.MANAGE,
    f"{_VAULT}/keys/delete": Allows.MANAGE,
    f"{_VAULT}/keys/rotate/action": Allows.MANAGE,
    f"{_VAULT}/keyrotationpolicies/write": Allows.MANAGE,
    f"{_VAULT}/certificates/create/action": Allows.MANAGE,
    f"{_VAULT}/certificates/update/action": Allows.MANAGE,
    f"{_VAULT}/certificates/delete": Allows.MANAGE,
    f"{_VAULT}/keys/purge/action": Allows.PURGE,
    f"{_VAULT}/certificates/purge/action": Allows.PURGE,
}
"""Data actions of vaults, in lower case."""

_ANY_KEY_ACTION = f"{_VAULT}/keys/\0/action"
_ALL = {**CONTROL, **DATA}


class Permission(Struct, rename="camel"):
    """One permission of a role or deny assignment. Without notActions nothing is excluded."""

    actions: list[str]
    data_actions: list[str]
    not_actions: list[str] | None = None
    not_data_actions: list[str] | None = None
    condition: str | None = None

    def __post_init__(self) -> None:
        # Provider/type/operation, or a pattern with an asterisk: what is neither may stand for an action that counts.
        if not all("/" in action or "*" in action for action in (*self.actions, *self.data_actions)):
            raise ValueError("no action of Azure")


def covers(pattern: str, action: str) -> bool:
    """Whether a pattern with asterisks matches an action. `action` is in lower case."""
    first, *rest = pattern.lower().split("*")
    if not rest:
        return first == action
    *middle, last = rest
    if not action.startswith(first) or not action.endswith(last) or len(action) < len(first) + len(last):
        return False
    # Matching each piece at its first position leaves the most text for the following pieces.
    place, end = len(first), len(action) - len(last)
    for piece in middle:
        found = action.find(piece, place, end)
        if found < 0:
            return False
        place = found + len(piece)
    return True


def granted(permissions: Sequence[Permission]) -> frozenset[str]:
    """The actions of the closed table that the permissions grant."""
    return frozenset(
        action
        for permission in permissions
        for table, given, taken in (
            (CONTROL, permission.actions, permission.not_actions or ()),
            (DATA, permission.data_actions, permission.not_data_actions or ()),
        )
        for action in table
        if _any(given, action) and not _any(taken, action)
    )


def allowed(actions: Iterable[str]) -> list[str]:
    """The permissions of these actions, in the order of `Allows`."""
    found = {_ALL[action] for action in actions}
    return [str(each) for each in Allows if each in found]


def by_wildcard(permissions: Sequence[Permission]) -> bool:
    """Whether a data action with an asterisk covers every operation on keys."""
    return any(covers(pattern, _ANY_KEY_ACTION) for permission in permissions for pattern in permission.data_actions)


def _any(patterns: Iterable[str], action: str) -> bool:
    return any(covers(pattern, action) for pattern in patterns)
