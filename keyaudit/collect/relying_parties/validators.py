"""Token validators from a service's settings. Anything that the file does not state is unknown; defaults are not assumed.

Sources: TokenValidationParameters and Microsoft.Identity.Web of .NET, the issuer name registries of Windows Identity
Foundation, passport-azure-ad of Node, Spring Security's resource server, and App Service authentication.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlsplit

from msgspec import Struct

from keyaudit.collect.relying_parties.settings import FileSetting
from keyaudit.model.coverage import Refusal
from keyaudit.model.directory.hosts import CONSUMERS, SIGN_IN_HOSTS
from keyaudit.model.reasons import Reason
from keyaudit.model.relying_parties import SHARED_AUTHORITIES, Validator

_UNSAID = Refusal(Reason.NOT_SUPPLIED, "the file does not say")
_ADDRESSES = (
    "authority", "metadataaddress", "identitymetadata", "wellknownopenidconfiguration", "jwkseturi", "jwksuri", "issueruri",
    "federationmetadatalocation",
)  # fmt: skip
"""Settings for the source of keys, by precedence."""
_TENANTS = ("tenantid", "tenant")
_INSTANCES = ("instance", "aadinstance")
_OF_ENTRA = re.compile(r"azuread|entra|activedirectory|microsoftidentity|\bida\b|\baad\b")
_ISSUERS = ("validissuers", "validissuer", "issuers", "issuer", "validtenantids", "allowedtenants", "allowedtenantids")
_AUDIENCES = ("validaudiences", "validaudience", "audiences", "audience", "allowedaudiences")
_INSIDE = frozenset({"tokenvalidationparameters", "validation"})
# Placeholders that a deployment replaces: #{Name}#, ${NAME}, $(name), <your tenant>, [Enter ...], %NAME%.
_OPEN = re.compile(r"[#$]\{|\$\(|[<\[%]|\byour[-_ ]", re.IGNORECASE)
_APP_SERVICE = "azureactivedirectory"
_ALLOWED = "websiteauthaadallowedtenants"
_REGISTRY = ("issuernameregistry", "type")


class _Recognised(Struct, frozen=True):
    """A validator that was recognised in a section."""

    section: Sequence[str]
    line: int
    authority: str | Refusal
    issuer: bool | Refusal
    tenants: int | Refusal
    audience: bool | Refusal


def validators(settings: Sequence[FileSetting], file: str, relying_party: str) -> Iterator[Validator]:
    """Every validator of Entra tokens in the settings of one file."""
    of_app_service = [setting for setting in settings if _APP_SERVICE in setting.path]
    others = [setting for setting in settings if _APP_SERVICE not in setting.path]
    for found in (*_app_service(of_app_service, settings), *_federation(others), *_sections(others)):
        yield Validator(
            file=file,
            line=found.line,
            relying_party=relying_party,
            section=":".join(part for part in found.section if part != "configuration"),
            authority=found.authority,
            validates_issuer=found.issuer,
            tenants_allowed=found.tenants,
            validates_audience=found.audience,
        )


def _sections(settings: Sequence[FileSetting]) -> Iterator[_Recognised]:
    """Sections with an authority, or an instance and a tenant: .NET, Node and Spring."""
    by_section: dict[tuple[str, ...], list[FileSetting]] = defaultdict(list)
    for setting in settings:
        section = _section(setting)
        by_section[section].append(setting)
        # The part of a section about token validation.
        if section and section[-1] in _INSIDE:
            by_section[section[:-1]].append(setting)
    for section, inside in by_section.items():
        naming = [one for one in inside if one.name in (*_ADDRESSES, *_TENANTS) and _section(one) == section]
        found = _authority(naming, inside) if naming else _unnamed(section, inside)
        if found is None:
            continue
        authority, deciding = found
        issuer = _checks_issuer(inside)
        named = {setting.value.lower() for setting in inside if setting.name in _ISSUERS and _names_tenant(setting.value)}
        tenants: int | Refusal = 0 if issuer is False else len(named) or _UNSAID
        yield _Recognised(deciding.shown[:-1], deciding.line, authority, issuer, tenants, _checks_audience(inside))


def _section(setting: FileSetting) -> tuple[str, ...]:
    """The section of a setting; for an item, that of its list."""
    end = len(setting.path)
    while end and setting.path[end - 1].isdigit():
        end -= 1
    return setting.path[: max(end - 1, 0)]


def _unnamed(section: tuple[str, ...], inside: Sequence[FileSetting]) -> tuple[Refusal, FileSetting] | None:
    """The setting that disables the check for an authority in another file, such as one per environment."""
    if section and section[-1] in _INSIDE:
        return None
    off = (setting for setting in inside if setting.name == "validateissuer" and setting.value.lower() == "false")
    return next(((_UNSAID, setting) for setting in off), None)


def _checks_issuer(inside: Sequence[FileSetting]) -> bool | Refusal:
    said = _switch(inside, "validateissuer")
    if said is not None:
        return said
    # Spring compares the issuer if it is configured, and not if only the keys are.
    # https://docs.spring.io/spring-security/reference/servlet/oauth2/resource-server/jwt.html
    issuers = [setting.value for setting in inside if setting.name == "issueruri"]
    if issuers:
        return _UNSAID if any(not value or _OPEN.search(value) for value in issuers) else True
    return False if any(setting.name == "jwkseturi" for setting in inside) else _UNSAID


def _checks_audience(inside: Sequence[FileSetting]) -> bool | Refusal:
    said = _switch(inside, "validateaudience")
    if said is not None:
        return said
    return True if any(setting.name in _AUDIENCES and setting.value for setting in inside) else _UNSAID


def _authority(naming: Sequence[FileSetting], inside: Sequence[FileSetting]) -> tuple[str | Refusal, FileSetting] | None:
    """The authority whose keys are used, and its setting; None if it is not Entra."""
    by_name: dict[str, list[FileSetting]] = defaultdict(list)
    for setting in naming:
        by_name[setting.name].append(setting)
    tenants = next((by_name[name] for name in _TENANTS if name in by_name), [])
    told = _widest((_of_tenant(one.value), one) for one in tenants)
    tenant = told[1] if told else None
    for name in _ADDRESSES:
        if name in by_name:
            return _widest((of_address(one.value, tenant.value if tenant else None), one) for one in by_name[name])
    if tenant is None:
        return None
    instance = next((setting.value for setting in inside if setting.name in _INSTANCES), None)
    if instance is not None:
        return _widest([(of_address(instance, tenant.value), tenant)])
    return told if _OF_ENTRA.search(" ".join(tenant.path[:-1])) else None


def _widest(found: Iterable[tuple[str | Refusal | None, FileSetting]]) -> tuple[str | Refusal, FileSetting] | None:
    """The least restrictive of several settings, for example in a file with several profiles."""
    told = [(authority, setting) for authority, setting in found if authority is not None]
    return max(told, key=lambda one: 1 if isinstance(one[0], Refusal) else 2 * (one[0] in SHARED_AUTHORITIES), default=None)


def of_address(value: str, tenant: str | None = None) -> str | Refusal | None:
    """The authority of a metadata address; None if it is not Entra. `tenant` is used if the address has none."""
    try:
        split = urlsplit(value)
        host = (split.hostname or "").lower()
    except ValueError:
        return Refusal(Reason.BAD_VALUE, "not an address")
    parts = [part for part in split.path.lower().split("/") if part]
    if host.endswith(".b2clogin.com") or any(part.startswith("b2c_1") or part == "tfp" for part in parts):
        return "b2c"
    if host.endswith(".ciamlogin.com"):
        return "tenant"
    if host in SIGN_IN_HOSTS:
        # A placeholder in the address stands for the tenant: https://login.microsoftonline.com/{0}
        return _of_tenant(tenant or "") if not parts or parts[0] == "{0}" else _of_tenant(parts[0])
    if not host and value.lower() in SHARED_AUTHORITIES:
        return value.lower()
    return _UNSAID if _OPEN.search(value) else None


def _of_tenant(value: str) -> str | Refusal:
    named = value.lower()
    if named == CONSUMERS:
        return "consumers"
    if named in SHARED_AUTHORITIES:
        return named
    return _UNSAID if not named or "{" in named or _OPEN.search(named) else "tenant"


def _names_tenant(value: str) -> bool:
    """Whether it names a specific issuer or tenant, not a placeholder for any."""
    parts = [part for part in value.lower().split("/") if part]
    return bool(value) and not _OPEN.search(value) and not {*SHARED_AUTHORITIES, "{tenantid}", "{0}"}.intersection(parts)


def _switch(inside: Iterable[FileSetting], name: str) -> bool | None:
    """A boolean setting; false if any of its values is false; None if it is not set."""
    said = {setting.value.lower() for setting in inside if setting.name == name}
    return False if "false" in said else True if "true" in said else None


def _app_service(own: Sequence[FileSetting], every: Sequence[FileSetting]) -> Iterator[_Recognised]:
    """Authentication settings of App Service, version 2. An app setting beside them has the allowed tenants."""
    by_provider: dict[tuple[str, ...], list[FileSetting]] = defaultdict(list)
    for setting in own:
        by_provider[setting.path[: setting.path.index(_APP_SERVICE) + 1]].append(setting)
    off = {setting.path[:-1] for setting in every if setting.name == "enabled" and setting.value == "false"}
    allowed = _allowed(every)
    for base, inside in by_provider.items():
        registration = [setting for setting in inside if setting.path[len(base) : len(base) + 1] == ("registration",)]
        if not registration or not off.isdisjoint((base, (*base[:-2], "platform"))):
            continue
        issuer = next((setting for setting in registration if setting.name == "openidissuer" and setting.value), None)
        authority = of_address(issuer.value) if issuer else "common"
        if authority is None:
            continue
        deciding = issuer or registration[0]
        # A shared issuer identifies no tenant, and the settings do not say what it is compared with.
        checks = authority == "tenant" or (_UNSAID if issuer else False)
        audience = any(setting.name == "allowedaudiences" for setting in inside)
        yield _Recognised(deciding.shown[: len(base)], deciding.line, authority, checks, allowed, audience or _UNSAID)


def _allowed(every: Sequence[FileSetting]) -> int | Refusal:
    """The number of tenants that the app settings allow; unknown if the file has no app settings."""
    found = next((setting.value for setting in every if setting.name == _ALLOWED), None)
    if found is not None:
        if _OPEN.search(found):
            return _UNSAID
        return len({tenant.strip().lower() for tenant in found.split(",") if tenant.strip()})
    return 0 if any(setting.name.startswith("website") for setting in every) else _UNSAID


def _federation(settings: Sequence[FileSetting]) -> Iterator[_Recognised]:
    """Windows Identity Foundation: the authority is in the address of wsFederation, the trusted issuers in the registry.

    https://learn.microsoft.com/previous-versions/dotnet/framework/windows-identity-foundation/validating-issuer-name-registry
    """
    kinds = [setting.value.lower() for setting in settings if setting.path[-2:] == _REGISTRY]
    names = {
        setting.value.lower() for setting in settings if setting.path[-3:] == ("validissuers", "add", "name") and setting.value
    }
    issuer: bool | Refusal = _UNSAID
    tenants: int | Refusal = _UNSAID
    if any("validatingissuernameregistry" in kind for kind in kinds):
        issuer, tenants = True, len(names)
    elif any("configurationbasedissuernameregistry" in kind for kind in kinds):
        # It checks the signing certificate, which is the same for every tenant.
        issuer, tenants = False, 0
    audience = any(setting.path[-3:] == ("audienceuris", "add", "value") for setting in settings) or _UNSAID
    for setting in settings:
        authority = of_address(setting.value) if setting.path[-2:] == ("wsfederation", "issuer") else None
        if authority is not None:
            yield _Recognised(setting.shown[:-1], setting.line, authority, issuer, tenants, audience)
