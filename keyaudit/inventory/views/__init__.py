"""The derived columns, each written once as SQL over the stored ones: three-valued, with the reason for each unknown.

Two facts keep the conditions short. A column that may not be absent is NULL exactly when it is unknown (`load` refuses
anything else), so that SQL's own logic over it is the three-valued one. And what rests on a set of rows is certain only where
the ledger says that the set was read to its end.
"""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Collection, Iterator, Mapping, Sequence

import duckdb

from keyaudit.inventory.rows import SQL_TYPES, no_rows, stored_types, view_types
from keyaudit.inventory.views import (
    account_key,
    app_management_policy,
    application,
    blast_radius,
    certificate,
    credential,
    deleted,
    environment,
    grant,
    in_vault,
    key,
    key_use,
    log_sink,
    logged,
    own_readers,
    principal,
    privileges,
    reach,
    secret,
    service_principal,
    signing_certificate,
    subscription,
    tenant,
    tier0,
    token_policy,
    trusted_key,
    usage,
    vault,
)
from keyaudit.inventory.views.sql import stored
from keyaudit.model.coverage import Coverage
from keyaudit.model.evidence import LOGS, USAGE_BASELINE
from keyaudit.model.rows import view_name
from keyaudit.model.run import Run
from keyaudit.model.tables import TABLES
from keyaudit.model.tables.reach import (
    ACTIONS,
    ADMINISTRATORS,
    OF_KEYS,
    OUTSIDERS,
    READING,
    SIGNER_ENVIRONMENTS,
    SIGNERS_NAMED,
    SIGNING_WEIGHT,
    USING_AND_GRANTING,
)

SMALL = 5_000
"""Rows of a table, at a kilobyte or so each, that are kept as they were worked out: planning a query again costs more."""

_KEY = "'/keys/' || lower(split_part(made.key_id, '/', 5))"
_OF_CERTIFICATE = "lower(split_part(made.certificate_id, '/', 5))"
"""What they are called below their vault in the scope of a role, as `thing` of `reach.counted`."""

_READ_PRIVILEGES = {"application", "service_principal", "credential", "signing_certificate"}

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
    names: Collection[str],
    kept: Collection[str],
    reach_known: bool,
) -> None:
    """Makes the table `coverage`, and a view per table in `names` over `sources`, the stored rows of `run` as SQL relations.

    A table without a source has no rows: whatever rests on it is then planned and worked out at no cost. The views that are to
    be `kept` are worked out here, once, as tables of their names.
    Without `reach_known` the columns that count who can reach something are NULL, for a reader of none of them.
    """
    empty = {name: f"({no_rows(stored_types(table))})" for name, table in TABLES.items() if name not in sources}
    sources = {**sources, **empty}
    environment.create(connection, run.environment_rules)
    connection.execute(environment.named(sources["vault"]))
    connection.execute(_LEDGER)
    columns = zip(*map(_flat, coverage), strict=True) if coverage else ()
    lists = [list(column) for column in columns]
    if lists:
        connection.execute(f"INSERT INTO coverage SELECT {', '.join(['unnest(?)'] * len(lists))}", lists)
    for statement in _prepared(sources, as_of, names, reach_known=reach_known):
        connection.execute(statement)
    derived = {
        "tenant": tenant.view(sources),
        "subscription": subscription.view(sources),
        "log_sink": log_sink.view(sources),
        "vault": reach.counted(vault.view(sources), *ACTIONS, known=reach_known, beside=(USING_AND_GRANTING, ADMINISTRATORS)),
        "key": _keys(vault.watched(key.view(sources), sources), reach_known=reach_known),
        "certificate": _certificates(
            tier0.certificates(certificate.view(sources, as_of), known=reach_known), reach_known=reach_known
        ),
        "principal": principal.view(sources),
        "secret": secret.view(sources),
        "deleted": deleted.view(sources, known=reach_known),
        "grant": grant.view(sources, known=reach_known),
        "app_management_policy": app_management_policy.view(sources),
        "application": application.view(sources, as_of),
        "service_principal": service_principal.view(sources),
        "credential": credential.view(sources),
        "account_key": account_key.view(sources),
        "key_use": key_use.view(sources),
        "token_policy": token_policy.view(sources),
        "signing_certificate": signing_certificate.view(sources),
        "trusted_key": trusted_key.view(sources),
    }
    if LOGS in run.evidence:
        derived |= {name: extend(derived[name], sources, as_of) for name, extend in logged.EXTENDED.items()}
        baseline = USAGE_BASELINE in run.evidence
        for statement in usage.prepare(sources, baseline=baseline) if "usage" in names else ():
            connection.execute(statement)
        derived["usage"] = usage.view(sources, f"/tenants/{run.tenant_id}".lower(), as_of, baseline=baseline)
        # That no use was logged is not that there was none.
        empty.pop("usage", None)
    for name in names:
        source = sources[name]
        query = derived.get(name) or f"SELECT {stored(name, 'stored')}, stored.unknown FROM {source} AS stored"
        query = no_rows(view_types(TABLES[name])) if name in empty else _with_lacking(name, query, run)
        connection.execute(f"CREATE {'TABLE' if name in kept else 'VIEW'} {name} AS {query}")


def _prepared(sources: Mapping[str, str], as_of: int, names: Collection[str], *, reach_known: bool) -> Iterator[str]:
    """The statements that make what several views look up, or one of them more than once."""
    if reach_known or not _READ_PRIVILEGES.isdisjoint(names):
        yield from privileges.prepare(sources)
    if "credential" in names:
        yield from in_vault.prepare(sources)
    if reach_known:
        yield from reach.prepare(sources)
        yield grant.prepare(sources)
        yield from tier0.credentials(sources, as_of)
        yield own_readers.prepare(sources, as_of)


def _keys(query: str, *, reach_known: bool) -> str:
    """With who can use it, and how far that makes it reach."""
    beside = (SIGNING_WEIGHT, SIGNER_ENVIRONMENTS, SIGNERS_NAMED)
    counted = reach.counted(query, *OF_KEYS, known=reach_known, vault="vault_id", thing=_KEY, beside=beside, of_keys=True)
    return blast_radius.keys(counted, known=reach_known)


def _with_lacking(table: str, query: str, run: Run) -> str:
    """With the columns that need evidence that the run does not have, which is said of all rows at once.

    See `model.rows.decoded`.
    """
    declared = TABLES[table]
    lacking = [
        f"NULL::{SQL_TYPES.get(declared.by_name[name].type, 'BIGINT')} AS {bound}"
        for name in declared.lacking(run.evidence)
        for bound in view_name(declared.by_name[name])
    ]
    return f"SELECT *, {', '.join(lacking)} FROM ({query})" if lacking else query


def _certificates(query: str, *, reach_known: bool) -> str:
    """With who can sign by its key, and who can read its private part, which is the secret of its name."""
    key, secret_ = f"'/keys/' || {_OF_CERTIFICATE}", f"'/secrets/' || {_OF_CERTIFICATE}"
    by_key, by_secret = OUTSIDERS
    signed = reach.counted(query, *OF_KEYS, known=reach_known, vault="vault_id", thing=key, beside=(by_key,))
    read = reach.counted(signed, READING, known=reach_known, vault="vault_id", thing=secret_, beside=(by_secret,))
    return own_readers.counted(read, known=reach_known)


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
