"""The difference between two snapshots of one tenant."""

from enum import StrEnum

from msgspec import Struct

from keyaudit.model.coverage import Scope
from keyaudit.model.reasons import Reason
from keyaudit.model.results.run import NotJudged, Run, Verdict
from keyaudit.model.severity import Severity


class Change(StrEnum):
    """How a finding changed between the snapshots."""

    NEW = "new"
    CHANGED = "changed"
    """The finding is still open, with another severity."""
    DARK = "dark"
    """The finding was open; whether it still is could not be read, or was not evaluated."""
    FIXED = "fixed"


class Changed(Struct, frozen=True, kw_only=True):
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


class Dark(Struct, frozen=True):
    """A scope that was read before and is no longer readable, or not in full."""

    scope: Scope
    reason: Reason
    operations: tuple[str, ...]


class Difference(Struct, frozen=True, kw_only=True):
    """The whole difference. `changes` are ordered: new, changed, dark, fixed; of each the highest severity first."""

    old: Run
    new: Run
    verdict: Verdict
    """The verdict of the newer snapshot."""
    changes: tuple[Changed, ...]
    dark: tuple[Dark, ...]
    same: int
    """The number of unchanged findings."""
    revised: int = 0
    """The number of findings of the older snapshot by policies that are new or changed since the version that collected it."""
    unevaluated: tuple[NotJudged, ...] = ()
    """The policies that were evaluated before and are not now: their evidence was not supplied again."""
