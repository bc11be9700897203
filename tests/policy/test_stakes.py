"""Groups of the first page and their order: by declared facts, never by names, and an unread fact leaves a group possible."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from keyaudit.model.causes import MANY
from keyaudit.model.columns import Type
from keyaudit.model.errors import UsageError
from keyaudit.model.findings import Severity
from keyaudit.model.run import First
from keyaudit.model.stakes import OPENS, AtStake, Stake, at_stake, certainly, columns
from keyaudit.model.tables import TABLES
from keyaudit.policy.definition import Policy
from keyaudit.policy.judge import judge
from keyaudit.policy.load import load
from keyaudit.policy.queries import Scoring
from tests.policy.inventory import JUDGING, inventory, policy, quoted
from tests.policy.test_causes import policies
from tests.policy.test_scores import KEY

ON_CREDENTIAL: dict[str, Any] = {
    "table": "credential",
    "applies_to": None,
    "violated_when": quoted('kind == "password"'),
    "message": quoted("{kind}"),
    "given": "{kind: password}",
    "examples": """
  - {why: good, expect: pass, kind: federated}
  - {why: bad, expect: fail}
  - {why: hidden, expect: unknown, kind: unknown}""",
}


def credential(called: str, **columns_: Any) -> dict[str, Any]:
    return {
        "id": f"/credentials/{called}",
        "name": called,
        "scope_id": "/tenants/t",
        "app_id": "client",
        "kind": "password",
        "holder_home": "own",
        "holder_tier0": False,
        "holder_tenant_wide": False,
        "holder_opens_subscriptions": False,
        "unknown": {},
        **columns_,
    }


def unread(*names: str) -> dict[str, Any]:
    """These columns, not read. What is stored in an unread column counts for nothing."""
    return {**dict.fromkeys(names, True), "unknown": dict.fromkeys(names, "throttled")}


def first(made: Sequence[Policy], scoring: Scoring = Scoring.NONE, **rows: Any) -> list[First]:
    """The first page in the order of choice. Its findings are those that the stream has, in the same groups."""
    with inventory(**rows) as connection:
        # The ledger, in which owners look for lists that were not read.
        connection.execute("CREATE TABLE coverage (operation VARCHAR, reason VARCHAR)")
        judgement = judge(connection, made, (), JUDGING, scoring=scoring)
        found = judgement.first()
        streamed = {each.id: each for each in judgement.findings()}
    for each in found:
        assert streamed[each.finding.id].at_stake == each.finding.at_stake
        assert streamed[each.finding.id].leads
    return found


def names(found: Sequence[First]) -> list[str]:
    return [str(each.finding.row["name"]) for each in sorted(found, key=lambda each: each.place)]


@pytest.mark.parametrize(
    ("changed", "group"),
    [
        ({"holder_tier0": True}, AtStake(Stake.TAKEOVER, True)),
        ({"holder_tier0": True, "holder_tenant_wide": True}, AtStake(Stake.TAKEOVER, True)),
        ({"holder_tenant_wide": True}, AtStake(Stake.DATA, True)),
        ({"holder_opens_subscriptions": True}, AtStake(Stake.DATA, True)),
        ({"holder_home": "microsoft"}, AtStake(Stake.DATA, True)),
        ({}, None),
        (unread("holder_tier0"), AtStake(Stake.TAKEOVER, False)),
        ({**unread("holder_tier0"), "holder_tenant_wide": True}, AtStake(Stake.TAKEOVER, False)),
        ({**unread("holder_tenant_wide"), "holder_tier0": True}, AtStake(Stake.TAKEOVER, True)),
        (unread("holder_tenant_wide"), AtStake(Stake.DATA, False)),
        ({**unread("holder_tenant_wide"), "holder_opens_subscriptions": True}, AtStake(Stake.DATA, True)),
        # Only a policy says that something is a trace of an intruder.
        ({"name": "BACKDOOR, possible compromise", "holder_name": "Global Administrator"}, None),
    ],
)
def test_what_a_credential_opens_decides_its_group(tmp_path: Path, changed: dict[str, Any], group: AtStake | None) -> None:
    made = policies(tmp_path, secret=ON_CREDENTIAL)
    row = credential("a", **changed)
    with inventory(credential=[row]) as connection:
        [finding] = judge(connection, made, (), JUDGING).findings()
    assert finding.at_stake == group
    assert [each.finding.at_stake for each in first(made, credential=[row])] == ([group] if group else [])


def declared(least: str, when: str = "") -> dict[str, Any]:
    condition = f", when: {quoted(when)}" if when else ""
    return {**ON_CREDENTIAL, "possible_compromise": f"{{from: {least}{condition}}}"}


@pytest.mark.parametrize(
    ("least", "when", "changed", "group"),
    [
        ("high", "", {}, AtStake(Stake.COMPROMISE, True)),
        ("low", "", {}, AtStake(Stake.COMPROMISE, True)),
        ("critical", "", {}, None),
        ("critical", "", {"holder_tier0": True}, AtStake(Stake.TAKEOVER, True)),
        ("high", "holder_tier0", {"holder_tier0": True}, AtStake(Stake.COMPROMISE, True)),
        ("high", "holder_tier0", {"holder_tenant_wide": True}, AtStake(Stake.DATA, True)),
        (
            "high",
            "holder_tenant_wide",
            {**unread("holder_tenant_wide"), "holder_tier0": True},
            AtStake(Stake.COMPROMISE, False),
        ),
    ],
)
def test_a_policy_declares_what_may_be_an_intruder(
    tmp_path: Path, least: str, when: str, changed: dict[str, Any], group: AtStake | None
) -> None:
    made = policies(tmp_path, secret=declared(least, when))
    row = credential("a", **changed)
    with inventory(credential=[row]) as connection:
        [finding] = judge(connection, made, (), JUDGING).findings()
    assert finding.at_stake == group
    assert [each.finding.at_stake for each in first(made, credential=[row])] == ([group] if group else [])


def test_what_is_no_open_failure_is_in_no_group(tmp_path: Path) -> None:
    rows = [
        credential("passes", kind="federated", holder_tier0=True),
        credential("hidden", **unread("kind"), holder_tier0=True),
    ]
    with inventory(credential=rows) as connection:
        judgement = judge(connection, policies(tmp_path, secret=ON_CREDENTIAL), (), JUDGING)
        assert [each.at_stake for each in judgement.findings(True)] == [None, None]
        assert judgement.first() == []


def test_a_cause_is_in_the_first_group_of_its_findings_and_a_possible_compromise_leads_it(tmp_path: Path) -> None:
    of = {"cause": "{kind: credential, object: id}"}
    made = policies(
        tmp_path, a={**ON_CREDENTIAL, **of}, b={**declared("high"), **of}, c={**ON_CREDENTIAL, **of, "severity": "low"}
    )
    [only] = first(made, credential=[credential("x", holder_tier0=True)])
    assert only.finding.policy.id == "b"
    assert only.finding.at_stake == AtStake(Stake.COMPROMISE, True)
    assert only.finding.cause is not None
    assert [each.policy for each in only.finding.cause.also] == ["a", "c"]
    # A higher severity leads nevertheless; the group stays.
    made[0] = policies(tmp_path / "..", worse={**ON_CREDENTIAL, **of, "severity": "critical"})[0]
    [only] = first(made, credential=[credential("x")])
    assert (only.finding.policy.id, only.finding.at_stake) == ("worse", AtStake(Stake.COMPROMISE, True))


def level(name: str, when: str, **more: Any) -> dict[str, Any]:
    return {**ON_CREDENTIAL, "severity_when": f"[{{{name}: {quoted(when)}}}]", **more}


def test_groups_take_turns_at_the_worst_severity_so_that_each_shows_its_criticals(tmp_path: Path) -> None:
    made = policies(tmp_path, secret=level("critical", 'app_id == "bad"', applies_to=None))
    rows = [
        *(credential(f"t{number}", holder_tier0=True, app_id="bad") for number in range(6)),
        *(credential(f"d{number}", holder_tenant_wide=True, app_id="bad" if number == 5 else "client") for number in range(6)),
    ]
    found = first(made, credential=rows)
    assert [str(each.finding.row["name"]) for each in found] == [
        "t0", "d5", "t1", "t2", "t3", "t4", "t5", "d0", "d1", "d2", "d3", "d4",
    ]  # fmt: skip
    assert names(found) == ["t0", "t1", "t2", "t3", "t4", "t5", "d5", "d0", "d1", "d2", "d3", "d4"]


def test_low_findings_are_not_for_the_first_page(tmp_path: Path) -> None:
    rows = [credential("a", holder_tier0=True)]
    for severity, shown in (("critical", 1), ("high", 1), ("medium", 1), ("low", 0), ("info", 0)):
        made = policies(tmp_path / "..", **{f"on-{severity}": {**ON_CREDENTIAL, "severity": severity}})
        assert len(first(made, credential=rows)) == shown


def test_in_a_group_severity_is_first_then_what_it_opens_then_what_is_certain_then_the_id(tmp_path: Path) -> None:
    made = policies(tmp_path, secret={**level("critical", 'app_id == "bad"'), "possible_compromise": "{from: high}"})
    rows = [
        credential("6", holder_home="own"),
        credential("5", holder_tenant_wide=True),
        credential("4", **unread("holder_tier0")),
        credential("3", holder_tier0=True),
        credential("2", app_id="bad"),
        credential("1", app_id="bad", holder_tier0=True),
    ]
    assert names(first(made, credential=rows)) == ["1", "2", "3", "4", "5", "6"]


def test_names_decide_nothing(tmp_path: Path) -> None:
    made = policies(tmp_path, secret=declared("high"))
    rows = [credential(f"n{number}", id=f"/credentials/{9 - number}", holder_name="z") for number in range(3)]
    renamed = [{**row, "name": f"z{number}", "holder_name": "a"} for number, row in enumerate(reversed(rows))][::-1]
    before, after = ([each.finding.id for each in first(made, credential=each)] for each in (rows, renamed))
    assert before == after == [each.finding.id for each in sorted(first(made, credential=rows), key=lambda each: each.place)]


@pytest.mark.parametrize("count", [MANY, MANY + 1])
def test_causes_of_a_group_that_differ_in_their_object_alone_are_one_if_they_are_many(tmp_path: Path, count: int) -> None:
    made = policies(tmp_path, secret=ON_CREDENTIAL)
    rows = [credential(f"{number:02}", holder_tier0=True) for number in range(count)]
    found = first(made, credential=[*rows, credential("other", holder_tenant_wide=True)])
    times = [each.times for each in found if each.finding.at_stake == AtStake(Stake.TAKEOVER, True)]
    assert times == ([1] * count if count == MANY else [count])
    # The one of the other group does not count among them.
    assert [each.times for each in found if each.finding.at_stake == AtStake(Stake.DATA, True)] == [1]


def scored(found: Sequence[First]) -> list[tuple[str, Severity, int | None]]:
    return [
        (str(each.finding.row["name"]), each.finding.severity, each.finding.score.high if each.finding.score else None)
        for each in sorted(found, key=lambda each: each.place)
    ]


def test_a_score_orders_what_is_equal_and_its_absence_is_not_the_end(tmp_path: Path) -> None:
    """A high finding without a score counts with the least score of that severity, 36: between 80 and 16."""

    def scored_key(name: str, **changes: Any) -> dict[str, Any]:
        key_id = f"https://kv-a.vault.azure.net/keys/{name}"
        return {**KEY, "id": f"{key_id}/1", "key_id": key_id, "name": name, "managed": False, "exportable": True, **changes}

    on_vault: dict[str, Any] = {
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
    made = policies(
        tmp_path,
        keys={"violated_when": "exportable", "severity_when": "[{critical: not is_current}]"},
        vaults=on_vault,
    )
    vault = {"id": "/vaults/v", "name": "v", "scope_id": "/subscriptions/1", "purge_protection": True, "unknown": {}}
    rows = [
        scored_key("worst", user_environments=(2, 2), rotates_on=None),
        scored_key("least"),
        scored_key("old", is_current=False, purpose="public"),
    ]
    found = scored(first(made, Scoring.CARRIED, key=rows, vault=[vault]))
    assert [name for name, *_ in found] == ["old", "worst", "v", "least"]
    (_, critical, low), (_, _, high), (_, _, none), (_, _, least) = found
    assert critical is Severity.CRITICAL
    assert none is None
    assert low is not None
    assert high is not None
    assert least is not None
    assert high > 36 > least
    assert low < high, "a score never overrides a severity"


def test_every_table_says_by_known_columns_what_its_rows_open() -> None:
    for table in OPENS:
        for name in columns(table):
            column = TABLES[table].by_name[name]
            # An absent value would look like one that was not read.
            assert not column.absent
            assert column.type in (Type.BOOLEAN, Type.TEXT)
            assert not column.partial


def test_rights_never_rest_on_a_name() -> None:
    chosen = {"name", "holder_name", "subject", "issuer", "tags", "certificate_subject", "certificate_issuer", "holder_names"}
    assert not chosen & {name for table in OPENS for name in columns(table)}
    assert not chosen & {name for each in load() for name in each.columns_of_suspicion}


def test_shipped_policies_that_speak_of_an_intruder_lead_the_page() -> None:
    suspicious = {each.text.id for each in load() if each.suspicion}
    # An event in a log of what an intruder does, and a credential or certificate that only an intruder or an installer adds.
    assert {
        "sp-first-party-with-credential",
        "sp-first-party-credential-added",
        "combo-added-credential-used",
        "fed-domain-second-cert",
        "fed-domain-settings-changed",
        "log-audit-switched-off",
        "log-settings-removed",
        "use-backup-or-release",
    } <= suspicious
    # Age and hygiene are no sign of one.
    assert not {"kv-key-rotation-overdue", "app-secret-too-long", "sp-tier0-with-secret", "app-no-owner"} & suspicious


def test_a_mask_has_the_first_group_of_those_in_it() -> None:
    assert at_stake(0) is None
    assert at_stake(certainly(Stake.DATA) | certainly(Stake.TAKEOVER)) == AtStake(Stake.TAKEOVER, True)
    assert at_stake(certainly(Stake.DATA) | Stake.COMPROMISE.bit) == AtStake(Stake.COMPROMISE, False)


def test_an_error_in_the_declaration_is_told_with_its_place(tmp_path: Path) -> None:
    for text, what in (
        ("{from: grave}", "no such severity"),
        ("high", "not a severity"),
        ("{when: holder_tier0}", "from"),
        ("{from: high, when: nothing}", "nothing"),
    ):
        with pytest.raises(UsageError, match=what):
            policy(tmp_path, **{**ON_CREDENTIAL, "possible_compromise": text})
