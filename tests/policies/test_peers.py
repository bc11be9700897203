"""A severity that is two steps from those of two other tools is explained in the policy; every other needs no excuse."""

from keyaudit.policy.load import load
from tests.policies.peers import SAID, STEPS, Check, apart, peers, unlike

POLICIES = {policy.text.id: policy for policy in load()}
RECORDED = peers()


def test_every_recorded_check_is_of_a_policy_and_a_tool_and_has_a_severity() -> None:
    checks = [each for every in RECORDED.policies.values() for each in every]
    assert set(RECORDED.policies) <= set(POLICIES)
    assert {each.peer for each in checks} == set(RECORDED.sources)
    assert {each.severity for each in checks} <= set(STEPS)
    assert {name.rpartition(" ")[0] for name in RECORDED.left_out} <= set(RECORDED.sources)
    assert not {f"{each.peer} {each.check}" for each in checks} & set(RECORDED.left_out)


def test_a_policy_two_steps_from_two_tools_says_why_and_no_other_speaks_of_them() -> None:
    needed = {id_ for id_, checks in RECORDED.policies.items() if unlike(POLICIES[id_], checks)}
    said = {id_ for id_, policy in POLICIES.items() if SAID in policy.text.why}
    assert needed <= said


def test_of_one_tool_the_nearest_check_counts() -> None:
    def check(peer: str, severity: str) -> Check:
        return Check(peer, "", severity, "", "")

    checks = (check("A", "high"), check("A", "medium"), check("B", "high"), check("C", "info"))
    assert apart("low", checks) == {"B"}
    assert apart("critical", checks) == {"C"}
    assert apart("info", checks) == {"A", "B"}
