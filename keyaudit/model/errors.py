"""The errors that stop a run on purpose. Any other exception is a bug and is shown as one."""

from collections.abc import Sequence
from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of every command; `MEANINGS` is what documentation and `explain exit-codes` print."""

    CLEAN = 0
    FINDINGS = 1
    USAGE = 2
    INCOMPLETE = 3
    NO_ACCESS = 4
    UNSAFE = 5
    UNAVAILABLE = 6
    BUG = 70
    INTERRUPTED = 130
    CLOSED = 141
    TERMINATED = 143


MEANINGS: dict[Exit, str] = {
    Exit.CLEAN: "clean: everything required was assessed; for gate, no result unknown and nothing open at or above --fail-on",
    Exit.FINDINGS: "gate: open findings at or above --fail-on (report lists them and exits 0 or 3)",
    Exit.USAGE: "could not start: wrong usage, configuration, policy, waiver or input file, or output folder",
    Exit.INCOMPLETE: "incomplete: something required was not assessed, or for gate, a result is unknown",
    Exit.NO_ACCESS: "nothing assessed, for a local cause: no sign-in, no access, nothing in scope",
    Exit.UNSAFE: "refused for safety: wrong tenant, foreign link, vault URI or challenge, damaged snapshot or bundle",
    Exit.UNAVAILABLE: "nothing assessed, for causes in Azure only: unavailable or throttled until the end; try later",
    Exit.BUG: "a bug, or output could not be written",
    Exit.INTERRUPTED: "interrupted by Ctrl-C; collect keeps what it read, for --resume",
    Exit.CLOSED: "the reader of stdout stopped reading, as head does; nothing is printed about it",
    Exit.TERMINATED: "terminated by SIGTERM; collect keeps what it read, for --resume",
}

# Several conditions can be true at once; the first in this order gives the exit code.
PRECEDENCE: tuple[Exit, ...] = (
    Exit.UNSAFE,
    Exit.BUG,
    Exit.USAGE,
    Exit.NO_ACCESS,
    Exit.UNAVAILABLE,
    Exit.FINDINGS,
    Exit.INCOMPLETE,
    Exit.CLEAN,
)


class AuditError(Exception):
    """Prints as `<place>: <what>; <what to do>`, one line, and ends the run with `exit`."""

    exit = Exit.USAGE

    def __init__(self, place: str, what: str, remedy: str = "") -> None:
        self.place, self.what, self.remedy = place, what, remedy
        super().__init__(f"{place}: {what}" + (f"; {remedy}" if remedy else ""))


class UsageError(AuditError):
    """A flag, configuration, policy, waiver or input file that cannot be used."""

    exit = Exit.USAGE


class SettingsError(UsageError):
    """The errors in one settings file. Prints a line for each, ordered by place (`file:line`)."""

    def __init__(self, errors: Sequence[UsageError]) -> None:
        in_order = sorted(errors, key=_line)
        first = in_order[0]
        super().__init__(first.place, first.what, first.remedy)
        self.args = ("\n".join(str(error) for error in in_order),)


def _line(error: AuditError) -> int:
    line = error.place.rpartition(":")[2]
    return int(line) if line.isdecimal() else 0


class AccessError(AuditError):
    """No sign-in, or an identity without access."""

    exit = Exit.NO_ACCESS


class UnsafeError(AuditError):
    """Refused for safety, for example a wrong tenant, a foreign link or a damaged snapshot."""

    exit = Exit.UNSAFE


class UnavailableError(AuditError):
    """Azure did not answer within the patience of the run."""

    exit = Exit.UNAVAILABLE


class OutputError(AuditError):
    """Output could not be written."""

    exit = Exit.BUG


class StoppedError(AuditError):
    """Ctrl-C or a signal ended the run; `exit` is 130 or 143."""

    def __init__(self, exit_code: Exit, what: str, remedy: str = "") -> None:
        super().__init__("stopped", what, remedy)
        self.exit = exit_code
