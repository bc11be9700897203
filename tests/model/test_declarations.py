"""The declarations agree with each other, and hold what a user relies on: only reads, no secret, a remedy for each reason."""

import re
from pathlib import Path
from typing import Any

import pytest

from keyaudit.inventory.reads import operations_of
from keyaudit.model import operations
from keyaudit.model.coverage import Coverage, End, Refusal, Scope, ScopeKind, State
from keyaudit.model.declarations import modules_in
from keyaudit.model.errors import MEANINGS, PRECEDENCE, AuditError, Exit, StoppedError
from keyaudit.model.evidence import EVIDENCE, LOGS
from keyaudit.model.operations import OPERATIONS, Surface, with_all_before
from keyaudit.model.reasons import ADVICE, Reason, unknown_columns
from keyaudit.model.results.findings import Finding, Outcome, PolicyText, Tally
from keyaudit.model.schema.columns import Type
from keyaudit.model.severity import Severity
from keyaudit.model.tables import TABLES

READ_BY_POST = {
    "/providers/Microsoft.ResourceGraph/resources",
    # Of these two, the first asks for the lists that are declared, and for nothing else.
    "/beta/$batch",
    "/v1.0/directoryObjects/getByIds",
    "/v1/workspaces/{workspace}/query",
}
PLACEHOLDER = re.compile(r"\{(\w+)\}")
MADE_TO_BE_READ = {"/v1.0/security/auditLog/queries"}
VAULT = Scope("/subscriptions/s/vaults/v", "v", ScopeKind.VAULT)


def test_only_reads_are_declared() -> None:
    for operation in OPERATIONS.values():
        assert operation.method == "GET" or operation.path in READ_BY_POST | MADE_TO_BE_READ
        assert operation.makes == (operation.path in MADE_TO_BE_READ)
        assert not re.search(
            r"backup|export|release|decrypt|(?<!as)sign(?!In)|listkeys|password", operation.path, re.IGNORECASE
        )


def test_of_secrets_only_lists_are_declared_which_hold_no_value() -> None:
    # A secret of Front Door is the name of a certificate in a vault, with its thumbprint:
    # https://learn.microsoft.com/rest/api/frontdoor/azurefrontdoorstandardpremium/secrets/list-by-profile
    front_door = OPERATIONS["front_door.secrets"].path
    lists = {"/secrets", "/secrets/{secret}/versions", "/deletedsecrets", front_door}
    assert {operation.path for operation in OPERATIONS.values() if "secret" in operation.path.lower()} == lists
    for operation in OPERATIONS.values():
        # The possible values of a path with any arguments: a segment is never empty except at the end of two others.
        leads = re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(operation.path)), re.IGNORECASE)
        for value in (
            "/secrets/name",
            "/secrets/name/",
            "/secrets/name/0123456789abcdef0123456789abcdef",
            "/deletedsecrets/name",
        ):
            assert not leads.fullmatch(value), operation.id


def test_every_operation_says_which_version_of_the_api_it_speaks() -> None:
    for operation in OPERATIONS.values():
        if operation.surface is not Surface.LOGIN:
            assert re.fullmatch(r"\d{4}-\d\d-\d\d(-preview)?|v1(\.0)?|beta", operation.api_version), operation.id
    assert OPERATIONS["login.metadata"].api_version == ""


def test_whatever_a_file_declares_is_found_and_has_a_place_of_its_own_among_its_like() -> None:
    folder = Path(operations.__file__).parent.parent
    texts = [path.read_text() for part in ("operations", "tables", "surfaces") for path in (folder / part).rglob("*.py")]
    declared = sum(len(re.findall(r"^\w+ = Table\($", text, re.MULTILINE)) for text in texts)
    assert declared == len(TABLES) == len({table.order for table in TABLES.values()})
    requests = [operation.id for module in _declaring() for operation in module.DECLARED]
    assert sorted(requests) == sorted(OPERATIONS)
    assert len(_declaring()) == sum("\nFAMILY = " in text for text in texts)
    orders = {module.FAMILY.order: module.FAMILY.name for module in _declaring()}
    assert sorted(orders.values()) == sorted(operations.BY_SURFACE)


def _declaring() -> list[Any]:
    found = modules_in("keyaudit.model.operations", "keyaudit.model.surfaces")
    return [module for module in found if hasattr(module, "FAMILY")]


def test_a_column_that_is_a_copy_of_a_member_is_stored_and_read_and_no_other_is_a_copy_of_the_same() -> None:
    for table in TABLES.values():
        copied = [column for column in table.columns if column.wire]
        assert all(column.operations and not column.derived and not column.needs for column in copied), table.name
        texts = [column.wire for column in copied if isinstance(column.wire, str)]
        assert len({*texts}) == len(texts), table.name


