"""Puts the commands together, and turns whatever ends a command into one line and an exit code."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer
from typer.exceptions import TyperException

from keyaudit import __version__
from keyaudit.cli.bugs import bug
from keyaudit.cli.stop import terminable
from keyaudit.cli.streams import coloured, need_stderr, tell
from keyaudit.model.errors import AuditError, Exit
from keyaudit.report.lines import Paint, paint

# What DuckDB makes of the KeyboardInterrupt that it meets in a query: a RuntimeError without a cause.
_INTERRUPTED = ("Query interrupted",)

_COMMANDS = (
    "report",
    "gate",
    "export",
    "collect",
    "inventory",
    "expiring",
    "access",
    "blast-radius",
    "doctor",
    "permissions",
    "guardrails",
    "diff",
    "notify",
    "mcp",
    "explain",
    "init",
)
"""Each is the function of its name in the module of its name."""
_GROUPS = {
    "config": "show_config",
    "trust": "trust",
    "policies": "policies",
    "waivers": "waivers",
    "baseline": "baseline",
    "usage": "usage",
}
"""Groups of commands, each the `app` of a module."""


def app(arguments: Sequence[str] = ()) -> typer.Typer:
    """The command line; with no more than the command that `arguments` begin with, where they begin with one.

    To import every command takes longer than some of them run.
    """
    made = typer.Typer(
        name="keyaudit",
        help="Audits the signing keys and credentials of an Azure and Entra tenant, and says what it could not see.",
        epilog="It only reads, and never asks for a secret's value or a private key. Exit codes: keyaudit explain exit-codes.",
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    made.callback()(_root)
    first = next(iter(arguments), "")
    only = first if first in (*_COMMANDS, *_GROUPS) else None
    for name in _COMMANDS if only is None else {only}.intersection(_COMMANDS):
        module = name.replace("-", "_")
        made.command(name)(getattr(import_module(f"keyaudit.cli.{module}"), module))
    for name in _GROUPS if only is None else {only}.intersection(_GROUPS):
        made.add_typer(import_module(f"keyaudit.cli.{_GROUPS[name]}").app, name=name)
    return made


def _version(value: bool) -> None:
    if value:
        typer.echo(f"keyaudit {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    del version


def run(arguments: Sequence[str]) -> int:
    """The exit code of one command line. What ends a command is said in one line on stderr."""
    os.umask(0o077)
    need_stderr()
    with terminable() as ended:
        return ended(_run(arguments))


def _run(arguments: Sequence[str]) -> int:
    try:
        outcome = app(arguments)(args=list(arguments), prog_name="keyaudit", standalone_mode=False)
    except AuditError as error:
        _say(str(error))
        return error.exit
    except TyperException as error:
        _say(f"{error.format_message().removesuffix('.')}; see keyaudit --help")
        return Exit.USAGE
    except (KeyboardInterrupt, typer.Abort):
        return Exit.INTERRUPTED
    except SystemExit as error:
        # typer's way out after completing for a shell, and when nobody reads --help to its end: 1, which here means findings.
        return Exit.BUG if error.code else Exit.CLEAN
    except Exception as error:  # noqa: BLE001 - the outermost floor: a bug must not exit 1, which means findings
        return _unforeseen(error)
    return outcome if isinstance(outcome, int) else Exit.CLEAN


def _unforeseen(error: Exception) -> Exit:
    if error.args == _INTERRUPTED:
        return Exit.INTERRUPTED
    _say(f"a bug: {bug(error)}; please report it with this line")
    return Exit.BUG


def _say(message: str) -> None:
    tell(message, prefix=paint("keyaudit: ", Paint.ALARM, coloured(sys.stderr)))
