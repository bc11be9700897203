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
    certificate,
    credential,
    environment,
    key,
    key_use,
    log_sink,
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

_LEDGER = """
CREATE TABLE coverage (
    scope_id VARCHAR, scope_name VARCHAR, scope_kind VARCHAR, operation VARCHAR, state VARCHAR, reason VARCHAR, detail VARCHAR,
    received BIGINT, kept BIGINT, duplicate BIGINT, quarantined BIGINT, refused BIGINT
)"""


def create(
    connection: duckdb.DuckDBPyConnection, sources: Mapping[str, str], coverage: Sequence[Coverage], run: Run, as_of: int
) -> None:
    """Makes the table `coverage`, and a view per table over `sources`, the stored rows of `run` as SQL relations."""
    environment.create(connection, run.environment_rules)
    connection.execute(_LEDGER)
    columns = zip(*map(_flat, coverage), strict=True) if coverage else ()
    lists = [list(column) for column in columns]
    if lists:
        connection.execute(f"INSERT INTO coverage SELECT {', '.join(['unnest(?)'] * len(lists))}", lists)
    derived = {
        "tenant": tenant.view(sources),
        "subscription": subscription.view(sources),
        "log_sink": log_sink.view(sources),
        "vault": vault.view(sources),
        "key": key.view(sources),
        "certificate": certificate.view(sources),
        "secret": secret.view(sources),
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