def test_every_column_that_can_be_unknown_says_which_operations_fill_it() -> None:
    for table in TABLES.values():
        assert table.subject in table.by_name
        for column in table.columns:
            for operation in (*operations_of(table.name, column.name), *table.listed_by):
                assert operation in OPERATIONS, (table.name, column.name)
            for case in column.absent_where:
                decides = table.by_name[case.column]
                assert column.absent
                assert column.derived or not decides.derived
                known = (True, False) if decides.type is Type.BOOLEAN else decides.values
                assert set(case.values) <= {None, *known}, (table.name, column.name)
            if column.left_out and column.left_out.fixed is None:
                assert column.absent, (table.name, column.name)
            assert column.type is not Type.COUNT or column.derived


def test_what_evidence_fills_rests_on_evidence_that_has_a_name_and_is_not_collected() -> None:
    for table in TABLES.values():
        for column in table.columns:
            assert column.needs in {"", *EVIDENCE}, (table.name, column.name)
            # A view computes what rests on evidence as on anything; of a table that is collected nothing else does.
            assert not column.needs or column.derived or table.needs == column.needs, (table.name, column.name)
    made_of_evidence = [table for table in TABLES.values() if table.needs]
    assert {table.name for table in made_of_evidence} == {
        *("usage", "usage_log", "usage_baseline", "unusual_use", "trusted_key", "token_validator"),
        *("custody_record", "repository"),
    }
    for table in made_of_evidence:
        assert not table.listed_by
        assert not any(column.operations for column in table.columns if column.name != "name")
        # What its rows come from was supplied, or there would be none.
        assert not table.lacking(())
    assert TABLES["key"].lacking(()) == ("last_used_on", "unused_since", "used_after_expiry", "signing_apps")
    assert TABLES["key"].lacking({LOGS}) == ()
    # So it asks for no right that the rows do not need.
    assert set(operations_of("key", "signing_apps")) < set(TABLES["key"].listed_by)


def test_a_derived_column_needs_what_it_is_derived_from_in_other_tables_too() -> None:
    keys = {"key.list", "key.versions", "key.get"}
    assert set(operations_of("key", "superseded_enabled")) == keys | {f"hsm.{operation}" for operation in keys}
    assert {"application.list", "service_principal.list"} <= set(operations_of("credential", "on_application_too"))
    assert {"key.list", "hsm.key.list"} <= set(operations_of("vault", "holds_signing_key"))


def test_a_local_role_is_granted_on_its_hsm_and_by_no_role_of_azure() -> None:
    keys, settings = OPERATIONS["hsm.key.list"], OPERATIONS["hsm.setting.list"]
    assert keys.permission == "local role Managed HSM Crypto Auditor on the HSM"
    assert keys.grant == (
        "az keyvault role assignment create --hsm-name {name} --role 'Managed HSM Crypto Auditor' --scope / --assignee ASSIGNEE"
    )
    # No built-in role that only reads has it, so that no command can name one.
    assert settings.permission == "local role with Microsoft.KeyVault/managedHsm/settings/read/action on the HSM"
    assert settings.grant == ""
    assert OPERATIONS["vault.list"].grant == "az role assignment create --role Reader --scope {scope} --assignee ASSIGNEE"


def test_every_reason_has_a_meaning_and_a_remedy() -> None:
    assert set(ADVICE) == set(Reason)
    assert all(advice.meaning and advice.remedy for advice in ADVICE.values())


def test_of_what_azure_does_not_find_nobody_says_that_it_was_deleted() -> None:
    """A table of a workspace that answers 404 may never have been there."""
    advice = ADVICE[Reason.VANISHED]
    assert "deleted" not in advice.meaning
    assert "never created" in advice.remedy


def test_no_update_is_the_only_advice_for_an_answer_that_is_not_known() -> None:
    assert "if that does not help" in ADVICE[Reason.UNRECOGNISED].remedy


def test_every_exit_code_has_a_meaning_and_a_place_in_the_order() -> None:
    assert set(MEANINGS) == set(Exit)
    assert set(PRECEDENCE) == set(Exit) - {Exit.CLOSED, Exit.INTERRUPTED, Exit.TERMINATED}


