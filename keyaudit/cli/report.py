"""`keyaudit report`: lists findings to a person. It does not decide, and exits 0 or 3."""

from enum import StrEnum
from typing import Annotated

import typer

from keyaudit.cli.options import Choice, Live, Redaction, Shown, Stored, flags
from keyaudit.model.errors import UsageError


class Sort(StrEnum):
    """Orders of findings."""

    SEVERITY = "severity"
    SCORE = "score"


@flags(Live, Stored, Choice, Shown, Redaction)
def report(
    live: Live,
    stored: Stored,
    choice: Choice,
    shown: Shown,
    redaction: Redaction,
    *,
    sort: Annotated[
        Sort,
        typer.Option(
            "--sort", help="The order of findings: by severity, or by score (blast radius x exposure x age), highest first."
        ),
    ] = Sort.SEVERITY,
    framework: Annotated[
        str | None,
        typer.Option(
            "--framework", metavar="NAME", help="By the controls of a framework, as in cis-azure-6.0, and by its limits."
        ),
    ] = None,
) -> int:
    """List what is wrong with keys and credentials, worst first, and what could not be seen."""
    from keyaudit.cli.judged import all_judged  # noqa: PLC0415 - heavy
    from keyaudit.cli.output import deliver, listed, marked, scoring, targets  # noqa: PLC0415 - heavy
    from keyaudit.cli.redaction import salt, without_names  # noqa: PLC0415 - heavy

    if framework is not None:
        from keyaudit.cli.controls import report_by  # noqa: PLC0415 - heavy

        if redaction != Redaction():
            raise UsageError("--framework, --redact", "cannot be combined", "redact an export: its rows name their controls")
        if sort is not Sort.SEVERITY:
            raise UsageError("--framework, --sort", "cannot be combined", "leave one of them out")
        return report_by(framework, live, stored, choice, shown)
    files = targets(shown.export or (), "--export")
    marked(shown.bom, [shown.output or "", *(target.format for target in files)])
    scores = scoring(shown.output, files, by_score=sort is Sort.SCORE)
    key = salt(redaction)
    with all_judged(live, stored, choice, fail_on=None, scoring=scores, listed=listed(files)) as judged:
        result = without_names(judged, redaction, key)
        return deliver(result, shown, files, result)
