"""Network settings: proxy and CA file from the environment, the same for all hosts, shown in every report."""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from keyaudit.model.errors import UsageError
from keyaudit.model.values.text import one_line

_PROXY = ("HTTPS_PROXY", "https_proxy")
_NO_PROXY = ("NO_PROXY", "no_proxy")
_CA_FILE = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
_PROXY_AUTHORITY = re.compile(r"[^\s/?#\\]+")


class Network(Struct, frozen=True, kw_only=True):
    """One proxy for all of Azure, and the CA file that replaces the system's. None: no proxy, or the system's CAs."""

    proxy: str | None = None
    """An http:// or https:// address, possibly with user and password."""
    ca_file: Path | None = None
    no_proxy: tuple[str, ...] = ()
    """Hosts that bypass the proxy: `example.com` includes its subdomains, `*` means all."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Network":
        """From HTTPS_PROXY, NO_PROXY, and SSL_CERT_FILE or REQUESTS_CA_BUNDLE.

        HTTP_PROXY and ALL_PROXY are not read, because every request uses HTTPS; NETRC is never read. An empty variable counts
        as unset. Raises UsageError for an invalid proxy or CA file.
        """
        name, proxy = _first(environ, _PROXY)
        ca_name, ca_file = _first(environ, _CA_FILE)
        hosts = _first(environ, _NO_PROXY)[1].split(",")
        return cls(
            proxy=_proxy(name, proxy) if proxy else None,
            ca_file=_file(ca_name, ca_file) if ca_file else None,
            no_proxy=tuple(cleaned for host in hosts if (cleaned := host.strip().lower().removeprefix("*.").lstrip("."))),
        )

    def proxied(self, host: str) -> bool:
        """Whether requests to `host` go through the proxy."""
        if self.proxy is None:
            return False
        return not any(entry in ("*", host) or host.endswith(f".{entry}") for entry in self.no_proxy)

    def shown(self) -> dict[str, str]:
        """The settings in use, for reports: without user and password."""
        shown: dict[str, str] = {}
        if self.proxy:
            split = urlsplit(self.proxy)
            shown["proxy"] = one_line(f"{split.scheme}://{split.netloc.rpartition('@')[2]}")
        if self.proxy and self.no_proxy:
            shown["no_proxy"] = one_line(",".join(self.no_proxy))
        if self.ca_file:
            shown["ca_file"] = one_line(str(self.ca_file))
        return shown


def variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The variable in effect for each field of `Network`."""
    members = {"proxy": _PROXY, "no_proxy": _NO_PROXY, "ca_file": _CA_FILE}
    return {member: _first(environ, names)[0] for member, names in members.items()}


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> tuple[str, str]:
    for name in names:
        if value := environ.get(name, "").strip():
            return name, value
    return names[0], ""


def _proxy(name: str, value: str) -> str:
    # curl and requests both take a proxy without a scheme as http.
    proxy = value if "://" in value else f"http://{value}"
    try:
        split = urlsplit(proxy)
        valid = split.scheme in ("http", "https") and bool(split.hostname) and split.port != 0
        if valid and _PROXY_AUTHORITY.fullmatch(split.netloc):
            return f"{split.scheme}://{split.netloc}"
    except ValueError:
        pass
    raise UsageError(name, "not the address of an HTTP proxy", f"set it like {name}=http://proxy.example:8080, or unset it")


def _file(name: str, value: str) -> Path:
    path = Path(value)
    if not path.is_file():
        raise UsageError(
            name, f"no such file: {one_line(value)}", "set it to a file with CA certificates in PEM format, or unset it"
        )
    return path
