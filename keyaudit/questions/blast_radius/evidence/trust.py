"""Objects that trust a key: credentials, certificates in vaults, and services that encrypt with it."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program; digests and ids are parameters

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import duckdb

from keyaudit.model.reasons import Reason
from keyaudit.model.tables.vaults.key import OUTSIDE
from keyaudit.model.tables.vaults.secret_use import KEEPING
from keyaudit.questions.blast_radius.answer import Edge, Kind, Node, Relation
from keyaudit.questions.blast_radius.evidence.graph import Graph, reason, rows
from keyaudit.questions.blast_radius.evidence.subject import (
    DOUBT,
    KEY_OF_CERTIFICATE,
    OF_SECRET,
    SAME,
    THUMBPRINT,
    UNSHOWN,
    Subject,
    of_secret,
)

_RESOURCE = re.compile(
    r"/subscriptions/([0-9a-f-]{36})/resourcegroups/([^/]+)/providers/([^/]+/[^/]+)/([^/]+)", re.ASCII | re.IGNORECASE
)
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
    """Adds the applications that sign in with keys, from the nodes in `sources`. Returns the ids of new ones.

    Matches by `thumbprints` or `ids` only are joined to the subject. Expired credentials are left out, as are federated ones
    that no token can match.
    """
    found = rows(
        connection,
        f"""
        SELECT id, kind, key_id, holder_kind, holder_type, holder_id, holder_name, app_id, public_key_sha256,
            coalesce(CASE WHEN list_contains($ids, id) THEN NULL ELSE {DOUBT} END,
                CASE WHEN expires_on IS NULL THEN unknown['expires_on'] END, unknown['usage'], unknown['app_id'],
                CASE WHEN kind = 'federated' THEN coalesce(unknown['subject_grade'], unknown['subject_dangling']) END) AS doubt,
            CASE WHEN lower(app_id) IN (SELECT app_id FROM blueprint) THEN 'true' END AS blueprint
        FROM held_credential
        WHERE (list_contains($ids, id) OR {SAME}) AND usage IS DISTINCT FROM 'Sign'
            AND (expires_on IS NULL OR expires_on > $as_of)
            AND subject_grade IS DISTINCT FROM 'dead' AND subject_dangling IS NOT TRUE
        ORDER BY holder_name, id""",
        {"keys": sorted(sources), "thumbprints": sorted(thumbprints), "ids": sorted(ids), "as_of": as_of},
    )
    new = []
    for row in found:
        identity = (row["app_id"] or row["holder_id"]).lower()
        names = ("key_id", "kind", "holder_kind", "holder_type", "holder_id", "app_id", "blueprint")
        facts = {name: row[name] for name in names if row[name]}
        for source in sources.get(row["public_key_sha256"], (graph.subject.id,)):
            edge = Edge(
                source=source,
                target=identity,
                relation=Relation.SIGNS_IN_AS,
                how=_CREDENTIALS.get(row["kind"], "credential"),
                names=row["key_id"] or row["id"],
                doubt=reason(row["doubt"]),
                facts={"credential": row["id"], **facts},
            )
            if graph.join(Node(id=identity, kind=Kind.IDENTITY, name=row["holder_name"] or identity), edge):
                new.append(identity)
    return new


def federated(connection: duckdb.DuckDBPyConnection, graph: Graph, identities: Sequence[str]) -> list[str]:
    """Adds the applications that trust tokens of this tenant for one of the identities, which are nodes of the graph.

    Returns the ids of new ones. Such a federated credential names the tenant as issuer, and the object id of the identity as
    subject.
    """
    found = rows(
        connection,
        """
        SELECT trusting.id, trusting.name, trusting.key_id, trusting.kind, trusting.holder_kind, trusting.holder_type,
            trusting.holder_id, trusting.holder_name, trusting.app_id, trusting.unknown['app_id'] AS doubt,
            coalesce(lower(trusted.app_id), lower(trusted.id)) AS trusted
        FROM held_credential AS trusting JOIN service_principal AS trusted
            ON lower(trusting.subject) = split_part(trusted.id, '/', -1)
        WHERE trusting.kind = 'federated' AND contains(lower(trusting.issuer), '/' || split_part(trusted.id, '/', 3) || '/')
            AND list_contains($ids, coalesce(lower(trusted.app_id), lower(trusted.id)))
        ORDER BY trusting.holder_name, trusting.id""",
        {"ids": list(identities)},
    )
    new = []
    for row in found:
        identity = (row["app_id"] or row["holder_id"]).lower()
        names = ("key_id", "kind", "holder_kind", "holder_type", "holder_id", "app_id")
        edge = Edge(
            source=row["trusted"],
            target=identity,
            relation=Relation.SIGNS_IN_AS,
            how="by a federated credential that trusts it,",
            names=row["name"] or row["key_id"] or row["id"],
            doubt=reason(row["doubt"]),
            facts={"credential": row["id"], **{name: row[name] for name in names if row[name]}},
        )
        if graph.join(Node(id=identity, kind=Kind.IDENTITY, name=row["holder_name"] or identity), edge):
            new.append(identity)
    return new


def custody(connection: duckdb.DuckDBPyConnection, graph: Graph, subject: Subject) -> Sequence[Mapping[str, Any]]:
    """Adds the enabled versions of vault certificates and keys with this key. Returns all of the certificates."""
    of_own = f"{KEY_OF_CERTIFICATE} AND ($version = '' OR lower(version) = $version)"
    held = rows(
        connection,
        f"""
        SELECT 'certificate' AS noun, id, certificate_id AS thing_id, version, name, vault_id, vault_name, custody, exportable,
            enabled, is_current, lower(key_version_id) AS key_version_id,
            coalesce(CASE WHEN {of_own} THEN NULL ELSE {DOUBT} END, unknown['enabled']) AS doubt
        FROM held_certificate WHERE ({of_own}) OR {SAME} ORDER BY id""",
        subject.digests(key_ids=subject.key_ids, version=subject.version),
    )
    working = [row for row in held if row["enabled"] is not False]
    behind = {row["key_version_id"] for row in held if row["key_version_id"]}
    alone = rows(
        connection,
        """
        SELECT 'key' AS noun, id, key_id AS thing_id, version, name, vault_id, vault_name, custody, exportable,
            is_current, unknown['enabled'] AS doubt
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
        how = f"the vault uses it for every principal with access{out}; custody {row['custody'] or 'unknown'}"
        _kept(graph, row, Kind.CERTIFICATE if row["noun"] == "certificate" else Kind.KEY, how)
    for row in _secrets(connection, subject):
        _kept(graph, row, Kind.SECRET, "the vault gives its value to every principal that can read secrets there")
    return held


