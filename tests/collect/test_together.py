"""What is asked of Resource Graph together comes to what each query by itself comes to, or each is sent by itself."""

import asyncio
import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from msgspec import Raw, structs

from keyaudit.collect.queries import Query, together
from keyaudit.collect.surfaces import TOGETHER
from keyaudit.model.operations import Surface
from keyaudit.simulator.estate import Estate, Resource, Subscription
from keyaudit.simulator.estates import estate
from keyaudit.simulator.faults import Fault
from tests.collect.estate import AS_OF, ESTATE, TENANT_ID
from tests.collect.refusals import BY_ITSELF, FORBIDDEN, refused
from tests.collect.rig import Collected, collect
from tests.needs import ROOT, npm, program

READS = (
    "services",
    "secrets of services",
    "consumers",
    "event subscriptions",
    "host names of resources",
    "Cloud and Dedicated HSMs",
    "alert rules",
    "managed identities",
    "role assignments",
)


SEVERAL = "resource_graph.query"
ALONE = Fault(SEVERAL, "every", status=400, body={"error": {"code": "BadRequest", "message": "no"}})
"""https://learn.microsoft.com/azure/governance/resource-graph/troubleshoot/general"""
Body = dict[str, Any]


def asked(found: Collected) -> frozenset[str]:
    """The queries that were sent by themselves, of those that can be asked together."""
    return BY_ITSELF & found.calls.keys()


def divided() -> tuple[Estate, str, str]:
    """The `ordinary` tenant in three subscriptions, and the ids of two of them."""
    one = estate("ordinary", AS_OF)
    first = one.subscriptions[0]
    others = [Subscription(id=f"{nth:08x}{first.id[8:]}", name=f"sub-{nth}") for nth in (1, 2)]
    places = [first.id, *(each.id for each in others)]
    moved = tuple(structs.replace(each, subscription=places[nth % 3]) for nth, each in enumerate(one.vaults))
    resources = tuple(structs.replace(each, subscription=places[nth % 3]) for nth, each in enumerate(one.resources))
    whole = structs.replace(one, subscriptions=(*one.subscriptions, *others), vaults=moved, resources=resources)
    return whole, others[0].id, others[1].id


def without(subscription: str) -> Callable[[Body], Body]:
    """Resource Graph says nothing of a subscription that the identity may not read."""

    def edit(body: Body) -> Body:
        rows = [row for row in body["data"] if f"/subscriptions/{subscription}/" not in f"{row['id'].lower()}/"]
        return {**body, "data": rows, "count": len(rows), "totalRecords": len(rows)}

    return edit


async def test_rows_and_coverage_are_those_of_each_query_by_itself() -> None:
    there = estate("contoso", AS_OF)
    one, each = await collect(estate=there), await collect(ALONE, estate=there)
    assert (one.rows, one.coverage) == (each.rows, each.coverage)
    assert not one.failures
    assert not asked(one)
    assert one.calls[SEVERAL] == len(TOGETHER)
    assert all(each.calls[operation] == 1 for operation in BY_ITSELF)


async def test_so_they_are_where_subscriptions_are_read_by_different_rights() -> None:
    there, closed, half = divided()
    no = FORBIDDEN[Surface.ARM]
    rights = [
        *(
            Fault(list_, "every", where=closed, status=403, body=no)
            for list_ in ("vault.list", "hsm.list", "activity_log.list")
        ),
        *(Fault("deny_assignment.list", "every", where=sub, status=403, body=no) for sub in (closed, half)),
        Fault("role_eligibility.list", "every", where=half, status=403, body=no),
    ]
    one = await collect(*rights, Fault(SEVERAL, "every", edit=without(closed)), estate=there)
    parts = [Fault(operation, "every", edit=without(closed)) for operation in BY_ITSELF]
    each = await collect(*rights, *parts, ALONE, estate=there)
    assert (one.rows, one.coverage) == (each.rows, each.coverage)
    assert (asked(one), asked(each)) == (frozenset(), BY_ITSELF)
    assert one.gaps()[f"/subscriptions/{closed}", "vault.list"] == "not_assessed permission"
    assert any(row["subscription_id"] == half for row in one.rows["vault"].values())


def _row(change: Callable[[Body], object]) -> Callable[[Body], Body]:
    """A change of the last row of each answer."""

    def edit(body: Body) -> Body:
        change(body["data"][-1])
        return body

    return edit


