"""Finds where resources are written. The configuration is searched for the first line of each block, and not parsed."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

import msgspec

from keyaudit.inventory.disk import input_file
from keyaudit.model.errors import UsageError
from keyaudit.plan.document.terraform import Configuration, Module

_BLOCK = re.compile(rb'^[ \t]*resource[ \t]+"([A-Za-z0-9_-]+)"[ \t]+"([A-Za-z0-9_-]+)"', re.MULTILINE)
_STEP = re.compile(r'module\.([A-Za-z0-9_-]+)(?:\[(?:\d+|"(?:[^"\\]|\\.)*")\])?\.?')
_MOST_FILES = 2_000
_MAX_FILE = 4 * 1024 * 1024
_INSTALLED = ".terraform/modules/modules.json"
"""Where `terraform init` notes the folder of each module."""


class _Installed(msgspec.Struct, rename="pascal"):
    key: str
    dir: str


class _Modules(msgspec.Struct, rename="pascal"):
    modules: list[_Installed] = []


class Source:
    """The blocks of a configuration in a folder. Nothing outside that folder is read."""

    def __init__(self, folder: Path, configuration: Configuration) -> None:
        self._folder = folder.absolute()
        self._root = configuration.root_module
        self._installed = dict(self._of_init())
        self._blocks: dict[tuple[str, ...], Mapping[str, tuple[str, int]]] = {}
        self._files = 0

    def find(self, module_address: str, resource: str) -> tuple[str, int] | None:
        """The file and line of a resource ("azurerm_key_vault.main") in a module; None if it is not found."""
        path = tuple(step[1] for step in _STEP.finditer(module_address))
        if path not in self._blocks:
            found = self._folder_of(path)
            self._blocks[path] = dict(self._search(found)) if found else {}
        return self._blocks[path].get(resource)

    def _folder_of(self, path: tuple[str, ...]) -> Path | None:
        installed = self._installed.get(".".join(path))
        if installed is not None:
            return self._inside(self._folder / installed)
        here, module = self._folder, self._root
        for name in path:
            call = module.module_calls.get(name)
            # Other sources than a folder are in no place that the plan tells.
            if call is None or not call.source.startswith(("./", "../")):
                return None
            here, module = here / call.source, call.module or Module()
        return self._inside(here)

    def _inside(self, folder: Path) -> Path | None:
        try:
            whole = folder.resolve()
        except (OSError, RuntimeError, ValueError):
            return None
        return whole if whole.is_relative_to(self._folder.resolve()) else None

    def _search(self, folder: Path) -> Iterator[tuple[str, tuple[str, int]]]:
        try:
            paths = sorted(path for path in folder.iterdir() if path.suffix in (".tf", ".tofu"))
        except (OSError, ValueError):
            return
        for path in paths:
            self._files += 1
            if self._files > _MOST_FILES:
                return
            try:
                data = input_file.read(path, _MAX_FILE)
            except UsageError:
                continue
            name = _shown(path)
            for match in _BLOCK.finditer(data):
                line = data.count(b"\n", 0, match.start()) + 1
                yield f"{match[1].decode()}.{match[2].decode()}", (name, line)

    def _of_init(self) -> Iterator[tuple[str, str]]:
        path = self._folder / _INSTALLED
        if not input_file.is_there(path):
            return
        try:
            found = msgspec.json.decode(input_file.read(path, _MAX_FILE), type=_Modules)
        except (UsageError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return
        yield from ((each.key, each.dir) for each in found.modules if each.key)


def _shown(path: Path) -> str:
    """A path as build agents take it: from the current folder, with slashes."""
    try:
        return path.relative_to(Path.cwd().resolve()).as_posix()
    except ValueError:
        return str(PurePosixPath(path.as_posix()))
