"""Judges a stored snapshot by every policy; run as a process of its own."""

import json
import sys
import time
from pathlib import Path

from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.policy.evaluation.judge import judge, reads_reach
from keyaudit.policy.load import load
from keyaudit.policy.settings import Judging


def main(folder: Path) -> None:
    """Judge, and print how many results there are and what they took."""
    begun = time.process_time()
    snapshot = open_snapshot(folder)
    verified = time.process_time()
    policies, as_of = load(), snapshot.run.as_of
    often = {policy.table.name for policy in policies}
    connection = snapshot.connect(as_of, reach_known=reads_reach(policies), often=often)
    outcome = judge(connection, policies, snapshot.coverage, Judging(as_of=as_of), sizes=snapshot.sizes)
    judged = time.process_time()
    failed = sum(sum(tally.failed.values()) for tally in outcome.tallies)
    unknown = sum(sum(tally.unknown.values()) for tally in outcome.tallies)
    passed = sum(tally.passed for tally in outcome.tallies)
    print(
        json.dumps(
            {"failed": failed, "unknown": unknown, "passed": passed, "verify": verified - begun, "judge": judged - verified}
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
