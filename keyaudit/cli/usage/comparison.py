"""`keyaudit usage check`: unusual uses in logs."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from keyaudit.cli.options import FailOn
from keyaudit.cli.usage.baselines import Logs, day


class Format(StrEnum):
    """Formats of a check."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"


def check(
    *,
    logs: Logs,
    baseline: Annotated[
        Path | None,
        typer.Option("--baseline", metavar="DIR", help="The folder that usage learn wrote. Without it, results are unknown."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--first-day",
            metavar="DATE",
            help="The first day to check. Default: the day after the baseline's last; without one, that of the logs.",
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--last-day", metavar="DATE", help="The last day to check. Default: that of the logs.")
    ] = None,
    accept: Annotated[
        Path | None,
        typer.Option(
            "--accept",
            metavar="FILE",
            help="Announced applications and networks, in YAML: app_id, operation, networks, owner, reason and until of each.",
        ),
    ] = None,
    reported: Annotated[
        Path | None,
        typer.Option(
            "--reported",
            metavar="FILE",
            help="A file that this command keeps: a new application is reported once, then counted for 30 days.",
        ),
    ] = None,
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="Fail on unannounced uses of this severity and above.")
    ] = FailOn.HIGH,
    output: Annotated[Format, typer.Option("--output", "-o", help="Format on stdout.")] = Format.TEXT,
) -> int:
    """List unusual uses in logs, compared with a baseline.

    Each with the rows that show it, and what these logs cannot show. Exit 1: an unannounced use reaches --fail-on; 3: none
    does, but the logs are incomplete.
    """
    from keyaudit.cli.clock import SystemClock
    from keyaudit.cli.output import options
    from keyaudit.cli.terminal.streams import printing
    from keyaudit.inventory.logs import open_logs
    from keyaudit.inventory.usage.baseline import open_baseline
    from keyaudit.inventory.usage.learn import same_tenant, window_of
    from keyaudit.logs.check.check import check as hold_against
    from keyaudit.logs.check.reported import added, read_reported, write_reported
    from keyaudit.logs.report import FORMATS
    from keyaudit.model.severity import Severity
    from keyaudit.policy.announcements import load_accepted
    from keyaudit.report.files import check as check_file

    first, last = day(since, "--first-day"), day(until, "--last-day")
    accepted = load_accepted(accept, today=SystemClock().now()) if accept else ()
    if reported:
        check_file(reported)
    record = read_reported(reported) if reported else None
    usual = open_baseline(baseline) if baseline else None
    store = open_logs(logs)
    if record:
        same_tenant(store.tenant_id, record.tenant_id, "the record of reports")
    if first is None and usual is not None:
        first = usual.until
    window = window_of(store, first, last)
    found = hold_against(store, window, usual, accepted=accepted, reported=record, fail_on=Severity(fail_on))
    with printing() as out:
        FORMATS[output](found, out, options(out))
    # Only what was printed is reported.
    if reported and record:
        write_reported(added(record, store.tenant_id, found.findings, window), reported)
    return found.exit
