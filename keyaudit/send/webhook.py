"""A webhook that tickets are sent to. Its address and header contain secrets: never printed, stored or taken as arguments."""

import os
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar

from keyaudit.model.errors import UsageError

ADDRESS, HEADER = "KEYAUDIT_TICKETS_URL", "KEYAUDIT_TICKETS_HEADER"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_HEADER = re.compile(r"([A-Za-z0-9-]+):[ \t]*([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)", re.ASCII)
_SECONDS = 30
_TAKEN = range(200, 300)


@dataclass(frozen=True, slots=True)
class Webhook:
    """One address, and the header that its owner asks for."""

    address: str = field(repr=False)
    header: Mapping[str, str] = field(repr=False)

    async def post(self, session: ClientSession, body: bytes) -> str:
        """Send one JSON object; why it was not accepted, without the address, or nothing. Redirects are not followed."""
        headers = {"Content-Type": "application/json", **self.header}
        try:
            async with session.post(self.address, data=body, headers=headers, allow_redirects=False) as answer:
                return "" if answer.status in _TAKEN else f"it answered {answer.status}"
        except TimeoutError:
            return f"no answer within {_SECONDS} seconds"
        except ClientError as error:
            return f"no connection ({type(error).__name__})"


def webhook(environ: Mapping[str, str] = os.environ) -> Webhook:
    """The webhook in the environment. Raises UsageError if there is none, or if others could read what it is sent."""
    address, header = environ.get(ADDRESS, "").strip(), environ.get(HEADER, "").strip()
    if not address:
        raise UsageError(ADDRESS, "not set", "set it to the address of a webhook; --dry-run prints the tickets")
    try:
        split = urlsplit(address)
        safe = split.scheme == "https" or (split.scheme == "http" and split.hostname in _LOOPBACK)
        # Without a valid name in DNS, such as one with an empty label, no request can be made: a UnicodeError is a ValueError.
        valid = safe and bool((split.hostname or "").encode("idna")) and split.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise UsageError(ADDRESS, "not an https:// address", "set it to the address of a webhook")
    found = _HEADER.fullmatch(header) if header else None
    if header and found is None:
        raise UsageError(HEADER, "not a header", "write it as NAME: VALUE, as in Authorization: Bearer TOKEN")
    return Webhook(address, {found[1]: found[2]} if found else {})


@asynccontextmanager
async def session() -> AsyncIterator[ClientSession]:
    """A session for a webhook, closed at the end; it uses the proxy of the environment."""
    async with ClientSession(trust_env=True, cookie_jar=DummyCookieJar(), timeout=ClientTimeout(total=_SECONDS)) as opened:
        yield opened
