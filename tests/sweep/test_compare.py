"""What counts as a silent pass, as a loss, and as contained."""

from msgspec.structs import replace

from keyaudit.model.coverage import Coverage, Scope, ScopeKind, State
from keyaudit.model.errors import Exit
from keyaudit.model.operations import OPERATIONS
from keyaudit.model.reasons import Reason
from keyaudit.model.results.findings import Finding, Outcome, PolicyText
from keyaudit.model.severity import Severity
from tests.sweep.allowed import DECLARED, declared
from tests.sweep.audited import Audited, Base, Missing, Result, Stopped
from tests.sweep.compare import CLEAN, GONE, Effect, Judge
from tests.sweep.faults import Fault
from tests.sweep.members import NOWHERE

TENANT = Scope("/tenants/t", "t", ScopeKind.TENANT)
VAULT = "/subscriptions/s/vaults/v"
KEY, OTHER = "https://v/keys/a/1", "https://v/keys/b/1"
FAIL, PASS, UNKNOWN = Outcome.FAIL, Outcome.PASS, Outcome.UNKNOWN
WHOLE: dict[Result, Outcome] = {("p-age", KEY): FAIL, ("p-age", OTHER): PASS, ("p-size", KEY): UNKNOWN}


def finding(policy: str, row: str, outcome: Outcome) -> Finding:
    """A finding of a key in the vault."""
    text = PolicyText(id=policy, title="", problem="p", severity=Severity.HIGH, table="key", why="", fix={})
    about = {"id": row, "scope_id": VAULT, "name": row.split("/")[-2]}
    return Finding(policy=text, outcome=outcome, severity=Severity.HIGH, subject=row, message="", row=about)


def audited(results: dict[Result, Outcome], *scopes: Result, gaps: tuple[Missing, ...] = ()) -> Audited:
    """What an audit came to."""
    heard = dict.fromkeys(scopes, UNKNOWN)
    return Audited({**results, **heard}, frozenset(scopes), (Exit.FINDINGS, Exit.INCOMPLETE), gaps)


JUDGE = Judge(
    Base(
        audited(WHOLE),
        [finding(policy, row, outcome) for (policy, row), outcome in WHOLE.items()],
        [Coverage(scope=TENANT, operation="domain.list", state=State.ASSESSED)],
        {},
        {},
        frozenset(),
    ),
    lambda fault, wrong: "a reason" if fault.kind == "allowed" else "",
)


def came(results: dict[Result, Outcome], *scopes: Result, kind: str = "403", gaps: tuple[Missing, ...] = ()) -> Effect:
    """What a fault on the key did."""
    fault = Fault("key.get", kind, kind, None, lambda call, true, before: true(call), (KEY,))
    return JUDGE.effect(audited(results, *scopes, gaps=gaps), fault)


def changed(*changes: tuple[str, str, Outcome]) -> dict[Result, Outcome]:
    """The results with some changed."""
    return WHOLE | {(policy, row): outcome for policy, row, outcome in changes}


def without(*results: Result) -> dict[Result, Outcome]:
    """The results without some."""
    return {result: outcome for result, outcome in WHOLE.items() if result not in results}


def test_a_fail_or_unknown_that_becomes_a_pass_is_silent_and_a_pass_that_becomes_a_fail_is_a_loss() -> None:
    for policy in ("p-age", "p-size"):
        effect = came(changed((policy, KEY, PASS)))
        assert [(wrong.policy, wrong.after) for wrong in effect.silent] == [(policy, PASS)]
        assert effect.losses == ()
    effect = came(changed(("p-age", OTHER, FAIL)))
    assert (effect.silent, [wrong.after for wrong in effect.losses]) == ((), [FAIL])


def test_what_becomes_unknown_is_right_and_counted_apart_where_it_is_not_about_the_object_struck() -> None:
    effect = came(changed(("p-age", KEY, UNKNOWN), ("p-age", OTHER, UNKNOWN)))
    assert (effect.unknown, effect.others, effect.silent, effect.losses) == (2, 1, (), ())


