"""The documented example of every resource: attribute names and values of its page, with what it refers to.

Pages of hashicorp/terraform-provider-azurerm at 69697b7f (website/docs/r/NAME.html.markdown), -azuread at f0169e0e
(docs/resources/NAME.md), Azure/terraform-provider-azapi at c43c57bb and hashicorp/terraform-provider-time at 16bc819e. Files
that an example reads are constants here; data sources that have no schema here are constants, too.
"""

from collections.abc import Mapping

from tests.plan.configuration import Resource, resource
from tests.plan.examples.entra import ENTRA
from tests.plan.examples.parts import CLIENT, GROUP, Example, identity
from tests.plan.examples.services import SERVICES
from tests.plan.examples.vaults import VAULTS
from tests.plan.terms import ref


def _of_azure(type_: str, *resources: Resource) -> Example:
    name = type_.removeprefix("azurerm_")
    return Example(f"website/docs/r/{name}.html.markdown", [GROUP, CLIENT, *resources])


def _of_entra(type_: str, *resources: Resource) -> Example:
    return Example(f"docs/resources/{type_.removeprefix('azuread_')}.md", resources)


_OTHERS = {
    "azapi_resource": Example(
        "docs/resources/resource.md",
        [
            GROUP,
            identity(),
            resource(
                "azapi_resource.example",
                type="Microsoft.ContainerRegistry/registries@2020-11-01-preview",
                name="registry1",
                parent_id=ref("azurerm_resource_group.example.id"),
                location=ref("azurerm_resource_group.example.location"),
                identity=[
                    {
                        "type": "SystemAssigned, UserAssigned",
                        "identity_ids": [ref("azurerm_user_assigned_identity.example.id")],
                    }
                ],
                body={"sku": {"name": "Standard"}, "properties": {"adminUserEnabled": True}},
                tags={"Key": "Value"},
                response_export_values=["properties.loginServer", "properties.policies.quarantinePolicy.status"],
            ),
        ],
    ),
    "time_offset": Example("docs/resources/offset.md", [resource("time_offset.example", offset_days=7)]),
}
EXAMPLES: Mapping[str, Example] = {
    **{type_: _of_azure(type_, *resources) for type_, resources in (*VAULTS, *SERVICES)},
    **{type_: _of_entra(type_, *resources) for type_, resources in ENTRA},
    **_OTHERS,
}
