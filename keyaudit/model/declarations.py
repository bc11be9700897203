"""Finds the modules of the packages in which operations, tables and surfaces are declared."""

import importlib
import pkgutil
from collections.abc import Sequence
from types import ModuleType


def modules_in(*packages: str) -> Sequence[ModuleType]:
    """Every module in these packages and the packages inside, imported, in order of name."""
    found = []
    for package in map(importlib.import_module, packages):
        walked = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        found += [importlib.import_module(module.name) for module in walked]
    return found
