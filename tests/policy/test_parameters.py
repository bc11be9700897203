"""Limits by profile, override, map and schedule, as they come out on rows."""

from pathlib import Path

import pytest

from keyaudit.model.errors import UsageError
from keyaudit.model.reasons import Reason
from keyaudit.model.results.findings import Outcome
from keyaudit.model.severity import Severity
from keyaudit.policy.evaluation.judge import judge
from keyaudit.policy.settings import Judging
from tests.policy.inventory import AGE, DAY, JUDGING, NOW, OTHER_VAULT, inventory, key, policy, quoted


def test_a_pattern_may_be_a_parameter_and_is_checked_when_overridden(tmp_path: Path) -> None:
    named = policy(tmp_path, violated_when=quoted("matches(vault_name, pattern)"), parameters="{pattern: kv-.}")
    with inventory(key=[key("k"), key("k", vault=OTHER_VAULT)]) as connection:
        assert judge(connection, [named], (), JUDGING).tallies[0].failed == {Severity.HIGH: 2}
        narrowed = judge(connection, [named], (), Judging(as_of=NOW, overrides={"test": {"pattern": "'[^a]+a?'"}}))
        assert narrowed.tallies[0].failed == {Severity.HIGH: 2}
        with pytest.raises(UsageError, match=r"parameter pattern of test: an unfinished part"):
            judge(connection, [named], (), Judging(as_of=NOW, overrides={"test": {"pattern": "'['"}}))


def test_a_map_without_the_rows_value_is_unknown_and_says_so(tmp_path: Path) -> None:
    limits = "{max_age: {sign: P365D, wrap: P730D, public: P3650D}}"
    by_purpose = policy(
        tmp_path,
        applies_to=quoted("created_on is not None"),
        violated_when=quoted("now - created_on > max_age[purpose]"),
        parameters=limits,
        message=quoted("older than {max_age}"),
    )
    old = NOW - 500 * DAY
    rows = [
        key("1", created_on=old),
        key("2", created_on=old, purpose="wrap"),
        key("3", created_on=old, purpose="dance"),
        key("4", created_on=old, purpose=None, unknown={"purpose": "permission"}),
    ]
    with inventory(key=rows) as connection:
        judgement = judge(connection, [by_purpose], (), JUDGING)
        found = {str(finding.row["name"]): finding for finding in judgement.findings(passes=True)}
    assert found["1"].message == "older than 365 days"
    assert found["1"].expected == "max_age 365 days"
    assert found["2"].outcome is Outcome.PASS
    assert found["3"].unknown == {"purpose": Reason.UNRECOGNISED}
    assert found["3"].message == "unknown: purpose (this version does not recognise Azure's response)"
    assert found["4"].unknown == {"purpose": Reason.PERMISSION}
    assert found["4"].expected == "max_age sign 365 days, wrap 730 days, public 3,650 days"
    assert {group.causes["purpose"] for group in judgement.groups} == {Reason.UNRECOGNISED, Reason.PERMISSION}


def test_otherwise_is_for_values_and_not_for_what_is_unknown(tmp_path: Path) -> None:
    by_purpose = policy(
        tmp_path,
        applies_to=quoted("created_on is not None"),
        violated_when=quoted("now - created_on > max_age[purpose]"),
        parameters="{max_age: {sign: P365D, otherwise: P3650D}}",
    )
    rows = [key("1", purpose="dance"), key("2", purpose=None, unknown={"purpose": "permission"})]
    with inventory(key=rows) as connection:
        (tally,) = judge(connection, [by_purpose], (), JUDGING).tallies
    assert (tally.passed, tally.unknown) == (1, {Severity.HIGH: 1})


