"""The rule of each shipped policy as recorded, so that none changes without an entry in `keyaudit explain versions`.

`python -m tests.policy_changes WHY [POLICY ...]` records the named policies as they are, or all, and adds an entry with this
reason for each that is new, changed or gone.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from keyaudit import __version__
from keyaudit.policy.definition import Policy, digest_of
from keyaudit.policy.load import load
from keyaudit.report import topics
from keyaudit.report.changes import policy_changes
from keyaudit.report.changes.policy_changes import PolicyChange

RECORDED = Path(__file__).parent / "policies.json"
CHANGES = Path(topics.__file__).parent / policy_changes.FILE


class Recorded(Struct, frozen=True):
    """The rule of a policy: its severities in words, and a digest of each part."""

    severity: str
    parts: dict[str, str]

    @classmethod
    def of(cls, policy: Policy) -> "Recorded":
        """The policy as it is."""
        usual = policy.trees.weakness
        cases = list(dict.fromkeys(rung.weakness for rung in policy.weakness_when if rung.weakness != usual))
        severity = f"{usual} ({', '.join(cases)})" if cases else usual
        return cls(severity, {name: digest_of(part) for name, part in policy.rule_parts.items()})


Rules = Mapping[str, Recorded]


def now() -> Rules:
    """The shipped policies."""
    return {policy.text.id: Recorded.of(policy) for policy in load()}


def recorded() -> Rules:
    """The policies as they were recorded."""
    return msgspec.json.decode(RECORDED.read_bytes(), type=dict[str, Recorded])


def changes(before: Rules, after: Rules, *, version: str, why: str) -> list[PolicyChange]:
    """An entry for each policy that differs."""
    found = []
    for policy in sorted(before.keys() | after.keys()):
        old, new = before.get(policy), after.get(policy)
        parts = tuple(name for name, digest in new.parts.items() if old and old.parts.get(name) != digest) if new else ()
        if old is None or new is None or parts:
            found.append(
                PolicyChange(
                    version=version,
                    policy=policy,
                    before=old.severity if old else "",
                    after=new.severity if new else "",
                    parts=parts,
                    why=why,
                )
            )
    return found


def together(entries: Sequence[PolicyChange], more: Sequence[PolicyChange]) -> list[PolicyChange]:
    """The entries with further ones. A policy has one entry in a version, from how it was before that version."""
    found = {(each.version, each.policy): each for each in entries}
    for each in more:
        key = (each.version, each.policy)
        first = found.get(key)
        if first is None:
            found[key] = each
        elif not first.before and not each.after:
            # Never in a version.
            del found[key]
        else:
            parts = tuple(dict.fromkeys((*first.parts, *each.parts))) if first.before else ()
            found[key] = replace(first, after=each.after, parts=parts, why=f"{first.why} {each.why}")
    return sorted(found.values(), key=lambda each: (each.version, each.policy))


def record(why: str, policies: Sequence[str] = ()) -> None:
    """Writes both files. `policies`: those that are recorded; none: all."""
    before, after = recorded(), now()
    if policies:
        kept = {name: rule for name, rule in before.items() if name not in policies}
        after = kept | {name: rule for name, rule in after.items() if name in policies}
    more = changes(before, after, version=__version__, why=why)
    entries = together(msgspec.json.decode(CHANGES.read_bytes(), type=list[PolicyChange]), more)
    write(CHANGES, [json.dumps(msgspec.to_builtins(each), ensure_ascii=False) for each in entries], "[]")
    rules = (f"{json.dumps(name)}: {json.dumps(msgspec.to_builtins(rule))}" for name, rule in sorted(after.items()))
    write(RECORDED, list(rules), "{}")


def write(path: Path, lines: Sequence[str], brackets: str) -> None:
    """One line for each entry, so that changes in different policies can be merged."""
    path.write_text("\n".join([brackets[0], ",\n".join(lines), brackets[1], ""]), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.policy_changes", description=__doc__)
    parser.add_argument("why", metavar="WHY", help="a sentence for people who use keyaudit")
    parser.add_argument("policies", metavar="POLICY", nargs="*")
    asked = parser.parse_args()
    record(asked.why, asked.policies)