@pytest.mark.parametrize(
    ("end", "state", "reason"),
    [
        (End(received=2, kept=1, duplicate=1), State.ASSESSED, None),
        (End(), State.ASSESSED, None),
        (End(received=2, kept=1, quarantined=1), State.PARTIAL, Reason.BAD_ITEM),
        (End(received=1, quarantined=1), State.NOT_ASSESSED, Reason.BAD_ITEM),
        (End(received=1, kept=1, refusal=Refusal(Reason.PAGE_LOOP)), State.PARTIAL, Reason.PAGE_LOOP),
        (End(refusal=Refusal(Reason.FIREWALL)), State.NOT_ASSESSED, Reason.FIREWALL),
    ],
)
def test_a_list_is_assessed_only_if_every_item_of_every_page_was_kept(end: End, state: State, reason: Reason | None) -> None:
    coverage = end.coverage(VAULT, "key.list")
    assert (coverage.state, coverage.reason) == (state, reason)


def test_a_coverage_record_that_contradicts_itself_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="add up"):
        Coverage(scope=VAULT, operation="key.list", state=State.ASSESSED, received=2, kept=1)
    with pytest.raises(ValueError, match="with reason None"):
        Coverage(scope=VAULT, operation="key.list", state=State.PARTIAL)
    with pytest.raises(ValueError, match="not read"):
        Coverage(scope=VAULT, operation="key.get", state=State.ASSESSED, refused=1)


def test_an_error_is_one_line_of_place_fact_and_remedy() -> None:
    assert str(AuditError("a.yaml:3", "no such column", "did you mean kty?")) == "a.yaml:3: no such column; did you mean kty?"
    assert str(AuditError("a.yaml:3", "empty")) == "a.yaml:3: empty"
    assert StoppedError(Exit.TERMINATED, "terminated").exit is Exit.TERMINATED


def test_the_fingerprint_is_of_policy_and_subject_alone() -> None:
    policy = PolicyText(id="p", title="t", problem="p", severity=Severity.HIGH, table="key", why="w", fix={})
    one = Finding(policy=policy, outcome=Outcome.FAIL, severity=Severity.HIGH, subject="s", message="m")
    two = Finding(policy=policy, outcome=Outcome.UNKNOWN, severity=Severity.LOW, subject="s", message="n", row={"id": "x"})
    assert one.id == two.id
    assert re.fullmatch("[0-9a-f]{16}", one.id)
    assert one.id != Finding(policy=policy, outcome=Outcome.FAIL, severity=Severity.HIGH, subject="t", message="m").id


def test_severities_are_in_order_and_a_tally_counts_the_rows_that_applied() -> None:
    assert [s.rank for s in Severity] == [0, 1, 2, 3, 4]
    policy = PolicyText(id="p", title="t", problem="p", severity=Severity.HIGH, table="key", why="w", fix={})
    tally = Tally(policy=policy, passed=3, failed={Severity.HIGH: 2}, unknown={Severity.LOW: 1}, not_applicable=9)
    assert tally.rows == 6


def test_what_leads_to_an_operation_is_declared_and_leads_nowhere_in_a_circle() -> None:
    for operation in OPERATIONS.values():
        assert set(operation.after) <= OPERATIONS.keys(), operation.id
        before = with_all_before(operation.id)
        assert before[-1] == operation.id
        assert all(before.index(each) < before.index(other) for other in before for each in OPERATIONS[other].after)
    # What names a subscription, a vault or one object in its address was led there by something.
    for operation in OPERATIONS.values():
        if not operation.command:
            placeholders = set(PLACEHOLDER.findall(operation.path))
            assert operation.after or not placeholders & {"subscription", "vault", "key", "id"}, operation.id


def test_a_table_is_listed_by_what_adds_its_rows_and_all_that_leads_there() -> None:
    assert TABLES["log_table"].listed_by == (
        *("subscription.list", "vault.query", "vault.list", "diagnostic_setting.list"),
        *("hsm.query", "hsm.list", "hsm.diagnostic_setting.list", "activity_log.list", "entra_log.list"),
    )
    assert {"role_eligibility.list", "hsm.key.list"} <= set(TABLES["grant"].listed_by)
    for table in TABLES.values():
        assert set(table.parts) <= set(table.added_by), table.name
        assert set(table.replaced_by) <= set(table.added_by), table.name
        for operation in table.listed_by:
            assert set(OPERATIONS[operation].after) <= set(table.listed_by), (table.name, operation)


def test_unknown_columns_are_told_by_why_they_are_unknown() -> None:
    unknown = {
        "owner_count": Reason.PERMISSION,
        "custody": Reason.TIMEOUT,
        "tags": Reason.PERMISSION,
        "signers_named": Reason.NOT_CONFIGURED,
        "actor_environment": Reason.NOT_CONFIGURED,
    }
    assert unknown_columns(unknown) == (
        "owner count and tags (the identity may not read it); custody (the request timed out);"
        " environment of the signers and environment of the actor (no tag or setting names it)"
    )
    assert unknown_columns({}) == ""