def test_what_is_gone_needs_an_unknown_result_of_its_policy_on_its_scope_or_above() -> None:
    lost = without(("p-age", KEY))
    assert [wrong.after for wrong in came(lost).silent] == [GONE]
    assert [wrong.after for wrong in came(lost, ("p-size", VAULT)).silent] == [GONE]
    assert [wrong.after for wrong in came(lost, ("p-age", "/subscriptions/other")).silent] == [GONE]
    for scope in (VAULT, "/subscriptions/s", "/tenants/t"):
        effect = came(lost, ("p-age", scope))
        assert (effect.silent, effect.losses) == ((), ())


def test_a_gap_alone_makes_a_loss_of_what_would_be_a_silent_pass() -> None:
    gap = Missing(VAULT, ("key.list",), Reason.PERMISSION, ("p-age",))
    effect = came(without(("p-age", KEY)), gaps=(gap,))
    assert (effect.silent, [wrong.after for wrong in effect.losses]) == ((), [f"{GONE}, only a gap"])
    elsewhere = Missing("/subscriptions/other", ("key.list",), Reason.PERMISSION, ("p-age",))
    assert [wrong.after for wrong in came(without(("p-age", KEY)), gaps=(elsewhere,)).silent] == [GONE]


def test_a_result_that_nobody_should_have_is_a_loss_and_what_is_allowed_is_a_fallback() -> None:
    made: tuple[str, str, Outcome] = ("p-age", "https://v/keys/c/1", FAIL)
    assert [wrong.before for wrong in came(changed(made)).losses] == [GONE]
    effect = came(changed(made), kind="allowed")
    assert (effect.losses, effect.fallbacks) == ((), 1)


def test_a_thing_that_has_another_id_now_is_not_gone_and_stands_for_one_alone() -> None:
    renamed, other = "https://v/keys/a/renamed", "https://v/keys/c/1"
    assert not came({**without(("p-age", KEY)), ("p-age", renamed): FAIL}).silent
    # With another result, of another policy, or elsewhere it is another thing.
    for now in ({("p-age", renamed): PASS}, {("p-size", renamed): FAIL}, {("p-age", other): FAIL}):
        assert [wrong.after for wrong in came({**without(("p-age", KEY)), **now}).silent] == [GONE]


def test_what_was_not_read_of_an_id_may_be_what_it_was() -> None:
    lost = without(("p-age", KEY))
    for unread in ("-", NOWHERE):
        effect = came({**lost, ("p-age", f"https://v/{unread}/a/1"): FAIL})
        assert (effect.silent, effect.losses) == ((), ())
    for now in (
        {("p-age", "https://v/-/b/1"): FAIL},
        {("p-age", "https://v/-/a/1"): PASS},
        {("p-age", "https://v/x/a/1"): FAIL},
    ):
        assert [wrong.after for wrong in came({**lost, **now}).silent] == [GONE]


def test_a_thing_that_has_another_id_now_is_not_made_anew_where_an_unknown_result_speaks_for_all_there() -> None:
    lost = without(("p-age", KEY))
    renamed = ("p-age", "https://v/keys/a/renamed")
    effect = came({**lost, renamed: FAIL}, ("p-age", VAULT))
    assert (effect.silent, effect.losses) == ((), ())
    # It stands for one that is gone, and for none of another result.
    effect = came({**lost, renamed: FAIL, ("p-age", "https://v/keys/a/third"): FAIL}, ("p-age", VAULT))
    assert [wrong.before for wrong in effect.losses] == [GONE]
    assert [wrong.after for wrong in came({**lost, renamed: PASS}, ("p-age", VAULT)).losses] == [PASS]


