"""From flags to a report that can be printed: a snapshot, judged by the chosen policies."""

import fnmatch
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from keyaudit import audit
from keyaudit.cli.options import Choice, Live, Stored
from keyaudit.cli.source import snapshot
from keyaudit.gate import Allowance
from keyaudit.model.errors import UsageError
from keyaudit.model.findings import Severity
from keyaudit.model.run import Report
from keyaudit.policy.load import Policy, load


@contextmanager
def judged(live: Live, stored: Stored, choice: Choice, *, fail_on: Severity | None) -> Iterator[Report]:
    """The report, good until the context ends. Everything that can be refused is refused before anything is read."""
    policies = _chosen(load(besides=choice.policies), choice)
    allowances = [Allowance.parse(text) for text in choice.allow_gap or ()]
    with (
        snapshot(live, stored) as (taken, as_of),
        audit.judge(taken, policies, as_of=as_of, profile=choice.profile, fail_on=fail_on, allowances=allowances) as report,
    ):
        yield report


def _chosen(policies: Sequence[Policy], choice: Choice) -> tuple[Policy, ...]:
    for flag, patterns in (("--select", choice.select), ("--ignore", choice.ignore)):
        for pattern in patterns or ():
            if not any(fnmatch.fnmatchcase(policy.text.id, pattern.lower()) for policy in policies):
                raise UsageError(flag, f"no policy matches {pattern!r}", "see keyaudit policies list")
    chosen = tuple(
        policy for policy in policies if _matches(policy, choice.select or ("*",)) and not _matches(policy, choice.ignore or ())
    )
    if not chosen:
        raise UsageError("--select, --ignore", "no policy is left to judge by", "see keyaudit policies list")
    return chosen


def _matches(policy: Policy, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(policy.text.id, pattern.lower()) for pattern in patterns)
