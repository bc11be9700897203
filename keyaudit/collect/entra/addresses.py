"""Where Entra sends an application's users and tokens: its redirect URIs, and the identifier URIs that name it in tokens."""

import re
from collections.abc import Callable, Sequence

from msgspec import UNSET, Struct

from keyaudit.collect.entra.settings import flag
from keyaudit.collect.rows import Row, Wire, read
from keyaudit.model.coverage import Refusal
from keyaudit.model.guid import GUID
from keyaudit.model.operations import GLOBAL_CLOUD
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.azure_host import NAMED_BY_AZURE

# Graph keeps what a browser or an operating system is given, so a backslash or blank is part of a host's end, not of a host.
_URI = re.compile(r"([a-z][a-z0-9+.-]*):(?://([^/?#\\\s]*))?(.*)", re.ASCII | re.IGNORECASE | re.DOTALL)
_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.ASCII)
_PORT = re.compile(r":[0-9]*\Z", re.ASCII)
# https://learn.microsoft.com/entra/identity-platform/reply-url
_THIS_MACHINE = ("localhost", "127.0.0.1", "[::1]")


class Redirects(Struct, rename="camel"):
    """The redirect URIs of one platform of an application."""

    redirect_uris: Wire = UNSET


class Implicit(Struct, rename="camel"):
    """What the authorization endpoint itself may return."""

    enable_access_token_issuance: Wire = UNSET


class Web(Redirects, rename="camel"):
    """The settings of an application's web platform."""

    implicit_grant_settings: Wire = UNSET


class _Address(Struct, frozen=True):
    """A redirect URI: its text, and its scheme and host in lower case, the host without a port."""

    text: str
    scheme: str
    host: str
    rest: str

    @property
    def web(self) -> bool:
        return self.scheme in ("http", "https")


def put_redirects(row: Row, cloud: str, *, web: Wire, spa: Wire, native: Wire) -> None:
    """Fill the columns of an application's redirect URIs; Azure's names of hosts are known for the global cloud alone."""
    of_web = read(web, Web)
    platforms = (of_web, read(spa, Redirects), read(native, Redirects))
    row.put_read("implicit_tokens", of_web if isinstance(of_web, Refusal) else _implicit(of_web.implicit_grant_settings))
    uris = _together([one if isinstance(one, Refusal) else read(one.redirect_uris, list[str]) for one in platforms])
    row.put_read("redirect_uris", uris)
    addresses = uris if isinstance(uris, Refusal) else _addresses(uris)

    def chosen(column: str, condition: Callable[[_Address], bool]) -> None:
        row.put_read(column, addresses if isinstance(addresses, Refusal) else [a.text for a in addresses if condition(a)])

    chosen("insecure_redirects", lambda one: one.scheme == "http" and one.host not in _THIS_MACHINE)
    chosen("wildcard_hosts", lambda one: one.web and "*" in one.host)
    chosen("wildcard_paths", lambda one: one.web and "*" in one.rest and "*" not in one.host)
    of_browsers = _hosts(*platforms[:2])
    row.put_read("web_hosts", of_browsers)
    row.put_read("local_redirects", _local(of_web))
    if cloud != GLOBAL_CLOUD:
        row.refuse(("azure_hosts",), Reason.NOT_IN_CLOUD)
    elif isinstance(addresses, Refusal):
        row.refuse(("azure_hosts",), addresses.reason)
    else:
        row.put("azure_hosts", sorted({one.host for one in addresses if one.web and _of_azure(one.host)}))


def _hosts(*platforms: Redirects | Refusal) -> list[str] | Refusal:
    """The hosts of redirect URIs that are names of no Azure service and not the user's machine, sorted."""
    uris = _together([one if isinstance(one, Refusal) else read(one.redirect_uris, list[str]) for one in platforms])
    addresses = uris if isinstance(uris, Refusal) else _addresses(uris)
    if isinstance(addresses, Refusal):
        return addresses
    return sorted(
        {
            one.host
            for one in addresses
            if one.web and _HOST.fullmatch(one.host) and not one.host.endswith(NAMED_BY_AZURE) and one.host not in _THIS_MACHINE
        }
    )


def _local(web: Redirects | Refusal) -> list[str] | Refusal:
    """The redirect URIs of the web that lead to the user's machine."""
    uris = web if isinstance(web, Refusal) else read(web.redirect_uris, list[str])
    addresses = uris if isinstance(uris, Refusal) else _addresses(uris)
    if isinstance(addresses, Refusal):
        return addresses
    return sorted({one.text for one in addresses if one.web and one.host in _THIS_MACHINE})


def put_identifiers(row: Row, uris: Wire, app_id: Wire, tenant_id: str) -> None:
    """Fill the column of the identifier URIs that hold neither the application's id nor the tenant's."""
    listed, own = read(uris, list[str]), read(app_id, str)
    if isinstance(own, str) and not GUID.fullmatch(own):
        own = Refusal(Reason.BAD_VALUE)
    if isinstance(listed, Refusal) or isinstance(own, Refusal):
        row.refuse(("uris_without_id",), next(one.reason for one in (listed, own) if isinstance(one, Refusal)))
        return
    ids = (own.lower(), tenant_id.lower())
    row.put("uris_without_id", sorted({uri for uri in listed if not any(one in uri.lower() for one in ids)}))


def _implicit(settings: Wire) -> bool | Refusal:
    found = read(settings, Implicit)
    return found if isinstance(found, Refusal) else flag(found.enable_access_token_issuance)


def _together(lists: Sequence[list[str] | Refusal]) -> list[str] | Refusal:
    """The different texts of several lists, sorted; refused if one of them is."""
    found: set[str] = set()
    for one in lists:
        if isinstance(one, Refusal):
            return one
        found.update(one)
    return sorted(found)


def _addresses(uris: Sequence[str]) -> list[_Address] | Refusal:
    """The parts of each; refused if one is no URI, since nothing then says which host it leads to."""
    found = []
    for uri in uris:
        match = _URI.fullmatch(uri)
        if match is None:
            return Refusal(Reason.BAD_VALUE)
        host = _PORT.sub("", (match[2] or "").rpartition("@")[2].lower())
        found.append(_Address(uri, match[1].lower(), host, match[3]))
    return found


def _of_azure(host: str) -> bool:
    return host.endswith(NAMED_BY_AZURE) and _HOST.fullmatch(host) is not None
