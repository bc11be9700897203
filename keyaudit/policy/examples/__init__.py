"""Runs policies' examples through the production SQL, and checks that they detect mutants of each policy."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import duckdb
from msgspec import Struct

from keyaudit.model.documents.problems import FieldError, Problem
from keyaudit.model.results.findings import Outcome
from keyaudit.model.severity import place
from keyaudit.policy.conditions.parameters import Value
from keyaudit.policy.conditions.syntax import written
from keyaudit.policy.definition import Example, Policy
from keyaudit.policy.evaluation.binding import Bound, bind, changed
from keyaudit.policy.evaluation.verdict import FAIL, outcome_of
from keyaudit.policy.examples.literals import verdicts
from keyaudit.policy.examples.mutants import Mutant, mutants
from keyaudit.policy.examples.samples import NOW, Sample, sample
from keyaudit.policy.load import load

_WRITTEN = 500_000
_FORM = 2_500
"""Characters of parameters in one query, about; and what a form counts for besides. The engine needs far more to read them."""


class TestReport(Struct, frozen=True, kw_only=True):
    """The result of testing policies.

    `failures` are lines with file and place: failed or missing examples, and mutants that no example detects.
    """

    __test__: ClassVar[bool] = False

    policies: int
    examples: int
    mutants: int
    failures: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    """Lines about what still loads, and has a better form."""

    @property
    def summary(self) -> str:
        """A summary in one line."""
        policies = "1 policy" if self.policies == 1 else f"{self.policies} policies"
        examples = f"{self.examples} example{'' if self.examples == 1 else 's'}"
        tested = f"{policies}, {examples}, {self.mutants} mutant{'' if self.mutants == 1 else 's'}"
        return f"{tested}: {len(self.failures) or 'no'} failure{'' if len(self.failures) == 1 else 's'}"


def test_policies(place: Path | None) -> TestReport:
    """Tests the policies below a folder, or the one in a file; None: the shipped ones. Raises UsageError as `load` does."""
    policies = load(place)
    problems: list[Problem] = []
    counted: Counter[str] = Counter()
    with duckdb.connect(":memory:", config={"threads": 1, "enable_external_access": False}) as connection:
        for bound in bind(policies, "default", {}):
            trial = _Trial(connection, bound)
            trial.run()
            problems += trial.problems
            counted.update(trial.counted)
    return TestReport(
        warnings=tuple(
            f"{policy.file}: severity_when is deprecated; write weakness and weakness_when: keyaudit explain policy-author"
            for policy in policies
            if policy.weakness_when and not policy.text.weakness
        ),
        policies=len(policies),
        examples=counted["examples"],
        mutants=counted["mutants"],
        failures=tuple(str(problem) for problem in problems),
    )


# pytest would collect it as a test wherever it is imported.
test_policies.__test__ = False  # type: ignore[attr-defined]


class _Trial:
    """One policy under test. Examples with parameters of their own are evaluated separately."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, bound: Bound) -> None:
        self._connection = connection
        self._bound = bound
        self.problems: list[Problem] = []
        self.counted: Counter[str] = Counter()

    def run(self) -> None:
        policy = self._bound.policy
        samples = list(self._samples())
        self.counted["examples"] = len(policy.examples)
        self._require(policy)
        mutated = list(mutants(self._bound))
        self.counted["mutants"] = len(mutated)
        original = Mutant("", policy.trees, self._bound.values)
        unnoticed = set(range(len(mutated)))
        for own, group in _by_parameters(samples):
            came = self._judge([original, *mutated], own, group)
            for each, (first, *others) in zip(group, came, strict=True):
                self._expect(each.example, *first)
                unnoticed -= {number for number, other in enumerate(others) if not _as_expected(each.example, *other)}
        if not self.problems:
            for number in sorted(unnoticed):
                self._problem(f"no example notices {mutated[number].what}", "add one that does")

    def _samples(self) -> Iterator[tuple[dict[str, Value], Sample]]:
        for example in self._bound.policy.examples:
            try:
                own = changed(self._bound.policy, example.parameters) if example.parameters else {}
                yield own, sample(self._bound.policy, example)
            except FieldError as error:
                self._problem(f"{example.why}: {error.what}", error.remedy, example)

    def _require(self, policy: Policy) -> None:
        expected = {example.expect for example in policy.examples}
        wanted = [Outcome.PASS, Outcome.FAIL]
        if policy.applies_to is not None:
            wanted.append(Outcome.NOT_APPLICABLE)
        if any(policy.table.by_name[name].can_be_unknown for name in policy.columns_read):
            wanted.append(Outcome.UNKNOWN)
        for outcome in wanted:
            if outcome not in expected:
                self._problem(f"no example of {outcome}", "add one")

    def _judge(self, forms: Sequence[Mutant], own: Mapping[str, Value], group: Sequence[Sample]) -> list[list[tuple[int, int]]]:
        """The verdict of every form on each row, with the place of its foremost weakness, with as many forms per query as its
        size allows.
        """
        trees = [(form.trees, {**form.values, **own}) for form in forms]
        rows = [(each.values, each.unknown) for each in group]
        policy = self._bound.policy
        most = max(1, _WRITTEN // (_FORM + sum(written(tree, policy.parameters) for tree in policy.trees.all)))
        found: list[list[tuple[int, int]]] = [[] for _ in rows]
        for start in range(0, len(trees), most):
            answer = self._connection.execute(verdicts(policy.table, trees[start : start + most], rows, NOW)).fetchall()
            for each, cells in zip(found, answer, strict=True):
                each.extend(zip(cells[::2], cells[1::2], strict=True))
        return found

    def _expect(self, example: Example, code: int, foremost: int) -> None:
        if not _as_expected(example, code, foremost):
            weaknesses = {place(each): each for each in self._bound.policy.trees.weaknesses}
            came = f"{outcome_of(code)} ({weaknesses[foremost]})" if code >= FAIL else f"{outcome_of(code)}"
            wanted = f"{example.expect} ({example.weakness})" if example.weakness else f"{example.expect}"
            self._problem(f"{example.why}: {wanted} expected, but the result was {came}", at=example)

    def _problem(self, what: str, remedy: str = "", at: Example | None = None) -> None:
        line, column = (at.line, at.column) if at else (0, 0)
        self.problems.append(Problem(file=self._bound.policy.file, line=line, column=column, what=what, remedy=remedy))


def _by_parameters(samples: Sequence[tuple[dict[str, Value], Sample]]) -> list[tuple[dict[str, Value], list[Sample]]]:
    groups: list[tuple[dict[str, Value], list[Sample]]] = []
    for own, each in samples:
        for known, group in groups:
            if known == own:
                group.append(each)
                break
        else:
            groups.append((own, [each]))
    return groups


def _as_expected(example: Example, code: int, foremost: int) -> bool:
    if outcome_of(code) is not example.expect:
        return False
    return example.weakness is None or code < FAIL or foremost == place(example.weakness)
