"""Applies the filters of a run, and reports everything that they leave out."""

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from keyaudit.cloud.gateway import Gateway
from keyaudit.collect.calls import Calls
from keyaudit.collect.focus import Focus
from keyaudit.collect.places import Subscription, Vault
from keyaudit.collect.queries import Graph, Query
from keyaudit.model.coverage import Coverage, Scope, State
from keyaudit.model.errors import AccessError, UsageError
from keyaudit.model.operations import BY_SURFACE
from keyaudit.model.reasons import Reason
from keyaudit.model.scope.filters import Filters, did_you_mean, matching
from keyaudit.model.values.text import one_line

GROUPS = Query(
    operation="resource_group.query",
    table="resourcecontainers",
    types=("microsoft.resources/subscriptions/resourcegroups",),
    own=("id", "name", "subscriptionId"),
)
_NAMED = 5


class _Group(Struct):
    id: str


class Confines:
    """Decides what is read, and records which filters matched anything."""

    def __init__(self, filters: Filters, focus: Focus | None = None) -> None:
        """`focus`: the needs of the only page that the run is for."""
        self.filters, self.focus = filters, focus
        self._used: set[tuple[str, str]] = set()
        self._seen: dict[str, set[str]] = {}

    def subscription(self, subscription: Subscription) -> bool:
        """Whether a subscription is read."""
        return self._keeps("subscriptions", subscription.shown, subscription.id, subscription.scope.id)

    def resource(self, resource_id: str) -> bool:
        """Whether a resource is read, by its resource group."""
        group = "/".join(resource_id.split("/")[:5])
        return self._keeps("resource_groups", group.rpartition("/")[2], group)

    def vault(self, vault: Vault) -> bool:
        """Whether a vault is read, by its resource group, name and id."""
        named = self._keeps("vaults", vault.name, vault.resource_id)
        return self.resource(vault.resource_id) and named

    def source(self, surface: str, operations: Sequence[str], completes: Sequence[str] = ()) -> bool:
        """Whether a surface is read, by its name, the family of its operations, or a surface that it `completes`."""
        return self._keeps("sources", *_names(surface, operations), *(name for each in completes for name in _names(each, ())))

    def left_out(self, operations: Sequence[str]) -> bool:
        """Whether no page that the run is for needs a surface with these operations."""
        return self.focus is not None and not self.focus.surface(operations)

    def _keeps(self, kind: str, *names: str) -> bool:
        """`names`: its possible names, the display name first."""
        patterns = getattr(self.filters, kind)
        if patterns:
            self._seen.setdefault(kind, set()).add(names[0])
        found = matching(patterns, names)
        self._used |= {(kind, pattern) for pattern in found}
        return not patterns or bool(found)

    def check(self, kind: str, *lists: Coverage) -> None:
        """Raises AccessError for a filter that matched nothing, unless an incomplete list may contain a match."""
        unused = [pattern for pattern in getattr(self.filters, kind) if (kind, pattern) not in self._used]
        whole = all(record.state is State.ASSESSED or record.reason is Reason.EXCLUDED_BY_CONFIG for record in lists)
        if unused and whole:
            noun, seen = kind.replace("_", " ").removesuffix("s"), self._seen.get(kind, set())
            what = (
                f"of {len(seen):,} {noun}{'s' * (len(seen) != 1)} that the identity sees, none matches {one_line(unused[0])!r}"
            )
            remedy = did_you_mean(unused[0], seen) or _some(seen) or "check the name."
            raise AccessError(f"--{noun.replace(' ', '-')}", what, f"{remedy} Otherwise grant Reader on it")

    async def check_groups(self, gateway: Gateway, scope: Scope, subscriptions: Sequence[Subscription]) -> tuple[Coverage, ...]:
        """Look up the resource groups of the filters, because lists of resources do not show empty groups.

        Raises AccessError like `check`.
        """
        if not self.filters.resource_groups or not subscriptions:
            return ()
        calls = Calls(scope, "resource_group.query")
        asked = Graph().queries(gateway, calls, GROUPS, _Group, subscriptions, by=lambda _: lambda item: item.id.lower())
        for _, listing in asked:
            async for group in listing:
                self.resource(group.id)
        record = calls.coverage()
        self.check("resource_groups", record)
        return (record,)

    def part(self, record: Coverage, *kinds: str) -> Coverage:
        """The record of a query over the whole tenant that filters of these kinds reduced."""
        taken = "; ".join(one_line(text) for kind in kinds for text in Filters(**{kind: getattr(self.filters, kind)}).shown)
        if record.state is not State.ASSESSED or not taken:
            return record
        return replace(record, state=State.PARTIAL, reason=Reason.EXCLUDED_BY_CONFIG, detail=taken[:200])


def confined(record: Coverage, names: Sequence[str], noun: str) -> Coverage:
    """The record of a list from which the items with these names were left out."""
    if not names or record.state is not State.ASSESSED:
        return record
    shown = ", ".join(one_line(name) for name in sorted(names)[:_NAMED])
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    detail = f"{noun} left out: {shown[:160]}{more}"
    return replace(record, state=State.PARTIAL, reason=Reason.EXCLUDED_BY_CONFIG, detail=detail)


def check_sources(filters: Filters, surfaces: Mapping[str, Sequence[str]]) -> None:
    """Raises UsageError for a source that is neither a surface nor a family. `surfaces`: operations by name."""
    every = sorted({name for surface in surfaces.items() for name in _names(*surface)})
    for pattern in filters.sources:
        if not matching((pattern,), every):
            near = did_you_mean(pattern, every)
            raise UsageError("--source", f"no such source: {one_line(pattern)!r}", near or f"use one of {', '.join(every)}")


def _some(names: Collection[str]) -> str:
    shown = ", ".join(one_line(name) for name in sorted(names)[:_NAMED])
    return f"there are {shown}{f' and {len(names) - _NAMED:,} more' if len(names) > _NAMED else ''}." if names else ""


def _names(surface: str, operations: Sequence[str]) -> tuple[str, ...]:
    families = [name for name, declared in BY_SURFACE.items() if any(one.id in operations for one in declared)]
    return tuple(name.lower().replace(",", "").replace(" ", "-") for name in (surface, *families))
