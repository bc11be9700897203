"""Findings in the order of scores: by the upper bound, row by row, over all tables, however they are cut into slices."""

from pathlib import Path

import pytest

from keyaudit.model.findings import Finding
from keyaudit.policy import findings
from keyaudit.policy.judge import judge
from keyaudit.policy.queries import Scoring
from tests.policy.inventory import JUDGING, SUBSCRIPTION, VAULT, gap, inventory, policy, quoted
from tests.policy.test_scores import KEY, QUIET

VAULT_POLICY = {
    "id": "vaults",
    "table": "vault",
    "applies_to": None,
    "violated_when": "purge_protection",
    "message": quoted("{name}"),
    "given": "{purge_protection: false}",
    "examples": """
  - {why: good, expect: pass}
  - {why: bad, expect: fail, purge_protection: true}
  - {why: hidden, expect: unknown, purge_protection: unknown}""",
}


def _key(name: str, version: str = "1", **changes: object) -> dict[str, object]:
    key_id = f"https://kv-a.vault.azure.net/keys/{name}"
    return {
        **KEY,
        "id": f"{key_id}/{version}",
        "key_id": key_id,
        "name": name,
        "scope_id": VAULT.id,
        "managed": False,
        "exportable": True,
        **changes,
    }


ROWS = [
    # 2 x 4 x 4, 2 x 4 x 1 twice, then what may be 5 x 4 x 1 and what surely is.
    _key("old", rotates_on=None),
    _key("b-tie"),
    _key("a-tie"),
    _key("perhaps", user_environments=(1, None), unknown={"user_environments": "permission"}),
    _key("surely", user_environments=(2, 2)),
    # Two versions of one key, far apart.
    _key("versions", "1", purpose="public"),
    _key("versions", "2", rotates_on=None, user_environments=(2, 2)),
]
ORDER = [
    ("versions", "2", 80, 80),
    ("old", "1", 32, 32),
    ("surely", "1", 20, 20),
    ("perhaps", "1", 8, 20),
    ("a-tie", "1", 8, 8),
    ("b-tie", "1", 8, 8),
    ("versions", "1", 4, 4),
]


HELD = {"key": len(ROWS), "vault": 1}


@pytest.mark.parametrize(
    ("size", "sizes"),
    [
        (1, {}),
        (50_000, HELD),
        *(pytest.param(size, {}, marks=pytest.mark.exhaustive) for size in (2, 50_000)),
    ],
)
def test_the_highest_upper_bound_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, sizes: dict[str, int]
) -> None:
    monkeypatch.setattr(findings, "_SLICE", size)
    policies = [policy(tmp_path, message=quoted("{name}")), policy(tmp_path, **VAULT_POLICY)]
    vault = {**QUIET, "name": "kv-a", "scope_id": SUBSCRIPTION.id, "purge_protection": True}
    coverage = [gap(SUBSCRIPTION, "subscription.list")]

    def judged(scoring: Scoring) -> tuple[list[Finding], list[Finding]]:
        """The findings, asked for twice."""
        with inventory(key=ROWS, vault=[vault]) as connection:
            judgement = judge(connection, policies, coverage, JUDGING, sizes=sizes, scoring=scoring)
            return [*judgement.findings()], [*judgement.findings()]

    found, again = judged(Scoring.ORDER)
    plain, _ = judged(Scoring.NONE)
    carried, _ = judged(Scoring.CARRIED)
    scored = [each for each in found if each.score is not None]
    shown = [(each.row["name"], str(each.row["id"])[-1], each.score.low, each.score.high) for each in scored if each.score]
    assert shown == ORDER
    # A high finding without a score counts with the least score that is high; what is not evaluated comes last.
    assert [each.policy.id for each in found].index("vaults") == sum(high >= 40 for *_, high in shown) == 1
    assert [each.scope is not None for each in found[-2:]] == [True, True]
    assert [each.id for each in found] == [each.id for each in again]
    # In the order of severity scores change nothing.
    assert [(each.id, each.row.get("id")) for each in plain] == [(each.id, each.row.get("id")) for each in carried]
    assert all(each.score is None for each in plain)
    assert {each.row.get("id"): each.score for each in carried} == {each.row.get("id"): each.score for each in found}


def test_passes_have_scores_too(tmp_path: Path) -> None:
    with inventory(key=[_key("good", exportable=False)], vault=[QUIET]) as connection:
        (found,) = judge(connection, [policy(tmp_path)], (), JUDGING, scoring=Scoring.ORDER).findings(True)
    assert found.score is not None
    assert found.score.arithmetic == "2 x 2 x 1 = 4"
