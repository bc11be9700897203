"""A control of a framework counts what it is about: some rows of a policy, or one of the things that it asks of them."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.model.coverage import Scope, ScopeKind
from keyaudit.model.documents.problems import DocumentError
from keyaudit.model.gating.acceptance import Acceptance
from keyaudit.model.gating.waivers import Glob, Waiver
from keyaudit.model.results.findings import ControlCount, Finding, Outcome
from keyaudit.policy.evaluation.judge import judge
from keyaudit.policy.load import Policy
from tests.policy.inventory import DAY, JUDGING, NOW, OTHER_VAULT, gap, inventory, key, policy, quoted

SPLIT = """
  cis:
    - {id: "1", where: vault_access_model == "rbac"}
    - {id: "2", where: vault_access_model == "access-policy"}
    - "3"
"""
HSM = Scope("/subscriptions/1/managedhsms/h", "h", ScopeKind.MANAGED_HSM)


def split(folder: Path, **fields: str) -> Policy:
    """A policy that three controls map to, the first two by the permission model of the vault."""
    return policy(folder, frameworks=SPLIT, **fields)


def rbac(name: str, **columns: Any) -> dict[str, Any]:
    return key(name, vault_access_model="rbac", **columns)


def legacy(name: str, **columns: Any) -> dict[str, Any]:
    return key(name, vault_access_model="access-policy", **columns)


def test_rows_are_counted_where_the_control_is_about_them(tmp_path: Path) -> None:
    rows = [
        rbac("good"),
        rbac("bad", exportable=True),
        rbac("off", enabled=False),
        legacy("bad-too", exportable=True),
        key("hsm", vault_access_model="hsm-local", exportable=True),
    ]
    with inventory(key=rows) as connection:
        (tally,) = judge(connection, [split(tmp_path)], (), JUDGING).tallies
    assert tally.of_control("cis", "1") == ControlCount(passed=1, failed=1, not_applicable=3)
    assert tally.of_control("cis", "2") == ControlCount(failed=1, not_applicable=4)
    assert tally.of_control("cis", "3") == ControlCount(passed=1, failed=3, not_applicable=1)


@pytest.mark.parametrize("exportable", [True, False])
def test_a_row_of_which_nobody_knows_whether_it_belongs_to_the_control_is_unknown_there(
    tmp_path: Path, exportable: bool
) -> None:
    row = key("k", exportable=exportable, vault_access_model=None, unknown={"vault_access_model": "permission"})
    with inventory(key=[row]) as connection:
        (tally,) = judge(connection, [split(tmp_path)], (), JUDGING).tallies
    assert tally.of_control("cis", "1") == tally.of_control("cis", "2") == ControlCount(unknown=1)
    assert tally.of_control("cis", "3").unknown == 0


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"key_size": 2_048}, ControlCount(unknown=1)),
        ({"key_size": None, "unknown": {"key_size": "permission"}}, ControlCount(unknown=1)),
        ({"key_size": 4_096}, ControlCount(not_applicable=1)),
        ({"key_size": 2_048, "vault_access_model": "access-policy"}, ControlCount(not_applicable=1)),
    ],
)
def test_a_control_that_asks_for_more_is_unknown_for_a_row_that_the_policy_may_not_apply_to(
    tmp_path: Path, columns: dict[str, Any], expected: ControlCount
) -> None:
    stricter = policy(
        tmp_path,
        frameworks="""
  cis:
    - {id: more, where: vault_access_model == "rbac", violated_when: key_size is not None and key_size < 3072}
    - same
""",
    )
    reasons = {"enabled": "permission", **columns.get("unknown", {})}
    row = key("k", **({"vault_access_model": "rbac", "enabled": None} | columns | {"unknown": reasons}))
    with inventory(key=[row]) as connection:
        (tally,) = judge(connection, [stricter], (), JUDGING).tallies
    assert tally.of_control("cis", "more") == expected
    assert tally.of_control("cis", "same") == ControlCount(not_applicable=1)


def test_a_control_may_ask_for_one_thing_of_several_or_for_more_than_the_policy(tmp_path: Path) -> None:
    several = policy(
        tmp_path,
        violated_when=quoted("exportable or (key_size is not None and key_size < 2048)"),
        frameworks="""
  cis:
    - {id: size, violated_when: key_size is not None and key_size < 2048}
    - {id: more, violated_when: key_size is not None and key_size < 3072}
