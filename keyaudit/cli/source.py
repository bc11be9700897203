"""From flags to the snapshot that is judged: a stored one, or one made for this run."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from keyaudit.cli.options import Live, Stored
from keyaudit.inventory.snapshot import Snapshot, open_snapshot
from keyaudit.model import times
from keyaudit.model.errors import UnsafeError, UsageError


@contextmanager
def snapshot(live: Live, stored: Stored) -> Iterator[tuple[Snapshot, int]]:
    """The snapshot to judge, and the moment to judge it at. A live one lies in a folder that is gone afterwards."""
    if stored.from_ is None:
        if stored.as_of is not None:
            raise UsageError("--as-of", "works with --from only, since Azure tells how things are now", "collect first")
        from keyaudit.cli.live import collected  # noqa: PLC0415 - heavy, and a stored snapshot does without

        with tempfile.TemporaryDirectory(prefix="keyaudit-") as folder:
            taken = collected(live, Path(folder), resume=False, kept="nothing is kept")
            yield taken, taken.run.as_of
        return
    if live.demo or live.estate is not None:
        raise UsageError("--demo, --estate", "cannot be combined with --from", "leave one of them out")
    if live.config is not None:
        raise UsageError("--config", "says what to collect, and the snapshot is as it was collected", "leave it out")
    if live.subscription or live.resource_group or live.vault or live.source:
        what = "choose what is collected, and the snapshot is as it was collected"
        raise UsageError("--subscription, --resource-group, --vault, --source", what, "leave them out")
    taken = open_snapshot(stored.from_)
    if live.tenant is not None and live.tenant.lower() != taken.run.tenant_id.lower():
        what = f"the snapshot is of tenant {taken.run.tenant_id}, not of {live.tenant}"
        raise UnsafeError("--tenant", what, "name its id, or another snapshot")
    yield taken, taken.run.as_of if stored.as_of is None else _moment(stored.as_of, taken.run.as_of)


def _moment(text: str, collected: int) -> int:
    parse = times.parse_time if ":" in text else times.parse_date
    try:
        moment = parse(text)
    except ValueError as error:
        raise UsageError("--as-of", str(error), "use 2026-11-24 or 2026-11-24T12:00:00Z") from error
    # The day itself is as good as any moment of it; before that nobody looked, and little has expired yet.
    if moment < collected - collected % times.DAY:
        what = f"{text} is before the snapshot was collected, at {times.iso_time(collected)}"
        raise UsageError("--as-of", what, "use that day or a later one")
    return moment
