"""What ends soon or has ended, and who has to see to it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from keyaudit.model.findings import Value
from keyaudit.model.reasons import Reason
from keyaudit.model.run import Run, Verdict


@dataclass(frozen=True, slots=True)
class Owner:
    """Who owns a thing, and who says so. Without names nobody is known, or, with a `reason`, nobody can tell."""

    names: tuple[str, ...]
    source: str
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class Ending:
    """A row that ends; `expires_on` is None where nobody knows when. `retired`: it surely is not in use
    any more, or is the key or secret of a certificate, with which it ends.
    """

    owner: Owner
    table: str
    row: Mapping[str, Value]
    expires_on: int | None
    retired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiring:
    """All that ends before `before`, or nobody knows when. `endings()` streams anew each time: by owner, the soonest first."""

    run: Run
    verdict: Verdict
    before: int
    overdue: int
    """How many have ended, of those in use; so are the next two."""
    soon: int
    """How many end before `before`."""
    unknown: int
    """Of how many nobody knows when they end."""
    retired: int
    """How many of `endings()` are out of use, or end with their certificate."""
    looked: Mapping[str, int]
    """Rows by table, of every table whose rows end."""
    endings: Callable[[], Iterator[Ending]]
