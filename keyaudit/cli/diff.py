"""`keyaudit diff`: what changed between two snapshots of a tenant."""

from pathlib import Path
from typing import Annotated

import typer

from keyaudit.cli.options import Choice, ConfigFile, Format, Live, Output, Stored, flags


@flags(Choice)
def diff(
    choice: Choice,
    *,
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The earlier snapshot.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The later snapshot.")],
    output: Output = Format.TEXT,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no hints.")] = False,
    config: ConfigFile = None,
) -> int:
    """Compare two snapshots of a tenant.

    Lists what is new, fixed, raised or lowered in severity, and what was readable before and is not now. Each snapshot is
    evaluated as of its own day.
    """
    from keyaudit.cli.judged import judged
    from keyaudit.cli.output import show
    from keyaudit.model.errors import UnsafeError, UsageError
    from keyaudit.report.difference import FORMATS, compare

    with (
        judged(Live(config=config, quiet=quiet), Stored(from_=[old]), choice) as before,
        judged(Live(config=config, quiet=quiet), Stored(from_=[new]), choice) as after,
    ):
        if before.run.tenant_id != after.run.tenant_id:
            what = f"of tenant {before.run.tenant_id} and of tenant {after.run.tenant_id}"
            raise UnsafeError("diff", f"the snapshots are {what}", "name two of one tenant")
        if before.run.as_of > after.run.as_of:
            raise UsageError("diff", f"{old} was collected after {new}", "name the earlier snapshot first")
        found = compare(before, after)
        return show(FORMATS[output], found, found.verdict)
