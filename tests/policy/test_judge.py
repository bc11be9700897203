"""What a judgement says of an inventory: counts, groups, and findings in order."""

import dataclasses
from pathlib import Path

import pytest
from msgspec.structs import replace

from keyaudit.inventory.rows import columns_of, view_types
from keyaudit.model.coverage import Scope, ScopeKind
from keyaudit.model.reasons import Reason
from keyaudit.model.results.expiring import Owner
from keyaudit.model.results.findings import Outcome
from keyaudit.model.severity import Severity
from keyaudit.model.tables import TABLES
from keyaudit.model.values.times import MAX_TIME
from keyaudit.policy.evaluation import findings
from keyaudit.policy.evaluation.binding import bind
from keyaudit.policy.evaluation.judge import columns_judged, judge
from keyaudit.policy.evaluation.queries import selection
from keyaudit.policy.load import load
from tests.policy.inventory import AGE, DAY, JUDGING, NOW, OTHER_VAULT, SUBSCRIPTION, VAULT, gap, inventory, key, policy, quoted


def test_rows_are_counted_by_outcome_and_severity(tmp_path: Path) -> None:
    rows = [
        key("new"),
        key("old", created_on=NOW - 731 * DAY),
        key("old-too", created_on=NOW - 900 * DAY),
        key("hidden", created_on=None, unknown={"created_on": "throttled"}),
        key("off", enabled=False),
    ]
    with inventory(key=rows) as connection:
        (tally,) = judge(connection, [policy(tmp_path, **AGE)], (), JUDGING).tallies
    assert (tally.passed, tally.failed, tally.unknown) == (1, {Severity.HIGH: 2}, {Severity.HIGH: 1})
    assert (tally.not_applicable, tally.rows) == (1, 4)


def test_a_finding_carries_row_evidence_limit_and_remedy(tmp_path: Path) -> None:
    aged = policy(tmp_path, **AGE, fix="{cli: 'az keyvault key rotate --vault-name {vault_name} --name {name}'}")
    with inventory(key=[key("it's", created_on=NOW - 731 * DAY, superseded_enabled=(2, None))]) as connection:
        (finding,) = judge(connection, [aged], (), JUDGING).findings()
    assert finding.outcome is Outcome.FAIL
    assert finding.message == "it's was created 2024-11-23; the limit is 730 days"
    assert finding.expected == "max_age 730 days"
    assert finding.subject == "https://kv-a.vault.azure.net/keys/it's"
    assert finding.evidence == {"enabled": True, "is_current": True, "created_on": NOW - 731 * DAY}
    assert finding.row["source_version"] == "7.6"
    assert finding.row["superseded_enabled"] == (2, None)
    assert finding.fix == {"cli": 'az keyvault key rotate --vault-name kv-a --name "it\'s"'}


@pytest.mark.parametrize("size", [None, 2])
def test_each_finding_comes_with_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int | None) -> None:
    """However many rows are read at once, and without a row nobody can tell."""
    monkeypatch.setattr(findings, "_SLICE", 1)
    rows = [
        key("own", exportable=True, tags={"owner": "a"}),
        key("vaults", exportable=True),
        key("unread", exportable=True, tags=None, unknown={"tags": "throttled"}),
    ]
    vaults = [{"id": VAULT.id, "name": "kv-a", "scope_id": SUBSCRIPTION.id, "tags": {"owner": "b"}}]
    sizes = {} if size is None else {"key": size}
    with inventory(key=rows, vault=vaults) as connection:
        judgement = judge(connection, [policy(tmp_path)], [gap(OTHER_VAULT, "key.list")], JUDGING, sizes=sizes)
        pairs, found = list(judgement.owned()), list(judgement.findings())
    assert [finding.id for _, finding in pairs] == [finding.id for finding in found]
    assert [(finding.row.get("name"), owner) for owner, finding in pairs] == [
        (None, Owner((), "", Reason.PARENT_NOT_ASSESSED)),
        ("own", Owner(("a",), "tag owner", None)),
        ("unread", Owner((), "", Reason.THROTTLED)),
        ("vaults", Owner(("b",), "tag owner of the vault", None)),
    ]


