"""How long requests take that Azure limits, before they are sent."""

from msgspec import Struct

from keyaudit.model.operations import Throttle


class Forecast(Struct, frozen=True, kw_only=True):
    """`requests`, at least, and the `seconds` that they take: Azure allows `units` in `window` seconds, and the run uses a
    `share` of that.
    """

    throttle: Throttle
    """The limit."""

    surface: str
    """The step of the collection that sends them."""
    noun: str
    """What they read, for people: "rotation policies"."""
    place: str = ""
    """For a limit of one subscription or vault: the name of the one with the most requests."""
    requests: int
    seconds: float
    units: float
    window: float
    share: float
