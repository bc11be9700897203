"""What is optional until it was required: then it gates as any other gap does."""

from keyaudit.model.errors import Exit
from keyaudit.model.evidence import IDENTITY_PROTECTION
from keyaudit.model.gating.optional import MAY_LACK, MayLack
from keyaudit.model.reasons import OPTIONAL, Reason
from keyaudit.model.results.findings import Tally, UnknownGroup
from keyaudit.model.results.run import NotJudged, Verdict
from keyaudit.model.severity import Severity
from tests.gate_example import NEEDED, PASSING, TENANT, WHOLE, blind, policy, verdict


def test_what_a_cloud_lacks_gates_once_it_was_required() -> None:
    lacking = blind(TENANT, "application.federated", Reason.NOT_IN_CLOUD)
    needed = {**NEEDED, "application.federated": ("p-app",)}
    for required, codes in ((MAY_LACK, (Exit.CLEAN,)), (MayLack(OPTIONAL - {Reason.NOT_IN_CLOUD}), (Exit.INCOMPLETE,))):
        came = verdict((*WHOLE, lacking), needed=needed, optional=required)
        assert came.conditions == codes
        assert [gap.required for gap in came.gaps] == [required is not MAY_LACK]


def test_a_right_gates_once_its_evidence_was_required() -> None:
    lacking = blind(TENANT, "risky_principal.list", Reason.OPTIONAL_RIGHT)
    needed = {**NEEDED, "risky_principal.list": ("p-risk",)}
    assert verdict((*WHOLE, lacking), needed=needed).conditions == (Exit.CLEAN,)
    required = MayLack(rights=frozenset({IDENTITY_PROTECTION}))
    assert verdict((*WHOLE, lacking), needed=needed, optional=required).conditions == (Exit.INCOMPLETE,)


def test_evidence_that_was_required_is_a_gap_for_each_kind_and_names_whom_it_blinds() -> None:
    lacking = [NotJudged(policy=policy("p-a"), needs=("logs",)), NotJudged(policy=policy("p-b"), needs=("logs", "custody"))]
    groups = [
        UnknownGroup(
            policy=each.policy.id, severity=Severity.LOW, scope_id=TENANT.id, causes={}, reasons=(Reason.NOT_SUPPLIED,), count=1
        )
        for each in lacking
    ]
    tallies = (*PASSING, *(Tally(policy=each.policy, unknown={Severity.LOW: 1}) for each in lacking))

    def came(*allow: str) -> Verdict:
        return verdict(tallies=tallies, groups=groups, allow=allow, unsupplied=lacking)

    assert came().conditions == (Exit.INCOMPLETE,)
    assert [(gap.detail, gap.blinds, gap.scope) for gap in came().gaps] == [
        ("logs", ("p-a", "p-b"), TENANT),
        ("custody", ("p-b",), TENANT),
    ]
    assert came("policy=p-a").conditions == (Exit.INCOMPLETE,)
    assert came("policy=p-a", "policy=p-b").conditions == (Exit.CLEAN,)
    assert came("scope=contoso.example,reason=not_supplied").conditions == (Exit.CLEAN,)