def _secrets(connection: duckdb.DuckDBPyConnection, subject: Subject) -> list[dict[str, Any]]:
    """The enabled versions of a secret."""
    query = f"""
        SELECT 'secret' AS noun, id, secret_id AS thing_id, version, vault_id, vault_name, NULL AS custody, tags,
            is_current, unknown['enabled'] AS doubt
        FROM secret WHERE {OF_SECRET} ORDER BY id"""
    return rows(connection, query, of_secret(subject)) if subject.secret_ids else []


def _kept(graph: Graph, row: Mapping[str, Any], kind: Kind, how: str) -> None:
    named = ("noun", "thing_id", "version", "vault_id", "vault_name", *(("custody",) if row["custody"] == OUTSIDE else ()))
    edge = Edge(
        source=graph.subject.id,
        target=row["id"],
        relation=Relation.KEPT_IN,
        how=how,
        doubt=reason(row["doubt"]),
        facts={name: str(row[name]) for name in named if row[name]}
        | ({} if row["is_current"] is None else {"current": str(row["is_current"]).lower()}),
    )
    thing = row["thing_id"].rpartition("/")[2]
    name = f"{row['vault_name'] or row['vault_id']}/{thing} version {row['version'] or '?'}"
    graph.join(Node(id=row["id"], kind=kind, name=name), edge)


def opened(connection: duckdb.DuckDBPyConnection, graph: Graph, subject: Subject) -> None:
    """Adds the account whose key a secret holds, as its tags say.

    https://learn.microsoft.com/azure/key-vault/secrets/tutorial-rotation-dual: ProviderAddress is the resource id of the
    account, and CredentialId the name of its key.
    """
    for row in _secrets(connection, subject):
        tags = row["tags"] or {}
        account = _RESOURCE.fullmatch(tags.get("ProviderAddress", ""))
        if account:
            edge = Edge(
                source=graph.subject.id,
                target=account[0].lower(),
                relation=Relation.ADMITS,
                how="by its tag ProviderAddress; credential",
                names=tags.get("CredentialId", ""),
                facts={"kind": account[3].lower(), "group": account[2], "subscription": account[1], "name": account[4]},
            )
            graph.join(Node(id=edge.target, kind=Kind.SERVICE, name=f"{account[3].rpartition('/')[2]} {account[4]}"), edge)


