"""The closed list of changes that are right: other answers than unknown that a fault may lead to, each with its reason."""

from collections.abc import Mapping

from tests.sweep.compare import Wrong
from tests.sweep.faults import Fault

EMPTY_BELIEVED: Mapping[str, str] = {}
"""Lists that may be empty: nothing else that is read names what was in them. Expectations (`[expect]`) find it."""


def believed(fault: Fault, wrong: Wrong) -> str:
    """Why this change is right; empty where it is not."""
    if fault.kind == "empty list" and fault.operation in EMPTY_BELIEVED:
        return EMPTY_BELIEVED[fault.operation]
    return ""
