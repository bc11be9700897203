"""What a log record comes to, and how its members are read out of JSON text or out of a table's columns."""

from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar

import msgspec

from keyaudit.collect.usage.values import BadRecordError
from keyaudit.inventory.files import BROKEN
from keyaudit.inventory.logs.use import Use
from keyaudit.model.reasons import Reason

T = TypeVar("T")
Members = bytes | msgspec.Raw | Mapping[str, Any]
"""A record: the JSON text of an object, or values by column."""


class Event(msgspec.Struct, gc=False):
    """One record: its log, when it was, and the uses that it tells of. None: it is of something else."""

    source: str
    on: int
    uses: tuple[Use, ...] = ()
    tenant_id: str | None = None
    resource_id: str | None = None
    """What wrote the log, in lower case; None: the tenant, or nothing that the record names."""
    operation: str | None = None
    """Of a record of something else: what it says was done."""


def mark(use: Use, names: Iterable[str]) -> None:
    """Says of those of these columns in which the use has nothing that they are unknown, and not absent."""
    for name in names:
        if getattr(use, name) is None:
            use.unknown = {name: Reason.NOT_SUPPLIED, **use.unknown}


class Shape(Generic[T]):
    """Reads records of one shape. Raises BadRecordError for what has another."""

    def __init__(self, shape: type[T]) -> None:
        self._shape = shape
        # Not strict: one system writes numbers and truths as text where another does not.
        self._decoder = msgspec.json.Decoder(shape, strict=False)

    def __call__(self, members: Members) -> T:
        try:
            if isinstance(members, bytes | msgspec.Raw):
                return self._decoder.decode(members)
            return msgspec.convert(members, self._shape, strict=False)
        except BROKEN as error:
            raise BadRecordError(f"not as such a record is: {error}") from error


def inside(shape: Shape[T], value: Any) -> T | None:
    """A member that is an object, or the JSON text of one, as tables hold it; None where there is nothing."""
    if isinstance(value, str):
        text = value.strip()
        return shape(text.encode("utf-8", "surrogatepass")) if text and text != "null" else None
    return None if value is None else shape(value)
