"""The ledger: one record per (scope, operation), opened before its first request and closed exactly once."""

from collections.abc import Iterable, Sequence

from keyaudit.model.coverage import Coverage, Scope, State
from keyaudit.model.operations import OPERATIONS
from keyaudit.model.reasons import Reason


class BreachError(RuntimeError):
    """A violated invariant of the inventory: always a bug of keyaudit."""


class Ledger:
    """The coverage records. A record that is not closed counts as not assessed."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], Scope] = {}
        self._closed: dict[tuple[str, str], Coverage] = {}

    def open(self, scope: Scope, operations: Sequence[str]) -> None:
        """Opens records; call it before the first request. Raises BreachError if one exists already."""
        keys = [(scope.id, operation) for operation in operations]
        if len(set(keys)) != len(keys):
            raise BreachError(f"{scope.id}: an operation is named twice")
        for key in keys:
            self._check_new(key)
        self._open.update(dict.fromkeys(keys, scope))

    def forget(self, scope: Scope, operations: Sequence[str]) -> None:
        """Removes open records, so that they can be opened again."""
        for operation in operations:
            del self._open[scope.id, operation]

    def check(self, scope: Scope, operations: Sequence[str], coverage: Sequence[Coverage]) -> None:
        """Raises BreachError unless `coverage` has exactly one record for each of these operations in `scope`.

        Records of further operations are allowed, unless another unit has them.
        """
        records = {(record.scope.id, record.operation) for record in coverage}
        if len(records) != len(coverage):
            raise BreachError(f"{repeated(coverage)}: two records close it")
        opened = {(scope.id, operation) for operation in operations}
        for key in sorted(opened):
            if key not in self._open:
                raise BreachError(f"{key[1]} on {key[0]}: closed, but was not open")
            if key not in records:
                raise BreachError(f"{key[1]} on {key[0]}: opened, but no record closes it")
        for key in sorted(records - opened):
            self._check_new(key)

    def close(self, scope: Scope, operations: Sequence[str], coverage: Sequence[Coverage]) -> None:
        """Closes what `open` opened, if the conditions of `check` hold; otherwise nothing is closed."""
        self.check(scope, operations, coverage)
        self.forget(scope, operations)
        self._closed.update({(record.scope.id, record.operation): record for record in coverage})

    def records(self) -> tuple[Coverage, ...]:
        """Every record, by scope id and operation; open records are not assessed (interrupted)."""
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
    """The first operation and scope with two records, in words; empty if there is none."""
    seen: set[tuple[str, str]] = set()
    for record in coverage:
        key = (record.scope.id, record.operation)
        if key in seen:
            return f"{record.operation} on {record.scope.id}"
        seen.add(key)
    return ""
