"""Tokens in logs: those that a sign-in issued, and those that were used. Their ids are stored keyed and hashed.

The table is a set: a row that is added again changes nothing, so that neither the order of records nor a file that is read
twice matters. An import adds files, and a reader merges their rows.
"""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program

import hmac
import secrets
from collections.abc import Sequence
from pathlib import Path

import duckdb
import msgspec

from keyaudit.inventory.disk import files
from keyaudit.inventory.load import counted, one, parquet, part_name, write_parquet
from keyaudit.inventory.manifest import File, TableFiles
from keyaudit.model.values.times import DAY

TOKENS, HOURS, KEY = "tokens", "hours", "tokens.key"
"""The tables, and the file with the key by which ids are hashed."""
_SIZE = 32
AT_ONCE = 1_000_000
"""The number of rows that are written in order, as one file."""
_SAME = {
    "day": "BIGINT",
    "source": "VARCHAR",
    "service": "VARCHAR",
    "issue": "BOOLEAN",
    "token": "UUID",
    "odd": "BOOLEAN",
    "issued_on": "BIGINT",
    "expires_on": "BIGINT",
    "kind": "VARCHAR",
    "external": "BOOLEAN",
    "app": "VARCHAR",
    "client": "VARCHAR",
    "resource": "VARCHAR",
    "principal": "VARCHAR",
    "object_id": "VARCHAR",
    "succeeded": "BOOLEAN",
}
COLUMNS = {**_SAME, "near": "BIGINT", "first_on": "BIGINT", "last_on": "BIGINT", "record": "VARCHAR"}
"""The columns of TOKENS, with their SQL types: one row for each token, principal and application of a log and day.

`issue`: it is of a sign-in log. `token`: empty if the record names none. `client`: the application, where the log says for sure
that the token is its. `near`: about when it was issued. `record`: the id of the first record.
"""
HOUR_COLUMNS = {"source": "VARCHAR", "hour": "BIGINT", "named": "BOOLEAN"}
"""The columns of HOURS: by sign-in log each hour since 1970 with a record, and whether that has a token's id."""
_SPOOLED = {name: type_ for name, type_ in COLUMNS.items() if name not in ("day", "near", "first_on", "last_on")}
SPOOLED = {"on": "BIGINT", **_SPOOLED}
"""The columns of a token as a line of JSON."""
_ENCODER = msgspec.json.Encoder()


class Token(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """One record that names a token, or could: of a sign-in (`issue`), or of a use."""

    source: str
    on: int
    token: str | None
    """Its id in one form for all logs."""
    issue: bool = False
    service: str | None = None
    """The service that logged a use."""
    odd: bool = False
    """Whether the id has another form than those of Entra, and is kept as it is."""
    issued_on: int | None = None
    expires_on: int | None = None
    kind: str | None = None
    external: bool | None = None
    app: str | None = None
    client: str | None = None
    resource: str | None = None
    principal: str | None = None
    object_id: str | None = None
    succeeded: bool | None = None
    record: str | None = None


def new_key() -> bytes:
    """A key for the ids in a new store."""
    return secrets.token_bytes(_SIZE)


def read_key(folder: Path) -> bytes:
    """The key of the store in `folder`, whose digest the caller has checked."""
    return files.read(folder / KEY, _SIZE)


def write_key(connection: duckdb.DuckDBPyConnection, folder: Path, key: bytes, written: TableFiles) -> File | None:
    """Writes the key to a store's folder; None if none of the tokens that were written has an id."""
    paths = [folder / file.path for file in written.files]
    if not paths or not one(connection, f"SELECT count(token) FROM {parquet(*paths)}"):
        return None
    files.create(folder / KEY, key)
    size, sha256 = files.digest(folder / KEY)
    return File(path=KEY, size=size, sha256=sha256)


def token_line(token: Token, key: bytes) -> bytes:
    """A token as one line of JSON, its id hashed with the key."""
    if token.token is not None:
        text = f"odd:{token.token}" if token.odd else token.token
        token.token = hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256")[:16].hex()
    return _ENCODER.encode(token) + b"\n"


def reduced(relation: str) -> str:
    """A query over spooled tokens: each once for its day."""
    given = ", ".join(name for name in _SAME if name != "day")
    near = 'CASE WHEN issue THEN min("on") ELSE coalesce(issued_on, min("on")) END'
    return f"""SELECT "on" // {DAY} AS day, {given}, {near} AS near, min("on") AS first_on, max("on") AS last_on,
            min_by(record, ("on", record)) AS record
        FROM (SELECT * REPLACE (coalesce(issue, false) AS issue, coalesce(odd, false) AS odd) FROM {relation})
        GROUP BY day, {given}"""


def merged(relation: str) -> str:
    """A query over rows of TOKENS that may be there several times: each once."""
    given = ", ".join(_SAME)
    return f"""SELECT {given}, min(near) AS near, min(first_on) AS first_on, max(last_on) AS last_on,
            min_by(record, (first_on, record)) AS record
        FROM {relation} GROUP BY {given}"""


def write_tokens(
    connection: duckdb.DuckDBPyConnection, folder: Path, spooled: Sequence[Path], earlier: tuple[Path, TableFiles] | None
) -> TableFiles:
    """Writes files of TOKENS from those of `spooled`, which `reduced` made, beside those of an earlier store.

    Raises UnsafeError if the earlier files were changed.
    """
    found: list[File] = []
    rows = 0
    if earlier is not None:
        before, table = earlier
        for file in table.files:
            files.link(before / file.path, folder / file.path)
        found, rows = [*table.files], table.rows
    each = counted(connection, spooled)
    few = sum(each.values()) <= AT_ONCE
    order = ", ".join(("near", *(name for name in COLUMNS if name != "near")))
    for paths in ([spooled] if few else [[path] for path in spooled]) if any(each.values()) else []:
        path = f"{TOKENS}/{part_name(len(found))}"
        rows += write_parquet(connection, f"{merged(parquet(*paths))} ORDER BY {order}", folder / path)
        size, sha256 = files.digest(folder / path)
        found.append(File(path=path, size=size, sha256=sha256))
    return TableFiles(files=tuple(found), rows=rows, columns=COLUMNS)