def test_a_schedule_holds_from_each_date_on(tmp_path: Path) -> None:
    shrinking = policy(
        tmp_path,
        applies_to=quoted("activates_on is not None and expires_on is not None"),
        violated_when=quoted("expires_on - activates_on > longest[activates_on]"),
        parameters="{longest: {1970-01-01: P398D, 2026-03-15: P200D}}",
        message=quoted("longer than {longest}"),
    )
    change = NOW - 254 * DAY
    rows = [
        key("before", activates_on=change - 1, expires_on=change - 1 + 398 * DAY),
        key("on", activates_on=change, expires_on=change + 200 * DAY + 1),
        key("early", activates_on=-5 * DAY, expires_on=394 * DAY),
        key("wide", activates_on=-(2**60), expires_on=2**60),
    ]
    with inventory(key=rows) as connection:
        found = {str(f.row["name"]): f.message for f in judge(connection, [shrinking], (), JUDGING).findings()}
    assert found == {"on": "longer than 200 days", "early": "longer than 398 days", "wide": "longer than 398 days"}


def test_profiles_and_overrides_change_a_limit(tmp_path: Path) -> None:
    aged = policy(tmp_path, **AGE)
    with inventory(key=[key("k", created_on=NOW - 400 * DAY)]) as connection:
        failed = [
            sum(
                judge(connection, [aged], (), Judging(as_of=NOW, profile=profile, overrides=overrides))
                .tallies[0]
                .failed.values()
            )
            for profile, overrides in (
                ("default", {}),
                ("strict", {}),
                ("pci", {}),
                ("default", {"age": {"max_age": "P399D"}}),
                ("strict", {"age": {"max_age": "P400D"}}),
            )
        ]
    assert failed == [0, 1, 0, 1, 0]


@pytest.mark.parametrize(
    ("profile", "overrides", "message"),
    [
        ("strct", {}, "profile strct: no such profile; did you mean strict?"),
        ("default", {"agee": {}}, "parameters of 'agee': no such policy is selected; did you mean age?"),
        (
            "default",
            {"age": {"max_aeg": "P1D"}},
            "parameter max_aeg of age: no such parameter: 'max_aeg'; did you mean max_age?",
        ),
        (
            "default",
            {"age": {"max_age": "1 year"}},
            "parameter max_age of age: max_age: '1 year' is not a duration; write whole",
        ),
        ("default", {"age": {"max_age": "[a]"}}, "parameter max_age of age: max_age: a list where a duration belongs"),
        ("default", {"age": {"max_age": "{sign: P1D}"}}, "parameter max_age of age: max_age: map where the policy has one"),
        ("default", {"age": {"max_age": "&a [*a]"}}, "parameter max_age of age: an anchor (&a)"),
    ],
)
def test_a_profile_or_override_that_cannot_be_is_refused(
    tmp_path: Path, profile: str, overrides: dict[str, dict[str, str]], message: str
) -> None:
    aged = policy(tmp_path, **AGE)
    with inventory() as connection, pytest.raises(UsageError) as caught:
        judge(connection, [aged], (), Judging(as_of=NOW, profile=profile, overrides=overrides))
    assert str(caught.value).startswith(message)


def test_an_override_is_checked_against_the_enumeration_that_it_is_compared_with(tmp_path: Path) -> None:
    curves = policy(tmp_path, violated_when=quoted("kty not in allowed"), parameters="{allowed: [RSA, EC]}")
    with inventory() as connection, pytest.raises(UsageError, match="kty is never 'RSA-HMS'; did you mean RSA-HSM"):
        judge(connection, [curves], (), Judging(as_of=NOW, overrides={"test": {"allowed": "[RSA-HMS]"}}))


def test_an_empty_list_holds_nothing_whatever_is_asked(tmp_path: Path) -> None:
    allowed = policy(tmp_path, violated_when=quoted("kty in allowed"), parameters="{allowed: {type: list, default: []}}")
    with inventory(key=[key("k", kty=None, unknown={"kty": "permission"})]) as connection:
        (tally,) = judge(connection, [allowed], (), JUDGING).tallies
    assert tally.passed == 1
