"""Tests of combinations: a few in the default tier, all in the exhaustive one."""

from collections.abc import Callable, Container, Iterable, Sequence
from itertools import product
from typing import Any

import pytest


def each_with_each(first: Iterable[Any], second: Iterable[Any]) -> list[Any]:
    """Parameters for every pair. The default tier has each of `first` once, with those of `second` in turn."""
    first, second = list(first), list(second)
    return _pairs(first, second, {(number, number % len(second)) for number in range(len(first))})


def _pairs(first: Sequence[Any], second: Sequence[Any], default: Container[tuple[int, int]]) -> list[Any]:
    return [
        pytest.param(one, other, marks=() if place in default else pytest.mark.exhaustive)
        for place, (one, other) in zip(product(range(len(first)), range(len(second))), product(first, second), strict=True)
    ]


def some_with_each(first: Iterable[Any], second: Iterable[Any]) -> list[Any]:
    """Parameters for every pair. The default tier has pairs only until the shorter of both is used up."""
    first, second = list(first), list(second)
    default = {(number, number) for number in range(min(len(first), len(second)))}
    return _pairs(first, second, default)


def first_of(values: Iterable[Any], number: int = 1) -> list[Any]:
    """Parameters for every value. The default tier has the first ones."""
    values = list(values)
    return [*values[:number], *(pytest.param(each, marks=pytest.mark.exhaustive) for each in values[number:])]


def turning(states: Iterable[Any], moved: Callable[[Any], Sequence[bool]]) -> list[Any]:
    """Parameters for every state. The default tier has those where none moved, one did, or all did."""
    return [
        each if sum(moved(each)) in (0, 1, len(moved(each))) else pytest.param(each, marks=pytest.mark.exhaustive)
        for each in states
    ]
