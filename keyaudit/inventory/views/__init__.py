"""The derived columns, each declared once as three-valued SQL over the stored ones, with a reason for each unknown.

Two facts keep the conditions short. A column that may not be absent is NULL exactly when it is unknown (`load` refuses anything
else), so SQL's own logic is the three-valued one; only a list that is declared `partial` holds its known items then. And a
result that depends on a set of rows is certain only if the ledger says that the set was read completely.
"""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import duckdb

from keyaudit.inventory.dialect import DUCKDB, DuckDB
from keyaudit.inventory.facts.fact import Derived
from keyaudit.inventory.facts.joins import Reads
from keyaudit.inventory.facts.relation import Rows
from keyaudit.inventory.facts.sql import EVERY, Sources, Statement, StoredRows, Wanted, no_rows
from keyaudit.inventory.facts.view import view as view_of
from keyaudit.inventory.owners import functions
from keyaudit.inventory.rows import SQL_TYPES, columns_of, view_types
from keyaudit.inventory.views import account_key, custody, environment, ledger, log_sink, subscription, tenant
from keyaudit.inventory.views.access import blast_radius, delegation, deleted, grant, own_readers, reach, tier0
from keyaudit.inventory.views.entra import (
    agent,
    app_management_policy,
    application,
    blueprint,
    conditional_access,
    credential,
    managed_identity,
    principal,
    privileges,
    risk,
    service_principal,
    signing_certificate,
    token_policy,
    trusted_key,
)
from keyaudit.inventory.views.logs import recorded_uses, unusual, usage
from keyaudit.inventory.views.vaults import certificate, key, key_use, matching_certificates, secret, secret_use, vault
from keyaudit.model.coverage import Coverage, State
from keyaudit.model.evidence import CUSTODY, LOGS, REPOSITORIES, USAGE_BASELINE
from keyaudit.model.results.run import Run
from keyaudit.model.rows import view_name
from keyaudit.model.scope.environments import harmless, other_names
from keyaudit.model.scope.owners import NO_RULES, OwnerRules
from keyaudit.model.tables import TABLES
from keyaudit.model.tables.reach import (
    ACTIONS,
    ADMINISTRATORS,
    OF_KEYS,
    OTHERS_SIGNING,
    OUTSIDERS,
    READING,
    SIGNER_ENVIRONMENTS,
    SIGNERS_NAMED,
    SIGNING_WEIGHT,
    USING_AND_GRANTING,
)
from keyaudit.model.tables.usage import UNUSUAL_USE, USAGE
from keyaudit.model.tables.vaults.certificate import OTHERS_READING
from keyaudit.model.usage import Window

SMALL = 5_000
"""The maximum rows, at about a kilobyte each, of a materialized table: planning a query again costs more."""


def _path(sql: DuckDB, collection: str, id_: str) -> str:
    """SQL of the path of a thing below the vault in the scope of a role, for `thing` of `reach.counted`."""
    name = f"split_part(made.{id_}, '/', 5)"
    return f"'/{collection}/' || {sql.lower(name)}"


_READ_PRIVILEGES = {
    "agent", "blueprint", "application", "service_principal", "credential", "managed_identity", "risky_principal",
    "signing_certificate",
}  # fmt: skip


def create(
    connection: duckdb.DuckDBPyConnection,
    rows: Mapping[str, str],
    coverage: Sequence[Coverage],
    run: Run,
    as_of: int,
    *,
    names: Collection[str],
    small: Collection[str],
    kept: Collection[str],
    reach_known: bool,
    columns: Mapping[str, Collection[str]] | None = None,
    owner_rules: OwnerRules = NO_RULES,
    prepared: bool = False,
) -> None:
    """Creates the tables of the ledger, all that `statements` creates with the same arguments, and the functions of owners."""
    made = statements(
        DUCKDB,
        rows,
        run,
        as_of,
        names=names,
        small=small,
        kept=kept,
        reach_known=reach_known,
        columns=columns,
        looked_at=window(connection, rows, run, as_of, names=names),
        unread=unread_tables(coverage),
        whole=prepared,
    )
    ledger.create(connection, coverage, made)
    for statement in made:
        connection.execute(statement.text)
    for function in functions(owner_rules):
        connection.execute(function)


