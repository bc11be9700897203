"""The ledger: one record per (scope, operation), opened before its first request and closed exactly once."""

from collections.abc import Iterable, Sequence

from keyaudit.model.coverage import Coverage, Scope, State
from keyaudit.model.operations import OPERATIONS
from keyaudit.model.reasons import Reason


class BreachError(RuntimeError):
    """An invariant of the inventory does not hold: a bug of keyaudit, never the tenant's or the reader's fault."""


class Ledger:
    """What was attempted and what it came to. Whatever is not closed reads as not assessed."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], Scope] = {}
        self._closed: dict[tuple[str, str], Coverage] = {}

    def open(self, scope: Scope, operations: Sequence[str]) -> None:
        """Records the attempt; to be called before the first request. Raises BreachError where one was recorded before."""
        keys = [(scope.id, operation) for operation in operations]
        if len(set(keys)) != len(keys):
            raise BreachError(f"{scope.id}: an operation is named twice")
        for key in keys:
            self._check_new(key)
        self._open.update(dict.fromkeys(keys, scope))

    def forget(self, scope: Scope, operations: Sequence[str]) -> None:
        """Withdraws an attempt that never closed, so that it can be made again."""
        for operation in operations:
            del self._open[scope.id, operation]

    def check(self, scope: Scope, operations: Sequence[str], coverage: Sequence[Coverage]) -> None:
        """Raises BreachError unless `coverage` closes these operations of `scope`, each once.

        Further records may be there, of operations that only then proved needed, but none that another unit holds.
        """
        records = {(record.scope.id, record.operation) for record in coverage}
        if len(records) != len(coverage):
            raise BreachError(f"{repeated(coverage)}: two records close it")
        opened = {(scope.id, operation) for operation in operations}
        for key in sorted(opened):
            if key not in self._open:
                raise BreachError(f"{key[1]} on {key[0]}: closed, and was not open")
            if key not in records:
                raise BreachError(f"{key[1]} on {key[0]}: opened, and no record closes it")
        for key in sorted(records - opened):
            self._check_new(key)

    def close(self, scope: Scope, operations: Sequence[str], coverage: Sequence[Coverage]) -> None:
        """Closes what `open` opened, under the conditions of `check`; where they do not hold, nothing is closed."""
        self.check(scope, operations, coverage)
        self.forget(scope, operations)
        self._closed.update({(record.scope.id, record.operation): record for record in coverage})

    def records(self) -> tuple[Coverage, ...]:
        """Every record, by scope id and operation; what is still open is not assessed: interrupted."""
        unclosed = {
            key: Coverage(scope=scope, operation=key[1], state=State.NOT_ASSESSED, reason=Reason.INTERRUPTED)
            for key, scope in self._open.items()
        }
        found = self._closed | unclosed
        return tuple(found[key] for key in sorted(found))

    def _check_new(self, key: tuple[str, str]) -> None:
        if key[1] not in OPERATIONS:
            raise BreachError(f"{key[1]} on {key[0]}: no such operation")
        if key in self._open or key in self._closed:
            raise BreachError(f"{key[1]} on {key[0]}: recorded twice")


def repeated(coverage: Iterable[Coverage]) -> str:
    """The first operation and scope that have two records, in words; empty where there is none."""
    seen: set[tuple[str, str]] = set()
    for record in coverage:
        key = (record.scope.id, record.operation)
        if key in seen:
            return f"{record.operation} on {record.scope.id}"
        seen.add(key)
    return ""
