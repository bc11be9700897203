"""One event that touches several applications alike, such as a new office or a failover, is one finding."""

from collections.abc import Callable, Collection, Sequence

from msgspec import structs

from keyaudit.model.severity import Severity
from keyaudit.model.usage import Kind, Unusual, Why

_KINDS = (Kind.NEW_NETWORK, Kind.MAILBOXES_FROM_NETWORK, Kind.USERS_FROM_NETWORK)
_SEVERAL = 3
"""Applications that are used from the same new networks."""


def together(findings: Sequence[Unusual], networks: Callable[[Unusual, Why], Collection[str]]) -> list[Unusual]:
    """The findings, each that only says of one more application that it was used from the same new networks as part of another.

    `findings`: the most severe first, which is the one that is reported. `networks`: those that a reason is about.
    """
    found = list(findings)
    news = {number: new for number, each in enumerate(found) if each.open and (new := _new_networks(each, networks))}
    while news:
        lead, whole = next(iter(news.items()))
        alike = [number for number, new in news.items() if new <= whole]
        if len({found[number].app_id for number in alike}) >= _SEVERAL:
            for number in alike[1:]:
                found[number] = structs.replace(found[number], part_of=found[lead].app_id or found[lead].operation)
        else:
            alike = [lead]
        for number in alike:
            del news[number]
    return found


def _new_networks(found: Unusual, networks: Callable[[Unusual, Why], Collection[str]]) -> set[str]:
    """The new networks that are all that is unusual at medium or above; otherwise none."""
    severe = [why for why in found.why if why.severity.rank >= Severity.MEDIUM.rank]
    if any(why.kind not in _KINDS for why in severe):
        return set()
    return {network for why in severe for network in networks(found, why)}
