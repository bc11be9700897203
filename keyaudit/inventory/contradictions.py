"""Complete lists that lack objects which other answers of the same run show.

Absence from such a list proves nothing, so its operation counts as partial: `inconsistent`.
"""

# ruff: noqa: S608 - every name in this SQL is declared in this program

from collections.abc import Mapping, Sequence

import duckdb
from msgspec import Struct
from msgspec.structs import replace

from keyaudit.model.coverage import Coverage, State
from keyaudit.model.reasons import Reason


class _Check(Struct, frozen=True):
    """`query` returns a scope and the number of objects that the list of `operation` lacks there."""

    operation: str
    query: str
    detail: str
    """The contradiction, in words. `{count}` is that number, `{s}` its plural."""


def _checks(tables: Mapping[str, str]) -> Sequence[_Check]:
    """`tables`: each table's stored rows, as an SQL relation."""
    key, certificate, secret, credential = (tables[name] for name in ("key", "certificate", "secret", "credential"))
    sign_in, use = tables["sign_in_activity"], tables["credential_activity"]
    return (
        # A certificate's key is listed among the keys, and its name is the certificate's.
        # https://learn.microsoft.com/azure/key-vault/certificates/about-certificates
        _Check(
            "key.list",
            f"""SELECT scope_id, count(*) FROM (
                    SELECT DISTINCT scope_id, regexp_replace(key_version_id, '/[^/]*$', '') AS key_id
                    FROM {certificate} WHERE key_version_id IS NOT NULL
                ) ANTI JOIN {key} USING (scope_id, key_id) GROUP BY scope_id""",
            "it lacks {count} key{s} that certificates of the vault name",
        ),
        # Like its key, its secret, which contains the certificate after it is issued.
        _Check(
            "secret.list",
            f"""SELECT scope_id, count(*) FROM (
                    SELECT DISTINCT scope_id, lower(name) AS name FROM {certificate} WHERE key_version_id IS NOT NULL AND issued
                ) ANTI JOIN (SELECT scope_id, lower(name) AS name FROM {secret}) USING (scope_id, name) GROUP BY scope_id""",
            "it lacks {count} secret{s} that certificates of the vault are stored in",
        ),
        _Check(
            "certificate.list",
            f"""SELECT scope_id, count(*) FROM (SELECT DISTINCT scope_id, lower(name) AS name FROM {key} WHERE managed)
                ANTI JOIN (SELECT scope_id, lower(name) AS name FROM {certificate}) USING (scope_id, name)
                GROUP BY scope_id""",
            "it lacks {count} certificate{s} that keys of the vault belong to",
        ),
        # An application that signs in with credentials appears in both reports.
        _Check(
            "credential_activity.list",
            f"""SELECT scope_id, count(DISTINCT app_id) FROM {sign_in} AS signed_in
                JOIN (
                    SELECT lower(app_id) AS app_id, min(starts_on) AS starts_on FROM {credential}
                    GROUP BY ALL HAVING bool_and(kind IN ('password', 'certificate'))
                ) AS held USING (app_id)
                WHERE last_app_only_on >= starts_on AND NOT EXISTS (FROM {use})
                GROUP BY scope_id""",
            "it is empty, and {count} application{s} signed in with client secrets or certificates",
        ),
        _Check(
            "sign_in_activity.list",
            f"""SELECT scope_id, count(DISTINCT key_id) FROM {use}
                WHERE last_used_on IS NOT NULL AND NOT EXISTS (FROM {sign_in}) GROUP BY scope_id""",
            "it is empty, and {count} credential{s} of applications were used to sign in",
        ),
    )


def contradicted(
    connection: duckdb.DuckDBPyConnection, tables: Mapping[str, str], coverage: Sequence[Coverage]
) -> tuple[Coverage, ...]:
    """The coverage, with lists that `tables` (the stored rows as SQL relations) contradict marked as inconsistent."""
    found: dict[tuple[str, str], str] = {}
    for check in _checks(tables):
        for scope, count in connection.execute(check.query).fetchall():
            detail = check.detail.format(count=f"{count:,}", s="" if count == 1 else "s")
            found[scope, check.operation] = detail
    return tuple(_noted(record, found.get((record.scope.id, record.operation))) for record in coverage)


def _noted(record: Coverage, detail: str | None) -> Coverage:
    """A record with another reason keeps it."""
    if detail is None or record.state is not State.ASSESSED:
        return record
    state = State.PARTIAL if record.kept else State.NOT_ASSESSED
    return replace(record, state=state, reason=Reason.INCONSISTENT, detail=detail)
