"""The needed permissions, each once, with what it reads, and the policies and columns that depend on it."""

from collections.abc import Collection, Mapping

from msgspec import Struct, structs

from keyaudit.model.operations import OPERATIONS, Operation, Right, Rights
from keyaudit.report.grants import access_policies
from keyaudit.report.lines import in_short, listed, plural


class Need(Struct, frozen=True):
    """One permission. `policies`: the ids of those that depend on it; `columns`: dependent `table` or `table.column`."""

    right: Right
    operations: tuple[Operation, ...]
    policies: tuple[str, ...]
    columns: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of the role or permission, or the action of a custom role."""
        return self.right.data_action or self.right.name

    @property
    def rest(self) -> list[str]:
        """The dependent tables or columns, in short."""
        return in_short(self.columns)

    @property
    def reads(self) -> str:
        """What it allows keyaudit to read, in words."""
        return ", ".join(dict.fromkeys(operation.noun for operation in self.operations))


class Needed(Struct, frozen=True):
    """The least permissions for some policies. `policies`: their number; None: for everything that is collected."""

    version: str
    policies: int | None
    needs: tuple[Need, ...]

    def of(self, rights: Rights) -> tuple[Need, ...]:
        """The permissions of one kind, each role once for all scopes."""
        merged: dict[str, Need] = {}
        for need in self.needs:
            if need.right.rights is rights:
                first = merged.get(need.right.text)
                merged[need.right.text] = _joined(first, need) if first else need
        return tuple(merged.values())

    def roles(self) -> tuple[Need, ...]:
        """Azure roles; an assignment at a subscription applies to everything in it."""
        merged: dict[str, Need] = {}
        for need in self.of(Rights.AZURE):
            first = merged.get(need.right.name)
            merged[need.right.name] = _joined(first, need) if first else need
        return tuple(merged.values())

    def elsewhere(self) -> tuple[Need, ...]:
        """The permissions that neither Azure roles nor Graph permissions include."""
        return tuple(need for need in self.needs if need.right.rights not in (Rights.AZURE, Rights.GRAPH))

    def access_policies(self) -> dict[str, tuple[str, ...]]:
        """The equivalent in access policies, by kind of object: keys, certificates, secrets."""
        return access_policies(operation for need in self.needs for operation in need.operations)

    @property
    def purpose(self) -> str:
        """Their purpose in words."""
        return "everything that it collects" if self.policies is None else plural(self.policies, "policy", "policies")


def needed(
    operations: Collection[str], needed_by: Mapping[str, tuple[str, ...]], *, version: str, policies: int | None
) -> Needed:
    """The permissions for these operations, in declaration order."""
    found: dict[Right, list[Operation]] = {}
    for operation in OPERATIONS.values():
        if operation.id in operations and operation.right.rights is not Rights.NONE:
            found.setdefault(structs.replace(operation.right, access_policy=None), []).append(operation)
    return Needed(version, policies, tuple(_need(right, same, needed_by) for right, same in found.items()))


def why(need: Need, needed: Needed) -> str:
    """The policies that depend on a permission, or the columns or commands if there are none."""
    if not need.policies:
        rest = need.rest or list(dict.fromkeys(each.command for each in need.operations if each.command))
        return f"no policy, but {listed(rest)}" if rest else "no policy; used only if another read is refused"
    if len(need.policies) == needed.policies:
        return "each of the selected policies" if needed.policies > 1 else need.policies[0]
    return listed(need.policies)


def _need(right: Right, operations: list[Operation], needed_by: Mapping[str, tuple[str, ...]]) -> Need:
    from keyaudit.inventory.reads import read_by  # noqa: PLC0415 - heavy

    policies = sorted({policy for operation in operations for policy in needed_by.get(operation.id, ())})
    columns = dict.fromkeys(column for operation in operations for column in read_by(operation.id))
    return Need(right, tuple(operations), tuple(policies), tuple(columns))


def _joined(one: Need, other: Need) -> Need:
    return Need(
        one.right,
        (*one.operations, *other.operations),
        tuple(sorted({*one.policies, *other.policies})),
        tuple(dict.fromkeys((*one.columns, *other.columns))),
    )
