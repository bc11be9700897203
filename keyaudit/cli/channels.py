"""The addresses that digests are sent to. They contain secrets: never printed, stored or accepted as arguments."""

import logging
import os
import stat
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from keyaudit.cli.streams import tell
from keyaudit.inventory import platform
from keyaudit.model.digest import Digest
from keyaudit.model.errors import UsageError
from keyaudit.model.extras import installing
from keyaudit.model.text import one_line

if TYPE_CHECKING:
    import apprise

VARIABLE = "KEYAUDIT_NOTIFY_URLS"
OPEN = ("json", "jsons", "form", "forms", "xml", "xmls")
"""Schemes whose addresses contain no secret if they consist of a host and a port only."""
_MOST = 65_536
_REMEDY = f"put the address into {VARIABLE}, or into a file for --to-file"


@dataclass(frozen=True, slots=True)
class Channel:
    """One address; its name says where it was given and its kind: "KEYAUDIT_NOTIFY_URLS, address 2 (Slack)"."""

    called: str
    _target: "apprise.NotifyBase" = field(repr=False)

    def send(self, digest: Digest) -> bool:
        """Send the message; False if the address did not accept it."""
        from apprise import Apprise, NotifyFormat

        sender = Apprise(asset=self._target.asset)
        sender.add(self._target)
        return bool(sender.notify(body=digest.body, title=digest.title, body_format=NotifyFormat.TEXT))


def channels(to: Sequence[str], to_file: Path | None, environ: Mapping[str, str] = os.environ) -> list[Channel]:
    """The addresses of --to and --to-file, or else of the environment variable. Raises UsageError."""
    found = [("--to", address) for address in to if _plain(address)]
    if to_file is not None:
        found += [(str(to_file), address) for address in _of_file(to_file)]
    if not found:
        found = [(VARIABLE, address) for address in environ.get(VARIABLE, "").split()]
    numbered = [
        (place, sum(each == place for each, _ in found[:end]), address) for end, (place, address) in enumerate(found, 1)
    ]
    if not found:
        raise UsageError("notify", "no destination", f"set {VARIABLE} or --to-file; --dry-run prints the messages")
    # Its dependencies warn about their own deprecated functions, which users cannot change.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return [_channel(*each) for each in numbered]


def _plain(address: str) -> bool:
    """Raises UsageError for an address that may contain a secret: arguments are visible in the list of processes."""
    try:
        split = urlsplit(address)
        plain = split.scheme.lower() in OPEN and bool(split.hostname) and split.path in ("", "/") and split.port != 0
        bare = plain and "@" not in split.netloc and not any(mark in address for mark in "?#%")
    except ValueError:
        bare = False
    if not bare:
        what = f"an address may hold a secret, which a command line shows to everybody; only {OPEN[0]}://HOST:PORT and the like"
        raise UsageError("--to", f"{what} ({', '.join(OPEN)}) do not", _REMEDY)
    return True


def _of_file(path: Path) -> list[str]:
    try:
        mode = path.stat().st_mode
        # A pipe or device would never end.
        if not stat.S_ISREG(mode):
            raise UsageError(str(path), "not a file", "name a file with one address per line")
        with path.open("rb") as file:
            data = file.read(_MOST + 1)
        lines = data.decode().splitlines() if len(data) <= _MOST else []
    except OSError as error:
        raise UsageError(str(path), f"cannot be read: {error.strerror}", "name a file with one address per line") from error
    except UnicodeDecodeError as error:
        raise UsageError(str(path), "not UTF-8", "name a file with one address per line") from error
    if platform.others_can_read(mode):
        tell(f"keyaudit: {one_line(str(path))}: other users can read it, and the secrets in it; protect it with chmod 600")
    found = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not found:
        raise UsageError(str(path), "holds no address, or more than 64 KB", "name a file with one address per line")
    return found


def _channel(place: str, number: int, address: str) -> Channel:
    try:
        from apprise import Apprise, AppriseAsset
        from apprise.common import PersistentStoreMode
    except ImportError as error:
        raise UsageError("notify", f"needs {error.name}, which is not installed", installing("notify")) from error
    # Their messages may quote the address.
    for name in ("apprise", "urllib3", "requests", "requests_oauthlib", "oauthlib", "markdown"):
        logging.getLogger(name).disabled = True
    asset = AppriseAsset(
        app_id="keyaudit",
        app_desc="keyaudit",
        app_url="",
        secure_logging=True,
        interpret_escapes=False,
        interpret_emojis=False,
        storage_mode=PersistentStoreMode.MEMORY,
        plugin_paths=[],
    )
    target = Apprise.instantiate(address, asset=asset, suppress_exceptions=True)
    called = f"{place}, address {number}"
    if target is None:
        raise UsageError(one_line(called), "no address that apprise knows", "see https://appriseit.com/services/")
    return Channel(f"{called} ({one_line(str(target.service_name))})", target)
