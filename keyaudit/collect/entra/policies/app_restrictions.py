"""What app management policies restrict. A policy that is off restricts nothing, regardless of its content.

https://learn.microsoft.com/graph/api/resources/identifieruriconfiguration, and in /beta audiencesconfiguration and
redirecturiconfiguration
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from msgspec import UNSET, Raw, Struct

from keyaudit.collect.rows import Row
from keyaudit.collect.wire import Wire, decoded, given, is_null
from keyaudit.model.reasons import Reason
from keyaudit.model.schema.columns import Type
from keyaudit.model.schema.wire import Unreadable, translated
from keyaudit.model.tables.entra.app_management_policy import APP_MANAGEMENT_POLICY

_is_on = translated({"enabled": True, "disabled": False})
_URIS = {
    "nonDefaultUriAddition": "uri_addition_blocked",
    "uriAdditionWithoutUniqueTenantIdentifier": "unique_uris_only",
}
"""Restrictions of identifier URIs, with the column of each."""
_EXCEPTIONS = {"exclude_apps_receiving_v2_tokens": "v2-tokens", "exclude_saml": "saml"}
STABLE = (*(name for column in _URIS.values() for name in (column, f"{column}_from")), "uri_exceptions")
"""The columns that v1.0 fills."""
BETA = {"audience_limits": "audiences", "redirect_uri_limits": "redirectUris"}
"""The columns that /beta fills, with the member whose members they name."""


class _Limit(Struct, frozen=True):
    """A restriction's type, the list that it is in, and the column that it fills."""

    type: str
    column: str
    member: str = "passwordCredentials"


_LIMITS = (
    _Limit("passwordAddition", "password_blocked"),
    _Limit("passwordLifetime", "password_lifetime"),
    _Limit("customPasswordAddition", "custom_password_blocked"),
    _Limit("symmetricKeyAddition", "symmetric_key_blocked"),
    _Limit("symmetricKeyLifetime", "symmetric_key_lifetime"),
    _Limit("asymmetricKeyLifetime", "certificate_lifetime", "keyCredentials"),
    _Limit("trustedCertificateAuthority", "trusted_authorities_only", "keyCredentials"),
)


class Restriction(Struct, rename="camel", kw_only=True):
    """One restriction. Those of identifier URIs alone have the last two members.

    https://learn.microsoft.com/graph/api/resources/passwordcredentialconfiguration
    """

    state: Wire = UNSET
    max_lifetime: Wire = UNSET
    restrict_for_apps_created_after_date_time: Wire = UNSET
    exclude_actors: Wire = UNSET
    exclude_apps_receiving_v2_tokens: Wire = UNSET
    exclude_saml: Wire = UNSET


class OfCredentials(Restriction, rename="camel", kw_only=True):
    """A restriction in a list."""

    restriction_type: str


class Attribute(Struct):
    """A custom security attribute that exempts objects."""

    id: str
    value: str | None = None


class Exempt(Struct, rename="camel"):
    """The exemptions of a restriction."""

    custom_security_attributes: list[Attribute] | None


class Restricted(Struct, frozen=True):
    """The restrictions at a path of `item`, of a policy that is on or off as `enabled` says.

    `partial`: the policy may leave any member out, as a custom policy does with what it does not define. `unread`: why it was
    not read.
    """

    enabled: Wire
    item: Wire
    path: tuple[str, ...] = ()
    partial: bool = False
    unread: Reason | None = None

    def at(self, *names: str) -> Wire | None:
        """The member on a path; None if the policy is off, or if it or one on the way was never set."""
        if self.unread:
            raise Unreadable(self.unread)
        return within(self.item, *self.path, *names, partial=self.partial) if decoded(self.enabled, bool) else None

    def by_type(self) -> Mapping[str, OfCredentials | Reason]:
        """The restrictions of credentials by type in lower case; a reason for each that cannot be read."""
        whole = self.at()
        found: dict[str, OfCredentials | Reason] = {}
        for member in ("passwordCredentials", "keyCredentials") if whole is not None else ():
            known = [limit.type.lower() for limit in _LIMITS if limit.member == member]
            try:
                # Only a custom policy has null for what it does not define.
                raw = within(whole, member, partial=True) if self.partial else _member(whole, member)
                items = [] if raw is None else decoded(raw, list[OfCredentials])
            except Unreadable as why:
                found |= dict.fromkeys(known, why.reason)
                continue
            for item in items:
                type_ = item.restriction_type.lower()
                # Each type appears once; of two it is unknown which applies.
                found[type_] = Reason.BAD_VALUE if type_ in found else item
            if any(item.restriction_type.lower() not in known for item in items):
                # It is unknown what this type limits.
                found = {**dict.fromkeys(known, Reason.UNRECOGNISED), **found}
        return found


