"""The table of app management policies, which limit new credentials of applications and service principals.

A restriction that a custom policy defines, enabled or disabled, takes precedence over that of the default policy; one that it
does not define falls back to it: https://learn.microsoft.com/graph/api/resources/applicationauthenticationmethodpolicy
"""

from keyaudit.model.schema.columns import Area, Column, Table, Where, duration, flag, text, texts, time, where_found
from keyaudit.model.schema.opens import ALWAYS
from keyaudit.model.severity import Opens

_FOUND = ("app_management.default", "app_management.list")
_OF_DEFAULT = (Where("kind", ("default",)),)
_BETA = ("app_management.default_beta", "app_management.list_beta")
_OF_PRINCIPALS = (Where("applies_to", ("service-principals",)),)
_NO_URIS = "a service principal cannot have one"
_EVERY_OBJECT = "the default policy has no assignments"
_OFF = "no such limit: the policy or the restriction is off, or it was never set"


def _blocked(name: str, what: str) -> tuple[Column, Column]:
    return (
        flag(f"{name}_blocked", f"{what} cannot be added; false where the policy or the restriction is off", _FOUND),
        _from(f"{name}_blocked_from"),
    )


def _lifetime(name: str, what: str) -> tuple[Column, Column]:
    return (
        duration(f"{name}_lifetime", f"{what} that is added must have a lifetime shorter than this", _FOUND, absent=_OFF),
        _from(f"{name}_lifetime_from"),
    )


def _from(name: str) -> Column:
    return time(name, "the restriction applies to objects created at this moment or later", _FOUND,
        absent="it applies to all objects, or is off")


def _of_uris(name: str, what: str) -> tuple[Column, Column]:
    return (
        flag(name, f"{what}; false where the policy or the restriction is off", _FOUND, absent=_NO_URIS,
            absent_where=_OF_PRINCIPALS),
        _from(f"{name}_from"),
    )


def _limits(name: str, what: str) -> tuple[Column, Column]:
    """What holds for the objects of a policy; for a custom policy of applications and service principals, the weaker limit."""
    longest = "no such limit: any lifetime is allowed"
    return (
        duration(f"{name}_limit", f"{what} added to an object of any age must have a lifetime shorter than this",
            absent=longest, derived=True),
        duration(f"new_{name}_limit", f"{what} added to an object created now must have a lifetime shorter than this",
            absent=longest, derived=True),
    )


def _restricted(name: str, what: str, absent: str = "", absent_where: tuple[Where, ...] = ()) -> tuple[Column, Column]:
    return (
        flag(name, f"{what}, to objects of any age", absent=absent, absent_where=absent_where, derived=True),
        flag(f"new_{name}", f"{what}, to objects created now", absent=absent, absent_where=absent_where, derived=True),
    )


APP_MANAGEMENT_POLICY = Table(
    name="app_management_policy",
    order=230,
    area=Area.APPLICATIONS,
    noun="app management policy",
    plural="app management policies",
    meaning="the requirements of an app management policy for one kind of object; the default policy has two such parts, so "
        "two rows",
    added_by=_FOUND,
    parts={"app_management.default": ({"kind": "default"},), "app_management.list": ({"kind": "custom"},)},
    opens={Opens.TENANT: 'kind == "default"', Opens.ONE: ALWAYS},
    columns=(
        *where_found(*_FOUND, wire="displayName"),
        text("kind", "default: for all objects without a policy of their own", values=("default", "custom")),
        text("applies_to", "the objects it applies to; a custom policy applies to the objects it is assigned to",
            values=("applications", "service-principals", "assigned")),
        texts("assigned_to",
            "object ids of the applications and service principals that a custom policy is assigned to, sorted",
            ("app_management.list", "app_management.applied"),
            absent=_EVERY_OBJECT, absent_where=_OF_DEFAULT),
        texts("assigned_kinds", "the kinds of those objects, sorted", ("app_management.list", "app_management.applied"),
            absent=_EVERY_OBJECT, absent_where=_OF_DEFAULT, values=("applications", "service-principals")),
        texts("left_to_default", "the restrictions that a custom policy does not define, by their columns here, sorted: the "
            "default policy's restrictions apply instead", _FOUND),
        flag("enabled", "isEnabled: the policy is on; if it is off, nothing below limits or blocks anything. Graph does not "
            "say whether the default policy's restrictions then apply to the objects of a custom policy", _FOUND,
            wire="isEnabled"),
        *_blocked("password", "a client secret"),
        *_lifetime("password", "a client secret"),
        *_blocked("custom_password", "a client secret with a custom value"),
        *_blocked("symmetric_key", "a symmetric key"),
        *_lifetime("symmetric_key", "a symmetric key"),
        *_lifetime("certificate", "a certificate"),
        flag("trusted_authorities_only",
            "a certificate that is added must come from a trusted authority; false if that is off", _FOUND),
        _from("trusted_authorities_only_from"),
        texts("exclusions", "the exemptions from active restrictions: the restriction's type, and the custom security "
            "attribute of the exempt callers, sorted", _FOUND),
        *_limits("secret", "a client secret (0: none can be added)"),
        *_limits("certificate", "a certificate"),
        *_restricted("custom_secrets_blocked", "a client secret with a custom value cannot be added"),
        *_restricted("uris_restricted", "an identifier URI that may belong to another tenant cannot be added",
            absent=_NO_URIS, absent_where=_OF_PRINCIPALS),
        *_of_uris("uri_addition_blocked", "an identifier URI other than the default one cannot be added"),
        *_of_uris("unique_uris_only", "an identifier URI that is added must contain an id of the tenant or the application, "
            "or a verified domain"),
        texts("uri_exceptions", "the applications that both exempt: those that get v2 tokens, and SAML applications", _FOUND,
            absent=_NO_URIS, absent_where=_OF_PRINCIPALS, values=("saml", "v2-tokens")),
        texts("audience_limits", "the audiences that an application cannot have, by the name of each restriction", _BETA,
            absent=_NO_URIS, absent_where=_OF_PRINCIPALS, values=("azureAdMultipleOrgs", "personalMicrosoftAccount")),
        texts("redirect_uri_limits", "the active restrictions on redirect URIs, by name", _BETA,
            absent=_NO_URIS, absent_where=_OF_PRINCIPALS,
            values=("uriWithBlockedDomain", "uriWithBlockedScheme", "uriWithWildcard", "uriWithoutAllowedDomain",
                "uriWithoutAllowedScheme")),
    ),
)
