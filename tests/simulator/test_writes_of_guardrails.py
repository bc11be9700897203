"""Writes of initiatives, alert rules, private endpoints and imported certificates: kept, or refused as by their service."""

import base64
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.simulator.estate import Resource, Workspace
from keyaudit.simulator.resource_manager.logs import workspace_id
from tests.rehearsal.reader import exported
from tests.simulator.client import ARM, GRAPH, wire
from tests.simulator.small import HSM, SMALL
from tests.simulator.test_writes_of_resources import ALL, KEPT, LOGGED, OPEN, SUBSCRIPTION, send
from tests.simulator.writes.served import EVERY_RIGHT, permit

A, V = "api-version=2025-11-01", "api-version=2025-07-01"
OF = f"{ARM}{SUBSCRIPTION}/providers/Microsoft.Authorization"
SET, ASSIGNMENT = f"{OF}/policySetDefinitions/keys", f"{OF}/policyAssignments/keys"
SIZE = "/providers/Microsoft.Authorization/policyDefinitions/cee51871-e572-4576-855c-047c820360f0"
EFFECT = {"type": "String", "allowedValues": ["Audit", "Deny"], "defaultValue": "Audit"}


def initiative(definition: str = SIZE, **given: Any) -> dict[str, Any]:
    """One reference to a definition; a `given` None is left out."""
    values = {"minimumRSAKeySize": 3072, "effect": "[parameters('effect')]", **given}
    parameters = {name: {"value": value} for name, value in values.items() if value is not None}
    reference = {"policyDefinitionId": definition, "parameters": parameters}
    return {"properties": {"parameters": {"effect": EFFECT}, "policyDefinitions": [reference]}}


async def test_an_initiative_is_kept_and_can_be_assigned() -> None:
    asked = {"properties": {"policyDefinitionId": SET.removeprefix(ARM)}}
    async with wire(SMALL, writes=ALL) as client:
        early = await send(client, "PUT", f"{ASSIGNMENT}?{A}", asked)
        made = [await send(client, "PUT", f"{SET}?{A}", initiative()) for _ in range(2)]
        assigned = await send(client, "PUT", f"{ASSIGNMENT}?{A}", asked)
        shown = (await client.get(f"{ASSIGNMENT}?{A}")).data
        missing = [await client.get(f"{place}x?{A}") for place in (SET, ASSIGNMENT)]
    async with wire(SMALL, writes=permit("keys update")) as client:
        denied = await send(client, "PUT", f"{SET}?{A}", initiative())
    assert [reply.status for reply in (early, *made, assigned, *missing, denied)] == [404, 201, 200, 201, 404, 404, 403]
    assert (shown["properties"]["policyDefinitionId"], shown["properties"]["scope"]) == (SET.removeprefix(ARM), SUBSCRIPTION)


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"properties": {"policyDefinitions": []}}, 400, "InvalidCreatePolicySetDefinitionRequest"),
        (initiative(SET.removeprefix(ARM)), 400, "InvalidCreatePolicySetDefinitionRequest"),
        (initiative(f"{SIZE[:-1]}1"), 404, "PolicyDefinitionNotFound"),
        (initiative(minimumSize=1), 400, "UndefinedPolicyParameter"),
        (initiative(minimumRSAKeySize=None), 400, "MissingPolicyParameter"),
        (initiative(minimumRSAKeySize=0), 400, "PolicyParameterValueNotAllowed"),
        (initiative(minimumRSAKeySize="3072"), 400, "InvalidPolicyParameters"),
        (initiative(effect="[parameters('effects')]"), 400, "UndefinedPolicyParameter"),
        (initiative(effect="AuditIfNotExists"), 400, "PolicyParameterValueNotAllowed"),
        (
            {"properties": {**initiative()["properties"], "parameters": {"effect": {"value": "Deny"}}}},
            400,
            "InvalidRequestContent",
        ),
    ],
)
async def test_an_initiative_gives_each_definition_what_it_declares(asked: dict[str, Any], status: int, code: str) -> None:
    """https://github.com/salesforce/cloud-guardrails/issues/53 and others, which the simulated service names."""
    async with wire(SMALL, writes=ALL) as client:
        refused = await send(client, "PUT", f"{SET}?{A}", asked)
        after = await client.get(f"{SET}?{A}")
    assert (refused.status, refused.data["error"]["code"], after.status) == (status, code, 404)


def deployment(**changed: Any) -> dict[str, Any]:
    """A template of one alert rule, with its parameters; a `changed` member is of the template."""
    rule = {
        "type": "Microsoft.Insights/scheduledQueryRules",
        "apiVersion": "2023-12-01",
        "name": "keys",
        "location": "[parameters('location')]",
        "properties": {
            "scopes": ["[parameters('workspace')]"],
            "criteria": {"allOf": [{"query": "AZKVAuditLogs"}]},
            "actions": {"actionGroups": ["ag"]},
        },
    }
    parameters = {"workspace": {"type": "string"}, "location": {"type": "string", "defaultValue": "[resourceGroup().location]"}}
    template = {"parameters": parameters, "resources": [rule], **changed}
    given = {"workspace": {"value": workspace_id(KEPT)}}
    return {"properties": {"mode": "Incremental", "template": template, "parameters": given}}


