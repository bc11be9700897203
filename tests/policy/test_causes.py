"""Causes: which findings one action on one object closes, which of them is the head, and what stands alone."""

from pathlib import Path
from typing import Any

import pytest

from keyaudit.model.gating.acceptance import Acceptance
from keyaudit.model.gating.baseline import Baseline, Known
from keyaudit.model.gating.waivers import Glob, Waiver
from keyaudit.model.results.causes import KINDS, MANY
from keyaudit.model.results.findings import Finding, Outcome, by_cause
from keyaudit.model.severity import Severity
from keyaudit.policy.definition import Policy
from keyaudit.policy.evaluation.judge import Judgement, judge
from keyaudit.policy.load import load
from tests.policy.inventory import DAY, JUDGING, NOW, VAULT, gap, inventory, key, policy

ALONE = frozenset(
    {
        # An event in a log, or what usage showed: it ends with the window, and no action closes it.
        "agent-created-in-burst", "combo-added-credential-used", "combo-cross-environment-signed",
        "fed-domain-settings-changed", "log-audit-switched-off",
        "log-mail-of-many-mailboxes", "log-settings-removed", "log-unexpected-appid",
        "sp-first-party-credential-added", "use-backup-or-release", "use-sign-in-without-principal",
        "use-key-signs-for-many-apps", "use-superseded-version",
        # Its action closes nothing else.
        "agent-blueprint-without-sponsor", "agent-credential-admins", "agent-foreign-blueprint-with-secret",
        "agent-without-sponsor", "app-identifier-uri-not-unique",
        "app-expired-credential-left", "app-many-live-credentials", "app-no-owner",
        "app-owner-guest-or-disabled", "app-privileged-with-user-owner", "fed-claims-custom-signing-key",
        "fed-domain-mfa-trust", "fed-published-key-expired", "fed-published-key-for-consumers", "fed-saml-signed-over-sha1",
        "fed-token-lifetime-extended", "hsm-admin-also-user", "hsm-admin-count", "hsm-ekm-certificate-expiring",
        "hsm-keys-through-arm", "hsm-purge-protection-off", "hsm-security-domain-unverified", "kv-custody-record-contradicted",
        "kv-legacy-access-policies", "kv-managed-storage-permissions", "kv-mixed-purpose-vault", "kv-near-expiry-unheard",
        "kv-purge-protection-off",
        "log-activity-log-export", "log-defender-off", "log-entra-diag-missing", "log-mailbox-audit-gap",
        "log-no-appid-baseline", "log-no-key-alerts", "log-retention-short", "log-ual-off", "scope-sync-by-account",
        "use-jwks-stale-trust", "sp-conditional-access-everywhere", "sp-conditional-access-not-enforced",
        "hsm-device-audit-off", "hsm-device-custody-unknown", "hsm-device-not-active", "hsm-device-public-network",
        "hsm-dedicated-retiring", "scope-cross-tenant-mfa-trusted", "scope-partner-admin-roles", "scope-partner-creates-users",
        "kv-api-version-retiring", "sp-mi-not-limited",
        "sp-workload-at-risk", "sp-workload-detection-live",
        "use-validator-any-audience", "use-validator-common-metadata",
        # One of them applies to expired certificates, the other to valid ones.
        "fed-cba-authority-expired", "fed-cba-authority-no-crl",
    }
)  # fmt: skip


def test_every_shipped_policy_says_its_cause_or_is_known_to_stand_alone() -> None:
    assert {each.text.id for each in load() if not each.causes} == ALONE


def test_every_kind_of_cause_is_declared_and_can_group() -> None:
    """By several policies, or by one whose findings are about parts of the object."""
    declared: dict[str, set[tuple[str, bool]]] = {}
    for each in load():
        for arm in each.causes:
            declared.setdefault(arm.kind, set()).add((each.text.id, arm.object == each.subject))
    assert declared.keys() == KINDS.keys()
    assert {kind for kind, found in declared.items() if len(found) == 1 and all(same for _, same in found)} == set()


