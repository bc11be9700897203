"""A sentence that says that something is not there, where reads were refused, cut off, left out, or their gap was accepted."""

from collections.abc import Mapping

import pytest
from msgspec import structs

from keyaudit.model.errors import Exit
from keyaudit.model.evidence import LEFT_OUT
from keyaudit.model.results.run import NotJudged, Report, Verdict
from keyaudit.model.results.tier0 import LISTS, Tier0
from keyaudit.model.severity import Severity
from keyaudit.report import missing as words
from keyaudit.report.findings.first import tier0
from keyaudit.report.missing import extent
from keyaudit.report.summary import counted, headline
from tests.gate_example import policy
from tests.report.example import GATED

NOTHING: Mapping[str, object] = {
    "failed": {},
    "known": {},
    "waived": {},
    "unknown": {},
    "gaps": (),
    "allowed_unknown": 0,
    "not_judged": (),
    "exit": Exit.CLEAN,
    "conditions": (Exit.CLEAN,),
    "gate": Severity.HIGH,
}
WHOLE = structs.replace(GATED.verdict, **NOTHING)
REFUSED = structs.replace(WHOLE, exit=Exit.INCOMPLETE, conditions=(Exit.INCOMPLETE,))
UNSAFE = structs.replace(WHOLE, exit=Exit.UNSAFE, conditions=(Exit.UNSAFE,))
ACCEPTED = structs.replace(WHOLE, gaps=tuple(structs.replace(gap, allowed=True) for gap in GATED.verdict.gaps[:1]))
UNKNOWN_ACCEPTED = structs.replace(WHOLE, allowed_unknown=1)
LEFT = structs.replace(WHOLE, part=True)
STATES = [
    (WHOLE, ""),
    (REFUSED, words.READ),
    (UNSAFE, words.READ),
    (ACCEPTED, words.READ),
    (UNKNOWN_ACCEPTED, words.READ),
    (LEFT, words.PART),
    (structs.replace(LEFT, allowed_unknown=1), words.READ),
]


def report(verdict: Verdict) -> Report:
    """A report without a finding."""
    tallies = tuple(structs.replace(tally, failed={}, known={}, waived={}, unknown={}) for tally in GATED.tallies)
    return structs.replace(GATED, verdict=verdict, tallies=tallies, findings=lambda _: iter(()), worst=lambda _: ())


@pytest.mark.parametrize(("verdict", "ends"), STATES)
def test_what_is_not_there_is_said_of_what_was_read(verdict: Verdict, ends: str) -> None:
    assert extent(verdict) == ends
    here = report(verdict)
    assert headline(here).startswith(f"No open findings{ends};")
    said = counted(here)
    assert (f": no findings{ends};" in said) or (ends == words.READ and "no failures in what was read" in said) or ends in said


@pytest.mark.parametrize(
    ("whole", "part", "said"),
    [
        (True, False, "Tier 0: none outside Microsoft"),
        (False, False, f"Tier 0: none outside Microsoft{words.READ}"),
        (True, True, f"Tier 0: none outside Microsoft{words.PART}"),
        (False, True, f"Tier 0: none outside Microsoft{words.READ}"),
    ],
)
def test_nobody_controls_the_tenant_only_as_far_as_that_was_read(whole: bool, part: bool, said: str) -> None:
    found = Tier0(ways={}, whole=whole)
    assert tier0(structs.replace(report(structs.replace(WHOLE, part=part)), tier0=lambda: found)) == said


def test_where_rights_were_left_out_tier_0_was_not_evaluated() -> None:
    out = NotJudged(policy=policy(LISTS), needs=(LEFT_OUT,))
    here = structs.replace(report(structs.replace(LEFT, not_judged=(out,))), tier0=lambda: None)
    assert tier0(here) == "Tier 0: not evaluated, because its data was left out"
    assert tier0(structs.replace(report(LEFT), tier0=lambda: None)) == ""
