"""Values of flags and arguments that are converted without pydantic."""

import os
import sys
from enum import StrEnum
from pathlib import Path
from subprocess import run
from typing import Annotated, Any

import pytest
import typer
from typer.exceptions import TyperException

from keyaudit.cli.parameters import Command


class _Level(StrEnum):
    LOW = "low"
    HIGH = "high"


def _converted(cls: Any, arguments: list[str]) -> Any:
    """What a command of that class gets for the arguments, or the mistake in them."""
    app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)

    @app.command(cls=cls)
    def command(
        name: str,
        rest: Annotated[list[Path] | None, typer.Argument()] = None,
        level: Annotated[_Level, typer.Option()] = _Level.HIGH,
        share: Annotated[float, typer.Option(min=0.01, max=1.0)] = 0.5,
        most: Annotated[int | None, typer.Option()] = None,
        into: Annotated[Path | None, typer.Option()] = None,
        only: Annotated[list[str] | None, typer.Option()] = None,
        quiet: Annotated[bool, typer.Option("--quiet")] = False,
    ) -> Any:
        return name, rest, level, share, most, into, only, quiet

    try:
        return app(args=arguments, standalone_mode=False)
    except TyperException as error:
        return error.format_message()


@pytest.mark.parametrize(
    "arguments",
    [
        ["x"],
        ["x", "a", "b/c"],
        ["x", "--level", "low", "--into", "folder", "--only", "a", "--only", "b", "--quiet"],
        ["x", "--share", "0.25", "--most", "3"],
        ["x", "--only", ""],
        [],
        ["x", "--level", "hgih"],
        ["x", "--level", "LOW"],
        ["x", "--share", "2"],
        ["x", "--most", "many"],
        ["x\udcff"],
        ["x", "--into", "x\udcff"],
    ],
)
def test_a_value_and_a_mistake_are_those_of_typer(arguments: list[str]) -> None:
    assert repr(_converted(Command, arguments)) == repr(_converted(None, arguments))


def test_a_path_that_cannot_be_read_is_the_mistake_of_typer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Root can read every file.
    monkeypatch.setattr(os, "access", lambda *_: False)
    arguments = ["x", "--into", str(tmp_path)]
    assert "not readable" in _converted(Command, arguments)
    assert _converted(Command, arguments) == _converted(None, arguments)


def test_a_command_starts_without_pydantic() -> None:
    code = "import sys; from keyaudit.cli.app import run; run(sys.argv[1:]); assert 'pydantic' not in sys.modules"
    ended = run(
        [sys.executable, "-c", code, "gate", "--from", "nowhere", "-o", "json", "--select", "kv-*", "--fail-on", "low"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "no such folder" in ended.stderr
