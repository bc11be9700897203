"""The part of a tenant that a report is about. What was read, and what could not be, stays as it is."""

from collections.abc import Sequence

from msgspec.structs import fields

from keyaudit.model.columns import Area, Table
from keyaudit.model.filters import Filters, matching


class Part(Filters, frozen=True, kw_only=True):
    """Names, ids or globs by what they choose, compared without case. Without any it is the whole tenant.

    A row is left out only where it certainly lies outside.
    """

    environments: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    read: Filters = Filters()
    """The filters of the run."""

    def __bool__(self) -> bool:
        return any(getattr(self, kind) for kind in KINDS)

    @property
    def shown(self) -> tuple[str, ...]:
        """The filters of the run in words, and then these."""
        return (*self.read.shown, *(f"only {kind} {', '.join(named)}" for kind in KINDS if (named := getattr(self, kind))))

    def of_area(self, table: Table) -> bool:
        """Whether a table is in one of the areas."""
        return not self.areas or bool(matching(self.areas, names_of(table.area)))


WHOLE = Part()
KINDS = tuple(field.name for field in fields(Part) if field.name not in ("read", "resource_groups", "sources"))


def names_of(area: Area) -> Sequence[str]:
    """The names of an area: the whole one, and its first word."""
    return (area.value, area.value.replace(",", " ").split()[0])
