"""Reads of other services' account keys, and of the services that use keys and secrets of Key Vault."""

from keyaudit.model.operations.kinds import Family, Operation, arm, resource_graph

FAMILY = Family("other services", order=130)

DECLARED: tuple[Operation, ...] = (
    resource_graph("service.query", "services with keys (Resource Graph)"),
    resource_graph("secret_use.query", "encrypted disks and bought certificates (Resource Graph)"),
    resource_graph("host.query", "host names of resources (Resource Graph)"),
    # Resource Graph returns the key of some SQL servers only, and of none whether the server follows the key's rotation.
    arm(
        "sql.protector",
        "encryption protectors of SQL servers",
        "/subscriptions/{subscription}/resourceGroups/{resource_group}/providers/Microsoft.Sql/{kind}/{server}"
        "/encryptionProtector/current",
        version="2021-11-01",
        after=("service.query",),
    ),
)
