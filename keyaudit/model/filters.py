"""What a run is confined to. It is kept with what the run read, so that nobody takes a part for the whole."""

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Names, ids or globs, by what they choose, compared without case. Where there is none, everything is read."""

    subscriptions: tuple[str, ...] = ()
    resource_groups: tuple[str, ...] = ()
    vaults: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    @property
    def shown(self) -> tuple[str, ...]:
        """For people, one text for each kind: "only subscriptions prod-*, shared"."""
        kinds = ((field.name.replace("_", " "), getattr(self, field.name)) for field in fields(self))
        return tuple(f"only {kind} {', '.join(patterns)}" for kind, patterns in kinds if patterns)


def matching(patterns: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """The patterns that one of the names matches."""
    lowered = [name.lower() for name in names]
    return tuple(pattern for pattern in patterns if any(fnmatch.fnmatchcase(name, pattern.strip().lower()) for name in lowered))
