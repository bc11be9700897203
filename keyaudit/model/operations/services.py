"""Reads of other services' account keys, and of the services that use keys and secrets of Key Vault."""

from collections.abc import Iterator

from keyaudit.model.consumers import CHILDREN, QUERY, Consumer
from keyaudit.model.operations.kinds import Family, Operation, Paging, arm, resource_graph

FAMILY = Family("other services", order=130)


def _children() -> Iterator[Operation]:
    """The lists of settings below a resource, as `model.consumers` declares them."""
    for each in CHILDREN:
        if each.children is not None:
            path = f"/subscriptions/{{subscription}}/resourceGroups/{{resource_group}}/providers/{_named(each)}"
            yield arm(
                each.children.operation,
                each.children.noun,
                f"{path}{each.children.path}",
                version=each.children.version,
                paging=Paging.NEXT_LINK,
                after=(QUERY,),
                discloses=each.children.discloses,
            )


def _named(consumer: Consumer) -> str:
    """The type with a placeholder for each name: Microsoft.Web/sites/{name}/slots/{part}."""
    provider, *types = consumer.type.split("/")
    return "/".join((provider, *(f"{each}/{{{name}}}" for each, name in zip(types, ("name", "part"), strict=False))))


DECLARED: tuple[Operation, ...] = (
    resource_graph("service.query", "services with access keys (Resource Graph)"),
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
    resource_graph(QUERY, "services that use keys, certificates and secrets (Resource Graph)"),
    *_children(),
)
