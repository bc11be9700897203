"""The verdict of each situation: exit code and words. An unknown result gates by itself, for any reason."""

from collections.abc import Mapping, Sequence

import pytest
from msgspec import Struct, structs

from keyaudit.gate import left_out
from keyaudit.model.coverage import Coverage
from keyaudit.model.errors import Exit
from keyaudit.model.reasons import UNSAFE, Reason
from keyaudit.model.results.findings import Tally, UnknownGroup
from keyaudit.model.results.run import Results, Run
from keyaudit.model.scope.filters import Filters
from keyaudit.model.severity import Severity
from keyaudit.report.gate import passed
from tests.gate_example import NEEDED, PASSING, RUN, TENANT, WHOLE, blind, cell, policy, read, swap, unknown, vault, verdict

PART = structs.replace(RUN, filters=Filters(sources=("keys",)))
OUT = Reason.EXCLUDED_BY_CONFIG


class Situation(Struct, frozen=True):
    """What was read, what came of it, and how a gate ends."""

    what: str
    exit: Exit
    words: str = ""
    groups: Sequence[UnknownGroup] = ()
    failed: Mapping[Severity, int] = {}
    coverage: Sequence[Coverage] = WHOLE
    allow: Sequence[str] = ()
    run: Run = RUN


SITUATIONS = (
    Situation(
        "everything was read, nothing is open",
        Exit.CLEAN,
        "passed: everything required was assessed, and nothing is open at or above --fail-on",
    ),
    Situation(
        "filters chose a part, and all of it was decided",
        Exit.CLEAN,
        "passed: the selected part was assessed, and nothing is open at or above --fail-on",
        run=PART,
    ),
    *(
        Situation(f"a result below --fail-on is unknown: {reason}", Exit.INCOMPLETE, groups=[cell(reason)])
        for reason in Reason
        if reason not in UNSAFE
    ),
    Situation("a filter left some results unknown", Exit.INCOMPLETE, groups=[cell(OUT)], run=PART),
    Situation("one is open besides", Exit.FINDINGS, groups=[cell(OUT)], failed={Severity.HIGH: 1}, run=PART),
    Situation(
        "the unknown result was accepted",
        Exit.CLEAN,
        "passed: the selected part was assessed, and nothing is open at or above --fail-on",
        groups=[cell(OUT)],
        allow=["reason=excluded_by_config"],
        run=PART,
    ),
    Situation(
        "another one was accepted",
        Exit.INCOMPLETE,
        groups=[cell(OUT), cell(Reason.PUBLISHER_ONLY)],
        allow=["reason=excluded_by_config"],
        run=PART,
    ),
    Situation(
        "what no policy has an unknown result for was left out",
        Exit.CLEAN,
        "passed: the selected part was assessed, and nothing is open at or above --fail-on",
        coverage=(*WHOLE, blind(vault("kv-b"), "key.list", OUT), blind(vault("kv-b"), "key.get", Reason.PARENT_NOT_ASSESSED)),
        run=PART,
    ),
    Situation(
        "something required was refused",
        Exit.INCOMPLETE,
        coverage=swap(blind(vault(), "key.get", Reason.PERMISSION, kept=1)),
    ),
)


@pytest.mark.parametrize("here", SITUATIONS, ids=lambda here: here.what)
def test_each_situation_has_its_exit_code_and_its_words(here: Situation) -> None:
    tallies = unknown(sum(group.count for group in here.groups), here.failed) if here.groups or here.failed else PASSING
    came = verdict(here.coverage, tallies=tallies, groups=here.groups, allow=here.allow, run=here.run)
    assert came.exit is here.exit
    assert here.exit is not Exit.CLEAN or passed(came) == here.words


@pytest.mark.parametrize(
    ("new_only", "groups", "exit_"),
    [
        (True, [structs.replace(cell(Reason.PUBLISHER_ONLY), known=True)], Exit.CLEAN),
        (False, [structs.replace(cell(Reason.PUBLISHER_ONLY), known=True)], Exit.INCOMPLETE),
        # Another result of the same policy is not the one that the baseline holds.
        (True, [structs.replace(cell(), known=True), cell()], Exit.INCOMPLETE),
    ],
)
def test_only_the_very_unknown_result_of_a_baseline_passes(new_only: bool, groups: Sequence[UnknownGroup], exit_: Exit) -> None:
    came = verdict(tallies=unknown(len(groups)), groups=groups, new_only=new_only)
    assert (came.exit, came.known_unknown) == (exit_, 1)


