"""Scopes with possibly missing rows are unknown for each policy over such rows, and never pass silently."""

from itertools import product
from pathlib import Path
from typing import Any

import pytest

from keyaudit.inventory.reader import Connection
from keyaudit.inventory.reads import operations_of
from keyaudit.model.coverage import Coverage, Scope, ScopeKind, State
from keyaudit.model.gating.optional import MayLack
from keyaudit.model.reasons import Reason
from keyaudit.model.results.findings import Outcome
from keyaudit.model.severity import Severity
from keyaudit.model.tables import TABLES
from keyaudit.policy.evaluation.binding import bind
from keyaudit.policy.evaluation.judge import judge
from keyaudit.policy.evaluation.scopes import blind_scopes
from tests.policy.inventory import JUDGING, OTHER_VAULT, SUBSCRIPTION, VAULT, gap, inventory, key, policy, quoted


def test_a_scope_that_gave_no_row_is_unknown_for_each_policy_that_needed_it(tmp_path: Path) -> None:
    graded = policy(tmp_path, id="graded", severity="low", severity_when="[{critical: managed}]", violated_when="exportable")
    plain = policy(tmp_path, id="plain")
    coverage = [gap(OTHER_VAULT, "key.list"), gap(OTHER_VAULT, "key.rotation_policy", Reason.PARENT_NOT_ASSESSED)]
    with inventory(key=[key("k")]) as connection:
        judgement = judge(connection, [plain, graded], coverage, JUDGING)
        findings = list(judgement.findings())
    assert [(f.policy.id, f.severity, f.outcome) for f in findings] == [
        ("graded", Severity.CRITICAL, Outcome.UNKNOWN),
        ("plain", Severity.HIGH, Outcome.UNKNOWN),
    ]
    assert findings[0].scope == OTHER_VAULT
    assert findings[0].subject == OTHER_VAULT.id
    assert findings[0].row == {}
    # A rotation policy lists no keys.
    assert findings[0].message == "unknown: keys not read (the identity may not read it)"
    assert [tally.unknown for tally in judgement.tallies] == [{Severity.CRITICAL: 1}, {Severity.HIGH: 1}]
    assert [(group.operations, group.reasons) for group in judgement.groups] == [(("key.list",), (Reason.PERMISSION,))] * 2


def test_a_scope_that_was_left_out_by_configuration_gives_no_result(tmp_path: Path) -> None:
    coverage = [gap(OTHER_VAULT, "key.list", Reason.EXCLUDED_BY_CONFIG)]
    with inventory(key=[key("k")]) as connection:
        assert judge(connection, [policy(tmp_path)], coverage, JUDGING).groups == ()


ARM = tuple(Coverage(scope=VAULT, operation=name, state=State.ASSESSED) for name in ("arm.key.list", "arm.key.versions"))


@pytest.mark.parametrize(
    ("arm", "blind"),
    [
        ((), True),
        (ARM, False),
        ((ARM[0], gap(VAULT, "arm.key.versions")), True),
        ((gap(VAULT, "arm.key.list"), ARM[1]), True),
    ],
)
def test_keys_that_the_vault_does_not_list_are_missing_unless_arm_listed_them_all(
    tmp_path: Path, arm: tuple[Coverage, ...], *, blind: bool
) -> None:
    refused = [gap(VAULT, "key.list"), gap(VAULT, "key.versions", Reason.PARENT_NOT_ASSESSED)]
    with inventory(key=[key("k")]) as connection:
        judgement = judge(connection, [policy(tmp_path)], [*refused, *arm], JUDGING)
        messages = [finding.message for finding in judgement.findings()]
    assert messages == (["unknown: keys not read (the identity may not read it)"] if blind else [])


