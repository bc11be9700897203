"""Turns findings and coverage into a verdict and an exit code. Every change of a verdict happens here."""

from keyaudit.gate.left_out import left_out
from keyaudit.gate.verdict import assess, decide, shows_access, with_conditions

__all__ = ["assess", "decide", "left_out", "shows_access", "with_conditions"]
