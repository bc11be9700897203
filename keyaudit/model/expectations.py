"""What the reader says must be there: without it, what an identity cannot see is not missed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

RELATIVE = "complete only as far as the identity can see; [expect] in keyaudit.toml says what must be there"
"""What every report says where nothing is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectations:
    """Names, ids or globs of what must be seen, compared without case, and least numbers of rows."""

    subscriptions: tuple[str, ...] = ()
    vaults: tuple[str, ...] = ()
    """Of vaults and Managed HSMs; each has to match at least one."""
    at_least: Mapping[str, int] = field(default_factory=dict)
    """Rows by table."""
    shrinkage: int | None = None
    """By how many percent at most a table may have fewer rows than in an earlier snapshot."""

    def __bool__(self) -> bool:
        return bool(self.subscriptions or self.vaults or self.at_least or self.shrinkage is not None)


NOTHING = Expectations()