def test_findings_that_are_only_listed_have_the_columns_that_are_shown(tmp_path: Path) -> None:
    aged = policy(tmp_path, **AGE, fix="{cli: 'az keyvault key rotate --vault-name {vault_name} --name {name}'}")
    rows = [key("old", created_on=NOW - 731 * DAY, tags={"owner": "a"}), key("odd", purpose=None, unknown={"purpose": "dns"})]
    with inventory(key=rows) as connection:
        ((whole_owner, whole),) = judge(connection, [aged], (), JUDGING).owned()
        ((owner, shown),) = judge(connection, [aged], (), JUDGING, shown={"key": ["kty"]}).owned()
    assert (owner, shown.message) == (whole_owner, whole.message)
    columns = ("id", "name", "key_id", "created_on", "kty")
    assert shown.row == {**{name: whole.row[name] for name in columns}, "unknown": {}}
    assert (shown.evidence, shown.expected, shown.fix) == ({}, "", {})


def test_a_severity_that_rests_on_what_was_not_read_says_so(tmp_path: Path) -> None:
    graded = policy(
        tmp_path,
        severity="low",
        severity_when="[{high: \"purpose == 'sign'\"}, {critical: managed}]",
        violated_when="exportable",
    )
    hidden = {"purpose": "permission"}
    rows = [
        key("sure", exportable=True, purpose="wrap"),
        key("first", exportable=True, purpose=None, unknown=hidden),
        key("second", exportable=True, purpose="wrap", managed=None, unknown={"managed": "throttled", "tags": "dns"}),
        key("settled", exportable=True, purpose="sign", managed=None, unknown={"managed": "throttled"}),
        key("passes", purpose=None, unknown=hidden),
    ]
    with inventory(key=rows) as connection:
        found = {each.row["name"]: each for each in judge(connection, [graded], (), JUDGING).findings(passes=True)}
    assert {name: each.severity for name, each in found.items()} == {
        "sure": Severity.LOW,
        "first": Severity.HIGH,
        "second": Severity.CRITICAL,
        "settled": Severity.HIGH,
        "passes": Severity.LOW,
    }
    said = {name: each.message.partition("; ")[2] for name, each in found.items()}
    assert said == {
        "sure": "",
        "first": "severity low or high, depending on unknown values:  purpose (the identity may not read it)",
        "second": "severity low or critical, depending on unknown values:  managed (throttled until the end)",
        "settled": "",
        "passes": "",
    }


def test_absence_has_its_own_text_and_a_name_from_the_tenant_is_made_safe(tmp_path: Path) -> None:
    hostile = key("a\x1b[2J\n##vso[task]", created_on=None)
    with inventory(key=[hostile]) as connection:
        (finding,) = judge(connection, [policy(tmp_path, **AGE)], (), JUDGING).findings()
    assert finding.message == r"a\x1b[2J\x0a#\#vso[task] was created on an unrecorded day; the limit is 730 days"


def test_the_first_message_whose_condition_holds_is_shown_and_one_that_is_unknown_is_passed_over(tmp_path: Path) -> None:
    arms = """
  - {when: created_on is None, message: "no date"}
  - {when: now - created_on > days(1000), message: "{since(created_on)} old, very old"}"""
    aged = policy(tmp_path, message_when=arms, message=quoted("{since(created_on)} old"))
    rows = [
        key("1", exportable=True, created_on=None),
        key("2", exportable=True, created_on=NOW - 2_000 * DAY),
        key("3", exportable=True, created_on=NOW - 10 * DAY),
        key("4", exportable=True, created_on=None, unknown={"created_on": "permission"}),
    ]
    with inventory(key=rows) as connection:
        found = {str(f.row["name"]): f.message for f in judge(connection, [aged], (), JUDGING).findings()}
    assert found == {"1": "no date", "2": "2,000 days old, very old", "3": "10 days old", "4": "unknown old"}


def test_a_case_with_a_command_of_its_own_is_told_the_text_of_the_others_and_not_their_commands(tmp_path: Path) -> None:
    arms = """
  - {when: created_on is None, message: "no date", fix: {cli: "az keyvault key create --id {key_id}"}}
  - {when: now - created_on > days(1000), message: "very old"}"""
    aged = policy(tmp_path, message_when=arms, message=quoted("old"))
    rows = [key("1", exportable=True, created_on=None), key("2", exportable=True, created_on=NOW - 2_000 * DAY)]
    with inventory(key=rows) as connection:
        found = {str(f.row["name"]): f for f in judge(connection, [aged], (), JUDGING).findings()}
    text = found["2"].fix["text"]
    assert found["1"].fix == {"cli": f"az keyvault key create --id {found['1'].row['key_id']}", "text": text}
    assert found["2"].fix.keys() == aged.fix.keys()


