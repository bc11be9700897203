"""`keyaudit doctor permissions`: the least rights to grant."""

from enum import StrEnum
from typing import Annotated

import typer

from keyaudit.cli.options import Selection, flags
from keyaudit.cli.terminal.streams import printing
from keyaudit.model.errors import Exit, UsageError


class As(StrEnum):
    """How to grant them."""

    TEXT = "text"
    AZ = "az"
    BICEP = "bicep"
    TERRAFORM = "terraform"
    JSON = "json"


@flags(Selection)
def permissions(
    selection: Selection,
    *,
    as_: Annotated[As, typer.Option("--as", help="A list, or a script that grants the permissions.")] = As.TEXT,
    full: Annotated[bool, typer.Option("--full", help="List what each permission reads, and which policies need it.")] = False,
) -> int:
    """Print the least rights needed, or a script that grants them.

    For the selected policies, or for everything that keyaudit reads.
    """
    from keyaudit import __version__
    from keyaudit.cli.settings.policy_selection import chosen, needed_by
    from keyaudit.model.operations import OPERATIONS
    from keyaudit.policy.load import load
    from keyaudit.questions.permissions import FORMATS
    from keyaudit.questions.permissions.needs import needed
    from keyaudit.questions.permissions.text import render_full

    if full and as_ is not As.TEXT:
        raise UsageError("--full", f"works only with the list, and --as {as_} is not a list", "leave one of them out")
    policies = chosen(load(besides=selection.policies), selection)
    needs = needed_by(policies)
    some = selection.select or selection.ignore
    found = needed(needs if some else OPERATIONS, needs, version=__version__, policies=len(policies) if some else None)
    with printing() as out:
        out.write(render_full(found) if full else FORMATS[as_](found))
    return Exit.CLEAN
