"""Who owns a row: its own tag or owners in Entra, its vault, its holder."""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pytest
from msgspec import structs

from keyaudit.inventory.owners import OWNERS_ASKED, called, owner_of, owning
from keyaudit.model.reasons import Reason
from keyaudit.model.results.expiring import Owner
from keyaudit.model.scope.owners import OwnerRule, OwnerRules
from keyaudit.model.tables import TABLES
from tests.inventory.sample import TENANT, Row, application, assessed, credential, in_memory, key, row, vault

NOBODY = Owner((), "", None)


def owners(connection: duckdb.DuckDBPyConnection, table: str) -> dict[object, Owner]:
    """The owner of each row of a table, by id."""
    own, names = owning(TABLES[table]), called(connection)
    rows = connection.execute(f"SELECT it.id, {own.names}, {own.source}, {own.doubt} FROM {table} AS it {own.joins}").fetchall()
    return {id_: owner_of(names, *said) for id_, *said in rows}


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
        found = [owners(connection, table)[rows[table][0]["id"]] for table in ("application", "key")]
        assert called(connection) == {"u": "mei@contoso.example", "s": "deployer s", "t": "deployer t"}
    assert [(owner.names, owner.source) for owner in found] == [
        (("gone", "deployer s", "deployer t", "mei@contoso.example"), "Entra owners"),
        (("u",), "tag owner"),
    ]


def test_what_has_no_owner_of_its_own_has_that_of_its_vault() -> None:
    own, vaults_, app = key("1", tags={"owner": "a"}), key("2", tags=None), application("app", owner_ids=["p", "q"])
    wide = row("grant", f"{TENANT.id}/grants/1", scope_id=TENANT.id, vault_id=None)
    rows = {"key": [own, vaults_], "vault": [vault(tags={"owner": "b"})], "application": [app], "grant": [wide]}
    with in_memory(rows, {TENANT: assessed(TENANT, "application.list")}, *TABLES, alone=True) as connection:
        assert owners(connection, "key") == {
            own["id"]: Owner(("a",), "tag owner", None),
            vaults_["id"]: Owner(("b",), "tag owner of the vault", None),
        }
        assert owners(connection, "application") == {app["id"]: Owner(("p", "q"), "Entra owners", None)}
        assert owners(connection, "grant") == {wide["id"]: NOBODY}


def test_an_owner_is_worked_out_of_the_columns_that_it_says_it_reads() -> None:
    rows = {"key": [key("1", tags={"owner": "a"})], "credential": [], "vault": [vault(tags=None)]}
    with in_memory(rows, {TENANT: assessed(TENANT, "application.list")}, *TABLES, alone=True) as connection:
        for name, table in TABLES.items():
            own = owning(table)
            read = f"(SELECT {', '.join(['unknown', *own.reads])} FROM {name}) AS it"
            connection.execute(f"SELECT {own.names}, {own.source}, {own.doubt} FROM {read} {own.joins}").fetchall()


def by_rules(rules: OwnerRules, rows: Mapping[str, Sequence[Row]], table: str) -> list[Owner]:
    """The owners of the rows of a table by these rules, in order."""
    names = dict.fromkeys((*OWNERS_ASKED, table))
    with in_memory(rows, {TENANT: assessed(TENANT, "application.list")}, *names, alone=True, owner_rules=rules) as connection:
        found = owners(connection, table)
        return [found[each["id"]] for each in rows[table]]


def named(version: str, name: str, **values: Any) -> Row:
    """A key of that name without tags of its own."""
    return {**key(version, **{"tags": None, **values}), "name": name}


def rule(number: int, *names: str) -> Owner:
    return Owner(names, f"[owners] rule {number}", None)


FALLBACK = Owner(("fallback",), "[owners] fallback", None)


def test_an_owner_that_a_tag_or_entra_names_comes_before_any_rule() -> None:
    rules = OwnerRules(rules=(OwnerRule(owners=("r",), name="*"),), fallback=("fallback",))
    rows = {
        "key": [named("1", "k", tags={"owner": "a"}), named("2", "k")],
        "vault": [vault(tags={"owner": "b"})],
        "application": [application("app", owner_ids=["p"]), application("other", name="x", owner_ids=[])],
    }
    assert [each.source for each in by_rules(rules, rows, "key")] == ["tag owner", "tag owner of the vault"]
    assert [each.source for each in by_rules(rules, rows, "application")] == ["Entra owners", "[owners] rule 1"]