def test_the_first_fix_whose_condition_holds_goes_with_any_message_that_has_none_of_its_own(tmp_path: Path) -> None:
    arms = """
  - {when: created_on is None, message: "no date"}
  - {when: now - created_on > days(1000), message: "very old", fix: {cli: "az own"}}"""
    fixes = """
  - {when: kty == "EC", fix: {cli: "az curve"}}
  - {when: kty != "RSA", fix: {cli: "az other"}}"""
    aged = policy(tmp_path, message_when=arms, message=quoted("old"), fix_when=fixes)
    rows = [
        key("no date, a curve", exportable=True, created_on=None, kty="EC"),
        key("no date, RSA", exportable=True, created_on=None, kty="RSA"),
        key("very old, a curve", exportable=True, created_on=NOW - 2_000 * DAY, kty="EC"),
        key("old, a curve", exportable=True, created_on=NOW - 10 * DAY, kty="EC"),
        key("old, in an HSM", exportable=True, created_on=NOW - 10 * DAY, kty="EC-HSM"),
        key("old, unknown", exportable=True, created_on=NOW - 10 * DAY, kty=None, unknown={"kty": "permission"}),
    ]
    with inventory(key=rows) as connection:
        found = {str(f.row["name"]): f for f in judge(connection, [aged], (), JUDGING).findings()}
    assert {name: (each.message, each.fix.get("cli")) for name, each in found.items()} == {
        "no date, a curve": ("no date", "az curve"),
        "no date, RSA": ("no date", None),
        "very old, a curve": ("very old", "az own"),
        "old, a curve": ("old", "az curve"),
        "old, in an HSM": ("old", "az other"),
        "old, unknown": ("old", None),
    }
    assert len({each.fix["text"] for each in found.values()}) == 1


def test_steps_are_filled_in_and_a_fix_with_a_condition_replaces_the_command_that_takes_away(tmp_path: Path) -> None:
    steps = """
  steps:
    - {text: "Replace {name}.", cli: "az keyvault key rotate --id {key_id}"}
    - use: disable-key-version
      cli: az keyvault key set-attributes --name {name} --enabled false
      before: Nobody uses {name}."""
    fixes = """
  - {when: kty == "EC", fix: {text: "Ask first.", cli: "az keyvault key delete --name {name}"}}
  - {when: kty == "OKP-HSM", fix: {text: "Nothing to do."}}
  - {when: kty == "EC-HSM", fix: {cli: "az keyvault key create"}}"""
    aged = policy(tmp_path, message=quoted("old"), fix=steps, fix_when=fixes)
    rows = [
        key(name, exportable=True, kty=kty)
        for name, kty in (("it's", "RSA"), ("curve", "EC"), ("other", "OKP-HSM"), ("hsm", "EC-HSM"))
    ]
    with inventory(key=rows) as connection:
        found = {str(f.row["name"]): f for f in judge(connection, [aged], (), JUDGING).findings()}
    rsa, curve, other, hsm = (found[name] for name in ("it's", "curve", "other", "hsm"))
    first, last = rsa.steps
    assert first == {"text": "Replace it's.", "cli": f'az keyvault key rotate --id "{rsa.row["key_id"]}"'}
    assert list(last) == ["text", "breaks", "before", "cli", "check", "back"]
    assert last["cli"] == 'az keyvault key set-attributes --name "it\'s" --enabled false'
    assert (last["text"], last["before"]) == ("Disable the version.", "Nobody uses it's.")
    assert rsa.fix["cli"] == first["cli"]
    assert rsa.fix["text"].startswith("1. Replace it's. 2. Disable the version. Breaks: Every operation with it")
    assert rsa.fix["text"].endswith(" Before: Nobody uses it's.")
    assert [step.get("cli") for step in curve.steps] == [
        f"az keyvault key rotate --id {curve.row['key_id']}",
        "az keyvault key delete --name curve",
    ]
    assert (curve.steps[0]["text"], curve.steps[1]["before"]) == ("Ask first.", "Nobody uses curve.")
    assert (other.fix, other.steps) == ({"text": "Nothing to do."}, ())
    assert [step.get("cli") for step in hsm.steps] == [
        "az keyvault key create",
        "az keyvault key set-attributes --name hsm --enabled false",
    ]
    assert rsa.reworded is not None
    assert rsa.reworded({**rsa.row, "name": "k-1"})[2][0]["text"] == "Replace k-1."


