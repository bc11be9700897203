"""The derived columns, each written once as SQL over the stored ones: three-valued, with the reason for each unknown.

Two facts keep the conditions short. A column that may not be absent is NULL exactly when it is unknown (`load` refuses
anything else), so that SQL's own logic over it is the three-valued one. And what rests on a set of rows is certain only where
the ledger says that the set was read to its end.
"""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Mapping, Sequence

import duckdb

from keyaudit.inventory.views import (
    account_key,
    application,
    blast_radius,
    certificate,
    credential,
    environment,
    grant,
    key,
    key_use,
    log_sink,
    reach,
    secret,
    service_principal,
    signing_certificate,
    subscription,
    tenant,
    vault,
)
from keyaudit.inventory.views.sql import stored
from keyaudit.model.coverage import Coverage
from keyaudit.model.run import Run
from keyaudit.model.tables.reach import ACTIONS, OF_KEYS, READING

_KEY = "'/keys/' || lower(split_part(made.key_id, '/', 5))"
_OF_CERTIFICATE = "lower(split_part(made.certificate_id, '/', 5))"
"""What they are called below their vault in the scope of a role, as `thing` of `reach.counted`."""

_LEDGER = """
CREATE TABLE coverage (
    scope_id VARCHAR, scope_name VARCHAR, scope_kind VARCHAR, operation VARCHAR, state VARCHAR, reason VARCHAR, detail VARCHAR,
    received BIGINT, kept BIGINT, duplicate BIGINT, quarantined BIGINT, refused BIGINT
)"""


def create(
    connection: duckdb.DuckDBPyConnection,
    sources: Mapping[str, str],
    coverage: Sequence[Coverage],
    run: Run,
    as_of: int,
    *,
    reach_known: bool,
) -> None:
    """Makes the table `coverage`, and a view per table over `sources`, the stored rows of `run` as SQL relations.

    Without `reach_known` the columns that count who can reach something are NULL, for a reader of none of them.
    """
    environment.create(connection, run.environment_rules)
    connection.execute(_LEDGER)
    columns = zip(*map(_flat, coverage), strict=True) if coverage else ()
    lists = [list(column) for column in columns]
    if lists:
        connection.execute(f"INSERT INTO coverage SELECT {', '.join(['unnest(?)'] * len(lists))}", lists)
    if reach_known:
        for statement in reach.prepare(sources):
            connection.execute(statement)
    derived = {
        "tenant": tenant.view(sources),
        "subscription": subscription.view(sources),
        "log_sink": log_sink.view(sources),
        "vault": reach.counted(vault.view(sources), *ACTIONS, known=reach_known),
        "key": vault.watched(_keys(key.view(sources), reach_known=reach_known), sources),
        "certificate": _certificates(certificate.view(sources), reach_known=reach_known),
        "secret": secret.view(sources),
        "grant": grant.view(sources, known=reach_known),
        "application": application.view(sources, as_of),
        "service_principal": service_principal.view(sources),
        "credential": credential.view(sources),
        "account_key": account_key.view(sources),
        "key_use": key_use.view(sources),
        "signing_certificate": signing_certificate.view(sources),
    }
    for name, source in sources.items():
        query = derived.get(name) or f"SELECT {stored(name, 'stored')}, stored.unknown FROM {source} AS stored"
        connection.execute(f"CREATE VIEW {name} AS {query}")


def _keys(query: str, *, reach_known: bool) -> str:
    """With who can use it, and how far that makes it reach."""
    counted = reach.counted(query, *OF_KEYS, known=reach_known, vault="vault_id", thing=_KEY, also=reach.HOMES)
    return blast_radius.keys(counted, known=reach_known)


def _certificates(query: str, *, reach_known: bool) -> str:
    """With who can sign by its key, and who can read its private part, which is the secret of its name."""
    key, secret_ = f"'/keys/' || {_OF_CERTIFICATE}", f"'/secrets/' || {_OF_CERTIFICATE}"
    signed = reach.counted(query, *OF_KEYS, known=reach_known, vault="vault_id", thing=key)
    return reach.counted(signed, READING, known=reach_known, vault="vault_id", thing=secret_)


def _flat(record: Coverage) -> tuple[str | int | None, ...]:
    return (
        record.scope.id,
        record.scope.name,
        record.scope.kind.value,
        record.operation,
        record.state.value,
        record.reason.value if record.reason else None,
        record.detail,
        record.received,
        record.kept,
        record.duplicate,
        record.quarantined,
        record.refused,
    )
