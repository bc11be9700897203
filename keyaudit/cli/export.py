"""`keyaudit export`: findings and inventory in formats for other programs, and as evidence that can be verified."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace

from keyaudit.cli.options import BOM, Choice, Live, Parts, Redaction, Stored, flags
from keyaudit.model.errors import Exit, UsageError

_VERIFY = "verify"


@flags(Live, Stored, Parts, Choice, Redaction)
def export(
    live: Live,
    stored: Stored,
    parts: Parts,
    choice: Choice,
    redaction: Redaction,
    *,
    formats: Annotated[
        list[str],
        typer.Argument(
            metavar="FORMAT[=PATH]... | verify DIR",
            help="The format and its file; without a path it goes to stdout. bundle=DIR is a folder of evidence, "
            "and verify DIR checks that it was not changed.",
        ),
    ],
    history: Annotated[
        Path | None,
        typer.Option(
            "--history",
            metavar="DIR",
            help="A folder of earlier snapshots of the tenant: html then shows the trend; csv and xlsx show since when each "
            "finding is open.",
        ),
    ] = None,
    bom: Annotated[bool, typer.Option("--bom", help=BOM)] = False,
) -> int:
    """Write findings and inventory as files for other programs.

    Passes and what could not be read are included. `verify DIR` checks a bundle. Formats: keyaudit explain exports.
    """
    if formats[0] == _VERIFY:
        if (live, stored, parts, choice, redaction) != (Live(quiet=live.quiet), Stored(), Parts(), Choice(), Redaction()):
            raise UsageError("export verify", "takes a folder, and no options", "remove the options")
        return _verify(formats[1:])
    from keyaudit.cli.output import known, outputs, print_file, write
    from keyaudit.cli.sources.judged import all_judged
    from keyaudit.cli.sources.part import part_of
    from keyaudit.cli.sources.snapshot_folder import past
    from keyaudit.model.results.run import conditions
    from keyaudit.report.formats import BUNDLE
    from keyaudit.report.options import Options

    printed = [name for name in formats if "=" not in name]
    for name in printed:
        known(name, "export")
        if name == BUNDLE:
            raise UsageError("export", "bundle is a folder, and cannot go to stdout", "name the destination, as in bundle=DIR")
    if len(printed) > 1:
        raise UsageError(
            "export", f"{' and '.join(printed)} cannot share stdout", f"name the destination, as in {printed[0]}=PATH"
        )
    to = outputs(printed, [text for text in formats if "=" in text], "export", redaction, bom=bom)
    if history is not None and not {"html", "csv", "xlsx"} & {*to.formats}:
        raise UsageError("--history", "only works with html, csv and xlsx", "name html=PATH, or leave it out")
    source, part = part_of(live, stored, parts)
    if history is not None and part:
        raise UsageError("--history", "covers the whole tenant", "remove the options that select a part")
    options = Options(passes=True, bom=bom)
    with all_judged(source, stored, choice, detail=to.detail(), part=part) as judged:
        found = to.without_names(judged)
        reports = found if history is None else [replace(each, history=past(history, live, choice, each.run)) for each in found]
        failure = write(reports, to.files, options)
        for name in printed:
            print_file(name, reports, options)
        if failure:
            raise failure
        return conditions(reports)[0]


def _verify(named: Sequence[str]) -> int:
    from keyaudit.cli.terminal.streams import printing
    from keyaudit.model.values.text import one_line
    from keyaudit.report.bundle.verify import verify
    from keyaudit.report.lines import plural

    if len(named) != 1:
        what = "names no folder" if not named else "checks one folder, but several arguments were given"
        raise UsageError("export verify", what, "name the folder that export bundle=DIR wrote")
    found = verify(Path(named[0]))
    with printing() as out:
        out.writelines(f"{difference}\n" for difference in found.differences)
        if not found.differences:
            shown = one_line(named[0], 1_024)
            out.write(f"{shown}: {plural(found.files, 'file')} as written; SHA-256 of the manifest {found.manifest}\n")
    return Exit.UNSAFE if found.differences else Exit.CLEAN
