"""The command that goes on with a stopped collection."""

from pathlib import Path

from keyaudit.cli.options import Live, typed
from keyaudit.cli.reuse import Reuse
from keyaudit.model.shell import option


def resuming(live: Live, out: Path, since: Path | None, reuse: Reuse) -> str:
    """The command that goes on with a collection, with the flags that it began with: others would read something else."""
    earlier = "" if since is None else option("--copy-from", str(since))
    return " ".join(filter(None, ("keyaudit collect --resume", option("--out", str(out)), typed(live), typed(reuse), earlier)))
