"""Completion in a shell: what bash is given to choose from, and that asking for it is no error."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def run(*arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    """A command in a shell that completes."""
    command = [sys.executable, "-m", "keyaudit", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environ})


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("keyaudit re", "report"),
        ("keyaudit policies ch", "check"),
        ("keyaudit report --group", "--group-by"),
        ("keyaudit report --sort ex", "expires"),
        ("keyaudit gate --fail-on cr", "critical"),
        ("keyaudit export --na", ""),
    ],
)
def test_bash_is_told_what_fits(typed: str, offered: str) -> None:
    words = typed.split()
    asked = {"_KEYAUDIT_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(len(words) - 1)}
    ran = run(**asked)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    assert ran.stdout.split() == offered.split()


def test_bash_runs_what_it_is_shown(tmp_path: Path) -> None:
    shown = run(_KEYAUDIT_COMPLETE="source_bash")
    assert shown.returncode == 0
    (tmp_path / "keyaudit").write_text(f'#!/bin/sh\nexec {sys.executable} -m keyaudit "$@"\n')
    (tmp_path / "keyaudit").chmod(0o755)
    script = (
        f"{shown.stdout}\nCOMP_WORDS=(keyaudit wai)\nCOMP_CWORD=1\n"
        '_keyaudit_completion keyaudit\nprintf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    environ = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    ran = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, env=environ)
    assert ran.stdout.split() == ["waivers"]


def test_help_names_completion_and_completing_reads_no_tenant() -> None:
    assert "--install-completion" in run("--help").stdout
    script = (
        "import sys; from keyaudit.cli.app import run; run([]);"
        " print(sorted({'azure', 'msgraph', 'aiohttp', 'duckdb'} & set(sys.modules)))"
    )
    asked = {"_KEYAUDIT_COMPLETE": "complete_bash", "COMP_WORDS": "keyaudit re", "COMP_CWORD": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env={**os.environ, **asked}
    )
    assert ran.stdout.split() == ["report", "[]"]