def test_an_unknown_never_uses_the_policys_message(tmp_path: Path) -> None:
    row = key(
        "k", created_on=None, is_current=None, unknown={"created_on": "permission", "is_current": "throttled", "tags": "dns"}
    )
    with inventory(key=[row]) as connection:
        judgement = judge(connection, [policy(tmp_path, **AGE)], (), JUDGING)
        (finding,) = judgement.findings()
    assert finding.outcome is Outcome.UNKNOWN
    assert finding.message == "unknown: is current (throttled until the end); created on (the identity may not read it)"
    assert finding.unknown == {"is_current": Reason.THROTTLED, "created_on": Reason.PERMISSION}
    assert finding.evidence == {"enabled": True}
    lacking = dict.fromkeys(TABLES["key"].lacking(()), "not_supplied")
    assert finding.row["unknown"] == {"created_on": "permission", "is_current": "throttled", "tags": "dns", **lacking}
    (group,) = judgement.groups
    assert group.causes == {"is_current": Reason.THROTTLED, "created_on": Reason.PERMISSION}
    assert (group.scope_id, group.severity, group.count) == (VAULT.id, Severity.HIGH, 1)


def test_a_cause_is_a_column_of_the_condition_that_was_unknown(tmp_path: Path) -> None:
    # It applies for sure, so that what is unknown of applies_to's columns made nothing unknown.
    either = policy(tmp_path, applies_to=quoted("enabled or managed"), violated_when="exportable")
    row = key("k", managed=None, exportable=None, unknown={"managed": "dns", "exportable": "permission"})
    with inventory(key=[row]) as connection:
        (group,) = judge(connection, [either], (), JUDGING).groups
    assert group.causes == {"exportable": Reason.PERMISSION}


def test_a_policy_that_may_not_apply_is_unknown_by_what_says_whether_it_does(tmp_path: Path) -> None:
    row = key("k", exportable=True, enabled=None, unknown={"enabled": "permission", "tags": "dns"})
    with inventory(key=[row]) as connection:
        judgement = judge(connection, [policy(tmp_path)], (), JUDGING)
        (finding,) = judgement.findings()
    assert judgement.groups[0].causes == {"enabled": Reason.PERMISSION}
    assert finding.message == "unknown: enabled (the identity may not read it)"


def test_a_policy_that_may_not_apply_to_a_row_without_the_violation_does_not_count_as_a_pass(tmp_path: Path) -> None:
    # Whether it applies or not, nothing fails, so there is nothing to find out. Nor was it shown that the policy applies.
    row = key("k", enabled=None, unknown={"enabled": "permission"})
    with inventory(key=[row]) as connection:
        judgement = judge(connection, [policy(tmp_path)], (), JUDGING)
        assert list(judgement.findings()) == []
    (tally,) = judgement.tallies
    assert (tally.passed, tally.not_applicable, tally.unknown) == (0, 1, {})


def test_a_policy_that_may_not_apply_is_unknown_if_the_violation_is(tmp_path: Path) -> None:
    reasons = {"enabled": "permission", "exportable": "throttled"}
    row = key("k", enabled=None, exportable=None, unknown=reasons)
    with inventory(key=[row]) as connection:
        (finding,) = judge(connection, [policy(tmp_path)], (), JUDGING).findings()
    assert finding.outcome is Outcome.UNKNOWN
    assert finding.unknown == reasons


def test_a_certain_fail_says_unknown_for_what_it_names_and_does_not_know(tmp_path: Path) -> None:
    named = policy(
        tmp_path, message=quoted("{name}, made {created_on:long ago}"), fix="{cli: 'x {created_on:0}', text: '{created_on:0}'}"
    )
    row = key("k", exportable=True, created_on=None, unknown={"created_on": "permission"})
    with inventory(key=[row]) as connection:
        (finding,) = judge(connection, [named], (), JUDGING).findings()
    assert finding.message == "k, made unknown"
    assert finding.fix == {"cli": "x unknown", "text": "unknown"}
    assert finding.outcome is Outcome.FAIL


@pytest.mark.parametrize("sizes", [{}, {"key": 2}])
def test_a_value_beside_its_reason_for_being_unknown_is_not_read(tmp_path: Path, sizes: dict[str, int]) -> None:
    """Be the table small, so that it is asked beforehand what is unknown in it, or not."""
    rows = [key("k", exportable=False, unknown={"exportable": "permission"}), key("l", exportable=False)]
    with inventory(key=rows) as connection:
        (tally,) = judge(connection, [policy(tmp_path)], (), JUDGING, sizes=sizes).tallies
    assert (tally.passed, tally.unknown) == (1, {Severity.HIGH: 1})


