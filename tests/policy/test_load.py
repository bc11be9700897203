"""All errors in a policy file are reported with their places at once, and nothing invalid is accepted."""

import os
import re
from pathlib import Path

import pytest

from keyaudit.model.documents.problems import DocumentError
from keyaudit.model.errors import Exit, UsageError
from keyaudit.model.severity import Severity
from keyaudit.policy.definition import Policy
from keyaudit.policy.load import load, shipped
from tests.policy.inventory import policy, quoted, text


def refused(folder: Path, content: str | bytes, name: str = "test.yaml") -> list[str]:
    """The lines with which a file is refused, without the folder."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DocumentError) as caught:
        load(folder)
    assert caught.value.exit is Exit.USAGE
    return str(caught.value).replace(f"{folder}{os.sep}", "").split("\n")


def test_the_shipped_policies_load_and_lie_where_an_edit_is_seen_at_once() -> None:
    policies = load()
    assert [each.text.id for each in policies] == sorted(each.text.id for each in policies)
    assert len(policies) >= 22
    assert all(Path(each.file).parent.parent == shipped() for each in policies)
    assert shipped() == Path(__file__).parents[2] / "policies"


def test_a_policy_is_read_whole(tmp_path: Path) -> None:
    found = policy(
        tmp_path,
        why=">-\n  A long\n  story.",
        frameworks="{cis-azure-6.0: ['8.3.9'], mcsb: [DP-6]}",
        lessons="[L4]",
        severity_when="[{critical: managed}]",
    )
    assert found.text.why == "A long story."
    assert found.text.frameworks == {"cis-azure-6.0": ("8.3.9",), "mcsb": ("DP-6",)}
    assert found.text.lessons == ("L4",)
    assert found.text.severity is Severity.HIGH
    assert found.top_severity is Severity.CRITICAL
    assert found.columns_read == ("enabled", "exportable", "managed")
    assert len(found.text.digest) == 64


def test_values_are_text_until_their_field_types_them(tmp_path: Path) -> None:
    found = policy(tmp_path, title="no", references="[5.10, 1e3, 012, 1:30, 2026-01-01]")
    assert found.text.title == "no"
    assert found.text.references == ("5.10", "1e3", "012", "1:30", "2026-01-01")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"severity": "urgent"}, "test.yaml:3:11: no such severity: 'urgent'; one of critical, high, info, low, medium"),
        ({"severity": "[high]"}, "test.yaml:3:11: no such severity: 'a list or mapping'"),
        ({"table": "[key]"}, "test.yaml:4:8: a list or mapping where a text belongs"),
        ({"violated_when": "[exportable]"}, "test.yaml:6:16: a list or mapping where a text belongs"),
        ({"message": "''"}, "test.yaml:7:10: an empty text"),
        ({"frameworks": "[mcsb]"}, "test.yaml:18:13: not a mapping; write name: value"),
        ({"given": "[enabled]"}, "test.yaml:11:8: not a mapping; write name: value"),
        ({"examples": "[pass]"}, "test.yaml:12:12: not an example; as in {why: on the day, expect: pass}"),
        (
            {"examples": "[{why: x, expect: pass, parameters: {limit: P3D}}]"},
            "test.yaml:12:55: no such parameter: 'limit'",
        ),
        ({"severity_when": f"[{', '.join(['{low: managed}'] * 9)}]"}, "test.yaml:18:16: more than 8 conditions"),
        ({"severity": "Hihg"}, "test.yaml:3:11: no such severity: 'Hihg'; did you mean high?"),
        (
            {"severity": None},
            "test.yaml:1:1: neither weakness nor severity; as in weakness: weak, or severity: medium for a fixed one",
        ),
        ({"weakness": "weak"}, "test.yaml:3:11: a severity beside a weakness; keep one"),
        ({"severity": None, "weakness": "bad"}, "test.yaml:17:11: no such weakness: 'bad'; one of"),
        (
            {"severity": None, "weakness": "weak", "severity_when": "[{low: managed}]"},
            "test.yaml:18:16: severity_when beside weakness; write weakness_when",
        ),
        ({"table": "keys"}, "test.yaml:4:8: no such table: 'keys'; did you mean key?"),
        ({"id": "other"}, "test.yaml:1:5: the id 'other' is not the file's name 'test'; rename one of them"),
        ({"title": "Ensure keys are good"}, "test.yaml:2:8: the title begins with Ensure; name the good state"),
        ({"problem": "Bad."}, "test.yaml:17:10: 'Bad.' cannot name a finding; a noun phrase of at most 60 characters"),
        ({"problem": "b" * 61}, "test.yaml:17:10: 'bbb"),
        (
            {"message_when": "[{when: exportable}]"},
            "test.yaml:18:16: not a message with its condition; as in - {when: created_on is None",
        ),
        ({"fix_when": "[{when: exportable, cli: az x}]"}, "test.yaml:18:12: not a fix with its condition"),
        (
            {"fix_when": "[{when: exportable, fix: {cli: az key delete}}]", "fix": "{cli: az x}"},
            "test.yaml:18:42: removes something, but no text says what must be done first",
        ),
        ({"message": "'{created_on}'"}, "test.yaml:7:10: '{created_on}': created_on may be absent"),
        ({"title": "''"}, "test.yaml:2:8: an empty text"),
        ({"title": "[a]"}, "test.yaml:2:8: a list or mapping where a text belongs"),
        ({"fix": None}, "test.yaml:1:1: no fix; every policy has one"),
        ({"fix": "{}"}, "test.yaml:9:6: no remedy in fix; say how to fix it"),
        ({"fix": "rotate it"}, "test.yaml:9:6: fix is not a mapping; by kind: cli, powershell, text; or steps"),
        ({"fix": "{shell: x}"}, "test.yaml:9:14: no such kind of fix: 'shell'; did you mean powershell?"),
        ({"fix": "{cli: 'az {nmae}'}"}, "test.yaml:9:12: no such column or parameter: '{nmae}'; did you mean name?"),
        (
            {"fix": "{cli: 'az keyvault key delete --id {id}'}"},
            "test.yaml:9:12: removes something, but no text says what must be done first; add a text",
        ),
        (
            {"fix": "{steps: [{text: a, cli: az key delete}, {text: b}]}"},
            "test.yaml:9:14: the first step removes something; start with its replacement, or with data to preserve",
        ),
        (
            {"fix": "{steps: [{text: a}, {text: b, cli: az key delete, breaks: c, check: d, back: e}]}"},
            "test.yaml:9:14: step 2 removes something, but has no before; add it",
        ),
        ({"fix": "{steps: [{text: a}]}"}, "test.yaml:9:14: 1 steps; 2 to 6; one step is a fix by kind"),
        (
            {"fix": "{steps: [{cli: az x}, {text: b}]}"},
            "test.yaml:9:15: not a step with a text; as in {text: ..., cli: ..., check: ...}",
        ),
        (
            {"fix": "{steps: [{text: a}, {text: b, chek: c}]}"},
            "test.yaml:9:36: no such part of a step: 'chek'; did you mean check?",
        ),
        ({"fix": "{cli: az x, steps: [{text: a}, {text: b}]}"}, "test.yaml:9:12: a fix with steps has no 'cli' of its own"),
        ({"fix": "{steps: [{text: a}, {use: disable-key}]}"}, "test.yaml:9:32: no such step: 'disable-key'"),
        (
            {"fix": "{steps: [{text: a}, {use: remove-federated-credential}]}"},
            "test.yaml:9:32: step remove-federated-credential is not for table key: no such column or parameter: '{holder_na",
        ),
        (
            {"fix": "{steps: [{text: a}, {text: b}]}", "fix_when": "[{when: exportable, fix: {cli: az key delete}}]"},
            "test.yaml:18:36: no step of the policy's fix has such a command; give it its own steps",
        ),
        ({"references": "[]"}, "test.yaml:10:13: no references; name at least one"),
        ({"message": "'{nmae} is bad'"}, "test.yaml:7:10: no such column or parameter: '{nmae}'; did you mean name?"),
        ({"message": "'{name!r} is bad'"}, "test.yaml:7:10: no such placeholder: '{name!r}'; leave ! out"),
        ({"message": "'{name is bad'"}, "test.yaml:7:10: not a template: expected '}' before end of string; write {{ and }}"),
        ({"message": "'{0.__class__}'"}, "test.yaml:7:10: no such column or parameter: '{0.__class__}'"),
        ({"applys_to": "enabled"}, "test.yaml:18:1: no such field: 'applys_to'; did you mean applies_to?"),
        ({"extends": "https://evil.example/p.yaml"}, "test.yaml:18:1: no such field: 'extends'"),
        ({"needs": "[logz]"}, "test.yaml:18:9: no such evidence: 'logz'; did you mean logs?"),
        (
            {"violated_when": "last_used_on is None"},
            "test.yaml:6:16: it depends on logs, which Azure does not provide; write needs: logs",
        ),
        ({"lessons": "[]"}, "test.yaml:18:10: no lessons; name at least one, or leave the field out"),
        ({"fix": "{cli: az {name} x}"}, "test.yaml:9:15: not YAML: did not find expected ',' or '}'; put text that contains ,"),
        ({"lessons": "[L44]"}, "test.yaml:18:11: 'L44' is not one of lessons"),
        ({"frameworks": "{CIS Azure: [x]}"}, "test.yaml:18:25: 'CIS Azure' cannot name a framework; as in cis-azure-6.0"),
        ({"subject": "enabled"}, "test.yaml:18:10: 'enabled' cannot be the subject; one of id, resource_id, scope_id"),
        ({"severity_when": "{high: managed}"}, "test.yaml:18:16: not a list; write - before each item, or [...]"),
        ({"severity_when": "[high]"}, "test.yaml:18:17: not one severity with its condition"),
        ({"severity_when": "[{urgent: managed}]"}, "test.yaml:18:18: no such severity: 'urgent'; one of"),
        ({"parameters": "{limit: P3D}"}, "test.yaml:18:14: no condition reads the parameter limit; leave it out"),
        ({"examples": "[{why: x}]"}, "test.yaml:12:12: an example without expect"),
        ({"examples": "[{why: x, expect: passed}]"}, "test.yaml:12:29: no such outcome: 'passed'; did you mean pass?"),
        (
            {"examples": "[{why: x, expect: pass, exprtable: y}]"},
            "test.yaml:12:35: no such column: 'exprtable'; did you mean expor",
        ),
        ({"cause": "[]"}, "test.yaml:18:8: no cause; name at least one, or leave the field out"),
        ({"cause": "key-version"}, "test.yaml:18:8: not a cause; as in {kind: key-version, object: key_id}"),
        ({"cause": "{kind: key-version}"}, "test.yaml:18:8: no object; every cause has one"),
        (
            {"cause": "{kind: key-versoin, object: key_id}"},
            "test.yaml:18:15: no such kind of cause: 'key-versoin'; did you mean key-version?",
        ),
        (
            {"cause": "{kind: key-version, object: key_di}"},
            "test.yaml:18:36: 'key_di' cannot be the object; did you mean key_id?",
        ),
        ({"cause": "{kind: key-version, object: key_ops}"}, "test.yaml:18:36: 'key_ops' cannot be the object"),
        (
            {"cause": "{kind: key-version, object: key_id, wehn: managed}"},
            "test.yaml:18:44: no such field: 'wehn'; did you mean when?",
        ),
        (
            {"cause": "[{kind: key-version, object: key_id}, {kind: old-key-versions, object: key_id}]"},
            "test.yaml:18:9: a cause without a condition must be the last one; put it last",
        ),
        (
            {"cause": f"[{', '.join(['{kind: key-version, object: key_id, when: managed}'] * 9)}]"},
            "test.yaml:18:8: more than 8 causes",
        ),
        ({"given": "{enabeld: true}"}, "test.yaml:11:9: no such column: 'enabeld'; did you mean enabled?"),
    ],
)
def test_a_mistake_in_a_field_is_one_line_with_place_and_remedy(
    tmp_path: Path, change: dict[str, str | None], line: str
) -> None:
    lines = refused(tmp_path, text(**change))
    assert len(lines) == 1
    assert lines[0].startswith(line)


def test_a_shared_step_with_several_commands_needs_one_in_the_fix_of_a_message(tmp_path: Path) -> None:
    """Otherwise a principal's row would show the command for an application."""

    def arm(step: str) -> str:
        return text(message_when=f"[{{when: enabled, message: m, fix: {{steps: [{{text: a}}, {step}]}}}}]")

    assert any("has a different command for other rows" in line for line in refused(tmp_path, arm("{use: remove-certificate}")))
    (tmp_path / "test.yaml").write_text(arm("{use: remove-certificate, cli: az x}"))
    assert load(tmp_path)


