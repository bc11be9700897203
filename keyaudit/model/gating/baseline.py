"""A baseline: the open findings of one day, so that a gate can fail on new findings only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from msgspec import Struct

from keyaudit.model.severity import Severity
from keyaudit.model.values.times import DAY

UNKNOWN_LIMIT = 30 * DAY
"""The longest time for which an unknown result of a baseline counts, in seconds."""


class Rule(Struct, frozen=True, kw_only=True):
    """What decided the findings of one policy, as two digests."""

    rule: str
    """Of the policy's file, without its texts."""
    limits: str
    """Of the values of its parameters in that run, and of its classes of resources."""


class Origin(StrEnum):
    """What has changed, or can have changed, a finding since a baseline was created."""

    VERSION = "version"
    """Certainly not the tenant: the same rows, evaluated now, have it too."""
    TENANT = "tenant"
    """Not the policies: the rows of then, evaluated now, do not have it, or were not readable."""
    NOT_EVALUATED = "not-evaluated"
    """The policy was not evaluated then, or is not now, so one of the two has no finding of it."""
    RULE = "rule"
    """The policy's rule is another one."""
    LIMITS = "limits"
    """The rule is the same, and the settings give it other limits."""
    SAME = "same"
    """Rule and limits are the same: only the tenant, the date and the program can make a difference."""
    NOT_RECORDED = "not-recorded"
    """The baseline does not say which policies it was created with."""


class Known(Struct, frozen=True, kw_only=True):
    """One finding of a baseline."""

    policy: str
    subject: str
    severity: Severity
    since: int
    """When the finding first entered a baseline, in seconds since 1970 UTC. Creating the baseline again keeps it."""


class KnownUnknown(Struct, frozen=True, kw_only=True):
    """One unknown result of a baseline. It covers no failure, and no result that is unknown for another reason."""

    policy: str
    subject: str
    severity: Severity
    since: int
    """As in `Known`."""
    because: str
    """Why it is unknown: its columns, each with its reason, or for a scope its message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The findings that were open in one run. An entry counts for `limit` seconds, and is open again after that."""

    tenant_id: str
    run_id: str
    as_of: int
    complete: bool
    """Everything required was read when the baseline was created."""
    limit: int
    entries: tuple[Known, ...]
    unknown: tuple[KnownUnknown, ...] = ()
    tool_version: str = ""
    """The version of keyaudit that created it; empty if it does not say."""
    rules: Mapping[str, Rule] = field(default_factory=dict)
    """By id, each policy that was evaluated; empty if it does not say."""
    _since: Mapping[tuple[str, str], Known] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found = {(entry.policy, entry.subject): entry for entry in self.entries}
        object.__setattr__(self, "_since", found)

    def entry(self, policy: str, subject: str) -> Known | None:
        """The entry for a policy and a subject."""
        return self._since.get((policy, subject))

    def origin(self, policy: str, now: Rule | None) -> Origin:
        """What can have changed the findings of a policy since. `now`: None if it is not evaluated any more."""
        if not self.rules:
            return Origin.NOT_RECORDED
        then = self.rules.get(policy)
        if then is None or now is None:
            return Origin.NOT_EVALUATED
        if then.rule != now.rule:
            return Origin.RULE
        return Origin.SAME if then == now else Origin.LIMITS

    def outlived(self, as_of: int) -> int:
        """The number of entries that are older than the limit."""
        return sum(as_of >= entry.since + self.limit for entry in self.entries)

    def counting(self, as_of: int) -> tuple[Known, ...]:
        """The entries that are not older than the limit."""
        return tuple(entry for entry in self.entries if as_of < entry.since + self.limit)

    def counting_unknown(self, as_of: int) -> tuple[KnownUnknown, ...]:
        """The unknown results that are not older than the limit, or `UNKNOWN_LIMIT`."""
        limit = min(self.limit, UNKNOWN_LIMIT)
        return tuple(entry for entry in self.unknown if as_of < entry.since + limit)
