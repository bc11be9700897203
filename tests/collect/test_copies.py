"""Two differing copies of one object in a list: what they agree on stands, the rest is unknown, and nothing else changes."""

import asyncio
import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct, field

from keyaudit.collect.copies import stored_once
from keyaudit.inventory.snapshot import Snapshot
from keyaudit.model.coverage import State
from keyaudit.model.tables import TABLES
from keyaudit.simulator.faults import Fault
from tests.collect.estate import ESTATE
from tests.collect.rig import take

Rows = Mapping[tuple[str, str], dict[str, Any]]


def rows_of(made: Snapshot) -> Rows:
    """Every stored row, by table and id."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    with made.reading() as connection:
        for table in TABLES:
            relation = connection.execute(f"SELECT * FROM {made.stored(table)}")
            names = [column[0] for column in relation.description]
            found |= {(table, row[0]): dict(zip(names, row, strict=True)) for row in relation.fetchall()}
    return found


def put(item: dict[str, Any], path: str, value: object) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        item = item[parent]
    item[last] = value


# The list; the member in which the second copy differs, and what it is there; the table and columns that become unknown.
Case = tuple[str, str, object, str, set[str]]
ROUNDS: list[list[Case]] = [
    [
        ("service_principal.list", "accountEnabled", False, "service_principal", {"enabled"}),
        ("application.list", "signInAudience", "AzureADMultipleOrgs", "application", {"audience"}),
        ("vault.list", "properties.enableRbacAuthorization", None, "vault", {"access_model"}),
    ],
    [
        ("service_principal.list", "tags", ["x"], "service_principal", {"app_tags"}),
        ("vault.list", "properties.publicNetworkAccess", "Disabled", "vault", {"public_network_access"}),
    ],
    # Its vaults have its name, too.
    [("subscription.list", "displayName", "another", "subscription", {"name"})],
]
"""What differs in one run."""


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    return rows_of(asyncio.run(take(tmp_path_factory.mktemp("clean") / "out", estate=ESTATE)))


def repeating(member: str, value: object) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """An answer in which the first object is there a second time, with another value."""

    def again(body: dict[str, Any]) -> dict[str, Any]:
        if not body["value"]:
            return body
        second = copy.deepcopy(body["value"][0])
        put(second, member, value)
        return body | {"value": [*body["value"], second]}

    return again


@pytest.mark.parametrize("cases", ROUNDS)
async def test_copies_that_differ_are_one_object_of_which_the_rest_is_known(
    clean: Rows, tmp_path: Path, cases: list[Case]
) -> None:
    faults = [Fault(operation, "every", edit=repeating(member, value)) for operation, member, value, _, _ in cases]
    made = await take(tmp_path / "out", *faults, estate=ESTATE)
    found = rows_of(made)
    assert found.keys() == clean.keys()
    changed = {key for key, row in found.items() if row != clean[key]}
    for operation, _, _, table, columns in cases:
        own = [key for key in changed if key[0] == table]
        assert own, operation
        for key in own:
            row = found[key]
            assert {name for name, why in row["unknown"].items() if why == "inconsistent"} == columns
            still = {name: each for name, each in row.items() if name not in {*columns, "unknown"}}
            assert still == {name: clean[key][name] for name in still}
        records = [record for record in made.coverage if record.operation == operation]
        assert {record.state for record in records} == {State.ASSESSED}


class Held(Struct):
    """A stored row."""

    id: str
    name: str | None = None
    app_id: str | None = None
    unknown: dict[str, str] = field(default_factory=dict)


def test_of_stored_rows_of_one_object_neither_is_the_last_word() -> None:
    rows = [Held("a", "x", "1"), Held("b", "y"), Held("a", "z", "1"), Held("c", None, "2", {"name": "permission"})]
    found = stored_once([*rows, Held("c", None, "2", {"name": "bad_value"})], lambda row: row.id)
    assert list(found.values()) == [
        Held("a", None, "1", {"name": "inconsistent"}),
        rows[1],
        Held("c", None, "2", {"name": "inconsistent"}),
    ]


async def test_what_resource_graph_and_arm_tell_differently_of_a_vault_is_unknown(clean: Rows, tmp_path: Path) -> None:
    def turn(body: dict[str, Any]) -> dict[str, Any]:
        row = next(row for row in body["data"] if row["properties"].get("enableRbacAuthorization"))
        row["properties"]["enableRbacAuthorization"] = False
        return body

    made = await take(tmp_path / "out", Fault("vault.query", "every", edit=turn), estate=ESTATE)
    found = rows_of(made)
    [changed] = [row for key, row in found.items() if row != clean[key]]
    assert changed["unknown"]["access_model"] == "inconsistent"
    assert changed["access_model"] is None
