"""Allowed request addresses: built from the operation table; links that Azure returns must stay at the same origin."""

import re
from collections.abc import Collection, Mapping
from functools import cache, lru_cache
from urllib.parse import SplitResult, quote, unquote, urlsplit

from keyaudit.cloud.environment import Environment
from keyaudit.model.operations import GLOBAL_CLOUD, Operation, Surface

# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules: 3-24 letters, digits, hyphens.
_VAULT_NAME = re.compile(r"[a-z][a-z0-9-]{1,22}[a-z0-9]")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
# Printable ASCII that a URI may contain. Braces are excluded: the Key Vault client would fill them in as a template.
_PLAIN = re.compile(r"[!#-;=?-\[\]_a-z|~]+")
_SLASHES = re.compile(r"/+")

MAX_LINK = 32_768
"""The maximum length of a link in characters; Resource Manager's skip tokens have a few thousand."""

MAX_SEGMENT = 1_024

# /keys/{name}/ is answered with the current version; no other segment may be empty.
_MAY_BE_EMPTY = frozenset(
    (operation, "version")
    for operation in (
        "key.get",
        "key.get_preview",
        "hsm.key.get",
        "hsm.key.get_older",
        "hsm.key.get_preview",
        "certificate.get",
    )
)


@lru_cache(maxsize=1_024)
def vault_host(uri: str, suffix: str) -> str:
    """The host of the URI of a vault or HSM, in lower case: `<name>.<suffix>` over HTTPS. Raises ValueError for others.

    `suffix` is the environment's for the one kind or the other. The caller compares the name with the resource's: a vault
    must not lead to another vault.
    """
    split = _origin(uri)
    name, _, rest = _authority(split.netloc).partition(".")
    if rest != suffix or not _VAULT_NAME.fullmatch(name):
        raise ValueError("not a vault of this cloud")
    if split.path not in ("", "/") or split.query:
        raise ValueError("more than the address of a vault")
    return f"{name}.{suffix}"


def host_of(operation: Operation, environment: Environment, uri: str) -> str:
    """The host that serves an operation. `uri` is the vault's or HSM's, for the operations of one. Raises ValueError."""
    match operation.surface:
        case Surface.VAULT:
            return vault_host(uri, environment.vault_suffix)
        case Surface.MANAGED_HSM:
            return vault_host(uri, environment.hsm_suffix)
        case Surface.ARM:
            return environment.arm
        case Surface.GRAPH:
            return environment.graph
        case Surface.LOGIN:
            return environment.login
        case Surface.LOGS:
            return environment.logs


def address(
    operation: Operation, host: str, segments: Mapping[str, str], cloud: str = GLOBAL_CLOUD, *, whole: bool = True
) -> str:
    """The URL of an operation's first request in `cloud`. Raises ValueError for a segment that could change the target.

    A placeholder in the query is filled like one in the path. `whole`: with the members that are dispensable.
    """
    template, wanted = _template(operation, cloud, whole)
    if wanted != segments.keys():
        raise TypeError(f"{operation.id} takes {sorted(wanted)}, not {sorted(segments)}")
    encoded = {name: _segment(operation, name, value) for name, value in segments.items()}
    return f"https://{host}{template.format_map(encoded)}"


@cache
def _template(operation: Operation, cloud: str, whole: bool) -> tuple[str, frozenset[str]]:
    """Path and query of an operation with placeholders, and the names of the placeholders."""
    asked = operation.query if cloud == GLOBAL_CLOUD or not operation.query_elsewhere else operation.query_elsewhere
    if not whole:
        asked = tuple((name, _without(value, operation.dispensable) if name == "$select" else value) for name, value in asked)
    wanted = _PLACEHOLDER.findall("/".join([operation.path, *(value for _, value in asked)]))
    query = "&".join(f"{quote(name, safe='$')}={quote(value, safe='$(),/{}')}" for name, value in asked)
    return operation.path + (f"?{query}" if query else ""), frozenset(wanted)


def _without(selected: str, members: Collection[str]) -> str:
    return ",".join(member for member in selected.split(",") if member not in members)


def follow(link: str, first: str) -> str:
    """`link`, verbatim, if it continues the list that began at `first`: same origin, same collection. Raises ValueError.

    Only the port 443 may be added, the case of host and path may differ, slashes may be doubled, and the query
    is Azure's own (vaults answer with another api-version than was asked for).
    """
    split, begun = _origin(link), urlsplit(first)
    if _authority(split.netloc) != begun.netloc:
        raise ValueError("another host")
    if _collection(split.path) != _collection(begun.path):
        raise ValueError("another collection")
    return link


def _origin(link: str) -> SplitResult:
    if len(link) > MAX_LINK:
        raise ValueError("too long a link")
    # The remaining links have only one interpretation: no control characters, spaces, non-ASCII letters or backslashes.
    if not _PLAIN.fullmatch(link):
        raise ValueError("not a plain address")
    split = urlsplit(link)
    if split.scheme != "https":
        raise ValueError("not HTTPS")
    if split.fragment:
        raise ValueError("an address with a fragment")
    return split


def _authority(netloc: str) -> str:
    # The comparison with a bare host that follows excludes users, other ports and final dots.
    return netloc.lower().removesuffix(":443")


def _collection(path: str) -> str:
    parts = [unquote(part).lower() for part in _SLASHES.sub("/", path).rstrip("/").split("/")]
    if any(part in (".", "..") or "/" in part or "\\" in part for part in parts):
        raise ValueError("a path that climbs")
    return "/".join(parts)


def _segment(operation: Operation, name: str, value: str) -> str:
    if not value and (operation.id, name) in _MAY_BE_EMPTY:
        return ""
    if not value or value in (".", "..") or len(value) > MAX_SEGMENT:
        raise ValueError(f"{name}: not a segment")
    if any(character in "/\\" or ord(character) < 32 or ord(character) == 127 for character in value):
        raise ValueError(f"{name}: not one segment")
    return quote(value, safe="")
