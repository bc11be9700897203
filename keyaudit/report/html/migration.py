"""By when keys and certificates have to move to another algorithm."""

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from keyaudit.model.algorithms import PLAN, STRENGTHS
from keyaudit.model.results.overview import Migration, Moving, Wave
from keyaudit.model.values.text import visible
from keyaudit.report.resource import owned_by

_MOST = 40
_NAME = 80
WAVES = tuple(Wave)
Row = tuple[str, tuple[int, ...]]


class Moves(Struct, frozen=True):
    """How many have to move in each of `WAVES`, by owner and by algorithm; and by which standards."""

    owners: Sequence[Row]
    algorithms: Sequence[Row]
    complete: bool
    plan: str = PLAN
    strengths: str = STRENGTHS


def moves(found: Migration) -> Moves:
    """Those with the most in the first wave first, the others together."""
    return Moves(_rows(found.owners, "owners"), _rows(found.algorithms, "algorithms"), found.complete)


def _rows(found: Sequence[Moving], noun: str) -> list[Row]:
    rows = [(visible(each.of if isinstance(each.of, str) else owned_by(each.of), _NAME), each.counts) for each in found[:_MOST]]
    if rest := found[_MOST:]:
        others: Counter[Wave] = Counter()
        for each in rest:
            others.update(each.counts)
        rows.append((f"{len(rest):,} more {noun}", others))
    return [(name, tuple(counts.get(wave, 0) for wave in WAVES)) for name, counts in rows]
