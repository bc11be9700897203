"""The derived columns, each written once as SQL over the stored ones: three-valued, with the reason for each unknown.

Two facts keep the conditions short. A column that may not be absent is NULL exactly when it is unknown (`load` refuses
anything else), so that SQL's own logic over it is the three-valued one. And what rests on a set of rows is certain only where
the ledger says that the set was read to its end.
"""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Mapping, Sequence

import duckdb

from keyaudit.inventory.load import quoted
from keyaudit.model.coverage import Coverage
from keyaudit.model.operations import OPERATIONS, Surface
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES
from keyaudit.model.times import MAX_TIME

_KEYS_OF_A_VAULT = tuple(operation for operation in TABLES["key"].listed_by if OPERATIONS[operation].surface is Surface.VAULT)
_APPLICATIONS = TABLES["application"].listed_by

_LEDGER = """
CREATE TABLE coverage (
    scope_id VARCHAR, scope_name VARCHAR, scope_kind VARCHAR, operation VARCHAR, state VARCHAR, reason VARCHAR, detail VARCHAR,
    received BIGINT, kept BIGINT, duplicate BIGINT, quarantined BIGINT, refused BIGINT
)"""


def create(connection: duckdb.DuckDBPyConnection, sources: Mapping[str, str], coverage: Sequence[Coverage], as_of: int) -> None:
    """Makes the table `coverage`, and a view per table over `sources`, its stored rows as SQL relations."""
    connection.execute(_LEDGER)
    columns = zip(*map(_flat, coverage), strict=True) if coverage else ()
    lists = [list(column) for column in columns]
    if lists:
        connection.execute(f"INSERT INTO coverage SELECT {', '.join(['unnest(?)'] * len(lists))}", lists)
    special = {
        "vault": _vault(sources),
        "key": _key(sources),
        "application": _application(sources, as_of),
        "credential": _credential(sources),
    }
    for name, source in sources.items():
        query = special.get(name) or f"SELECT {_stored(name, 'stored')}, stored.unknown FROM {source} AS stored"
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


def _vault(sources: Mapping[str, str]) -> str:
    # One enabled version that can sign settles it. That none does needs every version, and every version's answer.
    signing = f"""
        SELECT vault_id, bool_or(signs) AS signs,
            min(CASE WHEN enabled IS NULL THEN unknown['enabled'] ELSE unknown['key_ops'] END) FILTER (signs IS NULL) AS doubt
        FROM (SELECT vault_id, enabled, unknown, enabled AND list_contains(key_ops, 'sign') AS signs FROM {sources["key"]})
        GROUP BY vault_id"""
    doubt = f"CASE WHEN signing.signs THEN NULL ELSE coalesce({_gap('listed')}, signing.doubt) END"
    return f"""
        SELECT {_stored("vault", "stored")}, {_tag("stored")} AS environment,
            CASE WHEN signing.signs THEN true WHEN {doubt} IS NULL THEN false END AS holds_signing_key,
            {_extended({"environment": "stored.unknown['tags']", "holds_signing_key": doubt})}
        FROM {sources["vault"]} AS stored
        LEFT JOIN ({signing}) AS signing ON signing.vault_id = stored.id
        LEFT JOIN ({_read_to_the_end(_KEYS_OF_A_VAULT)}) AS listed ON listed.scope_id = stored.id"""


