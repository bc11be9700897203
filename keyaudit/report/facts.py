"""A row's columns as typed facts, which distinguish absent and unknown values."""

from collections.abc import Mapping
from functools import cache

from keyaudit.model.reasons import Reason
from keyaudit.model.results.findings import Finding, Value
from keyaudit.model.schema.columns import Table, Type
from keyaudit.model.tables import TABLES
from keyaudit.model.values import times

_REASONS = {str(reason): reason for reason in Reason}
_NONE: Mapping[str, Reason] = {}


class Facts:
    """A row of the table `kind`. Empty for a finding on a scope, whose name is then `called`."""

    def __init__(self, kind: str, row: Mapping[str, Value], unknown: Mapping[str, Reason] = _NONE, called: str = "") -> None:
        self.kind, self.called = kind, called
        self.table: Table | None = TABLES.get(kind)
        self.row = dict(row)
        self.unknown = {**_reasons(self.row.pop("unknown", None)), **unknown}
        """Every unknown column, with its reason."""
        for name in _never_absent(kind):
            if name in self.row and self.row[name] is None and name not in self.unknown:
                self.unknown[name] = Reason.INTERNAL_ERROR  # a NULL without an explanation does not mean absent

    @classmethod
    def of(cls, finding: Finding) -> "Facts":
        """The row of a finding, including columns that are unknown only to its policy."""
        scope = finding.scope
        called = f"{scope.kind} {scope.name or scope.id}" if scope else finding.subject
        return cls(finding.policy.table, finding.row, finding.unknown, called)

    def text(self, name: str) -> str | None:
        """A column as plain text; None if it is absent, unknown, or not in this table."""
        value = self.row.get(name)
        return value if value is None or isinstance(value, str) else plain(self.type(name), value)

    @property
    def family(self) -> str | None:
        """The family of a key's algorithm, as `model.algorithms.algorithm` takes it; None if it is unknown or there is none."""
        return self.text("parameter_set") or self.text("key_type") or self.text("kty")

    def integer(self, name: str) -> int | None:
        """A time or number; None if it is absent, unknown, or not in this table."""
        value = self.row.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def type(self, name: str) -> Type | None:
        """The declared type of a column, if it is declared."""
        column = self.table.by_name.get(name) if self.table else None
        return column.type if column else None

    def shown(self, name: str, unknown: str) -> str:
        """A column as text, `unknown` if it is unknown, empty if absent. A count may have bounds."""
        return self.text(name) or (unknown if name in self.unknown else "")


@cache
def _never_absent(kind: str) -> tuple[str, ...]:
    """The columns of a table that may be unknown, but not absent."""
    return tuple(column.name for column in TABLES[kind].columns if not column.absent) if kind in TABLES else ()


def plain(type_: Type | None, value: Value) -> str:
    """A value as exact text: ISO 8601 times and durations, `true`, lists joined by commas, counts as bounds."""
    match value:
        case None:
            text = ""
        case bool():
            text = "true" if value else "false"
        case int() if type_ is Type.TIME:
            text = times.iso_time(value)
        case int() if type_ is Type.DURATION:
            text = iso_duration(value)
        case (low, high) if isinstance(value, tuple):
            text = str(low) if low == high else f"at least {low}" if high is None else f"{low} to {high}"
        case list():
            text = ",".join(value)
        case dict():
            text = ",".join(f"{key}={value[key]}" for key in sorted(value))
        case _:
            text = str(value)
    return text


def iso_duration(seconds: int) -> str:
    """ISO 8601, exact: whole days as `P730D`, anything else in seconds."""
    sign, size = ("-" if seconds < 0 else ""), abs(seconds)
    return f"{sign}P{size // times.DAY}D" if size % times.DAY == 0 else f"{sign}PT{size}S"


def _reasons(value: Value) -> dict[str, Reason]:
    if not isinstance(value, dict):
        return {}
    return {name: _REASONS.get(reason, Reason.UNRECOGNISED) for name, reason in value.items()}
