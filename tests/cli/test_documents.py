"""What README and the topics tell a reader to type works: every command line is run, every block is read by its reader."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from keyaudit.cli.app import app, current, run
from keyaudit.cli.every_command import every_command
from keyaudit.cli.options import Live
from keyaudit.cli.sources import live
from keyaudit.inventory.snapshot import Snapshot, open_snapshot
from keyaudit.model.errors import Exit
from keyaudit.model.values.times import parse_date
from keyaudit.policy import load
from keyaudit.policy.announcements import load_accepted
from keyaudit.report.lines import columns
from keyaudit.report.topics import TOPICS, overview, topic
from tests.cli.conftest import Keyaudit, Reported
from tests.docs import ESTATES, filled, screens
from tests.documents import FENCED, IN_AZURE, Command, commands, documents, fenced, save
from tests.logs import YEAR
from tests.logs import write as write_logs
from tests.pipelines.agent import ACTION, TEMPLATE, differs_from_schema, read
from tests.plan.small import key, plan, vault, written

DOCUMENTS = documents()
RAN = {Exit.CLEAN, Exit.FINDINGS, Exit.INCOMPLETE}
WAIVERS = "keyaudit.waivers.yaml"
PRINTING = {"report", "inventory", "expiring", "access", "doctor", "permissions", "explain", "blast-radius", "guardrails"}
"""Commands that leave nothing behind unless they are told where."""
PRINTED = set[str]()
"""Their command lines that ran already: each is run once, wherever it stands."""
POLICIES = {
    "app-secret-too-long",
    "kv-cert-no-auto-renew",
    "kv-key-no-expiry",
    "kv-key-rotation-overdue",
    "kv-key-software-protected",
    "log-ual-off",
    "sp-tier0-with-secret",
}
"""Those that the documents name, and one of each pattern that they select by."""
NAMED = {
    "collect",
    "export",
    "diff",
    "send",
    "notify",
    "tickets",
    "policies",
    "waivers",
    "baseline",
    "doctor",
    "config",
    "trust",
    "usage",
    "init",
    "incident",
    "rotation",
}
"""Commands that a text may name without what they would be given."""
TREE: Any = typer.main.get_command(app())


def _leaf(command: Command) -> tuple[Any, list[str]]:
    """The command that a line names, and what it is given."""
    found, words = TREE, [*current(command.words)]
    while words and words[0] in getattr(found, "commands", {}):
        found, words = found.commands[words[0]], words[1:]
    return (getattr(found, "lead", found) if words != ["--help"] else found), words


def _flags(leaf: Any) -> set[str]:
    return {option for parameter in leaf.params for option in parameter.opts}


def _of_logs(command: Command) -> bool:
    """Whether it holds a snapshot against logs: those here are of another tenant than the snapshots, which is refused."""
    return "--from" in command.words and any(word.startswith(("logs=", "--logs")) for word in command.words)


def _understood(command: Command) -> None:
    leaf, words = _leaf(command)
    if words != ["--help"]:
        assert not hasattr(leaf, "commands"), f"no such command: {command.text}"
        leaf.make_context("keyaudit", words)


def _run(command: Command, snapshots: Mapping[str, Path]) -> int:
    """Run it in the folder that the lines before it left. One that reads a tenant reads a snapshot, of the estate it names."""
    leaf, words = _leaf(command)
    arguments = list(command.words)
    given = {word.partition("=")[0] for word in words}
    if [*current(command.words)][:2] == ["send", "log-analytics"] and "--demo" in given:
        # Only the simulated tenant has an endpoint here that takes what is sent.
        return run(arguments)
    if "--demo" in given:
        arguments.remove("--demo")
        estate = "contoso"
        if "--estate" in given:
            at = arguments.index("--estate")
            estate = arguments[at + 1]
            del arguments[at : at + 2]
        arguments += ["--from", str(snapshots[estate])]
    elif (
        "--from" not in given
        and "--from" in _flags(leaf)
        and command.words[0] != "init"
        and command.words != ["export", "verify", "evidence"]
        # A plan is judged alone where no snapshot is named.
        and "--plan" not in given
        # Only the overview takes a snapshot.
        and not ([*current(command.words)][:2] == ["policies", "guardrails"] and "--as" in given)
    ):
        arguments += ["--from", "snapshot"]
    return run(arguments)


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two weeks of logs, the uses in them, and what is usual in the first: as the topic of usage makes them."""
    made = tmp_path_factory.mktemp("usage")
    (made / "logs").mkdir()
    write_logs(YEAR.lines(range(327, 341)), made / "logs")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        for command in commands(DOCUMENTS["usage"]):
            if command.words[:2] in (["usage", "import"], ["usage", "learn"]) and not command.elsewhere:
                assert run(command.words) in RAN, command.text
    return made


