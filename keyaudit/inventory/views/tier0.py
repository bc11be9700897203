"""Principals that control the whole tenant, and the certificates that sign them in."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Iterator

from keyaudit.inventory.dialect import DuckDB
from keyaudit.inventory.facts.relation import Rows
from keyaudit.inventory.facts.sql import Sources, gap, read_to_the_end
from keyaudit.inventory.views import agents, in_vault, privileges, service_principal
from keyaudit.inventory.views.privileges import UNSEEN
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES

_CREDENTIALS = (*TABLES["application"].listed_by, *TABLES["service_principal"].listed_by)


def prepare(sources: Sources) -> Iterator[str]:
    """The statements that create the lookup tables of this module and of `reach`.

    reach_blind              one row: why service principals, or directory roles, may be missing
    reach_control            who was given control of the tenant, or may have been, by object id
    reach_service_principal  every service principal, with where it is at home and whether it controls the tenant
    """
    yield f"CREATE TABLE reach_blind AS {_blind()}"
    yield f"CREATE TABLE reach_control AS {_control(sources)}"
    yield f"""
        CREATE TABLE reach_service_principal AS
        SELECT object_id, app_id, environment, unnamed, environment_why, subscription, subscription_why,
            CASE WHEN controls THEN true WHEN why IS NULL THEN false END AS tier0,
            CASE WHEN controls THEN NULL ELSE why END AS tier0_doubt
        FROM (
            SELECT found.*, controls, coalesce(found.listed_why, control.doubt, blind.roles) AS why
            FROM {service_principal.environments(sources).relation} AS found
            LEFT JOIN reach_control AS control ON control.object_id = found.object_id CROSS JOIN reach_blind AS blind
        )"""


def _blind() -> str:
    def of_tenant(operation: str) -> str:
        return f"SELECT * FROM ({read_to_the_end((operation,))}) WHERE scope_id LIKE '/tenants/%'"

    return f"""
        SELECT {gap("listed")} AS principals, coalesce({gap("assigned")}, hidden.tier0_doubt) AS roles
        FROM {UNSEEN} AS hidden LEFT JOIN ({of_tenant("service_principal.list")}) AS listed ON true
        LEFT JOIN ({of_tenant("directory_role.assignments")}) AS assigned ON true"""


def _control(sources: Sources) -> str:
    """Principals that can activate such a directory role count too, because the key gives them nothing new."""
    grant = Rows(sources, "grant", "each")
    given = f"""
        SELECT principal_id, kind, standing, coalesce(unknown['tier'], unknown['scope_kind']) AS doubt,
            {privileges.controls(grant).value} AS controls
        FROM {grant.sql} WHERE kind IN ('app-role', 'directory-role')"""
    held = f"""
        SELECT principal_id AS object_id, standing, doubt, controls FROM ({given})
        UNION ALL
        SELECT member_id, standing, doubt, controls FROM ({given}) AS given
        JOIN {sources["membership"]} AS membership ON membership.group_id = given.principal_id
        WHERE given.kind = 'directory-role'"""
    if not agents.none(sources):
        held = _with_agents(sources, held)
    return f"""
        SELECT object_id, bool_or(controls) AS controls, min(doubt) FILTER (WHERE standing AND controls IS NULL) AS doubt
        FROM ({held}) WHERE controls IS NOT FALSE GROUP BY object_id"""


def _with_agents(sources: Sources, held: str) -> str:
    """With what agents inherit, as theirs; and all that agents hold as their blueprint's, whose credentials open them."""
    grant, parent = Rows(sources, "grant", "each"), agents.parents(sources)
    roles = f"SELECT *, {privileges.controls(grant).value} AS controls FROM {grant.sql} WHERE kind = 'app-role'"
    unlisted, nameless = parent["inherited_listed"].why.sql, parent["principal_id"].why.sql
    every = f"""
        {held}
        UNION ALL
        SELECT given_to, standing, coalesce(why, unknown['tier']), CASE WHEN why IS NULL OR NOT controls THEN controls END
        FROM ({agents.inherited(sources, roles)})
        UNION ALL
        SELECT object_id, true, {unlisted}, NULL FROM {parent.sql} WHERE {unlisted} IS NOT NULL"""
    return f"""
        {every}
        UNION ALL
        SELECT parent.principal_id, standing, coalesce({nameless}, held.doubt), controls
        FROM ({every}) AS held JOIN {parent.sql} ON parent.object_id = held.object_id
        WHERE parent.principal_id IS NOT NULL
        UNION ALL
        SELECT parent.principal_id, true, who.unknown['app_roles_listed'], NULL FROM {parent.sql}
        JOIN {sources["service_principal"]} AS who ON split_part(who.id, '/', -1) = parent.object_id
        WHERE parent.principal_id IS NOT NULL AND who.unknown['app_roles_listed'] IS NOT NULL"""


