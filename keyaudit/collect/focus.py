"""What the page of one key needs of a live tenant, so that it is there within a minute."""

from collections.abc import Collection, Iterable

from msgspec import UnsetType

from keyaudit.collect.places import Vault
from keyaudit.collect.wire import Wire, read
from keyaudit.inventory.naming import address, digest
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason

LEFT_OUT = Refusal(Reason.NOT_ASKED)
MOST = 20
"""The maximum number of objects that are read one by one although they are not meant. Graph allows few requests a minute."""


class Focus:
    """Decides what is read for the page of the key that `asked` names, given the operations that such a page needs.

    Read are the surfaces with one of these operations, every certificate of a vault, of keys those of certificates and the one
    that is named, and the same of secrets in the vault that is named. Where Graph has to be asked for each application, as for
    federated credentials and for public keys that its list leaves out, only the application that is meant is read if there are
    more than `MOST`. Left out are owners, too. The ledger says `not_asked` of all but keys, and secrets of that vault.
    """

    def __init__(self, asked: str, operations: Collection[str]) -> None:
        self._asked = asked.strip().lower()
        named = address(asked)
        self._named = (named.vault, named.name) if named else None
        self._digest = digest(asked)
        self._operations = frozenset(operations)

    def surface(self, operations: Iterable[str]) -> bool:
        """Whether a surface with these operations is read."""
        return not self._operations.isdisjoint(operations)

    def holds(self, vault: Vault) -> bool:
        """Whether the one that is named may be in that vault."""
        return self._named is not None and self._named[0] == vault.name.lower()

    def object(self, vault: Vault, name: str, managed: Wire) -> bool:
        """Whether a key or secret of a vault is read. `managed`: what the list says of it, if it is that of a certificate."""
        certified = not isinstance(managed, UnsetType) and read(managed, bool) is not False
        return certified or self._asked == name.lower() or self._named == (vault.name.lower(), name.lower())

    def meant(self, names: Iterable[str]) -> bool:
        """Whether one of these names, ids or thumbprints is the one that was asked for."""
        return any(name.lower() == self._asked or name.upper() == self._digest for name in names if name)