@pytest.fixture
def folder(tmp_path: Path, contoso: Path, learned: Path) -> Path:
    """Where a reader would be who has collected, and has a file of waivers, logs, and the files of a service."""
    for name in ("snapshot", "snapshot-2"):
        # Nobody writes into a snapshot.
        shutil.copytree(contoso, tmp_path / name)
    shutil.copytree(learned / "logs", tmp_path / "logs")
    [waivers] = fenced(DOCUMENTS["waivers"], "yaml")
    save(tmp_path / WAIVERS, waivers)
    (tmp_path / "src").mkdir()
    save(tmp_path / "src" / "appsettings.json", '{"AzureAd": {"TenantId": "common"}}')
    (tmp_path / "plan.json").write_bytes(written(plan(vault(tenant_id=open_snapshot(contoso).run.tenant_id), key())))
    save(tmp_path / "jwks.json", '{"keys": [{"kid": "held", "kty": "RSA"}]}')
    save(tmp_path / "repositories.json", "host,path,id,owner_id\ngithub.com,contoso/orders,70814240,5521904\n")
    return tmp_path


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_command_line_is_understood(name: str) -> None:
    for command in commands(DOCUMENTS[name]):
        # One that is only named lacks what it would be given.
        if command.whole or _leaf(command)[1]:
            _understood(command)
        else:
            assert _leaf(command)[0] is not TREE, f"no such command: {command.text}"


def test_the_documents_are_full_of_commands() -> None:
    count = {name: len(list(commands(text))) for name, text in DOCUMENTS.items()}
    assert min(count.values()) > 1
    assert count["README"] > 40


