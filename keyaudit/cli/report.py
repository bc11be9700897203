"""`keyaudit report`: lists findings for people. It does not fail on findings: it exits with 0 or 3."""

from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace

from keyaudit.cli.engine import Engine, Master, check, importing_spark
from keyaudit.cli.options import Choice, Format, Keep, Live, Parts, Redaction, Shown, Shrinkage, Stored, flags, typed
from keyaudit.cli.sources.reuse import Reuse
from keyaudit.model.errors import UsageError
from keyaudit.model.scope.part import Part
from keyaudit.model.severity import Severity


class GroupBy(StrEnum):
    """Groupings of findings in text."""

    RESOURCE = "resource"
    POLICY = "policy"
    OWNER = "owner"
    ALGORITHM = "algorithm"
    NONE = "none"


class Sort(StrEnum):
    """Orders of findings."""

    SEVERITY = "severity"
    POLICY = "policy"
    RESOURCE = "resource"
    EXPIRES = "expires"


@flags(Live, Stored, Parts, Choice, Shown, Redaction, Reuse)
def report(  # noqa: PLR0917 - each is a group of flags
    live: Live,
    stored: Stored,
    parts: Parts,
    choice: Choice,
    shown: Shown,
    redaction: Redaction,
    reuse: Reuse,
    *,
    group_by: Annotated[
        GroupBy | None,
        typer.Option(
            "--group-by",
            help="resource is the default; policy: to fix one kind of finding; owner: to assign work; algorithm: to plan a "
            "migration; none: one table.",
        ),
    ] = None,
    sort: Annotated[
        Sort,
        typer.Option(
            "--sort",
            help="The order of findings and groups.",
        ),
    ] = Sort.SEVERITY,
    columns: Annotated[
        str | None,
        typer.Option(
            "--columns", metavar="NAME,...", help="The columns of a table, for example severity,resource,owner,expires."
        ),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="List every finding with its fix, by resource.")] = False,
    severity: Annotated[
        Severity | None, typer.Option("--severity", help="List the findings of this severity and above.")
    ] = None,
    top: Annotated[
        int | None,
        typer.Option(
            "--top",
            min=1,
            metavar="N",
            help="List at most N findings, in text and tables N causes: the first by --sort.",
        ),
    ] = None,
    framework: Annotated[
        str | None,
        typer.Option(
            "--framework",
            metavar="NAME",
            help="Group by the controls of a framework, for example cis-azure-6.0, and use its limits.",
        ),
    ] = None,
    control: Annotated[
        list[str] | None,
        typer.Option(
            "--control",
            metavar="ID",
            help="With --framework: only this control, for example 8.3.9; repeatable. With --full: its findings.",
        ),
    ] = None,
    since: Shrinkage = None,
    keep: Keep = None,
    engine: Annotated[
        Engine,
        typer.Option(
            "--engine",
            help="duckdb: on this machine. spark: on a cluster where every node has the snapshot under the same path.",
        ),
    ] = Engine.DUCKDB,
    master: Master = None,
) -> int:
    """Show what is wrong with keys and credentials, worst first."""
    _check_engine(engine, master, stored)
    from keyaudit.cli.output import deliver, shown_outputs
    from keyaudit.cli.sources.judged import all_judged
    from keyaudit.cli.sources.part import part_of, part_typed
    from keyaudit.cli.sources.source import each, named
    from keyaudit.report.owner_rules import READ
    from keyaudit.report.resource import SHOWN

    reuse.needs("--keep", given=keep is not None)
    if keep is not None:
        live, stored, since = _kept(live, stored, since, keep, reuse, apart=framework is not None or master is not None)
    source, part = part_of(live, stored, parts)
    if part and master is not None:
        raise UsageError("--engine spark", "evaluates all of a snapshot", "remove the options that select a part")
    if framework is not None:
        _check_framework(part, master, since, redaction, arranged=bool(group_by or columns or sort is not Sort.SEVERITY))
        from keyaudit.cli.controls import report_by

        return report_by(framework, live, stored, choice, shown, ids=control or (), full=full, severity=severity, top=top)
    if control:
        raise UsageError("--control", "needs --framework NAME", "name its framework with --framework")
    how = _arranged(shown.output, group_by, columns)
    arranged = group_by is not None or columns is not None or sort is not Sort.SEVERITY
    whole = full or shown.passes or arranged or severity is not None or top is not None
    first_screen = not whole and shown.output in (None, Format.TEXT)
    to = shown_outputs(shown, redaction)
    needs = to.detail(lines=columns is None, fixes=full or first_screen)
    if group_by is GroupBy.OWNER and needs.shown is not None:
        needs = replace(needs, shown={table: columns_ | READ for table, columns_ in SHOWN.items()})
    with all_judged(source, stored, choice, detail=needs, since=since, master=master, part=part) as judged:
        result = to.without_names(judged)
        least = severity or Severity.INFO
        how |= {"sort": sort, "full": not first_screen, "fixes": full, "least": least, "top": top}
        # Suggested commands would contain the snapshot's folder or the tenant.
        hints = not live.quiet and redaction == Redaction()
        sources = tuple(named(*one) for one in each(source, stored))
        return deliver(
            result,
            shown,
            result,
            to.files,
            **how,
            hints=hints,
            sources=sources,
            part=part_typed(live, stored, parts),
            choice=typed(choice),
        )


