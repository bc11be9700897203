"""The traversal from the subject, until it finds nothing new."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import duckdb
from msgspec import Struct

from keyaudit.inventory.naming import Named, Noun
from keyaudit.model.reasons import Reason
from keyaudit.questions.access.answer import Open
from keyaudit.questions.access.evidence import who_reaches
from keyaudit.questions.blast_radius.answer import Edge, Kind, Node, Relation
from keyaudit.questions.blast_radius.evidence import agents, signing, trust
from keyaudit.questions.blast_radius.evidence.graph import Graph, rows
from keyaudit.questions.blast_radius.evidence.reach import Opened, reach
from keyaudit.questions.blast_radius.evidence.subject import Subject

_MOST, _DEEPEST = 10_000, 25
"""The maximum number of identities, and of steps, that are followed. Beyond, the access of an identity is unknown."""


class Walked(Struct, frozen=True):
    """The graph, and what may be missing in it because of unknown values. Gaps in lists are in the ledger."""

    graph: Graph
    missing: Sequence[tuple[Relation, str, Reason]]
    """What may be missing, in words, and why."""


def trusted(connection: duckdb.DuckDBPyConnection, subject: Subject, *, as_of: int) -> Walked:
    """Only the objects that trust the subject: what must change so that nothing accepts it."""
    graph = Graph(Node(id="subject", kind=Kind.SUBJECT, name=subject.name, note=subject.noun))
    missing: list[tuple[Relation, str, Reason]] = []
    sources = dict.fromkeys(subject.keys, (graph.subject.id,))
    also = {"thumbprints": subject.thumbprints, "ids": subject.credentials}
    trust.credentials(connection, graph, sources, **also, as_of=as_of)
    signing.signers(connection, graph, subject)
    signing.published(connection, graph, subject)
    signing.authorities(connection, graph, subject)
    held = trust.custody(connection, graph, subject)
    trust.opened(connection, graph, subject)
    nameless = trust.encrypted(connection, graph, subject, held)
    missing += [(Relation.ENCRYPTS, "services whose key is not known", why) for why in nameless]
    unshown = trust.unshown(connection, subject) if subject.has_digest else ()
    missing += [*own_missing(connection, subject), *_counted(unshown), *subject.missing]
    return Walked(graph, missing)


def own_missing(connection: duckdb.DuckDBPyConnection, subject: Subject) -> list[tuple[Relation, str, Reason]]:
    """Missing certificates of the subject itself, without which others with the same keys are not found."""
    missing = _counted(trust.own_unshown(connection, subject))
    if subject.noun == "certificate" and subject.thumbprints and not subject.keys:
        missing.append(
            (Relation.SIGNS_IN_AS, "other certificates on its key, which no certificate read tells", Reason.NOT_VISIBLE)
        )
    return [*missing, *_unbacked(connection, subject)]


def _counted(unshown: Iterable[tuple[Relation, str, int, Reason]]) -> list[tuple[Relation, str, Reason]]:
    return [(relation, f"{what} ({number:,})", why) for relation, what, number, why in unshown]


def walked(connection: duckdb.DuckDBPyConnection, subject: Subject, *, as_of: int) -> Walked:
    """The whole graph: what trusts the subject, who can use it, and what its holder can access."""
    found = trusted(connection, subject, as_of=as_of)
    graph, missing = found.graph, list(found.missing)
    missing += _users(connection, graph)
    missing += [
        (Relation.GIVEN_TO, "services with a setting that may name it", why) for why in trust.given(connection, graph, subject)
    ]
    if subject.noun == "application" and subject.id not in graph.nodes:
        # A key without a known credential: principals that can use it keep their access.
        itself = Node(id=subject.id, kind=Kind.IDENTITY, name=subject.name)
        own = Edge(source=graph.subject.id, target=subject.id, relation=Relation.SPEAKS_FOR, how="its own identity")
        graph.join(itself, own)
    frontier, followed = [node.id for node in graph.nodes.values() if node.kind is Kind.IDENTITY], 0
    for _ in range(_DEEPEST):
        if not frontier or followed == _MOST:
            break
        now = frontier[: _MOST - followed]
        followed += len(now)
        became = _become(connection, graph, subject, reach(connection, graph, now), as_of)
        became += trust.federated(connection, graph, now) + agents.opened(connection, graph, now)
        frontier = frontier[len(now) :] + became
    if frontier:
        missing.append((Relation.REACHES, f"what {len(frontier):,} more applications reach", Reason.TOO_LARGE))
    return Walked(graph, [*missing, *agents.unseen(connection, graph)])


def _unbacked(connection: duckdb.DuckDBPyConnection, subject: Subject) -> list[tuple[Relation, str, Reason]]:
    """A vault key that belongs, or may belong, to a certificate that was not read."""
    if subject.keys or not subject.key_ids:
        return []
    query = """
        SELECT DISTINCT coalesce(unknown['managed'], $unseen) AS reason FROM key
        WHERE list_contains($key_ids, key_id) AND ($version = '' OR lower(version) = $version) AND managed IS NOT FALSE"""
    values = {"key_ids": sorted(subject.key_ids), "version": subject.version, "unseen": str(Reason.PARENT_NOT_ASSESSED)}
    what = "everything that trusts the certificate it may be the key of"
    return [(Relation.SIGNS_IN_AS, what, Reason(row["reason"])) for row in rows(connection, query, values)]


def _users(connection: duckdb.DuckDBPyConnection, graph: Graph) -> list[tuple[Relation, str, Reason]]:
    """Adds the principals that can use the subject in its vault."""
    kept = [edge for edge in graph.edges if edge.relation is Relation.KEPT_IN]
    things = {(edge.facts["noun"], edge.facts["thing_id"], edge.facts["vault_id"]): edge for edge in kept}
    missing = []
    for (noun, thing_id, vault_id), edge in things.items():
        own_name = thing_id.rpartition("/")[2]
        found = who_reaches(connection, Named(Noun(noun), thing_id, own_name, vault_id, own_name.lower()))
        for each in found.reaches:
            who, way = each.who, each.way
            node = Node(id=who.id, kind=Kind.PRINCIPAL, name=who.name or who.id, note=who.kind or "of unknown kind")
            doubt = way.doubt or way.unplaced
            facts = {"sign_in": who.sign_in} if who.sign_in else {}
            used = Edge(source=edge.target, target=who.id, relation=Relation.USED_BY, way=way, doubt=doubt, facts=facts)
            graph.join(node, used)
        missing += [(Relation.USED_BY, _behind(each), each.reason) for each in found.open]
    return missing


def _behind(each: Open) -> str:
    return f"the principals behind {each.who.kind or 'a principal'} {each.who.name or each.who.id}"


def _become(
    connection: duckdb.DuckDBPyConnection, graph: Graph, subject: Subject, opened: Sequence[Opened], as_of: int
) -> list[str]:
    """Adds the further certificates that can be used to sign in. Returns the identities."""
    by_vault: dict[str, list[Opened]] = defaultdict(list)
    for each in opened:
        by_vault[each.vault_id].append(each)
    query = """
        SELECT id, lower(split_part(certificate_id, '/', 5)) AS thing, version, vault_id, vault_name, public_key_sha256,
            exportable, unknown['exportable'] AS doubt
        FROM held_certificate
        WHERE list_contains($vaults, vault_id) AND NOT list_contains($keys, public_key_sha256) AND public_key_sha256 IN (
            SELECT public_key_sha256 FROM held_credential
            WHERE usage IS DISTINCT FROM 'Sign' AND (expires_on IS NULL OR expires_on > $as_of)
        ) ORDER BY id"""
    values = {"vaults": sorted(by_vault), "keys": sorted(subject.keys), "as_of": as_of}
    sources: dict[str, list[str]] = defaultdict(list)
    for row in rows(connection, query, values) if by_vault else ():
        ways = [each for each in by_vault[row["vault_id"]] if each.thing in ("", row["thing"])]
        ways = [each for each in ways if not each.exportable_only or row["exportable"] is not False]
        name = f"{row['vault_name'] or row['vault_id']}/{row['thing']} version {row['version'] or '?'}"
        for each in ways:
            unsure = Reason(row["doubt"]) if each.exportable_only and row["exportable"] is None else None
            edge = Edge(
                source=each.identity,
                target=row["id"],
                relation=Relation.OPENS,
                how="its private half can be read" if each.exportable_only else "its key can be used, or access to it taken",
                doubt=each.doubt or unsure,
                facts={"public_key": row["public_key_sha256"]},
            )
            graph.join(Node(id=row["id"], kind=Kind.CERTIFICATE, name=name), edge)
        if ways:
            sources[row["public_key_sha256"]].append(row["id"])
    return trust.credentials(connection, graph, sources, as_of=as_of) if sources else []
