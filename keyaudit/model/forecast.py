"""How long requests of one kind take that Azure limits most, before they are sent."""

from msgspec import Struct


class Forecast(Struct, frozen=True, kw_only=True):
    """`requests`, at least, and the `seconds` that they take: Azure allows `units` in `window` seconds, and the run uses a
    `share` of that.
    """

    surface: str
    """The step of the collection that sends them."""
    requests: int
    seconds: float
    units: float
    window: float
    share: float
