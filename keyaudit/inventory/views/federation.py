"""The effects of a federated domain's signing certificate: whether its MFA claims are accepted, and whom it signs in."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.facts.sql import Sources, gap, read_to_the_end
from keyaudit.inventory.views.privileges import UNSEEN, grants
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES

_OF_DOMAIN = "stored.kind = 'federated-domain'"
_REJECTS = "rejectMfaByFederatedIdp"
_MFA_DOUBT = f"""CASE WHEN {_OF_DOMAIN} THEN CASE WHEN domain.id IS NULL
    THEN coalesce({gap("federated")}, '{Reason.NOT_VISIBLE}') ELSE domain.unknown['mfa_behavior'] END END"""
_ADMINISTRATORS_DOUBT = f"""CASE WHEN {_OF_DOMAIN} AND administrators.surely IS NOT TRUE
    THEN coalesce({gap("assigned")}, stored.unknown['holder_name'], administrators.doubt, unseen.tier0_doubt, nameless.doubt)
    END"""

COLUMNS = f"""
    CASE WHEN NOT ({_OF_DOMAIN}) THEN false WHEN {_MFA_DOUBT} IS NULL
        THEN domain.mfa_behavior IS DISTINCT FROM '{_REJECTS}' END AS mfa_trusted,
    CASE WHEN {_OF_DOMAIN} AND administrators.surely THEN true WHEN {_ADMINISTRATORS_DOUBT} IS NULL THEN false END
        AS signs_for_administrators"""
DOUBTS = {"mfa_trusted": _MFA_DOUBT, "signs_for_administrators": _ADMINISTRATORS_DOUBT}


def joins(sources: Sources) -> str:
    """The relations that these columns depend on, to be joined to `stored`, the signing certificates."""
    # A role that may control the tenant makes the result unknown.
    controlling = f"""
        SELECT principal_id, controls, coalesce(unknown['tier'], unknown['scope_kind']) AS doubt FROM ({grants(sources)})
        WHERE kind = 'directory-role' AND controls IS NOT FALSE"""
    held = f"""
        SELECT named.user_principal_name, named.unknown, roles.controls, roles.doubt FROM (
            SELECT principal_id AS holder, controls, doubt FROM ({controlling})
            UNION ALL
            SELECT membership.member_id, controls, doubt FROM ({controlling}) AS given
            JOIN {sources["membership"]} AS membership ON membership.group_id = given.principal_id
        ) AS roles JOIN {sources["principal"]} AS named ON named.object_id = roles.holder"""
    return f"""
        LEFT JOIN {sources["federated_domain"]} AS domain ON domain.id = stored.holder_id
        LEFT JOIN (
            SELECT {sources.sql.lower("split_part(user_principal_name, '@', -1)")} AS domain,
                bool_or(controls) AS surely, min(doubt) AS doubt
            FROM ({held}) WHERE user_principal_name IS NOT NULL GROUP BY domain
        ) AS administrators ON administrators.domain = {sources.sql.lower("stored.holder_name")}
        CROSS JOIN {UNSEEN} AS unseen
        CROSS JOIN (SELECT min(unknown['user_principal_name']) AS doubt FROM ({held})) AS nameless
        LEFT JOIN ({read_to_the_end(TABLES["federated_domain"].listed_by)}) AS federated
            ON federated.scope_id = stored.scope_id
        LEFT JOIN ({read_to_the_end(("directory_role.assignments",))}) AS assigned ON assigned.scope_id = stored.scope_id"""
