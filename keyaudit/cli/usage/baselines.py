"""`keyaudit usage learn` and `show`: the usual uses, learned from logs."""

from pathlib import Path
from typing import Annotated

import typer

from keyaudit.cli.terminal.streams import printing
from keyaudit.model.errors import Exit, UsageError
from keyaudit.model.values.times import parse_date

Logs = Annotated[Path, typer.Argument(metavar="LOGS", help="The folder that usage import or usage collect wrote.")]

Earlier = Annotated[
    Path | None,
    typer.Option(
        "--merge",
        metavar="OLD",
        help="The folder of logs that were read before, to which these are added. OLD stays as it is.",
    ),
]


def learn(
    *,
    logs: Logs,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The new folder to write the baseline to.")],
    since: Annotated[
        str | None, typer.Option("--first-day", metavar="DATE", help="The first day to learn from. Default: that of the logs.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--last-day", metavar="DATE", help="The last day to learn from. Default: that of the logs.")
    ] = None,
    merge: Annotated[
        Path | None,
        typer.Option("--merge", metavar="OLD", help="A baseline of earlier days, to which these days are added."),
    ] = None,
) -> int:
    """Learn the usual uses of keys, secrets and mailboxes.

    Which applications, networks and programs use which. Refused uses are not learned. An application that reads mail in these
    days is usual from then on: review the result with keyaudit usage show. With --merge, what the earlier baseline would report
    of these days is listed before the new one is written.
    """
    from keyaudit.cli.output import options
    from keyaudit.inventory.logs import open_logs
    from keyaudit.inventory.usage.baseline import open_baseline
    from keyaudit.inventory.usage.learn import learn as learn_from
    from keyaudit.inventory.usage.learn import window_of
    from keyaudit.logs.check.check import check
    from keyaudit.logs.report.text import made_usual, missing
    from keyaudit.report.files import check_absent, output_tree
    from keyaudit.report.lines import joined, plural

    check_absent(out)
    first, last = day(since, "--first-day"), day(until, "--last-day")
    before = open_baseline(merge) if merge else None
    store = open_logs(logs)
    with output_tree(out) as folder:
        if first is None and before is not None:
            first = before.until
        window = window_of(store, first, last)
        made = learn_from(store, window, into=folder, merge=before)
        with printing() as stdout:
            usual = list(made_usual(check(store, window, before), options(stdout))) if before else []
            if usual:
                stdout.write(joined([f"Usual from now on, and reported against {merge}:", *usual, ""]))
    learned = made.learned[-1]
    with printing() as stdout:
        gaps = list(missing(learned, options(stdout).width or 80))
        stdout.write(f"{out}: learned from {learned.window}, {plural(learned.uses, 'use')}\n")
        if gaps:
            stdout.write(joined(["Missing from the baseline:", *gaps]))
    return Exit.INCOMPLETE if gaps else Exit.CLEAN


def show(*, baseline: Annotated[Path, typer.Argument(metavar="BASELINE", help="The folder that usage learn wrote.")]) -> int:
    """List the usual uses in a baseline.

    Which application uses what, how often, since when, and from how many networks.
    """
    from keyaudit.inventory.usage.baseline import open_baseline
    from keyaudit.logs.check.listing import belonging
    from keyaudit.logs.report.learned import render
    from keyaudit.model.values.text import one_line

    found = open_baseline(baseline)
    with printing() as out:
        out.write(f"tenant {one_line(found.tenant_id) if found.tenant_id else 'not named by the logs'}\n")
        render(found.learned, belonging(found), out)
    return Exit.CLEAN


def day(text: str | None, flag: str) -> int | None:
    """The start of the day that a flag names."""
    if text is None:
        return None
    try:
        return parse_date(text)
    except ValueError as error:
        raise UsageError(flag, f"not a date: {text!r}", "write it like 2026-11-30") from error
