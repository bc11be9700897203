"""Runs the shell steps of the shipped action and template as a build agent does, with a keyaudit that is already installed."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct

from tests.report.sinks import CORPUS

ROOT = Path(__file__).parent.parent.parent
GITHUB = ROOT / ".github"
ACTION = ROOT / "action.yml"
TEMPLATE = GITHUB / "azure-pipelines" / "keyaudit.yml"

HOSTILE = (
    *(text for text in CORPUS.values() if "\0" not in text and "\ud800" not in text and len(text) < 10_000),
    *("$(touch witness)", "`touch witness`", "; touch witness #", "'; touch witness; '", "--help", "*", "../../x", "a\n--help"),
)
"""Inputs that attack a script, as far as an environment variable can hold them; one that is run leaves a `witness`."""


_EXPRESSION = re.compile(r"\$\{\{ *(?P<path>[\w.-]+) *\}\}|\$\((?P<macro>[\w.]+)\)")


class Agent(Struct, frozen=True):
    """A machine of a pipeline: its folder for temporary files, and what is in front of the PATH."""

    temp: Path
    workspace: Path

    @property
    def venv(self) -> Path:
        """Where the steps expect keyaudit."""
        return self.temp / "keyaudit-venv" / "bin"

    @property
    def outputs(self) -> dict[str, str]:
        """What the steps have said to GitHub."""
        lines = (self.temp / "output").read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)

    @property
    def arguments(self) -> list[str] | None:
        """What the recorder was called with; None if it was not."""
        path = self.temp / "arguments"
        return path.read_bytes().decode().split("\0")[:-1] if path.exists() else None

    def recording(self) -> None:
        """Put what only records its arguments where keyaudit is expected."""
        (self.temp / "arguments").unlink(missing_ok=True)
        script(self.venv / "keyaudit", f'printf "%s\\0" "$@" >"{self.temp / "arguments"}"')

    def installed(self) -> None:
        """Put this keyaudit where the install step would."""
        script(self.venv / "python", f'exec "{sys.executable}" "$@"')
        script(self.venv / "keyaudit", f'exec "{sys.executable}" -P -m keyaudit "$@"')

    def run(self, text: str, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run a script as both agents run bash, with nothing of this process's environment but what bash needs."""
        fixed = {
            "PATH": f"{self.temp / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "RUNNER_TEMP": str(self.temp),
            "AGENT_TEMPDIRECTORY": str(self.temp),
            "GITHUB_OUTPUT": str(self.temp / "output"),
            "GITHUB_ACTION_PATH": str(ACTION.parent),
        }
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", text],
            env={**fixed, **environ},
            cwd=self.workspace,
            capture_output=True,
            text=True,
            check=False,
        )


def plant(folder: Path) -> Path:
    """Puts modules that keyaudit and pip import into an audited folder; one that runs leaves the file returned."""
    witness = folder / "imported"
    for name in ("keyaudit/__init__", "pip/__init__", "venv/__init__", "ensurepip/__init__", "json", "msgspec", "typing"):
        module = folder / f"{name}.py"
        module.parent.mkdir(exist_ok=True)
        module.write_text(f"open({str(witness)!r}, 'a').write(__name__ + ' ')\nraise SystemExit(0)\n", encoding="utf-8")
    return witness


def every_hostile(test: Callable[[Agent, str], None]) -> Callable[[Agent], None]:
    """The test with each of those inputs in turn, to the end, on one machine; it fails with all that it fails for."""

    def run(agent: Agent) -> None:
        errors = []
        for text in HOSTILE:
            try:
                test(agent, text)
            except (AssertionError, OSError) as error:
                error.add_note(f"the input was {text!r}")
                errors.append(error)
        if errors:
            raise ExceptionGroup(f"{len(errors)} of {len(HOSTILE)} inputs", errors)

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


def script(path: Path, line: str) -> None:
    """A shell script of one line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/usr/bin/env bash\n{line}\n", encoding="utf-8")
    path.chmod(0o755)


def read(path: Path) -> Any:
    """A YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def differs_from_schema(path: Path, system: str) -> str:
    """What is wrong with a file by the schema of `github-actions`, `github-workflows` or `azure-pipelines`; empty: nothing."""
    # Azure's schema has patterns that are none under Unicode rules.
    more = ("--data-transform", system, "--regex-variant", "nonunicode") if system == "azure-pipelines" else ()
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{system}", *more, str(path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    return ran.stdout + ran.stderr if ran.returncode else ""


def filled(environ: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """A step's `env`, with each expression replaced by its value; one without a value is an error of the test."""
    return {
        name: _EXPRESSION.sub(lambda found: values[found["path"] or found["macro"]], str(text))
        for name, text in environ.items()
    }
