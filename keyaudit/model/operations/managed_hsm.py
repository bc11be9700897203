"""Reads of Managed HSMs, by Azure Resource Manager and by the HSM itself."""

from keyaudit.model.operations.kinds import Operation

DECLARED: tuple[Operation, ...] = ()
