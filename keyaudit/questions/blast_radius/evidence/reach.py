"""What identities can access: their permissions, roles and vaults, for all of them at once."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program; ids are parameters

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import duckdb
from msgspec import Struct

from keyaudit.inventory.views.access.reach import KINDS
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.grant import Allows
from keyaudit.questions.access.answer import Who
from keyaudit.questions.access.evidence import GIVEN, INHERITED, MET, PEOPLE, WAY, honoured, way_of
from keyaudit.questions.blast_radius.answer import Edge, Kind, Node, Relation
from keyaudit.questions.blast_radius.evidence import agents
from keyaudit.questions.blast_radius.evidence.graph import Graph, rows
from keyaudit.questions.blast_radius.evidence.signing import TENANT

_USING = {Allows.SIGN, Allows.GRANT, Allows.SET_POLICY}
"""The permissions with which a certificate's key can be used; `READ_PRIVATE` only if it is exportable."""
_AUDIENCES = {
    "AzureADMultipleOrgs": "every organisation's tenant that consented to it",
    "AzureADandPersonalMicrosoftAccount": "every tenant that consented to it, and personal accounts",
    "PersonalMicrosoftAccount": "personal accounts",
}


class Opened(Struct, frozen=True):
    """The certificates of a vault that an identity can use: one by name, or all."""

    identity: str
    vault_id: str
    thing: str
    """Its name in lower case; empty for all."""
    exportable_only: bool
    doubt: Reason | None


def reach(connection: duckdb.DuckDBPyConnection, graph: Graph, identities: Sequence[str]) -> list[Opened]:
    """Adds the grants and vaults of the identities, nodes of the graph. Returns the certificates that they can use."""
    of_object = {}
    for row in _facts(connection, identities):
        of_object[row["object_id"]] = row["app"]
        _control(graph, row)
    for row in _audiences(connection, identities):
        _tenants(graph, row)
    of_object |= agents.users(connection, identities)
    held = _holders_of(connection, sorted(of_object))
    opened: list[Opened] = []
    for row in _ways(connection, sorted(held)):
        for each in held[row["principal_id"]]:
            opened += _vault(graph, row, of_object[each.object_id], each)
    for row in _others(connection, sorted(held)):
        for each in held[row["principal_id"]]:
            if not each.through or row["kind"] in ("directory-role", "azure-role"):
                _permission(graph, row, of_object[each.object_id], each)
    _inherited(connection, graph, of_object)
    return opened


class _Holder(Struct, frozen=True):
    """A holder of grants: the principal itself, or a member through groups."""

    object_id: str
    through: tuple[Who, ...] = ()
    unplaced: Reason | None = None
    """Why further groups in between may be missing."""


def _holders_of(connection: duckdb.DuckDBPyConnection, ids: Sequence[str]) -> Mapping[str, Sequence[_Holder]]:
    """By principal that a grant may name, which of these identities hold it."""
    query = """
        SELECT member_id, group_id, through, unknown['through'] AS unplaced FROM membership
        WHERE list_contains($ids, member_id) ORDER BY group_id, member_id"""
    memberships = rows(connection, query, {"ids": list(ids)})
    groups = {group for row in memberships for group in (row["group_id"], *(row["through"] or ()))}
    found = rows(connection, PEOPLE, [sorted(groups)]) if groups else []
    named = {row["id"]: Who(row["id"], row["name"], row["kind"]) for row in found}
    held: dict[str, list[_Holder]] = defaultdict(list)
    for object_id in ids:
        held[object_id].append(_Holder(object_id))
    for row in memberships:
        through = tuple(named[group] for group in (row["group_id"], *(row["through"] or ())))
        unplaced = Reason(row["unplaced"]) if row["unplaced"] else None
        held[row["group_id"]].append(_Holder(row["member_id"], through, unplaced))
    return held


def _facts(connection: duckdb.DuckDBPyConnection, identities: Sequence[str]) -> list[dict[str, Any]]:
    query = """
        SELECT coalesce(lower(app_id), lower(id)) AS app, split_part(id, '/', -1) AS object_id, tier0,
            unknown['tier0'] AS tier0_doubt
        FROM service_principal WHERE list_contains($ids, coalesce(lower(app_id), lower(id))) ORDER BY id"""
    return rows(connection, query, {"ids": list(identities)})


def _control(graph: Graph, row: Mapping[str, Any]) -> None:
    if row["tier0"] is not False:
        doubt = Reason(row["tier0_doubt"]) if row["tier0"] is None and row["tier0_doubt"] else None
        how = "it can grant itself any permission"
        graph.join(TENANT, Edge(source=row["app"], target=TENANT.id, relation=Relation.CONTROLS, how=how, doubt=doubt))


def _audiences(connection: duckdb.DuckDBPyConnection, identities: Sequence[str]) -> list[dict[str, Any]]:
    query = """
        SELECT lower(app_id) AS app, audience, unknown['audience'] AS doubt FROM application
        WHERE list_contains($ids, lower(app_id)) ORDER BY id"""
    return rows(connection, query, {"ids": list(identities)})


def _tenants(graph: Graph, row: Mapping[str, Any]) -> None:
    """The other tenants that issue tokens for it; Graph does not list them."""
    if row["audience"] in _AUDIENCES or row["audience"] is None:
        name = _AUDIENCES.get(row["audience"], "other tenants, if its audience lets it")
        node = Node(id=f"tenants/{row['audience'] or 'unknown'}", kind=Kind.TENANTS, name=name)
        how = f"its audience is {row['audience'] or 'not known'}"
        doubt = Reason(row["doubt"]) if row["doubt"] else None
        graph.join(node, Edge(source=row["app"], target=node.id, relation=Relation.REACHES, how=how, doubt=doubt))


