"""The difference between two snapshots of one tenant."""

from dataclasses import dataclass
from enum import StrEnum

from keyaudit.model.coverage import Scope
from keyaudit.model.findings import Severity
from keyaudit.model.reasons import Reason
from keyaudit.model.run import Run, Verdict


class Change(StrEnum):
    """How a finding changed between the snapshots."""

    NEW = "new"
    CHANGED = "changed"
    """The finding is still open, with another severity."""
    DARK = "dark"
    """The finding was open; whether it still is could not be read."""
    FIXED = "fixed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """One finding that changed. `before` and `after` are its severities, None where it is not open."""

    change: Change
    id: str
    policy: str
    problem: str
    """The id of the policy."""
    subject: str
    resource: str
    """The name of the resource, for people."""
    message: str
    before: Severity | None
    after: Severity | None


@dataclass(frozen=True, slots=True)
class Dark:
    """A scope that was read before and is no longer readable, or not in full."""

    scope: Scope
    reason: Reason
    operations: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The whole difference. `changes` are ordered: new, changed, dark, fixed; of each the highest severity first."""

    old: Run
    new: Run
    verdict: Verdict
    """The verdict of the newer snapshot."""
    changes: tuple[Changed, ...]
    dark: tuple[Dark, ...]
    same: int
    """The number of unchanged findings."""
