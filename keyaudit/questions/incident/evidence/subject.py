"""The key of an incident in the inventory, and names for the ids in logs."""

# ruff: noqa: S608 - every name in this SQL is declared in this program; ids are parameters

from collections.abc import Collection, Mapping, Sequence

import duckdb
from msgspec import Struct

from keyaudit.model.reasons import Reason
from keyaudit.model.stolen_keys import Stolen
from keyaudit.model.tables.vaults.key import OUTSIDE
from keyaudit.questions.blast_radius.answer import BlastRadius, Relation
from keyaudit.questions.blast_radius.evidence.graph import rows
from keyaudit.questions.blast_radius.evidence.subject import KEY_OF_CERTIFICATE, SAME, Subject, thumbprints_of
from keyaudit.questions.incident.answer import KeyFacts, SignsFor

_CUSTODY_OUTSIDE = ("external", OUTSIDE)
_SHA1 = 40
_SIGNS = (Relation.SIGNS_TOKENS_FOR, Relation.PUBLISHED_AS, Relation.ISSUES_FOR)


class About(Struct, frozen=True, kw_only=True):
    """The identifiers of the subject in logs."""

    key_ids: frozenset[str]
    """Keys of vaults, without a version, in lower case."""
    secret_ids: frozenset[str]
    """Secrets of vaults, without a version, in lower case: the subject, or those that hold the private key of its certificates.
    """
    version: str
    """The requested version; empty for all."""
    credentials: frozenset[str]
    """Key ids of credentials, in lower case."""
    app_id: str
    """The client id of an application; otherwise empty."""
    vault_id: str
    apps: frozenset[str]
    """The client ids of the applications that have these credentials, and `app_id`."""
    objects: frozenset[str]
    """The object ids of the application, of its service principal, and of those that the key signs SAML tokens for."""
    domains: frozenset[str]
    """The federated domains for which it signs tokens, in lower case."""
    signs_for: Mapping[str, SignsFor]
    """The applications for which Entra signs SAML tokens with it, by client id."""


def about(connection: duckdb.DuckDBPyConnection, subject: Subject) -> About:
    """The identifiers: its key in a vault, and the credentials of applications with this key."""
    query = """
        SELECT DISTINCT lower(key_id) AS key_id, lower(app_id) AS app_id FROM held_credential
        WHERE key_id IS NOT NULL AND (list_contains($ids, id) OR list_contains($keys, public_key_sha256))"""
    found = rows(connection, query, {"ids": sorted(subject.credentials), "keys": sorted(subject.keys)})
    query = f"""
        SELECT DISTINCT lower(replace(certificate_id, '/certificates/', '/keys/')) AS key_id FROM held_certificate
        WHERE list_contains($keys, public_key_sha256) OR {KEY_OF_CERTIFICATE}
        UNION SELECT lower(key_id) FROM key WHERE list_contains($key_ids, key_id) AND managed"""
    values = {"keys": sorted(subject.keys), "key_ids": sorted(subject.key_ids)}
    kept = {row["key_id"] for row in rows(connection, query, values)}
    app_id = subject.id if subject.noun == "application" else ""
    query = f"""
        SELECT kind, lower(app_id) AS app_id, lower(split_part(holder_id, '/', -1)) AS object_id, holder_name, active
        FROM signing_certificate WHERE {SAME} ORDER BY active DESC NULLS FIRST, id DESC"""
    signs = rows(connection, query, subject.digests())
    query = """
        SELECT split_part(lower(id), '/', -1) AS id FROM application WHERE lower(app_id) = $app_id
        UNION SELECT split_part(lower(id), '/', -1) FROM service_principal WHERE lower(app_id) = $app_id"""
    own = rows(connection, query, {"app_id": app_id})
    for_apps = [row for row in reversed(signs) if row["app_id"]]
    return About(
        key_ids=subject.key_ids | kept,
        # https://learn.microsoft.com/azure/key-vault/certificates/about-certificates: that secret has the private key.
        secret_ids=subject.secret_ids | {key_id.replace("/keys/", "/secrets/", 1) for key_id in kept},
        version=subject.version,
        credentials=frozenset(row["key_id"] for row in found),
        app_id=app_id,
        vault_id=subject.vault_id,
        apps=frozenset({app_id, *(row["app_id"] for row in found if row["app_id"])} - {""}),
        objects=frozenset({*(row["id"] for row in own), *(row["object_id"] for row in for_apps)}),
        domains=frozenset(row["holder_name"].lower() for row in signs if row["kind"] == "federated-domain"),
        signs_for={row["app_id"]: SignsFor(name=row["holder_name"] or row["app_id"], active=row["active"]) for row in for_apps},
    )


