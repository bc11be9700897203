"""Lists end where they end: empty pages with a link, a null link, no link, and caps without one."""

import pytest
from msgspec import structs

from tests.simulator.client import ARM, GRAPH, wire
from tests.simulator.small import APPLICATIONS, EMPTY_SUBSCRIPTION, MANY, SMALL, SUBSCRIPTION

VAULTS = f"{ARM}/subscriptions/{SUBSCRIPTION}/providers/Microsoft.KeyVault/vaults?api-version=2026-02-01"
KEYS = "https://kv-many.vault.azure.net/keys"
QUERY = "resources | where type =~ 'microsoft.keyvault/vaults' | project id, name | order by id asc"


async def test_vaults_come_on_four_pages_of_0_2_0_and_0() -> None:
    async with wire(SMALL) as client:
        pages = await client.pages(VAULTS)
        single = await client.pages(f"{VAULTS}&$top=1")
        empty = await client.pages(VAULTS.replace(SUBSCRIPTION, EMPTY_SUBSCRIPTION))
    assert [len(page["value"]) for page in pages] == [0, 2, 0, 0]
    assert ["nextLink" in page for page in pages] == [True, True, True, False]
    assert [len(page["value"]) for page in single] == [0, 1, 1, 0, 0]
    assert "$skiptoken=ServiceBased," in pages[0]["nextLink"]
    assert "&$top=1&$skiptoken=" in single[0]["nextLink"]
    assert empty == [{"value": []}]


async def test_a_resource_group_ends_with_an_empty_page() -> None:
    async with wire(SMALL) as client:
        pages = await client.pages(VAULTS.replace("/providers", "/resourceGroups/RG-MAIN/providers"))
    assert [len(page["value"]) for page in pages] == [2, 0]


async def test_keys_come_on_pages_of_25_at_most_and_the_last_has_a_null_link() -> None:
    async with wire(SMALL) as client:
        pages = await client.pages(f"{KEYS}?maxresults=25&api-version=2025-07-01")
        versions = await client.pages(f"{KEYS}/rotated/versions?api-version=2025-07-01")
        unknown = await client.get(f"{KEYS}/nobody/versions?api-version=7.5")
        over = await client.get(f"{KEYS}?maxresults=26&api-version=7.5")
    assert [len(page["value"]) for page in pages] == [24, 25, 12]
    link = pages[0]["nextLink"]
    assert link.startswith("https://kv-many.vault.azure.net:443/keys?api-version=2025-07-01&$skiptoken=")
    assert link.endswith("&maxresults=25")
    assert pages[-1]["nextLink"] is None
    names = [item["kid"].rsplit("/", 1)[1] for page in pages for item in page["value"]]
    assert names == sorted(key.name for key in MANY.keys)
    assert [len(page["value"]) for page in versions] == [25, 5]
    # The service may link on with an api-version of its own.
    assert "/keys/rotated/versions?api-version=7.6&$skiptoken=" in versions[0]["nextLink"]
    ids = [item["kid"].rsplit("/", 1)[1] for page in versions for item in page["value"]]
    assert ids == sorted(ids)
    created = [item["attributes"]["created"] for page in versions for item in page["value"]]
    assert created != sorted(created)
    assert unknown.data == {"value": [], "nextLink": None}
    assert over.status == 400


async def test_resource_graph_pages_by_skip_token() -> None:
    url = f"{ARM}/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01"
    async with wire(SMALL) as client:
        first = await client.post(url, {"query": QUERY, "options": {"$top": 1}})
        second = await client.post(url, {"query": QUERY, "options": {"$top": 1, "$skipToken": first.data["$skipToken"]}})
        limited = await client.post(url, {"query": f"{QUERY} | limit 2", "options": {"$top": 1}})
        other = await client.post(url, {"query": QUERY, "subscriptions": [EMPTY_SUBSCRIPTION]})
    assert (first.data["totalRecords"], first.data["count"], first.data["resultTruncated"]) == (2, 1, "true")
    assert (second.data["count"], second.data["resultTruncated"]) == (1, "false")
    assert "$skipToken" not in second.data
    assert [reply.data["data"][0]["name"] for reply in (first, second)] == ["kv-many", "kv-open"]
    # With a limit of the query's own the service gives no token, and the rest is lost.
    assert limited.data["resultTruncated"] == "true"
    assert "$skipToken" not in limited.data
    assert other.data["totalRecords"] == 0
    assert first.headers["x-ms-user-quota-remaining"] == "15"
    assert first.headers["x-ms-user-quota-resets-after"] == "00:00:05"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"query": "resources | summarize count()"}, "InvalidQuery"),
        ({"query": "resources | where name == 'x'"}, "InvalidQuery"),
        ({"query": "policyresources"}, "InvalidQuery"),
        ({}, "InvalidRequest"),
        ({"query": QUERY, "options": {"$top": 1001}}, "InvalidQuery"),
        ({"query": QUERY, "options": {"$skipToken": "x"}}, "InvalidQuery"),
        ({"query": QUERY, "subscriptions": ["0"]}, "NoValidSubscriptionsInQueryRequest"),
        ([], "InvalidRequest"),
    ],
)
async def test_resource_graph_refuses_what_it_does_not_simulate(body: object, code: str) -> None:
    async with wire(SMALL) as client:
        reply = await client.post(f"{ARM}/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01", body)
    assert (reply.status, reply.data["error"]["details"][0]["code"]) == (400, code)


