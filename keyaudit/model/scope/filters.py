"""The filters of a run. They are stored in the snapshot, so that a partial read is never taken for a complete one."""

import fnmatch
import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher, get_close_matches

from msgspec import Struct
from msgspec.structs import fields

from keyaudit.model.values.text import one_line

_AS_NEAR = 0.1
"""The largest difference in similarity to the nearest name with which another name is still suggested."""


class Filters(Struct, frozen=True, kw_only=True):
    """Names, ids or globs by what they select, compared without case. Without any, everything is read."""

    subscriptions: tuple[str, ...] = ()
    resource_groups: tuple[str, ...] = ()
    vaults: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    @property
    def shown(self) -> tuple[str, ...]:
        """The filters in words, one text for each kind: "only subscriptions prod-*, shared"."""
        kinds = ((field.name.replace("_", " "), getattr(self, field.name)) for field in fields(self))
        return tuple(f"only {kind} {', '.join(patterns)}" for kind, patterns in kinds if patterns)


def matching(patterns: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """The patterns that one of the names matches."""
    lowered = [name.lower() for name in names]
    return tuple(pattern for pattern in patterns if any(fnmatch.fnmatchcase(name, pattern.strip().lower()) for name in lowered))


def close_to(pattern: str, names: Iterable[str], most: int = 3) -> tuple[str, ...]:
    """The names nearest to a pattern, the nearest first. Compared without case."""
    stem = pattern.strip().lower()
    bare = re.sub(r"[*?]", "", stem)
    alike: dict[str, list[str]] = {}
    for name in sorted(set(names)):
        lowered = name.lower()
        forms = {lowered}
        # A star at an end matches any rest, so only the part without it is compared.
        if stem.endswith("*"):
            forms |= {lowered[: len(bare)], lowered[: len(bare) + 1]}
        if stem.startswith("*"):
            forms |= {lowered[-len(bare) :], lowered[-len(bare) - 1 :]}
        for form in forms:
            alike.setdefault(form, []).append(name)
    close = {form: SequenceMatcher(None, form, bare).ratio() for form in get_close_matches(bare, alike, n=most)}
    near = [form for form, ratio in close.items() if ratio > max(close.values()) - _AS_NEAR]
    return tuple(dict.fromkeys(name for form in near for name in alike[form]))[:most]


def did_you_mean(pattern: str, names: Iterable[str]) -> str:
    """ "did you mean a, b or c?", safe for one line; empty if no name is near."""
    *others, last = [one_line(name) for name in close_to(pattern, names)] or [""]
    either = f"{', '.join(others)} or {last}" if others else last
    return f"did you mean {either}?" if last else ""
