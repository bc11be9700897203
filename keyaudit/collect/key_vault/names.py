"""Parses Key Vault's identifiers. They come from a vault, and are never used as an address."""

import re

from msgspec import Struct

_NAME = r"[0-9A-Za-z-]{1,127}"
# The service adds port 443 to some of its addresses.
_ID = re.compile(rf"https://([0-9a-z.-]+)(?::443)?/([a-z]+)/({_NAME})(?:/({_NAME}))?", re.ASCII | re.IGNORECASE)


class Named(Struct, frozen=True):
    """The parts of an identifier; `version` is in lower case, and empty if there is none."""

    name: str
    version: str = ""


def named(identifier: str, uri: str, collection: str) -> Named:
    """The object of `identifier` in a collection of the vault at `uri`; ValueError if it is not one."""
    match = _ID.fullmatch(identifier)
    if match is None or match[1].lower() != _host(uri) or match[2].lower() != collection:
        raise ValueError(f"not in the {collection} of this vault")
    return Named(match[3], (match[4] or "").lower())


def version_named(identifier: str, uri: str, collection: str, name: str) -> Named:
    """The version of `identifier`, which must be of the object `name`; otherwise ValueError."""
    found = named(identifier, uri, collection)
    if not found.version or found.name.lower() != name.lower():
        raise ValueError("not a version of that object")
    return found


def is_name(text: str) -> bool:
    """Whether this is a valid name of an object or version."""
    return re.fullmatch(_NAME, text, re.ASCII) is not None


def object_id(uri: str, collection: str, found: Named) -> str:
    """The normalised identifier, in lower case and without a port, by which objects are compared and joined."""
    whole = f"https://{_host(uri)}/{collection}/{found.name}".lower()
    return f"{whole}/{found.version}" if found.version else whole


def _host(uri: str) -> str:
    return uri.lower().removeprefix("https://").rstrip("/").removesuffix(":443")
