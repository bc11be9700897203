"""Answers one question about a key from the views, with the reads that a complete answer requires."""

from collections.abc import Iterator, Mapping, Sequence

import duckdb
from msgspec import Struct, structs

from keyaudit.inventory.naming import Named
from keyaudit.inventory.reads import operations_of
from keyaudit.inventory.snapshot import Snapshot
from keyaudit.inventory.views.access.reach import LOCAL_LISTED
from keyaudit.model.coverage import Coverage, ScopeKind
from keyaudit.model.operations import OPERATIONS
from keyaudit.model.reasons import Reason
from keyaudit.model.results.run import Gap, Run, Verdict
from keyaudit.model.stolen_keys import Stolen
from keyaudit.model.tables import TABLES
from keyaudit.model.tables.places import HSMS_FOUND, VAULTS_FOUND
from keyaudit.model.tables.reach import OPERATIONS as REACH_OPERATIONS
from keyaudit.model.tables.vaults.secret_use import KEEPING
from keyaudit.questions.access.evidence import BESIDE
from keyaudit.questions.blast_radius.activity import Source, Used, Work, credential
from keyaudit.questions.blast_radius.answer import BlastRadius, Edge, Kind, Node, Relation
from keyaudit.questions.blast_radius.evidence.graph import rows
from keyaudit.questions.blast_radius.evidence.subject import Subject, named, stolen, subject, with_credentials
from keyaudit.questions.blast_radius.evidence.walk import Walked, own_missing, trusted, walked


def reported(connection: duckdb.DuckDBPyConnection, edges: Sequence[Edge]) -> Mapping[str, Work]:
    """The evidence about the applications of a graph that sign in, and their credentials, as in `BlastRadius.work`."""
    signing = [edge for edge in edges if edge.relation is Relation.SIGNS_IN_AS]
    apps = sorted({edge.target for edge in signing})
    query = """
        SELECT lower(app_id) AS name, max(last_sign_in_on) AS last_on FROM sign_in_activity
        WHERE list_contains($ids, lower(app_id)) AND last_sign_in_on IS NOT NULL GROUP BY ALL ORDER BY ALL"""
    found = {row["name"]: _work(Source.SIGN_INS, row["last_on"]) for row in rows(connection, query, {"ids": apps})}
    keys = sorted({edge.facts["key_id"].lower() for edge in signing if "key_id" in edge.facts})
    query = """
        SELECT lower(key_id) AS name, max(last_used_on) AS last_on FROM credential_activity
        WHERE list_contains($ids, lower(key_id)) AND last_used_on IS NOT NULL GROUP BY ALL ORDER BY ALL"""
    for row in rows(connection, query, {"ids": keys}):
        found[credential(row["name"])] = _work(Source.CREDENTIALS, row["last_on"])
    return found


