"""Mappings and sequences that are computed when they are first read."""

from collections.abc import Callable, ItemsView, Iterator, Mapping, Sequence
from typing import TypeVar, overload

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


class DeferredSequence(Sequence[T]):
    """The sequence that a function returns, which is called at most once; a pickled one is a tuple."""

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], Sequence[T]]) -> None:
        self._make: Callable[[], Sequence[T]] | None = make
        self._made: Sequence[T] = ()

    @overload
    def __getitem__(self, at: int) -> T: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[T]: ...
    def __getitem__(self, at: int | slice) -> T | Sequence[T]:
        return self._read()[at]

    def __len__(self) -> int:
        return len(self._read())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __reduce__(self) -> tuple[type[tuple[T, ...]], tuple[tuple[T, ...]]]:
        return tuple, (tuple(self),)

    def _read(self) -> Sequence[T]:
        if self._make is not None:
            self._made, self._make = self._make(), None
        return self._made