def _part(operation: str, reason: Reason, **counts: Any) -> Coverage:
    return Coverage(scope=VAULT, operation=operation, state=State.PARTIAL, reason=reason, **counts)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (
            _part("key.list", Reason.BAD_ITEM, received=5, kept=3, quarantined=2),
            "unknown: 2 of 5 keys were not read (an item of the response could not be read)",
        ),
        (
            _part("key.list", Reason.BAD_ITEM, received=5, kept=4, quarantined=1),
            "unknown: 1 of 5 keys was not read (an item of the response could not be read)",
        ),
        (
            _part("key.list", Reason.PAGE_LOOP, received=3, kept=3),
            "unknown: at least 3 keys were read; the rest of the list was not (its pages form a loop)",
        ),
        (
            _part("key.versions", Reason.PERMISSION, received=8, kept=8, refused=1),
            "unknown: key versions were not listed in full: 1 request failed (the identity may not read it)",
        ),
    ],
)
def test_a_list_that_was_read_in_part_gives_one_unknown_result_besides_its_rows(
    tmp_path: Path, record: Coverage, message: str
) -> None:
    follows = _part("key.get", Reason.PARENT_NOT_ASSESSED)
    with inventory(key=[key("k"), key("l")]) as connection:
        judgement = judge(connection, [policy(tmp_path)], [record, follows], JUDGING)
        (finding,) = judgement.findings()
    assert (finding.outcome, finding.subject, finding.message) == (Outcome.UNKNOWN, VAULT.id, message)
    assert (judgement.tallies[0].passed, sum(judgement.tallies[0].unknown.values())) == (2, 1)


def test_one_object_that_was_refused_has_its_row_and_adds_no_result_on_the_vault(tmp_path: Path) -> None:
    refused = [_part("key.get", Reason.PERMISSION, received=1, kept=1, refused=1)]
    refused.append(_part("key.rotation_policy", Reason.PERMISSION, received=1, kept=1, refused=1))
    with inventory(key=[key("k"), key("l", exportable=None, unknown={"exportable": "permission"})]) as connection:
        (group,) = judge(connection, [policy(tmp_path)], refused, JUDGING).groups
    assert (group.causes, group.count) == ({"exportable": Reason.PERMISSION}, 1)


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
        judgement = judge(connection, [signing], [gap(VAULT, "key.list")], JUDGING)
        assert list(judgement.findings()) == []
    assert judgement.tallies[0].passed == 1
    assert "key.list" in judgement.needed_by


def test_a_subscription_whose_vaults_were_not_listed_is_unknown_for_keys(tmp_path: Path) -> None:
    with inventory() as connection:
        (group,) = judge(connection, [policy(tmp_path)], [gap(SUBSCRIPTION, "vault.list")], JUDGING).groups
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
        judgement = judge(connection, policies, [gap(TENANT, operation) for operation in refused], JUDGING)
        assert {finding.policy.id for finding in judgement.findings()} == blind
    assert {group.policy for group in judgement.groups if group.operations == refused} == blind
    # The same where they were read in part.
    part = [Coverage(scope=TENANT, operation=each, state=State.PARTIAL, reason=Reason.THROTTLED) for each in refused]
    with inventory(credential=[row]) as connection:
        assert {group.policy for group in judge(connection, policies, part, JUDGING).groups} == blind


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
        judgement = judge(connection, policies, [gap(SUBSCRIPTION, operation) for operation in refused], JUDGING)
        assert {finding.policy.id for finding in judgement.findings()} == blind


def test_what_a_cloud_lacks_blinds_once_it_was_required(tmp_path: Path) -> None:
    lacking = gap(VAULT, "key.list", Reason.NOT_IN_CLOUD)
    with inventory() as connection:
        assert judge(connection, [policy(tmp_path)], [lacking], JUDGING).groups == ()
        insisted = judge(connection, [policy(tmp_path)], [lacking], JUDGING, optional=MayLack(frozenset()))
        (finding,) = insisted.findings()
    assert finding.message == "unknown: keys not read (it is not available in this cloud)"


