"""Reads of who can reach keys: role assignments and definitions, deny assignments, eligibility, group members."""

from keyaudit.model.operations.kinds import Operation

DECLARED: tuple[Operation, ...] = ()
