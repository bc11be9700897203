"""The SQL that judges and a plain reading of the same text agree on every row, known or not."""

import functools
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import duckdb
import pytest

from keyaudit.model.documents.problems import FieldError
from keyaudit.model.results.findings import Outcome
from keyaudit.model.schema.columns import Table
from keyaudit.model.severity import place
from keyaudit.model.tables import TABLES
from keyaudit.policy.conditions.parameters import PROFILES, Parameter, Shape, Value
from keyaudit.policy.conditions.syntax import condition
from keyaudit.policy.conditions.types import Every, Kind
from keyaudit.policy.definition import Policy, Trees
from keyaudit.policy.evaluation.binding import bind
from keyaudit.policy.evaluation.verdict import FAIL, outcome_of
from keyaudit.policy.examples.literals import verdicts
from keyaudit.policy.examples.samples import NOW, sample
from keyaudit.policy.load import load
from tests.policy.interpreter import Interpreter
from tests.policy.made import Author, row, settle

DAY = 86_400


def plain(values: Mapping[str, Value]) -> dict[str, Any]:
    """Parameters as the interpreter takes them."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def expected(policy: Policy, interpreter: Interpreter) -> tuple[Outcome, int | None]:
    """A verdict by the text of the design: Kleene logic, and the place of the foremost weakness in play."""
    applies = interpreter.holds(policy.applies_to.text) if policy.applies_to else True
    if applies is False:
        return Outcome.NOT_APPLICABLE, None
    violated = interpreter.holds(policy.violated_when.text)
    if violated is False:
        return Outcome.PASS if applies else Outcome.NOT_APPLICABLE, None
    in_play: list[str] = []
    for rung in policy.weakness_when:
        holds = interpreter.holds(rung.condition.text)
        if holds is not False:
            in_play.append(rung.weakness)
        if holds:
            break
    else:
        in_play.append(policy.trees.weakness)
    outcome = Outcome.UNKNOWN if applies is None or violated is None else Outcome.FAIL
    return outcome, min(map(place, in_play))


@functools.cache
def _duckdb() -> duckdb.DuckDBPyConnection:
    """One for all queries: to start one takes longer than most of them."""
    return duckdb.connect(config={"threads": 1})


def judged(
    table: str, forms: Sequence[tuple[Trees, Mapping[str, Value]]], rows: Sequence[tuple[dict[str, Any], dict[str, str]]]
) -> list[list[tuple[Outcome, int | None]]]:
    """What the SQL says: per row, per form."""
    found = _duckdb().execute(verdicts(TABLES[table], forms, rows, NOW)).fetchall()
    pairs = (zip(cells[::2], cells[1::2], strict=True) for cells in found)
    return [[(outcome_of(code), foremost if code >= FAIL else None) for code, foremost in row] for row in pairs]


def near_examples(policy: Policy, random: Random, count: int) -> list[tuple[dict[str, Any], dict[str, str]]]:
    """The rows of a policy's examples, with a few columns of each changed, so that every outcome occurs."""
    rows = []
    for _ in range(count):
        example = sample(policy, random.choice(policy.examples))
        values, unknown = dict(example.values), dict(example.unknown)
        made, doubtful = row(random, policy.table)
        for name in random.sample(policy.columns_read, min(random.randrange(0, 4), len(policy.columns_read))):
            values[name] = made[name]
            unknown.pop(name, None)
            if name in doubtful:
                unknown[name] = doubtful[name]
        settle(random, policy.table, values, unknown)
        rows.append((values, unknown))
    return rows


def agreed(policy: Policy, count: int) -> set[Outcome]:
    """The outcomes on that many rows, each under two profiles; SQL and interpreter agree on all of them."""
    rows = near_examples(policy, Random(policy.text.id), count)
    bounds = [bind([policy], profile, {})[0] for profile in PROFILES[:2]]
    met: set[Outcome] = set()
    for (values, unknown), found in zip(
        rows, judged(policy.table.name, [(policy.trees, bound.values) for bound in bounds], rows), strict=True
    ):
        for bound, verdict in zip(bounds, found, strict=True):
            interpreter = Interpreter(values, unknown, plain(bound.values), NOW)
            assert verdict == expected(policy, interpreter), (policy.text.id, values, unknown)
            met.add(verdict[0])
    return met


