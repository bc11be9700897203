"""Help that fits a screen, and mistaken command lines: each names the nearest thing that would be right, in our own words."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from keyaudit.cli.app import FORMER, LONGEST, app, current
from keyaudit.cli.parameters import MANY, RARE
from keyaudit.model.errors import Exit
from tests.cli.conftest import Keyaudit

TREE: Any = typer.main.get_command(app())
MISTAKEN = {
    "gate --fail-on hgih": ("--fail-on: 'hgih' is not one of low, medium, high, critical; did you mean high?", "keyaudit gate"),
    "gate --concurrency 999": ("--concurrency: '999' is not a whole number from 1 to 256", "keyaudit gate"),
    "gate --share much": ("--share: 'much' is not a number from 0.01 to 1.0", "keyaudit gate"),
    "report --top 0": ("--top: '0' is not a whole number from 1", "keyaudit report"),
    "report -o html": (
        "--output: 'html' is not one of text, table, json, csv; keyaudit export html=PATH writes it",
        "keyaudit report",
    ),
    "report -f json": ("no such option: '-f'; did you mean -o?", "keyaudit report"),
    "report --format json": ("no such option: '--format'; did you mean --output?", "keyaudit report"),
    "report -v": ("no such option: '-v'; --full lists every finding, and keyaudit -V prints the version", "keyaudit report"),
    "report --grup-by owner": ("no such option: '--grup-by'; did you mean --group-by?", "keyaudit report"),
    "reprt": ("no such command: 'reprt'; did you mean report?", "keyaudit"),
    "waivers lst": ("no such command: 'lst'; did you mean list?", "keyaudit waivers"),
    "trust": ("no command given; use one of list, check, scan", "keyaudit trust"),
    "": ("no command given; start with keyaudit report --demo", "keyaudit"),
    "access": ("RESOURCE|PRINCIPAL|FINDING is missing", "keyaudit access"),
    "doctor confg": ("no such command: 'confg'; did you mean config?", "keyaudit doctor"),
    "doctor --demo config": ("too many arguments: config", "keyaudit doctor"),
    "notify --demo --wihtin x": ("no such option: '--wihtin'; did you mean --within?", "keyaudit send notifications"),
    "diff a b -o prometheus": (
        "--output: prometheus is not a format for two snapshots; choose one of text, table, json, csv",
        "",
    ),
    "collect --out": ("--out needs a value", "keyaudit collect"),
    "expiring 30d 40d": ("too many arguments: 40d", "keyaudit expiring"),
    "report --demo --profile cis": ("profile cis: no such profile; did you mean cis-azure-6.0 or cis-m365-7?", ""),
    "explain auditors": ("explain: no policy or topic 'auditors'; did you mean auditor?", ""),
    "gate --demo --new-only": ("--new-only: needs --baseline FILE; keyaudit baseline create writes one", ""),
    "export html=reports/page.html --demo": (
        "reports/page.html: folder reports does not exist; create it, or name another folder",
        "",
    ),
    "report --demo --export sarif=reports/x": (
        "reports/x: folder reports does not exist; create it, or name another folder",
        "",
    ),
    "baseline create --demo --out reports/x": (
        "reports/x: folder reports does not exist; create it, or name another folder",
        "",
    ),
    "waivers list": ("keyaudit.waivers.yaml: does not exist; create one with keyaudit waivers add", ""),
}
"""Command lines that cannot be meant: what is said of each, and whose help is named. None reads a tenant."""


def _leaves(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    yield name, command
    for below, each in getattr(command, "commands", {}).items():
        yield from _leaves(each, f"{name} {below}")


@pytest.mark.parametrize("line", MISTAKEN)
def test_a_mistake_is_named_with_what_would_be_right(
    line: str, keyaudit: Keyaudit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said, command = MISTAKEN[line]
    ran = keyaudit(*line.split())
    see = f" (see {command} --help)" if command else ""
    assert (ran.code, ran.out, ran.err) == (Exit.USAGE, "", f"keyaudit: {said}{see}\n")


def test_every_command_has_one_line_that_is_printed_whole(keyaudit: Keyaudit) -> None:
    for name, command in _leaves(TREE, "keyaudit"):
        line = command.get_short_help_str(limit=1_000)
        if command is not TREE:
            assert 0 < len(line) <= LONGEST, f"{name}: {line}"
    for page in ([], ["waivers"], ["usage"], ["policies"], ["trust"], ["baseline"], ["send"]):
        printed = keyaudit(*page, "--help").out
        assert "..." not in printed.partition("\n\n")[2]


def test_help_lists_every_command_in_a_section(keyaudit: Keyaudit) -> None:
    printed = keyaudit("--help").out
    for section in ("Look:", "Decide:", "Share:", "Investigate:", "Set up:"):
        assert f"\n{section}\n  " in printed
    assert all(f"\n  {name} " in printed for name in TREE.commands)
    assert len(printed.splitlines()) < 50
    assert len(TREE.commands) <= 20


def test_the_first_help_has_what_most_need_and_the_other_everything(keyaudit: Keyaudit) -> None:
    flags = {name for each in TREE.commands["report"].params for name in each.opts[:1]}
    first, every = (
        {flag for flag in flags if re.search(rf"^  (-\w, )?{flag}( |$)", keyaudit("report", how).out, re.MULTILINE)}
        for how in ("--help", "--help-all")
    )
    assert every == flags
    assert len(first) <= 25
    assert flags - first == flags & RARE
    assert "Show 25 more options." in keyaudit("report", "-h").out
    # One with few flags shows all of them, the rare ones, too.
    assert len(TREE.commands["policies"].commands["guardrails"].params) <= MANY
    assert "--ignore" in keyaudit("policies", "guardrails", "--help").out
    assert {name for _, command in _leaves(TREE, "") for each in command.params for name in each.opts} >= RARE


def test_all_mistakes_of_the_settings_are_listed_at_once(
    keyaudit: Keyaudit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("keyaudit.toml").write_text(
        """schema = 1
