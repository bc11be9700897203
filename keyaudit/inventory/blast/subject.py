"""Resolves a key from an address, a name in a vault, a thumbprint, a key id, or the application that signs in with it."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program; what people type is a parameter

import base64
import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import duckdb
from msgspec import Struct
from msgspec.structs import replace

from keyaudit.model import base64url
from keyaudit.model.blast_radius import Relation
from keyaudit.model.errors import UsageError
from keyaudit.model.guid import GUID
from keyaudit.model.reasons import Reason
from keyaudit.model.stolen_keys import STOLEN, Stolen
from keyaudit.model.text import one_line

_MOST = 5
"""The maximum number of matches that are listed."""
_ADDRESS = re.compile(r"https://([a-z0-9-]+)\.[^/]+/(keys|certificates)/([^/]+)(?:/([^/]*))?/?", re.ASCII)
_RESOURCE = re.compile(
    r"/subscriptions/.+/providers/microsoft\.keyvault/(?:vaults|managedhsms)/([^/]+)/(keys|certificates)/([^/]+)(?:/([^/]*))?"
)
_NAMED = re.compile(r"([a-z0-9-]+)/(?:(keys|certificates)/)?([a-z0-9-]+)(?:/([0-9a-f]{32}))?", re.ASCII)
_HEX = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})", re.ASCII)
_PUBLIC = re.compile(r"spki:([0-9a-f]{64})", re.ASCII)
_SHA1, _SHA256 = 20, 32

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
    SELECT 'certificate', certificate_id, lower(version) FROM held_certificate
    WHERE vault_id = $vault AND lower(split_part(certificate_id, '/', 5)) = $name
    UNION ALL SELECT 'key', key_id, lower(version) FROM key
    WHERE vault_id = $vault AND lower(split_part(key_id, '/', 5)) = $name"""


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


def subject(connection: duckdb.DuckDBPyConnection, asked: str, *, gone: bool, earlier: Subject | None = None) -> Subject:
    """The subject that `asked` names. Raises UsageError with the nearest names if there is none, or several.

    A subject that this snapshot does not have is taken from an `earlier` one. A digest that no snapshot has can still be
    searched for; if `gone` is set, also a key id or a version.
    """
    found = named(connection, asked, gone=gone)
    if earlier is not None and (found is None or not found.seen):
        return earlier
    if found is None:
        raise UsageError(_shown(asked), "nothing is known by this name", _nearest(connection, asked.strip()))
    return found


def named(connection: duckdb.DuckDBPyConnection, asked: str, *, gone: bool = False) -> Subject | None:
    """The subject that `asked` names, in the snapshot or not; None if there is none. Raises UsageError if there are several."""
    text = asked.strip()
    found = {each.id: each for each in (*_in_vaults(connection, text, gone=gone), *_in_entra(connection, text))}
    if not found:
        found = {each.id: each for each in _digest(text)}
    if not found and gone and GUID.fullmatch(text.lower()):
        return Subject(noun="credential", id=text.lower(), name=f"key id {text.lower()}", seen=False)
    if not found:
        return None
    if len(found) == 1:
        return _closed(connection, next(iter(found.values())))
    several = ", ".join(f"{each.noun} {one_line(each.id, 300)}" for each in list(found.values())[:_MOST])
    more = f" and {len(found) - _MOST:,} more" if len(found) > _MOST else ""
    raise UsageError(_shown(asked), f"names {len(found):,} things: {several}{more}", "use one of these ids")


def _shown(asked: str) -> str:
    # Several commands look names up, so an error begins with the name and not with a command.
    return repr(one_line(asked))


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


def in_vault(asked: str) -> tuple[str, str] | None:
    """The name of the vault and that of the key or certificate that `asked` names in it, both in lower case."""
    text = asked.strip().lower()
    match = _ADDRESS.fullmatch(text) or _RESOURCE.fullmatch(text) or _NAMED.fullmatch(text)
    return (match[1], match[3]) if match else None


def digest(asked: str) -> str:
    """The digest that `asked` is, in upper-case hex; empty if it is none."""
    plain = re.sub(r"[\s:]", "", asked).lower()
    return (plain if _HEX.fullmatch(plain) else _unencoded(asked.strip()).hex()).upper()


