"""The definition of a token policy: JSON inside a JSON string, written by the author of the policy.

What cannot be read raises ValueError.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import cast

from keyaudit.collect.wire import Wire, decoded
from keyaudit.model.reasons import Reason
from keyaudit.model.schema.wire import Unreadable

Definition = Mapping[str, object]
"""Its members, with names in lower case, because Entra's documentation spells one of them in two ways."""

_LONGEST = 256 * 1024
# https://learn.microsoft.com/graph/api/resources/tokenlifetimepolicy: dd.hh:mm:ss
_SPAN = re.compile(r"(?:(\d{1,7})\.)?(\d{1,2}):(\d{2}):(\d{2})", re.ASCII)


def definition_of(raw: Wire, root: str) -> Definition:
    """The object under `root` in a policy's definition. Repeated names are refused as ambiguous."""
    wholes = [_parsed(text) for text in decoded(raw, list[str])]
    [found] = [whole[root.lower()] for whole in wholes if root.lower() in whole]
    return _object(found)


def text_in(definition: Definition, name: str) -> str | None:
    """A text of a definition; None if it is not set."""
    found = definition.get(name.lower())
    if found is not None and not isinstance(found, str):
        raise Unreadable
    return found


def span_in(definition: Definition, name: str) -> int | None:
    """A duration in whole seconds; None if it is not set."""
    text = text_in(definition, name)
    if text is None:
        return None
    match = _SPAN.fullmatch(text)
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 24, 0, 0)
    if hours > 23 or minutes > 59 or seconds > 59:
        raise Unreadable
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def objects_in(definition: Definition, name: str) -> Sequence[Definition]:
    """A list of objects of a definition; empty if it is not set."""
    found = definition.get(name.lower())
    if found is not None and not isinstance(found, list):
        raise Unreadable
    return [_object(each) for each in found or ()]


def _object(found: object) -> Definition:
    if not isinstance(found, dict):
        raise Unreadable
    return cast("Definition", found)


def _parsed(text: str) -> Definition:
    if len(text) > _LONGEST:
        raise Unreadable(Reason.TOO_LARGE)
    try:
        return _object(json.loads(text, object_pairs_hook=_members, parse_constant=_refused))
    except RecursionError:
        raise Unreadable from None


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    lowered = {name.lower(): value for name, value in pairs}
    if len(lowered) != len(pairs):
        raise ValueError("a name that comes twice")
    return lowered


def _refused(name: str) -> object:
    raise ValueError(f"{name} is no JSON")
