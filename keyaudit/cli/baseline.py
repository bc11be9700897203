"""`keyaudit baseline`: the findings of one day, so that a gate can start in a tenant with many findings."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keyaudit import __version__
from keyaudit.cli.options import Choice, Live, Stored, flags
from keyaudit.cli.parameters import Command
from keyaudit.cli.terminal.streams import printing
from keyaudit.model.errors import Exit, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyaudit.model.gating.baseline import Baseline

app = typer.Typer(
    help="Record open findings, so that a gate fails on new ones.\n\nA gate with --baseline and --new-only fails on findings "
    "that are new, raised in severity, past their limit, or that were unknown before. Without --new-only it fails on old "
    "findings, too, and says how many of them are in the baseline.",
    rich_markup_mode=None,
)


@flags(Live, Stored, Choice)
def create(
    live: Live,
    stored: Stored,
    choice: Choice,
    *,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            metavar="FILE",
            help="The file to write. An existing baseline is replaced; its entries keep their start dates.",
        ),
    ],
    limit: Annotated[
        int, typer.Option("--limit", metavar="DAYS", min=1, max=366, help="How long an entry is valid, from its start date.")
    ] = 180,
    with_unknown: Annotated[
        bool,
        typer.Option(
            "--with-unknown",
            help="Also write unknown results: a gate with --new-only ignores exactly these for up to 30 days.",
        ),
    ] = False,
) -> int:
    """Write the open findings to a baseline file.

    Waived findings are left out, and so are unknown results unless --with-unknown is given; but an entry of the file that is
    replaced stays until it is known to be closed.
    """
    from keyaudit.cli.sources.judged import judged
    from keyaudit.policy.baseline import of_run, read_baseline, write_baseline
    from keyaudit.report.files import check, output_file
    from keyaudit.report.lines import plural

    if choice.baseline is not None:
        raise UsageError("--baseline", "this command writes the baseline", "name its file with --out")
    check(out)
    before = read_baseline(out) if out.exists() else None
    with judged(live, stored, choice) as report:
        if before is not None and before.tenant_id != report.run.tenant_id.lower():
            raise UsageError(str(out), "is the baseline of another tenant", "name another file")
        complete = report.verdict.complete
        without = {each.policy.id for each in report.verdict.not_judged}
        made = of_run(
            report.run,
            report.findings(False),
            [each for each in report.policies if each.text.id not in without],
            tool_version=__version__,
            complete=complete,
            days=limit,
            before=before,
            unevaluated=without,
            with_unknown=with_unknown,
        )
        with output_file(out) as file:
            write_baseline(made, file)
        with printing() as stdout:
            stdout.write(f"{out}: {plural(len(made.entries), 'finding')}, each for {plural(limit, 'day')}\n")
            if before is not None:
                stdout.writelines(_compared(before, made))
            if made.unknown:
                stdout.write(f"{plural(len(made.unknown), 'unknown result')}, each for 30 days at most\n")
            elif not complete:
                stdout.write("The run was incomplete: the baseline does not cover what was not read.\n")
        return report.verdict.exit


app.command("create", cls=Command)(create)


def _compared(before: "Baseline", made: "Baseline") -> "Iterator[str]":
    """How the new baseline differs from the one that it replaces, and why, in lines."""
    from keyaudit.report.versions import lines, replaced

    for counts, what in zip(replaced(before, made), ("new or raised", "no longer open"), strict=True):
        total = sum(count.total() for count in counts.values())
        if total:
            yield f"{total:,} {what}, compared with the file that was there:\n"
            yield from (f"  {word}  {said}\n" for word, said in lines(counts, before) if word != "HINT")


@app.command("show")
def show(file: Annotated[Path, typer.Argument(metavar="FILE", help="The baseline.")]) -> int:
    """Show the findings in a baseline, by policy.

    Prints their number, the start date, and how long each entry is valid.
    """
    from tabulate import tabulate

    from keyaudit.model.gating.baseline import UNKNOWN_LIMIT
    from keyaudit.model.values.text import one_line
    from keyaudit.model.values.times import iso_date, iso_time
    from keyaudit.policy.baseline import read_baseline
    from keyaudit.policy.load import load
    from keyaudit.report.lines import plural

    found = read_baseline(file)
    shipped = {policy.text.id: policy.rule for policy in load()}
    other = [name for name, then in found.rules.items() if shipped.get(name, then.rule) != then.rule]
    gone = [name for name in found.rules if name not in shipped]
    rows: dict[tuple[str, str], list[int]] = {}
    for entry in found.entries:
        rows.setdefault((entry.policy, entry.severity), []).append(entry.since)
    cells = [
        (one_line(policy), severity, len(since), iso_date(min(since)), iso_date(min(since) + found.limit))
        for (policy, severity), since in sorted(rows.items())
    ]
    headers = ("Policy", "Severity", "Findings", "Since", "First one counts again on")
    with printing() as out:
        whole = "" if found.complete else ", of an incomplete run"
        by = f", created by keyaudit {one_line(found.tool_version)}" if found.tool_version else ""
        out.write(f"tenant {one_line(found.tenant_id)} as of {iso_time(found.as_of)}{whole}{by}\n\n")
        out.write(tabulate(cells, headers=headers, disable_numparse=True) + "\n")
        if found.unknown:
            since = min(each.since for each in found.unknown)
            until = iso_date(since + min(found.limit, UNKNOWN_LIMIT))
            out.write(f"\n{plural(len(found.unknown), 'unknown result')}; the first one counts again on {until}\n")
        for names, verb, what in (
            (other, ("has", "have"), "another rule in this version"),
            (gone, ("is", "are"), "not among the shipped ones"),
        ):
            if names:
                count = plural(len(names), "policy", "policies")
                out.write(f"\n{count} {verb[len(names) > 1]} {what}: {', '.join(map(one_line, names))}\n")
    return Exit.CLEAN
