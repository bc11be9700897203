"""Turns findings and coverage into a verdict and an exit code. Every change of a verdict happens here."""

from keyaudit.gate.verdict import assess, decide, settled, shows_access

__all__ = ["assess", "decide", "settled", "shows_access"]
