"""`keyaudit send log-analytics`, `keyaudit send template`: findings into a table of Log Analytics, and what makes it."""

import dataclasses
import uuid
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from keyaudit.cli.options import Choice, Live, Stored, flags
from keyaudit.cli.terminal.streams import printing, tell
from keyaudit.model.errors import PRECEDENCE, Exit, OutputError, UsageError
from keyaudit.model.extras import installing

if TYPE_CHECKING:
    from keyaudit.cli.settings.run_settings import Settings
    from keyaudit.cloud.ingestion import Destination, Ingestion
    from keyaudit.model.results.run import Report


class As(StrEnum):
    """What to print."""

    TEMPLATE = "template"
    WORKBOOK = "workbook"


@flags(Live, Stored, Choice)
def log_analytics(
    live: Live,
    stored: Stored,
    choice: Choice,
    *,
    endpoint: Annotated[
        str, typer.Option("--endpoint", metavar="URL", help="The ingestion endpoint of the data collection rule.")
    ],
    rule: Annotated[str, typer.Option("--rule", metavar="ID", help="The immutable id of the data collection rule: dcr-...")],
    stream: Annotated[str, typer.Option("--stream", metavar="NAME", help="The stream of the rule: Custom-KeyAudit_CL.")],
) -> int:
    """Send the verdict and the findings to Log Analytics.

    Findings that fail, are waived or are unknown, policies that were not evaluated, and last the verdict; nothing else. The
    sign-in has to belong to the audited tenant. Exit 70: not everything was stored. Details: keyaudit explain log-analytics.
    """
    import asyncio

    try:
        from keyaudit.cloud.ingestion import Destination
    except ImportError as error:
        raise UsageError("send log-analytics", f"needs {error.name}, which is not installed", installing("ship")) from error
    from keyaudit.cli.settings.run_settings import settle
    from keyaudit.cli.sources.judged import judged
    from keyaudit.cli.terminal.stop import keeping
    from keyaudit.model.results.run import conditions

    settings = settle(live, resume=False)
    if not stored.from_:
        # Checked before anything is read; a snapshot has its own cloud.
        Destination.of(endpoint, rule, stream, settings.environment)
    with judged(live, stored, choice) as report:
        if stored.from_:
            settings = settle(dataclasses.replace(live, cloud=live.cloud or report.run.environment), resume=False)
        destination = Destination.of(endpoint, rule, stream, settings.environment)
        with keeping("rows that were sent stay in the table, without a verdict row"):
            stopped = asyncio.run(_ship(live, settings, destination, report))
        held = {conditions([report])[0], *([] if stopped is None else [Exit.BUG])}
    return next(code for code in PRECEDENCE if code in held)


async def _ship(live: Live, settings: "Settings", destination: "Destination", report: "Report") -> OutputError | None:
    """Send the report, and print the number of stored rows. Return the error that stopped it, which is already printed."""
    from keyaudit.cli.clock import clock_of
    from keyaudit.cli.sources.live import where
    from keyaudit.cloud import ingestion
    from keyaudit.send.log_analytics.rows import finding_rows, verdict_row

    clock = clock_of(demo=live.demo)
    # Simulated data is not secret, and may be sent to any tenant.
    tenant = None if report.run.simulated and not live.demo else report.run.tenant_id
    shipment, now = str(uuid.uuid4()), clock.now()
    async with (
        where(live, clock, settings) as source,
        ingestion.connect(destination, replace(source, tenant=tenant), clock=clock, prompt=tell) as way,
    ):
        try:
            await way.send(finding_rows(report, shipment, now))
            await way.send([verdict_row(report, shipment, now, way.taken)])
        except OutputError as error:
            tell(f"keyaudit: {error}")
            return error
    _print(way, destination, shipment)
    return None


def _print(way: "Ingestion", destination: "Destination", shipment: str) -> None:
    from keyaudit.report.lines import plural

    with printing() as out:
        out.write(
            f"{plural(way.taken - 1, 'record')} and the verdict stored in {plural(way.requests, 'request')}"
            f" through {destination.host}, as {way.identity.shown}; shipment {shipment}\n"
        )
        if way.perhaps_twice:
            out.write(
                f"{plural(way.perhaps_twice, 'row')} may be stored twice: a request was sent again because it was not answered."
                " The workbook counts each row once, by shipment_id and record_number.\n"
            )


def template(
    as_: Annotated[
        As, typer.Option("--as", help="A template to deploy, with the table, the rule and the workbook; or the workbook alone.")
    ] = As.TEMPLATE,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="The file to write to. Default: stdout.")] = None,
) -> int:
    """Print what creates the table and its workbook.

    An Azure Resource Manager template, for the resource group of the workspace. Nothing is deployed.
    """
    from keyaudit.model.values.text import one_line
    from keyaudit.report.files import check, output_file
    from keyaudit.report.members import inert
    from keyaudit.send import log_analytics as made

    text = inert(made.template() if as_ is As.TEMPLATE else made.workbook(), indent=2) + "\n"
    if out is None:
        with printing() as stdout:
            stdout.write(text)
        return Exit.CLEAN
    check(out)
    with output_file(out) as file:
        file.write(text)
    with printing() as stdout:
        stdout.write(f"{one_line(str(out), 1_024)}: written\n")
    return Exit.CLEAN
