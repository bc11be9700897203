"""Reads of other services' keys, and of who uses which Key Vault key."""

from keyaudit.model.operations.kinds import Operation

DECLARED: tuple[Operation, ...] = ()
