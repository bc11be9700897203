"""A plan with what is expected of it, and the parts that many plans have."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from tests.plan.configuration import Call, Configuration, Module, Provider, Resource, resource
from tests.plan.terms import ref

Result = tuple[str, str]
"""A policy, and the resource as a finding names it."""
WORKSPACE = ref("var.workspace")
ALICE = "0a11ce00-0000-4000-8000-000000000001"
"""The object id of a user."""
ADMINISTRATORS = tuple(f"ad000000-0000-4000-8000-00000000000{number}" for number in range(3))
"""The object ids of users who administer Managed HSMs."""


class Plan(Struct, frozen=True, kw_only=True):
    """One configuration that is planned."""

    name: str
    after: Configuration
    before: Configuration | None = None
    """The configuration that was applied earlier."""
    age: int = 60
    """The number of days since then."""
    fails: frozenset[Result] = frozenset()
    """The findings about objects of the plan once it is applied, from the documents of the providers and services."""
    unknown: frozenset[Result] = frozenset()
    """Results that may be unknown until the plan is applied."""
    other_subscriptions: Mapping[str, str] = field(default_factory=dict)
    """Name of a subscription by the alias of the provider that uses it."""

    @property
    def subscription(self) -> str:
        """The id of its subscription."""
        return subscription_id(self.name)


_ALONE = frozenset(("identity-owner", "app-opens-subscription", "aliased-other"))
"""The subscriptions in which a plan gives roles over everything, or that belong to another provider block."""
SHARED = "planned"
"""The subscription of all other plans; each has its own resource group. Reading many subscriptions takes long."""


def subscription_name(name: str) -> str:
    """The name of a plan's subscription."""
    return name if name in _ALONE else SHARED


def subscription_id(name: str) -> str:
    """The id of a plan's subscription."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"plan {subscription_name(name)}"))


def configuration(
    name: str,
    *resources: Resource,
    calls: Sequence[Call] = (),
    outputs: Mapping[str, Any] | None = None,
    local: Mapping[str, Any] | None = None,
    **given: Any,
) -> Configuration:
    """A root module in the plan's subscription, with a resource group `rg-NAME` and who runs Terraform."""
    group = resource("azurerm_resource_group.main", name=f"rg-{name}", location="westeurope")
    client = resource("data.azurerm_client_config.current")
    variables = {"workspace": None, **dict.fromkeys(given)}
    return Configuration(
        root=Module(
            resources=[group, client, *resources],
            calls=calls,
            outputs=outputs or {},
            # A variable without a default is set in `given`.
            variables=variables,
            local=local or {},
        ),
        providers=[
            Provider(name="azurerm", arguments={"features": [{}], "subscription_id": subscription_id(name)}),
        ],
        given=given,
    )


def vault(address: str, name: str, **changes: Any) -> Resource:
    """A vault of an architect: roles, purge protection, no public network."""
    good: dict[str, Any] = {
        "name": name,
        "location": ref("azurerm_resource_group.main.location"),
        "resource_group_name": ref("azurerm_resource_group.main.name"),
        "tenant_id": ref("data.azurerm_client_config.current.tenant_id"),
        "sku_name": "premium",
        "rbac_authorization_enabled": True,
        "purge_protection_enabled": True,
        "public_network_access_enabled": False,
        "network_acls": [{"default_action": "Deny", "bypass": "AzureServices"}],
        "tags": {"env": "prod", "owner": "platform"},
    }
    return resource(address, **{name: value for name, value in {**good, **changes}.items() if value is not None})


def logged(address: str, target: str) -> Resource:
    """The audit log of a vault or HSM, to the workspace of the tenant."""
    return resource(
        address,
        name="audit",
        target_resource_id=ref(target),
        log_analytics_workspace_id=WORKSPACE,
        log_analytics_destination_type="Dedicated",
        enabled_log=[{"category_group": "audit"}],
    )


def good_vault(name: str) -> tuple[Resource, ...]:
    """A vault `azurerm_key_vault.main` whose audit log is kept."""
    return vault("azurerm_key_vault.main", name), logged("azurerm_monitor_diagnostic_setting.main", "azurerm_key_vault.main.id")


def key(address: str, name: str, **changes: Any) -> Resource:
    """A signing key of an architect in `azurerm_key_vault.main`: in the HSM, with an end, replaced in time."""
    good: dict[str, Any] = {
        "name": name,
        "key_vault_id": ref("azurerm_key_vault.main.id"),
        "key_type": "RSA-HSM",
        "key_size": 3072,
        "key_opts": ["sign", "verify"],
        "expiration_date": "2027-09-01T00:00:00Z",
        "rotation_policy": [
            {"expire_after": "P1Y", "notify_before_expiry": "P30D", "automatic": [{"time_before_expiry": "P60D"}]}
        ],
    }
    return resource(address, **{name: value for name, value in {**good, **changes}.items() if value is not None})


def identity(address: str, name: str, **more: Any) -> Resource:
    """A user-assigned identity."""
    place = {
        "location": ref("azurerm_resource_group.main.location"),
        "resource_group_name": ref("azurerm_resource_group.main.name"),
    }
    return resource(address, name=name, **place, **more)


def results(*lines: str) -> frozenset[Result]:
    """Results, each written as `policy: resource`; several policies of one resource with spaces between."""
    found = set()
    for line in lines:
        policies, _, name = line.partition(": ")
        found |= {(policy, name) for policy in policies.split()}
    return frozenset(found)
