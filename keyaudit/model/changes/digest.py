"""A notification about changes: a title and a few lines of plain text, without markup of any chat or mail program."""

from msgspec import Struct


class Digest(Struct, frozen=True):
    """One message, in plain text. `owners`: whom it is for, as the tenant says it; empty for resources without an owner."""

    title: str
    body: str
    owners: tuple[str, ...] = ()