def _ways(connection: duckdb.DuckDBPyConnection, ids: Sequence[str]) -> list[dict[str, Any]]:
    """The grants of these principals, by vault."""
    query = f"""
        SELECT met.*, {WAY}, vault.name AS vault_name, given.unknown['allows'] AS unread
        FROM (
            {MET} JOIN reach_holder AS holder ON holder.holder = way.holder WHERE list_contains($ids, holder.principal_id)
        ) AS met
        JOIN ({GIVEN}) ON given.id = met.met_id JOIN vault ON vault.id = met.vault_id
        ORDER BY met.met_id, met.vault_id, met.object"""
    return rows(connection, query, {"ids": list(ids)})


def _vault(graph: Graph, row: Mapping[str, Any], identity: str, holder: _Holder) -> Iterator[Opened]:
    """Adds one vault that a grant gives access to, if the vault honours it."""
    kept = honoured(row["access_model"], row["kind"])
    unread = row["allows"] is None
    allows = [each for each in row["allows"] or () if each in kept]
    if not kept or not (allows or unread):
        return
    unsure = row["doubt"] and (not row["certain"] or row["certain"] != row["possible"])
    doubt = Reason(row["unread"]) if unread else Reason(row["doubt"]) if unsure else None
    way = way_of(row, allows, doubt, holder.through, holder.unplaced)
    thing = (row["object"] or "").removeprefix(f"{row['vault_id']}/")
    node = Node(id=row["vault_id"], kind=Kind.VAULT, name=row["vault_name"] or row["vault_id"])
    edge = Edge(
        source=identity,
        target=node.id,
        relation=Relation.REACHES,
        how="limited to one thing in it" if thing else "",
        names=thing,
        way=way,
        doubt=doubt or holder.unplaced,
    )
    graph.join(node, edge)
    uses = bool(_USING.intersection(allows)) or unread
    if row["standing"] is not False and (uses or Allows.READ_PRIVATE in allows):
        yield Opened(identity, row["vault_id"], thing.partition("/")[2].lower(), not uses, doubt or holder.unplaced)


def _inherited(connection: duckdb.DuckDBPyConnection, graph: Graph, of_object: Mapping[str, str]) -> None:
    """Adds the permissions that the agents among the identities inherit from their blueprints."""
    query = f"""
        SELECT {WAY}, {_OTHER}, given.given_to, given.why FROM {INHERITED} WHERE list_contains($ids, given.given_to)
        ORDER BY given.given_to, given.kind, given.api, given.name, given.id"""
    found = rows(connection, query, {"ids": sorted(of_object)})
    people = rows(connection, PEOPLE, [sorted({row["principal_id"] for row in found})]) if found else []
    named = {row["id"]: Who(row["id"], row["name"], row["kind"]) for row in people}
    for row in found:
        doubt = Reason(row["why"]) if row["why"] else None
        holder = _Holder(row["given_to"], (named[row["principal_id"]],))
        _permission(graph, row, of_object[row["given_to"]], holder, doubt)


_OTHER = """given.tier, given.api_id, given.on_behalf_of, given.role_id,
    coalesce(given.unknown['name'], CASE WHEN given.tier IS NULL THEN given.unknown['tier'] END) AS nameless"""


def _others(connection: duckdb.DuckDBPyConnection, ids: Sequence[str]) -> list[dict[str, Any]]:
    kinds = ", ".join(f"'{kind}'" for kind in KINDS)
    wide = ", ".join(f"'{kind}'" for kind in _WIDE)
    query = f"""
        SELECT {WAY}, {_OTHER} FROM {GIVEN} WHERE list_contains($ids, given.principal_id) AND (given.kind NOT IN ({kinds})
            OR (given.kind = 'azure-role' AND given.scope_kind IN ({wide})))
        ORDER BY given.kind, given.api, given.name, given.id"""
    return rows(connection, query, {"ids": list(ids)})


_WIDE = ("root", "management-group", "subscription", "resource-group")
"""The scopes of Azure roles that are wider than one vault."""
_TIERS = {0: "control of the whole tenant", 1: "all of one kind of data"}


_KINDS = {"directory-role": Kind.ROLE, "azure-role": Kind.AZURE_ROLE}


def _permission(graph: Graph, row: Mapping[str, Any], identity: str, holder: _Holder, doubt: Reason | None = None) -> None:
    kind, name = row["kind"], row["name"] or row["role_id"] or "of unknown name"
    place = row["scope_name"] or (row["scope"] or "").rpartition("/")[2] or "everything"
    node = Node(
        id=f"{kind}/{row['api_id'] or row['api'] or row['scope']}/{name}",
        kind=_KINDS.get(kind, Kind.PERMISSION),
        name={"directory-role": name, "azure-role": f"{name} on {place}"}.get(kind, f"{row['api'] or 'an API'}: {name}"),
        note=_TIERS.get(row["tier"], ""),
    )
    edge = Edge(
        source=identity,
        target=node.id,
        relation=Relation.HOLDS,
        how={"app-role": "app role", "delegated": "delegated permission"}.get(kind, ""),
        way=way_of(row, (), doubt, holder.through, holder.unplaced),
        doubt=doubt or (Reason(row["nameless"]) if row["nameless"] else None),
    )
    graph.join(node, edge)
