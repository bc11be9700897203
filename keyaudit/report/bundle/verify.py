"""Checks that a bundle is unchanged. Only files in its folder are opened, never a path from the manifest."""

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from keyaudit.inventory.disk import files, platform
from keyaudit.model.errors import UnsafeError, UsageError
from keyaudit.model.results.bundle import MANIFEST
from keyaudit.model.values.text import one_line
from keyaudit.report.bundle.manifest import INVENTORY, MOST, POLICIES, File, read


class Verified(Struct, frozen=True):
    """The result. `manifest` is the SHA-256 of the manifest; if it equals a recorded one, the bundle is the same."""

    files: int
    manifest: str
    differences: tuple[str, ...]
    """The differences from the manifest, each safe for one line; empty if there are none."""


def verify(folder: Path) -> Verified:
    """Raises UsageError if there is no bundle, UnsafeError if keyaudit did not write its manifest."""
    place = one_line(str(folder), 1_024)
    files.need_folder(folder, "name the folder that export bundle=DIR wrote")
    if not os.path.lexists(folder / MANIFEST):
        raise UsageError(place, "holds no bundle", "name the folder that export bundle=DIR wrote")
    data = _manifest(folder / MANIFEST)
    named = read(data, one_line(str(folder / MANIFEST), 1_024))
    return Verified(len(named), hashlib.sha256(data).hexdigest(), tuple(_differences(folder, named)))


def _manifest(path: Path) -> bytes:
    place = one_line(str(path), 1_024)
    try:
        with os.fdopen(platform.open_file(path), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UnsafeError(place, "not a regular file", "copy the bundle from its origin")
            data = file.read(MOST + 1)
    except OSError as error:
        raise UnsafeError(place, f"cannot be read ({error.strerror}), or is a link", "copy the bundle again") from error
    if len(data) > MOST:
        raise UnsafeError(place, f"larger than {MOST:,} bytes", "copy the bundle from its origin")
    return data


def _differences(folder: Path, named: dict[str, File]) -> Iterator[str]:
    missing = dict(named)
    for part in ("", INVENTORY, POLICIES):
        try:
            opened = platform.open_folder(folder / part)
        except OSError as error:
            yield f"{part or folder}: cannot be read as a folder ({error.strerror})"
            continue
        try:
            # By descriptor, so that a folder that is replaced with a link is not followed.
            for name in sorted(os.listdir(folder / part if opened is None else opened)):  # noqa: PTH208 - of a descriptor
                path = f"{part}/{name}" if part else name
                if path in (MANIFEST, INVENTORY, POLICIES):
                    continue
                place = folder / part / name if opened is None else Path(name)
                found = _difference(place, opened, missing.pop(path, None))
                if found:
                    yield f"{one_line(path)}: {found}"
        finally:
            if opened is not None:
                os.close(opened)
    yield from (f"{path}: is missing" for path in sorted(missing))


def _difference(path: Path, folder: int | None, file: File | None) -> str:
    """The problem with one entry of a folder (`path` is relative to `folder` if that is open); empty if there is none."""
    try:
        if stat.S_ISLNK(os.lstat(path, dir_fd=folder).st_mode):
            return "is a link, and was not followed"
        if file is None:
            return "is not in the manifest"
        with os.fdopen(platform.open_file(path, folder=folder), "rb") as opened:
            found = os.fstat(opened.fileno())
            if not stat.S_ISREG(found.st_mode):
                return "is not a regular file"
            if found.st_size != file.size:
                return f"has {found.st_size:,} bytes, where the manifest says {file.size:,}"
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return "" if digest == file.sha256 else "has different content: its SHA-256 differs"
