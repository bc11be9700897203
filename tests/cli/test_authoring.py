"""An organisation's own policies, from the first file to the gate that they stand in."""

from pathlib import Path

import pytest
import yaml

from keyaudit.model.tables import TABLES
from keyaudit.policy.load import shipped
from tests.cli.conftest import Keyaudit

OWN = """\
id: own-no-temporary-keys
title: No key is called temporary
severity: critical
table: key
violated_when: contains(key_id, "/keys/temp")
message: "{key_id}"
why: Temporary keys stay.
problem: Temporary key
fix: {text: Delete it.}
references: [Our key standard]
given: {key_id: /keys/orders}
examples:
  - {why: another name, expect: pass}
  - {why: its name says so, expect: fail, key_id: /keys/temp-1}
"""


def test_a_new_policy_passes_its_tests_as_it_is(keyaudit: Keyaudit, tmp_path: Path) -> None:
    for table in TABLES:
        name = f"own-{table.replace('_', '-')}"
        ran = keyaudit("policies", "new", name, "--table", table, "--out", tmp_path)
        assert ran.code == 0, table
        assert str(tmp_path / f"{name}.yaml") in ran.out
    tested = keyaudit("policies", "test", tmp_path)
    assert tested.code == 0, tested.out
    assert tested.out.startswith(f"{len(TABLES)} policies, ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["Own", "--table", "key"], "'Own' cannot be an id"),
        (["own", "--table", "keys"], "did you mean key?"),
        (["../own", "--table", "key"], "'../own' cannot be an id"),
    ],
)
def test_what_cannot_be_begun(keyaudit: Keyaudit, tmp_path: Path, arguments: list[str], said: str) -> None:
    ran = keyaudit("policies", "new", *arguments, "--out", tmp_path)
    assert ran.code == 2
    assert said in ran.err
    assert list(tmp_path.iterdir()) == []


