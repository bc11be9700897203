"""Expectations from [expect] in keyaudit.toml: without them, resources that the identity cannot see are not missed."""

from collections.abc import Mapping

from msgspec import Struct, field

RELATIVE = "complete only for what the identity can see; [expect] in keyaudit.toml lists what must exist"
"""The note in reports of runs without expectations."""


class Expectations(Struct, frozen=True, kw_only=True):
    """Names, ids or globs of resources that must be visible, compared without case, and minimum numbers of rows."""

    subscriptions: tuple[str, ...] = ()
    vaults: tuple[str, ...] = ()
    """Patterns of vaults and Managed HSMs; each has to match at least one."""
    at_least: Mapping[str, int] = field(default_factory=dict)
    """Rows by table."""
    no_subscriptions: bool = False
    """The tenant has no Azure subscriptions to audit: where the identity sees none, nothing of them is missing."""
    shrinkage: int | None = None
    """The maximum decrease of a table's rows against an earlier snapshot, in percent."""

    def __bool__(self) -> bool:
        return bool(self.subscriptions or self.vaults or self.at_least or self.shrinkage is not None)


NOTHING = Expectations()
