"""Collections of Microsoft Graph, read page by page."""

from collections.abc import AsyncIterator, Sequence

import msgspec

from keyaudit.cloud.gateway import Gateway
from keyaudit.collect.usage.live.place import AT_ONCE, Batch, Place
from keyaudit.collect.usage.live.sources import AUDITS, SIGN_INS
from keyaudit.inventory.logs.use import Use
from keyaudit.model.times import iso_time
from keyaudit.model.usage import Window

LISTS: Sequence[tuple[str, str, dict[str, str]]] = (
    (SIGN_INS, "sign_in.list", {"kind": "servicePrincipal"}),
    (SIGN_INS, "sign_in.list", {"kind": "managedIdentity"}),
    (AUDITS, "directory_audit.list", {}),
)
"""What is asked of each collection: an operation, and what it is asked with."""


async def read_list(gateway: Gateway, operation: str, place: Place, **segments: str) -> AsyncIterator[Batch]:
    """The uses in a list, some at a time, then what was read of it."""
    # The log store tells repeated records by itself, whichever place they come from.
    listing = gateway.pages(operation, msgspec.Raw, by=None, body=None, **segments)
    uses: list[Use] = []
    async for item in listing:
        text = bytes(item)
        uses += place.uses(text, text)
        if len(uses) >= AT_ONCE:
            yield uses
            uses = []
    yield uses
    end = listing.end
    if end.refusal is None or end.received:
        place.answered()
    if end.refusal is not None:
        place.refused(end.refusal, operation)
    yield [place.read()]


def within(window: Window) -> dict[str, str]:
    """The window as these lists are asked for it. They know no "before": the last moment is named, to the last digit."""
    return {"first": iso_time(window.since), "last": iso_time(window.until - 1).removesuffix("Z") + ".9999999Z"}
