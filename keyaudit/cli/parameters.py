"""Converts the values of flags and arguments without pydantic, where typer would get the same from it; hides former names.

typer makes a pydantic adapter for every parameter, even for one that was not given: with the import of pydantic that is a tenth
of the time of a `gate` over a small snapshot.
"""

import os
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, get_args

from typer.core import TyperCommand, TyperGroup

EVERY = "every"
"""The member of a context's object that says whether all flags are wanted."""
MANY = 15
"""The number of flags and arguments up to which help shows all of them."""
RARE = frozenset(
    {
        *("--allow-gap", "--area", "--as-of", "--bom", "--budget", "--cloud", "--columns", "--concurrency", "--control"),
        *("--engine", "--environment", "--estate", "--ignore", "--master", "--no-waivers", "--redact", "--redact-salt"),
        *("--require", "--reread", "--resource", "--resource-group", "--share", "--since", "--source", "--top"),
    }
)
"""Flags that few need."""
_OWN = ("Arguments", "Options")
_NOT_PLAIN = object()


class Command(TyperCommand):
    """A command that converts plain values itself, and leaves all others and every mistake to typer."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Its parameters, --help among them."""
        return _converting(super().get_params(ctx))

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Writes arguments and flags by section. Of many flags, those that few need are there with --help-all alone."""
        flags = [each for each in self.get_params(ctx) if not each.hidden]
        rare = {each.name for each in flags if RARE.intersection(each.opts[:1])}
        left_out = len(rare) if len(flags) > MANY and rare and not (ctx.obj or {}).get(EVERY) else 0
        sections: dict[str, list[Any]] = {}
        for each in flags:
            if record := None if left_out and each.name in rare else each.get_help_record(ctx):
                title = "Arguments" if each.param_type_name == "argument" else each.rich_help_panel or "Options"
                sections.setdefault(title, []).append(record)
        # The command's own come first, and --help, which is the last of them, with them.
        for title in sorted(sections, key=lambda title: _OWN.index(title) if title in _OWN else len(_OWN)):
            with formatter.section(title):
                formatter.write_dl(sections[title])
        if left_out:
            with formatter.section("More"):
                formatter.write_dl([("--help-all", f"Show {left_out} more options.")])


class Group(TyperGroup):
    """A group of commands that does so with its own flags."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Its parameters, --help among them."""
        return _converting(super().get_params(ctx))


class Leading(Group):
    """A group with a command of its own name, which runs if no other command is named."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.lead = self.commands.pop(self.name or "")
        self.params = self.lead.params

    def make_context(self, info_name: Any, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """The context of that command, or of the group if the first argument is a word."""
        if args and not args[0].startswith("-"):
            return super().make_context(info_name, args, parent, **extra)
        return self.lead.make_context(info_name, args, parent, **extra)


def _converting(parameters: list[Any]) -> list[Any]:
    for each in parameters:
        if not isinstance(each.process_value, partial):
            each.process_value = partial(_value, each, each.process_value)
            each.get_help_record = partial(_help, each, each.get_help_record)
    return parameters


def _help(parameter: Any, by_typer: Callable[[Any], Any], context: Any) -> Any:
    """The line of a flag in the help, without its former names: a second long name is accepted and not shown."""
    accepted = parameter.opts
    former = [name for name in accepted if name.startswith("--")][1:]
    parameter.opts = [name for name in accepted if name not in former]
    try:
        return by_typer(context)
    finally:
        parameter.opts = accepted


def _value(parameter: Any, by_typer: Callable[[Any, Any], Any], context: Any, value: Any) -> Any:
    """What typer makes of the value of a parameter. `by_typer` does that with pydantic, and raises for a mistake."""
    converted = _converted(value, parameter.type_descriptor.annotation, several=parameter.multiple or parameter.nargs == -1)
    if converted is _NOT_PLAIN or (parameter.required and parameter.value_is_missing(converted)):
        return by_typer(context, value)
    return parameter.callback(context, parameter, converted) if parameter.callback else converted


def _converted(value: Any, wanted: Any, *, several: bool) -> Any:
    """The value as `wanted`, a type or a list of one; _NOT_PLAIN if that takes more than is done here."""
    if value is None:
        return () if several else None
    if not several:
        return _plain(value, wanted)
    if not isinstance(value, list | tuple):
        return _NOT_PLAIN
    every = [_plain(each, get_args(wanted)[0]) for each in value]
    return _NOT_PLAIN if _NOT_PLAIN in every else every


def _plain(value: Any, wanted: Any) -> Any:
    if not isinstance(wanted, type):
        return _NOT_PLAIN
    if issubclass(wanted, StrEnum) and value in list(wanted):
        return wanted(value)
    if isinstance(value, str) and wanted in (str, Path) and _encodable(value) and (wanted is str or _readable(value)):
        return wanted(value)
    return value if isinstance(value, wanted) and not isinstance(value, str) else _NOT_PLAIN


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _readable(path: str) -> bool:
    """Whether typer accepts the path: it exists and can be read, or does not exist."""
    return not Path(path).exists() or os.access(path, os.R_OK)