def _kept(
    live: Live, stored: Stored, since: Path | None, keep: Path, reuse: Reuse, *, apart: bool
) -> tuple[Live, Stored, Path | None]:
    from keyaudit.cli.sources.snapshot_folder import kept

    if apart:
        raise UsageError(
            "--keep", "cannot be combined with --framework or --engine spark", "evaluate the snapshot that it kept"
        )
    return kept(live, stored, since, keep, reuse)


def _check_framework(part: Part, master: str | None, since: Path | None, redaction: Redaction, *, arranged: bool) -> None:
    if part:
        raise UsageError("--framework", "covers the whole tenant", "remove the options that select a part")
    if master is not None:
        raise UsageError("--framework", "cannot be combined with --engine spark", "leave one of them out")
    if since is not None:
        raise UsageError("--framework", "cannot be combined with --since", "measure shrinkage with keyaudit gate")
    if redaction != Redaction():
        raise UsageError("--framework, --redact", "cannot be combined", "redact an export: its rows name their controls")
    if arranged:
        raise UsageError("--framework", "cannot be combined with --group-by, --sort or --columns", "leave those out")


def _check_engine(engine: Engine, master: str | None, stored: Stored) -> None:
    check(engine, master=master)
    if engine is Engine.SPARK:
        if len(stored.from_ or ()) != 1:
            raise UsageError("--engine spark", "evaluates one stored snapshot", "name it with --from")
        with importing_spark():
            import_module("keyaudit.policy.evaluation.with_spark")


def _arranged(output: Format | None, group_by: GroupBy | None, columns: str | None) -> dict[str, object]:
    """The grouping and columns. Raises UsageError if the format does not support them."""
    from keyaudit.model.documents.problems import nearest, shown
    from keyaudit.report.findings.table import COLUMNS

    if group_by is not None and output not in (None, Format.TEXT):
        raise UsageError("--group-by", f"only works with text output, not with -o {output}", "leave one of them out")
    if columns is None:
        return {"group": group_by or GroupBy.RESOURCE}
    if output not in (None, Format.TABLE) or group_by not in (None, GroupBy.NONE):
        raise UsageError("--columns", "only works with a table", "use it with -o table")
    names = tuple(name.strip().lower() for name in columns.split(","))
    for name in names:
        if name not in COLUMNS:
            near = nearest(name, COLUMNS)
            raise UsageError("--columns", f"no such column: {shown(name)}", near or f"one of {', '.join(COLUMNS)}")
    return {"group": GroupBy.NONE, "columns": names}
