"""What ends soon or has ended, and who has to see to it."""

from collections.abc import Mapping
from dataclasses import dataclass

from keyaudit.model.findings import Value
from keyaudit.model.reasons import Reason


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
