"""`keyaudit gate`: decides for a pipeline, by its exit code."""

from typing import Annotated

import typer

from keyaudit.cli.options import Choice, FailOn, Live, Shown, Stored, flags


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
) -> int:
    """Decide: exit 0 only if everything required was assessed and nothing open reaches --fail-on."""
    from keyaudit.cli.judged import all_judged  # noqa: PLC0415 - heavy
    from keyaudit.cli.output import deliver, scoring, targets  # noqa: PLC0415 - heavy
    from keyaudit.model.findings import Severity  # noqa: PLC0415 - heavy

    files = targets(shown)
    scores = scoring(shown, files)
    with all_judged(live, stored, choice, fail_on=Severity(fail_on), new_only=new_only, scoring=scores) as result:
        return deliver(result, shown, files)
