"""The risk of workload identities that Entra ID Protection sees."""

import re

from keyaudit.model.evidence import IDENTITY_PROTECTION
from keyaudit.model.operations.kinds import PROTECTION, graph, graph_right
from keyaudit.model.schema.columns import Area, Table, text, texts, time, where_found
from keyaudit.model.schema.holder_columns import POWERS
from keyaudit.model.schema.opens import RIGHTS, WIDE
from keyaudit.model.schema.wire import At, Read
from keyaudit.model.values.guid import GUID

SURFACE = "risk of workloads"
FAMILY = PROTECTION

# The metadata of the cloud in China has neither: github.com/microsoftgraph/msgraph-metadata, schemas/v1.0-Mooncake.csdl
_WITHOUT_RISK = ("china",)

DECLARED = (
    graph(
        "risky_principal.list",
        "risky workload identities",
        "/v1.0/identityProtection/riskyServicePrincipals",
        right=graph_right("IdentityRiskyServicePrincipal.Read.All"),
        not_in=_WITHOUT_RISK,
        evidence=IDENTITY_PROTECTION,
    ),
    graph(
        "risk_detection.list",
        "risk detections of workload identities",
        "/v1.0/identityProtection/servicePrincipalRiskDetections",
        right=graph_right("IdentityRiskEvent.Read.All"),
        not_in=_WITHOUT_RISK,
        evidence=IDENTITY_PROTECTION,
    ),
)

_RISKY = ("risky_principal.list",)
_DETECTED = ("risk_detection.list",)
_LEVELS = ("low", "medium", "high", "hidden", "none")
_STATES = ("none", "confirmedSafe", "remediated", "dismissed", "atRisk", "confirmedCompromised")
_DETECTION = re.compile(r"[0-9a-f-]{8,200}", re.ASCII | re.IGNORECASE)

LIVE_KEYS_OF = ("application.list", "service_principal.list")
"""The operations that list credentials with key ids that a detection can name."""


def _key_ids(named: list[str]) -> list[str]:
    if not all(map(GUID.fullmatch, named)):
        raise ValueError("not the ids of keys")
    return sorted({name.lower() for name in named})


RISKY_PRINCIPAL = Table(
    name="risky_principal",
    order=112,
    area=Area.APPLICATIONS,
    noun="risky workload identity",
    plural="risky workload identities",
    meaning="a service principal with a risk state in Entra ID Protection",
    added_by=_RISKY,
    reads=(Read(operation="risky_principal.list", id="riskyServicePrincipals/{key}", key_column="principal_id"),),
    replaced=False,
    opens=RIGHTS,
    columns=(
        *where_found(*_RISKY, wire="displayName"),
        text("principal_id", "the object id of the service principal, in lower case"),
        text("app_id", "the application (client) id", _RISKY, guid=True, wire="appId"),
        text("risk_level", "riskLevel: the likelihood that the identity is compromised", _RISKY, values=_LEVELS,
            wire="riskLevel"),
        text("risk_state", "riskState: whether the identity is at risk, or an administrator's verdict", _RISKY,
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
    meaning="one risk detection of Entra ID Protection: a sign that a workload identity may be compromised",
    added_by=_DETECTED,
    reads=(Read(operation="risk_detection.list", id="riskDetections/{key}", form=_DETECTION),),
    replaced=False,
    opens=WIDE,
    columns=(
        *where_found(*_DETECTED, wire="servicePrincipalDisplayName"),
        text("app_id", "the application (client) id", _DETECTED, guid=True, wire="appId"),
        text("event", "riskEventType: the kind of detection", _DETECTED, wire="riskEventType"),
        text("risk_level", "riskLevel: the likelihood of a compromise", _DETECTED, values=_LEVELS, wire="riskLevel"),
        text("risk_state", "riskState: whether it is still active, or an administrator's verdict", _DETECTED,
            values=_STATES, wire="riskState"),
        time("detected_on", "when it was detected", _DETECTED, absent="Graph has no date", past=True, wire="detectedDateTime"),
        texts("key_ids", "key ids of the affected credentials, in lower case, sorted", _DETECTED,
            wire=At("keyIds", list[str], _key_ids)),
        texts("live_keys", "the unexpired credentials among them, sorted", partial=True, derived=True),
    ),
)
