"""Reads the given files, or those below a folder. An unreadable file is always reported."""

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from keyaudit.collect.relying_parties.keys import is_keys, keys
from keyaudit.collect.relying_parties.settings import is_settings, settings
from keyaudit.collect.relying_parties.validators import validators
from keyaudit.collect.relying_parties.walk import Walk
from keyaudit.collect.supplied_file import UnreadError, content
from keyaudit.model.errors import UsageError
from keyaudit.model.reasons import Reason
from keyaudit.model.relying_parties import HeldKey, RelyingParties, Unread, Validator
from keyaudit.model.values.text import one_line

_MOST = 50_000
"""The maximum number of keys, and of validators, over all files."""


def in_files(named: Sequence[Path], place: str) -> RelyingParties:
    """The keys in each of the files. Raises UsageError with `place` for a missing file."""
    found = _Results()
    for path in named:
        base = _there(path, place)
        if base.is_dir():
            raise UsageError(place, f"{one_line(str(path), 1024)} is a folder", "name the files in it that contain keys")
        found.read(base, path.as_posix(), path.stem, for_keys=True, for_settings=False)
    return found.all()


def in_place(root: Path, place: str, *, with_keys: bool) -> RelyingParties:
    """The settings in the file `root`, or in the files below the folder `root`; `with_keys`: also the keys.

    Raises UsageError with `place` if `root` does not exist.
    """
    base, found = _there(root, place), _Results()
    if not base.is_dir():
        for_keys = with_keys and is_keys(base.name)
        found.read(base, base.name, base.stem, for_keys=for_keys, for_settings=not for_keys, with_registry=with_keys)
        return found.all()
    walk = Walk(base, lambda name: is_settings(name) or (with_keys and is_keys(name)))
    for path in walk:
        name, for_settings = walk.name(path), is_settings(path.name)
        party = name.rpartition("/")[0] or (base.name if for_settings else path.stem)
        found.read(path, name, party, for_keys=not for_settings, for_settings=for_settings, with_registry=with_keys)
        if found.full:
            walk.cut.append((name, f"more than {_MOST:,} keys or settings"))
            break
    for name, what in walk.cut:
        found.unread += [
            Unread(file=f"{name} and what follows", holds_keys=held, reason=Reason.TRUNCATED, what=what)
            for held in (False, True)[: 1 + with_keys]
        ]
    return found.all(walk.skipped)


def _there(path: Path, place: str) -> Path:
    """The resolved path: a link that the user names is followed."""
    try:
        found = Path(os.path.realpath(path))
        found.stat()
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else "not a path"
        raise UsageError(place, f"{one_line(str(path), 1024)} cannot be read: {what}", "name a file or folder") from error
    return found


class _Results:
    """The result so far."""

    def __init__(self) -> None:
        self.unread: list[Unread] = []
        self._keys: list[HeldKey] = []
        self._validators: list[Validator] = []
        self._files = 0
        self._digest = hashlib.sha256()

    @property
    def full(self) -> bool:
        """Whether the maximum is reached."""
        return max(len(self._keys), len(self._validators)) > _MOST

    def read(
        self, path: Path, name: str, party: str, *, for_keys: bool, for_settings: bool, with_registry: bool = False
    ) -> None:
        """Read one file. `with_registry`: also the keys among settings."""
        registry = with_registry and name.lower().endswith(".config")
        try:
            data = content(path)
            self._files += 1
            self._digest.update(f"{name}\0{hashlib.sha256(data).hexdigest()}\n".encode(errors="surrogateescape"))
            if for_keys or registry:
                self._keys += keys(data, name, party)
            if for_settings:
                self._validators += validators(settings(path.name, data), name, party)
        except UnreadError as error:
            self.unread += [
                Unread(file=name, line=error.line, holds_keys=holds_keys, reason=error.reason, what=error.what)
                for holds_keys in dict.fromkeys((for_keys, for_keys or registry))
            ]

    def all(self, skipped: Counter[str] | None = None) -> RelyingParties:
        """The complete result."""
        return RelyingParties(
            keys=tuple(self._keys),
            validators=tuple(self._validators),
            unread=tuple(self.unread),
            files=self._files,
            skipped=dict(sorted((skipped or Counter[str]()).items())),
            digest=self._digest.hexdigest(),
        )
