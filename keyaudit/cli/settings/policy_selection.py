"""The policies that the flags select."""

import fnmatch
from collections.abc import Sequence

from keyaudit.cli.options import Selection
from keyaudit.model.errors import UsageError
from keyaudit.model.scope.filters import did_you_mean
from keyaudit.model.values.text import one_line
from keyaudit.policy.load import Policy


def chosen(policies: Sequence[Policy], choice: Selection) -> tuple[Policy, ...]:
    """The policies after --select and --ignore. Raises UsageError if a pattern matches none, or none is left."""
    for flag, patterns in (("--select", choice.select), ("--ignore", choice.ignore)):
        for pattern in patterns or ():
            if not any(fnmatch.fnmatchcase(policy.text.id, pattern.lower()) for policy in policies):
                near = did_you_mean(pattern, [policy.text.id for policy in policies])
                remedy = f"{near} All are in keyaudit policies list" if near else "see keyaudit policies list"
                raise UsageError(flag, f"none of the {len(policies):,} policies matches {one_line(pattern)!r}", remedy)
    left = tuple(
        policy for policy in policies if _matches(policy, choice.select or ("*",)) and not _matches(policy, choice.ignore or ())
    )
    if not left:
        raise UsageError("--select, --ignore", "no policy is selected", "see keyaudit policies list")
    return left


def needed_by(policies: Sequence[Policy]) -> dict[str, tuple[str, ...]]:
    """The operations that the policies need, each with the policies that need it."""
    found: dict[str, list[str]] = {}
    for policy in policies:
        for operation in sorted(policy.operations):
            found.setdefault(operation, []).append(policy.text.id)
    return {operation: tuple(ids) for operation, ids in found.items()}


def _matches(policy: Policy, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(policy.text.id, pattern.lower()) for pattern in patterns)
