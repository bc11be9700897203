"""Scopes that gave no row because they were not listed are unknown, and never silently fine."""

from pathlib import Path

import pytest

from keyaudit.model.coverage import Coverage, Scope, ScopeKind, State
from keyaudit.model.findings import Outcome, Severity
from keyaudit.model.reasons import Reason
from keyaudit.policy.judge import judge
from tests.policy.inventory import NOW, OTHER_VAULT, SUBSCRIPTION, VAULT, gap, inventory, key, policy, quoted


def test_a_scope_that_gave_no_row_is_unknown_for_each_policy_that_needed_it(tmp_path: Path) -> None:
    graded = policy(tmp_path, id="graded", severity="low", severity_when="[{critical: managed}]", violated_when="exportable")
    plain = policy(tmp_path, id="plain")
    coverage = [gap(OTHER_VAULT, "key.list"), gap(OTHER_VAULT, "key.rotation_policy", Reason.PARENT_NOT_ASSESSED)]
    with inventory(key=[key("k")]) as connection:
        judgement = judge(connection, [plain, graded], coverage, as_of=NOW)
        findings = list(judgement.findings())
    assert [(f.policy.id, f.severity, f.outcome) for f in findings] == [
        ("graded", Severity.CRITICAL, Outcome.UNKNOWN),
        ("plain", Severity.HIGH, Outcome.UNKNOWN),
    ]
    assert findings[0].scope == OTHER_VAULT
    assert findings[0].subject == OTHER_VAULT.id
    assert findings[0].row == {}
    # A rotation policy lists no keys.
    assert findings[0].message == "cannot tell: not read, keys (permission)"
    assert [tally.unknown for tally in judgement.tallies] == [{Severity.CRITICAL: 1}, {Severity.HIGH: 1}]
    assert [(group.operations, group.reasons) for group in judgement.groups] == [(("key.list",), (Reason.PERMISSION,))] * 2


def test_a_scope_with_rows_speaks_through_its_rows_and_an_excluded_one_not_at_all(tmp_path: Path) -> None:
    coverage = [gap(VAULT, "key.list"), gap(OTHER_VAULT, "key.list", Reason.EXCLUDED_BY_CONFIG)]
    with inventory(key=[key("k")]) as connection:
        judgement = judge(connection, [policy(tmp_path)], coverage, as_of=NOW)
        assert list(judgement.findings()) == []
    assert judgement.groups == ()


def test_a_vault_whose_keys_were_not_listed_is_still_judged_as_a_vault(tmp_path: Path) -> None:
    signing = policy(
        tmp_path,
        table="vault",
        applies_to=None,
        violated_when=quoted("access_model == 'access-policy' and holds_signing_key"),
        given="{access_model: rbac, holds_signing_key: true}",
        examples="[{why: w, expect: pass}]",
    )
    row = {
        "id": VAULT.id,
        "name": "kv-a",
        "scope_id": SUBSCRIPTION.id,
        "access_model": "rbac",
        "unknown": {"holds_signing_key": "permission"},
    }
    with inventory(vault=[row]) as connection:
        judgement = judge(connection, [signing], [gap(VAULT, "key.list")], as_of=NOW)
        assert list(judgement.findings()) == []
    assert judgement.tallies[0].passed == 1
    assert "key.list" in judgement.required


def test_a_subscription_whose_vaults_were_not_listed_is_unknown_for_keys(tmp_path: Path) -> None:
    with inventory() as connection:
        (group,) = judge(connection, [policy(tmp_path)], [gap(SUBSCRIPTION, "vault.list")], as_of=NOW).groups
    assert (group.scope_id, group.operations) == (SUBSCRIPTION.id, ("vault.list",))


TENANT = Scope("/tenants/1", "Contoso", ScopeKind.TENANT)


@pytest.mark.parametrize(
    ("refused", "blind"),
    [
        (("application.list",), {"secret", "any"}),
        (("service_principal.list",), {"any"}),
        (("application.federated", "application.federated_of"), {"federated", "any"}),
        (("application.owners",), set()),
    ],
)
def test_rows_of_one_listing_do_not_stand_for_those_of_another(
    tmp_path: Path, refused: tuple[str, ...], blind: set[str]
) -> None:
    bare: dict[str, str | None] = {"table": "credential", "message": "m", "given": None, "examples": "[{why: w, expect: pass}]"}
    secret = quoted("kind == 'password' and holder_kind == 'application'")
    policies = [
        policy(tmp_path, **bare, id="secret", applies_to=secret, violated_when="expires_on is None"),
        policy(tmp_path, **bare, id="federated", applies_to=quoted("kind == 'federated'"), violated_when="subject is None"),
        policy(tmp_path, **bare, id="any", applies_to=None, violated_when="starts_on is None"),
    ]
    row = {"id": "/c", "scope_id": TENANT.id, "kind": "password", "holder_kind": "service_principal", "starts_on": 1}
    with inventory(credential=[row]) as connection:
        judgement = judge(connection, policies, [gap(TENANT, operation) for operation in refused], as_of=NOW)
        assert {finding.policy.id for finding in judgement.findings()} == blind
    assert {group.policy for group in judgement.groups if group.operations == refused} == blind
    # What was read in part has rows, and is a gap.
    part = Coverage(scope=TENANT, operation="application.list", state=State.PARTIAL, reason=Reason.THROTTLED)
    with inventory(credential=[row]) as connection:
        assert judge(connection, policies, [part], as_of=NOW).groups == ()


@pytest.mark.parametrize(
    ("refused", "blind"),
    [
        (("hsm.list",), {"hsm", "any"}),
        (("vault.list",), {"vault", "any"}),
        (("hsm.list", "vault.list"), {"hsm", "vault", "any"}),
        (("subscription.list",), {"hsm", "vault", "any"}),
    ],
)
@pytest.mark.parametrize("rows", [0, 1])
def test_hsms_that_were_not_listed_blind_no_policy_on_vaults_and_the_reverse(
    tmp_path: Path, refused: tuple[str, ...], blind: set[str], rows: int
) -> None:
    bare: dict[str, str | None] = {"table": "vault", "message": "m", "given": None, "examples": "[{why: w, expect: pass}]"}
    policies = [
        policy(tmp_path, **bare, id="hsm", applies_to=quoted("kind == 'managed-hsm'"), violated_when="not purge_protection"),
        policy(tmp_path, **bare, id="vault", applies_to=quoted("kind == 'key-vault'"), violated_when="not purge_protection"),
        policy(tmp_path, **bare, id="any", applies_to=None, violated_when="not purge_protection"),
    ]
    row = {"id": "/v", "scope_id": SUBSCRIPTION.id, "kind": "other", "purge_protection": True}
    seen = [row] if rows and refused != ("subscription.list",) else []
    with inventory(vault=seen) as connection:
        judgement = judge(connection, policies, [gap(SUBSCRIPTION, operation) for operation in refused], as_of=NOW)
        assert {finding.policy.id for finding in judgement.findings()} == blind


def test_what_a_cloud_lacks_blinds_once_it_was_required(tmp_path: Path) -> None:
    lacking = gap(VAULT, "key.list", Reason.NOT_IN_CLOUD)
    with inventory() as connection:
        assert judge(connection, [policy(tmp_path)], [lacking], as_of=NOW).groups == ()
        insisted = judge(connection, [policy(tmp_path)], [lacking], as_of=NOW, optional=frozenset())
        (finding,) = insisted.findings()
    assert finding.message == "cannot tell: not read, keys (not_in_cloud)"
