"""The policies that are new, changed or gone, by version; the file is kept by `python -m tests.policy_changes`."""

from collections.abc import Iterator
from functools import cache
from importlib import resources

import msgspec
from msgspec import Struct

from keyaudit.report.lines import listed, wrap

FILE = "policy-changes.json"
_WIDTH = 80


class PolicyChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One policy in one version. Severities are in words: "medium (low)" has special cases that are low."""

    version: str
    policy: str
    before: str = ""
    """Its severities before; empty: it is new."""
    after: str = ""
    """Its severities in this version; empty: it is gone."""
    parts: tuple[str, ...] = ()
    """The parts of its rule that differ: resources, severity, cases, condition, limits."""
    why: str


@cache
def recorded() -> tuple[PolicyChange, ...]:
    """Every change, the newest version first, ordered by policy."""
    data = resources.files("keyaudit.report.topics").joinpath(FILE).read_bytes()
    found = msgspec.json.decode(data, type=tuple[PolicyChange, ...])
    by_policy = sorted(found, key=lambda each: each.policy)
    return tuple(sorted(by_policy, key=lambda each: number(each.version), reverse=True))


def number(version: str) -> tuple[int, ...]:
    """A version's place in the order of versions; one that is not made of numbers is before all others."""
    parts = version.split(".")
    return tuple(map(int, parts)) if all(part.isascii() and part.isdecimal() for part in parts) else ()


def changed_since(version: str) -> frozenset[str]:
    """The policies that are new or changed in versions after this one."""
    return frozenset(each.policy for each in recorded() if number(each.version) > number(version) and each.after)


def lines() -> Iterator[str]:
    """The changes for people."""
    yield "## Policies that are new, changed or gone"
    yield ""
    yield from wrap(
        "Severities of special cases are in brackets. Texts, fixes and messages are not listed, because they change no "
        "finding. `keyaudit explain baseline` shows how to distinguish their findings from changes in the tenant.",
        _WIDTH,
    )
    version = ""
    for each in recorded():
        if each.version != version:
            version = each.version
            yield from ("", f"### {version}", "")
        yield from wrap(f"{each.policy}: {_change_text(each)}. {each.why}", _WIDTH, "- ", "  ")


def _change_text(each: PolicyChange) -> str:
    if not each.before:
        return f"new, {each.after}"
    if not each.after:
        return f"gone, was {each.before}"
    severity = each.after if each.before == each.after else f"{each.before}, now {each.after}"
    return f"{severity}; changed in {listed(each.parts)}"
