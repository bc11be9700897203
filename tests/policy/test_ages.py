"""Ages and limits of policies: counted in bins, with one bin that ends at the limit."""

from pathlib import Path

import pytest

from keyaudit.model.results.overview import AgeGroup, Ages
from keyaudit.policy.evaluation.judge import judge
from keyaudit.policy.load import load
from tests.policy.inventory import AGE, DAY, JUDGING, NOW, inventory, key, policy

LIMIT = 730 * DAY
BY_PURPOSE = {**AGE, "violated_when": "created_on is None or now - created_on > max_age[purpose]"}


def ages(tmp_path: Path, rows: list[dict[str, object]], **fields: str | None) -> tuple[Ages, ...]:
    with inventory(key=rows) as connection:
        return judge(connection, [policy(tmp_path, **fields)], (), JUDGING).ages(NOW)


def over(group: AgeGroup) -> int:
    return sum(count for number, count in group.bins.items() if number * group.width >= group.limit)


@pytest.mark.parametrize(("age", "above"), [(0, 0), (LIMIT - 1, 0), (LIMIT, 0), (LIMIT + 1, 1), (90 * LIMIT, 1), (-DAY, 0)])
def test_what_is_in_the_bins_above_the_limit_is_what_fails(tmp_path: Path, age: int, above: int) -> None:
    rows = [key("k", created_on=NOW - age)]
    [found] = ages(tmp_path, rows, **AGE)
    [group] = found.groups
    assert (group.limit, group.limit % group.width, group.kind) == (LIMIT, 0, "")
    assert (sum(group.bins.values()), over(group), group.undated, found.unplaced) == (1, above, 0, 0)


def test_a_row_without_a_date_is_counted_apart_and_one_that_is_none_of_the_policys_is_not(tmp_path: Path) -> None:
    hidden = key("hidden", created_on=None, unknown={"created_on": "throttled"})
    [found] = ages(tmp_path, [key("old", created_on=None), hidden, key("off", enabled=False)], **AGE)
    assert (found.groups[0].bins, found.groups[0].undated) == ({}, 2)


def test_each_entry_of_a_map_of_limits_has_its_own_ages(tmp_path: Path) -> None:
    limits = "{max_age: {sign: P730D, otherwise: P10D}}"
    rows = [
        key("a", purpose="sign", created_on=NOW - 20 * DAY),
        key("b", purpose="wrap", created_on=NOW - 20 * DAY),
        key("c", purpose=None, unknown={"purpose": "permission"}),
    ]
    [found] = ages(tmp_path, rows, **{**BY_PURPOSE, "parameters": limits})
    assert [(group.kind, group.limit // DAY, over(group)) for group in found.groups] == [
        ("purpose sign", 730, 0),
        ("any other purpose", 10, 1),
    ]
    assert found.unplaced == 1


@pytest.mark.parametrize("condition", ["now - created_on > days(30)", "now - updated_on > max_age", "created_on is None"])
def test_a_policy_without_a_limit_of_age_has_none(tmp_path: Path, condition: str) -> None:
    guarded = f"created_on is not None and updated_on is not None and ({condition})"
    spare = "now - expires_on > max_age" if "max_age" not in condition else "enabled"
    fields = {**AGE, "violated_when": guarded, "applies_to": f"enabled and (expires_on is None or not ({spare}))"}
    assert ages(tmp_path, [key("k")], **fields) == ()


def test_a_policy_without_rows_has_none(tmp_path: Path) -> None:
    assert ages(tmp_path, [], **AGE) == ()
    assert ages(tmp_path, [key("off", enabled=False)], **AGE) == ()


def test_shipped_policies_limit_ages() -> None:
    rows = [key("k", purpose="sign", created_on=NOW - 5_000 * DAY)]
    with inventory(key=rows) as connection:
        found = judge(connection, load(), (), JUDGING).ages(NOW)
    assert any(over(group) for each in found for group in each.groups)
