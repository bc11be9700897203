"""The parts of redirect URIs, and which of them lead to an unsafe place."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from msgspec import Struct

NAMED_BY_AZURE = (
    ".azurewebsites.net",
    ".azurefd.net",
    ".azureedge.net",
    ".cloudapp.azure.com",
    ".trafficmanager.net",
    ".blob.core.windows.net",
    ".web.core.windows.net",
    ".azurecontainer.io",
    ".azure-api.net",
)
"""Ends of names that a service gives to the first who asks for one, and again after a resource was deleted.

https://learn.microsoft.com/azure/security/fundamentals/subdomain-takeover
"""

# Graph keeps what a browser or an operating system is given, so a backslash or blank is part of a host's end, not of a host.
_URI = re.compile(r"([a-z][a-z0-9+.-]*):(?://([^/?#\\\s]*))?(.*)", re.ASCII | re.IGNORECASE | re.DOTALL)
_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.ASCII)
_PORT = re.compile(r":[0-9]*\Z", re.ASCII)
# https://learn.microsoft.com/entra/identity-platform/reply-url
_THIS_MACHINE = ("localhost", "127.0.0.1", "[::1]")


class Address(Struct, frozen=True):
    """A redirect URI: its text, and its scheme and host in lower case, the host without a port."""

    text: str
    scheme: str
    host: str
    rest: str

    @property
    def web(self) -> bool:
        """Whether a browser opens it."""
        return self.scheme in ("http", "https")

    @property
    def named(self) -> bool:
        """Whether a browser opens it at a host with a name in the DNS."""
        return self.web and _HOST.fullmatch(self.host) is not None

    @property
    def of_azure(self) -> bool:
        """Whether its host has a name that an Azure service gives."""
        return self.host.endswith(NAMED_BY_AZURE)

    @property
    def here(self) -> bool:
        """Whether it leads to the user's own machine."""
        return self.host in _THIS_MACHINE


def chosen(condition: Callable[[Address], bool], part: str = "text") -> Callable[..., list[str]]:
    """The texts of the addresses in lists of URIs that fulfil a condition, sorted; or another part of each.

    The function raises ValueError if one is no URI, since nothing then says which host it leads to.
    """

    def of_lists(*lists: Sequence[str]) -> list[str]:
        addresses = _addresses(tuple(together(*lists)))
        return sorted({str(getattr(address, part)) for address in addresses if condition(address)})

    return of_lists


def together(*lists: Sequence[str]) -> list[str]:
    """The different texts of several lists, sorted."""
    return sorted({text for each in lists for text in each})


@lru_cache(maxsize=16)
def _addresses(uris: tuple[str, ...]) -> Sequence[Address]:
    """The parts of each; several columns are made of those of one application."""
    found = []
    for uri in uris:
        match = _URI.fullmatch(uri)
        if match is None:
            raise ValueError("not a URI")
        host = _PORT.sub("", (match[2] or "").rpartition("@")[2].lower())
        found.append(Address(uri, match[1].lower(), host, match[3]))
    return found