def test_no_action_begins_with_a_removal() -> None:
    verbs = {kind.action.split()[0].lower() for kind in KINDS.values()}
    assert not verbs & {"remove", "delete", "disable", "close", "turn", "revoke", "purge"}


def policies(folder: Path, **declared: dict[str, str]) -> list[Policy]:
    """A policy by each name, with these fields."""
    made = []
    for name, fields in declared.items():
        (folder / name).mkdir()
        made.append(policy(folder / name, id=name, **fields))
    return made


OF_KEY = {"cause": "{kind: key-version, object: key_id}"}
TWO = {"weak": {**OF_KEY, "violated_when": "exportable"}, "old": {**OF_KEY, "violated_when": "managed", "severity": "medium"}}


def causes(judgement: Judgement) -> list[list[str]]:
    """The findings of each cause, by policy: the head first."""
    return sorted([each.policy.id for each in same] for same in by_cause(judgement.findings()))


def test_findings_with_one_cause_have_one_head_which_is_the_most_severe(tmp_path: Path) -> None:
    rows = [key("a", exportable=True, managed=True), key("b", managed=True)]
    with inventory(key=rows) as connection:
        judgement = judge(connection, policies(tmp_path, **TWO), (), JUDGING)
        found = {(each.policy.id, str(each.row["name"])): each for each in judgement.findings()}
        assert judgement.grouping.causes.count == 2
    head, also, single = found["weak", "a"], found["old", "a"], found["old", "b"]
    assert head.cause is not None
    assert head.cause == also.cause
    assert (head.cause.object, head.cause.action) == ("https://kv-a.vault.azure.net/keys/a", KINDS["key-version"].action)
    assert (head.cause.head.finding, [each.finding for each in head.cause.also]) == (head.id, [also.id])
    assert [(each.leads, each.beside_head) for each in (head, also, single)] == [(True, False), (False, True), (True, False)]
    assert single.cause is None


@pytest.mark.parametrize("severity", Severity)
def test_findings_of_every_severity_share_a_cause(severity: Severity, tmp_path: Path) -> None:
    alike = {name: {**fields, "severity": severity.value} for name, fields in TWO.items()}
    with inventory(key=[key("a", exportable=True, managed=True)]) as connection:
        assert causes(judge(connection, policies(tmp_path, **alike), (), JUDGING)) == [["old", "weak"]]


def test_rows_of_one_object_have_one_cause(tmp_path: Path) -> None:
    rows = [key("a", "1", exportable=True, is_current=False), key("a", "2", exportable=True), key("b", exportable=True)]
    with inventory(key=rows) as connection:
        weak = policies(tmp_path, weak=TWO["weak"])
        found = {str(each.row["id"]).rpartition("/keys/")[2]: each for each in judge(connection, weak, (), JUDGING).findings()}
    assert {name: (each.leads, each.beside_head) for name, each in found.items()} == {
        "a/1": (True, False),
        "a/2": (False, False),
        "b/1": (True, False),
    }


def test_of_equals_the_head_is_of_the_graver_policy_then_of_the_one_that_always_has_the_cause(tmp_path: Path) -> None:
    fields = {
        "a-raised": {**OF_KEY, "severity": "low", "severity_when": "[{high: enabled}]"},
        "b-sometimes": {"cause": "{kind: key-version, object: key_id, when: enabled}"},
        "c-always": OF_KEY,
    }
    with inventory(key=[key("a", exportable=True)]) as connection:
        made = policies(tmp_path, **{name: {"violated_when": "exportable", **each} for name, each in fields.items()})
        ((head, *also),) = by_cause(judge(connection, made, (), JUDGING).findings())
    assert head.cause is not None
    assert [head.policy.id, *(each.policy for each in head.cause.also)] == ["c-always", "b-sometimes", "a-raised"]
    assert {each.policy.id for each in also} == {"b-sometimes", "a-raised"}


