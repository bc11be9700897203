"""Simulated tenants that only tests serve, beside those of `--estate`."""

from collections.abc import Callable, Mapping

from keyaudit.simulator import estates
from keyaudit.simulator.estate import Estate
from tests.simulator.estates.northgate import northgate
from tests.simulator.estates.northgate_abused import northgate_abused
from tests.simulator.estates.ordinary_abused import ordinary_abused

ESTATES: Mapping[str, Callable[[int], Estate]] = {
    "ordinary-abused": ordinary_abused,
    "northgate": northgate,
    "northgate-abused": northgate_abused,
}
NAMES = (*estates.NAMES, *ESTATES)
"""Names that `estate` takes."""


def estate(name: str, as_of: int) -> Estate:
    """The estate of that name as it stands at `as_of`, of the tests or of `--estate`. Raises ValueError as `--estate` does."""
    return ESTATES[name](as_of) if name in ESTATES else estates.estate(name, as_of)
