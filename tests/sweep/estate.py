"""The tenant that is swept."""

from keyaudit.simulator.estates.contoso import contoso
from tests.collect.rig import EVIDENCE

__all__ = ["ESTATE", "EVIDENCE"]

ESTATE = contoso(1_795_000_000)
