"""What README and the topics tell a reader to type works: every command line is run, every block is read by its reader."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from keyaudit.cli.app import app, run
from keyaudit.model.errors import Exit
from keyaudit.model.times import parse_date
from keyaudit.policy.accepted import load_accepted
from keyaudit.report.lines import columns
from keyaudit.report.topics import RECIPES, TOPICS, overview, topic
from keyaudit.simulator.logs.write import write as write_logs
from tests.cli.conftest import Keyaudit
from tests.documents import IN_AZURE, Command, commands, documents, fenced, save
from tests.logs import YEAR
from tests.pipelines.agent import ACTION, TEMPLATE, differs_from_schema, read

DOCUMENTS = documents()
RAN = {Exit.CLEAN, Exit.FINDINGS, Exit.INCOMPLETE}
WAIVERS = "keyaudit.waivers.yaml"
PRINTING = {"report", "inventory", "expiring", "access", "doctor", "permissions", "explain", "blast-radius", "guardrails"}
"""Commands that leave nothing behind unless they are told where."""
TREE: Any = typer.main.get_command(app())


def _leaf(command: Command) -> tuple[Any, list[str]]:
    """The command that a line names, and what it is given."""
    found, words = TREE, command.words
    while words and words[0] in getattr(found, "commands", {}):
        found, words = found.commands[words[0]], words[1:]
    return found, words


def _flags(leaf: Any) -> set[str]:
    return {option for parameter in leaf.params for option in parameter.opts}


def _understood(command: Command) -> None:
    leaf, words = _leaf(command)
    assert not hasattr(leaf, "commands"), f"no such command: {command.text}"
    leaf.make_context("keyaudit", words)


def _run(command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run it in the folder that the lines before it left; one that reads a tenant, of the simulated one."""
    leaf, words = _leaf(command)
    given = [word.partition("=")[0] for word in words]
    if command.words[0] == "collect":
        # What the reader makes with it is here already.
        here, folder = folder, folder / "elsewhere"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(here / "snapshot", folder / "snapshot") if "--since" in given else folder.mkdir()
    monkeypatch.chdir(folder)
    arguments = list(command.words)
    if not {"--demo", "--from"} & set(given) and command.words[:2] != ["export", "verify"]:
        if "--from" in _flags(leaf):
            arguments += ["--from", "snapshot"]
        elif "--demo" in _flags(leaf):
            arguments.append("--demo")
    return run(arguments)


