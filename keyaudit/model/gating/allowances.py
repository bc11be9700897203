"""Gaps that are accepted for one run without a waiver: --allow-gap."""

from collections.abc import Collection, Sequence

from msgspec import Struct

from keyaudit.model.coverage import Scope
from keyaudit.model.errors import UsageError
from keyaudit.model.operations import OPERATIONS
from keyaudit.model.reasons import UNSAFE, Reason

_SYNTAX = "write KEY=VALUE[,KEY=VALUE], with the keys scope, operation, reason, policy"


class Allowance(Struct, frozen=True, kw_only=True):
    """One --allow-gap. Every given key must match, ignoring case. `scope` is an id or a name."""

    scope: str | None = None
    operation: str | None = None
    reason: str | None = None
    policy: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Allowance":
        """From `scope=kv-legacy,reason=firewall`. Raises UsageError for a value that cannot match any gap."""
        place = f"--allow-gap {text!r}"
        given: dict[str, str] = {}
        for part in text.split(","):
            key, equals, value = (piece.strip() for piece in part.partition("="))
            if not equals or not value or key not in cls.__struct_fields__:
                raise UsageError(place, f"cannot be read at {part.strip()!r}", _SYNTAX)
            if key in given:
                raise UsageError(place, f"has {key} twice", "repeat --allow-gap instead")
            given[key] = value
        reason, operation = given.get("reason", "").lower(), given.get("operation", "").lower()
        if reason and reason not in set(Reason):
            raise UsageError(place, f"no such reason: {reason!r}", "use one that a report shows")
        if reason in UNSAFE:
            raise UsageError(place, f"{reason} ends a run for safety and cannot be accepted", "leave that scope out")
        if operation and operation not in OPERATIONS:
            raise UsageError(place, f"no such operation: {operation!r}", "use one that a report shows")
        return cls(**given)

    def __str__(self) -> str:
        given = ((key, getattr(self, key)) for key in self.__struct_fields__)
        return ",".join(f"{key}={value}" for key, value in given if value is not None)

    def matches(self, scopes: Sequence[Scope], operations: Collection[str], reason: Reason, policy: str | None) -> bool:
        """Whether it accepts a gap of `policy` with these scopes, operations and reason."""
        return (
            _same(self.scope, [name for scope in scopes for name in (scope.id, scope.name)])
            and _same(self.operation, operations)
            and _same(self.reason, (reason,))
            and _same(self.policy, (policy or "",))
        )


def _same(wanted: str | None, values: Collection[str]) -> bool:
    return wanted is None or wanted.lower() in {value.lower() for value in values}
