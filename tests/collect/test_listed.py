"""The table names every list that adds rows, so that rows which a failed list would have added are known to be missing."""

import re

from keyaudit.model.operations import OPERATIONS, Paging
from keyaudit.model.tables import TABLES
from keyaudit.simulator.estates import estate
from tests.collect.estate import AS_OF
from tests.collect.rig import collect

FILLS = {("subscription", "subscription.query"), ("federated_domain", "domain.federation")}
"""Lists that are asked about rows which are there without them."""

_PLACEHOLDER = re.compile(r"\\\{\w+\\\}")
ADDRESSES = {
    id_: re.compile("https://[^/]+" + _PLACEHOLDER.sub("[^/]*", re.escape(operation.path)))
    for id_, operation in OPERATIONS.items()
}


def adds(table: str, operation: str) -> bool:
    """Whether the table is said to be listed by this operation, or by what leads to it where it is asked of one object."""
    listed_by = set(TABLES[table].listed_by)
    declared = OPERATIONS[operation]
    single = declared.paging is Paging.NONE or (table, operation) in FILLS
    return operation in listed_by or (single and bool(declared.after) and listed_by.issuperset(declared.after))


async def test_every_row_of_a_tenant_comes_from_what_its_table_is_listed_by() -> None:
    found = await collect(estate=estate("contoso", AS_OF))
    assert found.gaps() == {}
    for table in (table for table in TABLES.values() if table.listed_by):
        rows = found.rows[table.name].values()
        assert rows, table.name
        for url in {row["source_url"] for row in rows}:
            gave = [operation for operation, address in ADDRESSES.items() if address.fullmatch(url)]
            assert any(adds(table.name, operation) for operation in gave), (table.name, url)
    eligible = [row["source_url"] for row in found.rows["grant"].values() if "roleEligibility" in row["source_url"]]
    assert eligible