def _key(sources: Mapping[str, str]) -> str:
    # Aggregated over a few columns and joined back: a window would carry every column of every version through its sort.
    #   superseded  surely enabled and not the current one; NULL: perhaps
    #   doubt       why a version is only perhaps one
    versions = f"""
        SELECT key_id, vault_id, superseded, created_on,
            CASE WHEN superseded IS NULL THEN coalesce(unknown['enabled'], unknown['is_current']) END AS doubt,
            CASE WHEN created_on IS NULL THEN unknown['created_on'] END AS undated,
            CASE WHEN versions_listed THEN NULL ELSE coalesce(unknown['versions_listed'], '{Reason.TRUNCATED}') END AS unlisted
        FROM (
            SELECT key_id, vault_id, created_on, versions_listed, unknown, enabled AND NOT is_current AS superseded
            FROM {sources["key"]}
        )"""
    groups = f"""
        SELECT key_id,
            count(*) FILTER (superseded) AS certain,
            count(*) FILTER (superseded IS NOT FALSE) AS possible,
            min(unlisted) AS unlisted,
            min(doubt) AS doubt,
            min(created_on) FILTER (superseded) AS oldest,
            coalesce(bool_or(superseded AND created_on IS NULL AND undated IS NULL), false) AS dateless,
            min(undated) FILTER (superseded) AS undated,
            min(coalesce(created_on, {-MAX_TIME})) FILTER (superseded IS NULL) AS oldest_in_doubt
        FROM ({versions}) GROUP BY key_id"""
    # A version without a date was made before the service kept dates, so that the oldest then is one that has none.
    oldest_doubt = """coalesce(groups.unlisted, groups.undated,
        CASE WHEN groups.oldest IS NULL OR groups.oldest_in_doubt < groups.oldest THEN groups.doubt END)"""
    return f"""
        SELECT {_stored("key", "stored")},
            CASE WHEN stored.unknown['tags'] IS NULL THEN coalesce({_tag("stored")}, vault.environment) END AS environment,
            {_purpose()} AS purpose,
            groups.certain AS superseded_enabled_min,
            CASE WHEN groups.unlisted IS NULL THEN groups.possible END AS superseded_enabled_max,
            CASE WHEN {oldest_doubt} IS NULL AND NOT groups.dateless THEN groups.oldest END AS oldest_superseded_on,
            CASE WHEN {_rotation_doubt()} IS NULL THEN {_rotation()} END AS rotates_on,
            {
        _extended(
            {
                "environment": f"coalesce(stored.unknown['tags'], {_vault_doubt()})",
                "purpose": "CASE WHEN stored.key_ops IS NULL THEN stored.unknown['key_ops'] END",
                "superseded_enabled": "coalesce(groups.unlisted, groups.doubt)",
                "oldest_superseded_on": oldest_doubt,
                "rotates_on": _rotation_doubt(),
            }
        )
    }
        FROM {sources["key"]} AS stored
        JOIN ({groups}) AS groups ON groups.key_id = stored.key_id
        LEFT JOIN (
            SELECT id, {_tag("vault")} AS environment, unknown['tags'] AS doubt FROM {sources["vault"]} AS vault
        ) AS vault ON vault.id = stored.vault_id"""


def _vault_doubt() -> str:
    missing = f"CASE WHEN vault.id IS NULL THEN '{Reason.PARENT_NOT_ASSESSED}' ELSE vault.doubt END"
    return f"CASE WHEN {_tag('stored')} IS NULL THEN {missing} END"


def _rotation() -> str:
    # Two times at the bound would leave 64 bits, and end the query: beyond it, all dates are alike.
    first = (
        "least(stored.created_on::HUGEINT + stored.rotates_after, stored.expires_on::HUGEINT - stored.rotates_before_expiry)"
    )
    return (
        f"(CASE WHEN {first} > {MAX_TIME} THEN {MAX_TIME} WHEN {first} < -{MAX_TIME} THEN -{MAX_TIME} ELSE {first} END)::BIGINT"
    )


def _rotation_doubt() -> str:
    """Each date matters only to the action that counts from it."""
    unknown = "stored.unknown"
    return (
        f"coalesce({unknown}['rotates_after'], {unknown}['rotates_before_expiry'],"
        f" CASE WHEN stored.rotates_after IS NOT NULL THEN {unknown}['created_on'] END,"
        f" CASE WHEN stored.rotates_before_expiry IS NOT NULL THEN {unknown}['expires_on'] END)"
    )


def _purpose() -> str:
    ops = "stored.key_ops"
    return (
        f"CASE WHEN {ops} IS NULL THEN NULL WHEN list_contains({ops}, 'sign') THEN 'sign'"
        f" WHEN list_has_any({ops}, ['decrypt', 'unwrapKey']) THEN 'wrap' ELSE 'public' END"
    )


