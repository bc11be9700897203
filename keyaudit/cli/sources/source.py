"""The snapshot to evaluate: a stored one, or one collected for this run."""

import dataclasses
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from keyaudit.cli.clock import SystemClock
from keyaudit.cli.options import Live, Stored, settings_file, typed
from keyaudit.cli.terminal.progress import told_if_long
from keyaudit.model.errors import AccessError, StoppedError, UnavailableError, UnsafeError, UsageError
from keyaudit.model.gating.expectations import Expectations
from keyaudit.model.results.run import Run
from keyaudit.model.values import times
from keyaudit.model.values.shell import option
from keyaudit.model.values.text import one_line

if TYPE_CHECKING:
    from keyaudit.cloud.gateway import Observe
    from keyaudit.inventory.snapshot import Snapshot
    from keyaudit.model.results.run import Gap

_KEPT = "nothing is kept; collect, and report and gate with --keep, can resume"
"""The message of a command that was stopped while it read a tenant."""
_STOPPED = "keyaudit-stopped-"
_LONG = 60.0
"""Seconds of reading from which somebody who presses Ctrl-C at a terminal would miss what was read."""


def each(live: Live, stored: Stored) -> Sequence[tuple[Live, Stored]]:
    """The flags of one tenant at a time, for commands that take several."""
    for flag, named in (("--from", [str(folder.absolute()) for folder in stored.from_ or ()]), ("--tenant", live.tenant or ())):
        if len({name.lower() for name in named}) != len(named):
            raise UsageError(flag, "names the same tenant twice", "name each once")
    if stored.from_:
        return [(live, dataclasses.replace(stored, from_=[folder])) for folder in stored.from_]
    return [(dataclasses.replace(live, tenant=[tenant]), stored) for tenant in live.tenant or ()] or [(live, stored)]


def named(live: Live, stored: Stored) -> str:
    """The flags that say what is read, and as of when, for suggested commands."""
    return typed(stored, live, without=("share", "concurrency", "quiet"))


def check_since(since: "Snapshot", here: Run) -> None:
    """Raises UnsafeError if the snapshot of --since is of another tenant, UsageError if it is not earlier."""
    there = since.run
    if there.tenant_id.lower() != here.tenant_id.lower():
        what = f"the snapshot is of tenant {one_line(there.tenant_id)}, not of {one_line(here.tenant_id)}"
        raise UnsafeError("--since", what, "name a snapshot of this tenant")
    if there.as_of > here.as_of:
        what = f"{one_line(str(since.folder))} is newer than the snapshot that it is compared with"
        raise UsageError("--since", what, "name the earlier snapshot")


@contextmanager
def snapshot(
    live: Live, stored: Stored, *, among: bool = False, observe: "Observe | None" = None, about: str | None = None
) -> Iterator[tuple["Snapshot", int]]:
    """The snapshot to evaluate, and the moment to evaluate it at. A live one is deleted afterwards.

    `among`: there are other tenants, so if sign-in fails, or nothing matches the filters, the snapshot records this.
    `observe` receives every answer of a live tenant. `about`: the key whose page is all that the snapshot is for; a live one
    then has no more than that page needs, unless a finding's id stands for the key.
    """
    found = _stored(live, stored) if stored.from_ else _live(live, stored, among=among, observe=observe, about=about)
    with found as (taken, as_of):
        yield with_owners(taken, live), as_of


@contextmanager
def _live(
    live: Live, stored: Stored, *, among: bool, observe: "Observe | None", about: str | None
) -> Iterator[tuple["Snapshot", int]]:
    if stored.as_of is not None:
        raise UsageError("--as-of", "only works with --from: the live tenant is read as it is now", "collect first")
    if len(live.tenant or ()) > 1:
        raise UsageError("--tenant", "accepts only one here", "name one")
    from keyaudit.cli.sources.live import collected, unread
    from keyaudit.collect.focus import Focus
    from keyaudit.inventory.disk.temporary import temporary_folder
    from keyaudit.model.results.causes import is_id
    from keyaudit.questions.incident.evidence.operations import needed

    focus = Focus(about, needed(about)) if about is not None and not is_id(about) else None

    clock = SystemClock()
    began = clock.monotonic()
    with temporary_folder() as folder:
        try:
            taken = collected(live, folder / "read", resume=False, kept=_KEPT, among=among, observe=observe, focus=focus)
        except StoppedError as stopped:
            alone = focus is None and not among and not live.demo
            if not alone or clock.monotonic() - began < _LONG or not sys.stderr.isatty():
                raise
            raise StoppedError(stopped.exit, stopped.what, _left(live, folder / "read") or stopped.remedy) from stopped
        except (AccessError, UnavailableError) as error:
            if not among:
                raise
            taken = unread(live, folder / "unread", error)
        yield taken, taken.run.as_of


