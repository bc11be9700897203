"""Follows findings through snapshots. Only what shows that a finding is gone closes it: unknown and unread do not."""

from collections import Counter
from collections.abc import Mapping

from msgspec.structs import replace

from keyaudit.model.changes.closure import Key, failing, lost
from keyaudit.model.changes.history import Deadlines, Episode, History, Point
from keyaudit.model.results.findings import Finding
from keyaudit.model.results.run import Report

Owners = Mapping[Key, tuple[str, ...]]


class Course:
    """The findings of one tenant, snapshot by snapshot."""

    def __init__(self) -> None:
        self._last: Report | None = None
        self._open: dict[Key, Episode] = {}
        self._closed: list[Episode] = []
        self._times: Counter[Key] = Counter()
        self._points: list[Point] = []

    def add(self, report: Report) -> None:
        """The next snapshot. The one before it has to be readable still."""
        found, owners = _found(report)
        gone = {key: each.finding for key, each in self._open.items() if key not in found}
        unread = lost(gone, report)
        as_of = report.run.as_of
        for key in gone.keys() - unread:
            self._closed.append(replace(self._open.pop(key), closed=as_of, unread=False))
        for key in unread:
            self._open[key] = replace(self._open[key], unread=True)
        new = {key: finding for key, finding in found.items() if key not in self._open}
        # What the snapshot before did not read may have been there already.
        earlier = new.keys() if self._last is None else lost(new, self._last)
        for key, finding in found.items():
            was = self._open.get(key)
            self._times[key] += was is None
            self._open[key] = Episode(
                number=self._times[key],
                finding=finding,
                owners=owners.get(key, ()),
                first_seen=as_of if was is None else was.first_seen,
                earlier=key in earlier if was is None else was.earlier,
                last_seen=as_of,
            )
        self._points.append(
            Point(
                run=report.run,
                open=Counter(each.finding.severity for each in self._open.values()),
                unread=len(unread),
                new=len(new),
                closed=len(gone) - len(unread),
                complete=report.verdict.complete,
            )
        )
        self._last = report

    def history(self, deadlines: Deadlines) -> History:
        """All of it. Raises ValueError if no snapshot was added."""
        if self._last is None:
            raise ValueError("no snapshot was added")
        opened = sorted(self._open.values(), key=lambda each: (-each.finding.severity.rank, each.first_seen, each.finding.id))
        closed = sorted(self._closed, key=lambda each: (-(each.closed or 0), -each.finding.severity.rank, each.finding.id))
        return History(
            points=tuple(self._points), episodes=(*opened, *closed), verdict=self._last.verdict, deadlines=dict(deadlines)
        )


def _found(report: Report) -> tuple[dict[Key, Finding], Owners]:
    """The failures, and the owners of each that has some."""
    owned = [(owner, finding) for owner, finding in report.owned(False)]
    owners = {(finding.policy.id, finding.subject): owner.names for owner, finding in owned if owner.names}
    return failing(finding for _, finding in owned), owners
