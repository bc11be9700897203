"""`keyaudit usage`: uses of keys, credentials and mailboxes in logs: usual and unusual ones."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keyaudit.cli.engine import Engine, Master, check, importing_spark
from keyaudit.cli.terminal.streams import printing
from keyaudit.cli.usage import baselines, collection, comparison
from keyaudit.cli.usage.baselines import Earlier
from keyaudit.model.errors import Exit, UsageError

if TYPE_CHECKING:
    from keyaudit.inventory.logs.store import LogStore

app = typer.Typer(help="Find unusual uses of keys, secrets and mailboxes in logs.", rich_markup_mode=None)


@app.command("import")
def import_(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE|DIR...",
            help="Exported logs, gzip or not, or a folder of them. They are recognized by content, not by name.",
            show_default=False,
        ),
    ] = None,
    *,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The new folder to write to.")],
    merge: Earlier = None,
    engine: Annotated[
        Engine,
        typer.Option(
            "--engine",
            help="duckdb: on this machine. spark: on a cluster that has keyaudit on every node, and DIR under the same path.",
        ),
    ] = Engine.DUCKDB,
    master: Master = None,
    logs: Annotated[
        list[str] | None,
        typer.Option(
            "--logs", metavar="PATH", help="With Spark: a file or folder as Spark names it, such as abfss://... Repeatable."
        ),
    ] = None,
) -> int:
    """Read exported logs into a folder.

    What cannot be read is counted, with its place; then the exit code is 3. With --engine spark, one task reads a file; other
    settings of Spark are read from SPARK_CONF_DIR.
    """
    from keyaudit.inventory.logs.store import open_logs
    from keyaudit.logs.report.logs import complete, render
    from keyaudit.logs.storing.write import refuse_used

    _check(engine, paths, master, logs)
    refuse_used(out)
    earlier = open_logs(merge) if merge else None
    store = _import(out, paths or [], earlier) if master is None else _import_with_spark(out, master, logs or [], earlier)
    with printing() as stdout:
        render(store, str(out), stdout)
    return Exit.CLEAN if complete(store) else Exit.INCOMPLETE


def _check(engine: Engine, paths: list[Path] | None, master: str | None, logs: list[str] | None) -> None:
    if engine is Engine.SPARK and paths:
        raise UsageError(str(paths[0]), "is not read with --engine spark", "name it with --logs")
    check(engine, master=master, logs=logs)
    if engine is not Engine.SPARK and not paths:
        raise UsageError("FILE|DIR...", "missing", "name files of logs, or folders of them")


def _import(out: Path, paths: list[Path], earlier: "LogStore | None") -> "LogStore":
    from keyaudit.logs.files.read import read_logs
    from keyaudit.logs.storing.write import Import, write_logs

    known = Import(earlier.tenant_id if earlier else None)
    return write_logs(out, read_logs(paths, known), known, earlier)


def _import_with_spark(out: Path, master: str, logs: list[str], earlier: "LogStore | None") -> "LogStore":
    with importing_spark():
        from keyaudit.logs.files.spark import find_logs
        from keyaudit.logs.storing.spark import write_logs_with_spark

    return write_logs_with_spark(out, master, partial(find_logs, logs), earlier)


app.command("collect")(collection.collect)
app.command("learn")(baselines.learn)
app.command("show")(baselines.show)
app.command("check")(comparison.check)