def _application(sources: Mapping[str, str], as_of: int) -> str:
    # No end is no expiry; an end that is unknown may be either.
    live = f"""
        SELECT holder_id, kind, unknown, kind <> 'federated' AND CASE
            WHEN expires_on IS NOT NULL THEN expires_on > {as_of} WHEN unknown['expires_on'] IS NULL THEN true END AS live
        FROM {sources["credential"]}"""
    groups = f"""
        SELECT holder_id, count(*) FILTER (live) AS certain, count(*) FILTER (live IS NOT FALSE) AS possible,
            min(coalesce(unknown['kind'], unknown['expires_on'])) FILTER (live IS NULL) AS doubt
        FROM ({live}) GROUP BY holder_id"""
    unlisted = _gap("listed")
    return f"""
        SELECT {_stored("application", "stored")},
            coalesce(groups.certain, 0) AS live_credentials_min,
            CASE WHEN {unlisted} IS NULL THEN coalesce(groups.possible, 0) END AS live_credentials_max,
            {_extended({"live_credentials": f"coalesce({unlisted}, groups.doubt)"})}
        FROM {sources["application"]} AS stored
        LEFT JOIN ({groups}) AS groups ON groups.holder_id = stored.id
        LEFT JOIN ({_read_to_the_end(_APPLICATIONS)}) AS listed ON listed.scope_id = stored.scope_id"""


def _credential(sources: Mapping[str, str]) -> str:
    # An application's ids and thumbprints as two short lists: a join on one column or another would compare every pair.
    held = f"SELECT * FROM {sources['credential']} WHERE holder_kind = 'application'"
    groups = f"""
        SELECT app_id, list(key_id) FILTER (key_id IS NOT NULL) AS key_ids,
            list(thumbprint) FILTER (thumbprint IS NOT NULL) AS thumbprints,
            min(coalesce(unknown['key_id'], unknown['thumbprint'])) AS doubt
        FROM ({held}) WHERE app_id IS NOT NULL GROUP BY app_id"""
    nameless = f"(SELECT min(unknown['app_id']) AS doubt FROM ({held}))"
    same = (
        "coalesce(list_contains(groups.key_ids, stored.key_id), false)"
        " OR coalesce(list_contains(groups.thumbprints, stored.thumbprint), false)"
    )
    itself = "coalesce(stored.unknown['key_id'], stored.unknown['thumbprint'])"
    own = f"coalesce(stored.unknown['app_id'], CASE WHEN groups.app_id IS NOT NULL THEN {itself} END)"
    doubt = f"""CASE WHEN stored.holder_kind = 'application' OR {same} THEN NULL
        ELSE coalesce({_gap("listed")}, {own}, groups.doubt, nameless.doubt) END"""
    return f"""
        SELECT {_stored("credential", "stored")},
            CASE WHEN stored.holder_kind = 'application' THEN false WHEN {same} THEN true
                WHEN {doubt} IS NULL THEN false END AS on_application_too,
            {_extended({"on_application_too": doubt})}
        FROM {sources["credential"]} AS stored
        LEFT JOIN ({groups}) AS groups ON groups.app_id = stored.app_id
        CROSS JOIN {nameless} AS nameless
        LEFT JOIN ({_read_to_the_end(_APPLICATIONS)}) AS listed ON listed.scope_id = stored.scope_id"""


def _stored(table: str, relation: str) -> str:
    return ", ".join(f"{relation}.{column.name}" for column in TABLES[table].stored)


def _tag(relation: str) -> str:
    return f"lower(coalesce({relation}.tags['env'], {relation}.tags['environment']))"


def _read_to_the_end(operations: Sequence[str]) -> str:
    """Scopes with whether all of `operations` were assessed there, and the reason of the first that was not."""
    names = ", ".join(map(quoted, operations))
    return f"""
        SELECT scope_id, count(*) FILTER (state = 'assessed') = {len(operations)} AS whole,
            arg_min(reason, list_position([{names}], operation)) FILTER (state <> 'assessed') AS reason
        FROM coverage WHERE operation IN ({names}) GROUP BY scope_id"""


def _gap(relation: str) -> str:
    """NULL where everything was read. An operation that has no record was never begun."""
    return f"CASE WHEN {relation}.whole THEN NULL ELSE coalesce({relation}.reason, '{Reason.INTERRUPTED}') END"


def _extended(reasons: Mapping[str, str]) -> str:
    """`unknown` with the reasons of derived columns; the test saves building a map for the many rows that need none."""
    none = " AND ".join(f"({reason}) IS NULL" for reason in reasons.values())
    entries = ", ".join(f"{{'key': {quoted(name)}, 'value': {reason}}}" for name, reason in reasons.items())
    return f"""CASE WHEN {none} THEN stored.unknown ELSE map_concat(stored.unknown,
        map_from_entries(list_filter([{entries}], lambda entry: entry.value IS NOT NULL))) END AS unknown"""
