"""Every request that keyaudit may send is answered, and the simulator knows it by the same name."""

from itertools import chain
from typing import Any
from urllib.parse import quote

import pytest
from msgspec.structs import replace

from keyaudit.collect.access import delegations
from keyaudit.collect.access.roles import SUBSCRIPTIONS
from keyaudit.collect.queries import together
from keyaudit.collect.scope_filters import GROUPS
from keyaudit.collect.surfaces import TOGETHER
from keyaudit.logs.live.workspaces import QUERY as WORKSPACES
from keyaudit.model.operations import OPERATIONS, Operation, Surface
from keyaudit.simulator.estate import Resource, ServicePrincipal
from keyaudit.simulator.resource_manager.events import system_topic
from keyaudit.simulator.resource_manager.logs import customer_id
from keyaudit.simulator.roles import OWNER
from keyaudit.simulator.service import Directory
from tests.simulator.client import ARM, GRAPH, LOGIN, wire
from tests.simulator.small import (
    APPLICATIONS,
    CERTIFICATE,
    GROUP,
    POLICIES,
    PRINCIPALS,
    SECRET,
    SIGNING,
    SMALL,
    STORE,
    SUBSCRIPTION,
)

HOSTS = {
    Surface.ARM: ARM,
    Surface.GRAPH: GRAPH.removesuffix("/v1.0"),
    Surface.LOGIN: LOGIN,
    Surface.VAULT: "https://kv-open.vault.azure.net",
    Surface.MANAGED_HSM: "https://hsm-open.managedhsm.azure.net",
    Surface.LOGS: "https://api.loganalytics.azure.com",
}
QUERIES = {
    "resource_graph.query": together(TOGETHER[1]),
    "workspace.query": WORKSPACES,
    **{query.operation: query.text for query in (*chain(*TOGETHER), GROUPS, delegations.QUERY, SUBSCRIPTIONS)},
}


CLUSTER = Resource(
    type="Microsoft.HardwareSecurityModules/cloudHsmClusters",
    name="chsm-main",
    subscription=SUBSCRIPTION,
    resource_group="rg-main",
    properties={},
)
TOPIC = system_topic(SMALL.vaults[0], "evgt-main", group="rg-main")
BLUEPRINT_PRINCIPAL = ServicePrincipal(
    id="50000000-0000-4000-8000-000000000777",
    app_id="a1000000-0000-4000-8000-000000000777",
    name="agents of a publisher",
    created=None,
    agent="agentIdentityBlueprintPrincipal",
)
AGENT = ServicePrincipal(
    id="50000000-0000-4000-8000-000000000778",
    app_id="50000000-0000-4000-8000-000000000778",
    name="an agent of it",
    created=None,
    agent="agentIdentity",
    blueprint=BLUEPRINT_PRINCIPAL.app_id,
)
# What {id} stands for, by an operation's name or the first part of it; an application, where nothing is said.
IDS = {
    "agent.get": AGENT.id,
    "blueprint.principal_sponsors_of": BLUEPRINT_PRINCIPAL.id,
    "blueprint": APPLICATIONS[-1].id,
    "app_management": SMALL.posture.policies[0].id,
    "service_principal": PRINCIPALS[0].id,
    "domain": "adfs.example",
    "group": GROUP.id,
    "principal.get": PRINCIPALS[0].id,
    "pki": STORE.id,
    "claims_mapping": POLICIES[0].id,
    "token_lifetime": POLICIES[1].id,
    "token_issuance": POLICIES[2].id,
}


# The resources with a list below them.
NAMES = {"front_door.secrets": "afd-main", "storage.scopes": "stmain", "sql.databases": "sql-main"}
SPAN = {"filterStartDateTime": "2026-11-01T00:00:00Z", "filterEndDateTime": "2026-11-02T00:00:00Z"}
POSTED: dict[str, dict[str, Any]] = {
    "graph.batch": {"requests": []},
    "principal.lookup": {"ids": [PRINCIPALS[0].id]},
    "audit_search.create": {**SPAN},
    "log.query": {
        "query": "AuditLogs | where TimeGenerated >= datetime(2026-11-01T00:00:00Z)"
        " and TimeGenerated < datetime(2026-11-02T00:00:00Z)"
    },
}
OF_A_SEARCH = ("audit_search.get", "audit_search.records")


