"""Every limit counts: moved by a quarter, one way or the other, it changes what its policy finds, and nothing else."""

import dataclasses
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path

import duckdb
import pytest
from msgspec import structs

from keyaudit.inventory.snapshot import Snapshot, open_snapshot
from keyaudit.model.values.times import DAY
from keyaudit.policy.conditions.parameters import Parameter, Shape, Single, Value
from keyaudit.policy.conditions.types import Kind
from keyaudit.policy.definition import Policy
from keyaudit.policy.evaluation.judge import judge
from keyaudit.policy.load import load
from keyaudit.policy.settings import Judging

Found = frozenset[tuple[str, str, str, str]]

FAR = {
    "kv-disk-key-readers max_workloads": "in the demo, a person reads the key that one workload reads",
    "use-cmk-old-version grace": "in the demo, every key that a service has not taken up was rotated weeks ago",
    "use-secret-old-version grace": "in the demo, every secret that a service has not taken up was replaced weeks ago",
}
"""Limits that nothing in the demo lies near, with what is there instead; the examples of their policies try both sides."""


@dataclasses.dataclass(frozen=True)
class Limit:
    """One number of a policy: a parameter, or one entry of a parameter that is a map or schedule."""

    policy: Policy
    parameter: Parameter
    entry: str | int | None = None

    def __str__(self) -> str:
        entry = "" if self.entry is None else f"[{self.entry}]"
        return f"{self.policy.text.id} {self.parameter.name}{entry}"

    def moved(self, sign: int) -> Value:
        """The parameter with this number moved by a quarter, at least by one unit."""
        unit = DAY if self.parameter.kind is Kind.DURATION else 1
        value = self.parameter.value("default")
        if not isinstance(value, Mapping):
            return _moved(value, sign, unit)
        return {key: _moved(each, sign, unit) if key == self.entry else each for key, each in value.items()}


def _moved(value: object, sign: int, unit: int) -> Single:
    assert isinstance(value, int)
    return max(0, value + sign * max(unit, value // 4 // unit * unit))


def limits(policy: Policy) -> Iterator[Limit]:
    """Its numbers, but for schedules: the demo moves with the day it is shown on, and the days of a schedule do not."""
    for parameter in policy.parameters.values():
        if parameter.kind not in (Kind.DURATION, Kind.INTEGER) or parameter.shape is Shape.SCHEDULE:
            continue
        value = parameter.value("default")
        yield from (
            (Limit(policy, parameter, entry) for entry in value) if isinstance(value, Mapping) else (Limit(policy, parameter),)
        )


def with_value(policy: Policy, parameter: Parameter, value: Value) -> Policy:
    """The policy, with that default."""
    changed = structs.replace(parameter, profiles={"default": value})
    return structs.replace(policy, parameters={**policy.parameters, parameter.name: changed})


@pytest.fixture(scope="module")
def judged() -> tuple[Policy, ...]:
    """The policies that need no evidence."""
    return tuple(policy for policy in load() if not policy.text.needs)


@pytest.fixture(scope="module")
def snapshot(contoso: Path) -> Snapshot:
    return open_snapshot(contoso)


@pytest.fixture(scope="module")
def connection(snapshot: Snapshot, judged: tuple[Policy, ...]) -> Iterator[duckdb.DuckDBPyConnection]:
    """The tenant's tables, worked out once for all: what is judged here is judged many times."""
    tables = {policy.table.name for policy in judged}
    with snapshot.connect(_noon(snapshot), often=tables, names=tables) as connection:
        yield connection


def _noon(snapshot: Snapshot) -> int:
    """The demo's dates are whole days from today: what lies near a limit must not depend on the hour."""
    return snapshot.run.as_of // DAY * DAY + DAY // 2


def found(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot, *policies: Policy) -> Found:
    judgement = judge(connection, policies, snapshot.coverage, Judging(as_of=_noon(snapshot)))
    return frozenset((each.policy.id, each.subject, each.outcome, each.severity) for each in judgement.findings())


@pytest.fixture(scope="module")
def before(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot, judged: tuple[Policy, ...]) -> Found:
    return found(connection, snapshot, *judged)


@pytest.mark.exhaustive
def test_a_limit_moved_by_a_quarter_changes_what_is_found(
    connection: duckdb.DuckDBPyConnection, snapshot: Snapshot, judged: tuple[Policy, ...], before: Found
) -> None:
    """One limit of each policy at a time, all policies at once: none changes what another finds, as the next test has it."""
    rounds = [limit for limit in zip_longest(*(list(limits(policy)) for policy in judged)) if any(limit)]
    assert len(rounds) > 1
    unnoticed = []
    for moved in rounds:
        chosen = [limit for limit in moved if limit is not None]
        for sign in (1, -1):
            after = found(connection, snapshot, *(with_value(one.policy, one.parameter, one.moved(sign)) for one in chosen))
            chosen = [limit for limit in chosen if _of(limit.policy, before) == _of(limit.policy, after)]
        unnoticed += [str(limit) for limit in chosen]
    assert set(unnoticed) == FAR.keys(), "nothing in the demo lies near these"


def _of(policy: Policy, everything: Found) -> Found:
    return frozenset(each for each in everything if each[0] == policy.text.id)


@pytest.mark.exhaustive
def test_moved_limits_change_no_policy_that_does_not_read_them(
    connection: duckdb.DuckDBPyConnection, snapshot: Snapshot, judged: tuple[Policy, ...], before: Found
) -> None:
    moved, readers = list(judged), set()
    for at, policy in enumerate(judged):
        for limit in limits(policy):
            moved[at] = with_value(moved[at], limit.parameter, limit.moved(1))
            readers.add(policy.text.id)
    after = found(connection, snapshot, *moved)
    assert readers
    assert {each for each in before if each[0] not in readers} == {each for each in after if each[0] not in readers}
    assert before != after
