"""`keyaudit gate`: decides for a pipeline by the exit code."""

from pathlib import Path
from typing import Annotated

import typer

from keyaudit.cli.options import Choice, Ci, FailOn, Format, Keep, Live, Redaction, Shown, Shrinkage, Stored, flags
from keyaudit.cli.sources.reuse import Reuse


@flags(Live, Stored, Choice, Shown, Redaction, Reuse)
def gate(  # noqa: PLR0917 - each is a group of flags
    live: Live,
    stored: Stored,
    choice: Choice,
    shown: Shown,
    redaction: Redaction,
    reuse: Reuse,
    *,
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="Fail on open findings of this severity and above.")
    ] = FailOn.HIGH,
    new_only: Annotated[
        bool,
        typer.Option(
            "--new-only",
            help="With --baseline: fail only on findings that are new, raised in severity, past their limit, or that were "
            "unknown before. Without it, all open findings count.",
        ),
    ] = False,
    plan: Annotated[
        Path | None,
        typer.Option(
            "--plan",
            metavar="FILE",
            help="Evaluate the resources that a plan would create: the output of terraform show -json, or of tofu show -json. "
            "With --from, only its changes fail the gate; with --all, everything else does, too. Details: keyaudit explain "
            "plan.",
        ),
    ] = None,
    base: Annotated[
        Path | None,
        typer.Option(
            "--base",
            metavar="DIR",
            help="For a pull request, a checkout of its base branch: keyaudit.toml, waivers, baseline and --policies are read "
            "from there. The gate lists those that differ.",
        ),
    ] = None,
    since: Shrinkage = None,
    keep: Keep = None,
    ci: Annotated[
        Ci, typer.Option("--ci", help="Write annotations and a summary for this build agent. auto: detect the agent.")
    ] = Ci.AUTO,
) -> int:
    """Decide for a pipeline, by the exit code.

    Exit 0 only if everything required was read, no open finding reaches --fail-on, and no result is unknown, of any severity
    and for any reason. Policies are not evaluated if --source or a filter left out what all their rows need: the verdict counts
    them, and --require all makes them gate. --redact applies to the files of --export; what gate itself prints keeps its names.
    """
    from msgspec.structs import replace

    from keyaudit.cli.gate.agents import tell_agent
    from keyaudit.cli.output import deliver, shown_outputs
    from keyaudit.cli.sources.judged import all_judged
    from keyaudit.cli.sources.part import part_of
    from keyaudit.model.severity import Severity

    if base is not None:
        from keyaudit.cli.gate.base_branch import of_base

        live, choice = of_base(base, live, choice)
    to = shown_outputs(shown, redaction)
    reuse.needs("--keep", given=keep is not None)
    detail = replace(to.detail(), whole_rows=bool(to.formats))
    if plan is not None:
        from keyaudit.cli.gate.plan import of_plan

        judging = of_plan(
            plan,
            live,
            stored,
            choice,
            fail_on=Severity(fail_on),
            new_only=new_only,
            detail=detail,
            whole=shown.passes,
            kept=keep or since,
        )
    else:
        if keep is not None:
            from keyaudit.cli.sources.snapshot_folder import kept

            live, stored, since = kept(live, stored, since, keep, reuse)
        # A tag may be removed, and would take a finding out of the gate: subscriptions and vaults alone choose a part.
        source, part = part_of(live, stored)
        judging = all_judged(
            source, stored, choice, fail_on=Severity(fail_on), new_only=new_only, detail=detail, since=since, part=part
        )
    with judging as result:
        code = deliver(result, shown, to.without_names(result), to.files)
        tell_agent(result, ci, machine=shown.output in (Format.JSON, Format.CSV))
        return code
