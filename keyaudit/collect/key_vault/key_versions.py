"""A key and its versions during the read: the current one, and a row for each even if reads are refused."""

from collections.abc import Awaitable, Callable, Collection
from typing import Generic, TypeVar

from msgspec import Struct, field

from keyaudit.collect.calls import Calls
from keyaudit.collect.concurrency import for_each
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason

Item = TypeVar("Item")
Answer = TypeVar("Answer")

Listed = tuple[dict[str, Item], Reason | None]
"""Versions, and why the list is incomplete; None if it is complete."""

_AT_ONCE = 4


async def agreed(
    listed: Listed[Item], current_version: str, again: Callable[[], Awaitable[Listed[Item]]], calls: Calls
) -> Listed[Item]:
    """A key's version list, which must contain the version that a later GET returned; otherwise it is read again.

    Either the key was rotated in between, or the list silently lacks versions.
    """
    if not _lacks(listed, current_version):
        return listed
    versions, unlisted = await again()
    listed = {**listed[0], **versions}, unlisted
    if not _lacks(listed, current_version):
        return listed
    calls.refused(Refusal(Reason.INCONSISTENT_PAGES, "a list of versions without the current one", 200))
    return listed[0], Reason.INCONSISTENT_PAGES


class Key(Struct, Generic[Item, Answer], kw_only=True):
    """The data of one key: `Item` is a version in a list, `Answer` the result of a GET."""

    name: str
    item: Item
    """Its item in the list of keys."""
    versions: dict[str, Item] = field(default_factory=dict)
    unlisted: Reason | None
    """Why the version list is incomplete."""
    current: Answer | Refusal
    current_version: str
    """The current version; empty if its GET was refused."""

    @property
    def versions_listed(self) -> bool | Refusal:
        """The value of the column."""
        return Refusal(self.unlisted) if self.unlisted else True

    def is_current(self, version: str, created: Callable[[Item], object], latest: int) -> bool | Refusal:
        """Whether the GET without a version returned it; if that was refused, whether it is the newest of a complete list.

        The list is read before, and a new version is the current one from its creation: a GET that returns an older one than
        the newest of the list is inconsistent. `latest`: the latest plausible creation time.
        https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#objects-identifiers-and-versioning
        """
        made = [(name, created(item)) for name, item in self.versions.items()]
        last = newest(made, latest)
        if isinstance(self.current, Refusal):
            return Refusal(self.current.reason) if last is None or self.unlisted else version == last
        if last is not None and last != self.current_version and self.current_version in self.versions:
            return Refusal(Reason.INCONSISTENT)
        return version == self.current_version

    async def answers(
        self, get: Callable[[str], Awaitable[Answer | Refusal]], without: Collection[str] = ()
    ) -> dict[str, Answer | Refusal]:
        """Every version with its answer, except those in `without`; without any version, the key itself as version ""."""
        found: dict[str, Answer | Refusal] = {self.current_version: self.current} if self.current_version else {}

        async def read_version(version: str) -> None:
            found[version] = await get(version)

        unread = [version for version in self.versions if version not in found and version not in without]
        await for_each(unread, read_version, limit=_AT_ONCE)
        return found or {"": self.current}


def _lacks(listed: Listed[Item], current_version: str) -> bool:
    versions, unlisted = listed
    return unlisted is None and (not versions or bool(current_version and current_version not in versions))


def newest(created: list[tuple[str, object]], latest: int) -> str | None:
    """The newest version; None if a time is missing or after `latest`, or if two versions tie."""
    times: list[tuple[int, str]] = []
    for version, made in created:
        if not isinstance(made, int) or made > latest:
            return None
        times.append((made, version))
    times.sort(reverse=True)
    return times[0][1] if times and (len(times) == 1 or times[0][0] != times[1][0]) else None
