"""What an app management policy asks of applications besides their credentials: identifier URIs, audiences and redirect URIs.

https://learn.microsoft.com/graph/api/resources/identifieruriconfiguration, and in /beta audiencesconfiguration and
redirecturiconfiguration
"""

from collections.abc import Sequence
from typing import TypeVar

from msgspec import UNSET, Struct

from keyaudit.collect.rows import Row, Wire, is_null, read
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason

S = TypeVar("S", bound=Struct)

_STATES = {"enabled": True, "disabled": False}
_URIS = {
    "non_default_uri_addition": "uri_addition_blocked",
    "uri_addition_without_unique_tenant_identifier": "unique_uris_only",
}
"""Restrictions of identifier URIs, with the column of each."""
_EXCEPTIONS = {"exclude_apps_receiving_v2_tokens": "v2-tokens", "exclude_saml": "saml"}
STABLE = (*(name for column in _URIS.values() for name in (column, f"{column}_from")), "uri_exceptions")
"""The columns that v1.0 fills."""
BETA = ("audience_limits", "redirect_uri_limits")
"""The columns that /beta fills."""


class Restriction(Struct, rename="camel"):
    """A restriction of applications. Those of identifier URIs alone have the last two members."""

    state: Wire = UNSET
    restrict_for_apps_created_after_date_time: Wire = UNSET
    exclude_actors: Wire = UNSET
    exclude_apps_receiving_v2_tokens: Wire = UNSET
    exclude_saml: Wire = UNSET


class Uris(Struct, rename="camel"):
    """The restrictions of identifier URIs."""

    non_default_uri_addition: Wire = UNSET
    uri_addition_without_unique_tenant_identifier: Wire = UNSET


class Stable(Struct, rename="camel"):
    """What v1.0 has."""

    identifier_uris: Wire = UNSET


class Audiences(Struct, rename="camel"):
    """The restrictions of audiences."""

    azure_ad_multiple_orgs: Wire = UNSET
    personal_microsoft_account: Wire = UNSET


class RedirectUris(Struct, rename="camel"):
    """The restrictions of redirect URIs; what they say of single platforms is within each."""

    uri_with_blocked_domain: Wire = UNSET
    uri_with_blocked_scheme: Wire = UNSET
    uri_with_wildcard: Wire = UNSET
    uri_without_allowed_domain: Wire = UNSET
    uri_without_allowed_scheme: Wire = UNSET


class Beta(Struct, rename="camel"):
    """What only /beta has."""

    audiences: Wire = UNSET
    redirect_uris: Wire = UNSET


def is_enabled(raw: Wire) -> bool | Refusal:
    """Whether a restriction with this `state` is on."""
    state = read(raw, str)
    return state if isinstance(state, Refusal) else _STATES.get(state.lower(), Refusal(Reason.UNRECOGNISED))


def put_nothing(row: Row) -> None:
    """Fill the columns of both where no such restriction can be: service principals have none of these members."""
    row.clear((*STABLE, *BETA))


def put_uris(row: Row, enabled: bool | Refusal, raw: Wire, *, partial: bool = False) -> Sequence[tuple[str, Wire]] | Refusal:
    """Fill `STABLE` from an object with `identifierUris`. `enabled`: the policy is on; where it is off, nothing is restricted.
    `partial`: the policy may leave any member out, as a custom policy does with what it does not define.

    Returns the exempt actors of the restrictions that are on, by the name of each; refused if that is unknown.
    """
    uris = _uris(enabled, raw, partial=partial)
    found = {name: _in_effect(uris, name, partial=partial) for name in _URIS}
    exceptions: set[str] = set()
    exempt: list[tuple[str, Wire]] = []
    refused: Refusal | None = None
    for (name, column), restriction in zip(_URIS.items(), found.values(), strict=True):
        if isinstance(restriction, Refusal):
            row.refuse((column, f"{column}_from"), restriction.reason)
            refused = restriction
        elif restriction is None:
            row.put(column, False)
            row.put(f"{column}_from", None)
        else:
            row.put(column, True)
            row.put(f"{column}_from", restriction.restrict_for_apps_created_after_date_time)
            exempt.append((_camel(name), restriction.exclude_actors))
            for member, said in _EXCEPTIONS.items():
                flag = getattr(restriction, member)
                excluded = False if is_null(flag) else read(flag, bool)
                refused = excluded if isinstance(excluded, Refusal) else refused
                exceptions |= {said} if excluded is True else set()
    row.put_read("uri_exceptions", refused or sorted(exceptions))
    return refused or exempt


def undefined_uris(raw: Wire) -> list[str]:
    """The columns of the restrictions that the object of a custom policy with `identifierUris` certainly does not define."""
    uris = _uris(True, raw, partial=True)
    if isinstance(uris, Refusal):
        return []
    return [column for name, column in _URIS.items() if uris is None or _is_left_out(getattr(uris, name), partial=True)]


def _uris(enabled: bool | Refusal, raw: Wire, *, partial: bool) -> Uris | Refusal | None:
    stable = _within(enabled, raw, Stable, partial=partial)
    if stable is None or isinstance(stable, Refusal):
        return stable
    return _within(enabled, stable.identifier_uris, Uris, partial=partial)


def put_beta(row: Row, enabled: bool | Refusal, raw: Wire | Refusal, *, partial: bool = False) -> None:
    """Fill `BETA` from an object with `audiences` and `redirectUris`, or a refusal. `partial` as for `put_uris`."""
    beta = raw if isinstance(raw, Refusal) else _within(enabled, raw, Beta, partial=partial)
    if beta is None or isinstance(beta, Refusal):
        row.put_all(audience_limits=[] if beta is None else beta, redirect_uri_limits=[] if beta is None else beta)
        return
    audiences = _within(enabled, beta.audiences, Audiences, partial=partial)
    redirects = _within(enabled, beta.redirect_uris, RedirectUris, partial=partial)
    row.put_read("audience_limits", _names(audiences, Audiences, partial=partial))
    row.put_read("redirect_uri_limits", _names(redirects, RedirectUris, partial=partial))


def _names(found: Struct | Refusal | None, type_: type[Struct], *, partial: bool) -> list[str] | Refusal:
    """The names of the restrictions that are on."""
    names = []
    for name in type_.__struct_fields__:
        restriction = _in_effect(found, name, partial=partial)
        if isinstance(restriction, Refusal):
            return restriction
        if restriction is not None:
            names.append(_camel(name))
    return sorted(names)


def _is_left_out(raw: Wire, *, partial: bool) -> bool:
    return is_null(raw) or (partial and raw is UNSET)


def _within(enabled: bool | Refusal, raw: Wire, type_: type[S], *, partial: bool) -> S | Refusal | None:
    """The object in a member; None if it was never set, or the policy is off."""
    if enabled is not True:
        return None if enabled is False else enabled
    return None if _is_left_out(raw, partial=partial) else read(raw, type_)


def _in_effect(found: Struct | Refusal | None, name: str, *, partial: bool) -> Restriction | Refusal | None:
    """The restriction in the member `name`, if it is on."""
    if found is None or isinstance(found, Refusal):
        return found
    raw = getattr(found, name)
    if _is_left_out(raw, partial=partial):
        return None
    restriction = read(raw, Restriction)
    enabled = restriction if isinstance(restriction, Refusal) else is_enabled(restriction.state)
    return enabled if isinstance(enabled, Refusal) else restriction if enabled else None


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(each.title() for each in others)
