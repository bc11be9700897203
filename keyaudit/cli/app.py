"""The command line: all commands, and for every exception one message and an exit code."""

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from keyaudit import __version__
from keyaudit.cli.parameters import EVERY, Command, Group
from keyaudit.cli.terminal.bugs import bug
from keyaudit.cli.terminal.stop import terminable
from keyaudit.cli.terminal.streams import ClosedError, coloured, need_stderr, tell
from keyaudit.model.errors import AuditError, Exit
from keyaudit.report.lines import Paint, paint

# DuckDB turns a KeyboardInterrupt during a query into a RuntimeError with this text and without a cause.
_INTERRUPTED = ("Query interrupted",)

_SECTIONS: Mapping[str, tuple[str, ...]] = {
    "Look": ("report", "inventory", "expiring", "diff", "explain"),
    "Decide": ("gate", "waivers", "baseline", "policies"),
    "Share": ("export", "send"),
    "Investigate": ("access", "incident", "rotation", "trust", "usage", "mcp"),
    "Set up": ("init", "collect", "doctor"),
}
"""The commands by section of --help. Each is a function in the module of the same name, or one of _GROUPS."""
FORMER: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("blast-radius",): ("incident", "--reach"),
    ("config", "show"): ("doctor", "config"),
    ("config",): ("doctor", "config"),
    ("guardrails",): ("policies", "guardrails"),
    ("history",): ("diff",),
    ("notify",): ("send", "notifications"),
    ("permissions",): ("doctor", "permissions"),
    ("ship",): ("send",),
    ("tickets",): ("send", "tickets"),
}
"""Former names of commands, which are accepted and not shown, and what they stand for."""
HELP_ALL = "--help-all"
"""In place of --help: also the flags that few need."""
LONGEST = 60
"""The maximum length of a command's line in --help; typer truncates longer ones."""
_GROUPS = ("baseline", "doctor", "policies", "send", "trust", "usage", "waivers")
"""Groups of commands, each the `app` of a module."""


class _Sectioned(Group):
    """Lists its commands by section, each with one whole line."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - typer's signature
        """Writes the sections into the help."""
        width = max(map(len, self.commands))
        for section, names in _SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl([_line(name, self.commands[name], width) for name in names if name in self.commands])


def _line(name: str, command: Any, width: int) -> tuple[str, str]:
    """A command's name, padded to `width`, and what it does in at most `LONGEST` characters."""
    return f"{name:<{width}}", command.get_short_help_str(limit=LONGEST)


def app(arguments: Sequence[str] = ()) -> typer.Typer:
    """The command line. If `arguments` begin with a command, only that command is imported.

    Importing all commands takes longer than some commands run.
    """
    made = typer.Typer(
        name="keyaudit",
        cls=_Sectioned,
        help="Audits the signing keys and credentials of an Azure and Entra tenant, and lists what could not be read.",
        epilog="Without Azure: keyaudit report --demo. keyaudit explain lists the topics, such as exit-codes. keyaudit only "
        "reads, and never asks for a secret's value or a private key.",
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={
            "help_option_names": ["-h", "--help"],
            "max_content_width": 100,
            "obj": {EVERY: HELP_ALL in arguments},
        },
    )
    made.callback()(_root)
    first = next(iter(arguments), "")
    known = [name for names in _SECTIONS.values() for name in names]
    for name in [first] if first in known else known:
        if name in _GROUPS:
            made.add_typer(import_module(f"keyaudit.cli.{name}").app, name=name)
        else:
            made.command(name, cls=Command)(getattr(import_module(f"keyaudit.cli.{name}"), name))
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
    """Run a command line and return its exit code. An error is reported in one line on stderr."""
    os.umask(0o077)
    need_stderr()
    with terminable() as ended:
        return ended(_run(current(arguments)))


def current(arguments: Sequence[str]) -> Sequence[str]:
    """The arguments with the present name of a command in place of a former one."""
    former = next((name for name in FORMER if tuple(arguments[: len(name)]) == name), ())
    return [*FORMER[former], *arguments[len(former) :]] if former else arguments


def _run(arguments: Sequence[str]) -> int:
    try:
        typed = ["--help" if each == HELP_ALL else each for each in arguments]
        outcome = app(arguments)(args=typed, prog_name="keyaudit", standalone_mode=False)
    except AuditError as error:
        if not isinstance(error, ClosedError):
            _say(str(error))
        return error.exit
    except TyperException as error:
        from keyaudit.cli.mistakes import explained

        _say(explained(error, typer.main.get_command(app(arguments)), arguments))
        return Exit.USAGE
    except (KeyboardInterrupt, typer.Abort):
        return Exit.INTERRUPTED
    except SystemExit as error:
        # typer exits this way after shell completion and, with 1, if --help goes to a closed pipe.
        return Exit.CLOSED if error.code else Exit.CLEAN
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
