"""`keyaudit report`: lists findings to a person. It does not decide, and exits 0 or 3."""

from typing import Annotated

import typer

from keyaudit.cli.options import Choice, Live, Shown, Stored, flags


@flags(Live, Stored, Choice, Shown)
def report(
    live: Live,
    stored: Stored,
    choice: Choice,
    shown: Shown,
    *,
    framework: Annotated[
        str | None,
        typer.Option(
            "--framework", metavar="NAME", help="By the controls of a framework, as in cis-azure-6.0, and by its limits."
        ),
    ] = None,
) -> int:
    """List what is wrong with keys and credentials, worst first, and what could not be seen."""
    from keyaudit.cli.judged import all_judged  # noqa: PLC0415 - heavy
    from keyaudit.cli.output import deliver, targets  # noqa: PLC0415 - heavy

    if framework is not None:
        from keyaudit.cli.controls import report_by  # noqa: PLC0415 - heavy

        return report_by(framework, live, stored, choice, shown)
    files = targets(shown.export or (), "--export")
    with all_judged(live, stored, choice, fail_on=None) as result:
        return deliver(result, shown, files)
