"""`keyaudit export`: the judged tenant in the formats that other programs read."""

from typing import Annotated

import typer

from keyaudit.cli.options import BOM, Choice, Live, Stored, flags
from keyaudit.model.errors import UsageError


@flags(Live, Stored, Choice)
def export(
    live: Live,
    stored: Stored,
    choice: Choice,
    *,
    formats: Annotated[
        list[str],
        typer.Argument(metavar="FORMAT[=PATH]...", help="What to write and where to; without a path it goes to stdout."),
    ],
    bom: Annotated[bool, typer.Option("--bom", help=BOM)] = False,
) -> int:
    """Write what was found for other programs, passes too: findings, inventory and what could not be seen."""
    from keyaudit.cli.judged import all_judged  # noqa: PLC0415 - heavy
    from keyaudit.cli.output import known, marked, print_file, scoring, targets, write  # noqa: PLC0415 - heavy
    from keyaudit.report.formats import Options  # noqa: PLC0415 - heavy
    from keyaudit.report.several import conditions  # noqa: PLC0415 - heavy

    files = targets([text for text in formats if "=" in text], "export")
    printed = [name for name in formats if "=" not in name]
    for name in printed:
        known(name, "export")
    if len(printed) > 1:
        raise UsageError("export", f"{' and '.join(printed)} cannot share stdout", f"say where to, as in {printed[0]}=PATH")
    options = Options(passes=True, bom=marked(bom, [*printed, *(target.format for target in files)]))
    scores = scoring(printed[0] if printed else None, files)
    with all_judged(live, stored, choice, fail_on=None, scoring=scores) as reports:
        failure = write(reports, files, options)
        for name in printed:
            print_file(name, reports, options)
        if failure:
            raise failure
        return conditions(reports)[0]
