"""Who and what is at work, in words: why a step that removes access has a command, or none."""

from keyaudit.model.reasons import Reason
from keyaudit.model.values.times import iso_date
from keyaudit.questions.blast_radius.activity import Source, Used, Work
from keyaudit.questions.blast_radius.answer import BlastRadius
from keyaudit.questions.blast_radius.words import why
from keyaudit.report.lines import plural

NEEDED = "complete logs of at least 35 days that reach until now"
NO_LOGS = "keyaudit incident with --logs shows who uses it"


def evidence(work: Work) -> str:
    """ "90 uses, the last on 2026-11-28"; one part for each source."""
    return "; ".join(_used(each) for each in work.used)


def ends(found: BlastRadius, work: Work, doubt: Reason | None = None) -> bool:
    """Whether a step that ends the use of one thing has a command: nothing uses it, or it is stated to be stolen.

    `doubt`: why it may be another thing than the stolen one.
    """
    return work.may_end or (found.stated and doubt is None)


def decided(found: BlastRadius, work: Work, name: str = "its users", doubt: Reason | None = None) -> str:
    """Why a step that ends the use of one thing has a command, if `ends`, with what that stops; otherwise why it has none."""
    if work.may_end:
        return f"The logs of {work.covered} are complete, and show no use of it."
    if found.stated:
        return _stops(found, work, name, doubt)
    if work.used:
        return (
            f"No command is printed, because it is in use: {evidence(work)}. Move its users first; ending it earlier stops"
            f" them. keyaudit incident prints the command when {NEEDED}, all from after the move, show no use."
        )
    if not found.logged:
        return f"No command is printed, because it is not known whether it is in use: no logs were supplied; {NO_LOGS}."
    return f"No command is printed, because it is not known whether it is in use: showing it takes {NEEDED}."


def _stops(found: BlastRadius, work: Work, name: str, doubt: Reason | None) -> str:
    """Who and what loses access by a step against a thing that is stated to be stolen."""
    if doubt is not None:
        return f"No command is printed, because it is not certain that this is the stolen key: {why(doubt)}."
    if work.used:
        return f"This stops {name}: {evidence(work)}."
    missing = f"showing it takes {NEEDED}" if found.logged else "no logs were supplied"
    return f"Who uses it is not known, so this may stop legitimate work: {missing}."


def suspected(found: BlastRadius, work: Work, name: str = "its users", doubt: Reason | None = None) -> str:
    """The same for one that has a command if `work.only_outside`, too: all that it does is what the baseline does not know."""
    if work.only_outside:
        return f"The logs of {work.covered} are complete: {evidence(work)}. Ask its owners whether they planned them."
    return decided(found, work, name, doubt)


def _used(each: Used) -> str:
    day = iso_date(each.last_on)
    match each.source:
        case Source.LOGS:
            count = each.count or 0
            part = "all" if each.outside == count else f"{each.outside:,} of them"
            others = f", the last of the others on {iso_date(each.usual_on)}" if each.usual_on is not None else ""
            outside = f", {part} outside the baseline{others}" if each.outside else ""
            return f"{plural(count, 'use')}, the last on {day}{outside}"
        case Source.BASELINE:
            return f"in the baseline, last on {day}"
        case Source.SIGN_INS:
            return f"last sign-in on {day} in Entra's sign-in report"
        case Source.CREDENTIALS:
            return f"last used on {day} in Entra's credential report"
