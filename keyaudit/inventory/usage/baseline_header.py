"""The head of a baseline: its source logs, their gaps, and the digest of its file."""

from collections.abc import Mapping, Sequence

import msgspec

from keyaudit.inventory.manifest import File, Sealed, sealed, unsealed
from keyaudit.model.errors import UnsafeError
from keyaudit.model.reasons import Reason
from keyaudit.model.usage import Blind, Learned, Unseen, Window
from keyaudit.model.values.text import one_line
from keyaudit.model.values.times import DAY, iso_date, parse_date

FORMAT = 6
"""Increased when an older keyaudit could misread a newer format."""
WEEK = 7
DAMAGED = "take the baseline from where it was made, or learn it again"

Rhythm = Mapping[str, Sequence[tuple[int, int]]]
"""By log, and by weekday from Monday: the number of such days in the window, and of those with events."""


class _Missing(msgspec.Struct, forbid_unknown_fields=True):
    blind: Blind
    subject: str
    reason: Reason
    days: list[str]
    count: int


class _Window(msgspec.Struct, forbid_unknown_fields=True):
    since: str
    until: str
    """The last day."""
    uses: int
    sources: dict[str, int]
    undecided: int
    missing: list[_Missing]


class Head(Sealed):
    """The content of a baseline."""

    format: int
    tenant_id: str | None
    windows: list[_Window]
    rhythm: dict[str, list[tuple[int, int]]]
    rows: int
    file: File
    rates: File

    @property
    def learned(self) -> tuple[Learned, ...]:
        """The windows that it was learned from, in their order."""
        return tuple(_read(each) for each in self.windows)


def encode(*, tenant_id: str | None, learned: Sequence[Learned], rhythm: Rhythm, rows: int, file: File, rates: File) -> bytes:
    """Encodes a head in its canonical form."""
    head = Head(
        digest="",
        format=FORMAT,
        tenant_id=tenant_id,
        windows=[_written(each) for each in learned],
        rhythm={name: list(days) for name, days in rhythm.items()},
        rows=rows,
        file=file,
        rates=rates,
    )
    return sealed(head)


def decode(data: bytes, place: str) -> Head:
    """The head in `data`. Raises UnsafeError unless it is in canonical form, UsageError for another format version."""
    head = unsealed(data, place, Head, reads=FORMAT, again="learn it again", remedy=DAMAGED)
    try:
        learned = head.learned
    except ValueError as error:
        raise UnsafeError(place, f"damaged, or not of keyaudit: {one_line(str(error))}", DAMAGED) from error
    if not learned or any(len(days) != WEEK for days in head.rhythm.values()):
        raise UnsafeError(place, "damaged: it was learned from nothing", DAMAGED)
    return head


def _written(learned: Learned) -> _Window:
    return _Window(
        since=iso_date(learned.window.since),
        until=iso_date(learned.window.until - DAY),
        uses=learned.uses,
        sources=dict(sorted(learned.sources.items())),
        undecided=learned.undecided,
        missing=[
            _Missing(
                blind=each.blind,
                subject=each.subject,
                reason=each.reason,
                days=[iso_date(day) for day in each.days],
                count=each.count,
            )
            for each in learned.missing
        ],
    )


def _read(window: _Window) -> Learned:
    return Learned(
        window=Window(since=parse_date(window.since), until=parse_date(window.until) + DAY),
        uses=window.uses,
        sources=window.sources,
        undecided=window.undecided,
        missing=tuple(
            Unseen(
                blind=each.blind,
                subject=each.subject,
                reason=each.reason,
                days=tuple(parse_date(day) for day in each.days),
                count=each.count,
            )
            for each in window.missing
        ),
    )
