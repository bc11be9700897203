"""What trusts a key: the edges from the subject, or from a key that was reached, to all that accepts it."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program; digests and ids are parameters

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import duckdb

from keyaudit.inventory.blast.graph import Graph, rows
from keyaudit.inventory.blast.subject import KEY_OF_CERTIFICATE, Subject
from keyaudit.model.blast_radius import Edge, Kind, Node, Relation
from keyaudit.model.reasons import Reason

# A certificate that Graph does not show is told by its thumbprint, which whoever adds it can set: that is no certainty.
_UNSHOWN = "public_key_sha256 IS NULL AND unknown['public_key_sha256'] IS NOT NULL"
_THUMBPRINT = "list_contains($thumbprints, upper(thumbprint))"
_SAME = f"list_contains($keys, public_key_sha256) OR (({_UNSHOWN}) AND {_THUMBPRINT})"
_DOUBT = "CASE WHEN list_contains($keys, public_key_sha256) THEN NULL ELSE unknown['public_key_sha256'] END"
# An issuer key without a certificate has no other digest.
_SAME_PUBLISHED = f"{_SAME} OR (public_key_sha256 IS NULL AND {_THUMBPRINT})"

_CREDENTIALS = {"certificate": "certificate credential", "password": "client secret", "federated": "federated credential"}


def credentials(
    connection: duckdb.DuckDBPyConnection,
    graph: Graph,
    sources: Mapping[str, Sequence[str]],
    *,
    thumbprints: Iterable[str] = (),
    ids: Iterable[str] = (),
    as_of: int,
) -> list[str]:
    """Joins the applications that sign in by keys, each from the nodes that it is in `sources`; the ids of those that are new.

    What is told by `thumbprints` or `ids` alone is joined from the subject. What has expired signs in nobody.
    """
    found = rows(
        connection,
        f"""
        SELECT id, kind, key_id, holder_kind, holder_type, holder_id, holder_name, app_id, public_key_sha256,
            coalesce(CASE WHEN list_contains($ids, id) THEN NULL ELSE {_DOUBT} END,
                CASE WHEN expires_on IS NULL THEN unknown['expires_on'] END, unknown['usage'], unknown['app_id']) AS doubt
        FROM held_credential
        WHERE (list_contains($ids, id) OR {_SAME}) AND usage IS DISTINCT FROM 'Sign'
            AND (expires_on IS NULL OR expires_on > $as_of)
        ORDER BY holder_name, id""",
        {"keys": sorted(sources), "thumbprints": sorted(thumbprints), "ids": sorted(ids), "as_of": as_of},
    )
    new = []
    for row in found:
        identity = (row["app_id"] or row["holder_id"]).lower()
        facts = {
            name: row[name] for name in ("key_id", "kind", "holder_kind", "holder_type", "holder_id", "app_id") if row[name]
        }
        for source in sources.get(row["public_key_sha256"], (graph.subject.id,)):
            edge = Edge(
                source=source,
                target=identity,
                relation=Relation.SIGNS_IN_AS,
                how=_CREDENTIALS.get(row["kind"], "credential"),
                names=row["key_id"] or row["id"],
                doubt=_reason(row["doubt"]),
                facts={"credential": row["id"], **facts},
            )
            if graph.join(Node(id=identity, kind=Kind.IDENTITY, name=row["holder_name"] or identity), edge):
                new.append(identity)
    return new


_SIGNERS = {
    "saml": (Kind.RELYING_PARTY, "Entra signs its SAML tokens with it: the holder can be any of its users"),
    "application": (Kind.RELYING_PARTY, "Entra signs its tokens with it: the holder can be any of its users"),
    "federated-domain": (Kind.DOMAIN, "Entra accepts what is signed with it for users of the domain"),
    "external-idp": (Kind.PROVIDER, "Entra accepts what is signed with it for guests of that provider"),
}


def signers(connection: duckdb.DuckDBPyConnection, graph: Graph, subject: Subject) -> None:
    """Joins those whose tokens it signs, and the users for whom a domain then speaks."""
    found = rows(
        connection,
        f"""
        SELECT id, kind, holder_id, holder_name, app_id, thumbprint, active, is_next, mfa_trusted, signs_for_administrators,
            unknown['mfa_trusted'] AS mfa_doubt, unknown['signs_for_administrators'] AS administrators_doubt, {_DOUBT} AS doubt
        FROM signing_certificate WHERE {_SAME} ORDER BY kind, holder_name, id""",
        _digests(subject),
    )
    for row in found:
        kind, how = _SIGNERS.get(row["kind"], (Kind.RELYING_PARTY, "tokens are signed with it"))
        also = (
            "; as its next certificate, which counts now"
            if row["is_next"]
            else "; not its active one" * (row["active"] is False)
        )
        facts = {name: row[name] for name in ("kind", "holder_id", "holder_name", "app_id", "thumbprint") if row[name]}
        edge = Edge(
            source=graph.subject.id,
            target=row["holder_id"],
            relation=Relation.SIGNS_TOKENS_FOR,
            how=f"{how}{also}; certificate",
            names=row["thumbprint"] or row["id"],
            doubt=_reason(row["doubt"]),
            facts=facts,
        )
        graph.join(Node(id=row["holder_id"], kind=kind, name=row["holder_name"] or row["holder_id"]), edge)
        if kind is Kind.DOMAIN:
            _speaks(graph, row)
            _speaks_beyond(connection, graph, row["holder_id"])


def _speaks(graph: Graph, row: Mapping[str, Any]) -> None:
    """Whom a domain's signer can be, and whether that gives it the tenant."""
    users = Node(id=f"{row['holder_id']}/users", kind=Kind.USERS, name=f"every user of {row['holder_name']}")
    factor = {True: "a second factor is taken on its word", False: "a second factor is asked for by Entra"}
    doubt = _reason(row["mfa_doubt"])
    how = factor.get(row["mfa_trusted"], "whether a second factor is taken on its word is not known")
    graph.join(users, Edge(source=row["holder_id"], target=users.id, relation=Relation.SPEAKS_FOR, how=how, doubt=doubt))
    if row["signs_for_administrators"] is not False:
        how = "one of them is an administrator of the whole tenant"
        why = _reason(row["administrators_doubt"])
        graph.join(TENANT, Edge(source=users.id, target=TENANT.id, relation=Relation.CONTROLS, how=how, doubt=why))


