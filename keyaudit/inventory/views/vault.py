"""The view of vaults."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.dialect import DuckDB
from keyaudit.inventory.facts.fact import FALSE, TRUE, Count, Doubt, Fact, case, choice, known, unknown
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.relation import Rows, because, by_hand, unread
from keyaudit.inventory.facts.sql import Sources, Wanted, gap, read_to_the_end
from keyaudit.inventory.facts.view import view as view_of
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
    rows, keys = Rows(sources, "vault"), Rows(sources, "key", "held")
    held = groups(
        keys, "signing", by=keys["vault_id"], key=rows["id"], missing=unread("listed", *_KEYS.values(), scope="stored.id")
    )
    facts = {
        "environment": of_vault(rows),
        **_network(rows),
        **_logs(sources),
        "keys_through_arm": _keys_through_arm(rows),
        "holds_signing_key": held.any_of("signs", keys.flag("enabled") & keys["key_ops"].has("sign")),
        **purposes.facts(rows, unread("objects_listed", *_OBJECTS, scope="stored.id")),
    }
    return view_of("vault", sources, facts, wanted)


def _network(rows: Rows) -> dict[str, Fact | Count]:
    """What the two settings let in; unknown with a security perimeter."""
    public, action = rows["public_network_access"], rows["network_default_action"]
    every_address = rows["every_address_let_in"].truth()
    disabled = public.eq("Disabled")
    # Absent and not unknown: never set, so the setting blocks nothing.
    let_in = public.told(lambda value: f"{value} = 'Enabled'", absent=True)
    chosen = let_in & action.eq("Deny") & ~every_address
    any_network = let_in & (action.told(lambda value: f"{value} = 'Allow'", absent=True) | (action.eq("Deny") & every_address))
    other = unknown(because(Reason.UNRECOGNISED))
    return {
        "network_open": choice((disabled | chosen, FALSE), (any_network, TRUE), otherwise=other),
        "reached_from": choice(
            (disabled, known("private-endpoints")), (chosen, known("chosen-networks")), (any_network, known("any-network")),
            otherwise=other,
        ),
    }  # fmt: skip


# https://learn.microsoft.com/azure/key-vault/managed-hsm/authorize-azure-resource-manager
_THROUGH_ARM = "allowkeymanagementoperationsthrougharm"


def _keys_through_arm(rows: Rows) -> Fact:
    lower = rows.sources.sql.lower
    settings = Rows(rows.sources, "hsm_setting", "setting")
    its = groups(settings, "settings", by=settings["vault_id"], key=rows["id"],
                 missing=unread("own", ("hsm.setting.list",), scope="stored.id"))  # fmt: skip
    named, value = settings["name"].map(lower).eq(_THROUGH_ARM), settings["value"].map(lower)
    said = its.any_of("said", named & value.among(("true", "false")))
    allowed = its.any_of("allowed", named & value.eq("true"))
    return case((said, allowed), otherwise=unknown(because(Reason.UNRECOGNISED))).where(rows["kind"].eq("managed-hsm"))


def _logs(sources: Sources) -> dict[str, Fact | Count]:
    """What the destinations of its log come to."""
    reads = by_hand("sinks", f"LEFT JOIN {AUDIT} AS sinks ON sinks.id = stored.id")

    def found(name: str, otherwise: str) -> Fact:
        doubt = Doubt(("sinks.unsettled", f"sinks.{name}_doubt"), reads)
        value = f"CASE WHEN sinks.{name} THEN true WHEN {doubt.sql} IS NULL THEN {otherwise} END"
        return Fact(value, doubt, exact=False, reads=reads)

    destinations = Doubt(("sinks.unsettled", "sinks.logged_doubt"), reads)
    retention = Doubt(("sinks.unsettled", "sinks.retention_doubt"), reads)
    longest = f"CASE WHEN {retention.sql} IS NULL THEN sinks.retention END"
    kinds = f"coalesce(sinks.destinations, {sources.sql.texts(())})"
    return {
        "audit_logged": found("logged", "false"),
        "audit_searchable": found("searchable", "false"),
        "audit_destinations": Fact(f"CASE WHEN {destinations.sql} IS NULL THEN {kinds} END", destinations, reads=reads),
        "audit_retention": Fact(
            f"CASE WHEN {retention.sql} IS NULL THEN sinks.retention END", retention, absent=True, reads=reads
        ),
    }


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
