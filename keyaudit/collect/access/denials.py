"""Deny assignments: what they take away from whom, where that is sure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec import UNSET, Struct

from keyaudit.cloud.connection import Connection
from keyaudit.collect.access.actions import Permission, granted
from keyaudit.collect.access.scopes import Place, encloses, place_of
from keyaudit.collect.calls import Calls, why_incomplete
from keyaudit.collect.rows import Wire, is_null, read
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.reasons import Reason

_EVERYONE = "00000000-0000-0000-0000-000000000000"


class PrincipalItem(Struct):
    """Whom a deny assignment names."""

    id: str


class Properties(Struct, rename="camel"):
    """What is read of a deny assignment."""

    scope: str
    principals: list[PrincipalItem]
    exclude_principals: list[PrincipalItem]
    permissions: list[Permission]
    condition: str | None = None
    do_not_apply_to_child_scopes: Wire = UNSET


class DenialItem(Struct):
    """A deny assignment. One that cannot be read whole is not one that denies nothing."""

    id: str
    properties: Properties


@dataclass(frozen=True, slots=True, kw_only=True)
class _Denial:
    place: Place
    actions: frozenset[str]
    principals: frozenset[str]
    excluded: frozenset[str]
    here_alone: bool


class Denials:
    """The deny assignments of every subscription."""

    def __init__(self, connection: Connection) -> None:
        self._gateway = connection.gateway
        self._found: dict[str, _Denial] = {}
        self._missing: dict[str, Reason] = {}
        self.coverage: list[Coverage] = []

    async def collect(self, scope: Scope, subscription: str) -> None:
        """Read those of one subscription, of what is in it, and of what is above it."""
        calls = Calls(scope, "deny_assignment.list")
        listing = self._gateway.pages(calls.id, DenialItem, by=_name, subscription=subscription)
        async for item in listing:
            found = item.properties
            # Deny assignments above subscriptions come with each of them, under an id of its own.
            self._found[item.id.lower()] = _Denial(
                place=place_of(found.scope),
                # What is denied under a condition is not surely denied.
                actions=granted([each for each in found.permissions if not (found.condition or each.condition)]),
                principals=frozenset(each.id.lower() for each in found.principals),
                excluded=frozenset(each.id.lower() for each in found.exclude_principals),
                here_alone=_here_alone(found.do_not_apply_to_child_scopes),
            )
        calls.ended(listing.end)
        reason = why_incomplete(listing.end)
        if reason:
            self._missing[subscription] = reason
        self.coverage.append(calls.coverage())

    def taken(self, principal_id: str, place: Place, above: Mapping[str, Sequence[str]]) -> frozenset[str] | Refusal:
        """The actions that the principal surely has nowhere in that place: what only some deny him is not among them."""
        concerned = [place.subscription_id] if place.subscription_id else sorted(self._missing)
        for subscription in concerned:
            if subscription in self._missing:
                return Refusal(self._missing[subscription])
        return frozenset(
            action
            for denial in self._found.values()
            # Groups, and the groups that somebody is in, may be among the excluded.
            if not denial.excluded and not denial.principals.isdisjoint((principal_id, _EVERYONE))
            if _covers(denial, place, above)
            for action in denial.actions
        )


def _here_alone(raw: Wire) -> bool:
    """Whether what is below may be left alone. Azure takes none for false."""
    return raw is not UNSET and not is_null(raw) and read(raw, bool) is not False


def _covers(denial: _Denial, place: Place, above: Mapping[str, Sequence[str]]) -> bool:
    if denial.here_alone:
        # Keys are below everything but their own vault.
        return denial.place.id == place.id and place.kind in ("vault", "object")
    return encloses(denial.place, place, above)


def _name(item: DenialItem) -> str:
    place_of(item.properties.scope)
    return item.id.lower()