def test_an_unknown_result_of_a_thing_whose_name_was_not_read_stands_for_those_beside_it() -> None:
    lost = without(("p-age", KEY))
    assert not came({**lost, ("p-age", "https://v/keys/a/unread"): UNKNOWN}).silent
    for elsewhere in (("p-age", "https://v/keys/b/unread"), ("p-size", "https://v/keys/a/unread")):
        assert came({**lost, elsewhere: UNKNOWN}).silent
    # A thing without a name stands for one thing, and where nobody knows how many there are, for all of them.
    two = {("p-age", KEY): FAIL, ("p-age", OTHER): PASS}
    both = {result: outcome for result, outcome in WHOLE.items() if result not in two}
    assert len(came({**both, ("p-age", "https://v/keys/odd"): UNKNOWN}).losses) == 1
    effect = came({**both, ("p-age", "https://v/keys/unread"): UNKNOWN})
    assert (effect.silent, effect.losses) == ((), ())


def test_a_run_that_stops_by_itself_is_no_loss_and_one_that_breaks_is() -> None:
    fault = Fault("key.get", "403", "403", None, lambda call, true, before: true(call))
    assert not JUDGE.effect(Stopped("vault: foreign", meant=True), fault).losses
    assert JUDGE.effect(Stopped("KeyError: 'x'", meant=False), fault).losses


def test_absence_is_allowed_to_mean_something_only_where_a_column_that_the_operation_fills_says_what() -> None:
    assert not [member for member in DECLARED if not any(declared(member, operation) for operation in OPERATIONS)]
    assert [column.name for column in declared("exp", "key.get")] == ["expires_on"]
    assert not declared("exp", "diagnostic_setting.list")
    assert not declared("vaultUri", "vault.list")


def test_a_gate_that_could_exit_0_over_an_unknown_result_is_a_silent_pass() -> None:
    fault = Fault("key.get", "403", "403", None, lambda call, true, before: true(call))
    unknown = audited(changed(("p-age", KEY, UNKNOWN)))
    assert not JUDGE.effect(unknown, fault).silent
    [silent] = JUDGE.effect(replace(unknown, conditions=(Exit.FINDINGS,)), fault).silent
    assert silent.after == CLEAN


def test_a_pass_that_cannot_fail_and_may_not_apply_is_not_lost_and_a_fail_is() -> None:
    fault = Fault("key.get", "403", "403", None, lambda call, true, before: true(call), (KEY,))
    for result, wrong in ((("p-age", OTHER), []), (("p-age", KEY), [GONE]), (("p-size", KEY), [GONE])):
        effect = JUDGE.effect(replace(audited(without(result)), spared=frozenset({result})), fault)
        assert ([each.after for each in effect.silent], effect.losses) == (wrong, ())


def test_a_row_that_violates_nothing_whatever_it_is_stands_for_passes_beside_it_and_for_no_fail() -> None:
    fault = Fault("key.get", "403", "403", None, lambda call, true, before: true(call), (KEY,))
    for result, beside, wrong in (
        (("p-age", OTHER), "https://v/keys/b/unread", 0),
        (("p-age", OTHER), "https://v/keys/a/unread", 1),
        (("p-age", KEY), "https://v/keys/a/unread", 1),
        (("p-size", KEY), "https://v/keys/a/unread", 1),
    ):
        effect = JUDGE.effect(replace(audited(without(result)), spared=frozenset({(result[0], beside)})), fault)
        assert len(effect.silent) + len(effect.losses) == wrong


def test_what_one_of_several_faults_excuses_is_about_its_own_object() -> None:
    struck, other = (
        Fault("key.get", kind, kind, None, lambda call, true, before: true(call), (about,))
        for kind, about in (("allowed", KEY), ("403", OTHER))
    )
    for row, lost in ((KEY, False), (OTHER, True)):
        made = audited(changed(("p-size", row, FAIL)))
        assert bool(JUDGE.effect(made, struck, other, near=True).losses) is lost
        assert not JUDGE.effect(made, struck, other).losses