""",
    )
    rows = [
        key("small", key_size=1_024),
        key("exportable", exportable=True, key_size=4_096),
        key("usual"),
        key("unread", exportable=True, key_size=None, unknown={"key_size": "permission"}),
        key("in-doubt", exportable=None, unknown={"exportable": "permission"}),
    ]
    with inventory(key=rows) as connection:
        judgement = judge(connection, [several], (), JUDGING)
        (tally,) = judgement.tallies
        found = {finding.row["name"]: finding for finding in judgement.findings(passes=True)}
    assert tally.of_control("cis", "size") == ControlCount(failed=1, passed=3, unknown=1)
    assert tally.of_control("cis", "more") == ControlCount(failed=3, passed=1, unknown=1)
    assert found["exportable"].frameworks == {}
    # The policy lets it pass, and one of the controls does not.
    assert found["usual"].frameworks == {"cis": ("size",)}
    assert found["small"].frameworks == {"cis": ("size", "more")}


def test_a_finding_names_the_controls_that_it_counts_for(tmp_path: Path) -> None:
    with inventory(key=[rbac("a", exportable=True), legacy("b", exportable=True)]) as connection:
        first, second = judge(connection, [split(tmp_path)], (), JUDGING).findings()
    assert (first.frameworks, second.frameworks) == ({"cis": ("1", "3")}, {"cis": ("2", "3")})
    assert first.policy.frameworks == {"cis": ("1", "2", "3")}
    assert replace(first, policy=replace(first.policy, frameworks={})).frameworks == {}


def test_a_waiver_excuses_in_the_controls_of_the_row_alone(tmp_path: Path) -> None:
    waiver = Waiver(
        id="W-1", policy=Glob("test"), resource=Glob("*/a/*"), reason="r", owner="o", approved_by="p", ends=NOW + DAY
    )
    with inventory(key=[rbac("a", exportable=True), legacy("b", exportable=True)]) as connection:
        (tally,) = judge(connection, [split(tmp_path)], (), JUDGING, Acceptance(waivers=(waiver,))).tallies
    assert tally.of_control("cis", "1") == ControlCount(excused=1, not_applicable=1)
    assert tally.of_control("cis", "2") == ControlCount(failed=1, not_applicable=1)


def test_keys_of_an_hsm_that_were_not_listed_are_unknown_in_no_control_about_vaults(tmp_path: Path) -> None:
    coverage = [gap(HSM, "hsm.key.list"), gap(OTHER_VAULT, "key.list")]
    with inventory(key=[rbac("good")]) as connection:
        judgement = judge(connection, [split(tmp_path)], coverage, JUDGING)
        (tally,) = judgement.tallies
        of_hsm, of_vault = sorted(judgement.findings(), key=_place)
    assert tally.of_control("cis", "1") == ControlCount(passed=1, unknown=1)
    assert tally.of_control("cis", "3") == ControlCount(passed=1, unknown=2)
    assert (of_hsm.outcome, of_hsm.frameworks) == (Outcome.UNKNOWN, {"cis": ("3",)})
    assert of_vault.frameworks == {"cis": ("1", "2", "3")}


def _place(finding: Finding) -> str:
    return "" if finding.scope is None else finding.scope.name


@pytest.mark.parametrize(
    ("control", "said"),
    [
        ("{id: '1'}", "a control without a condition; write its id alone"),
        ("{where: enabled}", "no id; a control with a condition must have one"),
        ("{id: '1', when: enabled}", "no such field: 'when'"),
        ("{id: '1', where: vault_acces_model == 'x'}", "did you mean vault_access_model?"),
        ("{id: '1', where: vault_access_model == 'rback'}", "vault_access_model is never 'rback'"),
    ],
)
def test_a_mapping_that_is_wrong_is_said_with_its_place(tmp_path: Path, control: str, said: str) -> None:
    with pytest.raises(DocumentError, match=r"test\.yaml:1\d:\d+: ") as caught:
        policy(tmp_path, frameworks=f"{{cis: [{control}]}}")
    assert said in str(caught.value.args[0])