def _left(live: Live, folder: Path) -> str:
    """How to go on with a stopped collection, which is moved out of the way of what removes its folder; empty if nothing was
    read.
    """
    from keyaudit.cli.sources.reuse import NO_REUSE, resuming
    from keyaudit.inventory.collection_state import begun
    from keyaudit.inventory.disk import files

    if begun(folder) is None:
        return ""
    with files.writing(folder):
        kept = Path(tempfile.mkdtemp(prefix=_STOPPED)) / "snapshot"
        folder.rename(kept)
    then = f"keyaudit report {option('--from', str(kept))}"
    return (
        f"the partial snapshot is kept: continue with {resuming(live, kept, None, NO_REUSE)}, then {then}; or delete "
        f"{kept.parent}"
    )


@contextmanager
def _stored(live: Live, stored: Stored) -> Iterator[tuple["Snapshot", int]]:
    [folder, *others] = stored.from_ or []
    if others:
        raise UsageError("--from", "accepts only one here", "name one")
    if live.demo or live.estate is not None:
        raise UsageError("--demo, --estate", "cannot be combined with --from", "leave one of them out")
    if live.subscription or live.resource_group or live.vault or live.source:
        what = "select what to collect; a snapshot is already collected"
        raise UsageError("--subscription, --resource-group, --vault, --source", what, "leave them out")
    from keyaudit.inventory.snapshot import open_snapshot

    with told_if_long(f"checking that {one_line(str(folder), 1_024)} is whole", quiet=live.quiet):
        opened = open_snapshot(folder)
    taken = _with_environments(opened, live)
    if live.tenant and taken.run.tenant_id.lower() not in {tenant.lower() for tenant in live.tenant}:
        what = f"the snapshot is of tenant {taken.run.tenant_id}, not of {' or '.join(live.tenant)}"
        raise UnsafeError("--tenant", what, "name its id, or another snapshot")
    with _with_imports(taken, live) as (supplied, logged):
        now = max(taken.run.as_of, min(logged, SystemClock().now()))
        yield supplied, now if stored.as_of is None else _moment(stored.as_of, taken.run.as_of)


@contextmanager
def _with_imports(taken: "Snapshot", live: Live) -> Iterator[tuple["Snapshot", int]]:
    """The snapshot with the evidence of --import, and the end of the last day of its logs, inside a context."""
    if not live.imports:
        yield taken, 0
        return
    from keyaudit.collect.evidence import supplied
    from keyaudit.collect.supplied_rows import with_evidence
    from keyaudit.inventory.disk.temporary import temporary_folder

    evidence = supplied(live.imports)
    logged = evidence.logs.until if evidence.logs else 0
    with temporary_folder() as folder:
        yield with_evidence(taken, folder / "supplied", evidence), logged


def _with_environments(taken: "Snapshot", live: Live) -> "Snapshot":
    """The snapshot with the environments of the configuration, or else its own."""
    file = settings_file(live)
    if file is None:
        return taken
    from keyaudit.cli.settings.config import read_config

    rules = read_config(file).environment_rules
    return replace(taken, run=replace(taken.run, environment_rules=rules)) if rules else taken


def with_owners(taken: "Snapshot", live: Live) -> "Snapshot":
    """The snapshot with the rules for owners of the configuration."""
    file = settings_file(live)
    if file is None:
        return taken
    from keyaudit.cli.settings.config import read_config

    return replace(taken, owners=read_config(file).owners)


def unmet(taken: "Snapshot", live: Live) -> "Sequence[Gap] | None":
    """The expectations of the configuration that the snapshot does not meet, as gaps; None if nothing is expected."""
    file = settings_file(live)
    if file is None:
        return None
    from keyaudit.cli.settings.config import read_config

    return unmet_of(taken, read_config(file).expected)


def unmet_of(taken: "Snapshot", expected: Expectations, earlier: "Snapshot | None" = None) -> "Sequence[Gap] | None":
    """The unmet expectations as gaps, with shrinkage against `earlier`; None if nothing is expected."""
    if not expected:
        return None
    from keyaudit.inventory.expectations import unmet

    return unmet(taken, expected, earlier)


def _moment(text: str, collected: int) -> int:
    parse = times.parse_time if ":" in text else times.parse_date
    try:
        moment = parse(text)
    except ValueError as error:
        raise UsageError("--as-of", str(error), "use 2026-11-24 or 2026-11-24T12:00:00Z") from error
    if moment < collected - collected % times.DAY:
        what = f"{text} is before the snapshot was collected, at {times.iso_time(collected)}"
        raise UsageError("--as-of", what, "use that day or a later one")
    # On the day of collection: the moment of collection, not the start of the day, when less has expired.
    return max(moment, collected)
