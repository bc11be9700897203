"""The addresses that digests are sent to. They contain secrets: never printed, stored or accepted as arguments."""

import logging
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from keyaudit.cli.settings.recipients import Address, Recipients
from keyaudit.cli.terminal.streams import tell
from keyaudit.inventory.disk import input_file, platform
from keyaudit.model.errors import UsageError
from keyaudit.model.extras import installing
from keyaudit.model.values.text import one_line
from keyaudit.send.digest import Digest, spelled

if TYPE_CHECKING:
    import apprise

VARIABLE = "KEYAUDIT_NOTIFY_URLS"
OPEN = ("json", "jsons", "form", "forms", "xml", "xmls")
"""Schemes whose addresses contain no secret if they consist of a host and a port only."""
MAIL = ("mailto", "mailtos")
"""Schemes of mail, which shows text as it is."""
_MOST = 65_536
_PROTECT = "protect it with chmod 600"
_REMEDY = f"put the address into {VARIABLE}, or into a file for --to-file"


@dataclass(frozen=True, slots=True)
class Channel:
    """One address; its name says where it was given and its kind: "KEYAUDIT_NOTIFY_URLS, address 2 (Slack)"."""

    called: str
    _target: "apprise.NotifyBase" = field(repr=False)
    _mail: bool

    def send(self, digest: Digest) -> bool:
        """Send the message; False if the address did not accept it."""
        from apprise import Apprise, NotifyFormat

        sender = Apprise(asset=self._target.asset)
        sender.add(self._target)
        message = spelled(digest, mail=self._mail)
        return bool(sender.notify(body=message.body, title=message.title, body_format=NotifyFormat.TEXT))


def recipients(
    given: Recipients,
    to: Sequence[str],
    to_file: Path | None,
    environ: Mapping[str, str] = os.environ,
    *,
    sending: bool = True,
) -> Recipients:
    """The recipients of the settings, with addresses for variables. Each has its number in its place.

    --to and --to-file replace the default of the settings; without both, it is the addresses in the environment variable.
    Raises UsageError, if `sending` also where an address is missing.
    """
    default = [Address("--to", address) for address in to if _checked(address)]
    if to_file is not None:
        default += [Address(str(to_file), address) for address in _of_file(to_file)]
    default = default or list(given.default) or [Address(VARIABLE, address) for address in environ.get(VARIABLE, "").split()]
    if sending and not default:
        what = "no destination for owners without an entry in [notify.owners]" if given.owners else "no destination"
        remedy = f"set {VARIABLE}, --to-file, or default in [notify] of keyaudit.toml; --dry-run prints the messages"
        raise UsageError("notify", what, remedy)
    owners = {owner: _numbered(addresses, environ, sending=sending) for owner, addresses in given.owners.items()}
    return Recipients(_numbered(default, environ, sending=sending), owners)


def channels(found: Recipients) -> dict[str, Channel]:
    """The channel of each address, by its text. Raises UsageError for an address that apprise does not know."""
    # Its dependencies warn about their own deprecated functions, which users cannot change.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return {address.text: _channel(address) for address in found.all}


def warn_if_readable(path: Path, given: Recipients) -> None:
    """Say that other users can read the settings file, if it contains an address that may hold a secret."""
    listed = (address for address in given.all if not address.variable and not _is_open(address.text))
    if any(listed) and platform.others_can_read(path.stat().st_mode):
        tell(f"keyaudit: {one_line(str(path))}: other users can read it, and the secrets in [notify]; {_PROTECT}")


def _numbered(addresses: Sequence[Address], environ: Mapping[str, str], *, sending: bool) -> tuple[Address, ...]:
    expanded = [each for address in addresses for each in _expanded(address, environ, sending=sending)]
    places = [each.place for each in expanded]
    return tuple(
        Address(f"{each.place}, address {places[:end].count(each.place)}", each.text) for end, each in enumerate(expanded, 1)
    )


def _expanded(address: Address, environ: Mapping[str, str], *, sending: bool) -> list[Address]:
    if not address.variable:
        return [address]
    place = f"{address.place}, {address.variable}"
    texts = environ.get(address.variable, "").split()
    if not texts and sending:
        raise UsageError(place, "this variable is not set", "set it to an address, or to several with spaces between them")
    return [Address(place, text) for text in texts or [address.text]]


def _checked(address: str) -> bool:
    """Raises UsageError for an address that may contain a secret: arguments are visible in the list of processes."""
    if not _is_open(address):
        what = f"a command line shows secrets in an address to other users; only {OPEN[0]}://HOST:PORT and the like"
        raise UsageError("--to", f"{what} ({', '.join(OPEN)}) do not", _REMEDY)
    return True


def _is_open(address: str) -> bool:
    """Whether the address is certain to contain no secret."""
    try:
        split = urlsplit(address)
        plain = split.scheme.lower() in OPEN and bool(split.hostname) and split.path in ("", "/") and split.port != 0
        return plain and "@" not in split.netloc and not any(mark in address for mark in "?#%")
    except ValueError:
        return False


def _of_file(path: Path) -> list[str]:
    data = input_file.read(path, _MOST, "name a file with one address per line")
    try:
        lines = data.decode().splitlines() if len(data) <= _MOST else []
    except UnicodeDecodeError as error:
        raise UsageError(str(path), "not UTF-8", "name a file with one address per line") from error
    if platform.others_can_read(path.stat().st_mode):
        tell(f"keyaudit: {one_line(str(path))}: other users can read it, and the secrets in it; {_PROTECT}")
    found = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not found:
        raise UsageError(str(path), "contains no address, or exceeds 64 KB", "name a file with one address per line")
    return found


def _channel(address: Address) -> Channel:
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
    target = Apprise.instantiate(address.text, asset=asset, suppress_exceptions=True)
    if target is None:
        raise UsageError(one_line(address.place), "not an address that apprise supports", "see https://appriseit.com/services/")
    called = f"{one_line(address.place)} ({one_line(str(target.service_name))})"
    return Channel(called, target, address.text.partition("://")[0].lower() in MAIL)