@pytest.mark.parametrize("sizes", [{}, {"key": 3}])
def test_an_absent_value_is_told_from_an_unknown_one_in_tables_of_any_size(tmp_path: Path, sizes: dict[str, int]) -> None:
    rows = [
        key("k", expires_on=None),
        key("l", expires_on=None, unknown={"expires_on": "throttled"}),
        key("m", expires_on=NOW),
    ]
    endless = policy(tmp_path, violated_when="expires_on is None")
    with inventory(key=rows) as connection:
        (tally,) = judge(connection, [endless], (), JUDGING, sizes=sizes).tallies
    assert (tally.passed, tally.failed, tally.unknown) == (1, {Severity.HIGH: 1}, {Severity.HIGH: 1})


def test_a_condition_of_several_policies_is_written_once(tmp_path: Path) -> None:
    """The planning effort of a query is measured by the number of its expressions."""
    first = policy(tmp_path, id="first", violated_when=quoted("kty == 'RSA' and exportable"))
    second = policy(tmp_path, id="second", violated_when=quoted("kty == 'RSA' and expires_on is None"))
    with inventory(key=[key("k", kty="RSA", exportable=True, expires_on=NOW)]) as connection:
        judgement = judge(connection, [first, second], (), JUDGING)
        assert [sum(tally.failed.values()) for tally in judgement.tallies] == [1, 0]
    written = selection(bind([first, second], "default", {}), "key", NOW)
    assert written.count("'RSA'") == 1


def test_null_that_nothing_explains_is_unknown_too(tmp_path: Path) -> None:
    with inventory(key=[key("k", exportable=None, unknown=None)]) as connection:
        judgement = judge(connection, [policy(tmp_path)], (), JUDGING)
        (finding,) = judgement.findings()
    assert finding.outcome is Outcome.UNKNOWN
    assert finding.message == "unknown: a value is missing for an unrecorded reason"
    assert judgement.groups[0].causes == {}


@pytest.mark.parametrize("pairs", [1, 3, 4, 6])
def test_sums_of_dates_at_their_bound_are_as_they_would_be_on_paper(tmp_path: Path, pairs: int) -> None:
    lives = " + ".join(["(expires_on - activates_on)"] * pairs)
    asked = quoted(f"expires_on is not None and activates_on is not None and {lives} > max_age")
    limited = policy(
        tmp_path,
        violated_when=asked,
        parameters="{max_age: {default: P730D}}",
        message=quoted("longer than {max_age}"),
    )
    rows = [
        key("for-ever", activates_on=-MAX_TIME, expires_on=MAX_TIME),
        key("never", activates_on=MAX_TIME, expires_on=-MAX_TIME),
        key("year", activates_on=NOW - 366 * DAY, expires_on=NOW),
    ]
    with inventory(key=rows) as connection:
        found = {str(f.row["name"]) for f in judge(connection, [limited], (), JUDGING).findings()}
    assert found == {"for-ever", *(["year"] if pairs > 1 else [])}


@pytest.mark.parametrize("function", ["overlaps", "covers"])
@pytest.mark.parametrize("items", [0, 1, 2, 20])
def test_lists_are_compared_alike_however_many_items_are_written_out(tmp_path: Path, function: str, items: int) -> None:
    """Few items are looked for one by one, many all at once."""
    wanted = [f"op-{number}" for number in range(items)]
    asked = policy(
        tmp_path, violated_when=quoted(f"{function}(signer_environments, [{', '.join(map(repr, wanted))}])".replace("'", '"'))
    )
    held = {"all": wanted, "more": ["other", *wanted], "first": wanted[:1], "none": ["other"], "empty": []}
    rows = [key(name, signer_environments=ops) for name, ops in held.items()]
    rows.append(key("hidden", signer_environments=None, unknown={"signer_environments": "permission"}))
    judgment = any if function == "overlaps" else all
    with inventory(key=rows) as connection:
        judgement = judge(connection, [asked], (), JUDGING)
        found = {str(finding.row["name"]): finding.outcome for finding in judgement.findings(passes=True)}
    expected = {name: Outcome.FAIL if judgment(item in ops for item in wanted) else Outcome.PASS for name, ops in held.items()}
    hidden = Outcome.UNKNOWN if items else {"overlaps": Outcome.PASS, "covers": Outcome.FAIL}[function]
    assert found == {**expected, "hidden": hidden}


def test_a_reason_of_a_later_version_is_unrecognised(tmp_path: Path) -> None:
    with inventory(key=[key("k", exportable=None, unknown={"exportable": "moon_phase"})]) as connection:
        judgement = judge(connection, [policy(tmp_path)], (), JUDGING)
        (finding,) = judgement.findings()
    assert finding.unknown == {"exportable": Reason.UNRECOGNISED}
    assert judgement.groups[0].causes == {"exportable": Reason.UNRECOGNISED}


