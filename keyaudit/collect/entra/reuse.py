"""Certificates that an earlier run read, for credentials that a list shows unchanged.

Who adds a credential may choose its keyId and what else a list shows of it, so that such a copy is evidence with an age, which
its row has: https://learn.microsoft.com/graph/api/resources/keycredential
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from keyaudit.collect.entra.keys.credentials import OF_CERTIFICATE
from keyaudit.model.tables.entra.credential import CREDENTIAL

Rows = Sequence[tuple[str, Mapping[str, object]]]
"""Rows, each with its table."""

READ_ON = "certificate_read_on"
SHOWN = ("kind", "key_id", "name", "starts_on", "expires_on", "usage", "thumbprint", "app_id", "holder_id", "holder_kind")
"""The columns with everything that a list shows of a certificate, and its holder."""
COPIED = (*OF_CERTIFICATE, READ_ON)
NEEDED = ("id", *SHOWN, *COPIED)
"""The columns of an earlier row that are read."""


def copied(rows: Rows, earlier: Mapping[str, Mapping[str, object]], as_of: int) -> tuple[Rows, int] | None:
    """The rows of one holder with the certificates of an earlier run, and when the oldest of them was read.

    `earlier`: by id, rows with `NEEDED` and `unknown`, of a run at `as_of`. None unless every certificate that the rows lack is
    among them, and everything that a list shows of it is the same.
    """
    taken: list[tuple[str, Mapping[str, object]]] = []
    oldest = as_of
    for table, row in rows:
        if table != CREDENTIAL.name:
            # With a certificate that Entra signs with, two entries are one: these are read together.
            return None
        unknown = _unknown(row)
        if unknown.keys().isdisjoint(OF_CERTIFICATE):
            taken.append((table, row))
            continue
        known = earlier.get(str(row["id"]))
        if known is None or not _same(row, unknown, known):
            return None
        read_on = cast("int | None", known[READ_ON])
        read_on = as_of if read_on is None else read_on
        oldest = min(oldest, read_on)
        values = {column: known[column] for column in OF_CERTIFICATE} | {READ_ON: read_on}
        rest = {column: reason for column, reason in unknown.items() if column not in COPIED}
        taken.append((table, {**row, **values, "unknown": rest}))
    return taken, oldest


def _same(row: Mapping[str, object], unknown: Mapping[str, str], known: Mapping[str, object]) -> bool:
    whole = _unknown(known).keys().isdisjoint((*SHOWN, *COPIED)) and unknown.keys().isdisjoint(SHOWN)
    return whole and row["kind"] == "certificate" and all(row.get(column) == known[column] for column in SHOWN)


def _unknown(row: Mapping[str, object]) -> Mapping[str, str]:
    return cast("Mapping[str, str]", row["unknown"])


def lacking(rows: Iterable[tuple[str, Mapping[str, object]]]) -> bool:
    """Whether a row lacks a certificate."""
    return any(not _unknown(row).keys().isdisjoint(OF_CERTIFICATE) for _, row in rows)
