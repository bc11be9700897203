"""The result of a log record, and decoding of its members from JSON text or table columns."""

from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar

import msgspec

from keyaudit.inventory.disk.files import BROKEN
from keyaudit.inventory.logs.token import Token
from keyaudit.inventory.logs.use import Use
from keyaudit.logs.formats.values import BadRecordError
from keyaudit.model.reasons import Reason

T = TypeVar("T")
Members = bytes | msgspec.Raw | Mapping[str, Any]
"""A record: the JSON text of an object, or values by column."""


class Event(msgspec.Struct, gc=False):
    """One record: its log, time and uses, and the token that it names. None: it is about neither."""

    source: str
    on: int
    uses: tuple[Use, ...] = ()
    tenant_id: str | None = None
    resource_id: str | None = None
    """The resource that wrote the log, in lower case; None: the tenant, or not in the record."""
    operation: str | None = None
    """The operation of a record that is not about uses."""
    unread: bool = False
    """Whether that operation may touch keys, credentials or their logs, and is not read."""
    token: Token | None = None
    """The token that it issued or that was used; without an id where it could have named one."""


def mark(use: Use, names: Iterable[str]) -> None:
    """Marks those of these columns that are empty in the use as unknown, not absent."""
    for name in names:
        if getattr(use, name) is None:
            use.unknown = {name: Reason.NOT_SUPPLIED, **use.unknown}


class Shape(Generic[T]):
    """Decodes records of one shape. Raises BadRecordError for other shapes."""

    def __init__(self, shape: type[T]) -> None:
        self._shape = shape
        # Not strict: some systems write numbers and booleans as text.
        self._decoder = msgspec.json.Decoder(shape, strict=False)

    def __call__(self, members: Members) -> T:
        try:
            if isinstance(members, bytes | msgspec.Raw):
                return self._decoder.decode(members)
            return msgspec.convert(members, self._shape, strict=False)
        except BROKEN as error:
            raise BadRecordError(f"not a valid record of this kind: {error}") from error


def inside(shape: Shape[T], value: Any) -> T | None:
    """A member that is an object, or its JSON text as in tables; None if it is empty."""
    if isinstance(value, str):
        text = value.strip()
        return shape(text.encode("utf-8", "surrogatepass")) if text and text != "null" else None
    return None if value is None else shape(value)
