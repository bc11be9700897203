"""The tenant's default app management policy, with the restrictions that policies name and their limits."""

from collections.abc import Mapping, Sequence

from keyaudit.model.guardrails import APP_MANAGEMENT_POLICY, GUARDRAILS
from keyaudit.model.times import DAY
from keyaudit.report.facts import iso_duration
from keyaudit.report.guardrails.guarded import Asked, Guarded, classes, least, named, standing

# The list of each restriction, in Graph's order.
# https://learn.microsoft.com/graph/api/resources/appmanagementconfiguration
_LISTS = {
    "passwordAddition": "passwordCredentials",
    "passwordLifetime": "passwordCredentials",
    "customPasswordAddition": "passwordCredentials",
    "asymmetricKeyLifetime": "keyCredentials",
}
_ADDITION = "passwordAddition"
# MS.AAD.5.5v1 and 5.1.5.3 forbid adding secrets. Other profiles only limit their lifetime.
_BLOCKING = frozenset({"scuba", "cis-m365-7"})
_CREDENTIALS = frozenset({"application", "app_management_policy", "credential", "service_principal"})
_URL = "https://graph.microsoft.com/v1.0/policies/defaultAppManagementPolicy"
# The current restrictions are replaced, so they must be reviewed before deployment.
_DEPLOY = (
    f"az rest --url {_URL}",
    f"az rest --method PATCH --headers Content-Type=application/json --body @{{file}} --url {_URL}",
)


def app_management_policy(asked: Sequence[Asked], profile: str) -> Guarded:
    """The default policy, the same for applications and service principals, and for objects of any age.

    A lifetime is the shortest of the policies. It forbids adding secrets only under profiles that require that; a restriction
    that is not in it is off.
    """
    lifetimes = least(asked, APP_MANAGEMENT_POLICY)
    on = {name for each in asked for name in named(each, APP_MANAGEMENT_POLICY) if _holds(name, lifetimes, profile)}
    lists: dict[str, list[object]] = {"passwordCredentials": [], "keyCredentials": []}
    for name in filter(on.__contains__, _LISTS):
        lists[_LISTS[name]].append(_restriction(name, lifetimes.get(name)))
    covered = standing(asked, APP_MANAGEMENT_POLICY, on)
    return Guarded(
        kind=APP_MANAGEMENT_POLICY,
        document={"isEnabled": True, "applicationRestrictions": lists, "servicePrincipalRestrictions": lists},
        deploy=_DEPLOY,
        covered=covered,
        partly={each.text.id: differs for each in asked if each.text.id in covered and (differs := classes(each))},
        left={each.text.id: _why(each) for each in asked if each.text.id not in covered},
    )


def _holds(name: str, lifetimes: Mapping[str, int], profile: str) -> bool:
    if name == _ADDITION:
        return profile in _BLOCKING
    return GUARDRAILS[APP_MANAGEMENT_POLICY][name].takes is None or name in lifetimes


def _restriction(name: str, lifetime: int | None) -> dict[str, object]:
    return {
        "restrictionType": name,
        "state": "enabled",
        # Lifetimes must be below the limit, so a day more allows the whole limit of the policy.
        "maxLifetime": None if lifetime is None else iso_duration(lifetime + DAY),
        "restrictForAppsCreatedAfterDateTime": None,
    }


def _why(asked: Asked) -> str:
    restrictions = named(asked, APP_MANAGEMENT_POLICY)
    if _ADDITION in restrictions:
        return f"{_ADDITION} would refuse it, which only the profiles {' and '.join(sorted(_BLOCKING))} ask for"
    if restrictions:
        return f"none of the selected policies sets a limit for {' or '.join(restrictions)}"
    if asked.text.table in _CREDENTIALS:
        return "no restriction refuses it"
    return "not about what is added to applications"
