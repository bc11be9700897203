"""Run as a program of its own: unmodified clients of Azure, led by the environment alone; prints what they saw as JSON.

Nothing here names the simulator: proxy, CA and credentials come from HTTPS_PROXY, SSL_CERT_FILE, REQUESTS_CA_BUNDLE and
AZURE_*, as with any tenant behind a proxy.
"""

import asyncio
import json
import os
import sys
from typing import Any

from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.identity import ClientSecretCredential, DefaultAzureCredential, DeviceCodeCredential, EnvironmentCredential
from azure.identity.aio import DefaultAzureCredential as AsyncCredential
from azure.keyvault.keys import KeyClient
from azure.keyvault.keys.aio import KeyClient as AsyncKeyClient
from msgraph.generated.applications.applications_request_builder import ApplicationsRequestBuilder
from msgraph.generated.models.agent_identity import AgentIdentity
from msgraph.generated.models.agent_identity_blueprint import AgentIdentityBlueprint
from msgraph.generated.models.agent_identity_blueprint_principal import AgentIdentityBlueprintPrincipal
from msgraph.generated.models.agent_user import AgentUser
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.graph_service_client import GraphServiceClient

VAULT = "https://kv-open.vault.azure.net"
MANY = "https://kv-many.vault.azure.net"


def _word(value: object) -> str:
    """A value of the SDK's, an enum's member or a text, as it was on the wire."""
    return str(getattr(value, "value", value))


def identity() -> dict[str, Any]:
    """azure-identity, sync: a token, and a wrong secret; and a user by device code."""
    token = EnvironmentCredential().get_token("https://management.azure.com/.default")
    wrong = ClientSecretCredential(os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], "wrong")
    try:
        wrong.get_token("https://vault.azure.net/.default")
        error = ""
    except ClientAuthenticationError as refused:
        error = str(refused)
    prompts: list[str] = []
    user = DeviceCodeCredential(
        tenant_id=os.environ["AZURE_TENANT_ID"], prompt_callback=lambda _uri, code, _expires: prompts.append(code)
    )
    tokens = [user.get_token(f"https://{host}/.default").token for host in ("graph.microsoft.com", "vault.azure.net")]
    return {"parts": token.token.count("."), "error": error, "prompts": prompts, "user tokens": len(set(tokens))}


def keys() -> dict[str, Any]:
    """KeyClient, sync."""
    with KeyClient(VAULT, DefaultAzureCredential()) as client:
        found = client.get_key("Signing")
        policy = client.get_key_rotation_policy("Signing")
        unset = client.get_key_rotation_policy("elliptic")
        try:
            client.get_key("nobody")
            error = ""
        except ResourceNotFoundError as missing:
            error = (missing.error.code if missing.error else None) or ""
        return {
            "names": [one.name for one in client.list_properties_of_keys()],
            "versions": len(list(client.list_properties_of_key_versions("Signing"))),
            "deleted": [one.name for one in client.list_deleted_keys()],
            "deleted whole": client.get_deleted_key("gone").name,
            "type": _word(found.key_type),
            "operations": [_word(operation) for operation in found.key_operations],
            "expires": found.properties.expires_on.isoformat() if found.properties.expires_on else None,
            "platform": found.properties.hsm_platform,
            "rotation": [[_word(one.action), one.time_after_create, one.time_before_expiry] for one in policy.lifetime_actions],
            "expiry": policy.expires_in,
            "unset": [unset.id, unset.created_on, [_word(one.action) for one in unset.lifetime_actions]],
            "error": error,
        }


async def keys_async() -> dict[str, Any]:
    """azure-identity and KeyClient, async."""
    async with AsyncCredential() as credential, AsyncKeyClient(MANY, credential) as client:
        names = [one.name async for one in client.list_properties_of_keys()]
        versions = [one.version async for one in client.list_properties_of_key_versions("rotated")]
        found = await client.get_key("rotated", versions[0])
        policy = await client.get_key_rotation_policy("rotated")
        try:
            await client.get_key("nobody")
            status = 0
        except HttpResponseError as missing:
            status = missing.status_code or 0
    return {
        "names": len(names),
        "versions": len(versions),
        "found": found.properties.version == versions[0],
        "policy": [_word(one.action) for one in policy.lifetime_actions],
        "error": status,
    }


