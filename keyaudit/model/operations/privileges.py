"""Reads of what applications and service principals may do, and when they last did it."""

from keyaudit.model.operations.kinds import Operation

DECLARED: tuple[Operation, ...] = ()