@pytest.fixture
def folder(tmp_path: Path, contoso: Path) -> Path:
    """Where a reader would be who has collected, and has a file of waivers, logs, and the files of a service."""
    for name in ("snapshot", "snapshot-2"):
        # Nobody writes into a snapshot.
        shutil.copytree(contoso, tmp_path / name, copy_function=os.link)
    [waivers] = [block for block in fenced(DOCUMENTS["README"], "yaml") if block.startswith("version: 1\nwaivers:")]
    save(tmp_path / WAIVERS, waivers)
    for name in ("logs", "src"):
        (tmp_path / name).mkdir()
    # Two weeks, of which the README has its reader learn from the first.
    write_logs(YEAR.lines(range(327, 341)), tmp_path / "logs")
    save(tmp_path / "src" / "appsettings.json", '{"AzureAd": {"TenantId": "common"}}')
    save(tmp_path / "jwks.json", '{"keys": [{"kid": "held", "kty": "RSA"}]}')
    return tmp_path


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_command_line_is_understood(name: str) -> None:
    found = list(commands(DOCUMENTS[name]))
    assert len(found) >= 10
    for command in found:
        # One that is only named lacks what it would be given.
        if command.whole or _leaf(command)[1]:
            _understood(command)
        else:
            assert _leaf(command)[0] is not TREE, f"no such command: {command.text}"


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_command_line_runs_or_says_that_it_cannot_here(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = list(commands(DOCUMENTS[name]))
    assert len(found) >= 10
    # What prints the same wherever it stands is run once.
    done = {command.text for command in commands(DOCUMENTS["README"])} if name != "README" else set()
    for command in found:
        leaf, words = _leaf(command)
        if not command.whole and not words:
            assert leaf is not TREE, f"no such command: {command.text}"
            continue
        if command.in_azure:
            _understood(command)
            continue
        if command.text in done and command.words[0] in PRINTING and not {"--out", "--export"} & set(command.words):
            continue
        done.add(command.text)
        capsys.readouterr()
        code = _run(command, folder, monkeypatch)
        assert code in RAN, f"{command.text}: exit {code}: {capsys.readouterr().err}"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_only_what_needs_azure_is_marked_so(name: str) -> None:
    marked = [command for command in commands(DOCUMENTS[name]) if command.in_azure]
    assert DOCUMENTS[name].count(IN_AZURE) - len(marked) <= 1
    for command in marked:
        assert not {"--demo", "--from"} & set(command.words), command.text
        assert "--demo" in _flags(_leaf(command)[0]), command.text


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_block_of_settings_is_taken(name: str, tmp_path: Path, keyaudit: Keyaudit) -> None:
    for block in fenced(DOCUMENTS[name], "toml"):
        file = save(tmp_path / "keyaudit.toml", block)
        ran = keyaudit("policies", "show", "kv-key-rotation-overdue", "--config", file)
        assert ran.code == Exit.CLEAN, ran.err


def test_the_announcements_shown_are_taken(tmp_path: Path) -> None:
    [block] = [block for block in fenced(DOCUMENTS["README"], "yaml") if block.startswith("version: 1\naccept:")]
    [announced] = load_accepted(save(tmp_path / "accept.yaml", block), today=parse_date("2026-11-26"))
    assert announced.operation == "read-mail"


@pytest.mark.exhaustive
def test_the_pipelines_shown_hold_to_the_schemas_of_their_systems(tmp_path: Path) -> None:
    github, azure = fenced(topic("pipeline"), "yaml")
    assert differs_from_schema(save(tmp_path / "github.yml", github), "github-workflows") == ""
    assert differs_from_schema(save(tmp_path / "azure.yml", azure), "azure-pipelines") == ""


def test_the_pipelines_shown_give_what_the_action_and_the_template_take() -> None:
    github, azure = (yaml.safe_load(block) for block in fenced(topic("pipeline"), "yaml"))
    action, declared = github["jobs"]["audit"]["steps"][-1], read(ACTION)["inputs"]
    assert action["uses"].split("@")[0].endswith(str(ACTION.parent.relative_to(ACTION.parents[3])))
    assert set(action["with"]) <= set(declared)
    template, parameters = azure["steps"][-1], {each["name"]: each for each in read(TEMPLATE)["parameters"]}
    assert template["template"].split("@")[0] == str(TEMPLATE.relative_to(TEMPLATE.parents[2]))
    needed = {name for name, each in parameters.items() if "default" not in each}
    assert needed <= set(template["parameters"]) <= set(parameters)


@pytest.mark.parametrize("name", TOPICS)
def test_a_topic_is_printed_whole_and_fits_a_terminal_but_for_command_lines(name: str, keyaudit: Keyaudit) -> None:
    ran = keyaudit("explain", name)
    assert (ran.code, ran.out) == (Exit.CLEAN, topic(name))
    wide = [line for line in ran.out.splitlines() if columns(line) > 80 and not line.startswith("    ")]
    assert name == "exit-codes" or [line for line in wide if not line.lstrip().startswith("- uses:")] == []


def test_without_a_topic_all_are_listed(keyaudit: Keyaudit) -> None:
    ran = keyaudit("explain")
    assert (ran.code, ran.out) == (Exit.CLEAN, overview())
    assert all(f"  {name}" in ran.out for name in TOPICS)


def test_each_recipe_is_a_file_and_each_file_a_recipe() -> None:
    folder = Path(__file__).parents[2] / "keyaudit" / "report" / "topics"
    assert {path.stem for path in folder.glob("*.md")} == set(RECIPES)
