"""`keyaudit collect`: reads the tenant into a snapshot, and judges nothing."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from keyaudit.cli.options import Live, flags
from keyaudit.cli.streams import printing


@flags(Live)
def collect(
    live: Live,
    *,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder to make the snapshot in.")],
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted collection in that folder.")] = False,
    since: Annotated[
        Path | None,
        typer.Option(
            "--since",
            metavar="DIR",
            help="An earlier snapshot: key versions that surely did not change since are taken from it, and not read again.",
        ),
    ] = None,
) -> int:
    """Read everything into a snapshot, to judge it later: keyaudit report --from DIR."""
    from keyaudit.audit import assess  # noqa: PLC0415 - heavy
    from keyaudit.cli.live import collected  # noqa: PLC0415 - heavy
    from keyaudit.inventory.snapshot import open_snapshot  # noqa: PLC0415 - heavy
    from keyaudit.model.tables import operations  # noqa: PLC0415 - heavy
    from keyaudit.report.collected import render  # noqa: PLC0415 - heavy

    kept = f"go on with: keyaudit collect --resume --out {shlex.quote(str(out))}"
    earlier = open_snapshot(since) if since is not None else None
    snapshot = collected(live, out, resume=resume, kept=kept, since=earlier)
    # A snapshot serves whatever policies come later, so every column is required of it.
    verdict = assess(snapshot.run, snapshot.coverage, operations())
    with printing() as stdout:
        render(snapshot.run, verdict, str(out), stdout)
    return verdict.exit
