"""No output shows a command that takes something away before the words that say when it may be run."""

import html
import io

import pytest
from msgspec import structs

from keyaudit.questions.explain import render_policy
from keyaudit.questions.explain.finding import render_finding
from keyaudit.report.formats import FORMATS
from keyaudit.report.options import Options
from tests.report.example import EXPIRED, FINDINGS, REPORT, holding, owned
from tests.report.files import exported

FIRST, WHEN, BREAKS = "Move the users first.", "Nobody uses it.", "Every signature."
COMMAND = "az keyvault key delete --name codesign"
STEPS = ({"text": FIRST}, {"text": "Delete it.", "breaks": BREAKS, "before": WHEN, "cli": COMMAND, "check": "c.", "back": "b."})
FIX = {"text": f"1. {FIRST} 2. Delete it. Breaks: {BREAKS} Before: {WHEN}", "cli": COMMAND}
POLICY = structs.replace(EXPIRED, fix=FIX, steps=STEPS)
FINDING = structs.replace(
    next(each for each in FINDINGS if each.policy is EXPIRED and each.open), policy=POLICY, fix=FIX, steps=STEPS
)
TALLIES = tuple(structs.replace(tally, policy=POLICY) if tally.policy.id == POLICY.id else tally for tally in REPORT.tallies)
STEPPED = holding(
    REPORT,
    [FINDING if each.policy is EXPIRED and each.open else each for each in FINDINGS],
    tallies=TALLIES,
)


def written(name: str) -> str:
    if name not in FORMATS:
        return exported(name, STEPPED).decode()
    out = io.StringIO()
    FORMATS[name](STEPPED, out, Options())
    return out.getvalue()


def checked(text: str) -> None:
    """The first step, the effect and the condition come in this order, and then the command."""
    plain = " ".join(html.unescape(text).split())
    places = [plain.index(part) for part in (FIRST, BREAKS, WHEN, COMMAND)]
    assert places == sorted(places)


@pytest.mark.parametrize("name", ["html", "json", "jsonl", "junit", "ocsf", "sarif"])
def test_a_file_shows_a_step_after_its_conditions(name: str) -> None:
    checked(written(name))


def test_a_policy_and_a_finding_show_a_step_after_its_conditions() -> None:
    checked(render_policy(POLICY, {}))
    [(owner, finding)] = owned([FINDING])
    checked(render_finding(finding, owner, REPORT.run))


@pytest.mark.parametrize("name", ["markdown", "table", "text"])
def test_a_list_shows_how_the_first_step_begins_and_no_command(name: str) -> None:
    assert COMMAND not in written(name)


def test_the_full_report_has_the_first_step_and_says_where_the_others_are() -> None:
    out = io.StringIO()
    FORMATS["text"](STEPPED, out, Options(fixes=True))
    text = " ".join(out.getvalue().split())
    assert f": {FIRST} 1 more step: keyaudit explain {FINDING.id[:6]}" in text
    assert COMMAND not in text
    assert all(len(line) <= 80 for line in out.getvalue().splitlines() if not line.strip().startswith(("az ", "keyaudit ")))
