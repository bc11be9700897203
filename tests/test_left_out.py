"""Which policies were not evaluated because the user left out what they need: those that nothing which was read can answer."""

from collections.abc import Mapping, Sequence

import pytest

from keyaudit.gate import left_out
from keyaudit.gate.causes import Causes
from keyaudit.model.coverage import Coverage
from keyaudit.model.gating.optional import MAY_LACK
from keyaudit.model.reasons import Reason
from keyaudit.model.results.findings import Tally, UnknownGroup
from keyaudit.model.results.run import Gap, Results
from keyaudit.model.severity import Severity
from tests.gate_example import NEEDED, PASSING, RUN, SUB, TENANT, WHOLE, blind, cell, policy, read, unknown, vault

OUT = Reason.EXCLUDED_BY_CONFIG
KEYS_OUT = (*WHOLE[:2], blind(vault(), "key.list", OUT), blind(vault(), "key.get", Reason.PARENT_NOT_ASSESSED))
"""A vault whose keys were left out."""
UNDECIDED = Tally(policy=policy(), unknown={Severity.LOW: 1})


def not_evaluated(
    coverage: Sequence[Coverage],
    tallies: Sequence[Tally] = PASSING,
    groups: Sequence[UnknownGroup] = (),
    needed: Mapping[str, tuple[str, ...]] = NEEDED,
) -> set[str]:
    results = Results(tallies=tuple(tallies), groups=tuple(groups), not_judged=(), unsupplied=(), waived={}, needed_by=needed)
    return set(left_out(RUN, coverage, results))


def row(reason: Reason, *operations: str) -> UnknownGroup:
    """Results of rows that are unknown as a whole, and not for a column."""
    return UnknownGroup(
        policy="p-key",
        severity=Severity.LOW,
        scope_id=vault().id,
        causes={},
        operations=operations or ("key.get",),
        reasons=(reason,),
        count=1,
    )


def test_nothing_is_left_out_where_no_filter_was_used() -> None:
    refused = (*WHOLE[:2], blind(vault(), "key.list", Reason.PERMISSION))
    assert not_evaluated(refused, [Tally(policy=policy())]) == set()


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        (cell(OUT), {"p-key"}),
        (cell(Reason.PARENT_NOT_ASSESSED), {"p-key"}),
        (row(OUT), {"p-key"}),
        (row(Reason.PARENT_NOT_ASSESSED), {"p-key"}),
        # Refused, and not left out.
        (cell(Reason.PERMISSION), set()),
        (row(Reason.PERMISSION), set()),
        # Its vault was listed, and something else was left out.
        (row(Reason.PARENT_NOT_ASSESSED, "vault.list"), set()),
    ],
)
def test_a_policy_is_not_evaluated_if_each_unknown_result_needs_what_was_left_out(
    group: UnknownGroup, expected: set[str]
) -> None:
    assert not_evaluated(KEYS_OUT, [UNDECIDED, PASSING[1]], [group]) == expected


@pytest.mark.parametrize(
    "tally",
    [
        *unknown()[:1],
        Tally(policy=policy(), failed={Severity.HIGH: 1}, unknown={Severity.LOW: 1}),
        Tally(policy=policy(), known={Severity.HIGH: 1}, unknown={Severity.LOW: 1}),
        Tally(policy=policy(), waived={Severity.HIGH: 1}, unknown={Severity.LOW: 1}),
    ],
)
def test_one_row_that_was_decided_makes_the_policy_an_evaluated_one(tally: Tally) -> None:
    assert not_evaluated(KEYS_OUT, [tally], [cell(OUT)]) == set()


def test_one_row_that_lacks_something_else_makes_the_policy_an_evaluated_one() -> None:
    assert not_evaluated(KEYS_OUT, [UNDECIDED], [cell(OUT), cell(Reason.THROTTLED)]) == set()


def test_a_policy_without_rows_is_not_evaluated_if_no_list_of_them_was_read_and_one_was_left_out() -> None:
    none = [Tally(policy=policy())]
    assert not_evaluated(KEYS_OUT, none) == {"p-key"}
    assert not_evaluated((*WHOLE, blind(vault("kv-b"), "key.list", OUT)), none) == set(), "one vault has no keys"
    # The vaults were left out, so nobody asked for their keys.
    assert not_evaluated((WHOLE[0], blind(SUB, "vault.list", OUT)), none) == {"p-key"}
    elsewhere = (*WHOLE[:2], blind(vault(), "key.list", Reason.PERMISSION), blind(TENANT, "application.list", OUT))
    assert not_evaluated(elsewhere, none) == set()


def test_a_gap_is_known_where_it_left_only_results_unknown_that_the_baseline_holds() -> None:
    ledger = Causes(RUN, (*WHOLE[:2], read(vault(), "key.list")), frozenset(NEEDED), MAY_LACK)

    def known(gap: Gap, *groups: UnknownGroup) -> bool:
        return ledger.known(gap, groups)

    gap = Gap(scope=vault(), reason=Reason.PERMISSION, operations=("key.get",), blinds=("p-key",))
    assert known(gap, cell())
    assert known(Gap(scope=SUB, reason=Reason.PERMISSION, operations=("vault.list",), blinds=("p-key",)), cell())
    assert not known(gap)
    assert not known(Gap(scope=vault(), reason=Reason.PERMISSION, operations=("key.get",), blinds=("p-vault",)), cell())
    assert not known(Gap(scope=vault("kv-b"), reason=Reason.PERMISSION, operations=("key.get",), blinds=("p-key",)), cell())
    # A bug is never a gap that is known.
    assert not known(Gap(scope=vault(), reason=Reason.INTERNAL_ERROR, operations=("key.get",), blinds=("p-key",)), cell())
