"""Notes of applications and service principals whose public keys are read one by one, after everything else was read."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType, structs

from keyaudit.collect.entra.keys.key_material import Keyed
from keyaudit.collect.wire import read
from keyaudit.inventory.spool import Spool, Unit

_MEMBERS = (
    *("key_credentials", "password_credentials", "app_id", "display_name"),
    *("service_principal_type", "app_owner_organization_id", "service_principal_names", "account_enabled"),
    *("preferred_single_sign_on_mode", "preferred_token_signing_key_thumbprint"),
)
"""The members of an item that its credentials and their holder are made of."""

Item = TypeVar("Item", bound=Keyed)


class Note(Struct, frozen=True):
    """An object that was put off: `kind` is application or service_principal. Undecoded members are kept as they came."""

    kind: str
    id: str
    members: dict[str, bytes]

    @property
    def name(self) -> str:
        """The name that it is settled by, which another answer about the same object does not have."""
        return f"{self.kind}/{self.id.lower()}/{hashlib.sha256(_ENCODER.encode(self)).hexdigest()[:16]}"

    @property
    def app_id(self) -> str | None:
        """The client id of its application; None if it is unknown."""
        found = read(Raw(self.members["app_id"]) if "app_id" in self.members else UNSET, str)
        return found if isinstance(found, str) else None

    def item(self, kind: type[Item]) -> Item:
        """The item that it was made from, with the members that its credentials need."""
        return kind(id=self.id, **{name: Raw(value) for name, value in self.members.items()})


_ENCODER = msgspec.json.Encoder(order="deterministic")
_DECODER = msgspec.json.Decoder(Note)


def put_off(unit: Unit, kind: str, item: Keyed, rows: Iterable[tuple[str, Mapping[str, object]]]) -> None:
    """Put off the public keys of an item. `rows` count until they are read: its credentials, without them."""
    held = ((field.name, getattr(item, field.name)) for field in structs.fields(item) if field.name in _MEMBERS)
    note = Note(kind, item.id, {name: bytes(value) for name, value in held if not isinstance(value, UnsetType)})
    unit.put_off(note.name, _ENCODER.encode(note), rows)


def notes(spool: Spool) -> Iterator[Note]:
    """The notes that no unit has settled, in no certain order."""
    for line in spool.lines("put_off"):
        note = _DECODER.decode(line)
        if not spool.settled(note.name):
            yield note
