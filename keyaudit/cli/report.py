"""`keyaudit report`: lists findings to a person. It does not decide, and exits 0 or 3."""

from typing import Annotated

import typer

from keyaudit.cli.options import Choice, Live, Redaction, Shown, Stored, flags
from keyaudit.model.errors import UsageError


@flags(Live, Stored, Choice, Shown, Redaction)
def report(
    live: Live,
    stored: Stored,
    choice: Choice,
    shown: Shown,
    redaction: Redaction,
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
    from keyaudit.cli.output import deliver, listed, targets  # noqa: PLC0415 - heavy
    from keyaudit.cli.redaction import salt, without_names  # noqa: PLC0415 - heavy

    if framework is not None:
        from keyaudit.cli.controls import report_by  # noqa: PLC0415 - heavy

        if redaction != Redaction():
            raise UsageError("--framework, --redact", "cannot be combined", "redact an export: its rows name their controls")
        return report_by(framework, live, stored, choice, shown)
    files = targets(shown.export or (), "--export")
    key = salt(redaction)
    with all_judged(live, stored, choice, fail_on=None, listed=listed(files)) as judged:
        result = without_names(judged, redaction, key)
        return deliver(result, shown, files, result)
