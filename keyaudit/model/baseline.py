"""A baseline: the open findings of one day, so that a gate can fail on new findings only."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec import Struct

from keyaudit.model.findings import Severity


class Known(Struct, frozen=True, kw_only=True):
    """One finding of a baseline."""

    policy: str
    subject: str
    severity: Severity
    since: int
    """When the finding first entered a baseline, in seconds since 1970 UTC. Creating the baseline again keeps it."""


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
    _since: Mapping[tuple[str, str], Known] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found = {(entry.policy, entry.subject): entry for entry in self.entries}
        object.__setattr__(self, "_since", found)

    def entry(self, policy: str, subject: str) -> Known | None:
        """The entry for a policy and a subject."""
        return self._since.get((policy, subject))

    def outlived(self, as_of: int) -> int:
        """The number of entries that are older than the limit."""
        return sum(as_of >= entry.since + self.limit for entry in self.entries)

    def counting(self, as_of: int) -> tuple[Known, ...]:
        """The entries that are not older than the limit."""
        return tuple(entry for entry in self.entries if as_of < entry.since + self.limit)
