"""Which applications and service principals have privileges, by the grants that this run read."""

from collections.abc import Iterator

import msgspec
from msgspec import Struct, field

from keyaudit.inventory.spool import Spool
from keyaudit.model.coverage import Scope, State
from keyaudit.model.directory.tiers import DELEGATED_CONTROL, DELEGATED_DATA_NAMES

_TELLING = ("service_principal.list", "service_principal.app_roles", "directory_role.assignments")
"""The lists of what leads to control of the whole tenant: without one of them, anybody may have privileges."""
_OPENING = frozenset({"azure-role", "access-policy", "hsm-role", "directory-role"})
"""Kinds of grants that always count."""


class _Grant(Struct):
    kind: str
    principal_id: str | None = None
    name: str | None = None
    api_id: str | None = None
    tier: int | None = None
    unknown: dict[str, str] = field(default_factory=dict)

    @property
    def counts(self) -> bool:
        """Whether it is a privilege, or may be one."""
        if self.kind in _OPENING:
            return True
        if self.kind == "app-role":
            return self.tier is not None or "tier" in self.unknown
        name = (self.name or "").lower()
        control = f"{self.api_id or ''}/{name}" in DELEGATED_CONTROL or DELEGATED_DATA_NAMES.match(name) is not None
        return control or not {"name", "api_id"}.isdisjoint(self.unknown)


class _Member(Struct):
    group_id: str
    member_id: str


class _Owned(Struct):
    owner_ids: list[str] | None = None


class _Principal(Struct):
    resource_id: str
    app_id: str | None = None


class Powerful:
    """Who has a role in Azure or Entra, a strong permission on an API, or owns an application, alone or in a group.

    Of the grants that were read; without the lists that lead to control of the whole tenant, everybody counts.
    """

    def __init__(self, spool: Spool, scope: Scope) -> None:
        states = {record.operation: record.state for record in spool.coverage() if record.scope == scope}
        self._untold = any(states.get(operation) is not State.ASSESSED for operation in _TELLING)
        grants = map(msgspec.json.Decoder(_Grant).decode, spool.lines("grant"))
        named = {grant.principal_id for grant in grants if grant.principal_id and grant.counts}
        named |= set(_owners(spool))
        members = map(msgspec.json.Decoder(_Member).decode, spool.lines("membership"))
        self._ids = named | {each.member_id for each in members if each.group_id in named}
        principals = map(msgspec.json.Decoder(_Principal).decode, spool.lines("service_principal"))
        held = ((each.app_id, each.resource_id.rpartition("/")[2].lower()) for each in principals)
        self._apps = {app_id.lower() for app_id, id_ in held if app_id and id_ in self._ids}

    def has(self, object_id: str, app_id: str | None) -> bool:
        """Whether that service principal has privileges, or the one of the application with that client id; None: unknown."""
        return self._untold or app_id is None or object_id.lower() in self._ids or app_id.lower() in self._apps


def _owners(spool: Spool) -> Iterator[str]:
    decoder = msgspec.json.Decoder(_Owned)
    for table in ("application", "service_principal"):
        for line in spool.lines(table):
            yield from decoder.decode(line).owner_ids or ()
