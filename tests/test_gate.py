"""What a run comes to: every combination of failures, unknowns, gaps and allowances, and that 0 never hides a gap."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from keyaudit.gate import decide
from keyaudit.model.coverage import Coverage, Scope, ScopeKind
from keyaudit.model.errors import PRECEDENCE, Exit, UsageError
from keyaudit.model.gating.acceptance import Acceptance
from keyaudit.model.gating.allowances import Allowance
from keyaudit.model.gating.waivers import Glob, State, Waiver
from keyaudit.model.operations import OPERATIONS
from keyaudit.model.reasons import AZURES, OPTIONAL, UNSAFE, Reason
from keyaudit.model.results.findings import Tally, UnknownGroup
from keyaudit.model.results.run import NotJudged, Results
from keyaudit.model.scope.filters import Filters
from keyaudit.model.severity import Severity
from tests.gate_example import (
    NEEDED,
    PASSING,
    RUN,
    SUB,
    SUBSCRIPTION,
    TENANT,
    WHOLE,
    blind,
    cell,
    policy,
    read,
    swap,
    unknown,
    vault,
    verdict,
)


def test_everything_read_and_nothing_wrong_is_clean() -> None:
    came = verdict()
    assert (came.exit, came.conditions, came.complete, came.gaps) == (Exit.CLEAN, (Exit.CLEAN,), True, ())
    assert (came.required, came.assessed, came.passed) == (4, 4, 3)


@pytest.mark.parametrize(
    ("fails", "unknowns", "gap", "unsafe", "allowed", "gate"),
    list(
        itertools.product(
            [None, Severity.MEDIUM, Severity.HIGH],
            [0, 1],
            [False, True],
            [False, True],
            [False, True],
            [None, Severity.HIGH, Severity.LOW],
        )
    ),
)
def test_every_combination_has_its_exit_code(
    fails: Severity | None, unknowns: int, gap: bool, unsafe: bool, allowed: bool, gate: Severity | None
) -> None:
    coverage = list(swap(blind(vault(), "key.get", Reason.PERMISSION, kept=1)) if gap else WHOLE)
    if unsafe:
        coverage.append(blind(vault("kv-b"), "key.list", Reason.FOREIGN_LINK))
        coverage.append(blind(vault("kv-b"), "key.get", Reason.PARENT_NOT_ASSESSED))
    tallies = (
        Tally(
            policy=policy(),
            passed=1,
            failed={fails: 1} if fails else {},
            unknown={Severity.LOW: unknowns} if unknowns else {},
        ),
    )
    came = verdict(
        coverage,
        tallies=tallies,
        groups=[cell()] if unknowns else [],
        fail_on=gate,
        allow=["reason=permission"] if allowed else [],
    )
    expected = set()
    if unsafe:
        expected |= {Exit.UNSAFE, Exit.INCOMPLETE}
    if fails and gate and fails.rank >= gate.rank:
        expected.add(Exit.FINDINGS)
    if (gap or unknowns) and not allowed:
        expected.add(Exit.INCOMPLETE)
    assert set(came.conditions) == (expected or {Exit.CLEAN})
    assert came.exit == next(code for code in PRECEDENCE if code in came.conditions)
    assert came.allowed_unknown == (unknowns if allowed else 0)
    assert bool(came.unused_allowances) == (allowed and not gap and not unknowns)


@pytest.mark.parametrize(("new_only", "exit_"), [(False, Exit.FINDINGS), (True, Exit.CLEAN)])
def test_a_failure_in_the_baseline_counts_unless_only_new_ones_do(*, new_only: bool, exit_: Exit) -> None:
    tallies = (Tally(policy=policy(), passed=1, known={Severity.HIGH: 1}),)
    assert verdict(tallies=tallies, new_only=new_only).exit is exit_


@pytest.mark.parametrize("severity", list(Severity))
def test_an_unknown_result_of_any_severity_leaves_the_run_incomplete(severity: Severity) -> None:
    group = UnknownGroup(policy="p-key", severity=severity, scope_id=vault().id, causes={"kty": Reason.BAD_VALUE}, count=1)
    tallies = (Tally(policy=policy(), passed=1, unknown={severity: 1}),)
    assert verdict(tallies=tallies, groups=[group], fail_on=Severity.CRITICAL).exit is Exit.INCOMPLETE
    assert verdict(tallies=tallies, groups=[group], fail_on=None).exit is Exit.INCOMPLETE


@pytest.mark.parametrize("reason", sorted(UNSAFE))
def test_an_unsafe_reason_wins_over_findings_and_over_every_allowance(reason: Reason) -> None:
    fails = (Tally(policy=policy(), failed={Severity.CRITICAL: 1}),)
    came = verdict(swap(blind(vault(), "key.get", reason)), tallies=fails, allow=["scope=kv-a"])
    assert came.conditions == (Exit.UNSAFE, Exit.FINDINGS, Exit.INCOMPLETE)
    assert not came.gaps[0].allowed
    with pytest.raises(UsageError, match="cannot be accepted"):
        Allowance.parse(f"reason={reason}")


def test_one_gap_of_several_operations_says_what_each_lacks() -> None:
    bad = [("key.list", "1 of 5 items: number 3 (a)"), ("key.versions", "2 of 9 items: number 1 (b), number 2 (c)")]
    [gap] = verdict((*WHOLE[:2], *(blind(vault(), name, Reason.BAD_ITEM, 1, detail) for name, detail in bad), WHOLE[3])).gaps
    assert gap.detail == "key versions: 2 of 9 items: number 1 (b), number 2 (c); keys: 1 of 5 items: number 3 (a)"
    # A detail that both have is given once.
    alike = [blind(vault(), name, Reason.PERMISSION, detail="Forbidden/ForbiddenByRbac") for name, _ in bad]
    [gap] = verdict((*WHOLE[:2], *alike, WHOLE[3])).gaps
    assert gap.detail == "Forbidden/ForbiddenByRbac"


def test_an_unsafe_answer_where_nothing_needed_it_still_ends_the_run() -> None:
    came = verdict((*WHOLE, blind(TENANT, "domain.list", Reason.REDIRECTED)))
    assert (came.conditions, came.gaps[0].required) == ((Exit.UNSAFE,), False)


def test_what_configuration_left_out_is_listed_and_gates_only_where_a_result_is_unknown() -> None:
    out = vault("kv-out")
    left = (
        blind(out, "key.list", Reason.EXCLUDED_BY_CONFIG),
        blind(out, "key.get", Reason.PARENT_NOT_ASSESSED),
    )
    group = UnknownGroup(
        policy="p-key",
        severity=Severity.HIGH,
        scope_id=out.id,
        causes={},
        operations=("key.get",),
        reasons=(Reason.PARENT_NOT_ASSESSED,),
        count=1,
    )
    assert verdict((*WHOLE, *left), tallies=unknown(), groups=[group]).exit is Exit.INCOMPLETE
    came = verdict((*WHOLE, *left))
    assert came.exit is Exit.CLEAN
    assert [(gap.scope.name, gap.required) for gap in came.gaps] == [("kv-out", False)]
    assert (came.required, came.assessed, came.allowed_unknown) == (4, 4, 0)


def test_what_a_source_that_was_left_out_never_came_to_ask_is_left_out_with_it() -> None:
    out = blind(TENANT, "role_assignment.query", Reason.EXCLUDED_BY_CONFIG)
    needed = {**NEEDED, "deny_assignment.list": ("p-key",)}
    confined = structs.replace(RUN, filters=Filters(sources=("keys",)))
    assert verdict((*WHOLE, out), needed=needed, run=confined).exit is Exit.CLEAN
    assert verdict((*WHOLE, out), needed=needed).exit is Exit.INCOMPLETE
    assert verdict(WHOLE, needed=needed, run=confined).exit is Exit.INCOMPLETE


def test_what_a_cloud_lacks_is_listed_and_gates_only_where_a_result_is_unknown() -> None:
    lacking = blind(TENANT, "application.federated", Reason.NOT_IN_CLOUD)
    group = UnknownGroup(
        policy="p-key", severity=Severity.HIGH, scope_id=vault().id, causes={"key_ops": Reason.NOT_IN_CLOUD}, count=1
    )
    needed = {**NEEDED, "application.federated": ("p-key",)}
    assert verdict((*WHOLE, lacking), tallies=unknown(), groups=[group], needed=needed).exit is Exit.INCOMPLETE
    came = verdict((*WHOLE, lacking), needed=needed)
    assert came.exit is Exit.CLEAN
    assert [(gap.reason, gap.required) for gap in came.gaps] == [(Reason.NOT_IN_CLOUD, False)]


def test_a_gap_that_no_selected_policy_needs_is_listed_and_does_not_gate() -> None:
    came = verdict((*WHOLE, blind(vault(), "key.rotation_policy", Reason.PERMISSION)))
    assert came.exit is Exit.CLEAN
    assert [(gap.required, gap.allowed, gap.blinds) for gap in came.gaps] == [(False, False, ())]


def test_one_blind_vault_is_one_gap() -> None:
    needed = {**NEEDED, "key.versions": ("p-key", "p-old"), "key.rotation_policy": ("p-rotates",)}
    dark = vault("kv-dark")
    coverage = (
        *WHOLE,
        read(vault(), "key.versions"),
        read(vault(), "key.rotation_policy"),
        blind(dark, "key.rotation_policy", Reason.PARENT_NOT_ASSESSED),
        blind(dark, "key.versions", Reason.PARENT_NOT_ASSESSED),
        blind(dark, "key.list", Reason.FIREWALL),
        blind(dark, "key.get", Reason.CONTROL_PLANE_ONLY, kept=3),
    )
    (gap,) = verdict(coverage, needed=needed).gaps
    assert (gap.scope, gap.reason, gap.required) == (dark, Reason.FIREWALL, True)
    assert gap.operations == ("key.list", "key.versions", "key.get", "key.rotation_policy")
    assert gap.blinds == ("p-key", "p-old", "p-rotates")


def test_a_consequence_goes_to_the_gap_of_its_own_kind_and_else_to_the_scope_above() -> None:
    coverage = (
        *WHOLE,
        blind(TENANT, "application.list", Reason.THROTTLED),
        blind(TENANT, "application.owners", Reason.PARENT_NOT_ASSESSED),
        blind(TENANT, "service_principal.list", Reason.PERMISSION),
        blind(TENANT, "service_principal.owners", Reason.PARENT_NOT_ASSESSED),
        blind(vault("kv-below"), "key.list", Reason.PARENT_NOT_ASSESSED),
        blind(SUB, "vault.query", Reason.NOT_VISIBLE),
    )
    gaps = {(gap.scope.name, gap.reason): gap.operations for gap in verdict(coverage).gaps}
    assert gaps == {
        ("contoso.example", Reason.THROTTLED): ("application.list", "application.owners"),
        ("contoso.example", Reason.PERMISSION): ("service_principal.list", "service_principal.owners"),
        ("Production", Reason.NOT_VISIBLE): ("vault.query", "key.list"),
    }


def test_a_consequence_without_a_refusal_stays_a_gap_of_its_own() -> None:
    (gap,) = verdict(swap(blind(vault(), "key.get", Reason.PARENT_NOT_ASSESSED))).gaps
    assert (gap.reason, gap.required) == (Reason.PARENT_NOT_ASSESSED, True)


@pytest.mark.parametrize("reason", sorted(OPTIONAL))
def test_a_consequence_is_excused_by_what_it_is_asked_after_and_by_nothing_else_that_may_lack(reason: Reason) -> None:
    after, beside = blind(TENANT, "service_principal.list", reason), blind(TENANT, "risky_principal.list", reason)
    follows = blind(TENANT, "login.app_keys", Reason.PARENT_NOT_ASSESSED)
    keys = {"login.app_keys": ("p-key",)}
    assert verdict((*WHOLE, after, follows), needed=keys).exit is Exit.CLEAN
    came = verdict((*WHOLE, beside, follows), needed=keys)
    assert came.exit is Exit.INCOMPLETE
    assert [(gap.operations, gap.reason) for gap in came.gaps if gap.required] == [
        (("login.app_keys",), Reason.PARENT_NOT_ASSESSED)
    ]


def test_gaps_come_in_one_order_whatever_the_ledger_has() -> None:
    records = [
        blind(vault("kv-c"), "key.list", Reason.FIREWALL),
        blind(vault("kv-b"), "key.list", Reason.PERMISSION),
        blind(TENANT, "organization.get", Reason.TIMEOUT),
        blind(SUB, "vault.query", Reason.TIMEOUT),
    ]
    orders = {
        tuple((gap.scope.name, gap.reason, gap.operations) for gap in verdict((*WHOLE, *shuffled)).gaps)
        for shuffled in itertools.permutations(records)
    }
    assert [[name for name, *_ in order] for order in orders] == [["contoso.example", "Production", "kv-b", "kv-c"]]


@pytest.mark.parametrize(
    ("skew", "code"),
    [
        (None, Exit.CLEAN),
        (0, Exit.CLEAN),
        (300, Exit.CLEAN),
        (-300, Exit.CLEAN),
        (301, Exit.INCOMPLETE),
        (-301, Exit.INCOMPLETE),
    ],
)
def test_a_wrong_clock_leaves_the_run_incomplete(skew: int | None, code: Exit) -> None:
    run = structs.replace(RUN, skew=skew)
    came = verdict(run=run)
    assert came.exit is code
    if code is Exit.INCOMPLETE:
        assert [(gap.reason, gap.scope.name, gap.required) for gap in came.gaps] == [
            (Reason.CLOCK_SKEW, "contoso.example", True)
        ]
        assert "301 seconds" in came.gaps[0].detail
        assert verdict(run=run, allow=["reason=clock_skew"]).exit is Exit.CLEAN


@pytest.mark.parametrize(
    ("reasons", "code"),
    [
        ((Reason.THROTTLED, Reason.SERVICE_ERROR), Exit.UNAVAILABLE),
        ((Reason.TIMEOUT, Reason.UNREACHABLE), Exit.UNAVAILABLE),
        ((Reason.PERMISSION, Reason.PERMISSION), Exit.NO_ACCESS),
        ((Reason.THROTTLED, Reason.PERMISSION), Exit.NO_ACCESS),
        ((Reason.THROTTLED, Reason.EXCLUDED_BY_CONFIG), Exit.UNAVAILABLE),
    ],
)
def test_nothing_assessed_says_whose_cause_it_is(reasons: tuple[Reason, Reason], code: Exit) -> None:
    needed = {"application.list": ("p",), "service_principal.list": ("p",)}
    coverage = [blind(TENANT, operation, reason) for operation, reason in zip(needed, reasons, strict=True)]
    empty = structs.replace(RUN, rows={})
    came = verdict(coverage, tallies=[Tally(policy=policy("p", "application"))], needed=needed, run=empty)
    assert came.conditions == (code, Exit.INCOMPLETE)
    assert (
        verdict(coverage, tallies=[Tally(policy=policy("p", "application"))], needed=needed, run=empty, allow=["policy=p"]).exit
        is code
    )
    assert (set(reasons) <= AZURES | {Reason.EXCLUDED_BY_CONFIG}) is (code is Exit.UNAVAILABLE)


def test_what_anybody_may_read_is_no_access_unless_nothing_else_was_asked_for() -> None:
    keys, refused = read(TENANT, "login.keys", 3), blind(TENANT, "application.list", Reason.PERMISSION)
    judged = Tally(policy=policy("p", "issuer_key"), passed=3)
    needed = {"login.keys": ("p",), "application.list": ("p",), "subscription.list": ("p",)}
    empty = structs.replace(RUN, rows={})
    places = read(TENANT, "subscription.list", 0)
    came = verdict([places, keys, refused], tallies=[judged], needed=needed, run=empty)
    assert came.conditions == (Exit.NO_ACCESS, Exit.INCOMPLETE)
    alone = verdict([places, keys], tallies=[judged], needed={"login.keys": ("p",), "subscription.list": ("p",)}, run=empty)
    assert Exit.NO_ACCESS not in alone.conditions


def test_evidence_that_is_required_and_was_not_supplied_is_a_gap() -> None:
    lacking = NotJudged(policy=policy("p-logs", "usage"), needs=("logs",))
    group = UnknownGroup(
        policy="p-logs", severity=Severity.HIGH, scope_id=TENANT.id, causes={}, reasons=(Reason.NOT_SUPPLIED,), count=1
    )
    tallies = (*PASSING, Tally(policy=lacking.policy, unknown={Severity.HIGH: 1}))
    came = verdict(tallies=tallies, groups=[group], unsupplied=[lacking])
    assert (came.exit, [(gap.reason, gap.detail, gap.blinds) for gap in came.gaps]) == (
        Exit.INCOMPLETE,
        [(Reason.NOT_SUPPLIED, "logs", ("p-logs",))],
    )
    came = verdict(tallies=tallies, groups=[group], unsupplied=[lacking], allow=["reason=not_supplied"])
    assert (came.exit, came.allowed_unknown, came.gaps[0].allowed) == (Exit.CLEAN, 1, True)


def test_a_waiver_is_in_use_or_unused_until_it_ends() -> None:
    def waiver(id_: str, ends: int) -> Waiver:
        return Waiver(
            id=id_, policy=Glob("p-key"), resource=Glob("*"), reason="r", owner="o", approved_by="a", ends=RUN.as_of + ends
        )

    given = [waiver("used", 1), waiver("idle", 1), waiver("over", 0)]
    came = verdict(waivers=given, waived={"used": 2})
    assert [(use.state, use.count) for use in came.waivers] == [(State.ACTIVE, 2), (State.UNUSED, 0), (State.EXPIRED, 0)]


def test_nothing_in_scope_is_not_clean() -> None:
    coverage = [read(TENANT, "subscription.list", 3), read(SUB, "vault.list", 0)]
    came = verdict(coverage, tallies=[Tally(policy=policy())], run=structs.replace(RUN, rows={}))
    assert came.exit is Exit.NO_ACCESS


@pytest.mark.parametrize(
    ("beside", "code"),
    [
        # Other reads of the same service show that the identity would have seen some.
        (read(TENANT, "application.list", 5), Exit.CLEAN),
        # A right in the directory says nothing of subscriptions, and the other way round.
        (read(SUB, "vault.list", 5), Exit.NO_ACCESS),
        (read(TENANT, "login.keys", 5), Exit.NO_ACCESS),
    ],
)
def test_what_was_asked_for_alone_may_be_empty(beside: Coverage, code: Exit) -> None:
    needed = {"pki.list": ("p",)}
    came = verdict(
        [read(TENANT, "pki.list", 0), beside],
        tallies=[Tally(policy=policy("p", "trusted_authority"))],
        needed=needed,
        run=structs.replace(RUN, rows={}),
    )
    assert came.conditions == (code,)


@pytest.mark.parametrize("passed", [0, 1])
def test_rows_of_the_one_policy_that_was_chosen_are_something_assessed(passed: int) -> None:
    """The rows of tables such as token_policy come with other objects: the one list that is required may be empty."""
    came = verdict(
        [read(TENANT, "token_issuance.list", 0), read(SUB, "vault.list", 5)],
        tallies=[Tally(policy=policy("p", "token_policy"), passed=passed, not_applicable=1 - passed)],
        needed={"token_issuance.list": ("p",)},
    )
    assert came.conditions == (Exit.CLEAN,)


def test_a_table_proved_empty_is_clean() -> None:
    needed = {"service_principal.list": ("p",)}
    came = verdict(
        [read(TENANT, "service_principal.list", 80)],
        tallies=[Tally(policy=policy("p", "signing_certificate"))],
        needed=needed,
    )
    assert came.exit is Exit.CLEAN


def test_rows_known_from_the_control_plane_alone_count_as_something_assessed() -> None:
    needed = {"key.list": ("p-key",)}
    came = verdict(
        [blind(vault(), "key.list", Reason.PERMISSION), read(vault(), "arm.key.list", 2)],
        tallies=[Tally(policy=policy(), unknown={Severity.LOW: 2})],
        groups=[cell(count=2)],
        needed=needed,
    )
    assert came.conditions == (Exit.INCOMPLETE,)


@pytest.mark.parametrize("dropped", range(3))
def test_a_required_list_that_no_record_speaks_of_is_a_gap(dropped: int) -> None:
    coverage = [record for index, record in enumerate(WHOLE) if index != dropped]
    came = verdict(coverage)
    assert came.exit is Exit.INCOMPLETE
    assert [(gap.reason, gap.operations) for gap in came.gaps] == [(Reason.STALE, (WHOLE[dropped].operation,))]


def test_a_vault_that_the_ledger_does_not_know_is_a_gap() -> None:
    run = structs.replace(RUN, rows={"vault": 2})
    assert [gap.operations for gap in verdict(run=run).gaps] == [("key.list",)]


def test_an_hsm_needs_its_own_lists_and_no_vaults() -> None:
    hsm = Scope(f"{SUBSCRIPTION}/resourcegroups/rg/providers/microsoft.keyvault/managedhsms/h", "h", ScopeKind.MANAGED_HSM)
    run = structs.replace(RUN, rows={"vault": 2, "key": 2})
    needed = {**NEEDED, "hsm.key.list": ("p-key",)}
    assert verdict((*WHOLE, read(hsm, "hsm.key.list", 0)), needed=needed, run=run).exit is Exit.CLEAN
    came = verdict((*WHOLE, read(hsm, "hsm.setting.list")), needed=needed, run=run)
    assert [(gap.scope, gap.reason, gap.operations) for gap in came.gaps] == [(hsm, Reason.STALE, ("hsm.key.list",))]


def test_no_vault_needs_no_list_of_keys() -> None:
    run = structs.replace(RUN, rows={"application": 3})
    coverage = [read(TENANT, "subscription.list", 0), read(TENANT, "application.list", 3)]
    needed = {**NEEDED, "application.list": ("p",), "application.owners_of": ("p",)}
    assert verdict(coverage, needed=needed, run=run).exit is Exit.CLEAN


_SCOPES = [TENANT, SUB, vault("kv-a"), vault("kv-b")]


_RECORDS = st.builds(
    lambda scope, operation, reason, kept: blind(scope, operation, reason, kept) if reason else read(scope, operation, kept),
    st.sampled_from(_SCOPES),
    st.sampled_from(["subscription.list", "vault.list", "key.list", "key.get", "application.list", "arm.key.list"]),
    st.one_of(st.none(), st.none(), st.sampled_from(list(Reason))),
    st.integers(0, 3),
)
_LEDGERS = st.lists(_RECORDS, max_size=10, unique_by=lambda record: (record.scope.id, record.operation))
_ALLOWANCES = st.builds(
    Allowance,
    scope=st.sampled_from([None, "kv-a", "kv-b", "Production", TENANT.id]),
    operation=st.sampled_from([None, "key.get", "key.list"]),
    reason=st.sampled_from([None, *sorted(set(Reason) - UNSAFE)]),
    policy=st.sampled_from([None, "p-key", "p-vault"]),
)
_GROUPS = st.builds(
    lambda scope, causes, reasons, count: UnknownGroup(
        policy="p-key",
        severity=Severity.INFO,
        scope_id=scope.id,
        causes=causes,
        operations=() if causes else ("key.list",),
        reasons=() if causes else reasons,
        count=count,
    ),
    st.sampled_from(_SCOPES),
    st.dictionaries(st.sampled_from(["kty", "created_on", "no_such_column"]), st.sampled_from(list(Reason)), max_size=2),
    st.lists(st.sampled_from(list(Reason)), min_size=1, max_size=2).map(tuple),
    st.integers(1, 3),
)


@settings(max_examples=400, deadline=None)
@given(_LEDGERS, st.lists(_GROUPS, max_size=3), st.lists(_ALLOWANCES, max_size=3), st.sampled_from([None, *Severity]))
def test_clean_means_that_nothing_required_is_unread_or_unknown(
    coverage: list[Coverage], groups: list[UnknownGroup], allowances: list[Allowance], fail_on: Severity | None
) -> None:
    tallies = [Tally(policy=policy(), passed=1, unknown={Severity.INFO: sum(group.count for group in groups)}), PASSING[1]]
    results = Results(tallies=tuple(tallies), groups=tuple(groups), not_judged=(), unsupplied=(), waived={}, needed_by=NEEDED)
    came = decide(RUN, coverage, results, Acceptance(allowances=tuple(allowances)), fail_on=fail_on)
    assert came.exit is came.conditions[0]
    assert list(came.conditions) == [code for code in PRECEDENCE if code in came.conditions]
    if came.exit is not Exit.CLEAN:
        return
    left_out = {record.scope.id for record in coverage if record.reason in OPTIONAL}
    for record in coverage:
        assert record.reason not in UNSAFE
        unread = record.operation in NEEDED and record.reason not in OPTIONAL | {None}
        # Without an allowance, only data that configuration excludes, and data that depends on it, may be unread.
        follows = record.reason in {Reason.PARENT_NOT_ASSESSED, Reason.CONTROL_PLANE_ONLY}
        if unread and not allowances:
            assert follows
            assert left_out & {record.scope.id, SUB.id, TENANT.id}
        if unread and allowances and not follows:
            assert any(
                each.scope in {None, record.scope.id, record.scope.name}
                and each.operation in {None, record.operation}
                and each.reason in {None, record.reason}
                for each in allowances
            )
    if not allowances:
        assert all({*group.causes.values(), *group.reasons} <= OPTIONAL for group in groups)
    needed_lists = {operation for operation in NEEDED if "{key}" not in OPERATIONS[operation].path}
    if not allowances:
        assert needed_lists <= {record.operation for record in coverage}


@settings(max_examples=200, deadline=None)
@given(_LEDGERS.flatmap(lambda ledger: st.tuples(st.just(ledger), st.permutations(ledger))), st.lists(_ALLOWANCES, max_size=2))
def test_the_order_of_the_ledger_never_changes_the_verdict(
    orders: tuple[list[Coverage], list[Coverage]], allowances: list[Allowance]
) -> None:
    allow = [str(each) for each in allowances if str(each)]
    first, second = (verdict(order, allow=allow) for order in orders)
    assert (first.conditions, first.gaps) == (second.conditions, second.gaps)
