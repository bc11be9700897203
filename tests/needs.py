"""What a test needs that a bare machine may lack: without it the test is skipped with a reason, and in CI it fails."""

import importlib.util
import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).parent.parent


def program(name: str) -> str:
    """The path of a program."""
    return shutil.which(name) or _without(f"the program {name}")


def module(name: str) -> None:
    """A Python module that only tests use, and not all of them."""
    if importlib.util.find_spec(name) is None:
        _without(f"the Python module {name}")


def npm(path: str) -> Path:
    """A file of an npm package, by its path below `node_modules`: `npm install --prefix .ci` puts it there."""
    found = ROOT / ".ci" / "node_modules" / path
    return found if found.exists() else _without(f"the npm package's file {path}")


def tool(path: str) -> Path:
    """A program that CI installs into a virtual environment of its own, by its path below `.ci/tools`."""
    found = ROOT / ".ci" / "tools" / path
    return found if found.exists() else _without(f"the program .ci/tools/{path}")


def _without(what: str) -> NoReturn:
    if os.environ.get("KEYAUDIT_CI"):
        pytest.fail(f"{what} is not installed, and CI runs every test")
    pytest.skip(f"{what} is not installed")
