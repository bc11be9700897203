"""`keyaudit gate`: decides for a pipeline, by its exit code."""

from typing import Annotated

import typer

from keyaudit.cli.options import Choice, Ci, FailOn, Format, Live, Shown, Stored, flags


@flags(Live, Stored, Choice, Shown)
def gate(
    live: Live,
    stored: Stored,
    choice: Choice,
    shown: Shown,
    *,
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="Fail on open findings of this severity and above.")
    ] = FailOn.HIGH,
    new_only: Annotated[
        bool, typer.Option("--new-only", help="With --baseline: fail on what it does not hold, or less gravely.")
    ] = False,
    ci: Annotated[
        Ci, typer.Option("--ci", help="Speak to this build agent: annotations and a summary. auto: the one it runs in.")
    ] = Ci.AUTO,
) -> int:
    """Decide: exit 0 only if everything required was assessed and nothing open reaches --fail-on."""
    from keyaudit.cli.agents import tell_agent  # noqa: PLC0415 - heavy
    from keyaudit.cli.judged import all_judged  # noqa: PLC0415 - heavy
    from keyaudit.cli.output import deliver, marked, scoring, targets  # noqa: PLC0415 - heavy
    from keyaudit.model.findings import Severity  # noqa: PLC0415 - heavy

    files = targets(shown.export or (), "--export")
    marked(shown.bom, [shown.output or "", *(target.format for target in files)])
    scores = scoring(shown.output, files)
    with all_judged(live, stored, choice, fail_on=Severity(fail_on), new_only=new_only, scoring=scores) as result:
        code = deliver(result, shown, files)
        tell_agent(result, ci, machine=shown.output in (Format.JSON, Format.CSV))
        return code
