"""The definition of a token policy: JSON inside a JSON string, written by the author of the policy."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import cast

from keyaudit.collect.rows import Wire, read
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason

Definition = Mapping[str, object]
"""Its members, with names in lower case, because Entra's documentation spells one of them in two ways."""

_LONGEST = 256 * 1024
# https://learn.microsoft.com/graph/api/resources/tokenlifetimepolicy: dd.hh:mm:ss
_SPAN = re.compile(r"(?:(\d{1,7})\.)?(\d{1,2}):(\d{2}):(\d{2})", re.ASCII)
_BAD = Refusal(Reason.BAD_VALUE)


def definition_of(raw: Wire, root: str) -> Definition | Refusal:
    """The object under `root` in a policy's definition. Repeated names are refused as ambiguous."""
    texts = read(raw, list[str])
    if isinstance(texts, Refusal):
        return texts
    found = []
    for text in texts:
        whole = _parsed(text)
        if isinstance(whole, Refusal):
            return whole
        found += [whole[root.lower()]] if root.lower() in whole else []
    if len(found) != 1 or not isinstance(found[0], dict):
        return _BAD
    return cast("Definition", found[0])


def text_in(definition: Definition, name: str) -> str | Refusal | None:
    """A text of a definition; None if it is not set."""
    found = definition.get(name.lower())
    return found if found is None or isinstance(found, str) else _BAD


def span_in(definition: Definition, name: str) -> int | Refusal | None:
    """A duration in whole seconds; None if it is not set."""
    text = text_in(definition, name)
    if not isinstance(text, str):
        return text
    match = _SPAN.fullmatch(text)
    if match is None:
        return _BAD
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return _BAD if hours > 23 or minutes > 59 or seconds > 59 else ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def objects_in(definition: Definition, name: str) -> Sequence[Definition] | Refusal:
    """A list of objects of a definition; empty if it is not set."""
    found = definition.get(name.lower())
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        return _BAD
    return cast("list[Definition]", found)


def _parsed(text: str) -> Definition | Refusal:
    if len(text) > _LONGEST:
        return Refusal(Reason.TOO_LARGE)
    try:
        found = json.loads(text, object_pairs_hook=_members, parse_constant=_refused)
    except (ValueError, RecursionError):
        return _BAD
    return found if isinstance(found, dict) else _BAD


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    lowered = {name.lower(): value for name, value in pairs}
    if len(lowered) != len(pairs):
        raise ValueError("a name that comes twice")
    return lowered


def _refused(name: str) -> object:
    raise ValueError(f"{name} is no JSON")