@pytest.mark.parametrize(
    ("parameters", "line"),
    [
        ("{limit: {type: duration, default: 3 years}}", "limit: '3 years' is not a duration"),
        ("{limit: PT36H}", "limit: 'PT36H' is not a number of whole days"),
        ("{limit: P99999999999999999999D}", "limit: 'P99999999999999999999D' is not a duration"),
        ("{limit: {default: P3D, strcit: P1D}}", "limit: no such profile: 'strcit'; did you mean strict?"),
        ("{limit: {default: P3D, strict: 7}}", "limit: '7' is not a duration; write whole days"),
        ("{limit: {default: P3D, strict: {sign: P1D}}}", "limit: one in one profile and map in another"),
        ("{limit: {default: [], strict: [a]}}", "limit: an empty list does not show its type"),
        ("{limit: {type: lisst, default: []}}", "no such type of parameter: 'lisst'; did you mean list?"),
        ("{limit: {type: list, default: a}}", "limit: 'a' is not a list; write [a]"),
        ("{limit: {type: duration, default: [a]}}", "limit: a list where a duration belongs"),
        ("{limit: [[a]]}", "limit: a list or mapping where a text belongs"),
        ("{limit: {}}", "limit: a map needs entries of one value each"),
        ("{limit: {2026-01-01: P3D}}", "limit: its first entry is not 1970-01-01"),
        ("{limit: {1970-01-01: P3D, 2026-02-30: P1D}}", "limit: no such day: '2026-02-30'"),
        ("{limit: {sign: P3D, wrap: [a]}}", "limit: 'wrap' has a list or mapping as its value"),
        ("{now: P3D}", "'now' cannot name a parameter"),
        ("{Limit: P3D}", "'Limit' cannot name a parameter; lower-case letters, digits and _"),
        ("{limit: {type: integer, default: 99999999999999999999}}", "limit: '99999999999999999999' is not a whole number"),
    ],
)
def test_a_parameter_that_cannot_be_is_refused(tmp_path: Path, parameters: str, line: str) -> None:
    lines = refused(tmp_path, text(parameters=parameters))
    assert any(line in each for each in lines)
    assert all(each.startswith(("test.yaml:", "  ")) for each in lines)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("", "test.yaml:1:1: the file is empty"),
        ("# nothing", "test.yaml:1:1: the file is empty"),
        ("- a", "test.yaml:1:1: not a mapping of fields; begin with id:"),
        ("just text", "test.yaml:1:1: not a mapping of fields; begin with id:"),
        (text() + "severity: info\n", "test.yaml:18:1: 'severity' twice; it is on line 3 already"),
        ("a: &x [1]\nb: *x", "test.yaml:1:4: an anchor (&x); write the value out where it is used"),
        ("a: *x", "test.yaml:1:4: an alias (*x); write the value out"),
        ("a: &a [*a]", "test.yaml:1:4: an anchor (&a)"),
        ("<<: {severity: info}", "test.yaml:1:1: a merge (<<); write the members out"),
        ('!!python/object/apply:os.system ["id"]', "test.yaml:1:1: a tag (tag:yaml.org,2002:python/object/apply:os.system)"),
        ("a: !include /etc/passwd", "test.yaml:1:4: a tag (!include)"),
        ("a: !!str 3", "test.yaml:1:4: a tag (tag:yaml.org,2002:str)"),
        ("a: 1\n---\nb: 2", "test.yaml:2:1: a second document in one file; write one document in each file"),
        ("[a]: b", "test.yaml:1:1: a key that is not text"),
        ("a: [" * 5_000, "test.yaml:1:"),
        ("[" * 65 + "]" * 65, "test.yaml:1:65: nested deeper than 64 levels"),
        ("a:\n\tb: c", "test.yaml:2:1: not YAML: found character that cannot start any token"),
        ("a: [1, 2", "test.yaml:2:1: not YAML: did not find expected ',' or ']'"),
        ('a: "\\0"', "test.yaml:1:4: a control character in a text; leave it out"),
        ('a: "\\e[2J"', "test.yaml:1:4: a control character in a text; leave it out"),
        ("a: \x07", "test.yaml:1:4: not YAML: control characters are not allowed"),
        (b"a: b\nc: \xff", "test.yaml:2:4: not UTF-8; save it as UTF-8"),
        ("a: b".encode("utf-16"), "test.yaml:1:1: not UTF-8; save it as UTF-8"),
        (b"\xef\xbb\xbf" + text().encode(), "test.yaml:1:1: starts with a byte order mark"),
        (b"a: " + b"x" * 1_000_000, "test.yaml: larger than 1,000,000 bytes; make it shorter"),
    ],
    ids=range(25),
)
def test_what_is_not_plain_yaml_is_refused(tmp_path: Path, content: str | bytes, line: str) -> None:
    (found,) = refused(tmp_path, content)
    assert found.startswith(line)


