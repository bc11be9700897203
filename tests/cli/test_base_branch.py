"""A gate on a pull request is decided by the files of the base branch, not by those of the pull request."""

import os
from pathlib import Path

import pytest

from keyaudit.cli.gate.base_branch import of_base
from keyaudit.cli.options import Choice, Live
from keyaudit.model.errors import UsageError


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty base branch; the current folder is an empty pull request."""
    for name in ("head", "base"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "head")
    return tmp_path / "base"


def _write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, encoding="utf-8")


def test_each_file_is_taken_from_the_base_branch_and_what_differs_is_said(
    base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(base, keyaudit_toml="schema = 1", keyaudit_waivers_yaml="old", baseline_json="{}")
    _write(Path(), keyaudit_toml="schema = 1", keyaudit_waivers_yaml="new")
    live, choice = of_base(base, Live(), Choice(baseline=Path("baseline.json")))
    assert (live.config, choice.waivers, choice.baseline) == (
        base / "keyaudit.toml",
        base / "keyaudit.waivers.yaml",
        base / "baseline.json",
    )
    assert capsys.readouterr().err == (
        f"the pull request changes keyaudit.waivers.yaml and baseline.json; the gate uses what {base} has\n"
    )


def test_a_file_that_the_pull_request_adds_does_not_count(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write(Path(), keyaudit_toml="schema = 1", keyaudit_waivers_yaml="new")
    live, choice = of_base(base, Live(), Choice())
    assert (live.config, choice.waivers, choice.no_waivers) == (Path(os.devnull), None, True)
    assert "keyaudit.toml and keyaudit.waivers.yaml" in capsys.readouterr().err


def test_files_that_are_named_are_taken_from_the_base_branch_even_if_they_are_not_there(base: Path) -> None:
    live, choice = of_base(base, Live(config=Path("a/../b.toml")), Choice(waivers=Path("w.yaml"), policies=Path("own")))
    assert (live.config, choice.waivers, choice.policies) == (base / "b.toml", base / "w.yaml", base / "own")
    assert not choice.no_waivers


def test_nothing_is_said_where_both_are_equal_and_a_file_of_elsewhere_stays(
    base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in (base, Path()):
        _write(folder, keyaudit_toml="schema = 1")
    elsewhere = base.parent / "baseline.json"
    live, choice = of_base(base, Live(), Choice(no_waivers=True, baseline=elsewhere))
    assert (live.config, choice.waivers, choice.no_waivers, choice.baseline) == (base / "keyaudit.toml", None, True, elsewhere)
    assert of_base(base, Live(demo=True), Choice())[0].config is None
    assert capsys.readouterr().err == ""


def test_a_changed_policy_of_ones_own_is_a_difference(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder, text in ((base, "old"), (Path(), "new")):
        (folder / "own").mkdir()
        _write(folder / "own", one_yaml=text)
    of_base(base, Live(), Choice(policies=Path("own")))
    assert "own" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["missing", ".", "..", "link"])
def test_the_pull_request_is_not_its_own_base_branch(base: Path, name: str) -> None:
    Path("link").symlink_to(".", target_is_directory=True)
    with pytest.raises(UsageError, match="--base"):
        of_base(Path(name), Live(), Choice())
