"""Rows of keys and validators of services."""

from collections import Counter
from collections.abc import Iterable, Mapping
from urllib.parse import quote

from keyaudit.collect.rows import Row
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Refusal, Scope
from keyaudit.model.relying_parties import RelyingParties, Unread
from keyaudit.model.schema.columns import Table
from keyaudit.model.tables.relying_parties import TOKEN_VALIDATOR, TRUSTED_KEY


def write_relying_parties(unit: Unit, scope: Scope, found: RelyingParties) -> None:
    """Write a row per key and per validator, and one with unknown columns per unreadable file."""
    rows = _Rows(unit, scope)
    for key in found.keys:
        facts = {
            "held_as": key.held_as,
            "key_id": key.key_id,
            "thumbprint": key.thumbprint,
            "token_issuer": key.token_issuer,
            "fetched_on": key.fetched_on,
        }
        rows.write(TRUSTED_KEY, key.file, key.place, key.relying_party, facts)
    for one in found.validators:
        facts = {
            "authority": one.authority,
            "validates_issuer": one.validates_issuer,
            "tenants_allowed": one.tenants_allowed,
            "validates_audience": one.validates_audience,
        }
        rows.write(TOKEN_VALIDATOR, one.file, f"{one.section} in {one.place}", one.relying_party, facts)
    rows.nothing(found.unread)


class _Rows:
    def __init__(self, unit: Unit, scope: Scope) -> None:
        self._unit, self._scope = unit, scope
        self._numbers: Counter[tuple[str, str]] = Counter()

    def write(self, table: Table, file: str, name: str, party: str, facts: Mapping[str, object]) -> None:
        """Write one row, identified by its file and its number in it."""
        # Ids are compared without case, file names with case.
        place = (table.name, file.lower())
        self._numbers[place] += 1
        kind = "keys" if table is TRUSTED_KEY else "validators"
        id_ = f"{self._scope.id}/relyingParties/{quote(_utf8(file), safe='')}/{kind}/{self._numbers[place]}"
        row = Row(table, id=id_, resource_id=id_, scope_id=self._scope.id, url=_utf8(file), version="")
        row.put("name", _utf8(name))
        row.put("relying_party", _utf8(party))
        for column, fact in facts.items():
            row.put_read(column, _utf8(fact) if isinstance(fact, str) else fact)
        self._unit.row(table.name, row.finish())

    def nothing(self, unread: Iterable[Unread]) -> None:
        """Write the rows for unreadable files."""
        for each in unread:
            table = TRUSTED_KEY if each.holds_keys else TOKEN_VALIDATOR
            facts = {column.name: Refusal(each.reason) for column in table.stored if column.needs}
            self.write(table, each.file, f"{each.file}: {each.what}", each.file, facts)


def _utf8(text: str) -> str:
    """Text that can be stored: file names may not be UTF-8, and JSON may contain half a surrogate pair."""
    return text.encode(errors="backslashreplace").decode()
