"""The flags that say how much of a large tenant may be left to another run, or come from one."""

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from keyaudit.cli.options import Live, typed
from keyaudit.model.errors import UsageError
from keyaudit.model.values.shell import option
from keyaudit.model.values.times import DAY


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Reuse:
    """What may come from an earlier run, and what may wait for the next one."""

    reread: Annotated[
        int | None,
        typer.Option(
            "--reread",
            min=0,
            max=3_650,
            metavar="DAYS",
            help="Read application certificates again after this many days, even if a list shows no change. Default: 7. Every "
            "run reads the certificates of privileged applications.",
        ),
    ] = None
    budget: Annotated[
        int | None,
        typer.Option(
            "--budget",
            min=0,
            max=10_080,
            metavar="MINUTES",
            help="After this many minutes, leave the remaining application certificates that have to be read one by one to "
            "the next run; they are unknown in this one. Privileged applications come first.",
        ),
    ] = None

    @property
    def seconds(self) -> int | None:
        """`reread` in seconds."""
        return None if self.reread is None else self.reread * DAY

    def needs(self, flag: str, *, given: bool) -> None:
        """Raises UsageError if a flag of this group is used where the `flag` that keeps what is read was not `given`."""
        used = "--reread" if self.reread is not None else "--budget" if self.budget is not None else ""
        if used and not given:
            raise UsageError(used, f"needs {flag}: without it, no run can resume this one", f"add {flag} DIR")


NO_REUSE = Reuse()


def resuming(live: Live, out: Path, since: Path | None, reuse: Reuse) -> str:
    """The command that goes on with a collection, with the flags that it began with: others would read something else."""
    earlier = "" if since is None else option("--copy-from", str(since))
    return " ".join(filter(None, ("keyaudit collect --resume", option("--out", str(out)), typed(live), typed(reuse), earlier)))