async def test_a_template_of_alert_rules_is_deployed_to_a_group_that_is_there() -> None:
    place = f"{ARM}{SUBSCRIPTION}/resourceGroups/{KEPT.resource_group}/providers/Microsoft.Resources/deployments/one"
    other = deployment()
    other["properties"]["parameters"] = {
        "workspace": {"value": workspace_id(Workspace(name="none", subscription="s", resource_group="g"))}
    }
    more, none = deployment(), deployment()
    more["properties"]["parameters"]["more"] = {"value": 1}
    none["properties"]["parameters"] = {}
    async with wire(LOGGED, writes=ALL) as client:
        valid = await send(client, "POST", f"{place}/validate?{A}", deployment())
        before = len(client.simulator.estate.logs.alert_rules)
        made = await send(client, "PUT", f"{place}?{A}", deployment())
        [rule] = [one for one in client.simulator.estate.logs.alert_rules if one.name == "keys"]
        refused = [
            await send(client, "PUT", f"{place}?{A}", asked)
            for asked in (
                none,
                more,
                other,
                deployment(resources=[{"type": "Microsoft.Insights/none", "apiVersion": "1"}]),
                deployment(resources=[{"type": "[concat('a', 'b')]"}]),
            )
        ]
        elsewhere = await send(client, "PUT", f"{place.replace(KEPT.resource_group, 'none')}?{A}", deployment())
    async with wire(LOGGED, writes=permit("keys update")) as client:
        denied = await send(client, "PUT", f"{place}?{A}", deployment())
    assert [reply.status for reply in (valid, made, *refused, elsewhere, denied)] == [
        200,
        201,
        400,
        400,
        404,
        404,
        400,
        404,
        403,
    ]
    assert (rule.query, rule.action_group, len(LOGGED.logs.alert_rules)) == ("AZKVAuditLogs", "ag", before)


async def test_a_private_endpoint_needs_a_subnet_of_its_region_and_the_right_to_approve() -> None:
    group = f"{SUBSCRIPTION}/resourceGroups/{OPEN.resource_group}/providers"
    network = Resource(
        type="Microsoft.Network/virtualNetworks",
        name="vnet",
        subscription=OPEN.subscription,
        resource_group=OPEN.resource_group,
        location=OPEN.location,
        properties={"subnets": [{"name": "endpoints"}]},
    )
    estate = replace(SMALL, resources=(*SMALL.resources, network))
    vault = f"{ARM}{group}/Microsoft.KeyVault/vaults/{OPEN.name}?api-version=2024-11-01"
    place = f"{ARM}{group}/Microsoft.Network/privateEndpoints/one?{A}"

    def asked(subnet: str = "endpoints", location: str = OPEN.location, of: str = OPEN.name) -> dict[str, Any]:
        connection = {"name": "c", "properties": {"privateLinkServiceId": f"{group}/Microsoft.KeyVault/vaults/{of}"}}
        properties = {"subnet": {"id": f"{network.id}/subnets/{subnet}"}, "privateLinkServiceConnections": [connection]}
        return {"location": location, "properties": properties}

    async with wire(estate, writes=ALL) as client:
        wrong = [await send(client, "PUT", place, each) for each in (asked("none"), asked(location="moon"), asked(of="none"))]
        made = await send(client, "PUT", place, asked())
        states = (await client.get(vault)).data["properties"]["privateEndpointConnections"]
        shown = await client.get(place)
    async with wire(estate, writes=permit("Microsoft.Network/privateEndpoints/write")) as client:
        unapproved = await send(client, "PUT", place, asked())
    assert [reply.status for reply in (*wrong, made, shown, unapproved)] == [400, 400, 404, 201, 200, 403]
    assert wrong[0].data["error"]["code"] == "InvalidResourceReference"
    assert unapproved.data["error"]["code"] == "LinkedAuthorizationFailed"
    assert [one["properties"]["privateLinkServiceConnectionState"]["status"] for one in states][-1:] == ["Approved"]


