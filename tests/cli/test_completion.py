"""Completion in a shell: what bash is given to choose from, and that asking for it is no error."""

import os
import subprocess
import sys
from pathlib import Path

from tests.cli.redirected import redirected


def run(*arguments: str, **environ: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command in a shell that completes."""
    done = redirected(arguments, env={**os.environ, **environ})
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_bash_is_told_what_fits() -> None:
    for typed, offered in (
        ("keyaudit re", "report"),
        ("keyaudit policies ch", "check"),
        ("keyaudit report --group", "--group-by"),
        ("keyaudit report --sort ex", "expires"),
        ("keyaudit gate --fail-on cr", "critical"),
        ("keyaudit export --na", ""),
    ):
        asked = {"_KEYAUDIT_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1)}
        code, out, err = run(**asked)
        assert (code, out.split(), err) == (0, offered.split(), ""), typed


def test_bash_runs_what_it_is_shown(tmp_path: Path) -> None:
    code, shown, _ = run(_KEYAUDIT_COMPLETE="source_bash")
    assert code == 0
    (tmp_path / "keyaudit").write_text(f'#!/bin/sh\nexec {sys.executable} -m keyaudit "$@"\n')
    (tmp_path / "keyaudit").chmod(0o755)
    script = (
        f'{shown}\nCOMP_WORDS=(keyaudit wai)\nCOMP_CWORD=1\n_keyaudit_completion keyaudit\nprintf "%s\\n" "${{COMPREPLY[@]}}"\n'
    )
    environ = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    ran = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, env=environ)
    assert ran.stdout.split() == ["waivers"]


def test_help_names_completion_and_completing_reads_no_tenant() -> None:
    assert "--install-completion" in run("--help")[1]
    script = (
        "import sys; from keyaudit.cli.app import run; run([]);"
        " print(sorted({'azure', 'msgraph', 'aiohttp', 'duckdb'} & set(sys.modules)))"
    )
    asked = {"_KEYAUDIT_COMPLETE": "complete_bash", "COMP_WORDS": "keyaudit re", "COMP_CWORD": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env={**os.environ, **asked}
    )
    assert ran.stdout.split() == ["report", "[]"]
