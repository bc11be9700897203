"""No rule of a shipped policy changes without an entry that people can read, and entries say what really changed."""

from pathlib import Path

import pytest
from msgspec import structs

from keyaudit import __version__
from keyaudit.policy.definition import Policy
from keyaudit.policy.load import load
from keyaudit.report.changes import policy_changes
from keyaudit.report.changes.policy_changes import PolicyChange
from keyaudit.report.topics import topic
from tests.policy_changes import Recorded, changes, now, recorded, together

POLICY = "kv-key-rotation-overdue"


def entry(version: str = "2.0.0", **members: str) -> PolicyChange:
    first = PolicyChange(version=version, policy="p", before="low", after="high", why="Why.")
    return structs.replace(first, **members)


def policy(tmp_path: Path, *edits: tuple[str, str]) -> Policy:
    """That policy with edits in its file."""
    [shipped] = [each for each in load() if each.text.id == POLICY]
    text = shipped.source
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / f"{POLICY}.yaml"
    path.write_text(text, encoding="utf-8")
    [found] = load(path)
    return found


def test_every_change_of_a_rule_is_recorded() -> None:
    found = changes(recorded(), now(), version=__version__, why="")
    assert [each.policy for each in found] == [], 'run python -m tests.policy_changes "WHY", with a sentence for people'


def test_entries_say_how_policies_are_in_the_newest_version() -> None:
    entries, shipped = policy_changes.recorded(), now()
    assert entries
    newest = {each.policy: each for each in reversed(entries)}
    for each in newest.values():
        assert each.after == (shipped[each.policy].severity if each.policy in shipped else ""), each.policy
    for each in entries:
        assert each.before or each.after
        assert bool(each.parts) is bool(each.before and each.after), each.policy
        assert (each.before == each.after) or not each.parts or {"severity", "cases"} & {*each.parts}
        assert policy_changes.number(each.version) <= policy_changes.number(__version__)
        assert each.why.endswith(".")


def test_the_topic_lists_each_entry() -> None:
    text = " ".join(topic("versions").split())
    for each in policy_changes.recorded():
        assert f"- {each.policy}: " in text
        assert each.why in text


@pytest.mark.parametrize(
    ("edit", "parts"),
    [
        (("weakness: weak\nweakness_when", "weakness: hygiene\nweakness_when"), ("severity",)),
        (("P730D, otherwise: P730D", "P700D, otherwise: P730D"), ("limits",)),
        (("strict: {sign: P365D", "strict: {sign: P364D"), ("limits",)),
        (("now - created_on > max_age", "now - created_on >= max_age"), ("condition",)),
        (("enabled and is_current", "is_current"), ("condition",)),
        (
            ("weakness: weak\nweakness_when:\n", "weakness: weak\nweakness_when:\n  - open: exportable\n"),
            ("cases",),
        ),
        (("subject: key_id", "subject: id"), ("resources",)),
    ],
)
def test_another_rule_is_found_by_the_part_that_changed(tmp_path: Path, edit: tuple[str, str], parts: tuple[str, ...]) -> None:
    before, after = Recorded.of(policy(tmp_path)), policy(tmp_path, edit)
    [found] = changes({POLICY: before}, {POLICY: Recorded.of(after)}, version="2.0.0", why="Why.")
    assert found.parts == parts
    assert after.rule != policy(tmp_path).rule


@pytest.mark.parametrize(
    "edit",
    [
        ("problem: Key past", "problem: A key past"),
        ("why: >-", "why: >-\n  More words."),
        ("now - created_on > max_age", "now  -  created_on > max_age"),
        ("lessons: [L4]", "lessons: [L1]"),
    ],
)
def test_another_text_is_the_same_rule(tmp_path: Path, edit: tuple[str, str]) -> None:
    before, after = policy(tmp_path), policy(tmp_path, edit)
    assert before.text.digest != after.text.digest
    assert before.rule == after.rule
    assert changes({POLICY: Recorded.of(before)}, {POLICY: Recorded.of(after)}, version="2.0.0", why="") == []


def test_a_new_policy_and_one_that_is_gone_have_entries() -> None:
    one = Recorded("low", {"severity": "1"})
    [new, gone] = changes({"gone": one}, {"a-new": one}, version="2.0.0", why="Why.")
    assert (new.policy, new.before, new.after) == ("a-new", "", "low")
    assert (gone.policy, gone.before, gone.after) == ("gone", "low", "")


def test_a_policy_has_one_entry_in_a_version() -> None:
    again = structs.replace(entry(before="high", after="info"), parts=("limits",), why="More.")
    [found] = together([structs.replace(entry(), parts=("severity",))], [again])
    assert (found.before, found.after, found.parts, found.why) == ("low", "info", ("severity", "limits"), "Why. More.")
    assert together([entry(before="")], [entry(before="high", after="")]) == []
    assert len(together([entry("1.0.0")], [entry("2.0.0")])) == 2


def test_versions_are_compared_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = (entry("0.10.0", policy="a"), entry("0.9.0", policy="b"), entry("0.9.0", policy="c", after=""))
    monkeypatch.setattr(policy_changes, "recorded", lambda: entries)
    assert policy_changes.changed_since("0.8.0") == {"a", "b"}
    assert policy_changes.changed_since("0.9.0") == {"a"}
    assert policy_changes.changed_since("0.10.0") == set()
    # A version that says nothing is taken for the oldest.
    assert policy_changes.changed_since("unknown") == {"a", "b"}