@pytest.mark.exhaustive
def test_every_command_of_the_readme_runs_as_it_stands_in_an_empty_folder(
    tmp_path: Path, contoso: Path, blind_spots: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In order, so that each finds what those before it left. Demos are read once, and what `collect` writes is its own."""
    monkeypatch.chdir(tmp_path)
    few = tuple(policy for policy in load.load() if policy.text.id in POLICIES)
    monkeypatch.setattr(load, "_shipped", lambda: few)
    collect = live.collected

    def collected(flags: Live, folder: Path, **more: Any) -> Snapshot:
        assert flags.demo, "it would sign in"
        if more["kept"].startswith("continue with"):
            return collect(flags, folder, **more)
        return open_snapshot({None: contoso, "blind-spots": blind_spots}[flags.estate])

    monkeypatch.setattr(live, "collected", collected)
    for command in commands(DOCUMENTS["README"]):
        if not command.in_azure:
            capsys.readouterr()
            code = run(command.words)
            assert code in RAN, f"{command.text}: exit {code}: {capsys.readouterr().err}"


def test_the_findings_that_the_readme_explains_are_those_of_the_demo(contoso_report: Reported) -> None:
    shown = re.findall(r"keyaudit explain ([0-9a-f]{6})\b", DOCUMENTS["README"])
    ids = {each["id"][:6] for each in contoso_report.findings("fail")}
    assert shown
    assert set(shown) <= ids


def test_the_readme_names_every_right_that_is_needed(keyaudit: Keyaudit) -> None:
    """The permissions on Microsoft Graph have a test of their own."""
    readme, said = " ".join(DOCUMENTS["README"].split()), " ".join(keyaudit("permissions").out.split())
    roles, _, elsewhere = said.partition("Application permissions on Microsoft Graph")
    names = set(re.findall(r"((?:[A-Z]\w+ )*Reader) on", roles))
    names |= set(re.findall(r"local role (?:with )?(?:Microsoft\.KeyVault/managedHsm/)?(.+?) on the", elsewhere))
    names |= set(re.findall(r"(microsoft\.\S+) on the tenant", elsewhere))
    assert {"Key Vault Reader", "settings/read/action", "ekm/read"} <= names
    assert [name for name in names if name not in readme] == []
    # On keys, certificates and secrets, by access policies.
    assert "keys: list, get, getrotationpolicy certificates: list, get secrets: list Granted elsewhere" in elsewhere
    assert "list and get for keys and certificates, getrotationpolicy for keys, list for secrets" in readme


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name != "README"])
def test_every_command_line_runs_or_says_that_it_cannot_here(
    name: str,
    folder: Path,
    contoso: Path,
    blind_spots: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    # The findings of all policies do not matter here, and planning their queries takes most of a command's time.
    few = tuple(policy for policy in load.load() if policy.text.id in POLICIES)
    monkeypatch.setattr(load, "_shipped", lambda: few)
    ran = set[str]()
    for command in commands(DOCUMENTS[name]):
        leaf, words = _leaf(command)
        if not command.whole and not words and command.words[0] in NAMED:
            assert leaf is not TREE, f"no such command: {command.text}"
        elif command.elsewhere or _of_logs(command):
            _understood(command)
        elif command.text not in (ran if command.words[0] not in PRINTING else PRINTED):
            ran.add(command.text)
            PRINTED.update({command.text} if words and not {"--out", "--export"} & set(words) else ())
            capsys.readouterr()
            code = _run(command, {"contoso": contoso, "blind-spots": blind_spots})
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
    [block] = [block for block in fenced(DOCUMENTS["usage"], "yaml") if block.startswith("version: 1\naccept:")]
    announced = load_accepted(save(tmp_path / "accept.yaml", block), today=parse_date("2026-11-26"))
    assert [each.operation for each in announced] == ["read-mail", "read-mail"]


@pytest.mark.exhaustive
def test_the_pipelines_shown_hold_to_the_schemas_of_their_systems(tmp_path: Path) -> None:
    for name in ("pipeline", "plan"):
        github, azure, *_ = fenced(topic(name), "yaml")
        assert differs_from_schema(save(tmp_path / "github.yml", github), "github-workflows") == ""
        assert differs_from_schema(save(tmp_path / "azure.yml", azure), "azure-pipelines") == ""


def test_the_pipelines_shown_give_what_the_action_and_the_template_take() -> None:
    github, azure, _ = (yaml.safe_load(block) for block in fenced(topic("pipeline"), "yaml"))
    action, declared = github["jobs"]["audit"]["steps"][-1], read(ACTION)["inputs"]
    assert action["uses"].split("@")[0] == "OWNER/keyaudit"
    assert TEMPLATE.parents[2] / "action.yml" == ACTION
    assert set(action["with"]) <= set(declared)
    template, parameters = azure["steps"][-1], {each["name"]: each for each in read(TEMPLATE)["parameters"]}
    assert template["template"].split("@")[0] == str(TEMPLATE.relative_to(TEMPLATE.parents[2]))
    needed = {name for name, each in parameters.items() if "default" not in each}
    assert needed <= set(template["parameters"]) <= set(parameters)


@pytest.mark.parametrize("name", TOPICS)
def test_a_topic_is_printed_whole_and_fits_a_terminal_but_for_command_lines(name: str, keyaudit: Keyaudit) -> None:
    ran = keyaudit("explain", name)
    assert (ran.code, ran.out) == (Exit.CLEAN, topic(name) if name != "commands" else every_command(app()))
    text = FENCED.sub("", ran.out)
    wide = [line for line in text.splitlines() if columns(line) > 80 and not line.startswith("    ")]
    assert name == "exit-codes" or wide == []


def test_without_a_topic_all_are_listed(keyaudit: Keyaudit) -> None:
    ran = keyaudit("explain")
    assert (ran.code, ran.out) == (Exit.CLEAN, overview())
    assert all(f"  {name}" in ran.out for name in TOPICS)


@pytest.mark.parametrize("estate", ESTATES)
def test_the_first_screens_in_the_readme_are_as_they_are(estate: str, request: pytest.FixtureRequest) -> None:
    snapshots = {each: request.getfixturevalue(each) if each == estate else Path() for each in ESTATES}
    name, make = {"contoso": "demo"}.get(estate, estate), screens(snapshots)
    assert DOCUMENTS["README"] == filled(DOCUMENTS["README"], {name: make[name]}), "run: python -m tests.docs"
