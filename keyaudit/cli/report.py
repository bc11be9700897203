"""`keyaudit report`: lists findings to a person. It does not decide, and exits 0 or 3."""

from keyaudit.cli.options import Choice, Live, Shown, Stored, flags


@flags(Live, Stored, Choice, Shown)
def report(live: Live, stored: Stored, choice: Choice, shown: Shown) -> int:
    """List what is wrong with keys and credentials, worst first, and what could not be seen."""
    from keyaudit.cli.judged import all_judged  # noqa: PLC0415 - heavy
    from keyaudit.cli.output import deliver, marked, targets  # noqa: PLC0415 - heavy

    files = targets(shown.export or (), "--export")
    marked(shown.bom, [shown.output or "", *(target.format for target in files)])
    with all_judged(live, stored, choice, fail_on=None) as result:
        return deliver(result, shown, files)
