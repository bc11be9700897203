"""The part of a tenant that flags choose: of a snapshot, and of what was read for this run."""

import dataclasses

from keyaudit.cli.options import Live, Parts, Stored, typed
from keyaudit.model.scope.part import Part

ALL = Parts()


def part_of(live: Live, stored: Stored, parts: Parts = ALL) -> tuple[Live, Part]:
    """The flags of the source, without those that choose a part of a snapshot, and the part.

    With --from, --subscription and --vault choose a part of what the snapshot has; else they choose what is read.
    """
    subscriptions, vaults = (tuple(named or ()) if stored.from_ else () for named in (live.subscription, live.vault))
    part = Part(
        subscriptions=subscriptions,
        vaults=vaults,
        environments=tuple(parts.environment or ()),
        owners=tuple(parts.owner or ()),
        areas=tuple(parts.area or ()),
        resources=tuple(parts.resource or ()),
    )
    read = dataclasses.replace(live, subscription=None, vault=None) if stored.from_ else live
    return read, part


def part_typed(live: Live, stored: Stored, parts: Parts) -> str:
    """The flags that choose the part, for suggested commands."""
    chosen = Live(subscription=live.subscription, vault=live.vault) if stored.from_ else Live()
    return " ".join(filter(None, (typed(chosen), typed(parts))))
