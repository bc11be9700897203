"""Keys that have not changed since an earlier run: for these, only versions and rotation policy are read again.

Every change of a version changes its `updated` time, and a rotation creates a new version. A rotation policy can change
independently, so it is always read. https://learn.microsoft.com/azure/key-vault/keys/about-keys-details
"""

from collections.abc import Mapping

from keyaudit.collect.key_vault.key_rows import ATTRIBUTES, MATERIAL, KeyItem, put_attributes
from keyaudit.collect.rows import Row
from keyaudit.inventory.earlier_snapshot import Earlier
from keyaudit.model.reasons import Reason

Known = Mapping[str, object]
"""A row of an earlier snapshot."""

_COMPARED = ("enabled", "created_on", "updated_on", "activates_on", "expires_on", "recovery_level", "tags")
"""The columns in a list of versions, which must be equal in the earlier row."""

REUSED = (*ATTRIBUTES, *MATERIAL, "tags", "managed", "is_current")
"""The columns that are copied if all compared columns are equal."""


def unchanged(earlier: Earlier, known: Known, item: KeyItem, compared: Row) -> bool:
    """Whether a listed version is certainly unchanged. `compared` is a new row, filled with the columns from the list."""
    unknown = known["unknown"]
    if not isinstance(unknown, Mapping) or unknown.keys() & {*REUSED, "version"} or known["versions_listed"] is not True:
        return False
    put_attributes(compared, item.attributes, promised=False, reason=Reason.BAD_BODY)
    compared.put("tags", item.tags)
    if any(column in compared.unknown or compared.values[column] != known[column] for column in _COMPARED):
        return False
    # Lists may contain these too.
    told = [column for column in ("exportable", "hsm_platform") if column not in compared.unknown]
    return all(compared.values[column] == known[column] for column in told) and earlier.settled(known["updated_on"])


def take_over(row: Row, known: Known) -> None:
    """Fill the columns of a key version from the earlier row."""
    for column in REUSED:
        row.put(column, known[column])
