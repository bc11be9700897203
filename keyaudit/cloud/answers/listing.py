"""A list over all its pages: items one by one, then the result."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Generic, TypeVar

import msgspec

from keyaudit.cloud.answers.pages import Page, Step
from keyaudit.model.coverage import SHOWN_BAD, End, Refusal, bad_items
from keyaudit.model.reasons import Reason
from keyaudit.model.values.text import one_line

T = TypeVar("T")

MAX_PAGES = 100_000
MAX_COPIES = 1_000
"""The maximum number of differing copies; a list with more is inconsistent as a whole."""
MAX_BARREN = 50
"""The maximum number of consecutive pages without new items. Azure sends some empty pages with a link, but not endlessly."""


class Listing(Generic[T]):
    """`async for item in listing`, once; then `listing.end`. Never raises for a refusal.

    A list of several pages in which an item came twice is read once more: the item moved between two requests, and then another
    one may have moved to a page that was read already. Unless both readings have the same items, the list is inconsistent.

    `check`: why an item is not of this list, if it is not; a list with an item that names another object is inconsistent.
    `never_empty`: why it cannot be empty, as a sentence; an empty one is then inconsistent.
    Until the last page is read, `end` is interrupted, so that a list that is not read completely is not taken for complete.
    """

    def __init__(
        self,
        fetch: Callable[[Step], Awaitable[Page | Refusal]],
        first: Step | Refusal,
        item: type[T],
        by: Callable[[T], str] | None,
        *,
        check: Callable[[bytes], Refusal | None] | None = None,
        never_empty: str = "",
    ) -> None:
        self._fetch, self._first, self._by, self._never_empty = fetch, first, by, never_empty
        self._check = check
        self._decoder = msgspec.json.Decoder(item)
        self._received = self._kept = self._duplicate = self._quarantined = 0
        self._bad: list[str] = []
        self._elsewhere = 0
        self._noted: frozenset[str] = frozenset()
        self._totals: set[int] = set()
        self._seen: dict[str, int] = {}
        self._copies: list[T] = []
        self._conflict: Refusal | None = None
        self._refusal: Refusal | None = Refusal(Reason.INTERRUPTED, "not read completely")
        self._begun = False
        self.unasked: tuple[str, ...] = ()
        """The members that its request had to leave out: its items lack them, which says nothing."""

    @property
    def end(self) -> End:
        """The result so far. Received = kept + duplicate + quarantined."""
        return End(
            received=self._received,
            kept=self._kept,
            duplicate=self._duplicate,
            quarantined=self._quarantined,
            bad=tuple(self._bad),
            noted=self._noted,
            refusal=self._refusal,
        )

    @property
    def unsettled(self) -> list[T]:
        """Later copies of items that differ from the first copy."""
        return list(self._copies)

    def copies(self) -> list[T]:
        """Later copies of items that differ from the first copy; call it after reading the list.

        The caller must make unknown what the copies disagree on. Without this call the list ends as inconsistent_pages.
        """
        if len(self._copies) > MAX_COPIES:
            return []
        if self._refusal is self._conflict:
            self._refusal = None
        return self._copies

    def __aiter__(self) -> AsyncIterator[T]:
        if self._begun:
            raise RuntimeError("a list can be read only once")
        self._begun = True
        return self._items()

    async def _items(self) -> AsyncIterator[T]:
        refusal: Refusal | None = None
        pages = 0
        async for page in self._pages(lambda: self._kept):
            if isinstance(page, Refusal):
                refusal = page
                break
            pages += 1
            self._noted |= page.noted
            for raw in page.items:
                item = self._take(raw)
                if item is not None:
                    yield item
        if self._copies:
            self._conflict = Refusal(Reason.INCONSISTENT_PAGES, "one item was returned twice with different content")
        refusal = refusal or self._miscounted()
        if refusal is None and self._duplicate and pages > 1:
            refusal = await self._reread()
        self._refusal = refusal or self._conflict or self._mixed() or self._emptied()

    async def _pages(self, known: Callable[[], int]) -> AsyncIterator[Page | Refusal]:
        """The pages of one reading; the last is the refusal, if it cannot be read to its end. `known`: the number of different
        items so far.
        """
        step: Step | Refusal | None = self._first
        visited: set[int] = set()
        contents: set[int] = set()
        barren = 0
        while isinstance(step, Step):
            visited.add(hash((step.url, step.body)))
            page = await self._fetch(step)
            if isinstance(page, Refusal):
                step = page
                break
            content = hash(tuple(map(bytes, page.items)))
            if page.items and content in contents:
                step = Refusal(Reason.PAGE_LOOP, f"page {len(visited):,} repeats an earlier one")
                break
            contents.add(content)
            before = known()
            yield page
            barren = 0 if known() > before else barren + 1
            step = self._onward(page, visited, barren)
        if step is not None:
            yield step

    async def _reread(self) -> Refusal | None:
        """Why a second reading does not confirm the first, or None."""
        names: set[str] = set()
        async for page in self._pages(names.__len__):
            if isinstance(page, Refusal):
                return page
            decoded = map(self._decoded, page.items)
            names.update(each[1] for each in decoded if not isinstance(each, Refusal) and each[1] is not None)
        if names != self._seen.keys():
            return Refusal(Reason.INCONSISTENT_PAGES, "one item was returned twice, and a second read returned different items")
        return self._miscounted()

    def _onward(self, page: Page, visited: set[int], barren: int) -> Step | Refusal | None:
        if page.total is not None:
            self._totals.add(page.total)
        if page.refusal or page.next is None:
            return page.refusal
        if hash((page.next.url, page.next.body)) in visited:
            return Refusal(Reason.PAGE_LOOP, f"page {len(visited):,} leads back to an earlier one")
        if barren >= MAX_BARREN or len(visited) >= MAX_PAGES:
            return Refusal(Reason.PAGE_LOOP, f"no end after {len(visited):,} pages")
        return page.next

    def _take(self, raw: msgspec.Raw) -> T | None:
        """One item, or None if it is not new; a copy that contradicts an earlier one is kept separately."""
        self._received += 1
        decoded = self._decoded(raw)
        if isinstance(decoded, Refusal):
            self._elsewhere += decoded.reason is Reason.INCONSISTENT
            self._set_aside(raw)
            return None
        item, name = decoded
        if name is None:
            self._kept += 1
            return item
        content = hash(bytes(raw))
        known = self._seen.setdefault(name, content)
        if len(self._seen) == self._kept:
            self._duplicate += 1
            if known != content and len(self._copies) <= MAX_COPIES:
                self._copies.append(item)
            return None
        self._kept += 1
        return item

    def _decoded(self, raw: msgspec.Raw) -> tuple[T, str | None] | Refusal:
        """An item with its name, if items have names, or why it is quarantined."""
        try:
            item = self._decoder.decode(raw)
            wrong = None if self._check is None else self._check(raw)
            return wrong or (item, None if self._by is None else self._by(item))
        except (msgspec.MsgspecError, RecursionError, ValueError):
            return Refusal(Reason.BAD_ITEM)

    def _set_aside(self, raw: msgspec.Raw) -> None:
        self._quarantined += 1
        if len(self._bad) < SHOWN_BAD:
            self._bad.append(_label(self._received, raw))

    def _mixed(self) -> Refusal | None:
        if not self._elsewhere:
            return None
        return Refusal(Reason.INCONSISTENT, f"of another object: {bad_items(self._elsewhere, self._received, self._bad)}", 200)

    def _emptied(self) -> Refusal | None:
        if self._received or not self._never_empty:
            return None
        return Refusal(Reason.INCONSISTENT, f"it is empty, but {self._never_empty}", 200)

    def _miscounted(self) -> Refusal | None:
        different = self._received - self._duplicate
        if not self._totals or self._totals == {different}:
            return None
        announced = " or ".join(f"{total:,}" for total in sorted(self._totals))
        return Refusal(Reason.INCONSISTENT_PAGES, f"{different:,} different items came, {announced} were announced")


# The members that name an item in the services' answers.
_NAMES = ("id", "kid", "name", "displayName")
_OBJECT = msgspec.json.Decoder(dict[str, Any])


def _label(number: int, raw: msgspec.Raw) -> str:
    """Identifies an item for people: its position in the list, and its name if it has one."""
    try:
        item = _OBJECT.decode(raw)
        names = [item[name] for name in _NAMES if isinstance(item.get(name), str)]
    except (msgspec.MsgspecError, RecursionError, ValueError):
        names = []
    name = next(filter(None, names), "")
    return f"number {number:,} ({one_line(name, 100)})" if name else f"number {number:,}"
