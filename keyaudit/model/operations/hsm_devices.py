"""Reads of the HSMs that no key API reaches: Cloud HSM, Dedicated HSM and Payment HSM."""

from keyaudit.model.operations.about import Named
from keyaudit.model.operations.kinds import Family, Paging, arm, resource_graph

FAMILY = Family("Cloud HSM, Dedicated HSM and Payment HSM", order=45)

_CLUSTER = (
    "/subscriptions/{subscription}/resourceGroups/{resource_group}/providers/Microsoft.HardwareSecurityModules/cloudHsmClusters"
    "/{cluster}"
)

DECLARED = (
    resource_graph("hsm_device.query", "Cloud HSMs, Dedicated HSMs and Payment HSMs (Resource Graph)"),
    arm(
        "hsm_device.diagnostic_setting.list",
        "diagnostic settings of Cloud HSMs",
        f"{_CLUSTER}/providers/Microsoft.Insights/diagnosticSettings",
        version="2021-05-01-preview",
        paging=Paging.NEXT_LINK,
        after=("hsm_device.query",),
        about=Named("id", _CLUSTER),
    ),
)
