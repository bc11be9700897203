"""`keyaudit usage`: uses of keys, credentials and mailboxes in logs: usual and unusual ones."""

from pathlib import Path
from typing import Annotated

import typer

from keyaudit.cli import usage_check, usage_collect, usage_learn
from keyaudit.cli.streams import printing
from keyaudit.cli.usage_learn import Earlier
from keyaudit.model.errors import Exit

app = typer.Typer(help="Find unusual uses of keys, secrets and mailboxes in logs.", rich_markup_mode=None)


@app.command("import")
def import_(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE|DIR...",
            help="Exported logs, gzip or not, or a folder of them. They are recognized by content, not by name.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The new folder to write to.")],
    merge: Earlier = None,
) -> int:
    """Read exported logs into a folder.

    What cannot be read is counted, with its place; then the exit code is 3.
    """
    from keyaudit.collect.usage.read import read_logs
    from keyaudit.inventory.logs.store import open_logs
    from keyaudit.inventory.logs.write import Import, refuse_used, write_logs
    from keyaudit.report.logs import complete, render

    refuse_used(out)
    earlier = open_logs(merge) if merge else None
    known = Import(earlier.tenant_id if earlier else None)
    store = write_logs(out, read_logs(paths, known), known, earlier)
    with printing() as stdout:
        render(store, str(out), stdout)
    return Exit.CLEAN if complete(store) else Exit.INCOMPLETE


app.command("collect")(usage_collect.collect)
app.command("learn")(usage_learn.learn)
app.command("show")(usage_learn.show)
app.command("check")(usage_check.check)