def _speaks_beyond(connection: duckdb.DuckDBPyConnection, graph: Graph, domain: str) -> None:
    """Users of other domains, where nobody checks that a domain speaks for its own alone."""
    query = """
        SELECT validated_domains, unknown['validated_domains'] AS doubt FROM token_policy
        WHERE kind = 'federated-token-validation' AND validated_domains IS DISTINCT FROM 'all' ORDER BY id"""
    for row in rows(connection, query, []):
        users = Node(id="users", kind=Kind.USERS, name="users of other domains of the tenant")
        how = f"its own domain is checked for: {row['validated_domains'] or 'not known'}"
        doubt = _reason(row["doubt"])
        graph.join(users, Edge(source=domain, target=users.id, relation=Relation.SPEAKS_FOR, how=how, doubt=doubt))


TENANT = Node(id="tenant", kind=Kind.TENANT, name="the whole tenant")


def published(connection: duckdb.DuckDBPyConnection, graph: Graph, subject: Subject) -> None:
    """Joins the keys that relying parties are told to trust."""
    found = rows(
        connection,
        f"""
        SELECT id, kind, key_id, key_set, app_id, token_issuer, for_consumers, status,
            CASE WHEN list_contains($ids, id) OR {_THUMBPRINT} THEN NULL ELSE {_DOUBT} END AS doubt
        FROM issuer_key WHERE list_contains($ids, id) OR {_SAME_PUBLISHED} ORDER BY kind, id""",
        _digests(subject, ids=subject.issuer_keys),
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
            how=f"one of {whose.get(row['kind'], 'the signing keys')}, which whoever follows them accepts; of",
            names=row["token_issuer"] or row["app_id"] or row["key_set"] or "",
            doubt=_reason(row["doubt"]),
            facts=facts,
        )
        graph.join(Node(id=row["id"], kind=Kind.ISSUER, name=row["key_id"], note=note), edge)


