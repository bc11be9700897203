"""The parts of README.md that are made from the code. `python -m tests.docs` rewrites them; a test compares them."""

import dataclasses
import io
import os
import re
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

import typer

from keyaudit.cli.app import app, run
from keyaudit.cli.clock import SystemClock
from keyaudit.cli.options import Choice, Live, Redaction, Shown, Stored
from keyaudit.model.errors import MEANINGS, Exit
from keyaudit.model.operations import OPERATIONS, Surface
from keyaudit.policy.load import load
from keyaudit.report.formats import BUNDLE, FILES

README = Path(__file__).parent.parent / "README.md"
EXAMPLE = README.parent / "policies" / "key-vault" / "kv-key-expiring-soon.yaml"
COMMANDS = (
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
    "diff",
    "notify",
    "explain",
    "init",
    "config show",
    *(f"policies {command}" for command in ("list", "show", "check", "test", "new", "schema", "docs")),
    "baseline create",
    "baseline show",
    *(f"waivers {command}" for command in ("list", "add", "check", "prune")),
)
SHARED = (Live, Stored, Choice, Shown, Redaction)
DAY = 1_795_516_200
"""2026-11-24: the demo is of the day that it is shown on."""


def permissions() -> str:
    """Each permission, with what it lets keyaudit read."""
    reads: dict[str, list[str]] = {}
    for operation in OPERATIONS.values():
        if operation.surface is not Surface.LOGIN:
            reads.setdefault(operation.permission, []).append(operation.noun)
    rows = [f"| {permission} | {', '.join(dict.fromkeys(nouns))} |" for permission, nouns in reads.items()]
    return "\n".join(["| permission | what it reads |", "| --- | --- |", *rows])


def exit_codes() -> str:
    """Each exit code, with its meaning."""
    rows = [f"| {int(code)} | {meaning} |" for code, meaning in MEANINGS.items()]
    return "\n".join(
        ["| exit | means |", "| --- | --- |", *rows, "", "Several at once: 5, 70, 2, 4, 6, 1, 3, 0, in this order."]
    )


def policies() -> str:
    """Each shipped policy, with what it asks for, by family: the folder that it is in."""
    families: dict[str, list[str]] = {}
    for policy in load():
        row = f"| `{policy.text.id}` | {policy.text.severity} | {policy.text.title} |"
        families.setdefault(Path(policy.file).parent.name, []).append(row)
    head = "| policy | severity | what is good |\n| --- | --- | --- |"
    return "\n\n".join(
        f"<details><summary>{family}: {len(rows)}</summary>\n\n{head}\n" + "\n".join(rows) + "\n\n</details>"
        for family, rows in sorted(families.items())
    )


def formats() -> str:
    """Each format, with what it is for."""
    rows = [
        f"| `{name}` | {each.meaning}{f'; `pip install keyaudit[{each.extra}]`' if each.extra else ''} |"
        for name, each in FILES.items()
    ]
    bundle = f"| `{BUNDLE}` | a folder of evidence, whole or not there, which `keyaudit export verify DIR` checks |"
    return "\n".join(["| format | what it is |", "| --- | --- |", *rows, bundle])


def demo() -> str:
    """What the first command prints, as it did on one day."""
    with patch.object(SystemClock, "now", lambda _: DAY):
        return f"```\n$ keyaudit report --demo\n{_printed(['report', '--demo', '--quiet'])}\n```"


def policy_example() -> str:
    """A whole shipped policy."""
    return f"```yaml\n{EXAMPLE.read_text(encoding='utf-8').rstrip()}\n```"


def help_text() -> str:
    """What `--help` prints of each command; flags that several share are there once."""
    shared = [f"[{number}] {_title(group)}\n\n{_options(group)}" for number, group in enumerate(SHARED, 1)]
    return "\n".join(["```", "\n\n".join(shared), "```", *(f"```\n{_help(command)}\n```" for command in COMMANDS)])


def _help(name: str) -> str:
    command = _command(name)
    given = {parameter.name for parameter in command.params}
    groups = [number for number, group in enumerate(SHARED, 1) if given >= _fields(group)]
    elsewhere = {field for number in groups for field in _fields(SHARED[number - 1])}
    command.params = [each for each in command.params if each.name not in elsewhere]
    text: str = command.get_help(_context(command, f"keyaudit {name}"))
    more = f"\n\nAnd the flags of {', '.join(f'[{number}]' for number in groups)}" if groups else ""
    return f"$ keyaudit {name} --help\n{_trimmed(text)}{more}"


def _options(group: type) -> str:
    command = _command("report")
    command.params = [each for each in command.params if each.name in _fields(group)]
    context = _context(command, "")
    formatter = context.make_formatter()
    command.format_options(context, formatter)
    return "\n".join(_trimmed(formatter.getvalue()).splitlines()[1:])


def _command(name: str) -> Any:
    """A command of its own to change, without --help."""
    command: Any = typer.main.get_command(app())
    for word in name.split():
        command = command.commands[word]
    command.add_help_option = False
    return command


def _context(command: Any, name: str) -> Any:
    return command.make_context(name, [], resilient_parsing=True, terminal_width=80, max_content_width=80)


def _fields(group: type) -> set[str]:
    return {each.name for each in dataclasses.fields(group)}


def _title(group: type) -> str:
    return (group.__doc__ or "").splitlines()[0]


BLOCKS: dict[str, Callable[[], str]] = {
    "permissions": permissions,
    "exit-codes": exit_codes,
    "demo": demo,
    "formats": formats,
    "policies": policies,
    "policy-example": policy_example,
    "help": help_text,
}


def filled(text: str) -> str:
    """README's text with every generated part as it should be now."""
    for name, make in BLOCKS.items():
        start = f"<!-- generated: {name} -->"
        pattern = re.compile(re.escape(start) + r".*?<!-- end -->", re.DOTALL)
        if len(pattern.findall(text)) != 1:
            raise ValueError(f"README.md: not exactly one {start}")
        block = f"{start}\n{make()}\n<!-- end -->"
        text = block.join(pattern.split(text))
    return text


def _printed(arguments: list[str]) -> str:
    out = io.StringIO()
    with patch.dict(os.environ, {"COLUMNS": "80", "NO_COLOR": "1"}), redirect_stdout(out), redirect_stderr(io.StringIO()):
        code = run(arguments)
    if code != Exit.CLEAN:
        raise ValueError(f"{' '.join(arguments)}: exit {code}")
    return _trimmed(out.getvalue())


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


if __name__ == "__main__":
    README.write_text(filled(README.read_text(encoding="utf-8")), encoding="utf-8")
