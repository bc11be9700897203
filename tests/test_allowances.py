"""What --allow-gap accepts: what it names, and nothing that it does not."""

import pytest

from keyaudit.model.errors import Exit, UsageError
from keyaudit.model.gating.allowances import Allowance
from keyaudit.model.reasons import OPTIONAL, UNSAFE, Reason
from keyaudit.model.results.findings import UnknownGroup
from keyaudit.model.severity import Severity
from tests.gate_example import SUB, WHOLE, blind, cell, swap, unknown, vault, verdict


def test_unknown_results_that_no_group_explains_cannot_be_allowed_away() -> None:
    came = verdict(tallies=unknown(3), groups=[cell(count=2)], allow=["reason=permission"])
    assert (came.exit, came.allowed_unknown) == (Exit.INCOMPLETE, 2)


@pytest.mark.parametrize("reason", sorted(set(Reason) - UNSAFE - OPTIONAL))
def test_each_reason_gates_and_can_be_accepted_by_name(reason: Reason) -> None:
    coverage = swap(blind(vault(), "key.get", reason))
    came = verdict(coverage)
    # A bug of ours says so by its own code, and leaves the run as incomplete as anything else does.
    assert came.exit is (Exit.BUG if reason is Reason.INTERNAL_ERROR else Exit.INCOMPLETE)
    assert Exit.INCOMPLETE in came.conditions
    assert verdict(coverage, allow=[f"reason={reason.upper()}"]).exit is Exit.CLEAN


@pytest.mark.parametrize(
    ("allow", "clean"),
    [
        ("scope=kv-a", True),
        ("scope=KV-A", True),
        (f"scope={vault().id.upper()}", True),
        ("scope=kv-a,operation=key.get,reason=permission,policy=p-key", True),
        ("policy=P-KEY", True),
        ("operation=key.get", True),
        ("scope=kv", False),
        ("scope=kv-b", False),
        ("scope=Production", False),
        ("operation=key.list", False),
        ("reason=firewall", False),
        ("policy=p-vault", False),
        ("scope=kv-a,reason=firewall", False),
        ("scope=kv-b,reason=permission", False),
    ],
)
def test_all_keys_of_an_allowance_must_match(allow: str, clean: bool) -> None:
    coverage = swap(blind(vault(), "key.get", Reason.PERMISSION, kept=1))
    came = verdict(coverage, tallies=unknown(), groups=[cell()], allow=[allow])
    assert came.exit is (Exit.CLEAN if clean else Exit.INCOMPLETE)
    assert (came.gaps[0].allowed, came.allowed_unknown) == (clean, int(clean))
    assert bool(came.unused_allowances) is not clean


def test_a_gap_is_accepted_only_when_every_policy_that_it_blinds_is() -> None:
    coverage = swap(blind(SUB, "vault.list", Reason.TIMEOUT, kept=1))
    assert verdict(coverage, allow=["policy=p-key"]).exit is Exit.INCOMPLETE
    assert verdict(coverage, allow=["policy=p-key", "policy=p-vault"]).exit is Exit.CLEAN


def test_a_gap_is_accepted_only_when_every_required_operation_in_it_is() -> None:
    coverage = (
        *WHOLE[:2],
        blind(vault(), "key.list", Reason.PERMISSION),
        blind(vault(), "key.get", Reason.PERMISSION),
    )
    assert verdict(coverage, allow=["operation=key.get"]).exit is Exit.INCOMPLETE
    assert verdict(coverage, allow=["operation=key.get", "operation=key.list"]).exit is Exit.CLEAN


def test_accepting_a_refusal_accepts_what_follows_from_it() -> None:
    coverage = (
        *WHOLE[:2],
        blind(vault(), "key.list", Reason.FIREWALL),
        blind(vault(), "key.get", Reason.PARENT_NOT_ASSESSED),
    )
    group = UnknownGroup(
        policy="p-key",
        severity=Severity.HIGH,
        scope_id=vault().id,
        causes={},
        operations=("key.list", "key.get"),
        reasons=(Reason.FIREWALL, Reason.PARENT_NOT_ASSESSED),
        count=1,
    )
    for allow in ("operation=key.list", "scope=kv-a,reason=firewall"):
        came = verdict(coverage, tallies=unknown(), groups=[group], allow=[allow])
        assert (came.exit, came.allowed_unknown) == (Exit.CLEAN, 1)