@pytest.mark.parametrize("reason", [Reason.PERMISSION, Reason.NOTHING_VISIBLE])
def test_without_subscriptions_what_lies_in_them_is_unknown_and_not_what_the_directory_holds(
    tmp_path: Path, reason: Reason
) -> None:
    bare: dict[str, str | None] = {"applies_to": None, "message": "m", "given": None, "examples": "[{why: w, expect: pass}]"}
    policies = [
        policy(tmp_path, **bare, id="log", table="log_table", violated_when="name is None"),
        policy(tmp_path, **bare, id="application", table="application", violated_when="created_on is None"),
    ]
    # A workspace that Entra's logs go to is known without any subscription.
    table = {"id": "/w/t", "name": "AuditLogs", "scope_id": TENANT.id, "retention": 1}
    with inventory(log_table=[table]) as connection:
        judgement = judge(connection, policies, [gap(TENANT, "subscription.list", reason)], JUDGING)
        groups = [(group.policy, group.scope_id) for group in judgement.groups]
    assert groups == [("log", TENANT.id)]


def test_roles_that_could_be_activated_count_where_they_are_judged(tmp_path: Path) -> None:
    bare: dict[str, str | None] = {"table": "grant", "message": "m", "given": None, "examples": "[{why: w, expect: pass}]"}
    policies = [
        policy(tmp_path, **bare, id="any", applies_to=quoted("kind == 'azure-role'"), violated_when="custom"),
        policy(tmp_path, **bare, id="standing", applies_to=quoted("kind == 'azure-role' and standing"), violated_when="custom"),
        policy(tmp_path, **bare, id="eligible", applies_to=quoted("not standing"), violated_when="custom"),
        policy(tmp_path, **bare, id="local", applies_to=quoted("kind == 'hsm-role'"), violated_when="custom"),
    ]
    row = {"id": "/g", "scope_id": SUBSCRIPTION.id, "kind": "azure-role", "standing": True, "custom": False}

    bounds = bind(policies, "default", {}, ())

    def blind(operation: str) -> set[str]:
        with inventory(grant=[row]) as connection:
            found = blind_scopes(Connection(connection), bounds, [gap(SUBSCRIPTION, operation)])
            return {each.bound.policy.text.id for each in found}

    assert blind("role_eligibility.list") == {"any", "eligible"}
    assert blind("role_assignment.query") == {"any", "standing"}
    assert blind("hsm.role_assignment.list") == {"local"}
    assert blind("hsm.key.list") == {"local"}
    # A denial adds no row: what it takes away is in a column.
    assert blind("deny_assignment.list") == set()
    assert "deny_assignment.list" in operations_of("grant", "allows")


def test_no_list_that_leads_to_a_row_can_fail_unseen(tmp_path: Path) -> None:
    bare: dict[str, str | None] = {"applies_to": None, "message": "m", "given": None, "examples": "[{why: w, expect: pass}]"}
    listed = {name: set(table.listed_by) for name, table in TABLES.items() if table.listed_by}
    policies = [
        policy(tmp_path, **bare, id=f"p-{name.replace('_', '-')}", table=name, violated_when="id == 'x'")
        for name in sorted(listed)
    ]
    for each in policies:
        assert listed[each.table.name] <= each.operations
    bounds = bind(policies, "default", {}, ())
    rows = {name: [{"id": "y", "scope_id": TENANT.id}] for name in listed}
    with inventory(**rows) as connection:
        for operation, state in product(sorted(set().union(*listed.values())), (State.NOT_ASSESSED, State.PARTIAL)):
            record = Coverage(scope=TENANT, operation=operation, state=state, reason=Reason.THROTTLED)
            blind = {
                each.bound.policy.table.name: each.group.operations
                for each in blind_scopes(Connection(connection), bounds, [record])
            }
            assert blind == {name: (operation,) for name, before in listed.items() if operation in before}