async def test_a_certificate_is_imported_without_its_private_key() -> None:
    url = f"https://{OPEN.name}.vault.azure.net/certificates/brought"
    policy = {
        "key_props": {"exportable": False, "kty": "RSA", "key_size": 3072, "reuse_key": False},
        "issuer": {"name": "Unknown"},
    }
    body = {"value": base64.b64encode(exported()).decode(), "policy": policy}
    async with wire(SMALL, writes=ALL) as client:
        made = await send(client, "POST", f"{url}/import?{V}", body)
        shown = (await client.get(f"{url}?{V}")).data
        bad = await send(client, "POST", f"{url}/import?{V}", {"value": "AAAA"})
    async with wire(SMALL, writes=permit("certificates create")) as client:
        denied = await send(client, "POST", f"{url}/import?{V}", body)
    assert [reply.status for reply in (made, bad, denied)] == [200, 400, 403]
    assert (shown["policy"]["issuer"]["name"], shown["policy"]["key_props"]["exportable"]) == ("Unknown", False)
    assert shown["policy"]["x509_props"]["subject"] == "CN=edi.contoso.example"


async def test_keys_of_an_hsm_are_disabled_rotated_and_given_a_policy() -> None:
    key = HSM.keys[0]
    url = f"https://{HSM.name}.managedhsm.azure.net/keys/{key.name}"
    rotating = {"lifetimeActions": [{"trigger": {"timeAfterCreate": "P365D"}, "action": {"type": "Rotate"}}]}
    async with wire(SMALL, writes=permit(EVERY_RIGHT)) as client:
        replies = [
            await send(client, "PATCH", f"{url}/{key.current}?{V}", {"attributes": {"enabled": False}}),
            await send(client, "PUT", f"{url}/rotationpolicy?{V}", rotating),
            await send(client, "POST", f"{url}/rotate?{V}"),
            await send(client, "POST", f"{url}x/rotate?{V}"),
        ]
        old = (await client.get(f"{url}/{key.current}?{V}")).data["attributes"]["enabled"]
        current = (await client.get(f"{url}?{V}")).data["key"]["kid"]
    async with wire(SMALL, writes=permit("keys/read/action")) as client:
        denied = await send(client, "POST", f"{url}/rotate?{V}")
    assert [reply.status for reply in (*replies, denied)] == [200, 200, 200, 404, 403]
    assert (old, current.endswith(key.current)) == (False, False)


async def test_a_storage_account_takes_a_key_that_is_there_and_cannot_be_lost() -> None:
    """https://github.com/Azure/azure-cli/issues/12346"""
    key = OPEN.keys[0].name
    account = Resource(
        type="Microsoft.Storage/storageAccounts",
        name="st",
        subscription=OPEN.subscription,
        resource_group=OPEN.resource_group,
        properties={"encryption": {"keySource": "Microsoft.Storage"}},
    )
    kept, lost = (replace(OPEN, purge_protection=protected) for protected in (True, False))
    url = f"{ARM}{account.id}?{A}"

    def asked(name: str) -> dict[str, Any]:
        named = {"keyvaulturi": f"https://{OPEN.name}.vault.azure.net", "keyname": name, "keyversion": ""}
        return {"properties": {"encryption": {"keySource": "Microsoft.Keyvault", "keyvaultproperties": named}}}

    replies, estate = [], SMALL
    for vault in (kept, lost):
        estate = replace(SMALL, resources=(account,), vaults=tuple(vault if one is OPEN else one for one in SMALL.vaults))
        async with wire(estate, writes=ALL) as client:
            replies += [await send(client, "PATCH", url, asked(name)) for name in (key, "none")]
            replies.append(await send(client, "PATCH", url.replace("/st?", "/none?"), asked(key)))
            shown = (await client.get(url)).data["properties"]["encryption"]
            if vault is kept:
                assert shown["keyvaultproperties"]["currentVersionedKeyIdentifier"].endswith(OPEN.keys[0].current)
    async with wire(estate, writes=permit("keys update")) as client:
        denied = await send(client, "PATCH", url, asked(key))
    assert [reply.status for reply in (*replies, denied)] == [200, 400, 404, 400, 400, 404, 403]


@pytest.mark.parametrize("collection", ["applications", "servicePrincipals"])
async def test_a_secret_is_added_beside_the_others(collection: str) -> None:
    """https://learn.microsoft.com/graph/api/serviceprincipal-addpassword"""
    holder: Any = SMALL.applications[0] if collection == "applications" else SMALL.service_principals[0]
    url = f"{GRAPH}/{collection}/{holder.id}"
    async with wire(SMALL, writes=ALL) as client:
        made = await send(client, "POST", f"{url}/addPassword", {"passwordCredential": {"displayName": "new"}})
        estate: Any = client.simulator.estate
        missing = await send(client, "POST", f"{url[:-1]}_/addPassword", {})
    async with wire(SMALL, writes=permit("keys update")) as client:
        denied = await send(client, "POST", f"{url}/addPassword", {})
    assert [reply.status for reply in (made, missing, denied)] == [200, 404, 403]
    [after] = [one for one in (*estate.applications, *estate.service_principals) if one.id == holder.id]
    assert len(after.passwords) == len(holder.passwords) + 1
    assert (after.passwords[-1].key_id, after.passwords[-1].display_name) == (made.data["keyId"], "new")
