"""Every request that keyaudit may send, declared once: cloud/ sends nothing else, and a table's columns name these.

All of them are reads; a search of the unified audit log must be created before its result can be read. None reads a secret's
value, a private key, a backup or an export.
"""

from collections import defaultdict
from functools import cache

from msgspec import structs

from keyaudit.model.declarations import modules_in
from keyaudit.model.operations.kinds import GLOBAL_CLOUD, Operation, Paging, Recording, Right, Rights, Surface, Throttle

__all__ = [
    "BY_SURFACE",
    "GLOBAL_CLOUD",
    "OPERATIONS",
    "Operation",
    "Paging",
    "Recording",
    "Right",
    "Rights",
    "Surface",
    "Throttle",
    "with_all_before",
]

_DECLARING = sorted(
    (each for each in modules_in(__name__, "keyaudit.model.surfaces") if hasattr(each, "FAMILY")),
    key=lambda each: each.FAMILY.order,
)

BY_SURFACE: dict[str, list[Operation]] = defaultdict(list)
"""The operations by the name of their family."""
for _module in _DECLARING:
    BY_SURFACE[_module.FAMILY.name] += [
        structs.replace(each, recording=getattr(_module, "RECORDED", {}).get(each.id)) for each in _module.DECLARED
    ]

OPERATIONS: dict[str, Operation] = {operation.id: operation for declared in BY_SURFACE.values() for operation in declared}


@cache
def with_all_before(*operations: str) -> tuple[str, ...]:
    """These operations and all their prerequisites (`Operation.after`): each once, the outermost first."""
    found: dict[str, None] = {}
    for operation in operations:
        found.update(dict.fromkeys((*with_all_before(*OPERATIONS[operation].after), operation)))
    return tuple(found)