async def test_resource_graph_projects_columns() -> None:
    query = (
        "resources | where type in~ ('microsoft.keyvault/vaults', 'microsoft.keyvault/managedhsms') "
        "| project id, group=resourceGroup, rbac=properties.enableRbacAuthorization, "
        "sku=tostring(properties.sku.name), tags, nothing=properties.none.deeper | order by id asc"
    )
    async with wire(SMALL) as client:
        url = f"{ARM}/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01"
        rows = (await client.post(url, {"query": query})).data["data"]
        whole = (await client.post(url, {"query": "Resources | where type == 'microsoft.keyvault/vaults'"})).data["data"]
        cased = (await client.post(url, {"query": "Resources | where type == 'Microsoft.KeyVault/vaults'"})).data
    assert [list(row) for row in rows] == [["id", "group", "rbac", "sku", "tags", "nothing"]] * 3
    assert [row["rbac"] for row in rows] == [None, None, True]
    assert [row["tags"] for row in rows] == [None, None, {"env": "prod"}]
    # The table holds groups in lower case, ids as they were spelled.
    assert rows[2]["group"] == "rg-main"
    assert "/Rg-Main/" in rows[2]["id"]
    assert whole[0]["type"] == "microsoft.keyvault/vaults"
    assert cased["totalRecords"] == 0


async def test_graph_pages_of_100_by_default_and_999_at_most() -> None:
    async with wire(SMALL) as client:
        pages = await client.pages(f"{GRAPH}/applications?$select=appId,id", "@odata.nextLink")
        whole = await client.pages(f"{GRAPH}//applications?%24select=id&%24top=999", "@odata.nextLink")
        over = await client.get(f"{GRAPH}/applications?$top=1000")
    assert [len(page["value"]) for page in pages] == [100, 30]
    assert "$skiptoken=" in pages[0]["@odata.nextLink"]
    assert "@odata.nextLink" not in pages[-1]
    # Members come in Graph's order, not in that of $select.
    assert list(pages[0]["value"][0]) == ["id", "appId"]
    assert [len(page["value"]) for page in whole] == [130]
    assert (over.status, over.data["error"]["code"]) == (400, "Request_UnsupportedQuery")


async def test_expanded_owners_stop_at_20_and_nothing_says_so() -> None:
    async with wire(SMALL) as client:
        page = (await client.get(f"{GRAPH}/applications?$select=id&$expand=owners($select=id)&$top=2")).data
        owners = (await client.get(f"{GRAPH}/applications/{APPLICATIONS[0].id}/owners?$select=id&$top=999")).data
    assert [len(item["owners"]) for item in page["value"]] == [20, 0]
    assert list(page["value"][0]) == ["id", "owners"]
    assert not [name for name in page["value"][0] if "nextLink" in name]
    assert len(owners["value"]) == 25
    assert owners["value"][0] == {"@odata.type": "#microsoft.graph.user", "id": APPLICATIONS[0].owners[0]}


async def test_counting_federated_credentials_needs_the_consistency_header() -> None:
    url = f"{GRAPH}/applications?$filter=federatedIdentityCredentials/$count%20ne%200&$count=true&$select=id"
    async with wire(SMALL) as client:
        without = await client.get(url)
        found = await client.get(url, {"ConsistencyLevel": "eventual"})
    assert (without.status, without.data["error"]["code"]) == (400, "Request_UnsupportedQuery")
    assert found.data["@odata.count"] == 1
    assert found.data["value"] == [{"id": APPLICATIONS[0].id}]


async def test_keys_by_arm() -> None:
    keys = f"{ARM}//subscriptions/{SUBSCRIPTION}/resourcegroups/RG-MAIN/providers/microsoft.keyvault/vaults/kv-open/keys"
    async with wire(SMALL) as client:
        listed = await client.pages(f"{keys}?api-version=2026-02-01")
        signing = (await client.get(f"{keys}/signing?api-version=2026-02-01")).data
        versions = await client.pages(f"{keys}/signing/versions?api-version=2026-02-01")
        name = versions[0]["value"][0]["name"]
        one = (await client.get(f"{keys}/signing/versions/{name}?api-version=2026-02-01")).data
        curve = (await client.get(f"{keys}/elliptic?api-version=2026-02-01")).data
        missing = await client.get(f"{keys}/signing/versions/0?api-version=2026-02-01")
    assert len(listed[0]["value"]) == 5
    assert list(listed[0]["value"][0]["properties"]) == ["attributes", "keyUri"]
    assert list(signing["properties"]) == [
        "attributes", "kty", "keyOps", "keySize", "keyUri", "keyUriWithVersion", "rotationPolicy"
    ]  # fmt: skip
    assert not {"hsmPlatform", "recoverableDays"} & set(signing["properties"]["attributes"])
    assert len(versions[0]["value"]) == 3
    assert "rotationPolicy" not in one["properties"]
    assert curve["properties"]["curveName"] == "P-256"
    assert missing.status == 404


async def test_a_page_token_from_elsewhere_is_refused() -> None:
    async with wire(SMALL) as client:
        statuses = [
            (await client.get(url)).status
            for url in (
                f"{VAULTS}&$skiptoken=x",
                f"{KEYS}?api-version=7.5&$skiptoken=x",
                f"{GRAPH}/applications?$skiptoken=x",
            )
        ]
    assert statuses == [400, 400, 400]


async def test_a_page_of_megabytes_arrives_whole() -> None:
    many = tuple(structs.replace(APPLICATIONS[0], id=f"{number}") for number in range(999))
    async with wire(structs.replace(SMALL, applications=many)) as client:
        plain = await client.get(f"{GRAPH}/applications?$top=999", {"Accept-Encoding": "identity"})
        packed = await client.get(f"{GRAPH}/applications?$top=999", {"Accept-Encoding": "gzip"})
    assert len(plain.data["value"]) == 999
    assert plain.body == packed.body
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