def _again(body: Body) -> Body:
    rows = [*body["data"][:-1], body["data"][0]] if len(body["data"]) > 1 else body["data"] * 2
    return {**body, "data": rows, "count": len(rows), "totalRecords": len(rows)}


CAUSES: Mapping[str, Fault] = {
    "not understood": ALONE,
    "refused": refused(SEVERAL, "permission"),
    "an error of the service": refused(SEVERAL, "service_error"),
    "no rows": Fault(SEVERAL, "every", edit=lambda body: {key: body[key] for key in body if key != "data"}),
    "another number of rows than announced": Fault(SEVERAL, "every", edit=lambda body: {**body, "count": body["count"] + 1}),
    "another total": Fault(SEVERAL, "every", edit=lambda body: {**body, "totalRecords": body["totalRecords"] + 1}),
    "truncated": Fault(SEVERAL, "every", edit=lambda body: {**body, "resultTruncated": "true"}),
    "an item twice": Fault(SEVERAL, "every", edit=_again),
    "an undeclared type": Fault(SEVERAL, "every", edit=_row(lambda row: row.update(type="microsoft.web/staticsites"))),
    "the type of another": Fault(SEVERAL, "every", edit=_row(lambda row: row.update(type="microsoft.compute/disks"))),
    "a column is missing": Fault(SEVERAL, "every", edit=_row(lambda row: row.pop("name"))),
    "a column too many": Fault(SEVERAL, "every", edit=_row(lambda row: row.update(kind=""))),
    "no object": Fault(SEVERAL, "every", edit=lambda body: {**body, "data": [None for _ in body["data"]]}),
    "a page that leads back": Fault(SEVERAL, "every", next_link="again"),
    "cut": Fault(SEVERAL, "every", cut=200),
}


@pytest.fixture(scope="module")
def ordinary() -> Collected:
    """The `ordinary` tenant as an unhindered run reads it."""
    return asyncio.run(collect(estate=estate("ordinary", AS_OF)))


@pytest.mark.parametrize("cause", CAUSES)
async def test_unless_the_answer_proves_to_be_whole_each_query_is_sent_by_itself(ordinary: Collected, cause: str) -> None:
    found = await collect(CAUSES[cause], estate=estate("ordinary", AS_OF))
    assert (found.rows, found.coverage) == (ordinary.rows, ordinary.coverage)
    assert asked(found) == BY_ITSELF


async def test_what_the_queries_by_themselves_do_not_prove_is_all_that_is_incomplete() -> None:
    there = estate("ordinary", AS_OF)
    found = await collect(ALONE, refused("host.query", "permission"), estate=there)
    assert found.gaps() == {(f"/tenants/{there.tenant_id}", "host.query"): "not_assessed permission"}


async def test_what_is_throttled_is_waited_for_and_not_asked_by_itself(whole: Collected) -> None:
    once = await collect(Fault(SEVERAL, 1, status=429, headers={"Retry-After": "4"}, body={"error": {"code": "RateLimiting"}}))
    assert once.coverage == whole.coverage
    assert not asked(once)
    assert once.calls[SEVERAL] == len(TOGETHER) + 1
    ever = await collect(refused(SEVERAL, "throttled"))
    assert not asked(ever)
    assert {ever.coverage[TENANT_ID, operation].reason for operation in BY_ITSELF} == {"throttled"}


async def test_an_item_that_is_no_item_of_its_query_is_that_query_s_alone() -> None:
    """As where each is sent by itself: everything else in the answer is as good as it was."""

    def spoil(body: Body) -> Body:
        for row in body["data"]:
            if row["type"] == "microsoft.insights/activitylogalerts":
                row["id"] = row["id"].replace("/resource", "/Resource").replace(row["id"].split("/")[2], "0" * 36)
        return body

    there = estate("contoso", AS_OF)
    one = await collect(Fault(SEVERAL, "every", edit=spoil), estate=there)
    each = await collect(Fault("alert_rule.query", "every", edit=spoil), estate=there)
    assert one.gaps() == each.gaps() == {(f"/tenants/{there.tenant_id}", "alert_rule.query"): "partial bad_item"}
    assert not asked(one)


