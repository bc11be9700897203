"""The view of vaults."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.dialect import DuckDB
from keyaudit.inventory.facts import sql
from keyaudit.inventory.facts.relation import Rows
from keyaudit.inventory.facts.sql import Sources, Wanted, gap, read_to_the_end
from keyaudit.inventory.views import log_sink, purposes
from keyaudit.inventory.views.environment import of_vault
from keyaudit.model.operations import OPERATIONS, Surface
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES

_KEYS = {
    surface: tuple(operation for operation in TABLES["key"].listed_by if OPERATIONS[operation].surface is surface)
    for surface in (Surface.VAULT, Surface.MANAGED_HSM)
}
"""The operations that list the keys of one vault, and of one Managed HSM."""
_SETTINGS = (("diagnostic_setting.list",), ("hsm.diagnostic_setting.list",))
"""The same for diagnostic settings."""
_OBJECTS = tuple(purposes.listed_by(surface) for surface in _KEYS)
"""The same for all its content."""


def view(sources: Sources, wanted: Wanted) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    # One enabled version that can sign decides it; "none" requires every version to be read and known.
    signing = f"""
        SELECT vault_id, bool_or(signs) AS signs,
            min(CASE WHEN enabled IS NULL THEN unknown['enabled'] ELSE unknown['key_ops'] END)
                FILTER (WHERE signs IS NULL) AS doubt
        FROM (SELECT vault_id, enabled, unknown, enabled AND array_contains(key_ops, 'sign') AS signs FROM {sources["key"]})
        GROUP BY vault_id"""
    doubt = f"CASE WHEN signing.signs THEN NULL ELSE coalesce({gap('listed')}, signing.doubt) END"
    home = of_vault(Rows(sources, "vault"))
    environment, environment_doubt = home.value, home.why.sql
    unsettled = "sinks.unsettled"
    logged = f"CASE WHEN sinks.logged THEN NULL ELSE coalesce({unsettled}, sinks.logged_doubt) END"
    destinations = f"coalesce({unsettled}, sinks.logged_doubt)"
    searchable = f"CASE WHEN sinks.searchable THEN NULL ELSE coalesce({unsettled}, sinks.searchable_doubt) END"
    retention = f"coalesce({unsettled}, sinks.retention_doubt)"
    columns = {
        "environment": f"{environment} AS environment",
        "network_open": f"{_network_open()} AS network_open",
        "reached_from": f"{_reached_from()} AS reached_from",
        "audit_logged": f"CASE WHEN {logged} IS NULL THEN coalesce(sinks.logged, false) END AS audit_logged",
        "audit_searchable": f"CASE WHEN {searchable} IS NULL THEN coalesce(sinks.searchable, false) END AS audit_searchable",
        "audit_destinations": f"""
            CASE WHEN {destinations} IS NULL THEN coalesce(sinks.destinations, {sources.sql.texts(())}) END
                AS audit_destinations""",
        "audit_retention": f"CASE WHEN {retention} IS NULL THEN sinks.retention END AS audit_retention",
        "keys_through_arm": f"{_keys_through_arm()} AS keys_through_arm",
        "holds_signing_key": f"""
            CASE WHEN signing.signs THEN true WHEN {doubt} IS NULL THEN false END AS holds_signing_key""",
        **purposes.columns(sources.sql, environment, environment_doubt),
    }
    doubts = {
        "environment": environment_doubt,
        "network_open": _network_doubt(),
        "reached_from": _network_doubt(),
        "holds_signing_key": doubt,
        "audit_logged": logged,
        "audit_searchable": searchable,
        "audit_destinations": destinations,
        "audit_retention": retention,
        "keys_through_arm": _keys_through_arm_doubt(),
        "apps_in_it": purposes.REASON,
        "environments_in_it": f"coalesce({purposes.REASON}, {environment_doubt})",
    }
    listed, objects = (" UNION ALL ".join(map(read_to_the_end, lists)) for lists in (_KEYS.values(), _OBJECTS))
    joins = {
        "sinks": f"LEFT JOIN {AUDIT} AS sinks ON sinks.id = stored.id",
        "signing": f"LEFT JOIN ({signing}) AS signing ON signing.vault_id = stored.id",
        "listed": f"LEFT JOIN ({listed}) AS listed ON listed.scope_id = stored.id",
        "purposes": f"LEFT JOIN ({purposes.purposes(sources)}) AS purposes ON purposes.vault_id = stored.id",
        "objects_listed": f"LEFT JOIN ({objects}) AS objects_listed ON objects_listed.scope_id = stored.id",
        "setting": f"""LEFT JOIN (
            SELECT vault_id, {sources.sql.lower("value")} AS value, unknown['value'] AS doubt FROM {sources["hsm_setting"]}
            WHERE {sources.sql.lower("name")} = '{_THROUGH_ARM}'
        ) AS setting ON setting.vault_id = stored.id""",
        "own": f"LEFT JOIN ({read_to_the_end(('hsm.setting.list',))}) AS own ON own.scope_id = stored.id",
    }
    return sql.view("vault", sources, columns=columns, doubts=doubts, joins=joins, wanted=wanted)


AUDIT = "vault_audit"
"""The table that `prepare` creates."""


def prepare(sources: Sources) -> str:
    """The statement that creates the lookup table of the views of vaults and keys.

    vault_audit  every vault, with what the destinations of its log come to, as `log_sink.audited` gives it, and why more may
                 be missing: `unsettled`
    """
    settings = " UNION ALL ".join(map(read_to_the_end, _SETTINGS))
    return f"""
        CREATE TABLE {AUDIT} AS
        SELECT stored.id, {sources.sql.excluding("logged_id", of="sinks")}, {gap("settings")} AS unsettled
        FROM {sources["vault"]} AS stored
        LEFT JOIN ({log_sink.audited(sources, "vault", "managed-hsm")}) AS sinks ON sinks.logged_id = stored.id
        LEFT JOIN ({settings}) AS settings ON settings.scope_id = stored.id"""


def watched(sql: DuckDB, query: str) -> str:
    """The view in `query` of objects in vaults, with how long the audit log of the vault can be searched.

    `audit_why` must be merged with its `unknown`: a map, NULL if nothing is unknown.
    """
    # The map is built once per vault: vaults with unreadable settings may have a million keys.
    vaults = f"""
        SELECT id, CASE WHEN doubt IS NULL THEN retention END AS retention,
            CASE WHEN doubt IS NOT NULL THEN {sql.map({"audit_retention": "doubt"})} END AS unknown
        FROM (SELECT id, retention, coalesce(unsettled, retention_doubt) AS doubt FROM {AUDIT})"""
    unread = sql.map({"audit_retention": f"'{Reason.PARENT_NOT_ASSESSED}'"})
    why = f"CASE WHEN logged.id IS NULL THEN {unread} ELSE logged.unknown END"
    return f"""
        SELECT made.*, logged.retention AS audit_retention, {why} AS audit_why
        FROM ({query}) AS made LEFT JOIN ({vaults}) AS logged ON logged.id = made.vault_id"""


# https://learn.microsoft.com/azure/key-vault/managed-hsm/authorize-azure-resource-manager
_THROUGH_ARM = "allowkeymanagementoperationsthrougharm"


def _keys_through_arm() -> str:
    return "CASE WHEN stored.kind = 'managed-hsm' AND setting.value IN ('true', 'false') THEN setting.value = 'true' END"


def _keys_through_arm_doubt() -> str:
    return f"""CASE WHEN stored.kind <> 'managed-hsm' OR setting.value IN ('true', 'false') THEN NULL
        ELSE coalesce(setting.doubt, {gap("own")}, '{Reason.UNRECOGNISED}') END"""


def _network_open() -> str:
    """SQL: false if either setting blocks networks, true if neither does; unknown with a security perimeter."""
    return f"CASE WHEN {_SHUT} THEN false WHEN {_OPEN} THEN true END"


def _reached_from() -> str:
    return f"""CASE WHEN {_PUBLIC} = 'Disabled' THEN 'private-endpoints' WHEN {_SHUT} THEN 'chosen-networks'
        WHEN {_OPEN} THEN 'any-network' END"""


def _network_doubt() -> str:
    rules = f"coalesce({_REASON['network_default_action']}, {_REASON['every_address_let_in']})"
    reason = f"coalesce({_REASON['public_network_access']}, CASE WHEN {_LET_IN} THEN {rules} END, '{Reason.UNRECOGNISED}')"
    return f"CASE WHEN {_SHUT} OR {_OPEN} THEN NULL ELSE {reason} END"


_PUBLIC, _ACTION, _EVERY = "stored.public_network_access", "stored.network_default_action", "stored.every_address_let_in"
_REASON = {
    name: f"stored.unknown['{name}']" for name in ("public_network_access", "network_default_action", "every_address_let_in")
}
# Absent and not unknown: never set, so the setting blocks nothing.
_LET_IN = f"({_PUBLIC} = 'Enabled' OR ({_PUBLIC} IS NULL AND {_REASON['public_network_access']} IS NULL))"
_RULELESS = f"({_ACTION} IS NULL AND {_REASON['network_default_action']} IS NULL)"
_SHUT = f"({_PUBLIC} = 'Disabled' OR ({_LET_IN} AND {_ACTION} = 'Deny' AND NOT {_EVERY}))"
_OPEN = f"({_LET_IN} AND ({_RULELESS} OR {_ACTION} = 'Allow' OR ({_ACTION} = 'Deny' AND {_EVERY})))"
