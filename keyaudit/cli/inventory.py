"""`keyaudit inventory`: what was collected, without evaluating it."""

import difflib
from typing import TYPE_CHECKING, Annotated

import typer

from keyaudit.cli.options import Format, Live, Output, Parts, Stored, flags
from keyaudit.model.errors import UsageError
from keyaudit.model.evidence import remedy

if TYPE_CHECKING:
    from keyaudit.model.results.listing import Selection
    from keyaudit.model.schema.columns import Table


@flags(Live, Stored, Parts)
def inventory(
    live: Live,
    stored: Stored,
    parts: Parts,
    *,
    table: Annotated[
        str | None,
        typer.Argument(
            metavar="[TABLE]",
            help="The table to list, or federated-credentials for the workloads that these trust, by grade. Default: the "
            "number of rows of each table.",
        ),
    ] = None,
    custody: Annotated[
        list[str] | None,
        typer.Option(
            "--custody",
            metavar="NAME",
            help="Only objects stored in this way, such as software (outside an HSM); repeatable. With TABLE.",
        ),
    ] = None,
    output: Output = Format.TEXT,
) -> int:
    """List everything that was read, without evaluating it.

    What could not be read is listed, too.
    """
    from keyaudit import ask
    from keyaudit.cli.output import show
    from keyaudit.cli.sources.part import part_of
    from keyaudit.cli.sources.source import snapshot, unmet
    from keyaudit.model.results.listing import selection_named
    from keyaudit.model.tables import filled
    from keyaudit.questions.inventory import FORMATS

    selection = None if table is None else selection_named(table)
    asked = None if table is None else _known(selection.table if selection else table)
    if custody:
        selection = _in_custody(asked, tuple(custody), selected=selection is not None)
    source, part = part_of(live, stored, parts)
    with snapshot(source, stored) as (taken, as_of):
        names = filled(taken.run.evidence)
        if asked is not None and asked.name not in names:
            what = f"{asked.name} comes from evidence outside Azure ({asked.needs}), which was not supplied"
            raise UsageError("inventory", what, remedy((asked.needs,)))
        tables = names if asked is None else (asked.name,)
        with ask.inventory(taken, tables, as_of=as_of, unmet=unmet(taken, live), selection=selection, part=part) as found:
            return show(FORMATS[output], found, found.verdict, hints=not live.quiet)


def _in_custody(table: "Table | None", custody: tuple[str, ...], *, selected: bool) -> "Selection":
    from keyaudit.model.results.listing import custody_of, in_custody
    from keyaudit.model.tables import TABLES

    if table is None or selected or not custody_of(table):
        having = ", ".join(each.name for each in TABLES.values() if custody_of(each))
        raise UsageError("--custody", "needs a table with custody", f"add one of these to the command: {having}")
    known = custody_of(table)
    for each in custody:
        if each not in known:
            raise UsageError("--custody", f"no custody {each!r} in {table.name}", f"it is one of {', '.join(known)}")
    return in_custody(table, custody)


def _known(table: str) -> "Table":
    """The table by its name or plural, in any case and with any separators."""
    from keyaudit.model.tables import TABLES, table_named

    found = table_named(table)
    if found is not None:
        return found
    near = difflib.get_close_matches(table.lower(), TABLES, n=1)
    collected = ", ".join(TABLES)
    meant = f"did you mean {near[0]}?" if near else f"the tables are {collected}"
    raise UsageError("inventory", f"no table {table!r}", meant)
