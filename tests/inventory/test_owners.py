"""Who owns what a finding is about, however many findings there are, and without a row nobody can tell."""

from collections.abc import Iterator

import pytest

from keyaudit.inventory import owners
from keyaudit.inventory.owners import called, owned
from keyaudit.model.coverage import Scope, ScopeKind
from keyaudit.model.expiring import Owner
from keyaudit.model.findings import Finding, Outcome, PolicyText, Severity
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES
from tests.inventory.sample import TENANT, Row, application, assessed, in_memory, key, row, vault

NOBODY = Owner((), "", None)


def of(table: str, row_: Row) -> Finding:
    """A finding about the row."""
    text = PolicyText(id=f"p-{table}", title="", problem="p", severity=Severity.LOW, table=table, why="", fix={})
    return Finding(policy=text, outcome=Outcome.FAIL, severity=Severity.LOW, subject="x", message="", row=row_)  # type: ignore[arg-type]


@pytest.fixture(params=[1, 2_000])
def batch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Owners are looked up for so many findings at once."""
    monkeypatch.setattr(owners, "_BATCH", request.param)


def test_who_owns_in_entra_is_called_by_name_where_the_snapshot_has_one_and_no_two_alike() -> None:
    def principal(id_: str, **values: object) -> Row:
        return row("principal", f"{TENANT.id}/principals/{id_}", scope_id=TENANT.id, object_id=id_, **values)

    rows = {
        "application": [application("app", owner_ids=["u", "s", "t", "gone"])],
        "key": [key("1", tags={"owner": "u"})],
        "principal": [
            principal("u", name="Mei Tanaka", user_principal_name="mei@contoso.example"),
            *(principal(id_, name="deployer", user_principal_name=None) for id_ in ("s", "t")),
            principal("other", name="x", user_principal_name="other@contoso.example"),
        ],
    }
    with in_memory(rows, {TENANT: assessed(TENANT, "application.list")}, *TABLES, alone=True) as connection:
        asked = [of(table, rows[table][0]) for table in ("application", "key")]
        found = [owner for owner, _ in owned(connection, iter(asked))]
        assert called(connection) == {"u": "mei@contoso.example", "s": "deployer s", "t": "deployer t"}
    assert [(owner.names, owner.source) for owner in found] == [
        (("gone", "deployer s", "deployer t", "mei@contoso.example"), "Entra owners"),
        (("u",), "tag owner"),
    ]


@pytest.mark.usefixtures("batch")
def test_each_finding_comes_with_its_owner_in_its_place() -> None:
    own, vaults_, app = key("1", tags={"owner": "a"}), key("2", tags=None), application("app", owner_ids=["p", "q"])
    wide = row("grant", f"{TENANT.id}/grants/1", scope_id=TENANT.id, vault_id=None)
    rows = {"key": [own, vaults_], "vault": [vault(tags={"owner": "b"})], "application": [app], "grant": [wide]}
    unread = Finding(
        policy=of("key", own).policy,
        outcome=Outcome.UNKNOWN,
        severity=Severity.LOW,
        subject="v",
        message="",
        scope=Scope("v", "v", ScopeKind.VAULT),
    )
    asked = [of("key", own), unread, of("application", app), of("grant", wide), of("key", vaults_), of("key", own)]
    with in_memory(rows, {TENANT: assessed(TENANT, "application.list")}, *TABLES, alone=True) as connection:

        def findings() -> Iterator[Finding]:
            yield from asked

        found = list(owned(connection, findings()))
    assert [finding for _, finding in found] == asked
    assert [owner for owner, _ in found] == [
        Owner(("a",), "tag owner", None),
        Owner((), "", Reason.PARENT_NOT_ASSESSED),
        Owner(("p", "q"), "Entra owners", None),
        NOBODY,
        Owner(("b",), "tag owner of the vault", None),
        Owner(("a",), "tag owner", None),
    ]
