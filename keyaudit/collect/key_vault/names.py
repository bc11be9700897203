"""What Key Vault's identifiers name. They come from a vault, and are never used as an address."""

import re
from dataclasses import dataclass

_NAME = r"[0-9A-Za-z-]{1,127}"
# The service writes port 443 into some of its addresses and not into others.
_ID = re.compile(rf"https://([0-9a-z.-]+)(?::443)?/([a-z]+)/({_NAME})(?:/({_NAME}))?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Named:
    """What an identifier names; `version` is in lower case, and empty where it names none."""

    name: str
    version: str = ""


def named(identifier: str, uri: str, collection: str) -> Named:
    """What `identifier` names in a collection of the vault at `uri`; ValueError if it is nothing in there."""
    match = _ID.fullmatch(identifier)
    if match is None or match[1].lower() != _host(uri) or match[2].lower() != collection:
        raise ValueError(f"not in the {collection} of this vault")
    return Named(match[3], (match[4] or "").lower())


def version_named(identifier: str, uri: str, collection: str, name: str) -> Named:
    """What `identifier` names, which has to be a version of the object `name`; else ValueError."""
    found = named(identifier, uri, collection)
    if not found.version or found.name.lower() != name.lower():
        raise ValueError("not a version of that object")
    return found


def is_name(text: str) -> bool:
    """Whether an object, or a version of one, can have this name."""
    return re.fullmatch(_NAME, text, re.ASCII) is not None


def object_id(uri: str, collection: str, found: Named) -> str:
    """The identifier in lower case, without a port: by this, objects are told apart and joined."""
    whole = f"https://{_host(uri)}/{collection}/{found.name}".lower()
    return f"{whole}/{found.version}" if found.version else whole


def _host(uri: str) -> str:
    return uri.lower().removeprefix("https://").rstrip("/").removesuffix(":443")
