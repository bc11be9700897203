"""Who owns a row: its own tag or owners in Entra, its vault, its holder."""

import duckdb

from keyaudit.inventory.owners import called, owner_of, owning
from keyaudit.model.expiring import Owner
from keyaudit.model.tables import TABLES
from tests.inventory.sample import TENANT, Row, application, assessed, in_memory, key, row, vault

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
