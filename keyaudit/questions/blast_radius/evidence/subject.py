"""A key, with everything that identifies it: the resource that a name stands for, or a digest that no snapshot has."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program; what people type is a parameter

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import duckdb
from msgspec import Struct
from msgspec.structs import replace

from keyaudit.inventory.naming import Named, Noun, address, digest, unknown
from keyaudit.model.reasons import Reason
from keyaudit.model.stolen_keys import STOLEN, Stolen
from keyaudit.model.values.guid import GUID
from keyaudit.questions.blast_radius.answer import Relation
from keyaudit.questions.blast_radius.evidence.graph import rows

_PUBLIC = re.compile(r"spki:([0-9a-f]{64})", re.ASCII)

X509 = ("held_certificate", "signing_certificate", "issuer_key", "trusted_authority", "held_credential")
"""The tables of certificates, with the same digest columns."""
KEY_OF_CERTIFICATE = "list_contains($key_ids, replace(lower(certificate_id), '/certificates/', '/keys/'))"
# A certificate that Graph does not return has only a thumbprint, which its author can choose, so a match is uncertain.
UNSHOWN = "public_key_sha256 IS NULL AND unknown['public_key_sha256'] IS NOT NULL"
THUMBPRINT = "list_contains($thumbprints, upper(thumbprint))"
SAME = f"list_contains($keys, public_key_sha256) OR (({UNSHOWN}) AND {THUMBPRINT})"
"""SQL: whether a row of one of these tables has the key, with the parameters `Subject.digests`."""
DOUBT = "CASE WHEN list_contains($keys, public_key_sha256) THEN NULL ELSE unknown['public_key_sha256'] END"
"""SQL: why that is uncertain."""
_BY_DIGEST = " OR ".join(
    f"list_contains($digests, {column})" for column in ("upper(thumbprint)", "thumbprint_sha256", "public_key_sha256")
)
_OBJECTS = """
    SELECT 'certificate', lower(version) FROM held_certificate
    WHERE vault_id = $vault AND lower(split_part(certificate_id, '/', 5)) = $name
    UNION ALL SELECT 'key', lower(version) FROM key
    WHERE vault_id = $vault AND lower(split_part(key_id, '/', 5)) = $name
    UNION ALL SELECT 'secret', lower(version) FROM secret
    WHERE vault_id = $vault AND lower(split_part(secret_id, '/', 5)) = $name"""


class Subject(Struct, frozen=True, kw_only=True):
    """The key, with everything that identifies it. Digests are upper-case hex."""

    noun: str
    id: str
    name: str
    keys: frozenset[str] = frozenset()
    """SHA-256 of public keys."""
    thumbprints: frozenset[str] = frozenset()
    """SHA-1 or SHA-256 of certificates."""
    key_ids: frozenset[str] = frozenset()
    """Keys of vaults, without a version."""
    secret_ids: frozenset[str] = frozenset()
    """Secrets of vaults, without a version, that back no certificate."""
    version: str = ""
    """The requested version; empty for all."""
    vault_id: str = ""
    credentials: frozenset[str] = frozenset()
    """Row ids of credentials."""
    issuer_keys: frozenset[str] = frozenset()
    """Row ids of issuer keys."""
    seen: bool = True
    """Whether a snapshot has it, so that it is not a mistyped id."""
    gone: bool = False
    """Whether only an earlier snapshot has it."""
    missing: Sequence[tuple[Relation, str, Reason]] = ()
    """What the earlier snapshot did not show of it, in words, and why."""

    def digests(self, **also: Iterable[str] | str) -> dict[str, Any]:
        """The parameters of a query about it, plus others."""
        beside = {name: value if isinstance(value, str) else sorted(value) for name, value in also.items()}
        return {"keys": sorted(self.keys), "thumbprints": sorted(self.thumbprints), **beside}

    @property
    def has_digest(self) -> bool:
        """Whether a certificate of it is known, or could be identified by its thumbprint."""
        return bool(self.keys or self.thumbprints)


def subject(
    connection: duckdb.DuckDBPyConnection, asked: str, meant: Named | None, *, gone: bool, earlier: Subject | None = None
) -> Subject:
    """The subject that `asked` names, which is `meant` where the snapshot has it. Raises UsageError if there is none.

    A subject that this snapshot does not have is taken from an `earlier` one. A digest that no snapshot has can still be
    searched for; if `gone` is set, also a key id or a version.
    """
    found = named(connection, asked, meant, gone=gone)
    if earlier is not None and (found is None or not found.seen):
        return earlier
    if found is None:
        hint = "name an earlier snapshot that has it with --since" if gone else "name one of its versions, or none"
        raise unknown(asked, hint)
    return found


def named(connection: duckdb.DuckDBPyConnection, asked: str, meant: Named | None, *, gone: bool = False) -> Subject | None:
    """The subject that `asked` names, in the snapshot or not; None if there is none."""
    text = asked.strip()
    found = _meant(connection, meant) if meant is not None else _digest(text)
    if found is None and gone:
        found = _gone(connection, text)
    return _closed(connection, found) if found is not None else None


def with_credentials(connection: duckdb.DuckDBPyConnection, found: Subject) -> Subject:
    """A secret with the credentials that its tags name by their key ids: it holds one of these. Any other subject as it is."""
    if not found.secret_ids:
        return found
    query = f"""
        SELECT DISTINCT credential.id FROM held_credential AS credential
        JOIN (SELECT unnest(map_values(tags)) AS value FROM secret WHERE {OF_SECRET}) AS tag
        ON lower(tag.value) = lower(credential.key_id)"""
    tagged = connection.execute(query, of_secret(found)).fetchall()
    return _closed(connection, replace(found, credentials=frozenset(id_ for (id_,) in tagged)))


OF_SECRET = "list_contains($secret_ids, secret_id) AND $version IN ('', lower(version)) AND enabled IS NOT FALSE"  # noqa: S105
"""SQL: whether a row of the table of secrets is an enabled version of a subject, with the parameters `of_secret`."""


def of_secret(found: Subject) -> dict[str, Any]:
    """The parameters of `OF_SECRET`."""
    return {"secret_ids": sorted(found.secret_ids), "version": found.version}


def stolen(connection: duckdb.DuckDBPyConnection, found: Subject) -> Stolen | None:
    """Publicly known facts about the theft of a key, by the SHA-1 of any certificate with it."""
    return next((STOLEN[each] for each in thumbprints_of(connection, found) if each in STOLEN), None)


def thumbprints_of(connection: duckdb.DuckDBPyConnection, found: Subject) -> Sequence[str]:
    """The thumbprints of all certificates with its keys, sorted."""
    thumbprints = set(found.thumbprints)
    for table in X509:
        query = f"SELECT DISTINCT upper(thumbprint) FROM {table} WHERE list_contains($keys, public_key_sha256)"
        rows = connection.execute(query, {"keys": sorted(found.keys)}).fetchall()
        thumbprints |= {thumbprint for (thumbprint,) in rows if thumbprint}
    return sorted(thumbprints)


def is_digest(asked: str) -> bool:
    """Whether `asked` is the digest of a certificate or of a public key."""
    return bool(_PUBLIC.fullmatch(asked.strip().lower()) or digest(asked))


def _meant(connection: duckdb.DuckDBPyConnection, meant: Named) -> Subject | None:
    """The subject that a resource is; None if it has no such version, which may have been deleted."""
    if meant.noun in (Noun.KEY, Noun.CERTIFICATE, Noun.SECRET):
        return _in_vault(connection, meant)
    if meant.noun == Noun.SIGNING_CERTIFICATE:
        return _digest(meant.id)
    published: frozenset[str] = frozenset()
    credentials: frozenset[str] = frozenset()
    if meant.noun == Noun.PUBLISHED_KEY:
        published = _ids(connection, "SELECT id FROM issuer_key WHERE key_id = ?", meant.id)
    elif meant.noun == Noun.CREDENTIAL:
        credentials = frozenset((meant.id,))
    elif meant.noun == Noun.APPLICATION:
        query = "SELECT id FROM held_credential WHERE coalesce(lower(app_id), holder_id) = ?"
        credentials = _ids(connection, query, meant.id)
    return Subject(
        noun=meant.noun,
        id=meant.id,
        name=meant.name,
        vault_id=meant.vault_id,
        credentials=credentials,
        issuer_keys=published,
    )


def _in_vault(connection: duckdb.DuckDBPyConnection, meant: Named) -> Subject | None:
    rows = connection.execute(_OBJECTS, {"vault": meant.vault_id, "name": meant.own_name}).fetchall()
    certified = any(kind == Noun.CERTIFICATE for kind, _ in rows)
    # https://learn.microsoft.com/azure/key-vault/certificates/about-certificates: the secret of its name holds its private key.
    noun = Noun.CERTIFICATE if certified and meant.noun is Noun.SECRET else meant.noun
    versions = {version for kind, version in rows if (kind == Noun.SECRET) is (noun is Noun.SECRET)}
    if meant.version and meant.version not in versions:
        return None
    return _object(noun, meant.id, meant.version, name=meant.name, vault_id=meant.vault_id)


def _object(noun: str, id_: str, version: str, **beside: Any) -> Subject:
    """An object of a vault, by the address of its key, secret or certificate."""
    parts = id_.lower().split("/")[:5]
    own, key_id = ("/".join([*parts[:3], kind, parts[4]]) for kind in (f"{noun}s", "keys"))
    is_secret = noun == Noun.SECRET
    return Subject(
        noun=noun,
        id=f"{own}/{version}" if version else own,
        key_ids=frozenset() if is_secret else frozenset((key_id,)),
        secret_ids=frozenset((own,)) if is_secret else frozenset(),
        version=version,
        **beside,
    )


def _ids(connection: duckdb.DuckDBPyConnection, query: str, value: str) -> frozenset[str]:
    return frozenset(id_ for (id_,) in connection.execute(query, [value]).fetchall())


def _gone(connection: duckdb.DuckDBPyConnection, text: str) -> Subject | None:
    """A deleted credential by its key id, or a deleted version of a key by its address."""
    lower = text.lower()
    if GUID.fullmatch(lower):
        return Subject(noun=Noun.CREDENTIAL, id=lower, name=f"key id {lower}", seen=False)
    gone = address(lower)
    if gone is None or not gone.version or not lower.startswith("https://"):
        return None
    vaults = connection.execute("SELECT id, name FROM vault WHERE lower(name) = ?", [gone.vault]).fetchall()
    if len(vaults) != 1:
        return None
    [(vault_id, shown)] = vaults
    noun = Noun.SECRET if gone.kind == "secrets" else Noun.KEY
    return _object(noun, lower, gone.version, name=f"{shown or gone.vault}/{gone.name}", vault_id=vault_id, seen=False)


def _digest(asked: str) -> Subject | None:
    public = _PUBLIC.fullmatch(asked.lower())
    if public:
        key = public[1].upper()
        return Subject(noun="public key", id=f"spki:{key}", name=key, keys=frozenset((key,)), seen=False)
    if found := digest(asked):
        return Subject(noun="certificate", id=found, name=f"thumbprint {found}", thumbprints=frozenset((found,)), seen=False)
    return None


def _closed(connection: duckdb.DuckDBPyConnection, found: Subject) -> Subject:
    """The subject extended with the keys of all its certificates, so that other certificates with the same key are found.

    Certificates that Graph does not return are found by thumbprint.
    """
    keys, thumbprints = set(found.keys), set(found.thumbprints)
    for table, ids in (("held_credential", found.credentials), ("issuer_key", found.issuer_keys)):
        if ids:
            query = f"""
                SELECT DISTINCT upper(thumbprint) FROM {table}
                WHERE list_contains(?, id) AND public_key_sha256 IS NULL AND thumbprint IS NOT NULL"""
            thumbprints |= {digest for (digest,) in connection.execute(query, [sorted(ids)]).fetchall()}
    if found.key_ids:
        where = f"{KEY_OF_CERTIFICATE} AND ($version = '' OR lower(version) = $version)"
        keys |= _public(connection, "held_certificate", where, {"key_ids": sorted(found.key_ids), "version": found.version})
    if found.credentials:
        keys |= _public(connection, "held_credential", "list_contains($ids, id)", {"ids": sorted(found.credentials)})
    if found.noun == "application":
        # Its own token-signing certificates are its keys too.
        where = "coalesce(lower(app_id), holder_id) = $app"
        keys |= _public(connection, "signing_certificate", where, {"app": found.id})
    if found.issuer_keys:
        keys |= _public(connection, "issuer_key", "list_contains($ids, id)", {"ids": sorted(found.issuer_keys)})
    if found.thumbprints:
        for table in X509:
            # The author of a credential can choose its thumbprint, so it counts only if the certificate is not available.
            if table == "held_credential" and keys:
                break
            keys |= _public(connection, table, _BY_DIGEST, {"digests": sorted(found.thumbprints)})
    seen = found.seen or _has_row(connection, found.keys | found.thumbprints)
    return replace(found, keys=frozenset(keys), thumbprints=frozenset(thumbprints), seen=seen)


def _has_row(connection: duckdb.DuckDBPyConnection, digests: Iterable[str]) -> bool:
    """Whether any row has one of the digests."""
    values = {"digests": sorted(digests)}
    return any(connection.execute(f"SELECT 1 FROM {table} WHERE {_BY_DIGEST} LIMIT 1", values).fetchone() for table in X509)


def _public(connection: duckdb.DuckDBPyConnection, table: str, where: str, values: dict[str, object]) -> set[str]:
    query = f"SELECT DISTINCT public_key_sha256 FROM {table} WHERE public_key_sha256 IS NOT NULL AND ({where})"
    return {key for (key,) in connection.execute(query, values).fetchall()}


def names(connection: duckdb.DuckDBPyConnection, ids: Collection[str]) -> Mapping[str, str]:
    """Names by object id, client id or sign-in name (lower case), for those of `ids` that the inventory has."""
    query = """
        SELECT lower(app_id) AS id, name FROM service_principal WHERE list_contains($ids, lower(app_id)) AND name IS NOT NULL
        UNION SELECT split_part(id, '/', -1), name FROM service_principal
            WHERE list_contains($ids, split_part(id, '/', -1)) AND name IS NOT NULL
        UNION SELECT split_part(id, '/', -1), name FROM application
            WHERE list_contains($ids, split_part(id, '/', -1)) AND name IS NOT NULL
        UNION SELECT split_part(id, '/', -1), name FROM principal
            WHERE list_contains($ids, split_part(id, '/', -1)) AND name IS NOT NULL
        ORDER BY 1, 2"""
    return {row["id"]: row["name"] for row in rows(connection, query, {"ids": sorted(ids)})}
