"""A folder begun with `keyaudit init`: what it writes is taken, is what the documents show, and replaces nothing."""

import re
import stat
import tomllib
from pathlib import Path

import pytest
import yaml

from keyaudit import __version__
from keyaudit.cli.init import PIPELINES, template
from keyaudit.cli.options import DEFAULT_CONFIG
from keyaudit.cli.settings.config import Config, read_config
from keyaudit.cli.settings.policy_config import PolicyConfig
from keyaudit.collect.custody import custody
from keyaudit.model.errors import Exit
from keyaudit.model.scope.filters import Filters
from keyaudit.report.topics import topic
from tests.cli.conftest import Keyaudit
from tests.documents import fenced


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that commands are run in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_settings_are_written_and_change_nothing(keyaudit: Keyaudit, folder: Path) -> None:
    ran = keyaudit("init")
    assert ran.code == Exit.CLEAN
    assert ran.out.startswith("keyaudit.toml: written\n")
    assert read_config(DEFAULT_CONFIG) == Config()
    assert keyaudit("policies", "show", "kv-key-rotation-overdue").code == Exit.CLEAN
    assert keyaudit("config", "show").code == Exit.CLEAN


def test_every_example_in_the_settings_is_one_that_is_taken(keyaudit: Keyaudit, folder: Path) -> None:
    text = template("keyaudit.toml")
    examples = re.sub(r"^# (?=\S+ = |\[\[)", "", text, flags=re.MULTILINE)
    assert examples.count("\n# ") < text.count("\n# ") - 12
    tomllib.loads(examples)
    (folder / "keyaudit.toml").write_text(examples)
    config = read_config(DEFAULT_CONFIG)
    assert config.filters == Filters(
        subscriptions=("prod-*",), resource_groups=("rg-*",), vaults=("kv-*",), sources=("keys", "applications")
    )
    assert (config.tenant, config.auth, config.cloud) == ("contoso.example", "cli", "public")
    assert [rule.of for rule in config.environment_rules] == ["vault", "principal", "subscription", "name", "name"]
    assert config.policy != PolicyConfig()
    assert (config.policy.profile, len(config.policy.classes), config.policy.require) == ("strict", 1, ("unified-audit",))
    ran = keyaudit("config", "show")
    assert ran.code == Exit.CLEAN, ran.err
    assert "build agents" in ran.out


@pytest.mark.parametrize("system", PIPELINES)
def test_a_pipeline_is_written_beside_them(keyaudit: Keyaudit, folder: Path, system: str) -> None:
    ran = keyaudit("init", "--ci", system)
    assert ran.code == Exit.CLEAN
    path = folder / PIPELINES[system]  # type: ignore[index]
    assert f"{PIPELINES[system]}: written\n" in ran.out  # type: ignore[index]
    assert yaml.safe_load(path.read_text())
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((folder / "keyaudit.toml").stat().st_mode) == 0o644
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o755


def test_the_pipelines_are_those_that_the_documents_show() -> None:
    # What they hand to the action and the template, and their schemas, tests/cli/test_documents.py looks at.
    shown = [template(name) for name in ("github.yml", "azure.yml", "container-apps.yml")]
    assert shown == fenced(topic("pipeline"), "yaml")
    assert f"refs/tags/v{__version__}\n" in template("azure.yml")


@pytest.mark.parametrize("there", ["keyaudit.toml", ".github/workflows/keyaudit.yml"])
def test_nothing_is_overwritten(keyaudit: Keyaudit, folder: Path, there: str) -> None:
    (folder / there).parent.mkdir(parents=True, exist_ok=True)
    (folder / there).write_text("mine")
    arguments = [] if there == "keyaudit.toml" else ["--ci", "github"]
    ran = keyaudit("init", *arguments)
    assert ran.code == Exit.USAGE
    assert f"{there}: already exists" in ran.err
    assert (folder / there).read_text() == "mine"
    assert [path for path in folder.rglob("*") if path.is_file()] == [folder / there]


def test_a_link_is_not_written_through(keyaudit: Keyaudit, folder: Path) -> None:
    (folder / "keyaudit.toml").symlink_to(folder / "elsewhere")
    assert keyaudit("init").code == Exit.USAGE
    assert not (folder / "elsewhere").exists()


def test_settings_that_are_there_serve_a_new_pipeline(keyaudit: Keyaudit, folder: Path) -> None:
    (folder / "keyaudit.toml").write_text("schema = 1\n")
    ran = keyaudit("init", "--ci", "azure")
    assert ran.code == Exit.CLEAN
    assert "keyaudit.toml: already exists, and is not changed\n" in ran.out
    assert (folder / "keyaudit.toml").read_text() == "schema = 1\n"
    assert (folder / ".azure-pipelines" / "keyaudit.yml").exists()


def test_another_folder_is_made_if_it_is_not_there(keyaudit: Keyaudit, folder: Path) -> None:
    assert keyaudit("init", "--out", "audits/here").code == Exit.CLEAN
    assert (folder / "audits" / "here" / "keyaudit.toml").exists()
    (folder / "file").write_text("")
    ran = keyaudit("init", "--out", "file")
    assert (ran.code, ran.err) == (Exit.USAGE, "keyaudit: file/keyaudit.toml: file is not a folder; name another\n")


def test_a_file_of_custody_records_is_begun_with_the_keys_that_need_one(
    keyaudit: Keyaudit, contoso: Path, tmp_path: Path
) -> None:
    ran = keyaudit("init", "--custody", "--from", contoso, "--out", tmp_path)
    assert ran.code == Exit.CLEAN
    path = tmp_path / "keyaudit.custody.yaml"
    text = path.read_text(encoding="utf-8")
    assert "#  - of: hsm-contoso-trust\n#    kept_in: security-domain\n" in text
    assert "# outlet.contoso.example\n" in text
    # Nothing counts before somebody has filled it in.
    assert custody(path).records == []
    assert keyaudit("init", "--custody", "--out", tmp_path).code == Exit.USAGE
