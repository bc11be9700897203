"""What protects Contoso's workload identities: Conditional Access policies, and what Entra ID Protection says of them.

The members of a policy: https://learn.microsoft.com/graph/api/conditionalaccessroot-list-policies; of a
named location: https://learn.microsoft.com/graph/api/conditionalaccessroot-list-namedlocations; of a risk:
https://learn.microsoft.com/graph/api/identityprotectionroot-list-riskyserviceprincipals and
https://learn.microsoft.com/graph/api/identityprotectionroot-list-serviceprincipalriskdetections.
"""

from keyaudit.simulator.estate import Plant
from keyaudit.simulator.estates.defects import (
    ACCESS_EVERYWHERE,
    ACCESS_LEFT_OUT,
    ACCESS_NOT_ENFORCED,
    DETECTED_LIVE,
    PRINCIPAL_AT_RISK,
)
from keyaudit.simulator.estates.ids import Ground, application_id
from keyaudit.simulator.wire import iso

_REPORTS, _OFF, _OPEN = "Workloads from our networks (pilot)", "Old batch jobs", "Integration workloads"
_ENFORCED, _USERS = "Payment workloads from the data center", "Require MFA for guests"
_PORTAL, _REPORTING = "Supplier Portal", "Legacy Reporting"
_ASLEEP = "Store Locator"
_NETWORK, _WHOLE = "data center", "everything (temporary)"
_ANYWHERE = "Returns workloads"


def conditional_access(ground: Ground) -> tuple[dict[str, object], ...]:
    """The policies: one that only reports, one that is off, one that leaves out every place; and two without a defect."""
    network = _location(_NETWORK, ground)
    own = "ServicePrincipalsInMyTenant"
    # The second one controls the tenant.
    enforced = tuple(ground.guid("principal", name) for name in ("Payments API", "etl-runner"))
    return (
        _policy(_REPORTS, ground, state="enabledForReportingButNotEnforced", workloads=(own,), leaving_out=(network,)),
        _policy(_OFF, ground, state="disabled", workloads=(own,), leaving_out=(network,)),
        _policy(_OPEN, ground, workloads=(ground.guid("principal", "Integration Hub"),), leaving_out=("All",)),
        _policy(
            _ANYWHERE, ground, workloads=(ground.guid("principal", "Returns Portal"),), leaving_out=(_location(_WHOLE, ground),)
        ),
        _policy(_ENFORCED, ground, workloads=enforced, leaving_out=(network,)),
        _policy(_USERS, ground, state="disabled"),
    )


def named_locations(ground: Ground) -> tuple[dict[str, object], ...]:
    """The network that policies leave free, one that is every address in two halves, and the countries with stores."""
    return (
        named_addresses(_location(_NETWORK, ground), _NETWORK, "203.0.113.0/25", "198.51.100.0/24"),
        named_addresses(_location(_WHOLE, ground), _WHOLE, "0.0.0.0/1", "128.0.0.0/1"),
        {
            **_named(_location("store countries", ground), "store countries"),
            "@odata.type": "#microsoft.graph.countryNamedLocation",
            "countriesAndRegions": ["NL", "DE", "PL"],
            "includeUnknownCountriesAndRegions": False,
            "countryLookupMethod": "clientIpAddress",
        },
    )


