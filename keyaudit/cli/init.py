"""`keyaudit init`: begins a folder in which audits are run: settings with comments, and a pipeline that gates."""

from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from keyaudit.cli.options import DEFAULT_CONFIG
from keyaudit.cli.streams import printing
from keyaudit.model.errors import Exit, OutputError, UsageError


class System(StrEnum):
    """Systems that run pipelines."""

    GITHUB = "github"
    AZURE = "azure"


PIPELINES = {System.GITHUB: Path(".github/workflows/keyaudit.yml"), System.AZURE: Path(".azure-pipelines/keyaudit.yml")}
"""Where the pipeline's file goes, in the folder."""


def init(
    *,
    ci: Annotated[
        System | None, typer.Option("--ci", help="Also write a pipeline that audits each day, for this system.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder to write to. Default: where you are.")] = Path(),
) -> int:
    """Write keyaudit.toml, with every setting as a comment; with --ci also a pipeline. Nothing that is there is overwritten.

    Both are readable by everyone: they hold no secrets, and belong under review.
    """

    files = {out / DEFAULT_CONFIG: str(DEFAULT_CONFIG)}
    if ci is not None:
        files[out / PIPELINES[ci]] = f"{ci}.yml"
    there = [path for path in files if path.exists() or path.is_symlink()]
    # Settings that are there serve a new pipeline as well.
    if there and (ci is None or there != [out / DEFAULT_CONFIG]):
        raise UsageError(str(there[-1]), "is there already, and is not overwritten", "move it away, or write to another --out")
    for path, name in files.items():
        if path not in there:
            _write(path, template(name))
    with printing() as stdout:
        for path in files:
            stdout.write(f"{path}: {'was there, and is as it was' if path in there else 'written'}\n")
        stdout.write(f"Next: keyaudit {'explain pipeline, for what to fill in' if ci else 'config show'}\n")
    return Exit.CLEAN


def template(name: str) -> str:
    """A file that is shipped to be written: keyaudit.toml, github.yml or azure.yml."""
    return resources.files("keyaudit.cli").joinpath("templates", name).read_text(encoding="utf-8")


def _write(path: Path, text: str) -> None:
    from keyaudit.report.files import output_file

    try:
        missing = [folder for folder in reversed(path.parents) if not folder.exists()]
        for folder in missing:
            folder.mkdir()
            folder.chmod(0o755)
        with output_file(path) as file:
            file.write(text)
        path.chmod(0o644)
    except OSError as error:
        raise OutputError(str(path), f"could not be written ({error.strerror})", "write to another --out") from error
