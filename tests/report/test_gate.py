"""What a gate lists of the findings that make it fail: the worst, and how many more there are."""

import io
import re
from collections.abc import Sequence

from msgspec import structs

from keyaudit.model.results.findings import Finding
from keyaudit.model.results.run import NotJudged
from keyaudit.model.severity import Severity
from keyaudit.report.gate import MOST, render_gate
from tests.report.example import FINDINGS, GATED, SOFTWARE, worst

LATE = next(each for each in worst(FINDINGS, 9) if each.policy.id == "kv-key-rotation-overdue")
OTHER = "kv-purge-protection-off"
LIMITS = ("GAP", "INCOMPLETE", "ALLOWED", "UNKNOWN", "UNUSED", "NOT EVALUATED")


def gate_lines(found: Sequence[Finding], **failed: int) -> list[str]:
    """The lines of a gate in which so many rows fail each policy; `found`: the worst of them."""
    tallies = tuple(
        structs.replace(each, failed={Severity.HIGH: failed[name]}, known={})
        for each in GATED.tallies
        if (name := each.policy.id.replace("-", "_")) in failed
    )
    out = io.StringIO()
    render_gate(structs.replace(GATED, tallies=tallies, worst=lambda most: found[:most]), out)
    return out.getvalue().splitlines()


def blocks(found: Sequence[Finding], **failed: int) -> list[str]:
    """Those of them that name a blocking finding or count some."""
    return [line for line in gate_lines(found, **failed) if line.startswith("  BLOCK")]


def not_evaluated(*policies: NotJudged) -> list[str]:
    """The lines of a gate about policies without their evidence."""
    out = io.StringIO()
    render_gate(structs.replace(GATED, verdict=structs.replace(GATED.verdict, not_judged=policies)), out)
    return [line for line in out.getvalue().splitlines() if "NOT EVALUATED" in line]


def many(count: int) -> list[Finding]:
    """So many, each about a resource of its own."""
    return [structs.replace(LATE, subject=f"{LATE.subject}{number}") for number in range(count)]


def needing(count: int, *needs: str) -> tuple[NotJudged, ...]:
    """So many policies without their evidence."""
    return tuple(structs.replace(each, needs=needs) for each in GATED.verdict.not_judged[:1] * count)


def test_few_findings_are_all_listed() -> None:
    lines = blocks(many(MOST), kv_key_rotation_overdue=MOST)
    assert len(lines) == MOST
    assert all(
        line.startswith(f"  BLOCK  kv-key-rotation-overdue HIGH  {LATE.policy.problem}: kv-prod/keys/codesign-2021: ")
        for line in lines
    )


def test_of_many_findings_twenty_are_listed_and_the_rest_is_counted_by_policy() -> None:
    lines = blocks(many(500), kv_key_rotation_overdue=1_500, kv_purge_protection_off=3)
    rest = f"kv-key-rotation-overdue (1,480 high), {OTHER} (3 high)"
    assert lines[MOST:] == [f"  BLOCK  20 of 1,503 are listed; --export csv=PATH writes all; not listed: {rest}"]


def test_what_blocks_about_one_holder_is_one_line() -> None:
    [line, *rest] = blocks(
        [LATE, structs.replace(LATE, policy=SOFTWARE)], kv_key_rotation_overdue=1, kv_key_software_protected=1
    )
    assert rest == []
    assert line.endswith(f"; also {SOFTWARE.id}")


def test_blocks_come_before_everything_that_was_not_read_or_not_evaluated() -> None:
    words = [line.strip().partition("  ")[0] for line in gate_lines([LATE], kv_key_rotation_overdue=2)]
    blocking = [place for place, word in enumerate(words) if word == "BLOCK"]
    limits = [place for place, word in enumerate(words) if word in LIMITS]
    assert blocking
    assert {words[place] for place in limits} == set(LIMITS)
    assert blocking[-1] < limits[0]


def test_policies_without_their_evidence_are_one_line_by_reason() -> None:
    lacking = (*needing(15, "logs"), *needing(1, "logs", "custody"), *needing(2, "custody"))
    told = (
        "18 policies (18 at or above --fail-on), never a pass: 15 need logs (supply it with --import logs=DIR); "
        "2 need custody (supply it with --import custody=FILE); "
        "1 needs logs and custody (supply it with --import logs=DIR and --import custody=FILE); --export csv=PATH lists them"
    )
    assert not_evaluated(*lacking) == [f"  NOT EVALUATED  {told}"]


def test_a_gate_that_evaluated_every_policy_says_nothing_of_it() -> None:
    assert not_evaluated() == []


def test_many_gaps_of_one_reason_are_one_line_with_their_number() -> None:
    gap = next(each for each in GATED.verdict.gaps if each.required and not each.allowed)
    for count, said in ((2, ["kv-0", "kv-1"]), (100, ["kv-0, kv-1, kv-2 and 97 more places"])):
        gaps = [structs.replace(gap, scope=structs.replace(gap.scope, name=f"kv-{number}")) for number in range(count)]
        out = io.StringIO()
        render_gate(structs.replace(GATED, verdict=structs.replace(GATED.verdict, gaps=gaps)), out)
        assert re.findall(r"  INCOMPLETE  (.*?) \(permission: ", out.getvalue()) == said
