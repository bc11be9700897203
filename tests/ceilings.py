"""Counts lines and files, and holds them to `tests/ceilings.toml`: `python -m tests.ceilings`.

A ceiling is raised only in the commit that needs it, with its reason beside it.
"""

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct, convert

ROOT = Path(__file__).parent.parent
FILE = Path(__file__).with_suffix(".toml")
SHIPPED = ("keyaudit", "policies")


class Ceiling(Struct, frozen=True, forbid_unknown_fields=True):
    """The most that there may be, and why it is not less."""

    most: int
    why: str


class Ceilings(Struct, frozen=True, forbid_unknown_fields=True):
    """The ceilings of a checkout."""

    wheel: Ceiling
    """Lines of every file that the wheel ships."""
    tests: Ceiling
    """Lines of Python in tests/."""
    folder: Ceiling
    """Modules of one folder."""


def read(path: Path = FILE) -> Ceilings:
    """The ceilings in a file. Raises ValueError if one has no reason."""
    ceilings = convert(tomllib.loads(path.read_text(encoding="utf-8")), Ceilings)
    every = (ceilings.wheel, ceilings.tests, ceilings.folder)
    if not all(ceiling.why.strip() for ceiling in every):
        raise ValueError(f"{path.name}: every ceiling has its reason in `why`")
    return ceilings


def exceeded(root: Path, ceilings: Ceilings) -> Iterator[str]:
    """What is above its ceiling in a checkout."""
    for name, count, ceiling in (
        ("wheel", lines(root, SHIPPED, "*"), ceilings.wheel),
        ("tests", lines(root, ("tests",), "*.py"), ceilings.tests),
    ):
        if count > ceiling.most:
            yield f"{name}: {count:,} lines; at most {ceiling.most:,}"
    for folder, count in sorted(modules(root).items()):
        if count > ceilings.folder.most:
            yield f"{folder}: {count} modules; at most {ceilings.folder.most}"


def lines(root: Path, folders: tuple[str, ...], pattern: str) -> int:
    """The lines of the files in folders."""
    return sum(path.read_bytes().count(b"\n") for folder in folders for path in _files(root / folder, pattern))


def modules(root: Path) -> dict[str, int]:
    """The number of modules in each folder of what is shipped."""
    counts: dict[str, int] = {}
    for path in _files(root / "keyaudit", "*.py"):
        folder = path.parent.relative_to(root).as_posix()
        counts[folder] = counts.get(folder, 0) + 1
    return counts


def _files(folder: Path, pattern: str) -> Iterator[Path]:
    return (path for path in folder.rglob(pattern) if path.is_file() and path.suffix != ".pyc")


if __name__ == "__main__":
    found = list(exceeded(ROOT, read()))
    print(*found, sep="\n", end="\n" if found else "")
    sys.exit(1 if found else 0)
