"""The tenant's default app management policy: the restrictions that policies name, with the policies' limits."""

from collections.abc import Mapping, Sequence

from keyaudit.model.guardrails import APP_MANAGEMENT_POLICY, GUARDRAILS
from keyaudit.model.times import DAY
from keyaudit.report.facts import iso_duration
from keyaudit.report.guardrails.guarded import Asked, Guarded, classes, least, named, standing

# The list that each restriction stands in, in Graph's order.
# https://learn.microsoft.com/graph/api/resources/appmanagementconfiguration
_LISTS = {
    "passwordAddition": "passwordCredentials",
    "passwordLifetime": "passwordCredentials",
    "customPasswordAddition": "passwordCredentials",
    "asymmetricKeyLifetime": "keyCredentials",
}
_ADDITION = "passwordAddition"
# By MS.AAD.5.5v1 and by 5.1.5.3 no secret can be added. Other limits have it that a secret ends, and leave it possible.
_BLOCKING = frozenset({"scuba", "cis-m365-7"})
_CREDENTIALS = frozenset({"application", "app_management_policy", "credential", "service_principal"})
_URL = "https://graph.microsoft.com/v1.0/policies/defaultAppManagementPolicy"
# The restrictions that are in force are replaced: whoever deploys has to see them first.
_DEPLOY = (
    f"az rest --url {_URL}",
    f"az rest --method PATCH --headers Content-Type=application/json --body @{{file}} --url {_URL}",
)


def app_management_policy(asked: Sequence[Asked], profile: str) -> Guarded:
    """The default policy, the same for applications and service principals and for objects of whatever age.

    A lifetime is the shortest that a policy asks for. That no secret can be added is in it only under profiles that ask for
    that; a restriction that is not in it is off.
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
        # What is added has to live less than that: a day more lets it live for all of the policy's limit.
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
