"""Every request that keyaudit may send, declared once: cloud/ sends nothing else, and a table's columns name these.

All of them are reads; a search of the unified audit log must be created before its result can be read. None reads a secret's
value, a private key, a backup or an export.
"""

import importlib
import pkgutil

from msgspec import structs

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

_MODULES = [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
_DECLARING = sorted((each for each in _MODULES if hasattr(each, "FAMILY")), key=lambda each: each.FAMILY.order)

BY_SURFACE: dict[str, tuple[Operation, ...]] = {
    module.FAMILY.name: tuple(
        structs.replace(each, recording=getattr(module, "RECORDED", {}).get(each.id)) for each in module.DECLARED
    )
    for module in _DECLARING
}
"""The operations of each file here, by a name for people."""

OPERATIONS: dict[str, Operation] = {operation.id: operation for declared in BY_SURFACE.values() for operation in declared}


def with_all_before(*operations: str) -> tuple[str, ...]:
    """These operations and all their prerequisites (`Operation.after`): each once, the outermost first."""
    found: dict[str, None] = {}
    for operation in operations:
        found.update(dict.fromkeys((*with_all_before(*OPERATIONS[operation].after), operation)))
    return tuple(found)