def authorities(connection: duckdb.DuckDBPyConnection, graph: Graph, subject: Subject) -> None:
    """Joins the stores of certificate authorities that it is in."""
    found = rows(
        connection,
        f"SELECT id, kind, store_name, {_DOUBT} AS doubt, thumbprint FROM trusted_authority WHERE {_SAME} ORDER BY id",
        _digests(subject),
    )
    for row in found:
        people = "an application's certificates" if row["kind"] == "application" else "certificates that people sign in with"
        edge = Edge(
            source=graph.subject.id,
            target=row["id"],
            relation=Relation.ISSUES_FOR,
            how=f"trusted to issue {people}; certificate",
            names=row["thumbprint"] or "",
            doubt=_reason(row["doubt"]),
            facts={"kind": row["kind"]},
        )
        graph.join(Node(id=row["id"], kind=Kind.AUTHORITY, name=row["store_name"] or row["id"]), edge)


def custody(connection: duckdb.DuckDBPyConnection, graph: Graph, subject: Subject) -> Sequence[Mapping[str, Any]]:
    """Joins the versions of vault certificates and keys that it is and that are not disabled; the certificates, all of them."""
    of_own = f"{KEY_OF_CERTIFICATE} AND ($version = '' OR lower(version) = $version)"
    held = rows(
        connection,
        f"""
        SELECT 'certificate' AS noun, id, certificate_id AS thing_id, version, name, vault_id, vault_name, custody, exportable,
            enabled, lower(key_version_id) AS key_version_id,
            coalesce(CASE WHEN {of_own} THEN NULL ELSE {_DOUBT} END, unknown['enabled']) AS doubt
        FROM held_certificate WHERE ({of_own}) OR {_SAME} ORDER BY id""",
        _digests(subject, key_ids=subject.key_ids, version=subject.version),
    )
    working = [row for row in held if row["enabled"] is not False]
    behind = {row["key_version_id"] for row in held if row["key_version_id"]}
    alone = rows(
        connection,
        """
        SELECT 'key' AS noun, id, key_id AS thing_id, version, name, vault_id, vault_name, custody, exportable,
            unknown['enabled'] AS doubt
        FROM key WHERE ((list_contains($key_ids, key_id) AND ($version = '' OR lower(version) = $version))
                OR list_contains($behind, id))
            AND enabled IS NOT FALSE AND NOT list_contains($shown, id) ORDER BY id""",
        {
            "key_ids": sorted(subject.key_ids),
            "version": subject.version,
            "behind": sorted(behind),
            "shown": [row["key_version_id"] for row in working if row["key_version_id"]],
        },
    )
    for row in (*working, *alone):
        out = ", and its private half can be read out" if row["exportable"] else ""
        edge = Edge(
            source=graph.subject.id,
            target=row["id"],
            relation=Relation.KEPT_IN,
            how=f"the vault works with it for whoever may use it{out}; custody {row['custody'] or 'unknown'}",
            doubt=_reason(row["doubt"]),
            facts={name: str(row[name]) for name in ("noun", "thing_id", "version", "vault_id", "vault_name") if row[name]},
        )
        kind = Kind.CERTIFICATE if row["noun"] == "certificate" else Kind.KEY
        thing = row["thing_id"].rpartition("/")[2]
        name = f"{row['vault_name'] or row['vault_id']}/{thing} version {row['version'] or '?'}"
        graph.join(Node(id=row["id"], kind=kind, name=name), edge)
    return held


