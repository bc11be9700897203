"""Reads of the tenant's rules for applications and sign-in."""

from keyaudit.model.operations.kinds import Operation

DECLARED: tuple[Operation, ...] = ()