def serving(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """The addresses of vaults with keys that services encrypt with, whose identities the inventory does not name."""
    query = """
        SELECT DISTINCT array_to_string(list_slice(string_split(key_id, '/'), 1, 3), '/') AS host FROM key_use
        WHERE key_id IS NOT NULL"""
    return frozenset(row["host"] for row in rows(connection, query, []))


def _work(source: Source, last_on: int) -> Work:
    return Work(used=[Used(source=source, last_on=last_on)])


_DIGEST = "public_key_sha256"


def _shown(table: str) -> frozenset[str]:
    """The operations that list the rows of a table with their certificates."""
    return frozenset((*TABLES[table].listed_by, *operations_of(table, _DIGEST)))


_ENCRYPTED = frozenset((*TABLES["key_use"].listed_by, *operations_of("key_use", "pinned")))
_BY_DIGEST: Mapping[Relation, frozenset[str]] = {
    # Only rows with a certificate depend on a key: federated credentials are listed separately.
    Relation.SIGNS_IN_AS: frozenset(operations_of("credential", _DIGEST)),
    Relation.SIGNS_TOKENS_FOR: _shown("signing_certificate"),
    Relation.PUBLISHED_AS: _shown("issuer_key"),
    Relation.ISSUES_FOR: _shown("trusted_authority"),
    Relation.KEPT_IN: _shown("certificate"),
    Relation.ENCRYPTS: _ENCRYPTED,
}
_KEY_OF_VAULT = frozenset(
    {"key.list", "key.versions", "key.get", "certificate.list", "certificate.versions", "certificate.get"}
)
_LISTING_SECRETS = ("secret.list", "secret.versions")
SECRET = frozenset(TABLES["secret"].listed_by)
"""The operations that list secrets of vaults."""
GIVEN = frozenset(TABLES["secret_use"].listed_by)
"""The operations that list the services that use secrets."""
_KEY_OF_HSM = frozenset({"hsm.key.list", "hsm.key.versions", "hsm.key.get"})
_REACH = frozenset(
    (
        "federated_token_validation.get",
        *REACH_OPERATIONS,
        "group.direct_members",
        "agent_user.list",
        *VAULTS_FOUND,
        *HSMS_FOUND,
        *LOCAL_LISTED,
        *BESIDE,
        *operations_of("grant", "name"),
    )
)
_FEDERATED = frozenset(operation for operation in TABLES["credential"].listed_by if "federated" in operation)
EVERY = _REACH.union(_FEDERATED, *_BY_DIGEST.values(), _KEY_OF_VAULT, _KEY_OF_HSM)
"""The operations that the answer about some key depends on."""
_WORDS = {
    Relation.SIGNS_IN_AS: "applications that sign in with it",
    Relation.SIGNS_TOKENS_FOR: "applications, domains and identity providers whose tokens it signs",
    Relation.PUBLISHED_AS: "published keys",
    Relation.ISSUES_FOR: "trusted certificate authorities",
    Relation.KEPT_IN: "copies of it in vaults",
    Relation.ENCRYPTS: "services that encrypt with it",
    Relation.GIVEN_TO: "services that are set to use it",
    Relation.REACHES: "who can use it, and what its holder reaches",
}
"""What may be missing for each unread operation."""


_HELD = {
    "credential": "id, name, kind, key_id, holder_kind, holder_type, holder_id, holder_name, app_id, usage, expires_on,"
    " starts_on, issuer, subject, subject_grade, subject_dangling, thumbprint,"
    " thumbprint_sha256, public_key_sha256, unknown",
    "certificate": "id, name, certificate_id, version, vault_id, vault_name, enabled, is_current, exportable, custody,"
    " key_version_id, thumbprint, thumbprint_sha256, public_key_sha256, unknown",
}
"""The results of slow views that are read repeatedly, computed once."""
DERIVED: Mapping[str, frozenset[str]] = {
    "certificate": frozenset({"custody"}),
    "credential": frozenset({"subject_dangling"}),
    "key": frozenset(),
    "key_use": frozenset({"current_version"}),
    "secret": frozenset(),
    "secret_use": frozenset(),
    "service_principal": frozenset({"tier0"}),
    "signing_certificate": frozenset({"mfa_trusted", "signs_for_administrators"}),
}
"""By table, the derived columns that these answers read: a connection for them needs no others."""


def in_earlier(earlier: Snapshot, asked: str, meant: Named | None) -> Subject | None:
    """The subject that `asked` names in an earlier snapshot, for `read`; None if that snapshot does not have it."""
    with earlier.judging(earlier.run.as_of, reach_known=False, columns=DERIVED) as connection:
        hold(connection)
        found = named(connection, asked, meant)
        if found is None or not found.seen:
            return None
        return structs.replace(found, gone=True, missing=own_missing(connection, found))


def read(
    connection: duckdb.DuckDBPyConnection,
    asked: str,
    meant: Named | None,
    *,
    as_of: int,
    verify: bool,
    earlier: Subject | None = None,
) -> "Reading":
    """The answer from the views about `asked`, which is `meant` where the snapshot has it. Raises UsageError if it is nothing.

    With `verify`, a subject that is neither in this snapshot nor in an `earlier` one is unknown, because it may be mistyped.
    """
    hold(connection)
    about = with_credentials(connection, subject(connection, asked, meant, gone=verify, earlier=earlier))
    found = trusted(connection, about, as_of=as_of) if verify else walked(connection, about, as_of=as_of)
    work = reported(connection, found.graph.edges)
    return Reading(about, found, verify, stolen(connection, about), work, serving(connection))


def hold(connection: duckdb.DuckDBPyConnection) -> None:
    """Computes the slow views that `read` and the resolution of names need, once for a connection."""
    for table, columns in _HELD.items():
        connection.execute(f"CREATE TEMP TABLE held_{table} AS SELECT {columns} FROM {table}")  # noqa: S608 - named above


class Reading(Struct, frozen=True):
    """The graph, before gaps of the ledger are added."""

    subject: Subject
    found: Walked
    verify: bool
    stolen: Stolen | None
    """Publicly known facts about its theft."""
    work: Mapping[str, Work]
    """What Entra's reports show of the applications that sign in with it."""
    serving: frozenset[str]
    """The addresses of vaults with keys that services encrypt with."""

    @property
    def required(self) -> frozenset[str]:
        """The operations that the answer depends on."""
        return frozenset().union(*self._needs().values())

    def places(self, run: Run, coverage: Sequence[Coverage]) -> tuple[Run, Sequence[Coverage]]:
        """The part of the ledger about the subject: for a key without a certificate, only its own vault.

        Of a run for one page, reads that were left out count if the answer depends on them.
        """
        required = self.required
        coverage = [
            each
            for each in coverage
            if (each.reason is not Reason.NOT_ASKED or each.operation in required)
            # No other vault has this secret.
            and (each.operation not in _LISTING_SECRETS or each.scope.id == self.subject.vault_id)
        ]
        if self.subject.has_digest or not self.subject.vault_id:
            return run, coverage
        elsewhere = (ScopeKind.VAULT, ScopeKind.MANAGED_HSM)
        here = [record for record in coverage if record.scope.kind not in elsewhere or record.scope.id == self.subject.vault_id]
        return structs.replace(run, rows={**run.rows, "vault": 1}), here

    def radius(self, run: Run, verdict: Verdict) -> BlastRadius:
        """The whole graph, with an edge to an unseen node for every gap."""
        graph = self.found.graph
        unread = (*self._never_read(), *self._gaps(verdict.gaps), *self.found.missing, *self._elsewhere(), *self._unsaid())
        for relation, what, reason in unread:
            node = Node(id=f"unknown/{relation}/{what}", kind=Kind.UNSEEN, name=what)
            graph.join(node, Edge(source=graph.subject.id, target=node.id, relation=relation, doubt=reason))
        return BlastRadius(
            run=run,
            verdict=verdict,
            target=self.subject.id,
            subject=graph.subject,
            digests=sorted(self.subject.keys),
            nodes=graph.nodes,
            edges=graph.edges,
            verify=self.verify,
            gone=self.subject.gone,
            stolen=self.stolen,
            work=self.work,
            serving=self.serving,
        )

    def _needs(self) -> Mapping[Relation, frozenset[str]]:
        needs: dict[Relation, frozenset[str]] = dict(_BY_DIGEST) if self.subject.has_digest else {}
        if self.subject.credentials or self.subject.noun in ("application", "credential"):
            needs[Relation.SIGNS_IN_AS] = frozenset(TABLES["credential"].listed_by)
        if self.subject.issuer_keys:
            needs[Relation.PUBLISHED_AS] = _shown("issuer_key")
        if self.subject.key_ids:
            of_hsm = "/managedhsms/" in self.subject.vault_id
            own = _KEY_OF_HSM if of_hsm else _KEY_OF_VAULT
            needs[Relation.KEPT_IN] = needs.get(Relation.KEPT_IN, frozenset()) | own
            needs[Relation.ENCRYPTS] = _ENCRYPTED
        if self.subject.secret_ids:
            needs[Relation.KEPT_IN] = SECRET
        if self.subject.secret_ids and not self.verify:
            needs[Relation.GIVEN_TO] = GIVEN
        if not self.verify:
            # Other applications may trust those that sign in with it.
            identities = any(node.kind is Kind.IDENTITY for node in self.found.graph.nodes.values())
            needs[Relation.REACHES] = _REACH | (
                _FEDERATED - needs.get(Relation.SIGNS_IN_AS, frozenset()) if identities else frozenset()
            )
        return needs

    def _gaps(self, gaps: Sequence[Gap]) -> Iterator[tuple[Relation, str, Reason]]:
        for gap in gaps:
            for relation, operations in self._needs().items():
                missed = [operation for operation in gap.operations if operation in operations]
                # A list that several relations depend on is named with the first.
                if missed:
                    if gap.reason is Reason.NOT_ASKED and _FEDERATED.issuperset(missed):
                        # Its own were read.
                        relation = Relation.REACHES  # noqa: PLW2901 - what may be missing
                    place = "" if gap.scope.kind is ScopeKind.TENANT else f" of {gap.scope.name or gap.scope.id}"
                    nouns = ", ".join(dict.fromkeys(OPERATIONS[operation].noun for operation in missed))
                    yield relation, f"{_WORDS[relation]}: {nouns}{place} not read", gap.reason

    def _never_read(self) -> Iterator[tuple[Relation, str, Reason]]:
        """The doubt about a subject that was never read: it may be mistyped, so the absence of trust proves nothing."""
        if self.verify and not self.subject.seen and not self.found.graph.edges:
            relation = Relation.KEPT_IN if self.subject.key_ids else Relation.SIGNS_IN_AS
            what = "nothing by this id was read: it is gone, or the id is mistyped; --since with an earlier snapshot tells"
            yield relation, what, Reason.NOT_VISIBLE

    def _unsaid(self) -> Iterator[tuple[Relation, str, Reason]]:
        """An edge for what accepts a secret, unless its tags or a service say what that is: keyaudit never reads a value."""
        said = any(
            edge.relation in (Relation.ADMITS, Relation.SIGNS_IN_AS) or edge.facts.get("kind") in KEEPING
            for edge in self.found.graph.edges
            if edge.source == self.found.graph.subject.id
        )
        if self.subject.secret_ids and not said:
            what = "what accepts its value, which its owner has to say: keyaudit reads no values, and no tag names it"
            yield Relation.ADMITS, what, Reason.NOT_SUPPLIED

    def _elsewhere(self) -> Iterator[tuple[Relation, str, Reason]]:
        """An edge for what no API of Azure shows: systems that verify signatures with the public key."""
        if self.subject.key_ids or self.subject.has_digest:
            also = "" if self.subject.has_digest else ", or a certificate made on it elsewhere"
            yield Relation.SIGNS_TOKENS_FOR, f"other parties that were given its public half{also}", Reason.NOT_SUPPLIED
