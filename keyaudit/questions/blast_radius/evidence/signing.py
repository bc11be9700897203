"""Objects that accept tokens signed with a key, and the users that its holder can impersonate."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program; digests and ids are parameters

from collections.abc import Mapping
from typing import Any

import duckdb

from keyaudit.questions.blast_radius.answer import Edge, Kind, Node, Relation
from keyaudit.questions.blast_radius.evidence.graph import Graph, reason, rows
from keyaudit.questions.blast_radius.evidence.subject import DOUBT, SAME, THUMBPRINT, Subject

TENANT = Node(id="tenant", kind=Kind.TENANT, name="the whole tenant")

# The only digest of an issuer key without a certificate.
_SAME_PUBLISHED = f"{SAME} OR (public_key_sha256 IS NULL AND {THUMBPRINT})"

_SIGNERS = {
    "saml": (Kind.RELYING_PARTY, "Entra signs its SAML tokens with it: the holder can be any of its users"),
    "application": (Kind.RELYING_PARTY, "Entra signs its tokens with it: the holder can be any of its users"),
    "federated-domain": (Kind.DOMAIN, "Entra accepts what is signed with it for users of the domain"),
    "external-idp": (Kind.PROVIDER, "Entra accepts what is signed with it for guests of that provider"),
}


def signers(connection: duckdb.DuckDBPyConnection, graph: Graph, subject: Subject) -> None:
    """Adds the issuers whose tokens it signs, and the users that a domain can impersonate."""
    found = rows(
        connection,
        f"""
        SELECT id, kind, holder_id, holder_name, app_id, thumbprint, active, is_next, mfa_trusted, signs_for_administrators,
            unknown['mfa_trusted'] AS mfa_doubt, unknown['signs_for_administrators'] AS administrators_doubt, {DOUBT} AS doubt
        FROM signing_certificate WHERE {SAME} ORDER BY kind, holder_name, id""",
        subject.digests(),
    )
    for row in found:
        kind, how = _SIGNERS.get(row["kind"], (Kind.RELYING_PARTY, "tokens are signed with it"))
        also = (
            "; as its next certificate, which counts now"
            if row["is_next"]
            else "; not its active one" * (row["active"] is False)
        )
        facts = {name: row[name] for name in ("kind", "holder_id", "holder_name", "app_id", "thumbprint") if row[name]}
        if row["active"] is not None:
            facts["active"] = str(row["active"]).lower()
        edge = Edge(
            source=graph.subject.id,
            target=row["holder_id"],
            relation=Relation.SIGNS_TOKENS_FOR,
            how=f"{how}{also}; certificate",
            names=row["thumbprint"] or row["id"],
            doubt=reason(row["doubt"]),
            facts=facts,
        )
        graph.join(Node(id=row["holder_id"], kind=kind, name=row["holder_name"] or row["holder_id"]), edge)
        if kind is Kind.DOMAIN:
            _speaks(graph, row)
            _speaks_beyond(connection, graph, row["holder_id"])
        elif kind is Kind.PROVIDER:
            _speaks_for(graph, row["holder_id"], "its guests in the tenant")


def _speaks(graph: Graph, row: Mapping[str, Any]) -> None:
    """The users that a domain's signer can impersonate, and whether that gives control of the tenant."""
    users = Node(id=f"{row['holder_id']}/users", kind=Kind.USERS, name=f"every user of {row['holder_name']}")
    factor = {True: "a second factor is taken on its word", False: "a second factor is asked for by Entra"}
    doubt = reason(row["mfa_doubt"])
    how = factor.get(row["mfa_trusted"], "whether a second factor is taken on its word is not known")
    graph.join(users, Edge(source=row["holder_id"], target=users.id, relation=Relation.SPEAKS_FOR, how=how, doubt=doubt))
    if row["signs_for_administrators"] is not False:
        how = "one of them is an administrator of the whole tenant"
        why = reason(row["administrators_doubt"])
        graph.join(TENANT, Edge(source=users.id, target=TENANT.id, relation=Relation.CONTROLS, how=how, doubt=why))


