"""A run without policies: whether all that it asked for was read."""

from collections.abc import Collection, Sequence

import pytest

from keyaudit.gate import assess
from keyaudit.model.coverage import Coverage
from keyaudit.model.errors import Exit
from keyaudit.model.reasons import Reason
from keyaudit.model.results.run import Gap
from tests.gate_example import RUN, SUB, TENANT, WHOLE, blind, read, vault

APPLICATIONS = read(TENANT, "application.list", 3)
ASKED = ("application.list",)


@pytest.mark.parametrize(
    ("coverage", "required", "unknown", "codes"),
    [
        (WHOLE, ("key.list", "key.get"), (), [Exit.CLEAN]),
        (WHOLE, (), (), [Exit.CLEAN]),
        ([APPLICATIONS], ASKED, (), [Exit.CLEAN]),
        # Where access is proven, an empty list is a result.
        ([APPLICATIONS, read(SUB, "vault.list", 0)], ("vault.list",), (), [Exit.CLEAN]),
        ([read(TENANT, "application.list", 0)], ASKED, (), [Exit.NO_ACCESS]),
        ([], (), (), [Exit.NO_ACCESS]),
        # Any identity may list subscriptions.
        ([read(TENANT, "subscription.list", 3)], ("subscription.list",), (), [Exit.NO_ACCESS]),
        ([read(TENANT, "subscription.list", 3)], ASKED, (), [Exit.NO_ACCESS, Exit.INCOMPLETE]),
        ([read(TENANT, "login.keys", 3)], (), (), [Exit.NO_ACCESS]),
        ([blind(TENANT, "application.list", Reason.PERMISSION)], ASKED, (), [Exit.NO_ACCESS, Exit.INCOMPLETE]),
        ([blind(TENANT, "application.list", Reason.THROTTLED)], ASKED, (), [Exit.UNAVAILABLE, Exit.INCOMPLETE]),
        ([blind(TENANT, "application.list", Reason.BAD_ITEM, 2)], ASKED, (), [Exit.INCOMPLETE]),
        # No vault is known, so nothing was asked of one: that is no result, although something else was read.
        ([APPLICATIONS], ("key.get",), (), [Exit.NO_ACCESS]),
        ([APPLICATIONS], ASKED, (Reason.PERMISSION,), [Exit.INCOMPLETE]),
        ([APPLICATIONS], ASKED, (Reason.NOT_IN_CLOUD, Reason.EXCLUDED_BY_CONFIG, Reason.NOT_SUPPLIED), [Exit.CLEAN]),
        ([APPLICATIONS], ASKED, (Reason.NOT_SUPPLIED, Reason.THROTTLED), [Exit.INCOMPLETE]),
    ],
)
def test_the_exit_code_says_whether_everything_that_was_asked_for_was_read(
    coverage: Sequence[Coverage], required: Collection[str], unknown: Collection[Reason], codes: list[Exit]
) -> None:
    found = assess(RUN, coverage, frozenset(required), unknown=unknown)
    assert (found.exit, list(found.conditions)) == (codes[0], codes)
    assert found.complete is (Exit.INCOMPLETE not in codes)


def test_only_gaps_of_what_was_asked_for_are_listed_and_unsafe_ones() -> None:
    other, foreign = blind(vault(), "key.get", Reason.THROTTLED), blind(SUB, "vault.list", Reason.FOREIGN_LINK)
    assert assess(RUN, [APPLICATIONS, other], frozenset(ASKED)).gaps == ()
    found = assess(RUN, [APPLICATIONS, other, foreign], frozenset(ASKED))
    assert found.exit is Exit.UNSAFE
    assert [gap.reason for gap in found.gaps] == [Reason.FOREIGN_LINK]
    optional = blind(TENANT, "application.list", Reason.NOT_IN_CLOUD)
    assert [gap.required for gap in assess(RUN, [optional], frozenset(ASKED)).gaps] == [False]


def test_expectations_of_what_was_not_asked_for_do_not_count() -> None:
    missing = Gap(scope=TENANT, reason=Reason.SHRINKAGE, operations=("application.list",))
    for required, unmet, codes, expected in (
        (ASKED, [missing], (Exit.INCOMPLETE,), True),
        (("subscription.list",), [missing], (Exit.CLEAN,), True),
        (ASKED, [], (Exit.CLEAN,), True),
        (ASKED, None, (Exit.CLEAN,), False),
    ):
        found = assess(RUN, [APPLICATIONS, read(TENANT, "subscription.list", 3)], frozenset(required), unmet=unmet)
        assert (found.conditions, found.expected) == (codes, expected)
