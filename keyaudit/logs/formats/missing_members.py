"""Columns that are missing in an export, so that they are unknown and not absent."""

from collections.abc import Collection, Mapping

from keyaudit.logs.formats import activity, directory, key_vault, office, sign_ins

_SIGN_INS = {
    "actor_app_id": ("AppId",),
    "principal_id": ("ServicePrincipalId",),
    "credential_key_id": ("ServicePrincipalCredentialKeyId",),
    "network": ("IPAddress",),
}
# By log and column, the source columns; one of them is enough.
_FILLED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    key_vault.SOURCE: {
        "actor_app_id": ("Identity", "identity_claim_appid_g"),
        "principal_id": (
            "Identity",
            "identity_claim_oid_g",
            "identity_claim_http_schemas_microsoft_com_identity_claims_objectidentifier_g",
        ),
        "network": ("CallerIpAddress", "CallerIPAddress"),
        "client": ("ClientInfo", "clientInfo_s"),
    },
    sign_ins.SERVICE_PRINCIPALS: _SIGN_INS,
    sign_ins.MANAGED_IDENTITIES: _SIGN_INS,
    sign_ins.PEOPLE: {"principal_id": ("UserId",), "network": ("IPAddress",)},
    directory.SOURCE: {
        **dict.fromkeys(("actor_app_id", "principal_id", "network"), ("InitiatedBy",)),
        "client": ("AdditionalDetails",),
    },
    office.SOURCE: {
        "actor_app_id": ("AppId",),
        "api_app_id": ("AppId",),
        "client_app_id": ("ClientAppId",),
        "principal_id": ("UserId",),
        "network": ("ClientIP", "Client_IPAddress", "ActorIpAddress"),
        "client": ("ClientInfoString", "ExtendedProperties"),
    },
    activity.SOURCE: {
        "actor_app_id": ("Claims", "Claims_d"),
        "principal_id": ("Claims", "Claims_d", "Caller"),
        "network": ("CallerIpAddress",),
    },
}


def lacking(columns: Collection[str]) -> Mapping[str, tuple[str, ...]]:
    """By log, the columns of `usage` that a table with these columns does not fill."""
    there = frozenset(columns)
    found = {
        source: tuple(name for name, names in filled.items() if there.isdisjoint(names)) for source, filled in _FILLED.items()
    }
    return {source: names for source, names in found.items() if names}
