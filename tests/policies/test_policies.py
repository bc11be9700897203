"""Each policy file brings its own tests: its examples come out as they say, and they notice every small way of breaking it."""

import re
from pathlib import Path

from keyaudit.policy import examples
from keyaudit.policy.load import load

_QUOTED = re.compile(r"""(["'])(?:(?!\1).)*\{\w+\}(?:(?!\1).)*\1""")


def test_every_example_comes_out_as_it_says_and_every_mutant_is_noticed() -> None:
    """A failure is a line with the file and the place of the example, or the file and the mutant."""
    report = examples.test_policies(None)
    assert report.failures == ()
    assert report.policies == len(load())
    assert report.examples >= 7 * report.policies
    assert report.mutants >= 5 * report.policies
    assert report.summary.endswith(": no failures")


def test_values_stand_alone_in_commands() -> None:
    """Values are quoted as they are filled in: inside other quotes a hostile name would come out of them."""
    commands = {(policy.text.id, text) for policy in load() for kind, text in policy.text.fix.items() if kind != "text"}
    assert len(commands) > 100
    assert {(id_, text) for id_, text in commands if _QUOTED.search(text)} == set()


def test_commands_mean_the_same_in_powershell() -> None:
    """There an unquoted @ is an operator, and quotes within an argument do not reach az."""
    commands = {
        (policy.text.id, fix["cli"].text)
        for policy in load()
        for fix in (policy.fix, *(arm.fix for arm in policy.message_when))
        if "cli" in fix
    }
    assert len(commands) > 80
    assert {(id_, text) for id_, text in commands if " @" in text or re.search(r"'[^']*\"[^']*'", text)} == set()


def test_a_policy_that_is_wrong_is_noticed(tmp_path: Path) -> None:
    """The tests above are as good as what they ask: a limit moved by a day must show, at the example that says so."""
    policy = next(policy for policy in load() if policy.text.id == "kv-key-rotation-overdue")
    right = Path(policy.file)
    file = tmp_path / right.name
    file.write_text(right.read_text(encoding="utf-8").replace("sign: P730D", "sign: P731D"), encoding="utf-8")
    found = examples.test_policies(file).failures
    one_over = next(example for example in policy.examples if example.why == "one day over")
    assert any(failure.startswith(f"{file}:{one_over.line}:{one_over.column}: ") for failure in found)