def _speaks_for(graph: Graph, source: str, whom: str) -> None:
    users = Node(id=f"{source}/users", kind=Kind.USERS, name=whom)
    graph.join(users, Edge(source=source, target=users.id, relation=Relation.SPEAKS_FOR, how="the holder can be any of them"))


def _speaks_beyond(connection: duckdb.DuckDBPyConnection, graph: Graph, domain: str) -> None:
    """Users of other domains, if Entra does not limit a domain to its own users."""
    query = """
        SELECT validated_domains, unknown['validated_domains'] AS doubt FROM token_policy
        WHERE kind = 'federated-token-validation' AND validated_domains IS DISTINCT FROM 'all' ORDER BY id"""
    for row in rows(connection, query, []):
        users = Node(id="users", kind=Kind.USERS, name="users of other domains of the tenant")
        how = f"its own domain is checked for: {row['validated_domains'] or 'not known'}"
        doubt = reason(row["doubt"])
        graph.join(users, Edge(source=domain, target=users.id, relation=Relation.SPEAKS_FOR, how=how, doubt=doubt))


def published(connection: duckdb.DuckDBPyConnection, graph: Graph, subject: Subject) -> None:
    """Adds the published keys that relying parties trust."""
    found = rows(
        connection,
        f"""
        SELECT id, kind, key_id, key_set, app_id, token_issuer, for_consumers, status,
            CASE WHEN list_contains($ids, id) OR {THUMBPRINT} THEN NULL ELSE {DOUBT} END AS doubt
        FROM issuer_key WHERE list_contains($ids, id) OR {_SAME_PUBLISHED} ORDER BY kind, id""",
        subject.digests(ids=subject.issuer_keys),
    )
    whose = {"entra": "the tenant's signing keys", "application": "one application's signing keys", "b2c": "a B2C key set"}
    for row in found:
        note = (
            f"for {'personal accounts' if row['for_consumers'] else 'tokens of the tenant'}" if row["kind"] == "entra" else ""
        )
        facts = {name: row[name] for name in ("kind", "key_id", "key_set", "app_id", "token_issuer") if row[name]}
        edge = Edge(
            source=graph.subject.id,
            target=row["id"],
            relation=Relation.PUBLISHED_AS,
            how=f"one of {whose.get(row['kind'], 'the signing keys')}, which every service that follows them accepts; of",
            names=row["token_issuer"] or row["app_id"] or row["key_set"] or "",
            doubt=reason(row["doubt"]),
            facts=facts,
        )
        graph.join(Node(id=row["id"], kind=Kind.ISSUER, name=row["key_id"], note=note), edge)
        if row["kind"] == "entra" and row["for_consumers"]:
            _speaks_for(graph, row["id"], "every personal account")
        elif row["kind"] == "entra":
            how = "the holder can be anybody in it"
            graph.join(TENANT, Edge(source=row["id"], target=TENANT.id, relation=Relation.CONTROLS, how=how))


def authorities(connection: duckdb.DuckDBPyConnection, graph: Graph, subject: Subject) -> None:
    """Adds the certificate authority stores that contain it."""
    found = rows(
        connection,
        f"SELECT id, kind, store_name, {DOUBT} AS doubt, thumbprint FROM trusted_authority WHERE {SAME} ORDER BY id",
        subject.digests(),
    )
    for row in found:
        people = "an application's certificates" if row["kind"] == "application" else "certificates that people sign in with"
        edge = Edge(
            source=graph.subject.id,
            target=row["id"],
            relation=Relation.ISSUES_FOR,
            how=f"trusted to issue {people}; certificate",
            names=row["thumbprint"] or "",
            doubt=reason(row["doubt"]),
            facts={"kind": row["kind"]},
        )
        graph.join(Node(id=row["id"], kind=Kind.AUTHORITY, name=row["store_name"] or row["id"]), edge)
        if row["kind"] != "application":
            _speaks_for(graph, row["id"], "everybody who may sign in with a certificate")
