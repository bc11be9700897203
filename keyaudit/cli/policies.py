"""`keyaudit policies`: what keyaudit judges by, and whether each policy does what it says."""

from pathlib import Path
from typing import Annotated

import typer

from keyaudit.cli.streams import printing
from keyaudit.model.errors import Exit

app = typer.Typer(help="What keyaudit judges by.", rich_markup_mode=None)


@app.command("list")
def list_() -> int:
    """List the policies: id, severity, and the good state that each asks for."""
    from tabulate import tabulate  # noqa: PLC0415 - heavy

    from keyaudit.policy.load import load  # noqa: PLC0415 - heavy

    rows = [(policy.text.id, policy.text.severity, policy.text.title) for policy in load()]
    with printing() as out:
        out.write(tabulate(rows, headers=("Policy", "Severity", "What is good"), disable_numparse=True) + "\n")
    return Exit.CLEAN


@app.command("test")
def run_examples(
    path: Annotated[
        Path | None, typer.Argument(metavar="[PATH]", help="A policy file or a folder of them. Default: the shipped ones.")
    ] = None,
) -> int:
    """Run each policy's examples, then break it in every small way and see that some example notices."""
    from keyaudit.policy.examples import test_policies  # noqa: PLC0415 - heavy

    outcome = test_policies(path)
    with printing() as out:
        out.writelines(f"{line}\n" for line in (*outcome.failures, outcome.summary))
    return Exit.CLEAN if not outcome.failures else Exit.FINDINGS