@pytest.mark.parametrize(
    ("bounds", "outcome"),
    [
        ((3, 3), Outcome.FAIL),
        ((3, None), Outcome.FAIL),
        ((2, 2), Outcome.PASS),
        ((0, 2), Outcome.PASS),
        ((2, 3), Outcome.UNKNOWN),
        ((0, None), Outcome.UNKNOWN),
        ((None, None), Outcome.UNKNOWN),
    ],
)
def test_a_count_is_certain_where_a_bound_decides(
    tmp_path: Path, bounds: tuple[int | None, int | None], outcome: Outcome
) -> None:
    many = policy(tmp_path, violated_when=quoted("superseded_enabled > 2"), message=quoted("{superseded_enabled} left"))
    row = key("k", superseded_enabled=bounds, unknown={} if bounds[0] == bounds[1] else {"superseded_enabled": "truncated"})
    with inventory(key=[row]) as connection:
        (finding,) = judge(connection, [many], (), JUDGING).findings(passes=True)
    assert finding.outcome is outcome
    if bounds == (3, None):
        assert finding.message == "at least 3 left"
        assert finding.evidence["superseded_enabled"] == (3, None)
        assert finding.unknown == {"superseded_enabled": Reason.TRUNCATED}


def test_the_first_severity_that_holds_wins_and_an_unknown_one_stays_in_play(tmp_path: Path) -> None:
    graded = policy(
        tmp_path,
        severity="medium",
        violated_when=quoted("kty == 'RSA'"),
        severity_when="""[{critical: "'export' in key_ops"}, {low: exportable}, {high: managed}]""",
    )
    rows = {
        "critical": key("1", key_ops=["export"], exportable=True),
        "low": key("2", exportable=True, managed=True),
        "high": key("3", managed=True),
        "medium": key("4"),
        "critical in play": key("5", exportable=True, key_ops=None, unknown={"key_ops": "permission"}),
        "medium over low": key("6", exportable=None, unknown={"exportable": "permission"}),
    }
    with inventory(key=list(rows.values())) as connection:
        every = {str(f.row["name"]): f for f in judge(connection, [graded], (), JUDGING).findings()}
        judged = {name: f.judged() for name, f in every.items() if f.judged}
        rules = {name: [(each.word, each.condition, each.certain) for each in found.weakness] for name, found in judged.items()}
    found = {name: f.severity for name, f in every.items()}
    assert found == {"1": "critical", "2": "low", "3": "high", "4": "medium", "5": "critical", "6": "medium"}
    export = "'export' in key_ops"
    assert rules == {
        "1": [("critical", export, True)],
        "2": [("low", "exportable", True)],
        "3": [("high", "managed", True)],
        "4": [("medium", "", True)],
        "5": [("critical", export, False), ("low", "exportable", True)],
        "6": [("low", "exportable", False), ("medium", "", False)],
    }
    assert judged["4"].columns == ("key_ops", "exportable", "managed")


def test_findings_come_by_the_gravest_of_each_key_then_by_name(tmp_path: Path) -> None:
    policies = [
        policy(tmp_path, id="a-low", severity="low", violated_when=quoted("kty == 'RSA'")),
        policy(tmp_path, id="b-high", violated_when="exportable"),
        policy(tmp_path, id="c-low", severity="low", table="vault", applies_to=None, violated_when=quoted("sku == 'standard'"),
               given="{sku: premium}", examples="[{why: w, expect: pass}]", message=quoted("{name}")),
    ]  # fmt: skip
    vault = {"id": VAULT.id, "name": "kv-a", "scope_id": SUBSCRIPTION.id, "sku": "standard", "resource_id": VAULT.id}
    rows = [
        key("zulu", "1", is_current=False),
        key("zulu", "2", exportable=True),
        key("alpha"),
        key("alpha", vault=OTHER_VAULT),
        key("mike", "2"),
        key("mike", "1"),
    ]
    with inventory(key=rows, vault=[vault]) as connection:
        judgement = judge(connection, policies, (), JUDGING)
        found = [(finding.policy.id, str(finding.row["id"])) for finding in judgement.findings()]
        again = [(finding.policy.id, str(finding.row["id"])) for finding in judgement.findings()]
    short = [(policy_id, row_id.removeprefix("https://").replace(".vault.azure.net/keys", "")) for policy_id, row_id in found]
    assert short == [
        ("b-high", "kv-a/zulu/2"),
        ("a-low", "kv-a/zulu/1"),
        ("a-low", "kv-a/zulu/2"),
        ("a-low", "kv-a/alpha/1"),
        ("a-low", "kv-b/alpha/1"),
        ("c-low", VAULT.id),
        ("a-low", "kv-a/mike/1"),
        ("a-low", "kv-a/mike/2"),
    ]
    assert again == found


