"""Compares what federated credentials trust with a supplied list of repositories.

Names are compared in lower case, as hosting services compare them. An id that a credential requires is on record, too.
"""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program

from keyaudit.inventory.dialect import DuckDB
from keyaudit.inventory.facts.fact import CERTAIN, Derived, Fact, known
from keyaudit.inventory.facts.joins import NOTHING
from keyaudit.inventory.facts.relation import Rows, by_hand
from keyaudit.inventory.facts.sql import Sources
from keyaudit.model.repositories import Held

_BY_ID = "stored.repository_id IS NOT NULL"
_SEVERAL = "by_path.ids > 1 OR by_owner.ids > 1"

_HELD = f"""CASE WHEN stored.repository_host IS NULL THEN NULL
    WHEN {_BY_ID} THEN CASE WHEN by_id.id IS NOT NULL THEN '{Held.YES}'
        WHEN by_owner_id.id IS NOT NULL THEN '{Held.OWNER_ONLY}' ELSE '{Held.NO}' END
    WHEN stored.repository_owner_id IS NOT NULL THEN CASE WHEN by_owner_id.id IS NULL THEN '{Held.NO}'
        WHEN stored.repository_path IS NOT NULL AND by_path.name IS NULL THEN '{Held.OWNER_ONLY}' ELSE '{Held.YES}' END
    WHEN ({_SEVERAL}) AND (by_path.name IS NOT NULL OR by_owner.name IS NOT NULL) THEN '{Held.RE_REGISTERED}'
    WHEN stored.repository_path IS NULL AND by_owner.name IS NOT NULL THEN '{Held.YES}'
    WHEN by_path.name IS NOT NULL THEN '{Held.YES}'
    WHEN by_owner.name IS NOT NULL THEN '{Held.OWNER_ONLY}' ELSE '{Held.NO}' END"""

# GitHub Enterprise Server has no subjects with ids.
_GITHUB = "(stored.repository_host = 'github.com' OR stored.repository_host LIKE '%.ghe.com')"
# Texts with these need escapes in JSON.
_ESCAPED = r'["\\\x00-\x1f\x7f]'


def _with_ids(sql: DuckDB) -> str:
    """The subject with ids in place of names."""
    names = {label: f"'{label}:' || stored.repository_path" for label in ("repo", "project_path")}
    begins = {label: sql.startswith("stored.subject", f"{name} || ':'") for label, name in names.items()}
    rest = {label: f"substr(stored.subject, length({name}) + 1)" for label, name in names.items()}
    return f"""CASE
    WHEN {_GITHUB} AND {begins["repo"]}
        THEN 'repo:' || by_path.owner || '@' || by_path.owner_id
            || '/' || split_part(by_path.shown, '/', 2) || '@' || by_path.id || {rest["repo"]}
    WHEN {begins["project_path"]} THEN 'project_id:' || by_path.id || {rest["project_path"]} END"""


def _credential(sql: DuckDB) -> str:
    texts = ("stored.name", "stored.issuer", "stored.subject", sql.joined("stored.audiences", ""))
    shown = " || ".join(f"coalesce({text}, '')" for text in texts)
    return f"""CASE WHEN stored.subject_grade = 'mutable' AND {_HELD} = '{Held.YES}' AND NOT {sql.found(f"({shown})", _ESCAPED)}
    THEN '{{"name": "' || coalesce(stored.name, 'credential') || '-by-id", "issuer": "' || stored.issuer || '", "subject": "'
        || {_with_ids(sql)} || '", "audiences": ["' || {sql.joined("stored.audiences", '", "')} || '"]}}' END"""


def facts(rows: Rows, *, listed: bool) -> dict[str, Derived]:
    """Those columns of credentials. `listed`: whether a list was supplied."""
    sql = rows.sources.sql
    if not listed:
        not_compared = known(Held.NOT_COMPARED).where(rows["repository_host"].present)
        return {"repository_listed": not_compared, "immutable_credential": Fact("CAST(NULL AS STRING)", absent=True)}
    parts = [rows[f"repository_{name}"] for name in ("host", "owner", "owner_id", "path", "id")]
    shown = [rows[name] for name in ("issuer", "subject", "audiences", "subject_grade")]
    reads = NOTHING.union(*(by_hand(alias, clause) for alias, clause in _joins(rows.sources).items()))

    def of(value: str, *cells: Fact) -> Fact:
        doubt = CERTAIN
        for cell in cells:
            doubt |= cell.doubt
        return Fact(f"CASE WHEN {doubt.sql} IS NULL THEN {value} END", doubt, absent=True, reads=reads)

    return {"repository_listed": of(_HELD, *parts), "immutable_credential": of(_credential(sql), *parts, *shown)}


def _joins(sources: Sources) -> dict[str, str]:
    """The relations that the columns depend on, to be joined to `stored`, the credentials."""
    listed, credentials, sql = sources["repository"], sources["credential"], sources.sql
    # A GitLab group is listed if one of its subgroups' projects is.
    parts = sql.divided("owner", "/")
    above = f"""SELECT host, {sql.joined(sql.first_items("parts", "level"), "/")} AS owner,
            CASE WHEN level = {sql.size("parts")} THEN owner_id END AS owner_id
        FROM (SELECT *, {sql.each(sql.numbers(sql.size("parts")))} AS level
            FROM (SELECT host, owner_id, {parts} AS parts FROM {listed}))"""
    owners = f"""
        SELECT host, {sql.lower("owner")} AS name, owner_id AS id, true AS listed FROM ({above})
        UNION ALL SELECT repository_host, {sql.lower("repository_owner")}, repository_owner_id, false FROM {credentials}
            WHERE repository_owner IS NOT NULL AND repository_owner_id IS NOT NULL"""
    paths = f"""
        SELECT host, {sql.lower("name")} AS name, repository_id AS id, owner_id, owner, name AS shown, true AS listed
            FROM {listed}
        UNION ALL SELECT repository_host, {sql.lower("repository_path")}, repository_id, NULL, NULL, NULL, false
            FROM {credentials}
            WHERE repository_path IS NOT NULL AND repository_id IS NOT NULL"""
    return {
        "by_id": f"""
        LEFT JOIN (SELECT DISTINCT host, repository_id AS id FROM {listed}) AS by_id
            ON by_id.host = stored.repository_host AND by_id.id = stored.repository_id""",
        "by_path": f"""
        LEFT JOIN (SELECT host, name, count(DISTINCT id) AS ids, min(id) AS id, min(owner_id) AS owner_id,
                min(owner) AS owner, min(shown) AS shown
            FROM ({paths}) GROUP BY host, name HAVING bool_or(listed)) AS by_path
            ON by_path.host = stored.repository_host AND by_path.name = {sql.lower("stored.repository_path")}""",
        "by_owner": f"""
        LEFT JOIN (SELECT host, name, count(DISTINCT id) AS ids FROM ({owners}) GROUP BY host, name HAVING bool_or(listed))
            AS by_owner ON by_owner.host = stored.repository_host AND by_owner.name = {sql.lower("stored.repository_owner")}""",
        "by_owner_id": f"""
        LEFT JOIN (SELECT DISTINCT host, owner_id AS id FROM {listed}) AS by_owner_id
            ON by_owner_id.host = stored.repository_host AND by_owner_id.id = stored.repository_owner_id""",
    }