def test_windows_line_ends_are_read_as_they_are_meant(tmp_path: Path) -> None:
    path = tmp_path / "test.yaml"
    path.write_bytes(text().replace("\n", "\r\n").encode())
    (found,) = load(path)
    assert found.text.title == "A key is good"


def test_every_mistake_of_every_file_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "one.yaml").write_text(text(id="one", severity="urgent", title="Ensure x"))
    (tmp_path / "two.yaml").write_text(text(id="two", violated_when="exprtable"))
    (tmp_path / "three.yml").write_text(text(id="three"))
    with pytest.raises(DocumentError) as caught:
        load(tmp_path)
    assert [Path(problem.file).name for problem in caught.value.problems] == ["one.yaml", "one.yaml", "three.yml", "two.yaml"]
    assert caught.value.problems[2].what == "not a policy's file name"
    assert str(caught.value).count("\n") == 5


def test_an_id_is_one_policys_alone(tmp_path: Path) -> None:
    for family in ("a", "b"):
        (tmp_path / family).mkdir()
        (tmp_path / family / "test.yaml").write_text(text())
    with pytest.raises(DocumentError, match=r"the id test is in .*a.test\.yaml too; rename one"):
        load(tmp_path)


@pytest.mark.parametrize("name", ["A1", "x_y", "-x", "1x", "x--y", "x" * 65])
def test_an_id_has_one_form(tmp_path: Path, name: str) -> None:
    (line,) = refused(tmp_path, text(id=quoted(name)), f"{name}.yaml")
    assert "cannot be an id" in line


