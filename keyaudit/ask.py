"""Answers questions about a snapshot without policies: access, incidents, rotation, inventory, expirations."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from keyaudit.gate import assess, with_conditions
from keyaudit.gate.access_models import with_access_models
from keyaudit.inventory.naming import Named, Names, Noun
from keyaudit.inventory.owners import OWNERS_ASKED
from keyaudit.inventory.part import VIEWS, bounded
from keyaudit.inventory.reads import operations, operations_of
from keyaudit.inventory.snapshot import Snapshot
from keyaudit.model.coverage import ScopeKind
from keyaudit.model.errors import UsageError
from keyaudit.model.results.causes import is_id
from keyaudit.model.results.listing import Selection
from keyaudit.model.results.run import Expiring, Gap, Inventory
from keyaudit.model.scope.part import WHOLE, Part
from keyaudit.model.tables import TABLES
from keyaudit.model.tables.places import HSMS_FOUND, VAULTS_FOUND
from keyaudit.model.tables.reach import COLUMNS as REACH_COLUMNS

_LISTED = 10
"""The maximum number of findings that are listed."""

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from keyaudit.inventory.logs import LogStore
    from keyaudit.inventory.usage.baseline import Baseline
    from keyaudit.questions.access.answer import Access
    from keyaudit.questions.incident.answer import Incident
    from keyaudit.questions.rotation.answer import Rotation


@contextlib.contextmanager
def inventory(
    snapshot: Snapshot,
    tables: Sequence[str],
    *,
    as_of: int,
    unmet: Sequence[Gap] | None = None,
    selection: Selection | None = None,
    part: Part = WHOLE,
) -> Iterator[Inventory]:
    """These tables of the snapshot, without evaluation. Rows are streamed while the context is open; those of a single table
    have owners.

    `selection`: only these rows, of the one table.
    `part`, here and below: only rows within. Raises UsageError if nothing lies within.
    `unmet`, here and below: the expectations that the snapshot does not meet; None if nothing is expected.
    """
    from keyaudit.inventory.listing import listing

    reach_known = any(not REACH_COLUMNS.isdisjoint(TABLES[name].by_name) for name in tables)
    owners = len(tables) == 1
    views = _views(tables, part) | ({*OWNERS_ASKED} if owners else set())
    with snapshot.judging(as_of, reach_known=reach_known, names=views) as connection:
        limits = bounded(connection, part, snapshot.run)
        coverage = limits.coverage(snapshot.coverage)
        run = limits.run(structs.replace(snapshot.run, as_of=as_of))
        tables = [name for name in tables if limits.may_hold(TABLES[name])]
        listings = tuple(
            listing(connection, TABLES[name], snapshot.run.evidence, selection, limits, owners=owners) for name in tables
        )
        unknown = {each.reason for table in listings for each in table.unknown}
        verdict = assess(run, coverage, operations(*tables), unknown=unknown, unmet=unmet)
        verdict = with_access_models(verdict, snapshot)
        yield Inventory(run, verdict, listings)


def _views(names: Iterable[str], part: Part) -> set[str]:
    """These views, and those that show what a part of the tenant may be called."""
    return {*names, *VIEWS} if part else {*names}


_VAULT_OBJECTS = {"key": ("key_id",), "certificate": ("certificate_id",), "secret": ("secret_id",)}
_APPLICATIONS = {"application": ("app_id", "id"), "service_principal": ("app_id", "id")}
_OF_VAULTS = (Noun.KEY, Noun.CERTIFICATE, Noun.SECRET)
_OF_ENTRA = (Noun.CREDENTIAL, Noun.PUBLISHED_KEY, Noun.SIGNING_CERTIFICATE, Noun.APPLICATION)


class Takes(Struct, frozen=True):
    """The resources that a command takes."""

    command: str
    nouns: Sequence[Noun]
    of_findings: Mapping[str, Sequence[str]]
    """By table, the columns that name the resource of a finding about it: the first with a value."""


ACCESS = Takes(
    "access",
    (Noun.VAULT, Noun.HSM, *_OF_VAULTS, Noun.PRINCIPAL),
    {
        **_VAULT_OBJECTS,
        **_APPLICATIONS,
        "vault": ("id",),
        "credential": ("app_id", "holder_id"),
        "grant": ("principal_id",),
    },
)
KEYS = Takes(
    "this command",
    (*_OF_VAULTS, *_OF_ENTRA),
    {
        **_VAULT_OBJECTS,
        **_APPLICATIONS,
        "credential": ("thumbprint_sha256", "app_id", "holder_id"),
        "signing_certificate": ("thumbprint_sha256", "thumbprint"),
    },
)
ROTATION = Takes(
    "rotation",
    (*_OF_VAULTS, *_OF_ENTRA),
    {
        **_VAULT_OBJECTS,
        **_APPLICATIONS,
        "key_use": ("key_id",),
        "secret_use": ("secret_id",),
        "credential": ("key_id", "app_id", "holder_id"),
        "signing_certificate": ("thumbprint_sha256", "thumbprint"),
    },
)


def resolve(snapshot: Snapshot, asked: str, takes: Takes, *, required: bool = True) -> tuple[str, Named | None]:
    """What `asked` stands for, where it may be a finding's id, and the resource of this name.

    `required`: there must be one, or the text must be the digest of a certificate or public key, which can be searched for.
    Raises UsageError if there is none, several, or one that the command does not take.
    """
    from keyaudit.questions.blast_radius.evidence.subject import is_digest

    stored = {table: snapshot.stored(table) for table in snapshot.tables}
    with snapshot.reading() as connection:
        text = _of_finding(connection, stored, asked.strip(), takes)
        names = Names(connection, stored)
        named = names.resolve(text, takes.nouns)
        if named is None and required and not (Noun.CREDENTIAL in takes.nouns and is_digest(text)):
            raise names.unknown(text, takes.nouns)
    return text, named


def _of_finding(connection: "DuckDBPyConnection", stored: Mapping[str, str], asked: str, takes: Takes) -> str:
    """The name of the resource of a finding, where `asked` is a finding's id or how it begins; any other text unchanged.

    Raises UsageError if the command takes no such resource, or several findings begin so.
    """
    from keyaudit.policy.evaluation.finding_ids import beginning
    from keyaudit.policy.load import load

    if not is_id(asked):
        return asked
    findings = beginning(connection, load(), stored, asked, takes.of_findings)
    if not findings:
        # It may be the name of a key, or a key id.
        return asked
    meant = {each.name for each in findings}
    if len(meant) > 1:
        ids = ", ".join(f"{each.finding} ({each.policy})" for each in findings[:_LISTED])
        more = f" and {len(findings) - _LISTED:,} more" if len(findings) > _LISTED else ""
        raise UsageError(takes.command, f"the ids of several findings begin with {asked}: {ids}{more}", "give more digits")
    [name] = meant
    if name is None:
        kinds = ", ".join(TABLES[table].plural for table in takes.of_findings)
        about = TABLES[findings[0].table].plural
        what = f"finding {findings[0].finding} is about {about}, and {takes.command} about {kinds}"
        raise UsageError(asked, what, f"see keyaudit explain {asked}")
    return name


def access(snapshot: Snapshot, asked: str, *, as_of: int, unmet: Sequence[Gap] | None = None) -> "Access":
    """Who can use the resource `asked`, or what it can use as a principal. Raises UsageError if unknown or ambiguous.

    For a resource in a vault that was read, a missing vault that was expected makes no difference.
    """
    from keyaudit.inventory.views.access.reach import LOCAL_LISTED
    from keyaudit.model.tables.reach import OPERATIONS as REACH_OPERATIONS
    from keyaudit.model.tables.reach import WIDENING
    from keyaudit.questions.access.answer import Access
    from keyaudit.questions.access.evidence import (
        BESIDE,
        BESIDE_ELIGIBLE,
        TABLES_ASKED,
        described,
        reached_by,
        who_reaches,
    )

    _, meant = resolve(snapshot, asked, ACCESS)
    if meant is None:
        raise RuntimeError("a resource was required and not found")
    with snapshot.judging(as_of, names=TABLES_ASKED, prepared=True) as connection:
        by_principal = meant.noun == "principal"
        found = reached_by(connection, meant) if by_principal else who_reaches(connection, meant)
        note = described(connection, meant)
    of_hsms = (*HSMS_FOUND, *LOCAL_LISTED) if by_principal or note == "hsm-local" else ()
    beside = (*BESIDE, *operations_of("grant", "name")) if by_principal else ()
    # Nested membership is known only where the intermediate groups were read.
    required = frozenset((*REACH_OPERATIONS, "group.direct_members", *VAULTS_FOUND, *of_hsms, *beside))
    widening = {*WIDENING, *(BESIDE_ELIGIBLE if by_principal else ())}
    # Gaps in other vaults do not affect this one.
    places = {meant.vault_id, "/".join(meant.vault_id.split("/")[:3])}
    here = [
        record
        for record in snapshot.coverage
        if by_principal
        or (
            record.operation in required.union(widening)
            and (record.scope.kind is ScopeKind.TENANT or record.scope.id in places)
        )
    ]
    run = snapshot.run if by_principal else structs.replace(snapshot.run, rows={**snapshot.run.rows, "vault": 1})
    return Access(
        run=structs.replace(snapshot.run, as_of=as_of),
        verdict=assess(run, here, required, unknown=found.reasons, unmet=unmet and (unmet if by_principal else ())),
        noun=meant.noun,
        id=meant.id,
        name=meant.name,
        note=note,
        reaches=found.reaches,
        open=found.open,
        others=found.others,
        inert=found.inert,
        unlisted=[record for record in here if record.operation in widening and record.reason is not None],
    )


def incident(
    snapshot: Snapshot,
    asked: str,
    *,
    as_of: int,
    logs: "LogStore | None" = None,
    usual: "Baseline | None" = None,
    first: int | None = None,
    reach: bool = False,
    verify: bool = False,
    since: Snapshot | None = None,
    unmet: Sequence[Gap] | None = None,
) -> "Incident":
    """What trusts the key `asked`, what its holder can access, and what happened with it. Raises UsageError if it is unknown or
    ambiguous.

    `first`: the start of the first day of logs; None: the day after the baseline `usual`, or without one, the first day of the
    logs. `reach`: the answer is complete without logs. `verify`: only what trusts it; a key that the snapshot does not have is
    taken from the earlier one, `since`.
    """
    from keyaudit.inventory.usage.learn import window_of
    from keyaudit.questions.blast_radius.evidence.reading import DERIVED, in_earlier, read
    from keyaudit.questions.blast_radius.evidence.subject import names
    from keyaudit.questions.incident.answer import Incident
    from keyaudit.questions.incident.evidence import acts, work
    from keyaudit.questions.incident.evidence import logs as logged
    from keyaudit.questions.incident.evidence import subject as known
    from keyaudit.questions.incident.evidence.signing import signed
    from keyaudit.questions.incident.evidence.tokens import with_tokens

    earlier = in_earlier(since, *resolve(since, asked, KEYS, required=False)) if since is not None else None
    text, meant = resolve(snapshot, asked, KEYS, required=not verify)
    with snapshot.judging(as_of, reach_known=not verify, columns=DERIVED, prepared=True) as connection:
        found = read(connection, text, meant, as_of=as_of, verify=verify, earlier=earlier)
        about = known.about(connection, found.subject)
        keys = known.facts(connection, found.subject, about)
        run, coverage = found.places(snapshot.run, snapshot.coverage)
        verdict = assess(run, coverage, found.required, unmet=unmet)
        radius = structs.replace(found.radius(structs.replace(snapshot.run, as_of=as_of), verdict), stated=not reach)
        seen = None
        if logs is not None:
            first = usual.until if first is None and usual is not None else first
            window = window_of(logs, first, None)
            with logs.connect(window, besides=[usual.folder] if usual else []) as uses:
                seen = logged.observed(uses, about, window, usual, logs.tenant_id, unrecorded=known.unrecorded(radius))
                named = work.named_in(radius, (*seen.uses, *seen.timeline))
                strange = work.outside(uses, named, window, acts.reasons(held=usual is not None))
                learned = work.learned(uses, named) if usual is not None else []
            with logs.connect(tokens=True, besides=[usual.folder] if usual else []) as uses:
                seen = with_tokens(uses, about, logged.earlier(uses, about, seen), usual)
                shown = work.shown(uses, named, strange, learned, window.since)
                seen = structs.replace(seen, signed=signed(uses, about, keys, shown, as_of))
                radius = work.with_logs(radius, shown, named, as_of)
            ids = seen.tokens.apps if seen.tokens else set()
            ids |= {each for act in (*seen.uses, *seen.timeline, *seen.causes) for each in act.ids}
            seen = logged.named(seen, names(connection, ids))
        compared = known.compared(connection, found.subject)
        named_acts = (*seen.uses, *seen.timeline, *seen.causes) if seen else ()
        kinds = known.kinds(connection, {act.credential for act in named_acts if act.credential})
        extractable = known.extractable(keys, found.stolen)
        made = Incident(radius=radius, keys=keys, observed=seen, extractable=extractable, compared=compared, kinds=kinds)
        users = known.people(connection, {act.actor.principal_id for act in named_acts if act.actor.principal_id})
        made = structs.replace(made, consumers=known.consumers(connection, made.touched), people=users)
    verdict = with_conditions(radius.verdict, radius.exit_codes if reach else {*radius.exit_codes, *made.exit_codes})
    return structs.replace(made, radius=structs.replace(radius, verdict=verdict))


def rotation(
    snapshot: Snapshot, asked: str, *, as_of: int, since: Snapshot | None = None, unmet: Sequence[Gap] | None = None
) -> "Rotation":
    """Who uses which version of `asked`: a key, certificate, secret, credential or application.

    `since`: an earlier snapshot, to show what moved. Raises UsageError if `asked` names nothing that was read, or is ambiguous.
    """
    from keyaudit.model.evidence import LOGS
    from keyaudit.questions.rotation.evidence.reading import DERIVED, read
    from keyaudit.questions.rotation.evidence.views import Views

    text, meant = resolve(snapshot, asked, ROTATION)
    uses = snapshot.stored("usage") if LOGS in snapshot.run.evidence else None
    with snapshot.judging(as_of, reach_known=False, columns=DERIVED) as connection:
        found = read(Views(connection, uses, snapshot.run.as_of, as_of), text, meant)
    run, coverage = found.places(snapshot.run, snapshot.coverage)
    verdict = assess(run, coverage, found.required, unmet=unmet)
    answer = found.rotation(structs.replace(snapshot.run, as_of=as_of), verdict)
    answer = structs.replace(answer, verdict=with_conditions(verdict, answer.exit_codes))
    return answer if since is None else answer.since(rotation(since, answer.target, as_of=since.run.as_of))


@contextlib.contextmanager
def expiring(
    snapshot: Snapshot, *, as_of: int, within: int, unmet: Sequence[Gap] | None = None, part: Part = WHOLE
) -> Iterator[Expiring]:
    """The rows of the snapshot that expire within so many seconds, streamed while the context is open."""
    from keyaudit.inventory.expiring import TABLES_THAT_END, endings, operations_read, prepare
    from keyaudit.inventory.owners import OWNERS_ASKED

    often = [table.name for table in TABLES_THAT_END]
    names = _views({*often, *OWNERS_ASKED}, part)
    with snapshot.judging(as_of, reach_known=False, often=often, names=names) as connection:
        limits = bounded(connection, part, snapshot.run)
        coverage = limits.coverage(snapshot.coverage)
        run = limits.run(structs.replace(snapshot.run, as_of=as_of))
        found = prepare(connection, as_of, as_of + within, limits)
        yield Expiring(
            run=run,
            verdict=assess(run, coverage, operations_read(), unknown=found.reasons, unmet=unmet),
            before=as_of + within,
            overdue=found.overdue,
            soon=found.soon,
            unknown=found.unknown,
            retired=found.retired,
            looked={table.name: run.rows.get(table.name, 0) for table in TABLES_THAT_END},
            endings=lambda: endings(connection, run.evidence),
        )
