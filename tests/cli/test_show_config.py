"""Which settings are in force, and where each comes from."""

from pathlib import Path

import pytest

from keyaudit.model.errors import Exit
from tests.cli.conftest import Keyaudit

FILE = """schema = 1
[scope]
tenant = "contoso.example"
vaults = ["kv-*"]

[policy]
profile = "strict"
[policy.parameters.kv-key-rotation-overdue]
max_age = "P100D"
[[policy.classes]]
name = "build agents"
match = { table = "key", tags = { team = "build" } }
not_applicable = ["kv-key-software-protected"]

[environments.vaults]
"kv-shared" = "shared"

[clouds.bleu]
login = "login.bleu.example"
arm = "management.bleu.example"
graph = "graph.bleu.example"
vault_suffix = "vault.bleu.example"
hsm_suffix = "managedhsm.bleu.example"
"""
VARIABLES = (
    *("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "CLICOLOR", "TERM", "KEYAUDIT_NOTIFY_URLS"),
    *("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that commands are run in, with settings, and without variables."""
    monkeypatch.chdir(tmp_path)
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "keyaudit.toml").write_text(FILE)
    return tmp_path


def shown(keyaudit: Keyaudit, *arguments: str) -> dict[str, tuple[object, str]]:
    """Value and place, or else origin, by setting."""
    ran = keyaudit("config", "show", "-o", "json", *arguments)
    assert ran.code == Exit.CLEAN, ran.err
    found = {each["name"]: (each["value"], each["place"] or each["origin"]) for each in ran.json["settings"]}
    assert len(found) == len(ran.json["settings"])
    return found


def test_each_setting_says_where_it_comes_from(keyaudit: Keyaudit, folder: Path) -> None:
    found = shown(keyaudit, "--vault", "kv-one", "--cloud", "bleu", "--share", "0.25")
    assert found["scope.tenant"] == ("contoso.example", "keyaudit.toml:3")
    assert found["scope.vaults"] == (["kv-one"], "--vault")
    assert found["scope.subscriptions"] == (None, "default")
    assert found["auth.cloud"] == ("bleu", "--cloud")
    assert found["auth.method"] == ("auto", "default")
    assert found["clouds.bleu"] == ("management.bleu.example", "keyaudit.toml:18")
    assert found["environments.vaults.kv-shared"] == ("shared", "keyaudit.toml:16")
    assert found["policy.profile"] == ("strict", "keyaudit.toml:7")
    assert found["policy.parameters.kv-key-rotation-overdue.max_age"][1] == "keyaudit.toml:9"
    assert "100 days" in str(found["policy.parameters.kv-key-rotation-overdue.max_age"][0])
    assert found["policy.classes.build agents"][1] == "keyaudit.toml:10"
    assert found["share"] == (0.25, "--share")
    assert found["concurrency"] == (64, "default")
    assert found["waivers"] == (None, "default")


def test_flags_win_and_a_file_that_is_there_is_taken(keyaudit: Keyaudit, folder: Path) -> None:
    (folder / "keyaudit.waivers.yaml").write_text("version: 1\nwaivers: []\n")
    assert shown(keyaudit)["waivers"] == ("keyaudit.waivers.yaml", "default")
    assert shown(keyaudit, "--no-waivers")["waivers"] == (None, "--no-waivers")
    found = shown(keyaudit, "--profile", "default", "--tenant", "fabrikam.example", "--require", "unified-audit")
    assert found["policy.profile"] == ("default", "--profile")
    assert found["scope.tenant"] == ("fabrikam.example", "--tenant")
    assert found["require.evidence"] == (["unified-audit"], "--require")


def test_the_demo_reads_no_file_unless_told_to(keyaudit: Keyaudit, folder: Path) -> None:
    assert shown(keyaudit, "--demo")["scope.tenant"] == (None, "default")
    assert shown(keyaudit, "--demo", "--config", "keyaudit.toml")["scope.tenant"][1] == "keyaudit.toml:3"


def test_variables_are_named_and_no_secret_is_shown(keyaudit: Keyaudit, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:hunter2@proxy.example:8080")
    monkeypatch.setenv("KEYAUDIT_NOTIFY_URLS", "slack://hunter2/hunter2/hunter2")
    monkeypatch.setenv("FORCE_COLOR", "1")
    found = shown(keyaudit)
    assert found["network.proxy"] == ("http://proxy.example:8080", "HTTPS_PROXY")
    assert found["notify"] == ("set, and not shown", "KEYAUDIT_NOTIFY_URLS")
    assert found["colour"] == ("always", "FORCE_COLOR")
    for arguments in ((), ("-o", "json")):
        assert "hunter2" not in keyaudit("config", "show", *arguments).out


def test_people_get_a_table(keyaudit: Keyaudit, folder: Path) -> None:
    ran = keyaudit("config", "show")
    assert ran.out.splitlines()[0].split() == ["Setting", "Value", "From"]
    assert any(line.split() == ["scope.tenant", "contoso.example", "keyaudit.toml:3"] for line in ran.out.splitlines())


def test_an_unknown_setting_is_refused_with_the_nearest(keyaudit: Keyaudit, folder: Path) -> None:
    (folder / "keyaudit.toml").write_text("schema = 1\n[scope]\ntenat = 'x'\n")
    ran = keyaudit("config", "show")
    assert ran.code == Exit.USAGE
    assert ran.err == "keyaudit: keyaudit.toml:3: no such setting: scope.tenat; did you mean tenant?\n"


def test_a_hostile_name_of_a_class_is_inert(keyaudit: Keyaudit, folder: Path) -> None:
    (folder / "keyaudit.toml").write_text('schema = 1\n[environments.vaults]\n"\\u001b[2J##vso[task.complete]" = "x\\u202ey"\n')
    for arguments in ((), ("-o", "json")):
        out = keyaudit("config", "show", *arguments).out
        assert "\x1b" not in out
        assert "##" not in out
        assert "\u202e" not in out