def unread_tables(coverage: Sequence[Coverage]) -> Collection[str]:
    """The tables that may have more rows than were read."""
    unread = {record.operation for record in coverage if record.state is not State.ASSESSED}
    return {name for name, table in TABLES.items() if not unread.isdisjoint(table.listed_by)}


def window(
    connection: duckdb.DuckDBPyConnection, rows: Mapping[str, str], run: Run, as_of: int, *, names: Collection[str]
) -> Window | None:
    """The window of the uses that `statements` compares with the baseline, from `rows`; None without one."""
    return unusual.window(connection, rows, as_of) if LOGS in run.evidence and UNUSUAL_USE.name in names else None


def facts_of(table: str, sources: Sources, as_of: int, evidence: Collection[str], *, reach_known: bool) -> dict[str, Derived]:
    """The derived columns of a table as expressions: all but those that SQL written by hand adds.

    `evidence`: what was supplied. Without `reach_known`, `authenticates_tier0` and `authenticates_wide` are NULL.
    """
    rows = Rows(sources, table)
    made: dict[str, Callable[[], dict[str, Derived]]] = {
        "tenant": lambda: tenant.facts(sources),
        "subscription": lambda: subscription.facts(sources),
        "log_sink": lambda: log_sink.facts(sources),
        "vault": lambda: vault.facts(sources, as_of),
        "key": lambda: key.facts(sources),
        "certificate": lambda: certificate.facts(sources, as_of) | tier0.facts(rows, as_of, known=reach_known),
        "principal": lambda: principal.facts(sources),
        "secret": lambda: secret.facts(sources),
        "app_management_policy": lambda: app_management_policy.facts(sources),
        "agent": lambda: agent.facts(sources),
        "blueprint": lambda: blueprint.facts(sources),
        "application": lambda: application.facts(sources, as_of),
        "delegation": lambda: delegation.facts(sources),
        "conditional_access_policy": lambda: conditional_access.facts(sources),
        "managed_identity": lambda: managed_identity.facts(sources),
        "risky_principal": lambda: risk.principals(sources),
        "risk_detection": lambda: risk.detections(sources, as_of),
        "service_principal": lambda: service_principal.facts(sources, as_of),
        "credential": lambda: credential.facts(sources, as_of, repositories_listed=REPOSITORIES in evidence),
        "account_key": lambda: account_key.facts(sources),
        "key_use": lambda: key_use.facts(sources),
        "secret_use": lambda: secret_use.facts(sources),
        "token_policy": lambda: token_policy.facts(sources),
        "signing_certificate": lambda: signing_certificate.facts(sources, as_of),
        "trusted_key": lambda: trusted_key.facts(sources),
    }
    if LOGS in evidence:
        made["usage"] = lambda: usage.facts(sources, as_of, baseline=USAGE_BASELINE in evidence)
    if CUSTODY in evidence:
        made["custody_record"] = lambda: custody.facts(sources)
    found = made[table]() if table in made else {}
    for kind, of in ((LOGS, recorded_uses.FACTS), (CUSTODY, custody.FACTS)):
        if kind in evidence and table in of:
            found |= of[table](rows, as_of)
    return found