def doubt(kind: str) -> str:
    """SQL: why it is unknown whether a principal of that kind controls the tenant; `home`, `control` and `blind` are those
    tables.
    """
    return f"""CASE WHEN control.controls THEN NULL WHEN home.object_id IS NOT NULL THEN home.tier0_doubt
        ELSE coalesce(CASE WHEN {kind} IS DISTINCT FROM 'user' THEN '{Reason.NOT_VISIBLE}' END, control.doubt,
            blind.roles) END"""


def controls(kind: str) -> str:
    """SQL: whether a principal of that kind controls the tenant; NULL if unknown."""
    return f"CASE WHEN control.controls THEN true WHEN {doubt(kind)} IS NULL THEN false END"


def credentials(sources: Sources, as_of: int) -> Iterator[str]:
    """The statements that create the lookup tables of the view of certificates, after `prepare`.

    reach_opening  digests of the keys of live certificates of applications that control the tenant, or may; of none: any key
    reach_unread   one row: why there may be others
    """
    # A credential without its certificate in Graph may have any key, because its author chooses the thumbprint.
    live = f"""
        SELECT '{in_vault.KEY}' || stored.public_key_sha256 AS digest,
            tier0.tier0 AND stored.kind = 'certificate' AND CASE WHEN expires_on IS NOT NULL THEN expires_on > {as_of}
                WHEN stored.unknown['expires_on'] IS NULL THEN true END AS opens,
            coalesce(tier0.tier0_doubt, stored.unknown['kind'], stored.unknown['expires_on'],
                stored.unknown['public_key_sha256']) AS doubt
        FROM {sources["credential"]} AS stored
        JOIN reach_service_principal AS tier0 ON tier0.app_id = {sources.sql.lower("stored.app_id")}
        WHERE (stored.kind = 'certificate' OR stored.public_key_sha256 IS NOT NULL) AND tier0.tier0 IS NOT FALSE"""
    yield f"""
        CREATE TABLE reach_opening AS
        SELECT digest, bool_or(opens) AS opens, min(doubt) FILTER (WHERE digest IS NULL OR opens IS NULL) AS doubt
        FROM ({live}) WHERE opens IS NOT FALSE GROUP BY digest"""
    yield f"""
        CREATE TABLE reach_unread AS
        SELECT coalesce(
            (SELECT doubt FROM reach_opening WHERE digest IS NULL),
            (SELECT min(coalesce(unknown['app_id'], unknown['kind'])) FROM {sources["credential"]}
                WHERE app_id IS NULL OR (kind IS NULL AND public_key_sha256 IS NULL)),
            (SELECT min({gap("listed")}) FROM ({read_to_the_end(_CREDENTIALS)}) AS listed WHERE scope_id LIKE '/tenants/%')
        ) AS reason"""


def certificates(sql: DuckDB, query: str, *, known: bool) -> str:
    """The view of certificates in `query` with `authenticates_tier0`; NULL if `credentials` did not run."""
    if not known:
        return f"SELECT *, CAST(NULL AS BOOLEAN) AS authenticates_tier0 FROM ({query})"
    opens = "coalesce(on_key.opens, false)"
    why = f"CASE WHEN {opens} THEN NULL ELSE coalesce(on_key.doubt, made.unknown['public_key_sha256'], unread.reason) END"
    added = sql.map({"authenticates_tier0": why})
    unknown = f"CASE WHEN {why} IS NULL THEN made.unknown ELSE map_concat(made.unknown, {added}) END"
    return f"""
        SELECT {sql.replacing({"unknown": unknown}, of="made")},
            CASE WHEN {opens} THEN true WHEN {why} IS NULL THEN false END AS authenticates_tier0
        FROM ({query}) AS made
        LEFT JOIN reach_opening AS on_key ON on_key.digest = '{in_vault.KEY}' || made.public_key_sha256
        CROSS JOIN reach_unread AS unread"""
