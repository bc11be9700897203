"""The public keys of applications and service principals, read per object if the list did not return them.

Graph's documentation contradicts itself on whether a list returns certificates, or only a single object does:
https://learn.microsoft.com/graph/api/application-list and https://learn.microsoft.com/graph/api/resources/keycredential
"""

from collections.abc import Iterator, Sequence

from msgspec import UNSET, Struct, UnsetType, structs
from msgspec.structs import replace

from keyaudit.cloud.gateway import Gateway
from keyaudit.collect.calls import Calls
from keyaudit.collect.entra.credentials import KeyItem, encrypts, kind_of, read_credentials, thumbprint
from keyaudit.collect.entra.holders import Holder
from keyaudit.collect.entra.relations import Related
from keyaudit.collect.entra.saml import public_certificate
from keyaudit.collect.focus import LEFT_OUT, MOST, Focus
from keyaudit.collect.rows import Wire, read
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.reasons import Reason

_NOT_VISIBLE = Refusal(Reason.NOT_VISIBLE)


class Keyed(Related, rename="camel"):
    """An application or service principal, with its public keys."""

    key_credentials: Wire = UNSET


class Keys(Struct, frozen=True):
    """The keys of one object: the decoded ones, and the number of the others."""

    items: Sequence[KeyItem]
    bad: int
    hidden: Refusal = _NOT_VISIBLE
    """Why a certificate among them is missing."""

    @property
    def complete(self) -> bool:
        """Whether every certificate is present."""
        return not any(self._lacks(item) for item in self.items)

    def _lacks(self, item: KeyItem) -> bool:
        if not _is_hidden(item) or kind_of(item) == "symmetric-key":
            return False
        # For a certificate that Entra signs with, another entry has the public half.
        return read(item.usage, str) != "Sign" or public_certificate(item, self.items) is None


NO_KEYS = Keys((), 0)


class KeyMaterial:
    """Reads the certificates of single objects, those that the `focus` may mean. `kind` is the first part of the operation's
    name.
    """

    def __init__(self, gateway: Gateway, scope: Scope, kind: str, focus: Focus | None) -> None:
        self._gateway, self._focus = gateway, focus
        self._others = 0
        self._calls = Calls(scope, f"{kind}.get", per_object=True)

    async def completed(self, holder: Holder, listed: Keys) -> Keys:
        """The keys of that object, with the certificates from its own read; a refusal is the reason for missing ones."""
        if self._focus is not None and not self._focus.meant(names_of(holder, listed)):
            self._others += 1
            if self._others > MOST:
                self._calls.refused(LEFT_OUT)
                return replace(listed, hidden=LEFT_OUT)
        shown = await self._gateway.get(self._calls.id, Keyed, id=holder.object_id)
        if isinstance(shown, Refusal):
            self._calls.refused(shown)
            return replace(listed, hidden=shown)
        self._calls.answered()
        material = {item.key_id: item.key for item in read_credentials(shown.key_credentials, KeyItem)[0]}
        items = [
            structs.replace(item, key=material.get(item.key_id, item.key)) if _is_hidden(item) else item
            for item in listed.items
        ]
        return replace(listed, items=items)

    def coverage(self, listed: Coverage) -> Coverage:
        """The coverage of the single reads, given the coverage `listed` of the list."""
        return self._calls.coverage(listed)


def _is_hidden(item: KeyItem) -> bool:
    """Whether the certificate is missing: `key` is null, empty or left out."""
    return isinstance(item.key, UnsetType) or bytes(item.key) in (b"null", b'""')


def names_of(holder: Holder, keys: Keys) -> Iterator[str]:
    """The names and ids of an object and of its keys, as far as they can be read. A thumbprint is chosen by its author."""
    for raw in (holder.app_id, holder.name):
        found = raw if isinstance(raw, Refusal) else read(raw, str)
        if not isinstance(found, Refusal):
            yield found
    yield holder.object_id
    for key in keys.items:
        found = thumbprint(key.custom_key_identifier) or ""
        yield from (key.key_id, "" if isinstance(found, Refusal) else found)


def listed_keys(item: Keyed) -> Keys:
    """The credentials and signing keys of an object in a list; its keys for token encryption are neither."""
    items, bad = read_credentials(item.key_credentials, KeyItem)
    return Keys([key for key in items if not encrypts(key)], bad)