def within(raw: Wire | None, *names: str, partial: bool = False) -> Wire | None:
    """The member on a path; None if it or one on the way was never set. `partial`: it may be left out, too."""
    for name in names:
        raw = None if _never_set(raw, partial=partial) else _member(raw, name)
    return None if _never_set(raw, partial=partial) else raw


def _never_set(raw: Wire | None, *, partial: bool) -> bool:
    return raw is None or is_null(raw) or (partial and raw is UNSET)


def _member(raw: Wire | None, name: str) -> Wire:
    return decoded(UNSET if raw is None else raw, dict[str, Raw]).get(name, UNSET)


def left_to_default(restricted: Restricted, of_applications: Restricted) -> list[str]:
    """The columns of the restrictions that a custom policy certainly does not define; none of a policy that is off."""
    if not decoded(restricted.enabled, bool):
        return []
    left: list[str] = []
    try:
        found = restricted.by_type()
        left += [limit.column for limit in _LIMITS if limit.type.lower() not in found]
    except Unreadable:
        pass
    try:
        uris = of_applications.at("identifierUris")
        left += [column for name, column in _URIS.items() if within(uris, name, partial=True) is None]
    except Unreadable:
        pass
    return sorted(left)


def put_limits(row: Row, restricted: Restricted) -> None:
    """Fill the columns about credentials."""
    for limit in _LIMITS:
        row.make(limit.column, _limit, restricted, limit)
        row.make(f"{limit.column}_from", _since, partial(_of_credentials, restricted, limit))


def _of_credentials(restricted: Restricted, limit: _Limit) -> Restriction | None:
    """The restriction; None if it is off or was never set."""
    found = restricted.by_type().get(limit.type.lower())
    if isinstance(found, Reason):
        raise Unreadable(found)
    return found if found and _is_on(decoded(found.state, str)) else None


def _limit(restricted: Restricted, limit: _Limit) -> object:
    restriction = _of_credentials(restricted, limit)
    if APP_MANAGEMENT_POLICY.by_name[limit.column].type is not Type.DURATION:
        return restriction is not None
    # A limit that is on without a length is invalid.
    return restriction and given(restriction.max_lifetime)


def _since(find: Callable[[], Restriction | None]) -> object:
    restriction = find()
    return restriction and restriction.restrict_for_apps_created_after_date_time


def put_uris(row: Row, restricted: Restricted) -> None:
    """Fill `STABLE`."""
    for name, column in _URIS.items():
        find = partial(_in_effect, restricted, "identifierUris", name)
        row.make(column, lambda found: found() is not None, find)
        row.make(f"{column}_from", _since, find)
    row.make("uri_exceptions", _uri_exceptions, restricted)


def put_beta(row: Row, restricted: Restricted) -> None:
    """Fill `BETA`."""
    for column, member in BETA.items():
        row.make(column, _names, restricted, member, APP_MANAGEMENT_POLICY.by_name[column].values)


def _in_effect(restricted: Restricted, *names: str) -> Restriction | None:
    """The restriction on a path, if it is on."""
    raw = restricted.at(*names)
    found = None if raw is None else decoded(raw, Restriction)
    return found if found and _is_on(decoded(found.state, str)) else None


def _names(restricted: Restricted, member: str, names: Sequence[str]) -> list[str]:
    """The names of the restrictions that are on."""
    return sorted(name for name in names if _in_effect(restricted, member, name))


def _uri_exceptions(restricted: Restricted) -> list[str]:
    on = filter(None, [_in_effect(restricted, "identifierUris", name) for name in _URIS])
    flags = [(getattr(each, member), excepted) for each in on for member, excepted in _EXCEPTIONS.items()]
    return sorted({excepted for flag, excepted in flags if not is_null(flag) and decoded(flag, bool)})


def exclusions(restricted: Restricted, of_applications: Restricted | None) -> list[str]:
    """The exemptions from the restrictions that are on."""
    on = {name: _in_effect(of_applications, "identifierUris", name) for name in _URIS if of_applications}
    on |= {limit.type: _of_credentials(restricted, limit) for limit in _LIMITS}
    return sorted(
        each for name, restriction in on.items() if restriction for each in _exempted(name, restriction.exclude_actors)
    )


def _exempted(name: str, raw: Wire) -> list[str]:
    """The exemptions from the restriction of that name; null means none."""
    attributes = [] if is_null(raw) else decoded(raw, Exempt).custom_security_attributes or []
    return [f"{name}: {attribute.id} = {attribute.value or ''}" for attribute in attributes]
