"""`keyaudit trust`: the keys that tokens are verified with, as Entra publishes them and as your services trust them."""

import dataclasses
import itertools
from collections.abc import Collection, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import structs

from keyaudit.cli.options import Live, Stored, flags
from keyaudit.model.errors import PRECEDENCE, Exit, UsageError

if TYPE_CHECKING:
    from keyaudit.inventory.snapshot import Snapshot
    from keyaudit.model.relying_parties import HeldKey
    from keyaudit.model.results.run import Run, Verdict
    from keyaudit.questions.trust.answer import Step
    from keyaudit.questions.trust.evidence import Compared

app = typer.Typer(help="Check the keys that services verify tokens with.", rich_markup_mode=None)

# The tables with published keys, and with applications that may have their own.
_SOURCES = ("tenant", "applications", "service-principals", "federation", "issuer-keys")


class Printed(StrEnum):
    """Formats of these commands."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"


Output = Annotated[Printed, typer.Option("--output", "-o", help="Format on stdout.")]


@app.command("list")
@flags(Live, Stored)
def list_(
    live: Live,
    stored: Stored,
    *,
    history: Annotated[
        Path | None,
        typer.Option(
            "--history", metavar="DIR", help="List which keys were added and removed, over the snapshots in this folder."
        ),
    ] = None,
    output: Output = Printed.TEXT,
) -> int:
    """List the keys that Entra publishes to verify tokens.

    Shows their age, and marks keys that belong to one application or that have expired.
    """
    from keyaudit import gate
    from keyaudit.cli.output import show
    from keyaudit.cli.sources.source import snapshot
    from keyaudit.inventory.reads import operations
    from keyaudit.questions.trust import LISTS
    from keyaudit.questions.trust.answer import Trust
    from keyaudit.questions.trust.evidence import published

    with snapshot(_confined(live, stored), stored) as (taken, as_of):
        steps = None if history is None else _steps(history, taken)
        with taken.judging(as_of, reach_known=False) as connection:
            keys = published(connection)
        unknown = {reason for key in keys for reason in key.unknown.values()}
        verdict = gate.assess(taken.run, taken.coverage, operations("issuer_key", "shared_key"), unknown=unknown)
        run = structs.replace(taken.run, as_of=as_of)
        found = Trust(run=run, verdict=verdict, keys=keys, steps=steps)
        return show(LISTS[output], found, verdict)


@app.command("check")
@flags(Live, Stored)
def check(
    live: Live,
    stored: Stored,
    *,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="A file of trusted keys: a JSON Web Key Set, certificates (PEM, DER), federation metadata or web.config.",
        ),
    ],
    output: Output = Printed.TEXT,
) -> int:
    """Compare the keys a service trusts with published ones.

    Known stolen keys are always checked; published keys with --from, --demo or --tenant. Exit 0: all are published; 1: one is
    stolen or no longer published; 3: unknown for a key.
    """
    from keyaudit.cli.output import show
    from keyaudit.collect.relying_parties.files import in_files
    from keyaudit.model.reasons import Reason
    from keyaudit.questions.trust import CHECKS
    from keyaudit.questions.trust.answer import Checked, State, TrustCheck

    held = in_files(files, "trust check")
    if not (held.keys or held.unread):
        raise UsageError("trust check", "the files hold no keys", "name a key set (jwks.json), certificates or metadata")
    if stored.from_ or live.demo or live.tenant:
        run, verdict, compared = _compared(live, stored, held.keys)
    else:
        run, verdict, compared = None, _none(), [(None, Reason.NOT_SUPPLIED) for _ in held.keys]
    checked = [Checked.of(key, *told) for key, told in zip(held.keys, compared, strict=True)]
    states = {each.state for each in checked}
    verdict = _ended(
        verdict,
        failed=not states.isdisjoint((State.STOLEN, State.WITHDRAWN)),
        unknown=State.UNKNOWN in states or bool(held.unread),
    )
    found = TrustCheck(run=run, verdict=verdict, keys=checked, unread=held.unread, files=held.files)
    return show(CHECKS[output], found, verdict)


@app.command("scan")
def scan(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH",
            help="A folder with appsettings.json, web.config, authsettingsV2.json or application.yml; or one such file.",
        ),
    ],
    *,
    output: Output = Printed.TEXT,
) -> int:
    """Find settings that accept tokens of any tenant.

    Finds settings that trust keys shared by all tenants and check neither issuer nor tenant. Reads only files. Exit 0: none; 1:
    found; 3: a file is unreadable or unclear; 4: no settings files found.
    """
    from keyaudit.cli.output import show
    from keyaudit.collect.relying_parties.files import in_place
    from keyaudit.questions.trust import SCANS
    from keyaudit.questions.trust.answer import TrustScan

    found = in_place(path, "trust scan", with_keys=False)
    outcomes = {validator.takes_anybodys for validator in found.validators}
    verdict = _ended(_none(), failed=True in outcomes, unknown=None in outcomes or bool(found.unread))
    if not (found.files or found.unread):
        # If no file was checked, "nothing found" would be wrong.
        verdict = structs.replace(verdict, exit=Exit.NO_ACCESS, conditions=(Exit.NO_ACCESS,))
    return show(SCANS[output], TrustScan(verdict=verdict, found=found), verdict)


def _confined(live: Live, stored: Stored) -> Live:
    """A live tenant: only the tables about published keys are read."""
    return live if stored.from_ or live.source else dataclasses.replace(live, source=list(_SOURCES))


def _compared(live: Live, stored: Stored, keys: Sequence["HeldKey"]) -> "tuple[Run | None, Verdict, Compared]":
    from keyaudit import gate
    from keyaudit.cli.sources.source import snapshot
    from keyaudit.model.tables.relying_parties import PUBLISHED
    from keyaudit.questions.trust.evidence import compare

    with snapshot(_confined(live, stored), stored) as (taken, as_of):
        with taken.judging(as_of, reach_known=False) as connection:
            compared = compare(connection, f"/tenants/{taken.run.tenant_id}".lower(), keys)
        verdict = gate.assess(taken.run, taken.coverage, frozenset(PUBLISHED))
        return structs.replace(taken.run, as_of=as_of), verdict, compared


def _none() -> "Verdict":
    """The verdict of a command that reads no tenant."""
    from keyaudit.model.results.run import Verdict

    return Verdict(
        exit=Exit.CLEAN, conditions=(Exit.CLEAN,), gate=None, failed={}, unknown={}, passed=0, not_applicable=0, gaps=()
    )


def _ended(verdict: "Verdict", *, failed: bool, unknown: bool) -> "Verdict":
    """The verdict with the results of the files. Gaps of the tenant matter only if a key needed them."""
    held = {Exit.UNSAFE}.intersection(verdict.conditions)
    held |= {Exit.FINDINGS} if failed else set()
    held |= {Exit.INCOMPLETE} if unknown else set()
    conditions = tuple(code for code in PRECEDENCE if code in held) or (Exit.CLEAN,)
    return structs.replace(verdict, exit=conditions[0], conditions=conditions)


def _steps(folder: Path, taken: "Snapshot") -> "list[Step]":
    """The changes from each snapshot in the folder to the next, and to the one that is shown."""
    from keyaudit.cli.sources.snapshot_folder import same_tenant, snapshots
    from keyaudit.inventory.snapshot import open_snapshot
    from keyaudit.questions.trust.answer import Step
    from keyaudit.questions.trust.evidence import named

    by_run = {taken.run.run_id: taken}
    for place in snapshots(folder, "--history"):
        earlier = open_snapshot(place)
        same_tenant(place, earlier.run, taken.run, "--history")
        by_run.setdefault(earlier.run.run_id, earlier)
    found = []
    for snapshot in sorted(by_run.values(), key=lambda each: (each.run.as_of, each.run.run_id)):
        with snapshot.judging(snapshot.run.as_of, reach_known=False) as connection:
            found.append((snapshot, named(connection), _whole(snapshot)))
    return [
        Step(
            run_id=now.run.run_id,
            as_of=now.run.as_of,
            since=before.run.as_of,
            came=sorted(there - was, key=str),
            gone=sorted(was - there, key=str),
            whole=all_now and all_before,
        )
        for (before, was, all_before), (now, there, all_now) in itertools.pairwise(found)
    ]


def _whole(snapshot: "Snapshot") -> bool:
    """Whether every key set that the cloud has was read completely."""
    from keyaudit.model.coverage import State
    from keyaudit.model.reasons import Reason
    from keyaudit.model.tables import TABLES

    sets = {*TABLES["issuer_key"].listed_by, *TABLES["shared_key"].listed_by}
    read: Collection[str] = {
        record.operation
        for record in snapshot.coverage
        if record.state is State.ASSESSED or record.reason is Reason.NOT_IN_CLOUD
    }
    return sets <= set(read)
