"""The tenant's default app management policy, with the restrictions that policies name and their limits."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from keyaudit.model.guardrails import APP_MANAGEMENT_POLICY, GUARDRAILS
from keyaudit.model.values.times import DAY, parse_duration
from keyaudit.questions.guardrails.default_policy import APP_MANAGEMENT_URL, SAVE, SAVED, InForce, Restriction, Restrictions
from keyaudit.questions.guardrails.documents import REVIEW, Asked, Guarded, classes, least, named, standing
from keyaudit.report.facts import iso_duration

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
_URIS = "uriAdditionWithoutUniqueTenantIdentifier"
"""The restriction of identifier URIs. https://learn.microsoft.com/graph/api/resources/identifieruriconfiguration"""
_LEFT_OUT = {"excludeAppsReceivingV2Tokens": True, "excludeSaml": True}
"""What Microsoft leaves out of it: https://github.com/microsoft/entra-apps-identifier-uri-protection"""
_PARTLY = "exempts applications that get version 2 tokens and applications that sign in by SAML"
_NO_POLICY = InForce(is_enabled=False, application_restrictions=Restrictions(), service_principal_restrictions=Restrictions())
_UNKNOWN = (
    "Do not send this document: it omits the current restrictions, such as those that Microsoft enabled, and may remove them. "
    "Save the current policy, and create the document from it:"
)


def app_management_policy(asked: Sequence[Asked], profile: str, in_force: InForce | None = None) -> Guarded:
    """The default policy for applications and service principals of any age: the one `in_force`, where only the restrictions
    that the policies name are changed, and none is loosened.

    A lifetime is the shortest of the policies. It forbids adding secrets only under profiles that require that. Without the
    policy in force, the document is to read alone, and `deploy` says how to get one that can be sent.
    """
    lifetimes = least(asked, APP_MANAGEMENT_POLICY)
    on = {name for each in asked for name in named(each, APP_MANAGEMENT_POLICY) if _holds(name, lifetimes, profile)}
    before = in_force or _NO_POLICY
    applications = _changed(before.application_restrictions, on, lifetimes)
    if _URIS in on:
        uris = applications.get("identifierUris") or {}
        applications["identifierUris"] = {**uris, _URIS: {**_LEFT_OUT, **(uris.get(_URIS) or {}), **_ENABLED}}
    covered = standing(asked, APP_MANAGEMENT_POLICY, on)
    send = f"az rest --method PATCH --headers Content-Type=application/json --body @{{file}} --url {APP_MANAGEMENT_URL}"
    again = f"keyaudit policies guardrails --as {APP_MANAGEMENT_POLICY} --from {SAVED} --out {{file}}"
    return Guarded(
        kind=APP_MANAGEMENT_POLICY,
        document={
            "isEnabled": True,
            "applicationRestrictions": applications,
            "servicePrincipalRestrictions": _changed(before.service_principal_restrictions, on, lifetimes),
        },
        deploy=(SAVE, again) if in_force is None else (send,),
        lead=(_UNKNOWN,) if in_force is None else (*_also_on(before, on), REVIEW),
        covered=covered,
        partly={each.text.id: differs for each in asked if each.text.id in covered and (differs := _differs(each))},
        left={each.text.id: _why(each) for each in asked if each.text.id not in covered},
    )


_ENABLED = {"state": "enabled", "restrictForAppsCreatedAfterDateTime": None}


def _changed(before: Restrictions, on: Collection[str], lifetimes: Mapping[str, int]) -> dict[str, Any]:
    """The restrictions in force with those that are asked: each list is whole, because Graph replaces it."""
    changed = {"passwordCredentials": [], "keyCredentials": [], **before.members()}
    for name in filter(on.__contains__, _LISTS):
        restrictions = changed[_LISTS[name]]
        number = next((at for at, each in enumerate(restrictions) if each["restrictionType"].lower() == name.lower()), None)
        if number is None:
            restrictions.append(_restriction(name, lifetimes.get(name), {}))
        else:
            restrictions[number] = _restriction(name, lifetimes.get(name), restrictions[number])
    return changed


def _also_on(before: InForce, on: Collection[str]) -> list[str]:
    """The note on a policy that is off, with the other restrictions that come into force when it is turned on."""
    if before.is_enabled:
        return []
    parts = (before.application_restrictions, before.service_principal_restrictions)
    lists = [each for part in parts for each in (*(part.password_credentials or ()), *(part.key_credentials or ()))]
    uris = [{"restrictionType": name, **(each or {})} for part in parts for name, each in (part.identifier_uris or {}).items()]
    names = {each["restrictionType"] for each in (*lists, *uris) if _is_on(each)} - set(on)
    others = f", and these restrictions, which it contains: {', '.join(sorted(names))}" if names else ""
    return [f"The current policy is off. This document enables it{others}."]


def _holds(name: str, lifetimes: Mapping[str, int], profile: str) -> bool:
    if name == _ADDITION:
        return profile in _BLOCKING
    guardrail = GUARDRAILS[APP_MANAGEMENT_POLICY][name]
    return not guardrail.beta and (guardrail.takes is None or name in lifetimes)


def _restriction(name: str, lifetime: int | None, before: Restriction) -> Restriction:
    """The restriction without exceptions by age. One in force keeps the rest, and its own limit if that is shorter."""
    if lifetime is not None:
        # Lifetimes must be below the limit, so a day more allows the whole limit of the policy.
        lifetime += DAY
        lifetime = min(lifetime, _lifetime(before) or lifetime)
    return {
        **before,
        "restrictionType": name,
        "maxLifetime": None if lifetime is None else iso_duration(lifetime),
        **_ENABLED,
    }


def _lifetime(before: Restriction) -> int | None:
    """The limit of a restriction that is on."""
    try:
        return parse_duration(before["maxLifetime"]) if _is_on(before) and before.get("maxLifetime") else None
    except ValueError:
        return None


def _is_on(restriction: Restriction) -> bool:
    return str(restriction.get("state")).lower() == "enabled"


def _differs(asked: Asked) -> str:
    return "; ".join(filter(None, (classes(asked), _PARTLY if _URIS in named(asked, APP_MANAGEMENT_POLICY) else "")))


def _why(asked: Asked) -> str:
    restrictions = named(asked, APP_MANAGEMENT_POLICY)
    if _ADDITION in restrictions:
        return f"{_ADDITION} would block it, which only the profiles {' and '.join(sorted(_BLOCKING))} ask for"
    known = GUARDRAILS[APP_MANAGEMENT_POLICY]
    if restrictions and all(known[name].beta for name in restrictions):
        return f"{' or '.join(restrictions)} of the app management policy can block it: only Graph's /beta has that restriction"
    if restrictions:
        return f"none of the selected policies sets a limit for {' or '.join(restrictions)}"
    if asked.text.table in _CREDENTIALS:
        return "no restriction in this document blocks it"
    return "not about additions to applications"