def test_two_readers_of_the_findings_do_not_disturb_each_other(tmp_path: Path) -> None:
    rows = [key(f"k{number:04}", exportable=True) for number in range(50)]
    with inventory(key=rows) as connection:
        judgement = judge(connection, [policy(tmp_path)], (), JUDGING)
        first, second = judgement.findings(), judgement.findings()
        pairs = [(a.subject, b.subject) for a, b in zip(first, second, strict=True)]
        connection.execute("SELECT 1")
    assert len(pairs) == 50
    assert all(a == b for a, b in pairs)


def test_passes_are_streamed_when_asked_for_behind_what_is_not(tmp_path: Path) -> None:
    with inventory(key=[key("good"), key("off", enabled=False), key("zbad", exportable=True)]) as connection:
        judgement = judge(connection, [policy(tmp_path)], (), JUDGING)
        assert [finding.outcome for finding in judgement.findings()] == [Outcome.FAIL]
        every = list(judgement.findings(passes=True))
    assert [(finding.row["name"], finding.outcome) for finding in every] == [("zbad", Outcome.FAIL), ("good", Outcome.PASS)]
    assert every[1].message == "A key is good"
    assert every[1].severity is Severity.HIGH


def test_operations_are_required_through_what_columns_are_derived_from(tmp_path: Path) -> None:
    with inventory() as connection:
        judgement = judge(connection, [policy(tmp_path), policy(tmp_path, **AGE)], (), JUDGING)
    assert set(judgement.needed_by) == {
        "subscription.list", "vault.query", "vault.list", "key.list", "key.versions", "key.get",
        "hsm.query", "hsm.list", "hsm.key.list", "hsm.key.versions", "hsm.key.get",
    }  # fmt: skip
    assert judgement.needed_by["key.get"] == ("age", "test")


def test_a_policy_whose_evidence_nobody_supplied_is_not_judged(tmp_path: Path) -> None:
    needy = policy(tmp_path, needs="[logs]")
    with inventory(key=[key("k", exportable=True)]) as connection:
        judgement = judge(connection, [needy], [gap(OTHER_VAULT, "key.list")], JUDGING)
        assert list(judgement.findings(passes=True)) == []
    assert judgement.tallies == ()
    assert judgement.needed_by == {}
    assert [(each.policy.id, each.needs) for each in judgement.not_judged] == [("test", ("logs",))]


def test_a_policy_whose_required_evidence_nobody_supplied_is_unknown_on_the_tenant(tmp_path: Path) -> None:
    needy = policy(tmp_path, needs="[logs]")
    tenant = Scope("/tenants/t", "contoso", ScopeKind.TENANT)
    with inventory(key=[key("k", exportable=True)]) as connection:
        judgement = judge(connection, [needy], (), replace(JUDGING, require=("logs",)), tenant=tenant)
        (finding,) = judgement.findings(passes=True)
    assert (finding.outcome, finding.scope) == ("unknown", tenant)
    assert [(group.scope_id, group.reasons, group.count) for group in judgement.groups] == [
        (tenant.id, (Reason.NOT_SUPPLIED,), 1)
    ]


def test_a_policy_is_judged_once_all_its_evidence_is_supplied(tmp_path: Path) -> None:
    needy = policy(tmp_path, needs="[logs, custody]")
    with inventory(key=[key("k", exportable=True)]) as connection:
        half = judge(connection, [needy], [], JUDGING, supplied=["logs"])
        whole = judge(connection, [needy], [], JUDGING, supplied=["custody", "logs"])
        assert [finding.outcome for finding in whole.findings()] == ["fail"]
    # Only what is still missing is asked for.
    assert ([each.needs for each in half.not_judged], half.tallies) == ([("custody",)], ())
    assert whole.not_judged == ()


def test_tags_are_absent_one_by_one_and_unknown_together(tmp_path: Path) -> None:
    owned = policy(
        tmp_path, violated_when=quoted("tags['owner'] is None or tags['owner'] == ''"), message=quoted("{tags:none}")
    )
    rows = [
        key("1", tags={"owner": "team"}),
        key("2", tags={"env": "prod", "app": "x"}),
        key("3", tags=None),
        key("4", tags={"owner": ""}),
        key("5", tags=None, unknown={"tags": "bad_value"}),
    ]
    with inventory(key=rows) as connection:
        found = {str(f.row["name"]): f.message for f in judge(connection, [owned], (), JUDGING).findings()}
    assert found == {
        "2": "app=x, env=prod",
        "3": "none",
        "4": "owner=",
        "5": "unknown: tags (Azure returned an invalid value)",
    }


