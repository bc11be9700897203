"""The commands that grant the missing permissions: for the specific vault, one line each."""

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from keyaudit.model.coverage import Scope, ScopeKind
from keyaudit.model.identity import parsed
from keyaudit.model.operations import OPERATIONS, Operation
from keyaudit.model.results.fixes import version_needed
from keyaudit.model.results.run import Gap
from keyaudit.model.values.shell import appended, option, shell_quoted
from keyaudit.model.values.text import one_line

ASSIGNEE, OBJECT_ID = "ASSIGNEE", "OBJECT_ID"
"""What stands for the identity in a command where the run does not name it."""
_PLACEHOLDER = re.compile(rf"(\{{\w+\}}|\b{ASSIGNEE}$)")
_LONGEST = 4_000
_INSTEAD = {"the subscription": "/subscriptions/SUBSCRIPTION_ID"}
_RBAC, _POLICIES = "rbac", "access-policy"
_IF = {_RBAC: "if the vault uses Azure RBAC", _POLICIES: "if the vault uses access policies"}


class Grant(Struct, frozen=True):
    """A command, on one line and quoted for a POSIX shell. `when`: its condition, if the access model is unknown."""

    command: str
    when: str = ""


def grants(gap: Gap) -> Sequence[Grant]:
    """The commands for a gap; for both access models if the vault's is unknown."""
    asked = [OPERATIONS[each] for each in gap.operations if each in OPERATIONS]
    of_vault = [each for each in asked if each.right.access_policy and gap.scope.kind is ScopeKind.VAULT]
    others = [each for each in asked if each not in of_vault]
    unknown = gap.access_model not in _IF
    found = [Grant(command) for command in _roles(others, gap)]
    if gap.access_model != _POLICIES:
        found += [Grant(command, _IF[_RBAC] if unknown else "") for command in _roles(of_vault, gap)]
    if gap.access_model != _RBAC and of_vault:
        found.append(Grant(_set_policy(of_vault, gap), _IF[_POLICIES] if unknown else ""))
    return tuple({grant.command: grant for grant in reversed(found)}.values())[::-1]


def notes(found: Sequence[Grant]) -> Iterator[str]:
    """What the reader has to fill in if the commands do not name the identity, and which Azure CLI they take."""
    words = {word for grant in found for word in shlex.split(grant.command)}
    if left := [each for each in (ASSIGNEE, OBJECT_ID) if each in words]:
        yield f"{' and '.join(left)}: the object id of the identity that runs keyaudit, which is unknown in this run"
    if needed := version_needed(grant.command for grant in found):
        yield needed


def permission_flags(allowed: Mapping[str, Iterable[str]]) -> str:
    """Key Vault's permissions by kind of object, in the form of `az keyvault set-policy`."""
    return " ".join(f"--{kind.removesuffix('s')}-permissions {' '.join(names)}" for kind, names in allowed.items())


def access_policies(operations: Iterable[Operation]) -> dict[str, tuple[str, ...]]:
    """The required permissions in an access policy, by kind of object: keys, certificates, secrets."""
    found: dict[str, dict[str, None]] = {}
    for operation in operations:
        if allowed := operation.right.access_policy:
            found.setdefault(allowed.kind, {})[allowed.permission] = None
    return {kind: tuple(names) for kind, names in found.items()}


def _roles(operations: Iterable[Operation], gap: Gap) -> Iterator[str]:
    for text, on in dict.fromkeys((operation.grant, operation.right.on) for operation in operations if operation.grant):
        who = parsed(gap.reader)
        assignee = who.object_id or who.application or who.user or ASSIGNEE
        given = {"{scope}": _assignable(gap.scope, on), "{name}": gap.scope.name, ASSIGNEE: assignee}
        command = ""
        for part in _PLACEHOLDER.split(text):
            command = appended(command, shell_quoted(one_line(given[part], _LONGEST))) if part in given else command + part
        yield command


def _assignable(scope: Scope, on: str) -> str:
    """The scope of a role assignment. Azure has none for a tenant: the reader fills in what a role can be assigned on."""
    return _INSTEAD.get(on, "RESOURCE_ID") if scope.kind is ScopeKind.TENANT else scope.id


def _set_policy(operations: Iterable[Operation], gap: Gap) -> str:
    """The command with all permissions that keyaudit uses on these kinds of objects, because it replaces the permissions of a
    kind.
    """
    kinds = access_policies(operations)
    allowed = {kind: names for kind, names in access_policies(OPERATIONS.values()).items() if kind in kinds}
    name = option("--name", one_line(gap.scope.name, _LONGEST))
    parts = gap.scope.id.split("/")
    of = f" {option('--subscription', one_line(parts[2], _LONGEST))}" if parts[1:2] == ["subscriptions"] and parts[2:] else ""
    return f"az keyvault set-policy {name} {_principal(gap.reader)} {permission_flags(allowed)}{of}"


def _principal(reader: str) -> str:
    """The option that names the identity. https://learn.microsoft.com/cli/azure/keyvault#az-keyvault-set-policy"""
    who = parsed(reader)
    named = (("--object-id", who.object_id), ("--spn", who.application), ("--upn", who.user), ("--object-id", OBJECT_ID))
    return next(option(flag, value) for flag, value in named if value)
