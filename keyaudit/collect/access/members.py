"""The members of groups that have grants, and the intermediate groups."""

from collections import deque
from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from keyaudit.cloud import batch
from keyaudit.cloud.gateway import Gateway
from keyaudit.collect.access.objects import ObjectItem
from keyaudit.collect.calls import Calls, why_incomplete
from keyaudit.collect.concurrency import for_each
from keyaudit.collect.copies import distinct
from keyaudit.collect.entra.relations import Related, object_id
from keyaudit.model.coverage import Refusal, Scope
from keyaudit.model.reasons import Reason

_AT_ONCE = 4
"""Batches."""


def object_of(item: ObjectItem) -> str:
    """An object's id in lower case; ValueError if it is malformed."""
    return object_id(Related(id=item.id))


class Group(Struct):
    """A group that was read: its direct and nested members by id, and why further members may be missing."""

    members: dict[str, ObjectItem] = field(default_factory=dict)
    missing: Reason | None = None

    @property
    def nested(self) -> Sequence[str]:
        """The groups among the members."""
        return [id_ for id_, item in self.members.items() if item.is_group]


class Groups:
    """Groups, each read once."""

    def __init__(self, gateway: Gateway, scope: Scope) -> None:
        self._gateway = gateway
        self._direct: dict[str, frozenset[str] | Refusal] = {}
        self.all = Calls(scope, "group.members", per_object=True)
        self.directly = Calls(scope, "group.direct_members", per_object=True)

    async def members(self, groups: Mapping[str, Reason | None]) -> Mapping[str, Group]:
        """The members of each group. `groups`: by id, why a group that shows no members may have some."""
        found: dict[str, Group] = {}

        async def some(ids: Sequence[str]) -> None:
            lists = await self._gateway.lists(self.all.id, ObjectItem, by=object_of, places=[{"id": group} for group in ids])
            for group, listing in zip(ids, lists, strict=True):
                read = found[group] = Group()
                read.members.update(await distinct(listing, object_of))
                end = listing.end
                self.all.ended(end)
                read.missing = why_incomplete(end)
                hidden = groups[group]
                if read.missing is None and hidden and not read.members:
                    # Without the permission, a group with hidden members looks like an empty one.
                    read.missing = hidden
                    self.all.refused(Refusal(hidden, "its membership may be hidden"))

        await for_each(_chunks(sorted(groups)), some, limit=_AT_ONCE)
        # No answer names its group: the other list shows whether it is this group's.
        await self._read_directly({id_ for group, read in found.items() for id_ in (group, *read.nested)})
        for group, read in sorted(found.items()):
            direct = self._direct.get(group)
            if read.missing is None and isinstance(direct, frozenset) and not direct <= read.members.keys():
                read.missing = Reason.INCONSISTENT
                read.members = {id_: item for id_, item in read.members.items() if id_ in direct}
                self.all.refused(Refusal(Reason.INCONSISTENT, "it lacks some of the direct members"))
        for read in found.values():
            hidden = [why for id_ in read.nested if (why := read.members[id_].why_hidden) and not self._shows_members(id_)]
            if hidden and read.missing is None:
                # The reason's name decides, so that the result does not depend on the order of answers.
                read.missing = min(hidden)
                self.all.refused(Refusal(read.missing, f"the membership of {len(hidden):,} groups in it may be hidden"))
        return found

    def ways(self, group: str, read: Group) -> Mapping[str, Sequence[str]]:
        """By member, the intermediate groups on a shortest path, without the first; members without a path are left out."""
        if not read.nested and isinstance(self._direct.get(group), Refusal):
            return dict.fromkeys(read.members, ())
        found: dict[str, Sequence[str]] = {}
        open_: deque[tuple[str, tuple[str, ...]]] = deque([(group, ())])
        seen = {group}
        while open_:
            here, way = open_.popleft()
            direct = self._direct.get(here, frozenset())
            if isinstance(direct, Refusal):
                continue
            for member in sorted(direct & read.members.keys()):
                found.setdefault(member, way)
                if read.members[member].is_group and member not in seen:
                    seen.add(member)
                    open_.append((member, (*way, member)))
        return found

    def why_no_way(self, group: str, read: Group) -> Reason:
        """Why some member has no known path."""
        for id_ in (group, *read.nested):
            direct = self._direct.get(id_)
            if isinstance(direct, Refusal):
                return direct.reason
        return Reason.INCONSISTENT_PAGES

    def _shows_members(self, group: str) -> bool:
        direct = self._direct.get(group)
        return isinstance(direct, frozenset) and bool(direct)

    async def _read_directly(self, groups: set[str]) -> None:
        async def some(ids: Sequence[str]) -> None:
            lists = await self._gateway.lists(self.directly.id, Related, by=object_id, places=[{"id": group} for group in ids])
            for group, listing in zip(ids, lists, strict=True):
                members = frozenset([object_id(item) async for item in listing])
                end = listing.end
                self.directly.ended(end)
                # A path through the groups that were read is valid, even if others were not read.
                self._direct[group] = (
                    Refusal(why_incomplete(end) or Reason.BAD_BODY) if end.refusal and not members else members
                )

        await for_each(_chunks(sorted(groups)), some, limit=_AT_ONCE)


def _chunks(ids: Sequence[str]) -> Sequence[Sequence[str]]:
    return [ids[start : start + batch.MOST] for start in range(0, len(ids), batch.MOST)]
