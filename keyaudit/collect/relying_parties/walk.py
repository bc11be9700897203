"""Walks the files below a folder, with a limit on their number; links are never followed."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

MOST_FILES = 5_000
"""The maximum number of files that are read."""
_MOST_ENTRIES = 500_000
_DEEPEST = 64
_NOT_OURS = frozenset({".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv", "venv", ".tox"})
"""Folders of version control and of third-party code."""


class Walk:
    """The files below `root` whose names are `wanted`, in the order of their names, with the number of skipped entries.

    A link with such a name is included unless its target is: `content` refuses it, so that it is reported. `root` has no links.
    """

    def __init__(self, root: Path, wanted: Callable[[str], bool]) -> None:
        self.root = root
        self.skipped: Counter[str] = Counter()
        self.cut: list[tuple[str, str]] = []
        """Places after which nothing was read, and why."""
        self._wanted = wanted
        self._entries = 0

    def __iter__(self) -> Iterator[Path]:
        waiting = [(self.root, 0)]
        found = 0
        while waiting:
            folder, depth = waiting.pop()
            below: list[tuple[Path, int]] = []
            for entry in self._scanned(folder):
                if self._entries > _MOST_ENTRIES or found >= MOST_FILES:
                    self.cut.append((self.name(folder), f"more than {MOST_FILES:,} files to read, or {_MOST_ENTRIES:,} in all"))
                    return
                if entry.is_symlink():
                    self.skipped["link"] += 1
                    if self._wanted(entry.name) and not self._met(Path(os.path.realpath(entry.path))):
                        found += 1
                        yield Path(entry.path)
                elif entry.is_dir(follow_symlinks=False):
                    if entry.name in _NOT_OURS:
                        self.skipped[entry.name] += 1
                    elif depth == _DEEPEST:
                        self.cut.append((self.name(Path(entry.path)), f"deeper than {_DEEPEST} folders"))
                    else:
                        below.append((Path(entry.path), depth + 1))
                elif self._wanted(entry.name):
                    found += 1
                    yield Path(entry.path)
            waiting += reversed(below)

    def name(self, path: Path) -> str:
        """The path below the root, with slashes."""
        return path.relative_to(self.root).as_posix()

    def _met(self, target: Path) -> bool:
        """Whether the target of a link is included under its own name."""
        return target.is_relative_to(self.root) and self._wanted(target.name)

    def _scanned(self, folder: Path) -> list["os.DirEntry[str]"]:
        entries: list[os.DirEntry[str]] = []
        try:
            with os.scandir(folder) as listed:
                for entry in listed:
                    self._entries += 1
                    if self._entries > _MOST_ENTRIES:
                        break
                    entries.append(entry)
        except OSError as error:
            self.cut.append((self.name(folder), f"cannot be listed: {error.strerror}"))
        return sorted(entries, key=lambda entry: entry.name)