@pytest.mark.parametrize("said", [Reason.FIREWALL, Reason.CONTROL_PLANE_ONLY, Reason.PARENT_NOT_ASSESSED])
def test_a_value_lost_to_an_accepted_refusal_is_accepted_with_it(said: Reason) -> None:
    coverage = swap(blind(vault(), "key.get", Reason.FIREWALL))
    came = verdict(coverage, tallies=unknown(), groups=[cell(said)], allow=["scope=kv-a,reason=firewall"])
    assert (came.exit, came.allowed_unknown) == (Exit.CLEAN, 1)


def test_a_refusal_that_is_accepted_does_not_excuse_a_value_that_is_broken() -> None:
    coverage = swap(blind(vault(), "key.get", Reason.FIREWALL, kept=1))
    groups = [cell(Reason.BAD_VALUE)]
    assert verdict(coverage, tallies=unknown(), groups=groups, allow=["reason=firewall"]).exit is Exit.INCOMPLETE
    both = ["reason=firewall", "operation=key.get,reason=bad_value"]
    assert verdict(coverage, tallies=unknown(), groups=groups, allow=both).exit is Exit.CLEAN


def test_every_cause_of_an_unknown_result_must_be_accepted() -> None:
    group = UnknownGroup(
        policy="p-key",
        severity=Severity.HIGH,
        scope_id=vault().id,
        causes={"kty": Reason.BAD_VALUE, "created_on": Reason.UNRECOGNISED},
        count=1,
    )
    assert verdict(tallies=unknown(), groups=[group], allow=["reason=bad_value"]).exit is Exit.INCOMPLETE
    both = ["reason=bad_value", "reason=unrecognised"]
    assert verdict(tallies=unknown(), groups=[group], allow=both).exit is Exit.CLEAN


def test_a_vault_made_unknown_by_its_keys_is_accepted_by_the_vault_whose_keys_they_are() -> None:
    coverage = swap(blind(vault(), "key.get", Reason.PERMISSION))
    group = UnknownGroup(
        policy="p-vault",
        severity=Severity.HIGH,
        scope_id=SUB.id,
        causes={"holds_signing_key": Reason.PERMISSION},
        count=1,
    )
    came = verdict(coverage, tallies=unknown(), groups=[group], allow=["scope=kv-a"])
    assert (came.exit, came.allowed_unknown) == (Exit.CLEAN, 1)


def test_an_unknown_without_any_cause_is_never_accepted() -> None:
    bare = UnknownGroup(policy="p-key", severity=Severity.LOW, scope_id=vault().id, causes={}, count=1)
    assert verdict(tallies=unknown(), groups=[bare], allow=["policy=p-key"]).exit is Exit.INCOMPLETE


def test_a_scope_without_a_record_is_accepted_only_by_its_own_reason() -> None:
    group = UnknownGroup(
        policy="p-key",
        severity=Severity.LOW,
        scope_id=vault("kv-gone").id,
        causes={},
        operations=("key.list",),
        reasons=(Reason.VANISHED,),
        count=1,
    )
    assert verdict(tallies=unknown(), groups=[group], allow=["reason=vanished"]).exit is Exit.CLEAN
    assert verdict(tallies=unknown(), groups=[group], allow=["reason=firewall"]).exit is Exit.INCOMPLETE


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "cannot be read"),
        ("kv-a", "cannot be read"),
        ("scope", "cannot be read"),
        ("scope=", "cannot be read"),
        ("=kv-a", "cannot be read"),
        ("scope=kv-a,", "cannot be read"),
        ("vault=kv-a", "cannot be read"),
        ("scope=a,scope=b", "has scope twice"),
        ("reason=because", "no such reason"),
        ("operation=key.destroy", "no such operation"),
    ],
)
def test_an_allowance_that_could_match_nothing_is_refused(text: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem) as raised:
        Allowance.parse(text)
    assert raised.value.exit is Exit.USAGE


def test_an_allowance_reads_back_as_it_was_given() -> None:
    text = "scope=kv-a,operation=key.get,reason=permission,policy=p-key"
    assert str(Allowance.parse(text)) == text
    assert Allowance.parse(" scope = kv a , reason=firewall ") == Allowance(scope="kv a", reason="firewall")