def encrypted(
    connection: duckdb.DuckDBPyConnection, graph: Graph, subject: Subject, held: Iterable[Mapping[str, Any]]
) -> list[Reason]:
    """Joins the services that encrypt with it, or with a key that is behind one of the certificates `held`.

    Why there may be more: those of which the key is not known.
    """
    versions: dict[str, set[str]] = {key_id: {subject.version} - {""} for key_id in subject.key_ids}
    for row in held:
        key_id, _, version = (row["key_version_id"] or "").rpartition("/")
        if key_id and key_id not in subject.key_ids:
            versions.setdefault(key_id, set()).add(version)
    found = rows(
        connection,
        """
        SELECT uses.*, current.version AS current_version FROM key_use AS uses
        LEFT JOIN (SELECT key_id, any_value(version) AS version FROM key WHERE is_current GROUP BY key_id) AS current
            ON current.key_id = uses.key_id
        WHERE list_contains($key_ids, uses.key_id) ORDER BY uses.consumer_id, uses.id""",
        {"key_ids": sorted(versions)},
    )
    for row in found:
        follows = row["version_in_use"] or row["version"] or row["current_version"]
        used = row["version"] if row["pinned"] else follows
        meant = versions[row["key_id"]]
        if meant and used and row["pinned"] is not None and used.lower() not in meant:
            continue
        doubt = _reason(row["unknown"].get("pinned") or row["unknown"].get("version"))
        if meant and not used:
            doubt = doubt or Reason.NOT_VISIBLE
        how = "whatever the key is rotated to it stays with" if row["pinned"] else "it follows the key's rotation, now at"
        edge = Edge(
            source=graph.subject.id,
            target=row["consumer_id"],
            relation=Relation.ENCRYPTS,
            how=f"customer-managed key; {how} version",
            names=used or "unknown",
            doubt=doubt,
            facts={"kind": row["kind"], "key_id": row["key_id"], "pinned": str(row["pinned"]).lower()},
        )
        name = f"{row['kind']} {row['consumer_id'].rpartition('/')[2]}"
        graph.join(Node(id=row["consumer_id"], kind=Kind.SERVICE, name=name), edge)
    nameless = "SELECT DISTINCT unknown['key_id'] AS reason FROM key_use WHERE key_id IS NULL AND unknown['key_id'] IS NOT NULL"
    return [Reason(row["reason"]) for row in rows(connection, nameless, [])] if versions else []


def unshown(connection: duckdb.DuckDBPyConnection, subject: Subject) -> Iterator[tuple[Relation, str, int, Reason]]:
    """By relation what was listed and not shown: each may rest on the key. With its plural, how many, and why."""
    for relation, table, plural in (
        (Relation.SIGNS_IN_AS, "held_credential", "credentials whose certificate was not shown"),
        (Relation.SIGNS_TOKENS_FOR, "signing_certificate", "token-signing certificates that were not shown"),
        (Relation.PUBLISHED_AS, "issuer_key", "published keys that were not shown"),
        (Relation.ISSUES_FOR, "trusted_authority", "trusted authorities whose certificate was not shown"),
        (Relation.KEPT_IN, "held_certificate", "vault certificates that were not shown"),
    ):
        query = f"""
            SELECT unknown['public_key_sha256'] AS reason, count(*) AS number FROM {table}
            WHERE {_UNSHOWN} AND NOT {_THUMBPRINT} GROUP BY reason ORDER BY reason"""
        for row in rows(connection, query, {"thumbprints": sorted(subject.thumbprints)}):
            yield relation, plural, row["number"], Reason(row["reason"])


def _digests(subject: Subject, **also: Iterable[str] | str) -> dict[str, Any]:
    beside = {name: value if isinstance(value, str) else sorted(value) for name, value in also.items()}
    return {"keys": sorted(subject.keys), "thumbprints": sorted(subject.thumbprints), **beside}


def _reason(text: str | None) -> Reason | None:
    return Reason(text) if text else None
