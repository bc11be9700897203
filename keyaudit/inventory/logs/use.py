"""What a reader of logs hands over: each use, and after those of one file what was read of it."""

import hashlib

import msgspec

from keyaudit.inventory.ledger import BreachError

OTHERS = 100
"""Names of operations that are told apart, of one log in one file."""
BEYOND = "(more names)"
_ENCODER = msgspec.json.Encoder(order="deterministic")


class Use(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """One row of the table `usage`, but for what its file and the tenant give to all alike.

    A column that is None is absent, or else named in `unknown` with the reason.
    """

    source: str
    used_on: int
    operation: str
    target_kind: str
    succeeded: bool | None
    target_id: str | None
    name: str | None = None
    """The record's own id, or what it is found by in its log."""
    resource_id: str | None = None
    """What wrote the log, in Azure's spelling; None: the tenant."""
    actor_app_id: str | None = None
    client_app_id: str | None = None
    principal_id: str | None = None
    credential_key_id: str | None = None
    network: str | None = None
    client: str | None = None
    unknown: dict[str, str] = {}
    part: int = 0
    """A record that says several things gives several rows; they are counted by the one of part 0."""
    mark: str | None = None
    """What tells two records apart that have no id of their own and else say the same; None: `name` is its own id."""
    throttled: bool | None = False
    """The log says that it stopped recording this mailbox; None: it should say whether, and does not."""


class SourceRead(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What one file held of one log: received = kept + duplicate + quarantined + ignored."""

    received: int = 0
    kept: int = 0
    duplicate: int = 0
    quarantined: int = 0
    ignored: int = 0
    """Records of things that `usage` is not about."""
    others: dict[str, int] = {}
    """How many these are of each operation, under the name that the log gives it; of names beyond `OTHERS`, together."""
    first_on: int | None = None
    last_on: int | None = None
    """The times of the first and the last event, whatever it is about."""


class FileRead(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What was read of one file. `sources` is by the name of the log; empty: records that could not be told."""

    file: str
    size: int
    sha256: str
    form: str
    """What it was read as."""
    complete: bool
    """It was read to its end, and its end is one."""
    sources: dict[str, SourceRead]
    lacks_before: int | None = None
    """Midnight UTC of the day before which all is that it lacks; None: it may be of any day."""
    unread: bool = False
    """Nothing of it was read. What writes a log without a gap elsewhere does not write it here alone."""
    trouble: tuple[str, ...] = ()
    """The first few places that could not be read, and why."""


def line(use: Use, file: int) -> bytes:
    """A use as one line of JSON, with its id: equal for the same record wherever it is read. `file`: the file's number."""
    for column, value in (("succeeded", use.succeeded), ("target_id", use.target_id)):
        if value is None and column not in use.unknown:
            raise BreachError(f"usage {use.name}: {column}: neither a value nor a reason")
    text = same = _ENCODER.encode(use)
    if use.mark is None:
        # What a record's own id stands for: the rest of a row may be told more fully by one export than by another.
        same = _ENCODER.encode(
            (use.source, use.name, use.used_on, use.operation, use.target_id, use.credential_key_id, use.part)
        )
    id_ = hashlib.blake2b(same, digest_size=16).hexdigest()
    return b'{"id":"%s","file":%d,%s\n' % (id_.encode(), file, text[1:])