def named_addresses(id_: str, name: str, *ranges: str) -> dict[str, object]:
    """A trusted named location of some ranges of IPv4 addresses."""
    listed = [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": each} for each in ranges]
    return {**_named(id_, name), "@odata.type": "#microsoft.graph.ipNamedLocation", "isTrusted": True, "ipRanges": listed}


def _named(id_: str, name: str) -> dict[str, object]:
    made = "2024-05-06T07:08:09Z"
    return {"id": id_, "displayName": name, "createdDateTime": made, "modifiedDateTime": made}


def _location(name: str, ground: Ground) -> str:
    return ground.guid("named location", name)


def _policy(
    name: str, ground: Ground, *, state: str = "enabled", workloads: tuple[str, ...] = (), leaving_out: tuple[str, ...] = ()
) -> dict[str, object]:
    return access_policy(
        ground.guid("conditional access", name), name, state=state, workloads=workloads, leaving_out=leaving_out
    )


def access_policy(
    id_: str, name: str, *, state: str = "enabled", workloads: tuple[str, ...] = (), leaving_out: tuple[str, ...] = ()
) -> dict[str, object]:
    """A policy that blocks `workloads` from every location but some; without workloads, one that asks guests for MFA."""
    users: dict[str, object] = {f"{verb}{kind}": [] for verb in ("include", "exclude") for kind in ("Users", "Groups", "Roles")}
    users["includeUsers"] = ["None"] if workloads else ["GuestsOrExternalUsers"]
    clients = {
        "includeServicePrincipals": list(workloads),
        "excludeServicePrincipals": [],
        "servicePrincipalFilter": None,
    }
    return {
        "id": id_,
        "templateId": None,
        "displayName": name,
        "createdDateTime": "2025-02-03T09:00:00Z",
        "modifiedDateTime": None,
        "state": state,
        "conditions": {
            "userRiskLevels": [],
            "signInRiskLevels": [],
            "clientAppTypes": ["all"],
            "servicePrincipalRiskLevels": [],
            "insiderRiskLevels": None,
            "platforms": None,
            "devices": None,
            "authenticationFlows": None,
            "locations": {"includeLocations": ["All"], "excludeLocations": list(leaving_out)} if workloads else None,
            "applications": {
                "includeApplications": ["All"],
                "excludeApplications": [],
                "includeUserActions": [],
                "includeAuthenticationContextClassReferences": [],
                "applicationFilter": None,
            },
            "users": {**users, "includeGuestsOrExternalUsers": None, "excludeGuestsOrExternalUsers": None},
            "clientApplications": clients if workloads else None,
        },
        "grantControls": {
            "operator": "OR",
            "builtInControls": ["block" if workloads else "mfa"],
            "customAuthenticationFactors": [],
            "termsOfUse": [],
            "authenticationStrength": None,
        },
        "sessionControls": None,
    }


def risky_principals(ground: Ground) -> tuple[dict[str, object], ...]:
    """One at risk, and one that an administrator looked at."""
    return (
        _risky(_PORTAL, ground, level="high", state="atRisk"),
        _risky(_ASLEEP, ground, level="none", state="dismissed"),
    )


def _risky(name: str, ground: Ground, *, level: str, state: str) -> dict[str, object]:
    return {
        "id": ground.guid("principal", name),
        "isEnabled": True,
        "isProcessing": False,
        "riskLastUpdatedDateTime": iso(ground.moment(3, "risk", name)),
        "riskLevel": level,
        "riskState": state,
        "riskDetail": "none" if state == "atRisk" else "adminDismissedAllRiskForServicePrincipal",
        "displayName": name,
        "appId": ground.guid("client", name),
        "servicePrincipalType": "Application",
    }


def risk_detections(ground: Ground) -> tuple[dict[str, object], ...]:
    """One of a secret that is in use, one of a secret that has expired, and one that was dismissed."""
    return (
        _detection(_PORTAL, ground, secret=1, event="suspiciousSignins"),
        _detection(_REPORTING, ground, secret=0, event="leakedCredentials"),
        _detection(_ASLEEP, ground, secret=0, event="suspiciousSignins", state="dismissed"),
    )


def _detection(name: str, ground: Ground, *, secret: int, event: str, state: str = "atRisk") -> dict[str, object]:
    holder = application_id(ground.tenant, ground.guid("application", name))
    moment = iso(ground.moment(3, "risk", name))
    return {
        "id": _detection_id(name, secret, ground),
        "requestId": ground.guid("request", name, str(secret)),
        "correlationId": ground.guid("correlation", name, str(secret)),
        "riskEventType": event,
        "riskState": state,
        "riskLevel": "high",
        "riskDetail": "none",
        "source": "IdentityProtection",
        "detectionTimingType": "offline",
        "activity": "servicePrincipal",
        "tokenIssuerType": "AzureAD",
        "ipAddress": "203.0.113.77",
        "location": None,
        "activityDateTime": moment,
        "detectedDateTime": moment,
        "lastUpdatedDateTime": moment,
        "servicePrincipalId": ground.guid("principal", name),
        "servicePrincipalDisplayName": name,
        "appId": ground.guid("client", name),
        "keyIds": [ground.guid("credential", holder, str(secret))],
        "additionalInfo": None,
    }


def _detection_id(name: str, secret: int, ground: Ground) -> str:
    return ground.guid("detection", name, str(secret)).replace("-", "")


def workload_plants(ground: Ground) -> set[Plant]:
    """Their planted defects."""
    tenant = f"/tenants/{ground.tenant}"
    policies = {
        name: f"{tenant}/conditionalaccesspolicies/{ground.guid('conditional access', name)}"
        for name in (_REPORTS, _OFF, _OPEN, _ANYWHERE)
    }
    return {
        Plant(ACCESS_NOT_ENFORCED, policies[_REPORTS]),
        Plant(ACCESS_NOT_ENFORCED, policies[_OFF]),
        Plant(ACCESS_EVERYWHERE, policies[_OPEN]),
        Plant(ACCESS_EVERYWHERE, policies[_ANYWHERE]),
        Plant(ACCESS_LEFT_OUT, f"{tenant}/serviceprincipals/{ground.guid('principal', 'Billing API')}"),
        Plant(PRINCIPAL_AT_RISK, f"{tenant}/riskyserviceprincipals/{ground.guid('principal', _PORTAL)}"),
        Plant(DETECTED_LIVE, f"{tenant}/riskdetections/{_detection_id(_PORTAL, 1, ground)}"),
    }
