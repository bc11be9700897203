"""The output of log readers: each use, and after the uses of a file its reading result."""

import hashlib

import msgspec

from keyaudit.inventory.ledger import BreachError

OTHERS = 100
"""The maximum number of operation names that are counted separately, per log and file."""
BEYOND = "(more names)"
_ENCODER = msgspec.json.Encoder(order="deterministic")


class Use(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """One row of the table `usage`, without the columns that are the same for a file or tenant.

    A column that is None is absent, or named in `unknown` with the reason.
    """

    source: str
    used_on: int
    operation: str
    target_kind: str
    succeeded: bool | None
    target_id: str | None
    name: str | None = None
    """The record's id, or another identification in its log."""
    resource_id: str | None = None
    """The resource that wrote the log, in Azure's spelling; None: the tenant."""
    actor_app_id: str | None = None
    client_app_id: str | None = None
    api_app_id: str | None = None
    principal_id: str | None = None
    credential_key_id: str | None = None
    network: str | None = None
    client: str | None = None
    granted_to: str | None = None
    permission: str | None = None
    issuer: str | None = None
    privileged: bool | None = None
    unknown: dict[str, str] = {}
    part: int = 0
    """A record with several uses gives several rows; only part 0 is counted."""
    mark: str | None = None
    """Distinguishes equal records without an id; None: `name` is its id."""
    uses: int = 1
    """The number of uses that this row stands for: those of one day that differ from it only in time, `name` and `mark`, and
    the reads of a mailbox that a record counts.
    """
    records: int = 1
    """The number of records that this row stands for."""
    throttled: bool | None = False
    """Whether the log says that it stopped recording this mailbox; None: it should say so, but does not."""


class SourceRead(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The reading result of one log in one file: received = kept + duplicate + quarantined + ignored."""

    received: int = 0
    kept: int = 0
    duplicate: int = 0
    quarantined: int = 0
    ignored: int = 0
    """Records that are not uses."""
    tokens: int = 0
    """Records of either kind with the id of a token."""
    others: dict[str, int] = {}
    """Their number by operation name in the log; names beyond `OTHERS` are counted together."""
    unread: dict[str, dict[str, int]] = {}
    """Of them, those that may touch keys and are not read: their number by operation name, limited in the same way, and day, as
    in 2026-11-24.
    """
    first_on: int | None = None
    last_on: int | None = None
    """The times of the first and the last event of any kind."""


class FileRead(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The reading result of one file. `sources` is by log name; the empty name has unrecognised records."""

    file: str
    size: int
    sha256: str
    form: str
    """The format that it was read as."""
    complete: bool
    """Whether it was read completely and is not truncated."""
    sources: dict[str, SourceRead]
    lacks_before: int | None = None
    """Midnight UTC of the day before which everything missing lies; None: it may be of any day."""
    asked: tuple[int, int] | None = None
    """Midnight UTC of the first day that was asked for, and of the day after the last: what is missing lies between them. None:
    it may be of any day.
    """
    unread: bool = False
    """Whether nothing of it was read. A resource whose log has no gap in other files is not affected."""
    trouble: tuple[str, ...] = ()
    """The first few unreadable places, and why."""


def line(use: Use, file: int) -> bytes:
    """A use as one line of JSON, with an id that is the same for the same record in any file. `file`: the file's number."""
    for column, value in (("succeeded", use.succeeded), ("target_id", use.target_id)):
        if value is None and column not in use.unknown:
            raise BreachError(f"usage {use.name}: {column}: neither a value nor a reason")
    text = same = _ENCODER.encode(use)
    if use.mark is None:
        # The record's id identifies it; exports differ in the other columns.
        same = _ENCODER.encode(
            (use.source, use.name, use.used_on, use.operation, use.target_id, use.credential_key_id, use.part)
        )
    elif use.records != 1:
        # The same record, fetched as one of its day, has the same id.
        same = _ENCODER.encode(msgspec.structs.replace(use, uses=use.uses // use.records, records=1))
    id_ = hashlib.blake2b(same, digest_size=16).hexdigest()
    return b'{"id":"%s","file":%d,%s\n' % (id_.encode(), file, text[1:])
