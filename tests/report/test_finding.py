"""One finding in full: with any names of the tenant, it stays text of at most 80 columns."""

import itertools

import pytest
from msgspec import structs

from keyaudit.model.reasons import Reason
from keyaudit.model.results.expiring import Owner
from keyaudit.model.results.findings import Judged, Ruling
from keyaudit.model.severity import Severity
from keyaudit.model.tables import TABLES
from keyaudit.questions.explain.finding import render_finding
from keyaudit.report.lines import columns
from tests.report.example import EXPIRED, FINDINGS, RUN
from tests.report.excused import JUDGED
from tests.report.hostile import hostile

_COMMANDS = ("Fix (cli)", "Fix (powershell)")


@pytest.mark.parametrize("payload", ["\x1b[2J\x07", "a\nb\r\n##vso[task.complete]", "\u202egnp.exe", "x" * 500, "::error::x"])
def test_a_hostile_name_stays_text(payload: str) -> None:
    for each in hostile(payload).findings(True):
        for finding in (each, structs.replace(each, judged=lambda: JUDGED)):
            said = render_finding(finding, Owner((payload,), "tag owner", None), RUN)
            assert not any(character in said for character in "\x1b\x07\r\u202e")
            assert "##" not in said
            # But for commands, which could not be pasted if they were broken.
            lines = ["", *said.splitlines()]
            laid_out = [line for before, line in itertools.pairwise(lines) if not before.startswith(_COMMANDS)]
            assert all(columns(line) <= 80 for line in laid_out)
            assert not any(line.startswith(("##", "::")) for line in said.splitlines())


def test_the_two_facts_behind_a_severity_are_shown_with_what_may_hold() -> None:
    finding = next(structs.replace(each, least=Severity.LOW, judged=lambda: JUDGED) for each in hostile("x").findings(False))
    said = " ".join(render_finding(finding, Owner((), "", None), RUN).split())
    assert f"Severity low or {finding.severity}: weak x one workload or wide" in said
    assert 'opens wide: this rule may hold: custody == "software"' in said
    assert "opens one workload: otherwise, because no other rule holds" in said
    assert "custody is unknown (permission)" in said


RULE = Ruling(word="flawed", condition="not enabled", certain=True, columns=("enabled", "key_ops"))


@pytest.mark.parametrize(
    ("rulings", "words"),
    [
        ((RULE,), "weakness flawed: this rule holds: not enabled"),
        ((structs.replace(RULE, certain=False),), "weakness flawed: this rule may hold: not enabled"),
        ((structs.replace(RULE, condition=""),), "weakness flawed: no other rule holds"),
        ((structs.replace(RULE, condition="", columns=()),), "weakness flawed: always"),
    ],
)
def test_the_rule_of_its_severity_is_shown_with_each_fact_that_it_asks(rulings: tuple[Ruling, ...], words: str) -> None:
    finding = next(each for each in FINDINGS if each.policy is EXPIRED and each.open)
    judged = Judged(weakness=rulings, opens=(), unknown={"key_ops": Reason.PERMISSION})
    asked = {"row": {**finding.row, "enabled": True}, "judged": lambda: judged}
    said = render_finding(structs.replace(finding, **asked), Owner((), "", None), RUN, 500)
    severity = said.partition("\nSeverity\n")[2].partition("\n\n")[0].splitlines()
    assert severity[:2] == [f"  {finding.severity}: fixed by the policy", f"  {words}"]
    if rulings[0].columns:
        columns = TABLES["key"].by_name
        assert severity[2:] == [
            f"  enabled is true: {columns['enabled'].meaning}",
            f"  key_ops is unknown (permission): {columns['key_ops'].meaning}",
        ]