scpoe = 3
[scope]
vaults = [1]
[auth]
method = "clii"
[policy.parameters.app-secret-to-long]
max_life = "P90D"
[policy.parameters.app-secret-too-long]
max_life = "x"
[[policy.classes]]
name = "a"
[expect]
shrinkage = "110%"
[expect.at_least]
keyz = 3
keys = 0
"""
    )
    ran = keyaudit("config", "show")
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    lines = [line.removeprefix("keyaudit: ").split(":")[1] for line in ran.err.splitlines()]
    assert lines == ["2", "4", "6", "8", "10", "11", "14", "16", "17"]


@pytest.mark.parametrize(
    ("command", "name", "former"),
    [
        (("collect",), "--copy-from", "--since"),
        (("send", "notifications"), "--keep", "--kept"),
        (("waivers", "list"), "--waivers", "--file"),
    ],
)
def test_a_former_name_is_taken_and_not_shown(command: tuple[str, ...], name: str, former: str) -> None:
    found = TREE
    for part in command:
        found = found.commands[part]
    flags = {opt: parameter.name for parameter in found.params for opt in parameter.opts}
    assert flags[name] == flags[former]
    shown = found.get_help(typer.Context(found)).split()
    assert name in shown
    assert former not in shown


@pytest.mark.parametrize("former", FORMER)
def test_a_former_command_is_taken_and_not_shown(keyaudit: Keyaudit, former: tuple[str, ...]) -> None:
    assert current([*former, "x", "--y"]) == [*FORMER[former], "x", "--y"]
    now = [word for word in FORMER[former] if not word.startswith("-")]
    ran = keyaudit(*former, "--help")
    assert (ran.code, ran.err) == (Exit.CLEAN, "")
    assert ran.out.startswith(f"Usage: keyaudit {' '.join(now)} [OPTIONS]")
    assert f"\n  {former[0]} " not in keyaudit("--help").out
