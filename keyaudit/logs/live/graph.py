"""Reads collections of Microsoft Graph page by page."""

from collections.abc import AsyncIterator, Sequence

import msgspec

from keyaudit.cloud.gateway import Gateway
from keyaudit.inventory.logs.token import Token
from keyaudit.inventory.logs.use import Use
from keyaudit.logs.live.place import AT_ONCE, Batch, Place
from keyaudit.logs.live.sources import AUDITS, SIGN_INS
from keyaudit.model.usage import Window
from keyaudit.model.values.times import iso_time

LISTS: Sequence[tuple[str, str, dict[str, str]]] = (
    (SIGN_INS, "sign_in.list", {"kind": "servicePrincipal"}),
    (SIGN_INS, "sign_in.list", {"kind": "managedIdentity"}),
    (AUDITS, "directory_audit.list", {}),
)
"""The operation and its parameters for each collection."""


async def read_list(gateway: Gateway, operation: str, place: Place, **segments: str) -> AsyncIterator[Batch]:
    """The uses in a list, in batches, then its reading result."""
    # The log store removes duplicates from all places.
    listing = gateway.pages(operation, msgspec.Raw, by=None, body=None, **segments)
    uses: list[Use | Token] = []
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
    """The filter for the window. These lists have no "before" operator, so it names the last instant."""
    return {"first": iso_time(window.since), "last": iso_time(window.until - 1).removesuffix("Z") + ".9999999Z"}
