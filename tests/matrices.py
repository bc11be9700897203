"""Tests of combinations: a few in the default tier, all in the exhaustive one."""

from collections.abc import Iterable
from itertools import product
from typing import Any

import pytest


def each_with_each(first: Iterable[Any], second: Iterable[Any]) -> list[Any]:
    """Parameters for every pair. The default tier has each of `first` and each of `second` once at least, in turn."""
    first, second = list(first), list(second)
    default = {(number % len(first), number % len(second)) for number in range(max(len(first), len(second)))}
    return [
        pytest.param(one, other, marks=() if place in default else pytest.mark.exhaustive)
        for place, (one, other) in zip(product(range(len(first)), range(len(second))), product(first, second), strict=True)
    ]
