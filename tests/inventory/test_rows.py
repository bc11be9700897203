"""A row that its table does not declare costs its unit, at once, and names table, column and row."""

from pathlib import Path

import pytest

from keyaudit.inventory.facts.sql import StoredRows, no_rows, read_to_the_end
from keyaudit.inventory.ledger import BreachError
from keyaudit.inventory.rows import check
from keyaudit.inventory.spool import Spool
from keyaudit.model.reasons import Reason
from tests.inventory.sample import KEY_OPERATIONS, RUN, credential, key, vault_scope


@pytest.mark.parametrize(
    ("table", "row", "message"),
    [
        ("kay", key("1"), "no table is named 'kay'"),
        ("key", key("1") | {"value": "x"}, r"key https://kv.*/1: .*unknown field `value`"),
        ("key", key("1") | {"superseded_enabled": 1}, "unknown field `superseded_enabled`"),
        ("key", key("1") | {"enabled": "true"}, r"Expected `bool \| null`, got `str` - at `\$\.enabled`"),
        ("key", key("1") | {"activates_on": 2**60 + 1}, r"Expected `int` <= .* at `\$\.activates_on`"),
        ("key", key("1") | {"created_on": True}, "got `bool`"),
        ("key", key("1") | {"key_ops": ["sign", None]}, r"Expected `str`, got `null` - at `\$\.key_ops\[1\]`"),
        ("key", key("1") | {"tags": {"env": None}}, r"\$\.tags\[\.\.\.\]"),
        ("key", key("1") | {"unknown": {"enabled": "no idea"}}, "Invalid enum value 'no idea'"),
        ("key", key("1") | {"unknown": {"purpose": Reason.PERMISSION}}, "Invalid enum value 'purpose'"),
        # Where a row was found is never unknown.
        ("key", key("1") | {"unknown": {"key_id": Reason.PERMISSION}}, "Invalid enum value 'key_id'"),
        ("key", key("1", enabled=None), r"^key https://kv\.vault\.azure\.net/keys/k/1: enabled: neither a value nor a reason"),
        ("key", key("1", source_url=None), "source_url: neither a value nor a reason"),
        ("key", key("1") | {"unknown": {"enabled": Reason.PERMISSION}}, "enabled: a value and a reason"),
        ("key", key("1", tags={}) | {"unknown": {"tags": Reason.PERMISSION}}, "tags: a value and a reason"),
        ("credential", credential("1", kind="federated", issuer=None), "issuer: neither a value nor a reason"),
        ("key", {"name": "k"}, "missing required field `id`"),
        ("key", key("1") | {"name": "\ud800"}, "surrogates not allowed"),
        ("key", key("1") | {"name": "x" * (17 * 1024 * 1024)}, "a row of 17,8"),
    ],
)
def test_a_row_that_the_declaration_does_not_allow_is_a_bug(
    tmp_path: Path, table: str, row: dict[str, object], message: str
) -> None:
    with Spool.create(tmp_path / "out", RUN) as spool:
        unit = spool.unit("keys", vault_scope("kv"), KEY_OPERATIONS)
        with pytest.raises(BreachError, match=message):
            unit.row(table, row)


def test_a_table_that_is_read_more_than_once_is_read_from_its_file_once_if_it_is_small() -> None:
    sources = StoredRows({"vault", "secret"})
    once, twice = f"FROM {sources['vault']}", f"FROM {sources['secret']}, {sources['secret']}"

    def resolved(*small: str) -> list[str]:
        statements = sources.resolved([once, twice], {"vault": "a", "secret": "b"}, small)
        return [statement.text for statement in statements]

    in_memory = ["CREATE TABLE stored_in_secret AS SELECT * FROM b", "FROM a", "FROM stored_in_secret, stored_in_secret"]
    assert resolved("vault", "secret") == in_memory
    assert resolved() == ["FROM a", "FROM b, b"]
    absent, read = sources.resolved([f"FROM {sources['key']}"], {}, ())
    assert (absent.text[:30], read.text) == ("CREATE TABLE stored_in_key (id", "FROM stored_in_key")
    assert no_rows(sources, "key", "grant")
    assert not no_rows(sources, "key", "vault")


def test_a_statement_says_which_lists_it_asks_about_and_no_other() -> None:
    asked, not_asked = f"FROM ({read_to_the_end(('key.list', 'key.versions'))})", "SELECT 'lists_read WHERE operations = '"
    found = list(StoredRows(()).resolved([asked, not_asked, f"{asked} AS one, {asked} AS other"], {}, ()))
    assert [statement.lists for statement in found] == [("key.list key.versions",), (), ("key.list key.versions",)]
    assert found[0].text == "FROM (SELECT scope_id, whole, reason FROM lists_read WHERE operations = 'key.list key.versions')"


@pytest.mark.parametrize("line", [b"null", b"[1]", b"{", b"\xff", b'{"id": 1e999}', b"{}"])
def test_a_line_that_is_no_row_is_refused(line: bytes) -> None:
    with pytest.raises(BreachError, match=r"^key\b"):
        check("key", b"\n" + line + b"\n")
