"""A settings, waiver, baseline or announcement file that is no file ends the run, by its default name too."""

from pathlib import Path

import pytest

from keyaudit.model.errors import Exit
from tests.cli.conftest import Keyaudit
from tests.obstacles import OBSTACLES

FEW = ("--select", "kv-purge-*")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that commands are run in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("kind", OBSTACLES)
@pytest.mark.parametrize(
    "command",
    [
        ("gate", *FEW),
        ("report", *FEW),
        ("baseline", "create", "--out", "baseline.json"),
        ("access", "kv-identity-prod"),
        ("expiring", "30d"),
        ("inventory", "keys"),
        ("notify", "--dry-run", "--since", "SNAPSHOT"),
    ],
    ids=lambda command: command[0],
)
def test_settings_that_are_no_file_are_never_taken_for_none(
    keyaudit: Keyaudit, contoso: Path, folder: Path, kind: str, command: tuple[str, ...]
) -> None:
    make, what = OBSTACLES[kind]
    make(folder / "keyaudit.toml")
    words = [str(contoso) if word == "SNAPSHOT" else word for word in command]
    ran = keyaudit(*words, "--from", contoso)
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert ran.err.startswith(f"keyaudit: keyaudit.toml: {what}")
    assert ran.err.rstrip("\n").endswith("; create the configuration file there, or name another with --config")


def test_an_expectation_that_is_not_met_gates_as_before(keyaudit: Keyaudit, contoso: Path, folder: Path) -> None:
    chosen = ("gate", "--from", contoso, *FEW, "--fail-on", "critical")
    assert keyaudit(*chosen).code == Exit.CLEAN
    (folder / "keyaudit.toml").write_text('schema = 1\n[expect]\nvaults = ["kv-no-such-vault"]\n')
    assert keyaudit(*chosen).code == Exit.INCOMPLETE


@pytest.mark.parametrize("kind", OBSTACLES)
@pytest.mark.parametrize(
    "command",
    [
        ("policies", "show", "kv-key-rotation-overdue"),
        ("config", "show"),
        ("doctor", "--tenant", "00000000-0000-0000-0000-000000000001"),
        ("collect", "--out", "snapshot"),
        ("report", "--demo", "--config", "keyaudit.toml"),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_the_settings_of_a_command_without_a_snapshot_likewise(
    keyaudit: Keyaudit, folder: Path, kind: str, command: tuple[str, ...]
) -> None:
    make, what = OBSTACLES[kind]
    make(folder / "keyaudit.toml")
    ran = keyaudit(*command)
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert ran.err.startswith(f"keyaudit: keyaudit.toml: {what}")


def test_a_simulated_tenant_ignores_the_settings_of_the_folder(keyaudit: Keyaudit, folder: Path) -> None:
    (folder / "keyaudit.toml").mkdir()
    assert keyaudit("config", "show").code == Exit.USAGE
    assert keyaudit("config", "show", "--demo").code == Exit.CLEAN
    # The null device is how no file is chosen.
    assert keyaudit("config", "show", "--config", "/dev/null").code == Exit.CLEAN


@pytest.mark.parametrize("kind", OBSTACLES)
@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("keyaudit.waivers.yaml", ("gate",)),
        ("keyaudit.waivers.yaml", ("report",)),
        ("other.yaml", ("gate", "--waivers", "other.yaml")),
        ("baseline.json", ("gate", "--baseline", "baseline.json")),
    ],
    ids=["default waivers of a gate", "default waivers of a report", "waivers", "baseline"],
)
def test_waivers_and_baselines_that_are_no_file_likewise(
    keyaudit: Keyaudit, contoso: Path, folder: Path, kind: str, name: str, command: tuple[str, ...]
) -> None:
    make, what = OBSTACLES[kind]
    make(folder / name)
    ran = keyaudit(*command, "--from", contoso, *FEW)
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert ran.err.startswith(f"keyaudit: {name}: {what}")


@pytest.mark.parametrize("kind", OBSTACLES)
@pytest.mark.parametrize("command", ["list", "check", "prune"])
def test_commands_of_waivers_likewise(keyaudit: Keyaudit, folder: Path, kind: str, command: str) -> None:
    make, what = OBSTACLES[kind]
    make(folder / "keyaudit.waivers.yaml")
    ran = keyaudit("waivers", command)
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert ran.err.startswith(f"keyaudit: keyaudit.waivers.yaml: {what}")


@pytest.mark.parametrize("kind", OBSTACLES)
def test_announcements_likewise(keyaudit: Keyaudit, folder: Path, kind: str) -> None:
    make, what = OBSTACLES[kind]
    make(folder / "accept.yaml")
    ran = keyaudit("usage", "check", "uses", "--accept", "accept.yaml")
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert f"accept.yaml: {what}" in ran.err
