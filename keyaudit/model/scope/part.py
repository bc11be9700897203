"""The part of a tenant that a report is about. What was read, and what could not be, stays as it is."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import field
from msgspec.structs import fields

from keyaudit.model.schema.columns import Area, Table
from keyaudit.model.scope.filters import Filters, matching


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
    left_out: Mapping[str, int] = field(default_factory=dict)
    """The number of resources that only `environments` leaves out, by their environment, the nearest name first; the empty name
    is that of the resources without one.
    """

    def __bool__(self) -> bool:
        return any(getattr(self, kind) for kind in KINDS)

    @property
    def shown(self) -> tuple[str, ...]:
        """The filters of the run in words, and then these."""
        chosen = (f"only {kind} {', '.join(named)}" for kind in KINDS if (named := getattr(self, kind)))
        return (*self.read.shown, *chosen, *self._beside())

    def _beside(self) -> Iterator[str]:
        """What the environments leave out, in words."""
        if not self.environments:
            return
        named = {name: count for name, count in self.left_out.items() if name}
        few = [f"{count:,} of {name}" for name, count in [*named.items()][:_FEW]]
        rest = f"{sum([*named.values()][_FEW:]):,} of {len(named) - _FEW:,} more environments"
        nowhere = f"{self.left_out.get('', 0):,} without an environment"
        kinds = "applications, their credentials and other kinds that have no environment"
        parts = [*few, *[rest] * (len(named) > _FEW), *[nowhere] * ("" in self.left_out)]
        count = sum(self.left_out.values())
        counted = f"{count:,} resource{'' if count == 1 else 's'} ({', '.join(parts)}), and " if parts else ""
        yield f"--environment leaves out {counted}{kinds}"

    def of_area(self, table: Table) -> bool:
        """Whether a table is in one of the areas."""
        return not self.areas or bool(matching(self.areas, names_of(table.area)))


WHOLE = Part()
KINDS = tuple(each.name for each in fields(Part) if each.name not in ("read", "left_out", "resource_groups", "sources"))
_FEW = 5
"""The number of environments that are named."""


def names_of(area: Area) -> Sequence[str]:
    """The names of an area: the whole one, and its first word."""
    return (area.value, area.value.replace(",", " ").split()[0])
