"""The public keys in an answer about applications or service principals, which a list may leave out.

Graph's documentation contradicts itself on whether a list returns certificates, or only a single object does:
https://learn.microsoft.com/graph/api/application-list and https://learn.microsoft.com/graph/api/resources/keycredential
"""

from collections.abc import Iterator, Sequence

from msgspec import UNSET, Struct, UnsetType, structs

from keyaudit.collect.entra.holders import Holder
from keyaudit.collect.entra.keys.credentials import KeyItem, encrypts, kind_of, read_credentials, thumbprint
from keyaudit.collect.entra.keys.saml import public_certificate
from keyaudit.collect.entra.relations import Related
from keyaudit.collect.wire import Wire, read
from keyaudit.model.coverage import Refusal
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


def shown(keys: Keys, answer: Wire) -> Keys:
    """The keys of an object, with the certificates in the answer to its own read."""
    material = {item.key_id: item.key for item in read_credentials(answer, KeyItem)[0]}
    items = [
        structs.replace(item, key=material.get(item.key_id, item.key)) if _is_hidden(item) else item for item in keys.items
    ]
    return structs.replace(keys, items=items)


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
