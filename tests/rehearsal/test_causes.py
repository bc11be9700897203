"""Each cause that a policy declares is confirmed by the rehearsal that was kept, or is known not to be."""

from tests.rehearsal.causes import UNSHARED, Closed, closed_by_actions, confirmed, declared, kept, table
from tests.rehearsal.stage import Audit, Finding


def test_every_declared_cause_was_closed_with_another_finding_or_no_tenant_has_such_two() -> None:
    """A new declaration is rehearsed by python -m tests.rehearsal; what nothing shows is listed, and no more than that."""
    assert {(kind, policy) for kind, some in UNSHARED.items() for policy in some} == declared() - confirmed()
    assert confirmed() <= declared()


def test_the_table_has_each_kind_with_its_action_and_what_closed_it() -> None:
    lines = list(table())
    assert "vault-network, of one vault or Managed HSM: Create a private endpoint if none exists" in "\n".join(lines)
    start = lines.index(next(line for line in lines if line.startswith("principal, ")))
    part = lines[start : lines.index("", start)]
    assert "  az ad sp update --id {app_id} --set accountEnabled=false" in part
    assert {policy for kind, policy in declared() if f"{kind}," in part[0]} == {
        each for line in part if line.startswith("    ") for each in line.partition(": ")[2].split(", ")
    }
    assert len(kept()) > 20


def test_a_finding_that_is_left_or_became_unknown_was_not_closed_together() -> None:
    def found(policy: str, outcome: str = "fail") -> Finding:
        cause = {"kind": "grant", "object": "g", "head": "a"}
        return {"id": policy, "policy": policy, "subject": policy, "outcome": outcome, "cause": cause}

    before = {each: found(each) for each in ("a", "b", "c")}
    cases: list[tuple[Audit, Closed]] = [
        ({}, Closed("grant", (), ("a", "b", "c"), (), ())),
        ({"c": found("c", "unknown")}, Closed("grant", (), ("a", "b"), (), ("c",))),
        ({"b": found("b"), "c": found("c")}, Closed("grant", (), (), ("a",), ("b", "c"))),
    ]
    for after, expected in cases:
        assert closed_by_actions(before, after) == [expected]