def given(connection: duckdb.DuckDBPyConnection, graph: Graph, subject: Subject) -> list[Reason]:
    """Adds the services that are set to use a secret. Returns why there may be more: settings that were not read."""
    if not subject.secret_ids:
        return []
    query = """
        SELECT consumer_id, kind, version, pinned, unknown['active'] AS doubt FROM secret_use
        WHERE list_contains($secret_ids, secret_id) AND active IS NOT FALSE ORDER BY consumer_id, id"""
    for row in rows(connection, query, {"secret_ids": sorted(subject.secret_ids)}):
        if subject.version and row["pinned"] and row["version"] and row["version"].lower() != subject.version:
            continue
        keeps = "it keeps the secret there itself" if row["kind"] in KEEPING else "it is set to use it"
        edge = Edge(
            source=graph.subject.id,
            target=row["consumer_id"],
            relation=Relation.GIVEN_TO,
            how=f"{keeps}{'; version' if row['version'] else ''}",
            names=row["version"] or "",
            doubt=reason(row["doubt"]),
            facts={"kind": row["kind"]},
        )
        name = f"{row['kind']} {row['consumer_id'].rpartition('/')[2]}"
        graph.join(Node(id=row["consumer_id"], kind=Kind.SERVICE, name=name), edge)
    nameless = """
        SELECT DISTINCT unknown['secret_id'] AS reason FROM secret_use
        WHERE secret_id IS NULL AND unknown['secret_id'] IS NOT NULL ORDER BY reason"""
    return [Reason(row["reason"]) for row in rows(connection, nameless, {})]


def encrypted(
    connection: duckdb.DuckDBPyConnection, graph: Graph, subject: Subject, held: Iterable[Mapping[str, Any]]
) -> list[Reason]:
    """Adds the services that encrypt with it, or with the key of one of the certificates `held`.

    Returns why there may be more: services whose key is unknown.
    """
    versions: dict[str, set[str]] = {key_id: {subject.version} - {""} for key_id in subject.key_ids}
    for row in held:
        key_id, _, version = (row["key_version_id"] or "").rpartition("/")
        if key_id and key_id not in subject.key_ids:
            versions.setdefault(key_id, set()).add(version)
    found = rows(
        connection,
        "SELECT * FROM key_use WHERE list_contains($key_ids, key_id) ORDER BY consumer_id, id",
        {"key_ids": sorted(versions)},
    )
    for row in found:
        follows = row["version_in_use"] or row["version"] or row["current_version"]
        used = row["version"] if row["pinned"] else follows
        meant = versions[row["key_id"]]
        if meant and used and row["pinned"] is not None and used.lower() not in meant:
            continue
        doubt = reason(row["unknown"].get("pinned") or row["unknown"].get("version"))
        if meant and not used:
            doubt = doubt or Reason.NOT_VISIBLE
        how = (
            "it does not follow the key's rotation, and stays with"
            if row["pinned"]
            else "it follows the key's rotation, now at"
        )
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


def own_unshown(connection: duckdb.DuckDBPyConnection, subject: Subject) -> Iterator[tuple[Relation, str, int, Reason]]:
    """Like `unshown`, for the subject itself: without its certificate, others with the same key are not found."""
    what = "what else is on the keys of its own certificates that were not shown"
    app = subject.id if subject.noun == "application" else ""
    of_own = f"{KEY_OF_CERTIFICATE} AND ($version = '' OR lower(version) = $version)"
    for relation, table, where, values in (
        (Relation.SIGNS_IN_AS, "held_credential", "list_contains($ids, id)", {"ids": sorted(subject.credentials)}),
        (Relation.SIGNS_TOKENS_FOR, "signing_certificate", "coalesce(lower(app_id), holder_id) = $app", {"app": app}),
        (
            Relation.KEPT_IN,
            "held_certificate",
            of_own,
            {"key_ids": sorted(subject.key_ids), "version": subject.version},
        ),
    ):
        query = f"""
            SELECT unknown['public_key_sha256'] AS reason, count(*) AS number FROM {table}
            WHERE {UNSHOWN} AND {where} GROUP BY reason ORDER BY reason"""
        for row in rows(connection, query, values):
            yield relation, what, row["number"], Reason(row["reason"])


def unshown(connection: duckdb.DuckDBPyConnection, subject: Subject) -> Iterator[tuple[Relation, str, int, Reason]]:
    """By relation, the listed objects without a certificate, which may have the key: what, how many, and why."""
    for relation, table, what in (
        (Relation.SIGNS_IN_AS, "held_credential", "credentials whose certificate was not shown"),
        (Relation.SIGNS_TOKENS_FOR, "signing_certificate", "token-signing certificates that were not shown"),
        (Relation.PUBLISHED_AS, "issuer_key", "published keys that were not shown"),
        (Relation.ISSUES_FOR, "trusted_authority", "trusted authorities whose certificate was not shown"),
        (Relation.KEPT_IN, "held_certificate", "vault certificates that were not shown"),
    ):
        query = f"""
            SELECT unknown['public_key_sha256'] AS reason, count(*) AS number FROM {table}
            WHERE {UNSHOWN} AND NOT {THUMBPRINT} GROUP BY reason ORDER BY reason"""
        for row in rows(connection, query, {"thumbprints": sorted(subject.thumbprints)}):
            yield relation, what, row["number"], Reason(row["reason"])