def test_more_findings_than_a_slice_come_in_one_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [key(f"k{number % 40:02}", f"{number // 40}", exportable=number % 3 == 0) for number in range(120)]
    with inventory(key=rows) as connection:
        judgement = judge(connection, [policy(tmp_path)], (), JUDGING)
        whole = [finding.row["id"] for finding in judgement.findings(passes=True)]
        monkeypatch.setattr("keyaudit.policy.evaluation.findings._SLICE", 7)
        assert [finding.row["id"] for finding in judgement.findings(passes=True)] == whole
    with inventory(key=rows) as connection:
        few = judge(connection, [policy(tmp_path)], (), JUDGING, sizes={"key": len(rows)})
        assert [finding.row["id"] for finding in few.findings(passes=True)] == whole
    assert len(whole) == 120


def test_every_shipped_policy_judges_an_empty_inventory() -> None:
    with inventory() as connection:
        judgement = judge(connection, load(), (), JUDGING)
        assert list(judgement.findings(passes=True)) == []
    assert all(tally.rows == 0 for tally in judgement.tallies)


def test_each_shipped_policy_alone_needs_no_other_columns_than_it_says() -> None:
    """The view of its table has no other derived columns when it is the only one that a command selects."""
    with inventory() as connection:
        for each in load():
            columns = columns_judged([each], ())
            kept = [column for column in each.table.columns if not column.derived or column.name in columns[each.table.name]]
            types = view_types(dataclasses.replace(each.table, columns=kept))
            connection.execute(f"CREATE OR REPLACE TEMP TABLE {each.table.name} ({columns_of(types)})")
            judgement = judge(connection, [each], (), JUDGING, supplied=each.text.needs, columns=columns)
            assert list(judgement.findings(passes=True)) == []
            assert [tally.policy.id for tally in judgement.tallies] == [each.text.id]


def test_the_worst_are_those_that_the_whole_list_begins_with(tmp_path: Path) -> None:
    """Found without reading all others, over two policies and rows with passes and unknowns."""
    rows = [
        key(
            f"k{number:02}",
            exportable=number % 3 == 0,
            created_on=None if number % 7 == 0 else NOW - 100 * number * DAY,
            unknown={"created_on": "throttled"} if number % 7 == 0 else {},
        )
        for number in range(40)
    ]
    graver = policy(tmp_path, id="graver", severity="critical")
    with inventory(key=rows) as connection:
        judgement = judge(connection, [policy(tmp_path, **AGE), graver], (), JUDGING)
        fails = [each for each in judgement.findings() if each.outcome is Outcome.FAIL]
        by_rank = sorted(fails, key=lambda each: (-each.severity.rank, str(each.row["name"]), each.subject, each.policy.id))
        for least, known in ((Severity.HIGH, True), (Severity.CRITICAL, False)):
            wanted = [(each.id, each.message) for each in by_rank if each.severity.rank >= least.rank]
            for most in (5, 20):
                found = [(each.id, each.message) for each in judgement.worst(least, known=known, most=most)]
                assert found == wanted[:most]
            assert len(wanted) > 10
        assert len(judgement.worst(Severity.LOW, known=True, most=100)) == len(fails)


@pytest.mark.parametrize("bad", ["key", "vault"])
def test_the_worst_of_a_table_are_found_beside_one_that_has_none(tmp_path: Path, bad: str) -> None:
    fields: dict[str, str | None] = {
        "message": quoted("m"),
        "given": None,
        "examples": "[{why: w, expect: pass}]",
        "applies_to": None,
    }
    policies = [
        policy(tmp_path, **fields, id=table, table=table, subject=None, violated_when=quoted("name == 'bad'"))
        for table in ("key", "vault")
    ]
    names = {table: "bad" if table == bad else "good" for table in ("key", "vault")}
    vault = {"id": VAULT.id, "name": names["vault"], "scope_id": SUBSCRIPTION.id}
    with inventory(key=[key(names["key"])], vault=[vault]) as connection:
        judgement = judge(connection, policies, (), JUDGING)
        assert [each.policy.id for each in judgement.worst(Severity.INFO, known=True, most=5)] == [bad]
