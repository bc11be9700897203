"""Token policies of Entra, and the objects that each is assigned to."""

from collections.abc import Callable, Mapping, Sequence

from msgspec import UNSET, Struct, UnsetType, field

from keyaudit.cloud.connection import Connection
from keyaudit.collect.calls import Calls, why_incomplete
from keyaudit.collect.concurrency import for_each
from keyaudit.collect.copies import both, distinct
from keyaudit.collect.declared import collect_declared
from keyaudit.collect.entra.holders import PATHS
from keyaudit.collect.entra.policies.definitions import Definition, definition_of, objects_in, span_in, text_in
from keyaudit.collect.entra.relations import Related, object_id
from keyaudit.collect.places import source
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, wired
from keyaudit.collect.wire import Wire, decoded, given, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.reasons import Reason
from keyaudit.model.schema.wire import Unreadable, translated
from keyaudit.model.tables.entra.token_policy import TOKEN_POLICY

# The maximum number of related objects in $expand, without a link to the rest.
# https://learn.microsoft.com/graph/query-parameters
_EXPANDED = 20
_AT_ONCE = 8
_VALIDATION = "federated_token_validation.get"
_collection = translated(
    {
        "#microsoft.graph.application": PATHS["application"],
        "#microsoft.graph.serviceprincipal": PATHS["service_principal"],
    }
)


@wired(TOKEN_POLICY)
class Policy(Related, rename="camel"):
    """A policy with its definition."""

    is_organization_default: Wire = UNSET
    definition: Wire = UNSET


class Applied(Related, rename="camel"):
    """A policy with the objects that it is assigned to."""

    applies_to: Wire = UNSET
    more: Wire = field(default=UNSET, name="appliesTo@odata.nextLink")


class Assigned(Related):
    """An object that a policy is assigned to."""

    type: Wire = field(default=UNSET, name="@odata.type")


class Kind(Struct, frozen=True):
    """A kind of policy. `columns` are filled from `root` in its definition."""

    operation: str
    name: str
    root: str
    columns: Mapping[str, Callable[[Definition], object]]


def _claims(definition: Definition) -> list[str]:
    entries = objects_in(definition, "ClaimsSchema")
    types = [text_in(entry, name) for entry in entries for name in ("JwtClaimType", "SamlClaimType")]
    return sorted({each for each in types if each is not None})


def _transforms(definition: Definition) -> bool:
    # Graph's documentation uses both spellings.
    return any(objects_in(definition, name) for name in ("ClaimsTransformation", "ClaimsTransformations"))


KINDS = (
    Kind("claims_mapping", "claims-mapping", "ClaimsMappingPolicy", {"claims": _claims, "transforms_claims": _transforms}),
    Kind(
        "token_lifetime",
        "token-lifetime",
        "TokenLifetimePolicy",
        {"access_token_lifetime": lambda found: span_in(found, "AccessTokenLifetime")},
    ),
    Kind(
        "token_issuance",
        "token-issuance",
        "TokenIssuancePolicy",
        {
            "signature_algorithm": lambda found: text_in(found, "SigningAlgorithm"),
            "signs": lambda found: text_in(found, "TokenResponseSigningPolicy"),
        },
    ),
)
_DEFINED = tuple(column for kind in KINDS for column in kind.columns)

OPERATIONS = (*(f"{kind.operation}.{what}" for kind in KINDS for what in ("list", "applied", "applied_of")), _VALIDATION)


async def collect_token_policies(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write a row per token policy. Returns the coverage of `OPERATIONS`."""
    coverage: list[Coverage] = []
    for kind in KINDS:
        coverage += await _Policies(reading.connection, unit, scope, kind).collect()
    return [*coverage, *await collect_declared([_VALIDATION], reading, unit, scope)]


class _Policies:
    """Reads the policies of one kind, after their assignments."""

    def __init__(self, connection: Connection, unit: Unit, scope: Scope, kind: Kind) -> None:
        self._connection, self._unit, self._scope, self._kind = connection, unit, scope, kind
        self._list = Calls(scope, f"{kind.operation}.list")
        self._applied = Calls(scope, f"{kind.operation}.applied")
        self._single = Calls(scope, f"{kind.operation}.applied_of", per_object=True)
        self._assigned: dict[str, Sequence[Assigned] | Refusal] = {}

    async def collect(self) -> Sequence[Coverage]:
        await self._read_applied()
        gateway, placed = self._connection.gateway, set[str]()
        url, version = source(self._connection.environment, self._list.id)
        listing = gateway.pages(self._list.id, Policy, by=object_id)
        async for item in both(listing):
            placed.add(object_id(item))
            id_ = f"/tenants/{self._connection.identity.tenant_id}/policies/{item.id}"
            row = Row(TOKEN_POLICY, id=id_, resource_id=id_, scope_id=self._scope.id, url=url, version=version)
            row.fill(item)
            row.put("kind", self._kind.name)
            row.clear(("is_default",))
            if self._kind.operation == "token_lifetime":
                row.make("is_default", given, item.is_organization_default)
            row.make("applies_to", self._ids, self._assigned.get(object_id(item), self._unseen))
            for column in _DEFINED:
                row.make(column, self._defined, item, column)
            row.clear(("validated_domains", "validated_names"))
            self._unit.row("token_policy", row.finish())
        self._list.ended(listing.end)
        if why_incomplete(listing.end) is None and self._assigned.keys() - placed:
            self._list.refused(Refusal(Reason.INCONSISTENT_PAGES, "it lacks a policy that another list has"))
        parent = self._applied.coverage()
        return self._list.coverage(), parent, self._single.coverage(parent)

    async def _read_applied(self) -> None:
        many: list[str] = []
        listing = self._connection.gateway.pages(self._applied.id, Applied, by=object_id)
        async for item in listing:
            found = read(item.applies_to, list[Assigned])
            cut = not isinstance(item.more, UnsetType)
            if not isinstance(found, Refusal) and (cut or len(found) >= _EXPANDED):
                many.append(object_id(item))
            else:
                self._assigned[object_id(item)] = found
        for copy in listing.copies():
            self._assigned[object_id(copy)] = Refusal(Reason.INCONSISTENT)
        self._applied.ended(listing.end)
        # A policy that a complete list lacks was created during the read.
        self._unseen = Refusal(why_incomplete(listing.end) or Reason.INCONSISTENT_PAGES)
        await for_each(many, self._one, limit=_AT_ONCE)

    async def _one(self, policy: str) -> None:
        listing = self._connection.gateway.pages(self._single.id, Assigned, by=object_id, id=policy)
        found = list((await distinct(listing, object_id)).values())
        self._single.ended(listing.end)
        missing = why_incomplete(listing.end)
        self._assigned[policy] = Refusal(missing) if missing else found

    def _ids(self, assigned: Sequence[Assigned] | Refusal) -> list[str]:
        """The row ids of the assigned objects, sorted."""
        if isinstance(assigned, Refusal):
            raise Unreadable(assigned.reason)
        below = [f"{_collection(decoded(item.type, str))}/{object_id(item)}" for item in assigned]
        return sorted(f"/tenants/{self._connection.identity.tenant_id}/{each}".lower() for each in below)

    def _defined(self, item: Policy, column: str) -> object:
        """What the definition of a policy has for a column; None if it is about another kind of policy."""
        fill = self._kind.columns.get(column)
        return fill and fill(definition_of(item.definition, self._kind.root))
