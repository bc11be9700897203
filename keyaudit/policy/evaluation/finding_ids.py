"""Finds the resource of a finding by how its id begins, which is a digest of policy and subject: nothing is evaluated."""

# ruff: noqa: S608 - a query is made of declared names and of literals, each quoted by the dialect

from collections.abc import Iterable, Iterator, Mapping, Sequence

import duckdb
from msgspec import Struct

from keyaudit.model.results.causes import fingerprint
from keyaudit.policy.definition import Policy
from keyaudit.policy.evaluation.queries import DIALECT


class Meant(Struct, frozen=True):
    """A resource that a policy may have a finding about."""

    policy: str
    finding: str
    table: str
    name: str | None
    """The first of its columns that were asked for that has a value; None: none has, or none was asked for."""


def beginning(
    connection: duckdb.DuckDBPyConnection,
    policies: Iterable[Policy],
    stored: Mapping[str, str],
    begins: str,
    names: Mapping[str, Sequence[str]],
) -> list[Meant]:
    """The resources that a finding whose id begins so may be about, by policy and id.

    `stored`: by table, the relation of its stored rows. `names`: by table, the columns that are asked for.
    """
    return sorted(_beginning(connection, policies, stored, begins, names), key=lambda each: (each.policy, each.finding))


def _beginning(
    connection: duckdb.DuckDBPyConnection,
    policies: Iterable[Policy],
    stored: Mapping[str, str],
    begins: str,
    names: Mapping[str, Sequence[str]],
) -> Iterator[Meant]:
    by_subject: dict[tuple[str, str], list[str]] = {}
    for policy in policies:
        if policy.text.table in stored:
            by_subject.setdefault((policy.text.table, policy.subject), []).append(policy.text.id)
    for (table, subject), ids in by_subject.items():
        asked = ", ".join((*map(DIALECT.name, names.get(table, ())), "NULL"))
        query = f"""
            SELECT policy, subject, any_value(name) FROM (
                SELECT {DIALECT.name(subject)} AS subject, coalesce({asked}) AS name,
                    unnest([{", ".join(map(DIALECT.text, ids))}]) AS policy
                FROM {stored[table]}
            ) WHERE starts_with(sha256(policy || chr(10) || subject), ?) GROUP BY policy, subject"""
        for policy_id, of, name in connection.execute(query, [begins.lower()]).fetchall():
            yield Meant(policy_id, fingerprint(policy_id, of), table, name)
