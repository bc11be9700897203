"""The identity that read a tenant, from the words that a run stores about it: "alice@contoso.example (Azure CLI)"."""

import re

from msgspec import Struct

_WAY = re.compile(r"(.*) \(([A-Za-z -]{1,40})\)", re.DOTALL)
_APPLICATION = re.compile(r"(?:(.*), )?(application|object) (\S+)", re.DOTALL)
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
# A guest's name in this tenant has #EXT#, and a token names a guest by the address in the home tenant, which az does not find.
_USER = re.compile(r"[A-Za-z0-9._'+-]+@[A-Za-z0-9.-]+", re.ASCII)


class Identity(Struct, frozen=True):
    """A user by sign-in name (`kind` is empty), an application by its client id, or another principal by its object id."""

    name: str
    kind: str
    id: str
    way: str
    """How it signed in; empty if the text does not say so."""

    @property
    def application(self) -> str:
        """Its client id, or empty."""
        return self.id if self.kind == "application" and _GUID.fullmatch(self.id) else ""

    @property
    def object_id(self) -> str:
        """Its object id, or empty."""
        return self.id if self.kind == "object" and _GUID.fullmatch(self.id) else ""

    @property
    def user(self) -> str:
        """Its sign-in name, if az can find the user by it, or empty."""
        return self.name if not self.kind and _USER.fullmatch(self.name) else ""


def parsed(identity: str) -> Identity:
    """What `Run.identity` says."""
    way = _WAY.fullmatch(identity)
    who, how = (way[1], way[2]) if way else (identity, "")
    application = _APPLICATION.fullmatch(who)
    if application:
        return Identity(application[1] or "", application[2], application[3], how)
    return Identity(who, "", "", how)