@pytest.mark.parametrize(
    ("criterion", "fits", "other"),
    [
        ("name", "SIGN-*", "enc-*"),
        ("vault", "kv-*", "other-*"),
        ("resource_group", "RG-?", "rg"),
        ("subscription", "prod", "pro"),
        ("subscription", "aaaaaaaa-*", "bbbb*"),
    ],
)
def test_a_rule_fits_by_name_id_or_glob_in_any_case(criterion: str, fits: str, other: str) -> None:
    place = {"subscription_id": "aaaaaaaa-0000-0000-0000-00000000000a", "subscription_name": "Prod", "resource_group": "rg-1"}
    rows = {"key": [named("1", "sign-1", vault_name="kv-a", **place)], "vault": [vault(tags=None)]}
    for glob, found in ((fits, rule(1, "team")), (other, FALLBACK)):
        one = structs.replace(OwnerRule(owners=("team",)), **{criterion: glob})
        assert by_rules(OwnerRules(rules=(one,), fallback=("fallback",)), rows, "key") == [found]
        assert by_rules(OwnerRules(rules=(one,)), rows, "key") == [found if found is not FALLBACK else NOBODY]


def test_the_first_rule_that_fits_counts_and_all_of_its_patterns_have_to_fit() -> None:
    rules = OwnerRules(
        rules=(
            OwnerRule(owners=("both",), name="sign-*", vault="other"),
            OwnerRule(owners=("signers", "more"), name="sign-*"),
            OwnerRule(owners=("rest",), name="*"),
        )
    )
    rows = {"key": [named("1", "sign-1"), named("2", "enc")], "vault": [vault(tags=None)]}
    assert by_rules(rules, rows, "key") == [rule(2, "signers", "more"), rule(3, "rest")]


def test_a_rule_by_tag_looks_at_the_resource_and_else_at_its_vault() -> None:
    rules = OwnerRules(rules=(OwnerRule(owners=("pay",), tags={"team": "pay*"}),))
    rows = {
        "key": [
            key("1", tags={"team": "Payments"}),
            key("2", tags={"team": "x"}),
            key("3", tags={"env": "a"}),
            named("4", "k"),
        ],
        "vault": [vault(tags={"team": "payroll"})],
    }
    assert by_rules(rules, rows, "key") == [rule(1, "pay"), NOBODY, rule(1, "pay"), rule(1, "pay")]


def test_a_rule_by_application_names_the_holder_of_a_credential() -> None:
    rules = OwnerRules(
        rules=(OwnerRule(owners=("deploy",), application="deploy*"), OwnerRule(owners=("id",), application="0a*"))
    )
    rows = {
        "application": [
            application("a", name="Deployer", owner_ids=[]),
            application("b", name="x", app_id="0a000000-0000-4000-8000-000000000000", owner_ids=[]),
            application("c", name="y", owner_ids=[]),
        ]
    }
    assert by_rules(rules, rows, "application") == [rule(1, "deploy"), rule(2, "id"), NOBODY]
    rows["credential"] = [credential("1", holder="a", holder_name="Deployer"), credential("2", holder="c", holder_name="y")]
    assert by_rules(rules, rows, "credential") == [rule(1, "deploy"), NOBODY]


def test_a_rule_that_reads_an_unknown_column_leaves_the_owner_unknown() -> None:
    rules = OwnerRules(
        rules=(OwnerRule(owners=("by name",), name="sign-1"), OwnerRule(owners=("by subscription",), subscription="prod")),
        fallback=("fallback",),
    )
    unread = {"subscription_name": Reason.PERMISSION}
    rows = {
        "key": [named("1", "sign-1", **unread), named("2", "x", **unread), named("3", "y")],
        "vault": [vault(tags=None)],
    }
    first, second, third = by_rules(rules, rows, "key")
    assert first == rule(1, "by name")
    assert (second.names, second.reason) == ((), Reason.PERMISSION)
    assert third == FALLBACK


def test_a_quote_in_a_rule_is_text() -> None:
    rules = OwnerRules(rules=(OwnerRule(owners=("o'neill'); --",), name="it's*", tags={"a'b": "c'd*"}),), fallback=("x'y",))
    rows = {"key": [named("1", "it's", tags={"a'b": "c'd"}), named("2", "z")], "vault": [vault(tags=None)]}
    found = by_rules(rules, rows, "key")
    assert [each.names for each in found] == [("o'neill'); --",), ("x'y",)]
