"""The tables of what protects workload identities: Conditional Access policies, named locations, risks."""

from keyaudit.model.columns import Area, Table, flag, text, texts, time, where_found
from keyaudit.model.tables.holder import POWERS

_POLICY = ("conditional_access.list",)
_LOCATIONS = ("named_location.list",)
_RISKY = ("risky_principal.list",)
_DETECTED = ("risk_detection.list",)
_LEVELS = ("low", "medium", "high", "hidden", "none")
_STATES = ("none", "confirmedSafe", "remediated", "dismissed", "atRisk", "confirmedCompromised")

LIVE_KEYS_OF = ("application.list", "service_principal.list")
"""The operations that list credentials with key ids that a detection can name."""

CONDITIONAL_ACCESS_POLICY = Table(
    name="conditional_access_policy",
    order=25,
    area=Area.TENANT,
    noun="Conditional Access policy",
    plural="Conditional Access policies",
    meaning="a Conditional Access policy, with its conditions for workload identities",
    added_by=_POLICY,
    columns=(
        *where_found(*_POLICY, wire="displayName"),
        time("modified_on", "when it was last changed", _POLICY, absent="it was never changed", past=True,
            wire="modifiedDateTime"),
        text("state", "whether it is enforced", _POLICY,
            values=("enabled", "disabled", "enabledForReportingButNotEnforced"), wire="state"),
        flag("for_workloads", "it applies to workload identities: it has conditions for them (clientApplications)", _POLICY),
        texts("included", "object ids of the service principals that it includes, or ServicePrincipalsInMyTenant, sorted",
            _POLICY),
        texts("excluded", "object ids of the service principals that it excludes, sorted", _POLICY),
        flag("filtered", "it selects workload identities by their custom security attributes too", _POLICY),
        texts("target_resources", "client ids of the resources that it is about, or All, None, Office365 or "
            "MicrosoftAdminPortals, sorted", _POLICY),
        texts("target_resources_excluded", "client ids or names of the resources that it excludes, sorted", _POLICY),
        flag("target_resources_filtered", "it selects resources by their custom security attributes too", _POLICY),
        texts("risk_levels", "the levels of risk of workload identities that it applies to, sorted; without one, all",
            _POLICY, values=_LEVELS),
        texts("locations", "the locations that it includes, by id, or All or AllTrusted, sorted; without one, it does not look "
            "at them", _POLICY),
        texts("locations_excluded", "the locations that it excludes, by id, or All or AllTrusted, sorted", _POLICY),
        flag("blocks", "its grant control blocks access", _POLICY),
        texts("free_everywhere", "the named locations with every address or country that it excludes, by id or as trusted, "
            "sorted", partial=True, derived=True),
        flag("blocks_nowhere", "it excludes every location that it includes", derived=True),
    ),
)

NAMED_LOCATION = Table(
    name="named_location",
    order=26,
    area=Area.TENANT,
    replaced=False,
    noun="named location",
    plural="named locations",
    meaning="addresses or countries that Conditional Access policies name as one location",
    added_by=_LOCATIONS,
    columns=(
        *where_found(*_LOCATIONS, wire="displayName"),
        text("location_id", "its id, in lower case"),
        text("kind", "how it is given", _LOCATIONS, values=("addresses", "countries")),
        flag("trusted", "it is marked as trusted, so that AllTrusted means it too", _LOCATIONS),
        flag("everywhere", "it has every public IPv4 address, every public IPv6 address, or every country", _LOCATIONS),
    ),
)

RISKY_PRINCIPAL = Table(
    name="risky_principal",
    order=112,
    area=Area.APPLICATIONS,
    noun="risky workload identity",
    plural="risky workload identities",
    meaning="a service principal that Entra ID Protection has an opinion of",
    added_by=_RISKY,
    replaced=False,
    columns=(
        *where_found(*_RISKY, wire="displayName"),
        text("principal_id", "the object id of the service principal, in lower case"),
        text("app_id", "the application (client) id", _RISKY, guid=True, wire="appId"),
        text("risk_level", "riskLevel: how sure it is that the identity is compromised", _RISKY, values=_LEVELS,
            wire="riskLevel"),
        text("risk_state", "riskState: whether the identity is at risk, or what an administrator said of it", _RISKY,
            values=_STATES, wire="riskState"),
        time("risk_updated_on", "when the risk was last updated", _RISKY, absent="Graph has no date", past=True,
            wire="riskLastUpdatedDateTime"),
        *POWERS,
    ),
)

RISK_DETECTION = Table(
    name="risk_detection",
    order=114,
    area=Area.APPLICATIONS,
    noun="risk detection",
    plural="risk detections",
    meaning="one observation of Entra ID Protection that a workload identity may be compromised",
    added_by=_DETECTED,
    replaced=False,
    columns=(
        *where_found(*_DETECTED, wire="servicePrincipalDisplayName"),
        text("app_id", "the application (client) id", _DETECTED, guid=True, wire="appId"),
        text("event", "riskEventType: the kind of observation", _DETECTED, wire="riskEventType"),
        text("risk_level", "riskLevel: how sure it is", _DETECTED, values=_LEVELS, wire="riskLevel"),
        text("risk_state", "riskState: whether it counts still, or what an administrator said of it", _DETECTED,
            values=_STATES, wire="riskState"),
        time("detected_on", "when it was detected", _DETECTED, absent="Graph has no date", past=True, wire="detectedDateTime"),
        texts("key_ids", "key ids of the credentials that it is about, in lower case, sorted", _DETECTED),
        texts("live_keys", "those of them that are unexpired credentials, sorted", partial=True, derived=True),
    ),
)
