"""One finding in full: with any names of the tenant, it stays text of at most 80 columns."""

import itertools

import pytest
from msgspec import structs

from keyaudit.model.expiring import Owner
from keyaudit.model.findings import Ruling, Severity
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES
from keyaudit.report.finding import render_finding
from keyaudit.report.lines import columns
from tests.report.example import EXPIRED, FINDINGS, RUN
from tests.report.excused import SCORE
from tests.report.hostile import hostile

_COMMANDS = ("Fix (cli)", "Fix (powershell)")


@pytest.mark.parametrize("payload", ["\x1b[2J\x07", "a\nb\r\n##vso[task.complete]", "\u202egnp.exe", "x" * 500, "::error::x"])
def test_a_hostile_name_stays_text(payload: str) -> None:
    for each in hostile(payload).findings(True):
        for finding in (each, structs.replace(each, score=SCORE)):
            said = render_finding(finding, Owner((payload,), "tag owner", None), RUN)
            assert not any(character in said for character in "\x1b\x07\r\u202e")
            assert "##" not in said
            # But for commands, which could not be pasted if they were broken.
            lines = ["", *said.splitlines()]
            laid_out = [line for before, line in itertools.pairwise(lines) if not before.startswith(_COMMANDS)]
            assert all(columns(line) <= 80 for line in laid_out)
            assert not any(line.startswith(("##", "::")) for line in said.splitlines())


def test_a_score_is_shown_as_it_is_reckoned() -> None:
    finding = next(structs.replace(each, score=SCORE) for each in hostile("x").findings(False))
    said = " ".join(render_finding(finding, Owner((), "", None), RUN).split())
    assert "blast radius x exposure x age: 1..4 x 1..4 x 1..4 = 1..64 (custody unknown)" in said
    # The severity is the only word for how bad it is.
    assert "band" not in said
    assert "blast radius 1..4: unknown: custody (permission)" in said


RULE = Ruling(severity=Severity.CRITICAL, condition="not enabled", certain=True, columns=("enabled", "key_ops"))


@pytest.mark.parametrize(
    ("rulings", "words"),
    [
        ((RULE,), "critical: this rule holds: not enabled"),
        ((structs.replace(RULE, certain=False),), "critical: this rule may hold: not enabled"),
        ((structs.replace(RULE, condition=""),), "critical: no rule for another severity holds"),
        ((structs.replace(RULE, condition="", columns=()),), "critical: the policy has no other"),
    ],
)
def test_the_rule_of_its_severity_is_shown_with_each_fact_that_it_asks(rulings: tuple[Ruling, ...], words: str) -> None:
    finding = next(each for each in FINDINGS if each.policy is EXPIRED and each.open)
    asked = {"evidence": {"enabled": True}, "unknown": {"key_ops": Reason.PERMISSION}, "rulings": rulings}
    said = render_finding(structs.replace(finding, **asked), Owner((), "", None), RUN, 500)
    severity = said.partition("\nSeverity\n")[2].partition("\n\n")[0].splitlines()
    assert severity[0] == f"  {words}"
    if rulings[0].columns:
        columns = TABLES["key"].by_name
        assert severity[1:] == [
            f"  enabled is true: {columns['enabled'].meaning}",
            f"  key_ops is unknown (permission): {columns['key_ops'].meaning}",
        ]
