"""What the lists of applications and service principals show of agents, of blueprints, and of the principals of blueprints."""

from collections.abc import Collection, Sequence

import msgspec
from msgspec import Struct

from keyaudit.collect.copies import stored_once
from keyaudit.collect.reading import Reading
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason

AGENT_IDENTITY, _PRINCIPAL = "agent-identity", "blueprint-principal"


class Held(Struct):
    """A stored row of an application or service principal."""

    id: str
    resource_id: str
    source_url: str
    source_version: str
    name: str | None = None
    app_id: str | None = None
    home: str | None = None
    home_tenant: str | None = None
    created_on: int | None = None
    agent_blueprint: bool | None = None
    agent_type: str | None = None
    unknown: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def object_id(self) -> str:
        """The object id, in lower case."""
        return self.id.rpartition("/")[2]

    def read(self, column: str) -> object:
        """The column's value, or why it is unknown."""
        reason = self.unknown.get(column)
        return Refusal(Reason(reason)) if reason else getattr(self, column)


class Seen(Struct, frozen=True):
    """Agents and blueprints in the two lists."""

    blueprints: Sequence[Held]
    """Applications that are or may be blueprints."""
    principals: Sequence[Held]
    """Service principals that are the local principals of blueprints."""
    agents: Sequence[Held]
    """Agent identities, without their blueprints."""
    perhaps: Sequence[Held]
    """Service principals that may be one of the two."""

    def own(self) -> Collection[str]:
        """The client ids of blueprints that are, or may be, this tenant's; in lower case."""
        return {held.app_id.lower() for held in self.blueprints if held.app_id}

    @property
    def any(self) -> bool:
        """Whether the lists contain any."""
        return bool(self.blueprints or self.principals or self.agents or self.perhaps)


def seen_in(reading: Reading) -> Seen:
    """What the two lists show, as far as they were stored."""
    decoder = msgspec.json.Decoder(Held)
    every = {
        table: stored_once(map(decoder.decode, reading.spool.lines(table)), lambda row: row.id).values()
        for table in ("application", "service_principal")
    }
    plain = {row.app_id.lower() for row in every["application"] if row.agent_blueprint is False and row.app_id}
    untold = [row for row in every["service_principal"] if "agent_type" in row.unknown and not _is_none(row, plain)]
    return Seen(
        [row for row in every["application"] if row.agent_blueprint is not False],
        [row for row in every["service_principal"] if row.agent_type == _PRINCIPAL],
        [row for row in every["service_principal"] if row.agent_type == AGENT_IDENTITY],
        untold,
    )


def _is_none(held: Held, plain: Collection[str]) -> bool:
    """Whether a service principal that states no type is none of the two: it is one of an application that is no blueprint.

    An agent has the client id of a blueprint, or one of its own without an application.
    """
    untold = held.unknown["agent_type"] in (Reason.BAD_BODY, Reason.BAD_VALUE)
    return untold and held.app_id is not None and held.app_id.lower() in plain


def principal_of(held: Held, seen: Seen, unseen: Refusal | None) -> str | Refusal | None:
    """The object id of a blueprint's local principal; None if it has none. `unseen`: why the list of them is incomplete."""
    app_id = held.app_id and held.app_id.lower()
    for one in (*seen.principals, *seen.perhaps):
        if app_id and one.app_id and one.app_id.lower() == app_id:
            return one.object_id
    nameless = app_id is None or any(one.app_id is None for one in seen.principals)
    return unseen or (Refusal(Reason.BAD_VALUE) if nameless else None)