@pytest.mark.parametrize("count", [60, pytest.param(300, marks=pytest.mark.exhaustive)])
def test_the_sql_of_each_shipped_policy_agrees_with_its_text(count: int) -> None:
    """`python -m tests.bench agree` asks the same of 200,000 rows."""
    met = {policy.text.id: agreed(policy, count) for policy in load()}
    assert {name for name, outcomes in met.items() if not outcomes >= {Outcome.FAIL, Outcome.UNKNOWN}} == set()


def parameters(table: str) -> dict[str, Parameter]:
    """One of every shape; a map for each enumeration, the first without `otherwise`."""
    maps = {}
    for number, column in enumerate(column for column in TABLES[table].columns if column.values and column.type == "text"):
        entries: dict[str | int, str | int] = {value: (at + 1) * 100 * DAY for at, value in enumerate(column.values)}
        if number:
            entries.pop(column.values[-1])
            entries["otherwise"] = 365 * DAY
        name = f"by_{column.name}"
        maps[name] = Parameter(name, Kind.DURATION, Shape.MAP, {"default": entries})
    return maps | {
        "limit": Parameter("limit", Kind.DURATION, Shape.ONE, {"default": 730 * DAY}),
        "number": Parameter("number", Kind.INTEGER, Shape.ONE, {"default": 3}),
        "texts": Parameter("texts", Kind.TEXTS, Shape.ONE, {"default": ("a", "it's")}),
        "schedule": Parameter(
            "schedule", Kind.DURATION, Shape.SCHEDULE, {"default": {0: 398 * DAY, NOW - 30 * DAY: 200 * DAY, NOW: 47 * DAY}}
        ),
    }


def guarded(text: str, table: Table, declared: Mapping[str, Parameter]) -> str:
    """The condition, after a test of all values that must be tested before comparison."""
    try:
        condition(text, table, declared)
    except FieldError:
        names = [column.name for column in table.columns if column.absent and column.name in text]
        tags = [f"tags[{key!r}]" for key in ("env", "owner") if f"tags[{key!r}]" in text]
        tests = [f"{name} is not None" for name in (*names, *tags)]
        return f"{' and '.join(tests)} and ({text})"
    return text


def disagreements(table: str, conditions: int, *, fold: bool) -> int:
    """So many conditions made for a table, on half as many rows made for it: how often SQL and interpreter differ."""
    random = Random(f"conditions of {table}")
    declared = parameters(table)
    values = {name: parameter.value("default") for name, parameter in declared.items()}
    author = Author(random, TABLES[table])
    texts = [guarded(author.condition(), TABLES[table], declared) for _ in range(conditions)]
    forms = [(Trees(Every(()), condition(text, TABLES[table], declared).tree, (), "low"), values) for text in texts]
    rows = [row(random, TABLES[table]) for _ in range(conditions // 2)]
    differ = 0
    for (cells, unknown), verdicts_ in zip(rows, judged(table, forms, rows), strict=True):
        interpreter = Interpreter(cells, unknown, plain(values), NOW, fold)
        for text, (outcome, _) in zip(texts, verdicts_, strict=True):
            holds = interpreter.holds(text)
            wanted = Outcome.UNKNOWN if holds is None else Outcome.FAIL if holds else Outcome.PASS
            differ += outcome is not wanted
    return differ


@pytest.mark.parametrize("conditions", [40, pytest.param(120, marks=pytest.mark.exhaustive)])
def test_the_sql_of_any_condition_agrees_with_its_text(conditions: int) -> None:
    found = {table: disagreements(table, conditions, fold=False) for table in TABLES}
    assert found == dict.fromkeys(TABLES, 0)


def test_taking_unknown_for_false_would_be_seen() -> None:
    assert disagreements("key", 120, fold=True) > 500
