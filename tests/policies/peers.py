"""Severities of policies beside those of three other tools. `python -m tests.policies.peers` prints the table.

`peers.json` says which checks of them ask the same of the same object, from the sources that it names.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from keyaudit.model.severity import LEVELS
from keyaudit.policy.definition import Policy
from keyaudit.policy.load import load

STEPS = ("info", "low", "medium", "high", "critical")
APART = 2
"""So many steps from so many of the tools, and `why` has to explain it."""
SAID = "Other tools rate "


class Check(Struct, frozen=True, forbid_unknown_fields=True):
    """A check of another tool, and the severity that it has there."""

    peer: str
    check: str
    severity: str
    title: str
    path: str


class Source(Struct, frozen=True, forbid_unknown_fields=True):
    """A tool as it was read. `severity`: where it says one."""

    repository: str
    commit: str
    licence: str
    severity: str


class Peers(Struct, frozen=True, forbid_unknown_fields=True):
    """The tools, their checks by policy, and those that ask something else although they sound alike."""

    sources: Mapping[str, Source]
    policies: Mapping[str, Sequence[Check]]
    left_out: Mapping[str, str]


def peers() -> Peers:
    """The recorded checks."""
    return msgspec.json.decode(Path(__file__).with_suffix(".json").read_bytes(), type=Peers)


def severities(policy: Policy) -> Sequence[str]:
    """Every severity that the policy gives, the one of what opens most first."""
    opened = [opens.rank for opens, _ in policy.trees.opens] or [0]
    return list(dict.fromkeys(str(LEVELS[each][most]) for each in reversed(policy.trees.weaknesses) for most in opened))


def apart(given: str, checks: Sequence[Check]) -> set[str]:
    """The tools that are two steps or more from that severity, with every check that they have for the same."""
    near = {each.peer for each in checks if abs(STEPS.index(each.severity) - STEPS.index(given)) < APART}
    return {each.peer for each in checks} - near


def unlike(policy: Policy, checks: Sequence[Check]) -> bool:
    """Whether each of its severities is two steps or more from those of two tools."""
    return all(len(apart(each, checks)) >= APART for each in severities(policy))


def table() -> Iterator[str]:
    """A line for each policy: its severities, those of each tool, and whether `why` has to explain the difference."""
    recorded = peers()
    yield f"{'policy':42}{'keyaudit':32}" + "".join(f"{peer:24}" for peer in recorded.sources)
    for policy in load():
        checks = recorded.policies.get(policy.text.id, ())
        if checks:
            theirs = (
                ", ".join(dict.fromkeys(each.severity for each in checks if each.peer == peer)) for peer in recorded.sources
            )
            ours = ", ".join(dict.fromkeys(severities(policy)))
            line = f"{policy.text.id:42}{ours:32}" + "".join(f"{each or '-':24}" for each in theirs)
            yield f"{line}explained" if unlike(policy, checks) else line.rstrip()


if __name__ == "__main__":
    print("\n".join(table()))
