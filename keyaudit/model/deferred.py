"""Mappings that are computed when they are first read."""

from collections.abc import Callable, ItemsView, Iterator, Mapping
from typing import TypeVar

T = TypeVar("T")


class Deferred(Mapping[str, T]):
    """The mapping that a function returns, which is called at most once; a pickled one is a dict."""

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], Mapping[str, T]]) -> None:
        self._make: Callable[[], Mapping[str, T]] | None = make
        self._made: Mapping[str, T] = {}

    def __getitem__(self, name: str) -> T:
        return self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def items(self) -> ItemsView[str, T]:
        """As those of a dict, which are faster to read than a mapping's."""
        return self._read().items()

    def __reduce__(self) -> tuple[type[dict[str, T]], tuple[dict[str, T]]]:
        return dict, (dict(self._read()),)

    def _read(self) -> Mapping[str, T]:
        if self._make is not None:
            self._made, self._make = self._make(), None
        return self._made
