"""Reads of where audit logs go, how long they are kept, and what watches them."""

from keyaudit.model.operations.kinds import Operation

DECLARED: tuple[Operation, ...] = ()
