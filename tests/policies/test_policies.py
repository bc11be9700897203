"""Each policy file brings its own tests: its examples come out as they say, and they notice every small way of breaking it."""

import re
from pathlib import Path

import pytest

from keyaudit.policy import examples
from keyaudit.policy.definition import Example, Policy
from keyaudit.policy.load import load

POLICIES = load()
_EXAMPLES = [
    pytest.param(policy, example, id=f"{policy.text.id}: {example.why}") for policy in POLICIES for example in policy.examples
]
_QUOTED = re.compile(r"""(["'])(?:(?!\1).)*\{\w+\}(?:(?!\1).)*\1""")


def _named(what: str) -> list[object]:
    return [pytest.param(policy, id=f"{policy.text.id}: {what}") for policy in POLICIES]


def _place(policy: Policy, example: Example) -> str:
    return f"{policy.file}:{example.line}:{example.column}: "


@pytest.fixture(scope="module")
def failures() -> tuple[str, ...]:
    """Everything that is wrong with the shipped policies, one line each, with file and place."""
    return examples.test_policies(None).failures


@pytest.mark.parametrize(("policy", "example"), _EXAMPLES)
def test_example(policy: Policy, example: Example, failures: tuple[str, ...]) -> None:
    place = _place(policy, example)
    assert [failure for failure in failures if failure.startswith(place)] == []


@pytest.mark.parametrize("policy", _named("its examples notice every mutant"))
def test_mutants(policy: Policy, failures: tuple[str, ...]) -> None:
    of_examples = tuple(_place(policy, example) for example in policy.examples)
    others = [failure for failure in failures if failure.startswith(policy.file) and not failure.startswith(of_examples)]
    assert others == []


@pytest.mark.parametrize("policy", _named("a value is never inside quotes of the command"))
def test_values_stand_alone_in_commands(policy: Policy) -> None:
    """Values are quoted as they are filled in: inside other quotes a hostile name would come out of them."""
    commands = [text for kind, text in policy.text.fix.items() if kind != "text"]
    assert [text for text in commands if _QUOTED.search(text)] == []


def test_a_policy_that_is_wrong_is_noticed(tmp_path: Path) -> None:
    """The tests above are as good as what they ask: a limit moved by a day must show, at the example that says so."""
    policy = next(policy for policy in POLICIES if policy.text.id == "kv-key-rotation-overdue")
    right = Path(policy.file)
    file = tmp_path / right.name
    file.write_text(right.read_text(encoding="utf-8").replace("sign: P730D", "sign: P731D"), encoding="utf-8")
    found = examples.test_policies(file).failures
    one_over = next(example for example in policy.examples if example.why == "one day over")
    assert any(failure.startswith(f"{file}:{one_over.line}:{one_over.column}: ") for failure in found)