async def graph() -> dict[str, Any]:
    """msgraph-sdk with its models."""
    async with AsyncCredential() as credential:
        client = GraphServiceClient(credential, scopes=["https://graph.microsoft.com/.default"])
        names, pages = [], 0
        page = await client.applications.get()
        while page:
            names += [one.display_name for one in page.value or []]
            pages += 1
            link = page.odata_next_link
            page = await client.applications.with_url(link).get() if link else None
        applications = await client.applications.get(
            ApplicationsRequestBuilder.ApplicationsRequestBuilderGetRequestConfiguration(
                query_parameters=ApplicationsRequestBuilder.ApplicationsRequestBuilderGetQueryParameters(
                    select=["id", "keyCredentials", "passwordCredentials"], top=1
                )
            )
        )
        first = (applications.value or [])[0] if applications else None
        identifier = first.id if first and first.id else ""
        owners = await client.applications.by_application_id(identifier).owners.get()
        federated = await client.applications.by_application_id(identifier).federated_identity_credentials.get()
        principals = await client.service_principals.get()
        organization = await client.organization.get()
        try:
            await client.applications.by_application_id("nobody").get()
            error = None
        except ODataError as missing:
            error = missing.error.code if missing.error else None
        certificate = (first.key_credentials or [])[0] if first else None
        return {
            "applications": len(names),
            "pages": pages,
            "certificate": [certificate.usage, len(certificate.key or b"")] if certificate else [],
            "owners": len((owners.value or []) if owners else []),
            "federated": [one.issuer for one in (federated.value or [])] if federated else [],
            "principals": [one.service_principal_type for one in (principals.value or [])] if principals else [],
            "tenant": [one.display_name for one in (organization.value or [])] if organization else [],
            "error": error,
        }


async def directory() -> dict[str, Any]:
    """msgraph-sdk with its models of users, groups, activated roles, conditional access and logs."""
    async with AsyncCredential() as credential:
        client = GraphServiceClient(credential, scopes=["https://graph.microsoft.com/.default"])
        users, groups = await client.users.get(), await client.groups.get()
        roles = await client.directory_roles.get()
        role = (roles.value or [])[0] if roles else None
        members = await client.directory_roles.by_directory_role_id((role.id if role else None) or "").members.get()
        policies = await client.identity.conditional_access.policies.get()
        sign_ins, audits = await client.audit_logs.sign_ins.get(), await client.audit_logs.directory_audits.get()
        return {
            "users": [one.user_principal_name for one in (users.value if users else None) or []],
            "groups": [one.display_name for one in (groups.value if groups else None) or []],
            "role": role.display_name if role else None,
            "members": [one.id for one in (members.value if members else None) or []],
            "policies": [_word(one.state) for one in (policies.value if policies else None) or []],
            "sign-ins": [one.ip_address for one in (sign_ins.value if sign_ins else None) or []],
            "audits": [one.activity_display_name for one in (audits.value if audits else None) or []],
        }


async def agents() -> dict[str, Any]:
    """msgraph-sdk with its models of agents: by the plain lists, and by those with a cast."""
    async with AsyncCredential() as credential:
        client = GraphServiceClient(credential, scopes=["https://graph.microsoft.com/.default"])
        version = "https://graph.microsoft.com/v1.0"
        plain = await client.service_principals.get()
        cast = await client.service_principals.with_url(f"{version}/servicePrincipals/microsoft.graph.agentIdentity").get()
        blueprints = await client.applications.with_url(f"{version}/applications/microsoft.graph.agentIdentityBlueprint").get()
        users = await client.users.with_url(f"{version}/users/microsoft.graph.agentUser").get()
        registered = await client.applications.get()
    agents = [one for one in (cast.value if cast else None) or [] if isinstance(one, AgentIdentity)]
    principals = [one for one in (plain.value if plain else None) or [] if isinstance(one, AgentIdentityBlueprintPrincipal)]
    return {
        "plain": sum(isinstance(one, AgentIdentity) for one in (plain.value if plain else None) or []),
        "agents": sorted([one.display_name, one.agent_identity_blueprint_id] for one in agents),
        "same id": all(one.id == one.app_id for one in agents),
        "principals": sorted(
            [one.app_id, one.app_owner_organization_id and str(one.app_owner_organization_id)] for one in principals
        ),
        "blueprints": [
            one.app_id for one in (blueprints.value if blueprints else None) or [] if isinstance(one, AgentIdentityBlueprint)
        ],
        "registered": sum(isinstance(one, AgentIdentityBlueprint) for one in (registered.value if registered else None) or []),
        "users": [one.identity_parent_id for one in (users.value if users else None) or [] if isinstance(one, AgentUser)],
    }


if __name__ == "__main__":
    if sys.argv[1] == "agents":
        print(json.dumps(asyncio.run(agents())))
    elif sys.argv[1] == "graph":
        print(json.dumps(asyncio.run(graph()) | asyncio.run(directory())))
    else:
        print(json.dumps({"identity": identity(), "sync": keys(), "async": asyncio.run(keys_async())}))
