"""What Entra's reports show of applications and credentials at work. They prove use; a missing row proves nothing."""

from collections.abc import Mapping, Sequence

import duckdb

from keyaudit.questions.blast_radius.activity import Source, Used, Work, credential
from keyaudit.questions.blast_radius.answer import Edge, Relation
from keyaudit.questions.blast_radius.evidence.graph import rows


def reported(connection: duckdb.DuckDBPyConnection, edges: Sequence[Edge]) -> Mapping[str, Work]:
    """The evidence about the applications of a graph that sign in, and their credentials, as in `BlastRadius.work`."""
    signing = [edge for edge in edges if edge.relation is Relation.SIGNS_IN_AS]
    apps = sorted({edge.target for edge in signing})
    query = """
        SELECT lower(app_id) AS name, max(last_sign_in_on) AS last_on FROM sign_in_activity
        WHERE list_contains($ids, lower(app_id)) AND last_sign_in_on IS NOT NULL GROUP BY ALL ORDER BY ALL"""
    found = {row["name"]: _work(Source.SIGN_INS, row["last_on"]) for row in rows(connection, query, {"ids": apps})}
    keys = sorted({edge.facts["key_id"].lower() for edge in signing if "key_id" in edge.facts})
    query = """
        SELECT lower(key_id) AS name, max(last_used_on) AS last_on FROM credential_activity
        WHERE list_contains($ids, lower(key_id)) AND last_used_on IS NOT NULL GROUP BY ALL ORDER BY ALL"""
    for row in rows(connection, query, {"ids": keys}):
        found[credential(row["name"])] = _work(Source.CREDENTIALS, row["last_on"])
    return found


def serving(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """The addresses of vaults with keys that services encrypt with, whose identities the inventory does not name."""
    query = """
        SELECT DISTINCT array_to_string(list_slice(string_split(key_id, '/'), 1, 3), '/') AS host FROM key_use
        WHERE key_id IS NOT NULL"""
    return frozenset(row["host"] for row in rows(connection, query, []))


def _work(source: Source, last_on: int) -> Work:
    return Work(used=[Used(source=source, last_on=last_on)])