def _in_vaults(connection: duckdb.DuckDBPyConnection, asked: str, *, gone: bool) -> Iterator[Subject]:
    text = asked.lower()
    match = _ADDRESS.fullmatch(text) or _RESOURCE.fullmatch(text) or _NAMED.fullmatch(text)
    if not match:
        return
    vault, kind, name, version = match.groups(default="")
    vaults = connection.execute("SELECT id, name FROM vault WHERE lower(name) = ? ORDER BY id", [vault]).fetchall()
    for vault_id, shown in vaults:
        rows = connection.execute(_OBJECTS, {"vault": vault_id, "name": name}).fetchall()
        nouns = {noun for noun, _, of in rows if version in ("", of)}
        if nouns:
            noun = "certificate" if "certificate" in nouns and kind != "keys" else "key"
            key_id = rows[0][1].lower().replace("/certificates/", "/keys/")
        elif gone and version and _ADDRESS.fullmatch(text):
            noun, key_id = "key", f"{text.partition(f'/{kind}/')[0]}/keys/{name}"
        else:
            continue
        yield Subject(
            noun=noun,
            id=key_id.replace("/keys/", f"/{noun}s/", 1) + (f"/{version}" if version else ""),
            name=f"{shown or vault}/{name}",
            key_ids=frozenset((key_id,)),
            version=version,
            vault_id=vault_id,
            seen=bool(nouns),
        )


def _in_entra(connection: duckdb.DuckDBPyConnection, asked: str) -> Iterator[Subject]:
    """Credentials and issuer keys by their key id; applications by an id or their exact name, with all their credentials."""
    text = asked.lower()
    keyed = "SELECT id, key_id, holder_name FROM held_credential WHERE lower(key_id) = ? ORDER BY id"
    for id_, key_id, holder in connection.execute(keyed, [text]).fetchall():
        name = f"{key_id} of {holder or 'an application without a name'}"
        yield Subject(noun="credential", id=id_, name=name, credentials=frozenset((id_,)))
    published = connection.execute("SELECT id, key_id FROM issuer_key WHERE key_id = ? ORDER BY id", [asked]).fetchall()
    if published:
        ids = frozenset(id_ for id_, _ in published)
        yield Subject(noun="published key", id=asked, name=asked, issuer_keys=ids)
    by_id = "lower(app_id) = $1 OR split_part(id, '/', -1) = $1"
    where = by_id if GUID.fullmatch(text) else "lower(name) = $1"
    held = f"""
        SELECT coalesce(lower(app_id), id) AS app, any_value(name) FROM (
            SELECT id, app_id, name FROM application WHERE {where}
            UNION ALL SELECT id, app_id, name FROM service_principal WHERE {where}
        ) GROUP BY app ORDER BY app"""
    for app, name in connection.execute(held, [text]).fetchall():
        own = "SELECT id FROM held_credential WHERE coalesce(lower(app_id), holder_id) = ? ORDER BY id"
        ids = frozenset(id_ for (id_,) in connection.execute(own, [app]).fetchall())
        yield Subject(noun="application", id=app, name=name or app, credentials=ids)


def _digest(asked: str) -> Iterator[Subject]:
    public = _PUBLIC.fullmatch(asked.lower())
    if public:
        key = public[1].upper()
        yield Subject(noun="public key", id=f"spki:{key}", name=key, keys=frozenset((key,)), seen=False)
        return
    if found := digest(asked):
        yield Subject(noun="certificate", id=found, name=f"thumbprint {found}", thumbprints=frozenset((found,)), seen=False)


def _unencoded(asked: str) -> bytes:
    """The digest in an x5t or x5t#S256 value (base64url); empty if it is not one."""
    try:
        found = base64url.decoded(asked)
    except ValueError:
        return b""
    exact = base64.urlsafe_b64encode(found).decode().rstrip("=") == asked.rstrip("=")
    return found if len(found) in (_SHA1, _SHA256) and exact else b""


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


def _nearest(connection: duckdb.DuckDBPyConnection, asked: str) -> str:
    """The nearest name, or the kinds of names that are accepted."""
    vault, slash, _ = asked.lower().partition("/")
    if slash:
        query = "SELECT DISTINCT lower(vault_name) || '/' || split_part(key_id, '/', 5) FROM key WHERE lower(vault_name) = ?"
        rows = connection.execute(query, [vault]).fetchall()
    else:
        rows = connection.execute("SELECT name FROM application UNION SELECT name FROM service_principal").fetchall()
    near = difflib.get_close_matches(asked, sorted(str(name) for (name,) in rows if name), n=3)
    if near:
        return f"did you mean {' or '.join(map(one_line, near))}?"
    return "name VAULT/KEY, a key's address, a thumbprint, a key id, or an application's id or exact display name"
