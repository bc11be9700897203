"""The shipped policies as a data file, compiled from YAML once and used until the sources change.

The file begins with the digest of its sources (the YAML files, and the code that reads and checks them) and the digest of the
rest, which is MessagePack of `Policy`. It is data, not code: a file that is damaged, does not decode as `Policy`, or has other
sources is compiled again. A wheel contains it beside the policies; for a checkout it is in the user's cache folder.
"""

import hashlib
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import structs

from keyaudit.inventory.disk import platform
from keyaudit.policy.definition import Policy

_PACKAGE = Path(__file__).resolve().parents[1]
_SIZE = hashlib.sha256().digest_size
_CODE = (
    *("inventory/reads.py", "inventory/facts/*.py", "inventory/views/**/*.py"),
    *("model/**/*.py", "policy/**/*.py"),
)
"""The code that decides what is in it: of `inventory`, all that says what a column depends on."""
NAME = "compiled.msgpack"


def digest(root: Path, files: Sequence[Path]) -> bytes:
    """The digest of the policies in `files` below `root`, and of the code that compiles them."""
    found = hashlib.sha256()
    code = (each for part in _CODE for each in sorted(_PACKAGE.glob(part)))
    for base, paths in ((_PACKAGE, code), (root, files)):
        for path in paths:
            data = path.read_bytes()
            found.update(f"{path.relative_to(base).as_posix()}\n{len(data)}\n".encode())
            found.update(data)
    return found.digest()


def place(root: Path, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The path of the compiled policies of `root`; None if the user has no home folder."""
    if root.is_relative_to(_PACKAGE):
        return root / NAME
    caches = environ.get("LOCALAPPDATA") if sys.platform == "win32" else environ.get("XDG_CACHE_HOME")
    try:
        folder = Path(caches) if caches else Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    except RuntimeError:
        return None
    checkout = hashlib.sha256(os.fsencode(root)).hexdigest()[:16]
    return folder / "keyaudit" / f"{checkout}-{NAME}"


def read(path: Path, made_from: bytes, root: Path) -> tuple[Policy, ...] | None:
    """The policies that `write` stored for the digest `made_from`; None if there is no such file, or it is damaged.

    Their files are those below `root`.
    """
    try:
        with path.open("rb") as file:
            # A file of another user could hide findings.
            if not path.is_relative_to(_PACKAGE) and not platform.only_owner_can_write(os.fstat(file.fileno())):
                return None
            data = file.read()
    except OSError:
        return None
    body = memoryview(data)[2 * _SIZE :]
    if data[:_SIZE] != made_from or data[_SIZE : 2 * _SIZE] != hashlib.sha256(body).digest():
        return None
    try:
        policies = msgspec.msgpack.decode(body, type=tuple[Policy, ...])
    except msgspec.MsgspecError:
        return None
    prefix = f"{root}{os.sep}"
    for policy in policies:
        structs.force_setattr(policy, "file", prefix + policy.file)
    return policies


def content(policies: Sequence[Policy], made_from: bytes, root: Path) -> bytes:
    """The content of a file of these policies, whose files are below `root`."""
    relative = [structs.replace(each, file=Path(each.file).relative_to(root).as_posix()) for each in policies]
    body = msgspec.msgpack.encode(relative)
    return made_from + hashlib.sha256(body).digest() + body


def write(path: Path, policies: Sequence[Policy], made_from: bytes, root: Path) -> None:
    """Stores the policies. If the file cannot be written, they are compiled again each time."""
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(platform.open_file(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "wb") as file:
            file.write(content(policies, made_from, root))
        beside.replace(path)
