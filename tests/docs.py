"""The parts of README.md that are made from the code. `python -m tests.docs` rewrites them; a test compares them."""

import io
import os
import re
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from unittest.mock import patch

from keyaudit.cli.app import run
from keyaudit.model.errors import MEANINGS
from keyaudit.model.operations import OPERATIONS, Surface
from keyaudit.policy.load import load

README = Path(__file__).parent.parent / "README.md"
EXAMPLE = README.parent / "policies" / "key-vault" / "kv-key-expiring-soon.yaml"
COMMANDS = (
    "report",
    "gate",
    "collect",
    "inventory",
    "expiring",
    "access",
    "doctor",
    "permissions",
    "diff",
    "explain",
    *(f"policies {command}" for command in ("list", "show", "check", "test", "new", "schema", "docs")),
    "baseline create",
    "baseline show",
    *(f"waivers {command}" for command in ("list", "add", "check", "prune")),
)


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
    """Each shipped policy, with what it asks for."""
    rows = [f"| `{policy.text.id}` | {policy.text.severity} | {policy.text.title} |" for policy in load()]
    return "\n".join(["| policy | severity | what is good |", "| --- | --- | --- |", *rows])


def policy_example() -> str:
    """A whole shipped policy."""
    return f"```yaml\n{EXAMPLE.read_text(encoding='utf-8').rstrip()}\n```"


def help_text() -> str:
    """What `--help` prints of each command."""
    return "\n".join(f"```\n$ keyaudit {command} --help\n{_printed([*command.split(), '--help'])}\n```" for command in COMMANDS)


BLOCKS: dict[str, Callable[[], str]] = {
    "permissions": permissions,
    "exit-codes": exit_codes,
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
    with patch.dict(os.environ, {"COLUMNS": "80", "NO_COLOR": "1"}), redirect_stdout(out):
        run(arguments)
    return "\n".join(line.rstrip() for line in out.getvalue().strip().splitlines())


if __name__ == "__main__":
    README.write_text(filled(README.read_text(encoding="utf-8")), encoding="utf-8")
