"""Deny assignments: the permissions that they certainly remove."""

from collections.abc import Mapping, Sequence

from msgspec import UNSET, Struct

from keyaudit.cloud.connection import Connection
from keyaudit.collect.access.actions import Permission, granted
from keyaudit.collect.access.scopes import Place, encloses, place_of
from keyaudit.collect.calls import Calls, why_incomplete
from keyaudit.collect.wire import Wire, is_null, read
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.reasons import Reason

_EVERYONE = "00000000-0000-0000-0000-000000000000"
_ALONE = frozenset({"User", "ServicePrincipal"})
"""The types of principals that are no group."""


class Holder(Struct, frozen=True):
    """The principal of a grant, with its type as the grant names it. An unknown one has no id, and is denied what all are."""

    id: str
    type: str | Refusal


class PrincipalItem(Struct):
    """A principal of a deny assignment."""

    id: str
    type: Wire = UNSET


class DenyAssignmentProperties(Struct, rename="camel"):
    """The properties of a deny assignment."""

    scope: str
    principals: list[PrincipalItem]
    exclude_principals: list[PrincipalItem]
    permissions: list[Permission]
    condition: str | None = None
    do_not_apply_to_child_scopes: Wire = UNSET


class DenialItem(Struct):
    """A deny assignment. One that cannot be decoded completely does not count as denying nothing."""

    id: str
    properties: DenyAssignmentProperties


class _Denial(Struct, frozen=True, kw_only=True):
    place: Place
    actions: frozenset[str]
    principals: frozenset[str]
    excluded: frozenset[str]
    excluded_types: tuple[str | Refusal, ...]
    here_alone: bool


class Denials:
    """The deny assignments of every subscription."""

    def __init__(self, connection: Connection) -> None:
        self._gateway = connection.gateway
        self._found: dict[str, _Denial] = {}
        self._disputed: list[_Denial] = []
        self._missing: dict[str, Reason] = {}
        self.coverage: list[Coverage] = []

    async def collect(self, scope: Scope, subscription: str) -> None:
        """Read the deny assignments of one subscription, with those below and above it."""
        calls = Calls(scope, "deny_assignment.list")
        listing = self._gateway.pages(calls.id, DenialItem, by=_name, subscription=subscription)
        async for item in listing:
            # Deny assignments above subscriptions are listed in each subscription, with different ids.
            self._found[item.id.lower()] = _denial(item.properties)
        for copy in listing.copies():
            # It is unknown which of the two copies is right.
            first = self._found.pop(copy.id.lower(), None)
            self._disputed += [each for each in (first, _denial(copy.properties)) if each is not None]
        calls.ended(listing.end)
        reason = why_incomplete(listing.end)
        if reason:
            self._missing[subscription] = reason
        self.coverage.append(calls.coverage())

    def taken(self, holder: Holder, place: Place, above: Mapping[str, Sequence[str]]) -> frozenset[str] | Refusal:
        """The actions that are certainly denied to the holder in the whole scope."""
        concerned = [place.subscription_id] if place.subscription_id else sorted(self._missing)
        for subscription in concerned:
            if subscription in self._missing:
                return Refusal(self._missing[subscription])
        if any(_takes(denial, holder, place, above) is not False for denial in self._disputed):
            return Refusal(Reason.INCONSISTENT)
        actions: set[str] = set()
        for denial in self._found.values():
            takes = _takes(denial, holder, place, above)
            if isinstance(takes, Refusal):
                return takes
            actions |= denial.actions if takes else set()
        return frozenset(actions)


def _denial(found: DenyAssignmentProperties) -> _Denial:
    return _Denial(
        place=place_of(found.scope),
        # An action denied under a condition is not certainly denied.
        actions=granted([each for each in found.permissions if not (found.condition or each.condition)]),
        principals=frozenset(each.id.lower() for each in found.principals),
        excluded=frozenset(each.id.lower() for each in found.exclude_principals),
        excluded_types=tuple(read(each.type, str) for each in found.exclude_principals),
        here_alone=_here_alone(found.do_not_apply_to_child_scopes),
    )


def _takes(denial: _Denial, holder: Holder, place: Place, above: Mapping[str, Sequence[str]]) -> bool | Refusal:
    """Whether it certainly denies its actions to the holder; a refusal if the types that decide it could not be read."""
    if denial.principals.isdisjoint((holder.id, _EVERYONE)) or not _covers(denial, place, above):
        return False
    if not denial.excluded:
        return True
    # An excluded group may contain the holder, and a group that is the holder may contain an excluded principal.
    types = (holder.type, *denial.excluded_types)
    if holder.id in denial.excluded or any(isinstance(each, str) and each not in _ALONE for each in types):
        return False
    return next((each for each in types if isinstance(each, Refusal)), True)


def _here_alone(raw: Wire) -> bool:
    """Whether it does not apply to children. Azure treats a missing value as false."""
    return raw is not UNSET and not is_null(raw) and read(raw, bool) is not False


def _covers(denial: _Denial, place: Place, above: Mapping[str, Sequence[str]]) -> bool:
    if denial.here_alone:
        # Keys are children of every scope except their own vault.
        return denial.place.id == place.id and place.kind in ("vault", "object")
    return encloses(denial.place, place, above)


def _name(item: DenialItem) -> str:
    place_of(item.properties.scope)
    return item.id.lower()
