"""What a gate lists of the findings that make it fail: the worst, and how many more there are."""

import io
from collections.abc import Sequence

from msgspec import structs

from keyaudit.model.findings import Finding, Severity
from keyaudit.report.gate import MOST, render_gate
from tests.report.example import FINDINGS, GATED, worst

LATE = next(each for each in worst(FINDINGS, 9) if each.policy.id == "kv-key-rotation-overdue")
OTHER = "kv-purge-protection-off"


def blocks(found: Sequence[Finding], **failed: int) -> list[str]:
    """The lines of a gate in which so many rows fail each policy; `found`: the worst of them."""
    tallies = tuple(
        structs.replace(each, failed={Severity.HIGH: failed[name]}, known={})
        for each in GATED.tallies
        if (name := each.policy.id.replace("-", "_")) in failed
    )
    out = io.StringIO()
    render_gate(structs.replace(GATED, tallies=tallies, worst=lambda most: found[:most]), out)
    return [line for line in out.getvalue().splitlines() if line.startswith("  BLOCK")]


def test_few_findings_are_all_listed() -> None:
    lines = blocks([LATE] * MOST, kv_key_rotation_overdue=MOST)
    assert len(lines) == MOST
    assert all(
        line.startswith(f"  BLOCK  kv-key-rotation-overdue HIGH  {LATE.policy.problem}: kv-prod/keys/codesign-2021: ")
        for line in lines
    )


def test_of_many_findings_twenty_are_listed_and_the_rest_is_counted_by_policy() -> None:
    lines = blocks([LATE] * 500, kv_key_rotation_overdue=1_500, kv_purge_protection_off=3)
    assert sum("HIGH" in line for line in lines) == MOST
    assert lines[MOST:] == [
        "  BLOCK  kv-key-rotation-overdue  1,480 more",
        f"  BLOCK  {OTHER}  3 not listed",
        "  BLOCK  20 of 1,503 are listed; the same command with --export csv=PATH writes all",
    ]
