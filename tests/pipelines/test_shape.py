"""The shipped pipeline files are what GitHub and Azure take, and nobody's input is ever part of a script."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import keyaudit
from tests.pipelines.agent import ACTION, GITHUB, TEMPLATE, differs_from_schema, plant, read

WORKFLOWS = [GITHUB / "workflows" / name for name in ("ci.yml", "platforms.yml", "release.yml")]
SYSTEMS = {ACTION: "github-actions", **dict.fromkeys(WORKFLOWS, "github-workflows"), TEMPLATE: "azure-pipelines"}
FORMS = [GITHUB / "ISSUE_TEMPLATE" / name for name in ("bug.yml", "finding.yml", "idea.yml")]
SCHEMAS = {**SYSTEMS, **dict.fromkeys(FORMS, "github-issue-forms"), GITHUB / "dependabot.yml": "dependabot"}
"""The pipeline files, and those without a script."""


def _scripts(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value[name] for name in ("run", "bash", "script", "inlineScript") if isinstance(value.get(name), str)]
        return own + [text for each in value.values() for text in _scripts(each)]
    return [text for each in value for text in _scripts(each)] if isinstance(value, list) else []


def test_each_file_is_one_that_is_checked() -> None:
    """The container's recipe is run in tests/test_package.py."""
    files = {path for path in GITHUB.rglob("*") if path.is_file() and path.suffix not in (".md", ".png")}
    assert {path for path in files if path.parent.name != "container"} == set(SCHEMAS) - {ACTION}


@pytest.mark.exhaustive
@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_it_holds_to_the_schema_of_its_system(path: Path) -> None:
    assert differs_from_schema(path, SCHEMAS[path]) == ""


def test_zizmor_finds_nothing() -> None:
    # Beside the interpreter where both are installed together, else wherever the PATH has it.
    beside = Path(sys.executable).with_name("zizmor")
    own = str(beside) if beside.exists() else "zizmor"
    command = [own, "--offline", "--persona", "pedantic", "--quiet", str(GITHUB), str(ACTION)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("path", SYSTEMS, ids=lambda path: path.name)
def test_no_script_has_an_expression_in_it(path: Path) -> None:
    scripts = _scripts(read(path))
    assert scripts
    for script in scripts:
        assert "${{" not in script
        # Azure's own macros: $(name). Command substitution would look like one.
        assert path != TEMPLATE or not re.search(r"\$\(", script)


PLAN = Path(keyaudit.__file__).parent / "report" / "topics" / "plan.md"
# Files that start Python in folders of others. A checkout of keyaudit itself is trusted, so its tests start without -I.
STARTS = [
    *(path for path in GITHUB.rglob("*") if path.suffix == ".yml" or path.name == "Dockerfile"),
    ACTION,
    *Path(keyaudit.__file__).parent.glob("cli/templates/*"),
    *Path(keyaudit.__file__).parent.glob("report/topics/*.md"),
    GITHUB.parent / "README.md",
]


@pytest.mark.parametrize("path", STARTS, ids=lambda path: path.name)
def test_python_imports_nothing_from_the_folder_that_it_runs_in(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    started = re.findall(r'(?:python3?"?|"\$PYTHON")\s+(-(?! name)\S*\s+\S+(?:\s+\S+)?)', text)
    own = ("-m tests", "-m NAME", "-m venv .venv")
    assert [flags for flags in started if not " ".join(flags.split()).startswith(("-I ", *own))] == []


@pytest.mark.parametrize(
    "path", [ACTION, TEMPLATE, WORKFLOWS[-1], GITHUB / "container" / "Dockerfile", PLAN], ids=lambda path: path.name
)
def test_what_sees_a_tenant_or_is_attested_installs_by_hash_alone(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if re.search(r"(pip\[@\]\}\"|-m pip) (download|install|wheel)", line)]
    assert any("--require-hashes" in line for line in lines)
    assert [line for line in lines if not re.search("--require-hashes|--no-index|--no-deps", line)] == []


@pytest.mark.parametrize("name", ["lock.txt", "release.txt"])
def test_a_lock_names_a_hash_for_each_file(name: str) -> None:
    text = (GITHUB.parent / ".ci" / name).read_text(encoding="utf-8")
    packages = re.findall(r"^([\w.-]+)==\S+.*?((?:\n    --hash=sha256:[0-9a-f]{64}[ \\]*)+)", text, re.MULTILINE)
    assert len(packages) == len(re.findall(r"^[\w.-]+==", text, re.MULTILINE)) > 20


def test_the_console_script_imports_nothing_from_the_folder_that_it_runs_in(tmp_path: Path) -> None:
    witness = plant(tmp_path)
    command = [str(Path(sys.executable).with_name("keyaudit")), "explain", "exit-codes"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ran.returncode, witness.exists()) == (0, False)
    # With `python -m` and without -I they would be imported.
    subprocess.run([sys.executable, "-m", "keyaudit", "--version"], cwd=tmp_path, capture_output=True, check=False)
    assert witness.exists()


@pytest.mark.parametrize("path", [ACTION, *WORKFLOWS], ids=lambda path: path.name)
def test_every_action_of_others_is_pinned_to_a_commit(path: Path) -> None:
    for line in path.read_text(encoding="utf-8").splitlines():
        if "uses:" in line and "uses: ./ " not in line:
            assert re.search(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


def test_every_input_of_the_action_reaches_a_step() -> None:
    action = read(ACTION)
    text = ACTION.read_text(encoding="utf-8")
    assert [name for name in action["inputs"] if f"inputs.{name}" not in text] == []
    assert set(re.findall(r"inputs\.([\w-]+)", text)) <= set(action["inputs"])


def test_every_parameter_of_the_template_reaches_a_step() -> None:
    names = {each["name"] for each in read(TEMPLATE)["parameters"]}
    assert set(re.findall(r"parameters\.(\w+)", TEMPLATE.read_text(encoding="utf-8"))) == names


def test_no_layer_of_the_container_is_built_on_an_image_that_a_tag_names() -> None:
    """A tag may name another image tomorrow."""
    recipe = (GITHUB / "container" / "Dockerfile").read_text(encoding="utf-8")
    first, *others = re.findall(r"^FROM (\S+)", recipe, re.MULTILINE)
    assert re.fullmatch(r"python:3\.\d+-slim@sha256:[0-9a-f]{64}", first)
    assert others == ["base", "base"]
