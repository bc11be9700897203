"""Reads the members of an answer from the wire: each is undecoded until it is read, and says why it cannot be."""

from collections.abc import Mapping
from functools import cache
from typing import TypeVar, cast

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType, structs

from keyaudit.collect.x509 import read_certificate
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.schema.wire import At, Case, Combined, InCertificate, Unreadable, steps

T = TypeVar("T")

Wire = Raw | UnsetType
"""An undecoded member of an answer, or UNSET if it was left out."""

CONTRADICTED = Raw(b"\x00")
"""Marks a member that differs between two copies of an object, and is read as inconsistent; not valid JSON."""

UNASKED = Raw(b"\x01")
"""Marks a member that Azure refused to be asked for, and is read as unrecognised; not valid JSON."""

AFTER_APPLY = Raw(b"1.5e-301")
"""Stands in the answers made of a plan for a value that is known after apply. It is valid JSON, so that it can be within an
answer, and of a type that no member has: nothing reads it as a value.
"""

NOT_IN_PLAN = Raw(b"2.5e-301")
"""The same for a value that no plan has, such as the time of creation."""


def decoded(raw: Wire, kind: type[T]) -> T:
    """`raw` decoded as `kind`.

    Raises `Unreadable`: for a left-out member as bad_body, for null or any other type as bad_value, for a member that differs
    between copies as inconsistent, for one that could not be asked for as unrecognised, and for one that holds a mark of a plan
    for the reason of that mark.
    """
    if isinstance(raw, UnsetType):
        raise Unreadable(Reason.BAD_BODY)
    try:
        return msgspec.json.decode(raw, type=kind)
    # Deep nesting raises RecursionError, malformed text UnicodeDecodeError, which is a ValueError.
    except (ValueError, RecursionError):
        raise Unreadable(why_bad(raw)) from None


def read(raw: Wire, kind: type[T]) -> T | Refusal:
    """Like `decoded`, with a refusal in place of the exception."""
    try:
        return decoded(raw, kind)
    except Unreadable as why:
        return Refusal(why.reason)


def given(raw: Wire) -> Wire:
    """`raw`, if it is not null. Raises `Unreadable` otherwise."""
    if is_null(raw):
        raise Unreadable
    return raw


def value_at(item: Struct, way: At | Case | Combined | InCertificate) -> object:
    """The value of a column in an item: undecoded if it is copied, UNSET if it was left out.

    Raises ValueError if it cannot be read, and `Unreadable` with the reason.
    """
    match way:
        case At():
            return _member(item, way)
        case Case():
            word = _needed(item, At(way.path, str, str))
            if word not in way.values:
                raise Unreadable(Reason.UNRECOGNISED)
            chosen = way.values[str(word)]
            return _member(item, chosen) if isinstance(chosen, At) else chosen
        case Combined():
            return way.via(*(_needed(item, part) for part in way.parts))
        case InCertificate():
            certificate = read_certificate(str(_needed(item, At(way.path, str, str))))
            fact = certificate if isinstance(certificate, Refusal) else getattr(certificate, way.fact)
            if isinstance(fact, Refusal):
                raise Unreadable(fact.reason)
            return fact


def _member(item: Struct, at: At) -> object:
    value: object = item
    for name, nullable in steps(at.path):
        if isinstance(value, Struct):
            value = getattr(value, attributes_of(type(value))[name])
        else:
            value = decoded(cast("Wire", value), dict[str, Raw]).get(name, UNSET)
        if nullable and isinstance(value, Raw) and is_null(value):
            return at.none
    if isinstance(value, UnsetType) and at.instead:
        return _member(item, structs.replace(at, path=at.instead, instead=""))
    if at.via is None or isinstance(value, UnsetType):
        return value
    return at.via(decoded(value, at.kind) if isinstance(value, Raw) else value)


def _needed(item: Struct, at: At) -> object:
    value = _member(item, at)
    if isinstance(value, UnsetType):
        raise Unreadable(Reason.BAD_BODY)
    return value


_MARKS = {bytes(CONTRADICTED): Reason.INCONSISTENT, bytes(UNASKED): Reason.UNRECOGNISED}
_MARKS_WITHIN = {bytes(AFTER_APPLY): Reason.AFTER_APPLY, bytes(NOT_IN_PLAN): Reason.NOT_IN_PLAN}


def why_bad(value: object) -> Reason:
    if not isinstance(value, Raw):
        return Reason.BAD_VALUE
    marked = _MARKS.get(bytes(value))
    return marked or next((reason for mark, reason in _MARKS_WITHIN.items() if mark in bytes(value)), Reason.BAD_VALUE)


def is_null(raw: Wire) -> bool:
    """Whether the member is present and null."""
    return not isinstance(raw, UnsetType) and bytes(raw).strip() == b"null"


@cache
def attributes_of(struct: type[Struct]) -> Mapping[str, str]:
    """The attributes of a struct by the names of their members."""
    return dict(zip(struct.__struct_encode_fields__, struct.__struct_fields__, strict=True))