def test_an_id_cannot_leave_its_folder_or_colour_a_terminal(tmp_path: Path) -> None:
    (line,) = refused(tmp_path, text(id="../x"))
    assert line == "test.yaml:1:5: the id '../x' is not the file's name 'test'; rename one of them"


def test_no_policy_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no policy found; name a folder with policies"):
        load(tmp_path)


def test_what_cannot_be_read_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere")
    (tmp_path / "zero.yaml").symlink_to("/dev/zero")
    with pytest.raises(DocumentError) as caught:
        load(tmp_path)
    whats = [problem.what for problem in caught.value.problems]
    assert whats == ["a link to a file that does not exist", "not a file", "not a file"]
    with pytest.raises(DocumentError, match="cannot be read"):
        load(tmp_path / "missing.yaml")


def wrong_letters(found: Policy) -> dict[str, str]:
    """The policy's text with one word spoilt, by that word: each field, and each column that it reads."""
    source = Path(found.file).read_text(encoding="utf-8")
    fields = re.findall(r"^(\w+):", source, re.MULTILINE)
    assert len(fields) >= 10
    head, table, rest = source.partition("\ntable:")
    spoilt = {word: re.sub(rf"(?m)^{word}:", f"{word}x:", source) for word in fields}
    return spoilt | {word: head + table + re.sub(rf"\b{word}\b", f"{word}x", rest) for word in found.columns_read}


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.exhaustive)])
def test_one_wrong_letter_in_a_shipped_policy_is_refused(tmp_path: Path, every: bool) -> None:
    """Every field and every column of a table in one policy that has it; `every`: in each policy."""
    tried: set[tuple[str, str]] = set()
    path = tmp_path / "policy.yaml"
    for found in load():
        for word, wrong in wrong_letters(found).items():
            place = (found.table.name if word in found.columns_read else "", word)
            if every or place not in tried:
                tried.add(place)
                path.write_text(wrong.replace(f"id: {found.text.id}", "id: policy"), encoding="utf-8")
                with pytest.raises(DocumentError, match=re.escape(f"'{word}x'")):
                    load(path)
    assert len(tried) > 100


def test_a_copy_of_a_shipped_policy_is_the_same_policy(tmp_path: Path) -> None:
    for found in load()[::10]:
        path = tmp_path / Path(found.file).name
        path.write_bytes(Path(found.file).read_bytes())
        assert load(path)[0].text == found.text
