"""Reads of what tokens are signed with and checked by: federated domains, token policies, key sets, authorities."""

from keyaudit.model.operations.kinds import Operation

DECLARED: tuple[Operation, ...] = ()
