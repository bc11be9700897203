"""Keys that are as an earlier run read them: for these, nothing but their versions and rotation policy is asked for again.

Whatever changes a version changes its `updated` time, and a rotation makes a new version. A rotation policy has a life of its
own, so it is always read. https://learn.microsoft.com/azure/key-vault/keys/about-keys-details
"""

from collections.abc import Mapping

from keyaudit.collect.key_vault.key_rows import ATTRIBUTES, MATERIAL, KeyItem, put_attributes
from keyaudit.collect.rows import Row
from keyaudit.inventory.earlier import Earlier
from keyaudit.model.reasons import Reason

Known = Mapping[str, object]
"""A row of an earlier snapshot."""

_COMPARED = ("enabled", "created_on", "updated_on", "activates_on", "expires_on", "recovery_level", "tags")
"""What a list of versions tells, and an earlier row must have told alike."""

REUSED = (*ATTRIBUTES, *MATERIAL, "tags", "managed", "is_current")
"""What is taken over, where all that is compared is alike."""


def unchanged(earlier: Earlier, known: Known, item: KeyItem, compared: Row) -> bool:
    """Whether a listed version is surely as the row has it. `compared` is a new row, to be filled with what the list says."""
    unknown = known["unknown"]
    if not isinstance(unknown, Mapping) or unknown.keys() & {*REUSED, "version"} or known["versions_listed"] is not True:
        return False
    put_attributes(compared, item.attributes, promised=False, reason=Reason.BAD_BODY)
    compared.put("tags", item.tags)
    if any(column in compared.unknown or compared.values[column] != known[column] for column in _COMPARED):
        return False
    # Lists may tell these too.
    told = [column for column in ("exportable", "hsm_platform") if column not in compared.unknown]
    return all(compared.values[column] == known[column] for column in told) and earlier.settled(known["updated_on"])


def take_over(row: Row, known: Known) -> None:
    """Fill the columns of a key version from the earlier row."""
    for column in REUSED:
        row.put(column, known[column])
