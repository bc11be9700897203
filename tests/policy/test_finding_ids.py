"""A finding's id, or how it begins, stands for its resource where a command takes one."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, cast

import duckdb
import pytest

from keyaudit import ask
from keyaudit.inventory.snapshot import Snapshot
from keyaudit.model.errors import UsageError
from keyaudit.model.results.causes import SHORT, fingerprint
from keyaudit.model.tables import TABLES
from keyaudit.policy.load import load
from tests.policy.inventory import VAULT, inventory, key

POLICY = "kv-key-exportable"


class Stored:
    """A snapshot with the rows of an inventory."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection, self.tables = connection, TABLES
        self.run = type("Run", (), {"as_of": 0})

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        yield self.connection

    def stored(self, table: str) -> str:
        return f'"{table}"'


def meant(asked: str, *, of: str = "access", **rows: Any) -> str:
    with inventory(**rows) as connection:
        stored = cast("Snapshot", Stored(connection))
        text, _ = ask.resolve(stored, asked, ask.ACCESS if of == "access" else ask.KEYS, required=False)
        return text


def id_of(name: str, policy: str = POLICY) -> str:
    [subject] = [each.subject for each in load() if each.text.id == policy]
    return fingerprint(policy, str(key(name)[subject]))


@pytest.mark.parametrize("digits", [16, 9, SHORT])
@pytest.mark.parametrize("case", [str.lower, str.upper])
def test_it_is_the_key_of_the_finding(digits: int, case: Any) -> None:
    rows = [key("a"), key("b")]
    assert meant(case(id_of("a")[:digits]), key=rows) == rows[0]["key_id"]


def test_any_other_text_stays() -> None:
    short = id_of("a")[: SHORT - 1]
    for text in (short, "kv-a/a", "0123456789abcdef", f"{id_of('a')}0", "g" * SHORT, ""):
        assert meant(text, key=[key("a")]) == text


def test_two_findings_about_one_key_are_no_question() -> None:
    assert {meant(id_of("a", policy), key=[key("a")]) for policy in (POLICY, "kv-key-release-policy-mutable")} == {
        key("a")["key_id"]
    }


def test_several_that_begin_so_are_listed() -> None:
    first: dict[str, str] = {}
    names = (f"k{number}" for number in count())
    other, name = next((before, name) for name in names if (before := first.setdefault(id_of(name)[:SHORT], name)) != name)
    rows = [key(other), key(name)]
    with pytest.raises(UsageError) as error:
        meant(id_of(name)[:SHORT], key=rows)
    assert all(f"{id_of(each)} ({POLICY})" in str(error.value) for each in (other, name))
    assert "give more digits" in str(error.value)
    assert meant(id_of(name), key=rows) == rows[1]["key_id"]


def test_a_finding_about_something_else_says_what_it_is_about() -> None:
    vault = {"id": VAULT.id, "name": VAULT.name, "kind": "vault"}
    asked = fingerprint("kv-purge-protection-off", VAULT.id)
    assert meant(asked, vault=[vault]) == VAULT.id
    with pytest.raises(UsageError, match=f"finding {asked} is about vaults"):
        meant(asked, of="incident", vault=[vault])


def test_a_credential_is_its_certificate_for_an_incident_and_its_application_for_access() -> None:
    row = {"id": "/tenants/t/applications/a/credentials/c", "app_id": "client", "thumbprint_sha256": "AB" * 32}
    asked = fingerprint("app-cert-too-long", row["id"])
    assert meant(asked, of="incident", credential=[row]) == row["thumbprint_sha256"]
    assert meant(asked, of="incident", credential=[{**row, "thumbprint_sha256": None}]) == "client"
    assert meant(asked, credential=[row]) == "client"
