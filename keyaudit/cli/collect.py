"""`keyaudit collect`: reads the tenant into a snapshot, without evaluating it."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keyaudit.cli.options import Live, Stored, flags
from keyaudit.cli.sources.reuse import Reuse, resuming
from keyaudit.cli.terminal.streams import printing

if TYPE_CHECKING:
    from keyaudit.collect.evidence import Evidence
    from keyaudit.inventory.snapshot import Snapshot
    from keyaudit.model.relying_parties import Unread


@flags(Live, Reuse)
def collect(
    live: Live,
    reuse: Reuse,
    *,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder to write the snapshot to.")],
    resume: Annotated[bool, typer.Option("--resume", help="Continue an interrupted collection in that folder.")] = False,
    since: Annotated[
        Path | None,
        typer.Option(
            "--copy-from",
            "--since",
            metavar="DIR",
            help="An earlier snapshot: keyaudit copies key versions that cannot have changed, and application certificates "
            "that seem unchanged, instead of reading them again.",
        ),
    ] = None,
) -> int:
    """Read the tenant into a snapshot, to evaluate it later.

    Then: keyaudit report --from DIR. Several tenants get a folder each in DIR.
    """
    from keyaudit.cli.sources.source import each
    from keyaudit.cli.terminal.streams import tell
    from keyaudit.model.errors import PRECEDENCE, AccessError, Exit, UnavailableError, UsageError
    from keyaudit.model.values.text import one_line

    tenants = [one for one, _ in each(live, Stored())]
    if since is None and not resume and reuse.reread is not None:
        raise UsageError(
            "--reread", "says when copied certificates are read again, and nothing is copied", "add --copy-from DIR"
        )
    again = resuming(live, out, since, reuse)
    if len(tenants) == 1:
        return _collect(live, out, out, reuse, resume=resume, since=since, again=again)
    if since is not None:
        raise UsageError("--copy-from", "accepts only one tenant", "collect that one separately")
    held: set[int] = set()
    for one in tenants:
        [tenant] = one.tenant or []
        try:
            held.add(_collect(one, out / place(tenant), out, reuse, resume=resume, since=None, again=again))
        # If one tenant cannot be read, the others still are; the exit code says so.
        except (AccessError, UnavailableError) as error:
            tell(f"tenant {one_line(tenant)}: {error}")
            held.add(error.exit)
    return next(code for code in PRECEDENCE if code in held) if held else Exit.NO_ACCESS


def _collect(live: Live, folder: Path, out: Path, reuse: Reuse, *, resume: bool, since: Path | None, again: str) -> int:
    """Collect one tenant. Finished parts of an earlier run are not read again. `again`: the command that goes on."""
    from keyaudit.inventory.collection_state import is_begun

    several = folder != out
    begun = resume and (not several or is_begun(folder))
    if not begun:
        # Checked before the slow imports and the sign-in.
        from keyaudit.inventory.collection_state import check_new

        check_new(folder)
    from keyaudit.cli.sources.live import collected
    from keyaudit.collect.evidence import supplied
    from keyaudit.gate import assess
    from keyaudit.gate.access_models import with_access_models
    from keyaudit.inventory.collection_state import finished
    from keyaudit.inventory.reads import operations
    from keyaudit.inventory.snapshot import open_snapshot
    from keyaudit.report.collection import render

    earlier = open_snapshot(since) if since is not None else None
    evidence = None if several else supplied(live.imports or ())
    unread: Sequence[Unread] = evidence.relying_parties.unread if evidence and evidence.relying_parties else ()
    if begun and finished(folder):
        snapshot = _finished(live, folder, evidence)
    else:
        snapshot = collected(
            live,
            folder,
            resume=begun,
            kept=f"continue with: {again}",
            since=earlier,
            among=several,
            evidence=evidence,
            reuse=reuse,
        )
    # Later policies may need any column, so all are required.
    verdict = with_access_models(
        assess(snapshot.run, snapshot.coverage, operations(), unknown={each.reason for each in unread}), snapshot
    )
    with printing() as stdout:
        render(snapshot.run, verdict, str(folder), stdout, hints=not live.quiet, unread=unread)
    return verdict.exit


def _finished(live: Live, folder: Path, evidence: "Evidence | None") -> "Snapshot":
    """The snapshot of a finished collection that is resumed. Raises UsageError if the flags are for another collection."""
    from msgspec import structs

    from keyaudit.cli.settings.run_settings import settle
    from keyaudit.cli.terminal.streams import tell
    from keyaudit.inventory.collection_state import same_collection
    from keyaudit.inventory.snapshot import open_snapshot
    from keyaudit.model.errors import UnsafeError
    from keyaudit.model.values.guid import GUID
    from keyaudit.model.values.text import one_line

    snapshot = open_snapshot(folder)
    settings = settle(live, resume=True)
    named = (settings.tenant or "").strip().lower()
    if (GUID.fullmatch(named) and named != snapshot.run.tenant_id) or live.demo is not snapshot.run.simulated:
        what = f"this collection is of tenant {snapshot.run.tenant_id}{' (simulated)' if snapshot.run.simulated else ''}"
        raise UnsafeError("--resume", what, "collect it into another folder")
    digests = evidence.digests if evidence else snapshot.run.evidence
    same_collection(snapshot.run, structs.replace(snapshot.run, filters=settings.filters, evidence=digests))
    if not live.quiet:
        what = "this collection is complete; keyaudit read nothing again"
        tell(f"{one_line(str(folder), 1_024)}: {what}; collect into another folder to read the tenant as it is now")
    return snapshot


def place(tenant: str) -> str:
    """The folder of one of several tenants, named by its id or domain, which must have been validated."""
    from keyaudit.model.errors import UsageError
    from keyaudit.model.values.text import one_line

    name = tenant.strip().lower()
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*[a-z0-9]", name):
        raise UsageError(
            "--tenant", f"neither a tenant id nor a domain: {one_line(tenant)}", "use the tenant's GUID or one of its domains"
        )
    return name
