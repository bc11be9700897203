"""A key and its versions while they are read: which one is current, and a row for each whatever was refused."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from keyaudit.collect.concurrency import for_each
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason

Item = TypeVar("Item")
Answer = TypeVar("Answer")

_AT_ONCE = 4


@dataclass(slots=True, kw_only=True)
class Key(Generic[Item, Answer]):
    """All that was learnt of one key: `Item` is what lists hold of a version, `Answer` what a GET of one gives."""

    name: str
    item: Item
    """What the list of keys said of it."""
    versions: dict[str, Item] = field(default_factory=dict)
    unlisted: Reason | None
    """Why not every version was listed."""
    current: Answer | Refusal
    current_version: str
    """Empty where the GET that names it was refused."""

    @property
    def versions_listed(self) -> bool | Refusal:
        """The column's value."""
        return Refusal(self.unlisted) if self.unlisted else True

    def is_current(self, version: str, created: Callable[[Item], object]) -> bool | Refusal:
        """Whether the GET without a version named it; where that was refused, whether it is the newest of a whole list."""
        if not isinstance(self.current, Refusal):
            return version == self.current_version
        latest = None if self.unlisted else _newest([(name, created(item)) for name, item in self.versions.items()])
        return Refusal(self.current.reason) if latest is None else version == latest

    async def each(
        self, get: Callable[[str], Awaitable[Answer | Refusal]], write: Callable[[str, Answer | Refusal], None]
    ) -> None:
        """`write` every version with its answer, once. Where nothing named a version, the key itself, as version ""."""
        if self.current_version:
            write(self.current_version, self.current)
        others = [version for version in self.versions if version != self.current_version]

        async def one(version: str) -> None:
            write(version, await get(version))

        await for_each(others, one, limit=_AT_ONCE)
        if not self.current_version and not others:
            write("", self.current)


def _newest(created: list[tuple[str, object]]) -> str | None:
    """The version made last; None if a time is missing, or two tie for last."""
    times: list[tuple[int, str]] = []
    for version, made in created:
        if not isinstance(made, int):
            return None
        times.append((made, version))
    times.sort(reverse=True)
    return times[0][1] if times and (len(times) == 1 or times[0][0] != times[1][0]) else None
