"""Answers the question from the views and the stored uses, with the reads that a complete answer requires."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct, structs

from keyaudit.inventory.naming import Named
from keyaudit.model.coverage import Coverage, ScopeKind
from keyaudit.model.directory.first_party import FIRST_PARTY
from keyaudit.model.operations import OPERATIONS
from keyaudit.model.reasons import Reason
from keyaudit.model.results.run import Run, Verdict
from keyaudit.model.tables import TABLES
from keyaudit.model.tables.places import VAULTS_FOUND
from keyaudit.questions.blast_radius.answer import Kind as NodeKind
from keyaudit.questions.blast_radius.evidence.reading import DERIVED as OF_BLAST_RADIUS
from keyaudit.questions.blast_radius.evidence.reading import Reading, hold
from keyaudit.questions.blast_radius.evidence.subject import Subject, names
from keyaudit.questions.blast_radius.evidence.walk import trusted
from keyaudit.questions.rotation.answer import Consumer, Follows, Kind, Logged, Proof, Rotation, State, Unread, Version, Why
from keyaudit.questions.rotation.evidence import logs
from keyaudit.questions.rotation.evidence.identities import Held, credentials_held, digests, identities, version_of
from keyaudit.questions.rotation.evidence.services import secrets_of, services, unnamed
from keyaudit.questions.rotation.evidence.trusting import trusting
from keyaudit.questions.rotation.evidence.versions import Versions, of_rotation, versions
from keyaudit.questions.rotation.evidence.views import Views

_USED = frozenset(TABLES["secret_use"].listed_by)
_OF_SECRET = frozenset(("secret.list", "secret.versions", *VAULTS_FOUND))
DERIVED: Mapping[str, frozenset[str]] = {
    **OF_BLAST_RADIUS,
    "signing_certificate": OF_BLAST_RADIUS["signing_certificate"] | {"has_successor"},
}
"""By table, the derived columns that the answer reads: a connection for it needs no others."""
_NOBODY = "a caller that the log does not name"


class Found(Struct, frozen=True):
    """The answer, before gaps of the ledger are added."""

    subject: Subject
    trust: Reading
    new: Version | None
    old: Sequence[Version]
    unsure: Reason | None
    consumers: Sequence[Consumer]
    logs: Sequence[Logged]
    wraps: bool
    vault: str
    served: bool
    """Whether a service encrypts with it."""
    secret: bool
    """Whether services may read it as a secret of the vault."""
    unnamed: Sequence[Unread]
    """The settings that may name it, because they could not be read."""

    @property
    def required(self) -> frozenset[str]:
        """The operations that the answer depends on."""
        own = _OF_SECRET if self.subject.noun == "secret" else self.trust.required
        return own | _USED if self.secret else own

    def places(self, run: Run, coverage: Sequence[Coverage]) -> tuple[Run, Sequence[Coverage]]:
        """The part of the ledger about it: of a secret, its own vault alone."""
        if self.subject.noun != "secret":
            return self.trust.places(run, coverage)
        own = [each for each in coverage if each.scope.kind is not ScopeKind.VAULT or each.scope.id == self.subject.vault_id]
        return structs.replace(run, rows={**run.rows, "vault": 1}), own

    def rotation(self, run: Run, verdict: Verdict) -> Rotation:
        """The whole answer."""
        radius = self.trust.radius(run, verdict)
        unseen = [edge for edge in radius.edges if radius.nodes[edge.target].kind is NodeKind.UNSEEN]
        return Rotation(
            run=run,
            verdict=verdict,
            noun=self.subject.noun,
            # The row of a credential has a longer id, which is not what people have.
            target=self.subject.id.rpartition("/")[2] if self.subject.noun == "credential" else self.subject.id,
            name=self.subject.name,
            new=self.new,
            old=self.old,
            unsure=self.unsure,
            consumers=sorted(self.consumers, key=lambda each: (list(Kind).index(each.kind), each.name, each.id)),
            logs=self.logs,
            # No API shows the parties that verify signatures with the public key.
            unread=[
                Unread(what=radius.nodes[edge.target].name, reason=edge.doubt)
                for edge in unseen
                if edge.doubt not in (None, Reason.NOT_SUPPLIED, Reason.NOT_IN_CLOUD)
            ]
            + [*self.unnamed, *self._unlisted(verdict)],
            wraps=self.wraps or self.served,
            vault=self.vault,
            hsm="/managedhsms/" in self.subject.vault_id,
        )

    def _unlisted(self, verdict: Verdict) -> Iterator[Unread]:
        """The lists that may have more services, besides those that its trust depends on."""
        for gap in verdict.gaps:
            missed = [each for each in gap.operations if self.secret and each in _USED - self.trust.required]
            if missed and gap.reason is not Reason.NOT_IN_CLOUD:
                nouns = ", ".join(dict.fromkeys(OPERATIONS[operation].noun for operation in missed))
                yield Unread(what=f"services that use it: {nouns} not read", reason=gap.reason)


def read(views: Views, asked: str, meant: Named | None) -> Found:
    """The answer from the views about `asked`, which names `meant`. Raises UsageError if it names nothing that was read."""
    connection = views.connection
    hold(connection)
    subject = of_rotation(connection, asked, meant)
    of = versions(connection, subject)
    own = credentials_held(views, subject, of)
    in_vault = bool(subject.vault_id)
    if not in_vault:
        new, old = _credentials(own)
        of = Versions(new=new, old=old, digests=digests(own))
    begun = of.new is not None
    both = [each for each in own if each.new and each.old]
    logged = [_vault_log(views, subject, of)] if in_vault else []
    if both or (own and not begun):
        # An application that has only one of both can only sign in with that one.
        logged.append(_sign_in_log(views, both or own))
    of_sign_ins = next((each for each in logged if each.log == logs.SIGN_INS), None)
    served, secret = list(services(views, subject, of)), bool(secrets_of(subject, of))
    consumers = [
        *identities(views, own, of_sign_ins, begun=begun),
        *trusting(views, subject, of),
        *served,
        *(_users(views, subject, of, logged[0]) if in_vault else ()),
    ]
    trust = Reading(subject, trusted(connection, subject, as_of=views.as_of), True, None, {}, frozenset())
    return Found(
        subject=subject,
        trust=trust,
        new=of.new,
        old=of.old,
        unsure=of.unsure or (None if in_vault else next((each.reason for each in own if each.reason is not None), None)),
        consumers=consumers,
        logs=logged,
        wraps=in_vault and of.wraps,
        vault=subject.name.partition("/")[0] if in_vault else "",
        served=any(each.key_id for each in served),
        secret=secret,
        unnamed=list(unnamed(views)) if secret else (),
    )


def _credentials(own: Sequence[Held]) -> tuple[Version | None, list[Version]]:
    """The newest credential that replaces others, and the credentials to be replaced."""
    new = [version_of(row) for each in own for row in each.new]
    old = [version_of(row) for each in own for row in each.old]
    return max(new, key=lambda each: each.created_on or 0, default=None), old


def _vault_log(views: Views, subject: Subject, of: Versions) -> Logged:
    begun_on = 0 if of.new is None else of.new.created_on
    return logs.of_vault(views, subject.vault_id, _host(subject), begun_on)


def _sign_in_log(views: Views, own: Sequence[Held]) -> Logged:
    """What the log of sign-ins covers since the last of these applications got its new credential."""
    times = [row["starts_on"] for each in own for row in each.new]
    begun_on = None if None in times else max(times, default=0)
    return logs.of_tenant(views, {each.app for each in own}, begun_on)


def _users(views: Views, subject: Subject, of: Versions, logged: Logged) -> Iterator[Consumer]:
    """Everybody who used a version of it, as the log of its vault names them."""
    since = logs.recent(logged, None if of.new is None else of.new.created_on, views.as_of)
    by_actor: dict[tuple[str, str], list[logs.Use]] = {}
    for use in logs.uses_of(views, f"{_host(subject)}/{subject.id.split('/')[4].lower()}", since):
        by_actor.setdefault((use.app or "", use.principal or ""), []).append(use)
    called = names(views.connection, {each for actor in by_actor for each in actor if each})
    for actor, found in by_actor.items():
        yield _user(actor, called, found, of, enough=logged.enough)


def _host(subject: Subject) -> str:
    return subject.id.split("/")[2]


def _user(
    actor: tuple[str, str], called: Mapping[str, str], found: Collection[logs.Use], of: Versions, *, enough: bool
) -> Consumer:
    app, principal = actor

    def latest(wanted: bool | None) -> logs.Use | None:
        its = [use for use in found if of.is_new(use.version) is wanted]
        return max(its, key=lambda use: use.last_on, default=None)

    old, new, unnamed = latest(False), latest(True), latest(None)
    by_use = logs.judged(old.last_on if old else None, new.last_on if new else None, since=0)
    shown = old or new or unnamed
    if by_use is not None:
        state, why = by_use
    elif unnamed is not None:
        state, why, shown = State.UNKNOWN, Why.USED_UNNAMED, unnamed
    else:
        state, why, shown = (State.MOVED if enough else State.UNKNOWN), Why.USED_NEW, new
    name = called.get(app) or called.get(principal) or FIRST_PARTY.get(app, "") or app or principal or _NOBODY
    return Consumer(
        kind=Kind.USER,
        id=app or principal,
        name=name,
        what="caller",
        state=state,
        follows=Follows.UNKNOWN,
        why=why,
        proof=Proof.LOGS,
        seen_on=shown.last_on if shown else None,
        held=shown.version if shown else "",
    )