def statements(
    sql: DuckDB,
    rows: Mapping[str, str],
    run: Run,
    as_of: int,
    *,
    names: Collection[str],
    small: Collection[str],
    kept: Collection[str],
    reach_known: bool,
    columns: Mapping[str, Collection[str]] | None,
    looked_at: Window | None,
    unread: Collection[str] = (),
    whole: bool = False,
) -> list[Statement]:
    """The statements of one dialect that create a view per table in `names` over `rows`, the stored rows of `run` as SQL
    relations, and what these views rest on, but for the tables of the ledger.

    A table that is not in `rows` has no rows. Tables in `small` are read once. Views in `kept` are materialized here as tables
    of their names. `columns`: by table, the derived columns that are read, from `needed`; None: all of them. Without
    `reach_known` the columns that count principals with access are NULL, for callers that do not read them. `looked_at`: what
    `window` returns. `unread`: what `unread_tables` returns; without rows, they are not known to be empty. `whole`: with all
    that views may rest on, for a reader of that.
    """
    sources = StoredRows({*rows, *unread}, sql, other_names(run.environment_rules), harmless(run.environment_rules))

    def wanted_of(table: str) -> Wanted:
        return EVERY if columns is None else columns.get(table, ())

    def made(table: str) -> dict[str, Derived]:
        return facts_of(table, sources, as_of, run.evidence, reach_known=reach_known)

    # The view of a table without rows needs no lookups.
    filled = [name for name in names if name in rows]
    prepared = list(_prepared(sources, as_of, run.as_of, filled, reach_known=reach_known, columns=columns, whole=whole))
    added: dict[str, Callable[[str], str]] = {
        "vault": lambda query: _vaults(sources, query, reach_known=reach_known, wanted=wanted_of("vault")),
        "key": lambda query: _keys(sources, query, reach_known=reach_known, wanted=wanted_of("key")),
        "certificate": lambda query: _certificates(sources, query, reach_known=reach_known, wanted=wanted_of("certificate")),
        "secret": lambda query: _secrets(sources, query, reach_known=reach_known, wanted=wanted_of("secret")),
        "deleted": lambda query: deleted.counted(sources, query, known=reach_known, wanted=wanted_of("deleted")),
        "grant": lambda query: grant.joined(sources.sql, query, known=reach_known),
    }
    place = f"/tenants/{run.tenant_id}".lower()
    if LOGS in run.evidence:
        if UNUSUAL_USE.name in names:
            prepared += unusual.prepare(sources, looked_at) if looked_at else ()
            added[UNUSUAL_USE.name] = lambda _: unusual.view(sources, place, as_of, looked_at)
        read = [name for name in made(USAGE.name) if name in wanted_of(USAGE.name)]
        added[USAGE.name] = lambda query: usage.with_gaps(query, read, sources, place, as_of)
    for name in names:
        # No logged use does not mean that there was none.
        if name not in rows and not (name in (USAGE.name, UNUSUAL_USE.name) and LOGS in run.evidence):
            prepared.append(f"CREATE TABLE {name} ({columns_of(view_types(TABLES[name]), sql)})")
        else:
            query = view_of(name, sources, made(name), wanted_of(name))
            query = added[name](query) if name in added else query
            query = _with_lacking(sql, name, query, run, wanted_of(name))
            prepared.append(f"CREATE TABLE {name} AS {query}" if name in kept else sql.view(name, query))
    return [
        *map(Statement, environment.functions(sql, run.environment_rules)),
        *sources.resolved(prepared, rows, small),
    ]


def _prepared(
    sources: Sources,
    as_of: int,
    began: int,
    names: Collection[str],
    *,
    reach_known: bool,
    columns: Mapping[str, Collection[str]] | None,
    whole: bool,
) -> Iterator[str]:
    """The statements that create the lookup tables that views read more than once."""
    yield environment.named(sources)
    if reach_known or not _READ_PRIVILEGES.isdisjoint(names):
        yield from privileges.prepare(sources, began)
    if not {"app_management_policy", "credential"}.isdisjoint(names):
        yield app_management_policy.prepare(sources)
    if "credential" in names:
        yield from matching_certificates.prepare(sources)
    if not {"vault", "key"}.isdisjoint(names):
        yield vault.prepare(sources)
    if reach_known:
        wanted = EVERY if columns is None else frozenset(name for names in columns.values() for name in names)
        # The views of certificates need more of it.
        ungranted = not whole and columns is not None and no_rows(sources, "grant") and "certificate" not in names
        yield from (reach.prepare_ungranted if ungranted else reach.prepare)(sources, wanted)
        if "grant" in names:
            yield grant.prepare(sources)
        if "certificate" in names and OTHERS_READING.name in wanted:
            yield own_readers.prepare(sources, as_of)


