"""The estates of the simulated tenant, by name: whole tenants, dated from the time they are asked for."""

from collections.abc import Callable, Mapping

from keyaudit.simulator.estate import Estate
from keyaudit.simulator.estates.blind_spots import blind_spots
from keyaudit.simulator.estates.contoso import contoso
from keyaudit.simulator.estates.hardened import hardened
from keyaudit.simulator.estates.ordinary import ordinary
from keyaudit.simulator.estates.sized import sized

_WHOLE: Mapping[str, Callable[[int], Estate]] = {
    "contoso": contoso,
    "blind-spots": blind_spots,
    "hardened": hardened,
    "ordinary": ordinary,
}
NAMES = (*_WHOLE, "sized:20x50")
"""Names that `estate` takes; a sized one with any numbers, see `estates.sized`."""


def estate(name: str, as_of: int) -> Estate:
    """The estate of that name as it stands at `as_of` (seconds since 1970 UTC); the same two give the same estate.

    Raises ValueError, with the known names, if there is none of that name.
    """
    if name in _WHOLE:
        return _WHOLE[name](as_of)
    if name.startswith("sized:"):
        return sized(name, as_of)
    raise ValueError(f"estate {name!r}: no such estate; try {', '.join(NAMES)}")
