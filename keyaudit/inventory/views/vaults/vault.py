"""The view of vaults."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.dialect import DuckDB
from keyaudit.inventory.facts.fact import FALSE, TRUE, Count, Derived, Doubt, Fact, case, choice, known, unknown
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.joins import Reads, inside, joined
from keyaudit.inventory.facts.relation import Rows, because, by_hand, unread
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.views import log_sink
from keyaudit.inventory.views.environment import in_test, of_vault
from keyaudit.inventory.views.vaults import expiry_notices, purposes
from keyaudit.model.operations import OPERATIONS, Surface
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES

KEYS_LISTED = {
    surface: tuple(operation for operation in TABLES["key"].listed_by if OPERATIONS[operation].surface is surface)
    for surface in (Surface.VAULT, Surface.MANAGED_HSM)
}
"""The operations that list the keys of one vault, and of one Managed HSM."""
_SETTINGS = (("diagnostic_setting.list",), ("hsm.diagnostic_setting.list",))
"""The same for diagnostic settings."""
_OBJECTS = tuple(purposes.listed_by(surface) for surface in KEYS_LISTED)
"""The same for all its content."""


def facts(sources: Sources, as_of: int) -> dict[str, Derived]:
    """The derived columns."""
    rows, keys = Rows(sources, "vault"), Rows(sources, "key", "held")
    held = groups(
        keys, "signing", by=keys["vault_id"], key=rows["id"], missing=unread("listed", *KEYS_LISTED.values(), scope="stored.id")
    )
    unlisted = unread("objects_listed", *_OBJECTS, scope="stored.id")
    return {
        "environment": of_vault(rows),
        "in_test": in_test(rows),
        **_network(rows),
        **_logs(sources),
        "keys_through_arm": _keys_through_arm(rows),
        "holds_signing_key": held.any_of("signs", keys.flag("enabled") & keys["key_ops"].has("sign")),
        **purposes.facts(rows, unlisted),
        **expiry_notices.facts(rows, as_of, unlisted),
    }


def _network(rows: Rows) -> dict[str, Fact | Count]:
    """What the two settings let in; unknown with a security perimeter."""
    public, action = rows["public_network_access"], rows["network_default_action"]
    every_address = rows["every_address_let_in"].truth()
    disabled = public.eq("Disabled")
    # Absent and not unknown: never set, so the setting blocks nothing.
    let_in = public.satisfies(lambda value: f"{value} = 'Enabled'", absent=True)
    chosen = let_in & action.eq("Deny") & ~every_address
    any_network = let_in & (
        action.satisfies(lambda value: f"{value} = 'Allow'", absent=True) | (action.eq("Deny") & every_address)
    )
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


def _logs(sources: Sources) -> dict[str, Fact]:
    """What the destinations of its log come to."""
    audited, joined_ = _audited(sources), by_hand("sinks", f"LEFT JOIN {AUDIT} AS sinks ON sinks.id = stored.id")

    def sink(name: str, *, absent: bool = False) -> Fact:
        reads = joined_ | inside(audited[name].everything)
        return Fact(f"sinks.{name}", Doubt((f"sinks.{name}_why",), reads), absent=absent, reads=reads)

    return {
        "audit_logged": sink("logged"),
        "audit_searchable": sink("searchable"),
        "audit_destinations": sink("destinations"),
        "audit_retention": sink("retention", absent=True),
    }


def _audited(sources: Sources) -> dict[str, Fact]:
    unsettled = unread("settings", *_SETTINGS, scope="stored.id")
    return log_sink.audited(Rows(sources, "vault"), unsettled, "vault", "managed-hsm")


AUDIT = "vault_audit"
"""The table that `prepare` creates."""


def prepare(sources: Sources) -> str:
    """The statement that creates the lookup table of the views of vaults and keys.

    vault_audit  every vault, with the facts of `log_sink.audited`, and why each is unknown: `logged_why`
    """
    rows, facts = Rows(sources, "vault"), _audited(sources)
    columns = ", ".join(f"{fact.value} AS {name}, {fact.why.sql} AS {name}_why" for name, fact in facts.items())
    joins = joined({each for fact in facts.values() for each in fact.everything})
    return f"CREATE TABLE {AUDIT} AS SELECT stored.id, {columns} FROM {rows.sql} {joins}"


def reads(sources: Sources) -> dict[str, Reads]:
    """What the column of keys reads that `watched` adds."""
    return {"audit_retention": inside(_audited(sources)["retention"].everything)}


def watched(sql: DuckDB, query: str) -> str:
    """The view in `query` of objects in vaults, with how long the audit log of the vault can be searched.

    `audit_why` must be merged with its `unknown`: a map, NULL if nothing is unknown.
    """
    # The map is built once per vault: vaults with unreadable settings may have a million keys.
    vaults = f"""
        SELECT id, retention,
            CASE WHEN retention_why IS NOT NULL THEN {sql.map({"audit_retention": "retention_why"})} END AS unknown
        FROM {AUDIT}"""
    # A plan has no row of a vault that it only refers to.
    elsewhere = f"SELECT min(reason) FROM coverage WHERE operation = 'vault.list' AND reason = '{Reason.NOT_IN_PLAN}'"
    unseen = sql.map({"audit_retention": f"coalesce(({elsewhere}), '{Reason.PARENT_NOT_ASSESSED}')"})
    why = f"CASE WHEN logged.id IS NULL THEN {unseen} ELSE logged.unknown END"
    return f"""
        SELECT made.*, logged.retention AS audit_retention, {why} AS audit_why
        FROM ({query}) AS made LEFT JOIN ({vaults}) AS logged ON logged.id = made.vault_id"""
