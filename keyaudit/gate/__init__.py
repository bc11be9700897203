"""Turns findings and coverage into a verdict and an exit code. Every change of a verdict happens here."""

from keyaudit.gate.verdict import assess, decide, shows_access, with_conditions

__all__ = ["assess", "decide", "shows_access", "with_conditions"]