def _vaults(sources: Sources, query: str, *, reach_known: bool, wanted: Wanted) -> str:
    """Adds the counts of principals with access to its content."""
    beside = (USING_AND_GRANTING, ADMINISTRATORS)
    return reach.counted(sources, query, *ACTIONS, known=reach_known, wanted=wanted, beside=beside)


def _keys(sources: Sources, query: str, *, reach_known: bool, wanted: Wanted) -> str:
    """Adds the counts of principals that can use it, and its blast radius."""
    beside = (SIGNING_WEIGHT, OTHERS_SIGNING, SIGNER_ENVIRONMENTS, SIGNERS_NAMED)
    counted = reach.counted(
        sources,
        vault.watched(sources.sql, query),
        *OF_KEYS,
        known=reach_known,
        wanted=wanted,
        vault="vault_id",
        thing=_path(sources.sql, "keys", "key_id"),
        beside=beside,
        of_keys=True,
    )
    return blast_radius.keys(sources, counted, known=reach_known, wanted=wanted)


def _secrets(sources: Sources, query: str, *, reach_known: bool, wanted: Wanted) -> str:
    """Adds the counts of principals that can read it."""
    path = _path(sources.sql, "secrets", "secret_id")
    return reach.counted(sources, query, READING, known=reach_known, wanted=wanted, vault="vault_id", thing=path)


def _with_lacking(sql: DuckDB, table: str, query: str, run: Run, wanted: Wanted) -> str:
    """Adds the columns that need missing evidence, which are unknown in all rows.

    See `model.rows.Decoder`.
    """
    declared = TABLES[table]
    lacking = [
        f"{sql.typed('NULL', SQL_TYPES.get(declared.by_name[name].type, 'BIGINT'))} AS {bound}"
        for name in declared.lacking(run.evidence)
        if name in wanted
        for bound in view_name(declared.by_name[name])
    ]
    return f"SELECT *, {', '.join(lacking)} FROM ({query})" if lacking else query


def _certificates(sources: Sources, query: str, *, reach_known: bool, wanted: Wanted) -> str:
    """Adds the counts of principals that can sign with its key, and that can read its private key (the secret of its name)."""
    sql = sources.sql
    key, secret_ = (_path(sql, collection, "certificate_id") for collection in ("keys", "secrets"))
    by_key, by_secret = OUTSIDERS
    signed = reach.counted(
        sources, query, *OF_KEYS, known=reach_known, wanted=wanted, vault="vault_id", thing=key, beside=(by_key,)
    )
    read = reach.counted(
        sources, signed, READING, known=reach_known, wanted=wanted, vault="vault_id", thing=secret_, beside=(by_secret,)
    )
    return own_readers.counted(sql, read, known=reach_known) if OTHERS_READING.name in wanted else read


def reads_by_hand(table: str, sources: Sources) -> dict[str, Reads]:
    """What the derived columns of a table read that SQL written by hand adds to its view."""
    found = reach.reads(table)
    if table == "key":
        found |= vault.reads(sources) | blast_radius.READS
    elif table == "certificate":
        found |= own_readers.READS
    elif table == "grant":
        found |= grant.READS
    elif table == UNUSUAL_USE.name:
        found |= unusual.READS
    return found


def needed(columns: Mapping[str, Collection[str]]) -> dict[str, frozenset[str]]:
    """The columns by table, with the derived columns of the same views that they depend on."""
    rests_on = {"key": blast_radius.READ, "certificate": own_readers.READ}
    return {table: frozenset(names) | rests_on.get(table, frozenset()) for table, names in columns.items()}
