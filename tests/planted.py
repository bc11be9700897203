"""Compares what is found in a simulated tenant with what is planted there, and says what to do about a difference."""

from collections.abc import Set

Defect = tuple[str, str]
"""Policy and subject."""


def differences(found: Set[Defect], planted: Set[Defect]) -> list[str]:
    """What only one of the two has, a line each."""
    missed = [
        f"{policy} does not find {subject}, where it is planted: its conditions are wrong"
        for policy, subject in planted - found
    ]
    more = [
        f"{policy} finds {subject}, where it is not planted: its conditions are wrong, or the object in"
        " keyaudit/simulator/estates/ has one more defect, in `finds=` of its plan or as a Plant"
        for policy, subject in found - planted
    ]
    return sorted(missed + more)
