"""What a sentence about absence holds for: empty has to be proved, so "none" without more is said of what was read whole."""

from keyaudit.model.errors import Exit
from keyaudit.model.run import Verdict

PART = " in the selected part"
READ = " in the data that was read, which was incomplete"


def extent(verdict: Verdict) -> str:
    """The end of a sentence that says that something is not there; empty only if the whole tenant was read."""
    accepted = verdict.allowed_unknown or verdict.known_unknown or any(gap.allowed for gap in verdict.gaps)
    if not verdict.complete or accepted or Exit.UNSAFE in verdict.conditions:
        return READ
    return PART if verdict.part else ""
