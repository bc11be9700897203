"""Messages about command-line errors: `<place>: <what>; <what to do> (see <command> --help)`."""

from collections.abc import Sequence
from typing import Any

from typer.exceptions import TyperException

from keyaudit.model.documents.problems import nearest, shown
from keyaudit.report.formats import BUNDLE, FILES

_MEANT = {"-f": "-o", "--format": "--output", "--out": "--output"}
"""Flags of other programs, and the equivalent here, if the command has it."""
_VERBOSE = ("-v", "--verbose", "--debug")
_WHOLE = {int: "a whole number", float: "a number"}


def explained(error: TyperException, tree: Any, arguments: Sequence[str]) -> str:
    """One line about what typer rejected: with the nearest name and the command's help.

    `tree` is typer's command line. The libraries' own messages are not repeated.
    """
    path, command = ["keyaudit"], tree
    for word in arguments:
        if word not in getattr(command, "commands", {}):
            break
        path, command = [*path, word], command.commands[word]
    if not arguments:
        return "no command given; start with keyaudit report --demo (see keyaudit --help)"
    return f"{_what(error, command, arguments[len(path) - 1 :])} (see {' '.join(path)} --help)"


def _what(error: TyperException, command: Any, rest: Sequence[str]) -> str:
    if (parameter := getattr(error, "param", None)) is not None:
        place = next((name for name in parameter.opts if name.startswith("--")), parameter.display_name_raw)
        # Only typer's exception for a missing parameter has a type of parameter.
        return f"{place} is missing" if hasattr(error, "param_type") else f"{place}: {_refused(error, parameter)}"
    if (name := getattr(error, "option_name", None)) is not None:
        known = {each: option for option in command.params for each in option.opts}
        if hasattr(error, "possibilities"):
            return f"no such option: {shown(name)}{_instead(name, list(known))}"
        return f"{name} {'takes no value' if known[name].is_flag else 'needs a value'}"
    commands = getattr(command, "commands", {})
    if commands and not "".join(rest[:1]).startswith("-"):
        if not rest:
            return f"no command given; use one of {', '.join(commands)}"
        return f"no such command: {shown(rest[0])}; {nearest(rest[0], commands) or 'choose a command from its help'}"
    return f"too many arguments: {error.format_message().rpartition(' (')[2].rstrip('.)')}"


def _instead(name: str, known: Sequence[str]) -> str:
    if name in _VERBOSE:
        more = "--full lists every finding" if "--full" in known else "the results are already complete"
        return f"; {more}, and keyaudit -V prints the version"
    meant = _MEANT.get(name)
    near = f"did you mean {meant}?" if meant in known else nearest(name, known) if name.startswith("--") else ""
    return f"; {near}" if near else ""


def _refused(error: TyperException, parameter: Any) -> str:
    """What is wrong with a value, by pydantic's error, which is the cause of typer's."""
    cause: Any = error.__cause__
    value = str(cause.errors()[0]["input"])
    choices = [str(choice) for choice in parameter.type_descriptor.choices or ()]
    if choices:
        what = f"{shown(value)} is not one of {', '.join(choices)}"
        if parameter.name == "output" and value in (*FILES, BUNDLE):
            return f"{what}; keyaudit export {value}=PATH writes it"
        near = nearest(value, choices)
        return f"{what}; {near}" if near.startswith("did") else what
    kind, limits = parameter.type_descriptor.annotation, parameter.type_descriptor.parameter_info
    least = f" from {limits.min}" if limits.min is not None else ""
    most = f" to {limits.max}" if limits.max is not None else ""
    return f"{shown(value)} is not {_WHOLE.get(kind, 'a value')}{least}{most}"
