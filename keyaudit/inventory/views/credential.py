"""The view of credentials."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.views.sql import Sources, extended, gap, read_to_the_end, stored
from keyaudit.model.tables import TABLES

_APPLICATIONS = TABLES["application"].listed_by
_ACTIVITY = TABLES["credential_activity"].listed_by


def view(sources: Sources) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
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
        ELSE coalesce({gap("listed")}, {own}, groups.doubt, nameless.doubt) END"""
    # One credential has a record for each resource. A keyId is chosen by whoever adds the credential, and so is no name of it
    # beyond its application.
    uses = f"""
        SELECT app_id, key_id, max(last_used_on) AS last_used_on, min(unknown['last_used_on']) AS doubt
        FROM {sources["credential_activity"]} GROUP BY app_id, key_id"""
    named = "stored.unknown['kind'], stored.unknown['app_id'], stored.unknown['key_id']"
    unused = f"CASE WHEN stored.kind = 'federated' THEN NULL ELSE coalesce({gap('report')}, {named}, uses.doubt) END"
    return f"""
        SELECT {stored("credential", "stored")},
            CASE WHEN stored.holder_kind = 'application' THEN false WHEN {same} THEN true
                WHEN {doubt} IS NULL THEN false END AS on_application_too,
            CASE WHEN {unused} IS NULL AND stored.kind <> 'federated' THEN uses.last_used_on END AS last_used_on,
            {extended({"on_application_too": doubt, "last_used_on": unused})}
        FROM {sources["credential"]} AS stored
        LEFT JOIN ({groups}) AS groups ON groups.app_id = stored.app_id
        CROSS JOIN {nameless} AS nameless
        LEFT JOIN ({uses}) AS uses ON uses.app_id = lower(stored.app_id) AND uses.key_id = lower(stored.key_id)
        LEFT JOIN ({read_to_the_end(_ACTIVITY)}) AS report ON report.scope_id = stored.scope_id
        LEFT JOIN ({read_to_the_end(_APPLICATIONS)}) AS listed ON listed.scope_id = stored.scope_id"""