def _url(operation: Operation) -> str:
    path = operation.path.format(
        tenant=SMALL.tenant_id,
        subscription=SUBSCRIPTION,
        resource_group="rg-main",
        vault="hsm-open" if operation.id.startswith("hsm.") else "kv-open",
        key=SIGNING.name,
        certificate=CERTIFICATE.name,
        secret=SECRET.name,
        version=CERTIFICATE.current if "{certificate}" in operation.path else SIGNING.current,
        kind="servers",
        cluster="chsm-main",
        topic="evgt-main",
        server="sql-main",
        name=NAMES.get(operation.id, "app"),
        part="stage",
        identity=SMALL.identities[0].name,
        role=OWNER,
        id=IDS.get(operation.id) or IDS.get(operation.id.partition(".")[0], APPLICATIONS[0].id),
        workspace=customer_id(Directory(SMALL), SMALL.logs.workspaces[0]) if operation.surface is Surface.LOGS else "log-main",
        table="AZKVAuditLogs",
        search="{search}",
    )
    of_sign_ins = {"first": "2026-11-01T00:00:00Z", "last": "2026-11-01T23:59:59.9999999Z", "kind": "servicePrincipal"}
    filled = [(name, value.format(app=APPLICATIONS[0].app_id, **of_sign_ins)) for name, value in operation.query]
    query = "&".join(f"{quote(name)}={quote(value)}" for name, value in filled)
    return f"{HOSTS[operation.surface]}{path}?{query}"


async def test_each_is_answered_under_its_own_name() -> None:
    async with wire(
        replace(
            SMALL, service_principals=(*PRINCIPALS, BLUEPRINT_PRINCIPAL, AGENT), resources=(*SMALL.resources, CLUSTER, TOPIC)
        )
    ) as client:
        for operation in (each for each in OPERATIONS.values() if each.id not in OF_A_SEARCH):
            url = _url(operation)
            before = client.simulator.calls[operation.id]
            if operation.method == "POST":
                reply = await client.post(url, POSTED.get(operation.id) or {"query": QUERIES[operation.id]})
            elif operation.surface is Surface.LOGIN:
                reply = await client.send("GET", url)
            else:
                reply = await client.get(url, dict(operation.headers))
            assert reply.status == (201 if operation.makes else 200), operation.id
            assert client.simulator.calls[operation.id] == before + 1, operation.id
            assert isinstance(reply.data, dict), operation.id


async def test_a_search_is_under_way_before_it_has_records() -> None:
    create, get, records = (_url(OPERATIONS[f"audit_search.{part}"]) for part in ("create", "get", "records"))
    async with wire(SMALL) as client:
        made = (await client.post(create, SPAN)).data
        early = await client.get(records.format(search=made["id"]))
        states = [(await client.get(get.format(search=made["id"]))).data["status"] for _ in range(3)]
        found = await client.get(records.format(search=made["id"]))
        other = await client.get(get.format(search="none"))
    assert [made["status"], *states] == ["notStarted", "running", "succeeded", "succeeded"]
    assert (early.status, found.status, other.status) == (400, 200, 404)
    assert found.data["value"] == []
    assert [client.simulator.calls[operation] for operation in OF_A_SEARCH] == [4, 2]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("AuditLogs | count", 400, "SyntaxError"),
        ("search *", 400, "SyntaxError"),
        (POSTED["log.query"]["query"].replace("AuditLogs", "NoSuchTable"), 400, "SemanticError"),
    ],
)
async def test_a_query_that_is_not_understood_is_refused(query: str, status: int, code: str) -> None:
    async with wire(SMALL) as client:
        reply = await client.post(_url(OPERATIONS["log.query"]), {"query": query})
        foreign = await client.send("POST", _url(OPERATIONS["log.query"]), headers=await client.authorization(ARM), json={})
        bare = await client.send("POST", _url(OPERATIONS["log.query"]), json={})
    assert (reply.status, reply.data["error"]["innererror"]["code"]) == (status, code)
    assert (foreign.status, foreign.data["error"]["code"]) == (403, "InvalidAuthenticationTokenAudience")
    assert (bare.status, bare.data["error"]["code"]) == (401, "AuthenticationFailed")


async def test_other_reads_of_arm() -> None:
    home = f"{ARM}/subscriptions/{SUBSCRIPTION}"
    async with wire(SMALL) as client:
        one = await client.get(f"{home}?api-version=2022-12-01")
        groups = await client.get(f"{home}/resourcegroups?api-version=2022-12-01")
        filtered = f"{home}/resources?api-version=2015-11-01&$filter=resourceType%20eq%20'Microsoft.KeyVault/vaults'"
        vaults = await client.get(filtered)
        named = await client.get(f"{filtered}%20and%20name%20eq%20'KV-open'")
        others = await client.get(filtered.replace("KeyVault", "Storage"))
        regions = await client.get(f"{home}/locations?api-version=2022-12-01")
        gone = await client.get(f"{home}/providers/Microsoft.KeyVault/deletedManagedHSMs?api-version=2026-02-01")
        sinks = await client.get(
            f"{home}/resourceGroups/rg-main/providers/Microsoft.KeyVault/vaults/kv-open/providers/Microsoft.Insights"
            "/diagnosticSettings?api-version=2021-05-01-preview"
        )
    assert one.data["displayName"] == "Production"
    assert [vault["name"] for vault in named.data["value"]] == ["kv-open"]
    assert [region["name"] for region in regions.data["value"]] == ["westeurope"]
    assert [group["name"].lower() for group in groups.data["value"]] == ["rg-main"]
    assert [len(reply.data["value"]) for reply in (vaults, others, gone, sinks)] == [2, 0, 0, 1]
