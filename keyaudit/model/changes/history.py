"""Findings over time, from kept snapshots: since when each is open, how long it took to close, and what is overdue."""

from collections.abc import Mapping
from statistics import median

from msgspec import Struct

from keyaudit.model.results.findings import Finding
from keyaudit.model.results.run import Run, Verdict
from keyaudit.model.severity import Severity

Deadlines = Mapping[Severity, int]
"""By severity the seconds within which a finding has to be closed; a severity without one has no deadline."""


class Episode(Struct, frozen=True, kw_only=True):
    """A finding from the first snapshot that has it to the one that shows it closed. If it comes back, that is another one."""

    number: int
    """1 for the first time that this finding is open, 2 when it comes back."""
    finding: Finding
    """As it was last seen."""
    owners: tuple[str, ...]
    """The owners at that time; empty where none is known."""
    first_seen: int
    """The time of the first snapshot that has it, in seconds since 1970."""
    earlier: bool
    """Whether it may have been open before that: no snapshot shows that it was not."""
    last_seen: int
    closed: int | None = None
    """The time of the snapshot that shows it closed; None while it is open."""
    unread: bool = False
    """Whether it counts as open because what it is about was not read, or not evaluated, in the newest snapshot."""

    def age(self, as_of: int) -> int:
        """How long it was open, in seconds, as far as snapshots show; if it is open, until `as_of`."""
        return (as_of if self.closed is None else self.closed) - self.first_seen

    def deadline(self, deadlines: Deadlines) -> int | None:
        """When it has to be closed; None without a deadline, and where a waiver covers it."""
        within = deadlines.get(self.finding.severity)
        return None if within is None or self.finding.waiver else self.first_seen + within


class Point(Struct, frozen=True, kw_only=True):
    """One snapshot."""

    run: Run
    open: Mapping[Severity, int]
    """The findings that are open, including those that count as open because they were not read again."""
    unread: int
    """The number of those that were not read again."""
    new: int
    """Those that the snapshot before did not have, and those that came back; of the first snapshot, all."""
    closed: int
    complete: bool


class Pace(Struct, frozen=True, kw_only=True):
    """How fast findings of a severity are closed."""

    closed: int
    earlier: int
    """Those of them that may have been open before the first snapshot that has them; their time is at least what is counted."""
    median: int | None
    """Seconds between the snapshot that first has it and the one that shows it closed; None if none was closed."""


class History(Struct, frozen=True, kw_only=True):
    """The findings of a tenant over its snapshots, all evaluated with the same policies, each as of its own day."""

    points: tuple[Point, ...]
    """The earliest first; never empty."""
    episodes: tuple[Episode, ...]
    """Open ones first, the most severe and the longest open before others."""
    verdict: Verdict
    """That of the newest snapshot."""
    deadlines: Deadlines

    @property
    def newest(self) -> Run:
        return self.points[-1].run

    @property
    def open(self) -> tuple[Episode, ...]:
        return tuple(each for each in self.episodes if each.closed is None)

    @property
    def overdue(self) -> tuple[Episode, ...]:
        """The open ones whose deadline has passed, the longest overdue first."""
        due = [(end, each) for each in self.open if (end := each.deadline(self.deadlines)) is not None]
        late = [(end, each) for end, each in due if end < self.newest.as_of]
        return tuple(each for _, each in sorted(late, key=lambda one: one[0]))

    def pace(self, severity: Severity) -> Pace:
        """How fast findings of that severity are closed."""
        closed = [each for each in self.episodes if each.closed is not None and each.finding.severity is severity]
        times = [each.age(self.newest.as_of) for each in closed]
        return Pace(
            closed=len(closed), earlier=sum(each.earlier for each in closed), median=int(median(times)) if times else None
        )