async def test_pages_only_get_fewer() -> None:
    """2,100 rows of two operations are three pages, and by themselves four."""
    named: dict[str, dict[str, object]] = {
        "Microsoft.DocumentDB/databaseAccounts": {},
        "Microsoft.Network/publicIPAddresses": {"dnsSettings": {"fqdn": "a"}},
    }
    there = structs.replace(
        ESTATE,
        resources=tuple(
            Resource(
                type=type_, name=f"r{nth}", subscription=ESTATE.subscriptions[0].id, resource_group="rg", properties=properties
            )
            for type_, properties in named.items()
            for nth in range(1_050)
        ),
    )
    found = await collect(estate=there)
    each = await collect(ALONE, estate=there)
    assert (found.rows, found.coverage) == (each.rows, each.coverage)
    assert found.calls[SEVERAL] == len(TOGETHER) + 2
    assert sum(each.calls[operation] for operation in BY_ITSELF) == len(BY_ITSELF) + 2


FEW = Query(
    operation="few.query", types=("a/b", "a/c"), own=("id", "type"), paths={"x": "properties.x"}, given=("x",), always=("a/c",)
)
EVENTS = Query(operation="topic.query", types=("a/d",), own=("id",), paths={"kind": "properties.kind"}, only=("kind", "vaults"))
ALL = Query(operation="all.query", types=("a/b",), own=("id", "location", "tags"))


def test_a_query_for_several_gives_each_type_what_is_asked_of_it() -> None:
    assert FEW.text == (
        "resources | where type in~ ('a/b', 'a/c') | project id, type, x = properties.x"
        " | where isnotnull(x) or type =~ 'a/c' | order by id asc"
    )
    assert together([FEW, EVENTS, ALL]) == (
        "resources | where type in~ ('a/b', 'a/c', 'a/d') "
        "| extend few_query = type in~ ('a/b', 'a/c'), topic_query = type =~ 'a/d', all_query = type =~ 'a/b' "
        "| project id, type, kind = iff(topic_query, properties.kind, dynamic(null)), location = iff(all_query, location, ''), "
        "tags = iff(all_query, tags, dynamic(null)), x = iff(few_query, properties.x, dynamic(null)) "
        "| where isnotnull(x) or kind =~ 'vaults' or type in~ ('a/c', 'a/b') | order by id asc"
    )


@pytest.mark.parametrize(
    ("query", "type_", "row", "taken"),
    [
        (ALL, "a/b", {}, True),
        (ALL, "a/c", {}, False),
        (FEW, "a/b", {"x": None}, False),
        (FEW, "a/b", {"x": 0}, True),
        (FEW, "a/c", {"x": None}, True),
        (EVENTS, "a/d", {"kind": "Vaults"}, True),
        (EVENTS, "a/d", {"kind": "vaults2"}, False),
        (EVENTS, "a/d", {"kind": None}, False),
        (EVENTS, "a/b", {"kind": "vaults"}, False),
    ],
)
def test_a_row_belongs_to_the_queries_that_would_return_it(query: Query, type_: str, row: Body, taken: bool) -> None:
    assert query.takes(type_, {name: Raw(json.dumps(value).encode()) for name, value in row.items()}) is taken


def test_no_column_of_what_is_asked_together_has_two_meanings() -> None:
    for queries in TOGETHER:
        columns = {column for query in queries for column in query.columns.items()}
        assert len({name for name, _ in columns}) == len(columns)
        assert len({(query.table, query.above) for query in queries}) == 1


OF_TABLES = {
    **dict.fromkeys(("id", "name", "type", "tenantId", "location", "resourceGroup", "subscriptionId"), "string"),
    **dict.fromkeys(("sku", "properties", "tags", "identity"), "dynamic"),
}
"""https://learn.microsoft.com/azure/governance/resource-graph/reference/supported-tables-resources"""


@pytest.mark.exhaustive
@pytest.mark.parametrize("queries", TOGETHER, ids=lambda queries: queries[0].operation)
def test_kustos_own_language_service_accepts_every_query(queries: Sequence[Query]) -> None:
    wrong = together(queries).replace("extend ", "extent ")
    texts = {"together": together(queries), "wrong": wrong, **{query.operation: query.text for query in queries}}
    given = {"package": str(npm("@kusto/language-service-next")), "table": queries[0].table, "columns": OF_TABLES}
    command = [program("node"), str(ROOT / "tests" / "report" / "kusto.cjs")]
    ran = subprocess.run(command, input=json.dumps({**given, "queries": texts}), capture_output=True, text=True, check=True)
    found = json.loads(ran.stdout)
    assert found.pop("wrong")["wrong"]
    assert [each["wrong"] for each in found.values()] == [[]] * len(found)
    assert set(found["together"]["columns"]) == {"type"}.union(*(query.columns for query in queries))
    assert {query.operation: set(found[query.operation]["columns"]) for query in queries} == {
        query.operation: set(query.columns) for query in queries
    }
