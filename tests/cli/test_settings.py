"""Limits of keyaudit.toml: what it sets holds, is told in every report with its line, and every mistake in it is named."""

import csv
import json
from pathlib import Path

import pytest

from keyaudit.model.errors import Exit
from tests.cli.conftest import Keyaudit

AGE = "kv-key-rotation-overdue"
WHOLE = f"""\
[policy]
profile = "strict"

[policy.parameters]
"{AGE}" = {{ max_age = {{ sign = "P700D", otherwise = "P730D" }} }}

[[policy.classes]]
name = "store signing"
reason = "Rotated each year"
match = {{ resource = "store-*signing", table = "key" }}
[policy.classes.parameters]
"{AGE}" = {{ max_age = "P300D" }}

[[policy.classes]]
name = "roots"
match = {{ tags = {{ Team = "finance" }}, policies = ["kv-key-no-*"] }}
not_applicable = ["kv-key-no-expiry"]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that commands are run in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_flag_wins_over_the_file_and_the_file_over_the_profile(keyaudit: Keyaudit, folder: Path) -> None:
    def shown(*arguments: str) -> str:
        return " ".join(keyaudit("policies", "show", AGE, *arguments).out.split())

    assert "sign 730 days, otherwise 730 days profile default" in shown()
    (folder / "keyaudit.toml").write_text('[policy]\nprofile = "strict"')
    assert "sign 365 days, otherwise 730 days profile strict" in shown()
    assert "sign 730 days, otherwise 730 days profile default" in shown("--profile", "default")
    (folder / "keyaudit.toml").write_text(WHOLE)
    said = shown()
    assert "sign 700 days, otherwise 730 days keyaudit.toml:5" in said
    assert "otherwise 300 days class store signing (keyaudit.toml:7: resource store-*signing," in said
    assert "sign 700 days, otherwise 730 days keyaudit.toml:5" in shown("--profile", "default")
    out = keyaudit("policies", "show", "kv-key-no-expiry").out
    assert "Not applicable to class roots (keyaudit.toml:14: tag team=finance, for kv-key-no-*)." in out
    (folder / "other.toml").write_text(f'[policy.parameters."{AGE}"]\nmax_age = "P9D"')
    assert "otherwise 9 days other.toml:2" in shown("--config", "other.toml")


def test_every_report_names_what_is_in_force(keyaudit: Keyaudit, contoso: Path, folder: Path) -> None:
    (folder / "keyaudit.toml").write_text(WHOLE)
    chosen = ("--from", contoso, "--select", "kv-key-*")
    files = {name: folder / f"out.{name}" for name in ("json", "csv", "table")}
    text = keyaudit(
        "report", "--full", *chosen, *(part for name, path in files.items() for part in ("--export", f"{name}={path}"))
    ).out
    found = json.loads(files["json"].read_text(encoding="utf-8"))
    settings = found["settings"]
    assert settings["profile"] == "strict"
    assert settings["parameters"] == [
        {"policy": AGE, "parameter": "max_age", "value": "sign 700 days, otherwise 730 days", "place": "keyaudit.toml:5"}
    ]
    signing, roots = settings["classes"]
    assert (signing["name"], signing["reason"], signing["place"]) == ("store signing", "Rotated each year", "keyaudit.toml:7")
    assert signing["rows"] > 0
    assert roots["not_applicable"] == ["kv-key-no-expiry"]
    ours = [each for each in found["findings"] if each["policy"] == AGE and "store-firmware" in each["resource"]]
    assert [each["expected"] for each in ours] == ["max_age 300 days (class store signing)"]
    for said in (text, files["table"].read_text(encoding="utf-8"), keyaudit("gate", *chosen).out):
        words = " ".join(said.split())
        assert "profile strict" in words
        assert f"{AGE}: max_age sign 700 days, otherwise 730 days (keyaudit.toml:5)" in words
        assert "class store signing (keyaudit.toml:7): resource store-*signing, for every policy over key; " in words
        assert "class roots: not applicable: kv-key-no-expiry; " in words
    with files["csv"].open(encoding="utf-8", newline="") as file:
        assert "max_age 300 days (class store signing)" in {row["expected"] for row in csv.DictReader(file)}
    (folder / "keyaudit.toml").unlink()
    plain = keyaudit("report", "--from", contoso, "-o", "json", "--select", "kv-purge-*").json
    assert plain["settings"] == {"profile": "default", "require": [], "parameters": [], "classes": []}


def test_an_exempt_class_is_not_applicable_and_counted(keyaudit: Keyaudit, contoso: Path, folder: Path) -> None:
    chosen = ("--from", contoso, "--select", "kv-key-exportable", "-o", "json")
    before = keyaudit("report", *chosen).json
    subject = before["findings"][0]["subject"]
    match = f'{{ resource = "{subject}", table = "key" }}'
    (folder / "keyaudit.toml").write_text(
        f'[[policy.classes]]\nname = "a"\nmatch = {match}\nnot_applicable = ["kv-key-exportable"]'
    )
    after = keyaudit("report", *chosen).json
    assert [each["id"] for each in after["findings"]] == [each["id"] for each in before["findings"][1:]]
    left_out = after["settings"]["classes"][0]["left_out"]
    assert left_out >= 1
    assert after["verdict"]["not_applicable"] == before["verdict"]["not_applicable"] + left_out


CLASS = '[[policy.classes]]\nname = "a"\nmatch = { resource = "code-*", table = "key" }\n'
MISTAKES = {
    '[policy]\nprofile = "strct"': ("2", "policy.profile: no such value: 'strct'; did you mean strict?"),
    "[policy]\nprofle = 1": ("2", "no such setting: policy.profle; did you mean profile?"),
    '[policy.parameters]\n\n"kv-key-rotation-overdu" = { max_age = "P1D" }': (
        "3",
        f"no such policy: 'kv-key-rotation-overdu'; did you mean {AGE}?",
    ),
    f'[policy.parameters."{AGE}"]\n# a comment\nmax_aeg = "P1D"': (
        "3",
        f"{AGE}: no such parameter: 'max_aeg'; did you mean max_age?",
    ),
    f'[policy.parameters."{AGE}"]\nmax_age = 365': ("2", f"{AGE}: max_age: '365' is not a duration; write whole days, as in P"),
    f'[policy.parameters."{AGE}"]\nmax_age = true': ("2", "not a text, whole number, list or table"),
    f'[policy.parameters."{AGE}"]\nmax_age = 1.5': ("2", "not a text, whole number, list or table"),
    f'[policy.parameters."{AGE}"]\nmax_age = ["P1D"]': ("2", f"{AGE}: max_age: a list where a duration belongs"),
    f'[policy.parameters."{AGE}".max_age]\nsing = "P1D"\notherwise = "P1D"': (
        "1",
        "purpose is never 'sing'; did you mean sign?",
    ),
    f'[policy.parameters."{AGE}"]\nmax_age = {{ sign = "P1D" }}': ("2", "max_age has no entry for wrap"),
    f'[policy.parameters]\n"{AGE}" = 3': ("2", f"policy.parameters.{AGE}: not a table"),
    '[policy]\nclasses = "a"': ("2", "policy.classes: not a list; write it as"),
    '[[policy.classes]]\nname = "a"': ("1", "no policy.classes.match; it is required"),
    '[[policy.classes]]\nmatch = {}': ("1", "no policy.classes.name; it is required"),
    CLASS: ("1", "class 'a' changes nothing"),
    CLASS + "nmae = 1": ("4", "no such setting: policy.classes.nmae; did you mean name?"),
    CLASS + 'not_applicable = ["kv-key-exportabel"]': ("1", "class 'a': no such policy: 'kv-key-exportabel'; did you mean kv"),
    CLASS + 'not_applicable = ["kv-purge-protection-off"]': ("1", "not for kv-purge-protection-off; it is over vault, not key"),
    CLASS + f'[policy.classes.parameters."{AGE}"]\nmax_age = "1 year"': ("5", "'1 year' is not a duration"),
    CLASS + '[policy.classes.parameters."kv-key-no-expiry"]\nlimit = "P1D"': ("5", "no such parameter: 'limit'"),
    CLASS + 'not_applicable = ["kv-key-exportable"]\n' + CLASS: ("6", "the class 'a' is defined twice; the first is at k"),
    CLASS.replace("code-*", "*"): ("3", "'*' names no resource"),
    CLASS.replace("code-*", "*/keys/*"): ("3", "'*/keys/*' names no resource"),
    CLASS.replace('resource = "code-*", ', ""): ("3", "a match without a resource or tag"),
    CLASS.replace(', table = "key"', ""): ("3", "a match without a table or policies"),
    CLASS.replace('"key"', '"keys"'): ("3", "policy.classes.match.table: no such value: 'keys'; did you mean key?"),
    CLASS.replace('table = "key"', 'policies = ["kv-kex-*"]'): ("1", "class 'a': no policy matches 'kv-kex-*'"),
    CLASS.replace('resource = "code-*"', "tags = { a = 1 }"): ("3", "policy.classes.match.tags.a: not a text"),
    CLASS.replace('resource = "code-*"', 'tags = { A = "1", a = "2" }'): ("3", "the tag a is defined twice"),
    CLASS.replace('resource = "code-*", table = "key"', 'tags = { a = "1" }, table = "application"')
    + 'not_applicable = ["app-many-live-credentials"]': ("1", "a row of application has no tags"),
    '[require]\nevidence = ["logz"]': ("2", "require.evidence: no such value: 'logz'; did you mean logs?"),
    "[require]\nlogs = true": ("2", "no such setting: require.logs; one of evidence"),
}  # fmt: skip


@pytest.mark.parametrize("text", MISTAKES, ids=range(len(MISTAKES)))
def test_a_mistake_is_named_with_its_line_before_anything_is_read(
    keyaudit: Keyaudit, contoso: Path, folder: Path, text: str
) -> None:
    line, what = MISTAKES[text]
    (folder / "keyaudit.toml").write_text(text)
    ran = keyaudit("gate", "--from", contoso)
    assert ran.code == Exit.USAGE
    mistakes = ran.err.removeprefix("keyaudit: ").splitlines()
    assert any(what in said for said in mistakes if said.startswith(f"keyaudit.toml:{line}: ")), ran.err
    assert ran.out == ""


def test_a_limit_of_a_policy_that_is_not_selected_is_passed_over_and_not_told(
    keyaudit: Keyaudit, contoso: Path, folder: Path
) -> None:
    (folder / "keyaudit.toml").write_text(WHOLE)
    ran = keyaudit("report", "--from", contoso, "--select", "kv-purge-*", "-o", "json")
    assert ran.code == 0
    assert ran.json["settings"] == {"profile": "strict", "require": [], "parameters": [], "classes": []}


def test_the_demo_is_judged_without_the_folders_file_unless_it_is_named(keyaudit: Keyaudit, folder: Path) -> None:
    (folder / "keyaudit.toml").write_text(WHOLE)
    few = ("report", "--demo", "-o", "json", "--select", "kv-purge-*", "--source", "vaults")
    assert keyaudit(*few).json["settings"]["profile"] == "default"
    assert keyaudit(*few, "--config", "keyaudit.toml").json["settings"]["profile"] == "strict"


def test_hostile_text_in_a_setting_is_inert(keyaudit: Keyaudit, contoso: Path, folder: Path) -> None:
    names = '"build\'); DROP TABLE key; -- ##vso[task.complete] <b>"'
    (folder / "keyaudit.toml").write_text(
        f"[[policy.classes]]\nname = {names}\nmatch = {{ tags = {{ \"a'b\" = \"x' OR '1'='1\" }}, resource = \"k'y!%_*\","
        f' table = "key" }}\nnot_applicable = ["{AGE}"]\nreason = "$(id) {{0.__class__}}"\n'
    )
    chosen = ("--from", contoso, "--select", AGE)
    plain = keyaudit("gate", *chosen, "--config", "/dev/null")
    gated = keyaudit("gate", *chosen)
    files = {name: folder / f"out.{name}" for name in ("json", "csv")}
    text = keyaudit("report", *chosen, *(part for name, path in files.items() for part in ("--export", f"{name}={path}"))).out
    for said in (gated.out, text, *(path.read_text(encoding="utf-8") for path in files.values())):
        assert said
        assert "##vso" not in said
    assert gated.code == plain.code == Exit.FINDINGS
    assert "no row in this run" in gated.out
    (folder / "keyaudit.toml").write_text('[[policy.classes]]\nname = "a\\u001b[2J"\nmatch = {}')
    assert "\x1b" not in keyaudit("gate", *chosen).err