def facts(connection: duckdb.DuckDBPyConnection, subject: Subject, found: About) -> tuple[KeyFacts, ...]:
    """The versions of the key or secret, the newest first."""
    query = """
        SELECT id, version, kty AS kind, custody, enabled, exportable, created_on, expires_on, unknown FROM key
        WHERE list_contains($ids, lower(key_id)) AND ($version = '' OR lower(version) = $version)
        ORDER BY created_on DESC NULLS LAST, id"""
    if subject.secret_ids:
        query = """
            SELECT id, version, content_type AS kind, NULL AS custody, enabled, true AS exportable, created_on, expires_on,
                unknown
            FROM secret WHERE list_contains($ids, secret_id) AND ($version = '' OR lower(version) = $version)
            ORDER BY created_on DESC NULLS LAST, id"""
    names = ("id", "version", "kind", "custody", "enabled", "exportable", "created_on", "expires_on")
    return tuple(
        KeyFacts(
            **{name: row[name] for name in names},
            unknown={name: row["unknown"][name] for name in names if name in row["unknown"]},
        )
        for row in rows(connection, query, {"ids": sorted(subject.secret_ids or found.key_ids), "version": found.version})
    )


def extractable(versions: Collection[KeyFacts], known: Stolen | None) -> bool | None:
    """Whether the private key may exist outside a vault; None if unknown."""
    if known is not None or not versions:
        return True
    told = [each.exportable is True or each.custody in _CUSTODY_OUTSIDE for each in versions]
    if any(told):
        return True
    return None if any(each.exportable is None or "custody" in each.unknown for each in versions) else False


def compared(connection: duckdb.DuckDBPyConnection, found: Subject) -> bool:
    """Whether a SHA-1 thumbprint of it is known, by which published thefts are listed."""
    return any(len(each) == _SHA1 for each in thumbprints_of(connection, found))


def unrecorded(radius: BlastRadius) -> bool:
    """Whether it may sign tokens, which name any application and user, and leave no record of the key.

    A credential of an application that signs nothing else is recorded by Entra at each sign-in. Of a key without a certificate
    nobody knows what was made on it. What accepts a secret has a log of its own, which is none of this tenant's.
    """
    return radius.stolen is not None or any(
        edge.relation is Relation.ADMITS
        or (edge.relation in _SIGNS and (edge.doubt is not Reason.NOT_SUPPLIED or not radius.digests))
        for edge in radius.trusting()
    )


def consumers(connection: duckdb.DuckDBPyConnection, secrets: Collection[str]) -> Mapping[str, Sequence[str]]:
    """By the address of each of these secrets, the services that are set to use it."""
    query = """
        SELECT secret_id, list_sort(list(DISTINCT kind || ' ' || split_part(consumer_id, '/', -1))) AS names FROM secret_use
        WHERE list_contains($secrets, secret_id) AND active IS NOT FALSE GROUP BY secret_id ORDER BY secret_id"""
    return {row["secret_id"]: row["names"] for row in rows(connection, query, {"secrets": sorted(secrets)})}


def people(connection: duckdb.DuckDBPyConnection, ids: Collection[str]) -> frozenset[str]:
    """Those of these object ids that the inventory has as users."""
    query = "SELECT object_id FROM principal WHERE kind = 'user' AND list_contains($ids, object_id)"
    return frozenset(row["object_id"] for row in rows(connection, query, {"ids": sorted(ids)}))


def kinds(connection: duckdb.DuckDBPyConnection, keys: Collection[str]) -> Mapping[str, str]:
    """The kinds of credentials by key id (lower case), for those of `keys` that the inventory has."""
    query = """
        SELECT DISTINCT lower(key_id) AS key_id, kind FROM held_credential
        WHERE list_contains($keys, lower(key_id)) AND kind IS NOT NULL ORDER BY ALL"""
    return {row["key_id"]: row["kind"] for row in rows(connection, query, {"keys": sorted(keys)})}