def test_the_head_is_the_one_that_is_flawed_before_the_one_that_is_weak() -> None:
    names = ("app-credential-never-expires", "sp-privileged-certificate-outside-vault")
    row: dict[str, Any] = {
        "id": "/tenants/t/applications/a/credentials/c",
        "scope_id": "/tenants/t",
        "kind": "certificate",
        "usage": "Verify",
        "holder_kind": "application",
        "holder_home": "own",
        "holder_type": "Application",
        "holder_directory_sync": False,
        "holder_tier0": True,
        "holder_tenant_wide": False,
        "holder_opens_subscriptions": False,
        "holder_opens_signing": False,
        "holder_opens_vaults": False,
        "holder_unprivileged": False,
        "custody": "external",
        "expires_on": NOW + 100_000 * DAY,
        "same_elsewhere": (0, 0),
        "unknown": {},
    }
    with inventory(credential=[row]) as connection:
        chosen = [each for each in load() if each.text.id in names]
        ((head, also),) = by_cause(judge(connection, chosen, (), JUDGING).findings())
    assert (head.severity, also.severity) == (Severity.CRITICAL, Severity.HIGH)
    assert (head.policy.id, also.policy.id) == names


CURRENT = (("key-version", "is_current"), ("old-key-versions", "not is_current"))


def test_the_first_condition_that_certainly_holds_decides(tmp_path: Path) -> None:
    current, older = ("{{kind: {}, object: key_id, when: {}}}".format(*of) for of in CURRENT)
    two = f"[{current}, {older}]"
    rows = [
        key("a", "1", exportable=True),
        key("a", "2", exportable=True),
        key("a", "3", exportable=True, is_current=False),
        key("a", "4", exportable=True, is_current=None, unknown={"is_current": "throttled"}),
    ]
    with inventory(key=rows) as connection:
        made = policies(tmp_path, weak={"violated_when": "exportable", "cause": two})
        judgement = judge(connection, made, (), JUDGING)
        found = by_cause(judgement.findings())
        assert judgement.grouping.causes.count == 3
    assert [[each.row["version"] for each in same] for same in found] == [["1", "2"], ["3"], ["4"]]


def test_an_object_that_is_absent_or_unknown_groups_nothing(tmp_path: Path) -> None:
    of = {"violated_when": "exportable", "cause": "{kind: shared-key, object: certificate_id}"}
    rows = [
        key("a", exportable=True, certificate_id=None),
        key("b", exportable=True, certificate_id=None),
        key("c", exportable=True, certificate_id=None, unknown={"certificate_id": "throttled"}),
        # A stored value that the row says is unknown counts for nothing.
        key("d", exportable=True, certificate_id="x", unknown={"certificate_id": "throttled"}),
        key("e", exportable=True, certificate_id="x"),
        key("f", exportable=True, certificate_id="x"),
    ]
    with inventory(key=rows) as connection:
        judgement = judge(connection, policies(tmp_path, weak=of), (), JUDGING)
        found = by_cause(judgement.findings())
        assert judgement.grouping.causes.count == 5
    assert [[each.row["name"] for each in same] for same in found] == [["a"], ["b"], ["c"], ["d"], ["e", "f"]]


def waiver(name: str) -> Waiver:
    return Waiver(
        id="W-1",
        policy=Glob(name),
        resource=Glob("*"),
        reason="r",
        owner="o",
        approved_by="b",
        ends=NOW + DAY,
        created=NOW - DAY,
    )