def test_a_policy_that_is_there_is_not_written_over(keyaudit: Keyaudit, tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("mine", encoding="utf-8")
    ran = keyaudit("policies", "new", "own", "--table", "key", "--out", tmp_path)
    assert ran.code == 2
    assert "already exists" in ran.err
    assert path.read_text(encoding="utf-8") == "mine"


def test_own_policies_are_judged_with_the_shipped_ones(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    (tmp_path / "own-no-temporary-keys.yaml").write_text(OWN, encoding="utf-8")
    chosen = ("--from", contoso, "-o", "json", "--select", "kv-key-*")
    before = keyaudit("report", *chosen).json["policies"]
    after = keyaudit("report", *chosen, "--select", "own-*", "--policies", tmp_path).json["policies"]
    assert [each["id"] for each in after if each not in before] == ["own-no-temporary-keys"]
    assert len(after) == len(before) + 1
    alone = keyaudit("gate", "--from", contoso, "--policies", tmp_path, "--select", "own-*")
    assert alone.code == 0
    assert "own-no-temporary-keys" in keyaudit("policies", "list", "--policies", tmp_path).out
    assert "Temporary keys stay." in keyaudit("explain", "own-no-temporary-keys", "--policies", tmp_path).out


def test_an_own_policy_cannot_take_a_shipped_ones_place(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    text = (shipped() / "key-vault" / "kv-key-exportable.yaml").read_text(encoding="utf-8")
    (tmp_path / "kv-key-exportable.yaml").write_text(text.replace("violated_when:", "violated_when: not"), encoding="utf-8")
    ran = keyaudit("gate", "--from", contoso, "--policies", tmp_path)
    assert ran.code == 2
    assert "kv-key-exportable is in" in ran.err


def test_a_folder_without_policies_is_an_error(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    ran = keyaudit("gate", "--from", contoso, "--policies", tmp_path)
    assert ran.code == 2
    assert "no policy found" in ran.err


def test_a_check_names_every_error_of_a_folder_at_once(keyaudit: Keyaudit, tmp_path: Path) -> None:
    (tmp_path / "own-one.yaml").write_text(OWN.replace("contains(key_id", "contains(key_i"), encoding="utf-8")
    (tmp_path / "own-two.yaml").write_text(OWN.replace("severity: critical", "severity: grave"), encoding="utf-8")
    ran = keyaudit("policies", "check", tmp_path)
    assert ran.code == 2
    lines = ran.err.splitlines()
    assert any("own-one.yaml:5:" in line and "did you mean key_id?" in line for line in lines)
    assert any("own-two.yaml:3:" in line and "no such severity: 'grave'" in line for line in lines)
    assert any(line.strip() == "^" for line in lines)
    good = keyaudit("policies", "check")
    assert (good.code, good.out.split()[1:]) == (0, ["policies:", "no", "errors"])


def test_the_limits_in_force_are_shown_with_where_they_come_from(keyaudit: Keyaudit) -> None:
    by_default = keyaudit("policies", "show", "kv-key-rotation-overdue")
    assert "730 days" in by_default.out
    assert "profile default" in by_default.out
    strict = keyaudit("policies", "show", "KV-key-rotation-overdue", "--profile", "strict")
    assert "sign 365 days" in strict.out
    assert "profile strict" in strict.out
    # A profile that says nothing of a limit leaves it as it is.
    assert "the policy's default" in keyaudit("policies", "show", "kv-key-rotation-overdue", "--profile", "pci").out
    assert "has no parameters" in keyaudit("policies", "show", "kv-key-exportable").out
    assert "did you mean strict?" in keyaudit("policies", "show", "kv-key-rotation-overdue", "--profile", "stict").err


def test_every_shipped_policy_is_valid_under_the_schema_that_editors_use(keyaudit: Keyaudit) -> None:
    schema = keyaudit("policies", "schema").json
    # It takes seconds to import, in every worker.
    from jsonschema import Draft202012Validator  # noqa: PLC0415

    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    for path in shipped().rglob("*.yaml"):
        policy = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        errors = [error.message for error in validator.iter_errors(policy)]
        assert errors == [], path
    for wrong in (
        OWN.replace("table: key", "table: keys"),
        OWN.replace("given: {key_id", "given: {key_i"),
        OWN + "owner: me\n",
    ):
        assert list(validator.iter_errors(yaml.safe_load(wrong)))


def test_documentation_has_a_page_for_every_policy_and_every_column(keyaudit: Keyaudit, tmp_path: Path) -> None:
    hostile = OWN.replace("Temporary keys stay.", "<script>alert(1)</script> [x](javascript:y) | `z`")
    own = tmp_path / "own"
    own.mkdir()
    (own / "own-no-temporary-keys.yaml").write_text(hostile, encoding="utf-8")
    out = tmp_path / "made" / "docs"
    ran = keyaudit("policies", "docs", "--out", out, "--policies", own)
    assert ran.code == 0
    index = (out / "README.md").read_text(encoding="utf-8")
    listed = [*(path.stem for path in shipped().rglob("*.yaml")), "own-no-temporary-keys"]
    for name in listed:
        assert f"policies/{name}.md" in index
        assert (out / "policies" / f"{name}.md").stat().st_mode & 0o077 == 0
    for table in TABLES.values():
        page = (out / "tables" / f"{table.name}.md").read_text(encoding="utf-8")
        assert all(f"| `{column.name}` |" in page for column in table.columns)
    page = (out / "policies" / "own-no-temporary-keys.md").read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "[x](javascript" not in page
    assert "| its name says so | fail | key_id /keys/temp-1 |" in page


@pytest.mark.parametrize(
    "condition",
    [
        "read_text('/etc/passwd') == 'x'",
        "getenv('AZURE_CLIENT_SECRET') == 'x'",
        "__import__('os').system('id') == 0",
        "key_id == (SELECT content FROM read_text('/etc/passwd'))",
        "key_id in [x for x in range(10**9)]",
        "'a' * 10**9 == key_id",
        "matches(key_id, '(a+)+\\1')",
        "9**9**9 == 1",
        "(lambda: True)()",
        "key_id.__class__ is None",
    ],
)
def test_an_own_policy_has_no_way_out(keyaudit: Keyaudit, tmp_path: Path, condition: str) -> None:
    text = OWN.replace('contains(key_id, "/keys/temp")', condition.replace("'", "''").join("''"))
    (tmp_path / "own-no-temporary-keys.yaml").write_text(text, encoding="utf-8")
    ran = keyaudit("gate", "--demo", "--policies", tmp_path)
    assert ran.code == 2
    assert "own-no-temporary-keys.yaml:5" in ran.err
