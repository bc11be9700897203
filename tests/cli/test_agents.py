"""A gate within a build agent: who is detected, where what goes, and that none of it changes the exit code."""

from pathlib import Path

import pytest

from keyaudit.model.errors import Exit
from tests.cli.conftest import Keyaudit

FEW = ("--select", "app-secret-too-long", "--select", "kv-key-exportable")


@pytest.fixture(autouse=True)
def _no_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_ACTIONS", "TF_BUILD", "GITHUB_STEP_SUMMARY", "AGENT_TEMPDIRECTORY"):
        monkeypatch.delenv(name, raising=False)


def test_outside_an_agent_nothing_is_said_to_one(keyaudit: Keyaudit, contoso: Path) -> None:
    ran = keyaudit("gate", "--from", contoso, *FEW)
    assert "##vso" not in ran.out + ran.err
    assert "::error" not in ran.out + ran.err


def test_github_gets_annotations_and_a_summary(
    keyaudit: Keyaudit, contoso: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    ran = keyaudit("gate", "--from", contoso, *FEW)
    assert ran.code == Exit.FINDINGS
    assert ran.out.count("\n::error ") <= 10
    assert "::error title=keyaudit app-secret-too-long::" in ran.out
    assert summary.read_text().startswith("before\n# keyaudit: 8 open findings")


def test_azure_gets_issues_and_a_summary_file(
    keyaudit: Keyaudit, contoso: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_BUILD", "True")
    monkeypatch.setenv("AGENT_TEMPDIRECTORY", str(tmp_path))
    ran = keyaudit("gate", "--from", contoso, *FEW)
    [summary] = tmp_path.iterdir()
    assert f"##vso[task.uploadsummary]{summary}\n" in ran.out
    assert summary.read_text().startswith("# keyaudit: 8 open findings")
    assert "##vso[task.logissue type=error;code=app-secret-too-long]" in ran.out


def test_what_a_machine_reads_on_stdout_stays_whole(keyaudit: Keyaudit, contoso: Path) -> None:
    ran = keyaudit("gate", "--from", contoso, *FEW, "-o", "json", "--ci", "github")
    assert ran.json["verdict"]["exit"] == Exit.FINDINGS
    assert "::error title=keyaudit" in ran.err


def test_a_summary_that_cannot_be_written_changes_nothing_of_the_verdict(
    keyaudit: Keyaudit, contoso: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "/nowhere/at/all")
    ran = keyaudit("gate", "--from", contoso, *FEW, "--ci", "github")
    assert ran.code == Exit.FINDINGS
    assert "no job summary" in ran.err


def test_an_agent_can_be_told_to_hear_nothing(keyaudit: Keyaudit, contoso: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_BUILD", "True")
    assert "##vso" not in keyaudit("gate", "--from", contoso, *FEW, "--ci", "none").out
