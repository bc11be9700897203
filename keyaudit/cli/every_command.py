"""The topic `commands`: every command with its flags, as `--help` prints them; flags that several share are there once."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import typer

from keyaudit.cli.options import Choice, Live, Redaction, Shown, Stored
from keyaudit.cli.parameters import EVERY

_SHARED = (Live, Stored, Choice, Shown, Redaction)


def every_command(app: typer.Typer) -> str:
    """The topic in Markdown, in lines of at most 80 columns but for long choices."""
    shared = [f"[{number}] {_title(group)}\n\n{_options(app, group)}" for number, group in enumerate(_SHARED, 1)]
    blocks = ["\n\n".join(shared), *(_help(app, name) for name in commands(app))]
    lines = ["# Every command with its flags", "", "Flags that several commands share are listed once, first.", ""]
    return "\n".join([*lines, *(f"```\n{block}\n```" for block in blocks), ""])


def commands(app: typer.Typer) -> Iterator[str]:
    """The name of every command, in the order of --help."""
    yield from _below(typer.main.get_command(app), "")


def _below(command: Any, name: str) -> Iterator[str]:
    inner = getattr(command, "commands", None)
    if inner is None or hasattr(command, "lead"):
        yield name
    if inner is not None:
        for each, below in inner.items():
            yield from _below(below, f"{name} {each}".strip())


def _help(app: typer.Typer, name: str) -> str:
    command = _command(app, name)
    given = {parameter.name for parameter in command.params}
    groups = [number for number, group in enumerate(_SHARED, 1) if given >= _fields(group)]
    elsewhere = {field for number in groups for field in _fields(_SHARED[number - 1])}
    command.params = [each for each in command.params if each.name not in elsewhere]
    text: str = command.get_help(_context(command, f"keyaudit {name}"))
    more = f"\n\nAnd the flags of {', '.join(f'[{number}]' for number in groups)}" if groups else ""
    return f"$ keyaudit {name} --help\n{_trimmed(text)}{more}"


def _options(app: typer.Typer, group: type) -> str:
    command = _command(app, "report")
    command.params = [each for each in command.params if each.name in _fields(group)]
    context = _context(command, "")
    formatter = context.make_formatter()
    command.format_options(context, formatter)
    return "\n".join(_trimmed(formatter.getvalue()).splitlines()[1:])


def _command(app: typer.Typer, name: str) -> Any:
    """A command of its own to change, without --help."""
    command: Any = typer.main.get_command(app)
    for word in name.split():
        command = command.commands[word]
    command = getattr(command, "lead", command)
    command.add_help_option = False
    return command


def _context(command: Any, name: str) -> Any:
    every = {EVERY: True}
    return command.make_context(name, [], resilient_parsing=True, terminal_width=80, max_content_width=80, obj=every)


def _fields(group: type) -> set[str]:
    return {each.name for each in dataclasses.fields(group)}


def _title(group: type) -> str:
    return (group.__doc__ or "").splitlines()[0]


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())
