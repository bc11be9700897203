"""Resolves a name, id or address to a vault, an object in one, or a principal."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program; what people type is a parameter

import difflib
import re
from collections.abc import Iterator, Sequence

import duckdb
from msgspec import Struct

from keyaudit.model.errors import UsageError
from keyaudit.model.guid import GUID
from keyaudit.model.text import one_line

_ADDRESS = re.compile(r"https://([a-z0-9-]+)\.[^/]+(?:/(keys|certificates)/([^/]+)(?:/[^/]*)?)?/?", re.ASCII)
_RESOURCE = re.compile(
    r"(/subscriptions/.+/providers/microsoft\.keyvault/(?:vaults|managedhsms)/[^/]+)(?:/(keys|certificates)/([^/]+))?"
)
_MOST = 5
"""The maximum number of matches that are listed."""


class Target(Struct, frozen=True, order=True):
    """The target: a vault or Managed HSM, a key or certificate in one, or a principal."""

    noun: str
    id: str
    name: str
    vault_id: str = ""
    thing: str = ""
    """Its name below the vault, in lower case."""


_SHOWN_KINDS = ("app registration ", "service principal ", "managed identity ")


def target(connection: duckdb.DuckDBPyConnection, asked: str) -> Target:
    """The target that `asked` names. Raises UsageError with the nearest names if there is none, or several."""
    found = sorted({*_in_vaults(connection, asked.strip()), *_principals(connection, asked.strip())})
    found = found or sorted({*_bare(connection, asked.strip()), *_called(connection, asked.strip())})
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError("access", f"nothing is known by the name {one_line(asked)!r}", _nearest(connection, asked.strip()))
    several = ", ".join(f"{each.noun} {one_line(each.id, 300)}" for each in found[:_MOST])
    more = f" and {len(found) - _MOST:,} more" if len(found) > _MOST else ""
    raise UsageError("access", f"{one_line(asked)!r} names {len(found):,} things: {several}{more}", "use one of these ids")


def _in_vaults(connection: duckdb.DuckDBPyConnection, asked: str) -> Sequence[Target]:
    text = asked.lower()
    address, resource = _ADDRESS.fullmatch(text), _RESOURCE.fullmatch(text)
    if address:
        place, kind, name = ("name", address[1]), address[2], address[3]
    elif resource:
        place, kind, name = ("id", resource[1]), resource[2], resource[3]
    else:
        # "kv-prod/codesign", or "kv-prod/keys/codesign" as reports show it.
        vault, _, name = text.partition("/")
        collection, _, own = name.partition("/")
        place, kind = ("name", vault), collection if own else None
        name = own or name
    query = f"SELECT id, name, kind FROM vault WHERE lower({place[0]}) = ? ORDER BY id"
    found: list[Target] = []
    for id_, shown, what in connection.execute(query, [place[1]]).fetchall():
        noun = "Managed HSM" if what == "managed-hsm" else "vault"
        if name:
            found += _things(connection, id_, shown, name, kind)
        else:
            found.append(Target(noun, id_, shown or id_, id_))
    return found


def _things(
    connection: duckdb.DuckDBPyConnection, vault_id: str, vault_name: str, name: str, kind: str | None
) -> Sequence[Target]:
    """The certificate of that name, otherwise the key: a certificate includes its key."""
    for noun, table, column in (("certificate", "certificate", "certificate_id"), ("key", "key", "key_id")):
        if kind not in (None, f"{noun}s"):
            continue
        query = f"SELECT min({column}), min(name) FROM {table} WHERE vault_id = ? AND lower(split_part({column}, '/', 5)) = ?"
        row = connection.execute(query, [vault_id, name]).fetchone()
        if row and row[0]:
            return [Target(noun, row[0], f"{vault_name}/{row[1] or name}", vault_id, name)]
    return []


def _bare(connection: duckdb.DuckDBPyConnection, asked: str) -> Iterator[Target]:
    """Keys and certificates of any vault by their own name."""
    for noun, table, column in (("certificate", "certificate", "certificate_id"), ("key", "key", "key_id")):
        query = f"SELECT DISTINCT vault_id, vault_name, {column}, name FROM {table} WHERE lower(name) = ? ORDER BY {column}"
        if rows := connection.execute(query, [asked.lower()]).fetchall():
            # A certificate includes its key.
            yield from (Target(noun, id_, f"{vault}/{name}", vault_id, name.lower()) for vault_id, vault, id_, name in rows)
            return


def _called(connection: duckdb.DuckDBPyConnection, asked: str) -> Sequence[Target]:
    """A principal with its kind before its name, as reports show it."""
    kind = next((kind for kind in _SHOWN_KINDS if asked.lower().startswith(kind)), None)
    return _principals(connection, asked[len(kind) :]) if kind else ()


def _principals(connection: duckdb.DuckDBPyConnection, asked: str) -> Sequence[Target]:
    """Principals by object id, client id, sign-in name or display name."""
    text = asked.lower()
    if GUID.fullmatch(text):
        held, own = "object_id = $1 OR lower(app_id) = $1", "split_part(id, '/', 5) = $1 OR lower(app_id) = $1"
    else:
        held, own = "lower(user_principal_name) = $1 OR lower(name) = $1", "lower(name) = $1"
    query = f"""
        SELECT object_id, any_value(name) FROM (
            SELECT object_id, name FROM principal WHERE {held}
            UNION ALL
            SELECT split_part(id, '/', 5), name FROM service_principal WHERE {own}
        ) GROUP BY object_id ORDER BY object_id"""
    return [Target("principal", id_, name or id_) for id_, name in connection.execute(query, [text]).fetchall()]


def _nearest(connection: duckdb.DuckDBPyConnection, asked: str) -> str:
    vault, slash, _ = asked.lower().partition("/")
    if slash:
        query = """
            SELECT DISTINCT vault.name || '/' || split_part(key.key_id, '/', 5) FROM key
            JOIN vault ON vault.id = key.vault_id WHERE lower(vault.name) = ?"""
        names = [str(name) for (name,) in connection.execute(query, [vault]).fetchall() if name]
        near = difflib.get_close_matches(asked.lower(), names, n=1)
        if near:
            return f"did you mean {one_line(near[0])}?"
    query = """
        SELECT name FROM vault UNION SELECT name FROM principal UNION SELECT user_principal_name FROM principal"""
    names = [str(name) for (name,) in connection.execute(query).fetchall() if name]
    near = difflib.get_close_matches(asked, sorted(names), n=1)
    if near:
        return f"did you mean {one_line(near[0])}?"
    return "name a vault, vault/key, a resource id, a key's address, an object id, a sign-in name or an exact display name"
