"""The fixed report with what excuses a failure, a waiver and a baseline, with settings, and with a severity in doubt."""

from msgspec import structs

from keyaudit.model.gating.baseline import Baseline, Known
from keyaudit.model.gating.waivers import Glob, State, Use, Waiver
from keyaudit.model.reasons import Reason
from keyaudit.model.results.findings import Judged, Outcome, Ruling
from keyaudit.model.results.run import Report
from keyaudit.model.results.settings import ClassInForce, InForce, Limit
from keyaudit.model.severity import Severity
from tests.report.example import (
    AS_OF,
    DAY,
    FINDINGS,
    OVERDUE,
    PURGE,
    REPORT,
    RUN,
    SOFTWARE,
    VERDICT,
    caused,
    holding,
    tallies,
    total,
)

WAIVER = Waiver(
    id="W-2026-014",
    policy=Glob(OVERDUE.id),
    resource=Glob("*/keys/codesign-2021"),
    reason="Replaced with the new agent pool in January.",
    owner="team-release@contoso.example",
    approved_by="ciso@contoso.example",
    ends=AS_OF + 30 * DAY,
    created=AS_OF - 30 * DAY,
    ticket="RITM0012345",
    compensating_control="Signing needs two approvals.",
)

JUDGED = Judged(
    weakness=(Ruling(word="weak", condition="", certain=True, columns=()),),
    opens=(
        Ruling(word="wide", condition='custody == "software"', certain=False, columns=("custody",)),
        Ruling(word="one workload", condition="", certain=False, columns=("custody",)),
    ),
    unknown={"custody": Reason.PERMISSION},
)
SETTLED = InForce(
    profile="strict",
    require=("unified-audit",),
    limits=(Limit(policy=OVERDUE.id, parameter="max_age", value="365 days", place="keyaudit.toml:12"),),
    classes=(
        ClassInForce(
            name="build agents",
            match="keys where tag team is build",
            reason="Their keys sign nothing that leaves the network.",
            place="keyaudit.toml:20",
            limits=(Limit(policy=OVERDUE.id, parameter="max_age", value="1,095 days", place="keyaudit.toml:25"),),
            not_applicable=(SOFTWARE.id,),
            rows=2,
            left_out=1,
        ),
    ),
)


def excused() -> Report:
    """The fixed report with a failure that is waived, one that is known, one with two severities, and with settings."""
    waived, known = (each for each in FINDINGS if each.policy in (OVERDUE, PURGE) and each.outcome is Outcome.FAIL)
    found = [
        structs.replace(each, outcome=Outcome.WAIVED, waiver=WAIVER)
        if each is waived
        else structs.replace(each, least=Severity.LOW, judged=lambda: JUDGED)
        if each.policy is SOFTWARE
        else structs.replace(each, known=True)
        if each is known
        else each
        for each in FINDINGS
    ]
    found = caused(each.by_itself() for each in found)
    open_ = [each for each in found if each.outcome is Outcome.FAIL and not each.known]
    entry = Known(policy=PURGE.id, subject=known.subject, severity=known.severity, since=AS_OF - 30 * DAY)
    tallies_ = tuple(
        structs.replace(
            tally,
            failed=total([each for each in open_ if each.policy is tally.policy], Outcome.FAIL),
            waived=total([each for each in found if each.policy is tally.policy], Outcome.WAIVED),
            known=total([each for each in found if each.policy is tally.policy and each.known], Outcome.FAIL),
        )
        for tally in tallies()
    )
    verdict = structs.replace(
        VERDICT,
        failed=total(open_, Outcome.FAIL),
        waived=total(found, Outcome.WAIVED),
        known=total([each for each in found if each.known], Outcome.FAIL),
        waivers=(Use(WAIVER, State.ACTIVE, 1),),
        baseline=Baseline(
            run_id="b", tenant_id=RUN.tenant_id, complete=True, as_of=AS_OF - 30 * DAY, limit=90 * DAY, entries=(entry,)
        ),
    )
    return holding(REPORT, found, verdict=verdict, tallies=tallies_, settings=SETTLED)


EXCUSED = excused()