def test_what_is_waived_known_or_unknown_heads_no_failure_and_is_in_no_cause(tmp_path: Path) -> None:
    rows = [
        key("a", exportable=True, managed=True),
        key("b", exportable=None, managed=True, unknown={"exportable": "throttled"}),
    ]
    made = policies(tmp_path, **TWO, third={**OF_KEY, "severity": "low", "violated_when": "enabled"})
    subject = "https://kv-a.vault.azure.net/keys/a/1"
    known = Known(policy="weak", subject=subject, severity=Severity.HIGH, since=NOW - DAY)
    baseline = Baseline(tenant_id="t", run_id="r", as_of=NOW - DAY, complete=True, limit=365 * DAY, entries=(known,))
    for accepted, outcome in (
        (Acceptance(waivers=(waiver("weak"),)), Outcome.WAIVED),
        (Acceptance(baseline=baseline), Outcome.FAIL),
    ):
        with inventory(key=rows) as connection:
            judgement = judge(connection, made, [gap(VAULT, "key.list")], JUDGING, accepted)
            found = {(each.policy.id, str(each.row.get("name"))): each for each in judgement.findings()}
            assert judgement.grouping.causes.count == 2
        assert found["weak", "a"].outcome is outcome
        for name in ("a", "b"):
            alone, head, also = (found[of, name] for of in ("weak", "old", "third"))
            assert not alone.open
            assert alone.cause is None
            assert head.leads
            assert head.cause is not None
            assert [each.policy for each in head.cause.also] == [also.policy.id]


def test_a_cause_is_not_shared_across_kinds_or_told_of_controls(tmp_path: Path) -> None:
    other = {**TWO["old"], "cause": "{kind: key-signers, object: key_id}"}
    with inventory(key=[key("a", exportable=True, managed=True)]) as connection:
        judgement = judge(connection, policies(tmp_path, weak=TWO["weak"], old=other), (), JUDGING)
        assert judgement.grouping.causes.count == 2
        assert causes(judgement) == [["old"], ["weak"]]
        assert all(each.cause is None for _, each in judgement.answers())


ARMED: dict[str, Any] = {
    "violated_when": "exportable",
    "fix": "{cli: 'az one {name}', text: 'Do it.'}",
    "message_when": "[{when: kty == 'EC', message: 'm', fix: {cli: 'az two {name}'}}, {when: kty == 'RSA', message: 'n'}]",
}


@pytest.mark.parametrize(
    ("families", "repeated"),
    [
        (["RSA"] * (MANY + 1), {"az one {name}": MANY + 1}),
        (["RSA"] * MANY, {}),
        (["RSA"] * (MANY - 1) + ["EC"] * 2, {}),
        # The message differs, and the command does not.
        (["RSA"] * MANY + ["oct"], {"az one {name}": MANY + 1}),
        (["RSA"] * (MANY + 2) + ["EC"] * (MANY + 1), {"az one {name}": MANY + 2, "az two {name}": MANY + 1}),
    ],
)
def test_causes_that_differ_in_their_object_alone_are_counted(
    tmp_path: Path, families: list[str], repeated: dict[str, int]
) -> None:
    rows = [key(f"k{number}", exportable=True, kty=kty) for number, kty in enumerate(families)]
    with inventory(key=rows) as connection:
        judgement = judge(connection, policies(tmp_path, weak=ARMED), (), JUDGING)
        assert judgement.grouping.causes.repeated == {("weak", "high", command): n for command, n in repeated.items()}
        assert judgement.grouping.causes.count == len(families)
        found = list(judgement.findings())
    assert {each.alike for each in found if each.row["kty"] == "RSA"} == {("weak", "high", "az one {name}")}


def test_a_consequence_does_not_count_as_repeated(tmp_path: Path) -> None:
    rows = [key(f"k{number}", exportable=True, managed=True) for number in range(MANY + 1)]
    with inventory(key=rows) as connection:
        judgement = judge(connection, policies(tmp_path, **TWO), (), JUDGING)
        assert {policy for policy, *_ in judgement.grouping.causes.repeated} == {"weak"}
        assert judgement.grouping.causes.count == MANY + 1


def test_a_group_without_its_head_begins_with_the_first_finding(tmp_path: Path) -> None:
    with inventory(key=[key("a", exportable=True, managed=True)]) as connection:
        found: list[Finding] = list(judge(connection, policies(tmp_path, **TWO), (), JUDGING).findings())
    assert [[each.policy.id for each in same] for same in by_cause(each for each in found if not each.leads)] == [["old"]]
    assert by_cause([]) == []