def test_a_gap_whose_every_unknown_result_the_baseline_holds_passes_and_a_new_one_does_not() -> None:
    refused = swap(blind(vault(), "key.get", Reason.PERMISSION, kept=1))
    known = [structs.replace(cell(), known=True)]
    assert verdict(refused, tallies=unknown(), groups=known, new_only=True).exit is Exit.CLEAN
    assert verdict(refused, tallies=unknown(), groups=known, new_only=False).exit is Exit.INCOMPLETE
    another = (*refused, blind(vault("kv-b"), "key.list", Reason.FIREWALL))
    assert verdict(another, tallies=unknown(), groups=known, new_only=True).exit is Exit.INCOMPLETE
    bug = swap(blind(vault(), "key.get", Reason.INTERNAL_ERROR, kept=1))
    assert verdict(bug, tallies=unknown(), groups=known, new_only=True).exit is Exit.BUG
    unsafe = swap(blind(vault(), "key.get", Reason.REDIRECTED, kept=1))
    assert verdict(unsafe, tallies=unknown(), groups=known, new_only=True).exit is Exit.UNSAFE
    # It never covers a failure.
    failing = unknown(failed={Severity.HIGH: 1})
    assert verdict(refused, tallies=failing, groups=known, new_only=True).exit is Exit.FINDINGS


def test_only_a_plan_may_leave_open_what_apply_alone_shows() -> None:
    planned = structs.replace(RUN, planned=True)
    assert verdict(tallies=unknown(), groups=[cell(Reason.NOT_IN_PLAN)], run=planned, fail_on=Severity.LOW).exit is Exit.CLEAN
    assert verdict(tallies=unknown(), groups=[cell(OUT)], run=planned, fail_on=Severity.LOW).exit is Exit.INCOMPLETE
    mixed = structs.replace(cell(), causes={"kty": Reason.NOT_IN_PLAN, "key_ops": Reason.PUBLISHER_ONLY})
    assert verdict(tallies=unknown(), groups=[mixed], run=planned, fail_on=Severity.LOW).exit is Exit.INCOMPLETE


def left(
    groups: Sequence[UnknownGroup] = (),
    coverage: Sequence[Coverage] = (*WHOLE, blind(TENANT, "application.list", OUT)),
    **counts: object,
) -> frozenset[str]:
    """What `left_out` says of one policy over keys."""
    tally = structs.replace(Tally(policy=policy()), unknown={Severity.LOW: 1} if groups else {}, **counts)
    results = Results(tallies=(tally,), groups=tuple(groups), not_judged=(), unsupplied=(), waived={}, needed_by=NEEDED)
    return left_out(PART, coverage, results)


def test_a_policy_is_left_out_only_if_each_row_that_it_applies_to_needs_what_was_left_out() -> None:
    assert left([cell(OUT)]) == {"p-key"}
    assert left([cell(OUT)], not_applicable=2) == {"p-key"}
    for decided in ({"passed": 1}, {"failed": {Severity.LOW: 1}}, {"waived": {Severity.LOW: 1}}, {"known": {Severity.LOW: 1}}):
        assert left([cell(OUT)], **decided) == frozenset()


@pytest.mark.parametrize("reason", [each for each in Reason if each is not OUT])
def test_nothing_else_is_relabelled(reason: Reason) -> None:
    assert left([cell(reason)]) == frozenset()
    assert left([cell(OUT), cell(reason)]) == frozenset()
    both = structs.replace(cell(), causes={"kty": OUT, "key_ops": reason})
    assert left([both]) == frozenset()


def test_a_consequence_is_left_out_only_where_nothing_but_a_filter_explains_it() -> None:
    group = cell(Reason.PARENT_NOT_ASSESSED)
    out = blind(vault(), "key.get", OUT)
    refused = blind(vault(), "key.list", Reason.PERMISSION)
    assert left([group], (*WHOLE[:2], out)) == {"p-key"}
    assert left([group], (*WHOLE[:2], out, refused)) == frozenset()


def test_a_policy_without_rows_is_left_out_if_no_list_of_its_rows_was_read() -> None:
    assert left(coverage=(*WHOLE[:2], blind(vault(), "key.list", OUT))) == {"p-key"}
    assert left(coverage=(blind(TENANT, "vault.list", OUT),)) == {"p-key"}
    # One vault was read, and has no keys.
    assert left(coverage=(*WHOLE, blind(vault("kv-b"), "key.list", OUT))) == frozenset()
    assert left(coverage=(*WHOLE, read(vault("kv-b"), "key.list", 0))) == frozenset()
    # Nothing at all was left out.
    assert left(coverage=WHOLE[:2]) == frozenset()
