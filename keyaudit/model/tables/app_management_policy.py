"""The table of app management policies, which limit new credentials of applications and service principals.

A restriction that a custom policy defines, enabled or disabled, takes precedence over that of the default policy; one that it
does not define falls back to it: https://learn.microsoft.com/graph/api/resources/applicationauthenticationmethodpolicy
"""

from keyaudit.model.columns import Area, Column, Table, Where, duration, flag, text, texts, time, where_found

_FOUND = ("app_management.default", "app_management.list")
_OF_DEFAULT = (Where("kind", ("default",)),)
_BETA = ("app_management.default_beta", "app_management.list_beta")
_OF_PRINCIPALS = (Where("applies_to", ("service-principals",)),)
_NO_URIS = "a service principal is given no such thing"
_EVERY_OBJECT = "the default policy is assigned to nothing by name"
_OFF = "no such limit: the policy or the restriction is off, or it was never set"


def _blocked(name: str, what: str) -> tuple[Column, Column]:
    return (
        flag(f"{name}_blocked", f"{what} cannot be added; false where the policy or the restriction is off", _FOUND),
        _from(f"{name}_blocked_from"),
    )


def _lifetime(name: str, what: str) -> tuple[Column, Column]:
    return (
        duration(f"{name}_lifetime", f"{what} that is added has to live less than this", _FOUND, absent=_OFF),
        _from(f"{name}_lifetime_from"),
    )


def _from(name: str) -> Column:
    return time(name, "the restriction holds for objects made at this moment or later", _FOUND,
        absent="it holds for all, or is off")


def _of_uris(name: str, what: str) -> tuple[Column, Column]:
    return (
        flag(name, f"{what}; false where the policy or the restriction is off", _FOUND, absent=_NO_URIS,
            absent_where=_OF_PRINCIPALS),
        _from(f"{name}_from"),
    )


def _limits(name: str, what: str) -> tuple[Column, Column]:
    """What holds for the objects of a policy; for a custom policy of applications and service principals, the weaker limit."""
    longest = "no such limit: it may live as long as anyone likes"
    return (
        duration(f"{name}_limit", f"{what} that an object of any age is given has to live less than this",
            absent=longest, derived=True),
        duration(f"new_{name}_limit", f"{what} that an object made now is given has to live less than this",
            absent=longest, derived=True),
    )


def _restricted(name: str, what: str, absent: str = "", absent_where: tuple[Where, ...] = ()) -> tuple[Column, Column]:
    return (
        flag(name, f"{what}, to objects of any age", absent=absent, absent_where=absent_where, derived=True),
        flag(f"new_{name}", f"{what}, to objects made now", absent=absent, absent_where=absent_where, derived=True),
    )


APP_MANAGEMENT_POLICY = Table(
    name="app_management_policy",
    order=230,
    area=Area.APPLICATIONS,
    noun="app management policy",
    plural="app management policies",
    meaning="what an app management policy asks of one kind of object; the default policy has two such parts, and two rows",
    added_by=_FOUND,
    parts={"app_management.default": ({"kind": "default"},), "app_management.list": ({"kind": "custom"},)},
    columns=(
        *where_found(*_FOUND, wire="displayName"),
        text("kind", "default: for all that have no policy of their own", values=("default", "custom")),
        text("applies_to", "which objects it is for; a custom policy is for those that it is assigned to",
            values=("applications", "service-principals", "assigned")),
        texts("assigned_to",
            "object ids of the applications and service principals that a custom policy is assigned to, sorted",
            ("app_management.list", "app_management.applied"),
            absent=_EVERY_OBJECT, absent_where=_OF_DEFAULT),
        texts("assigned_kinds", "the kinds of those objects, sorted", ("app_management.list", "app_management.applied"),
            absent=_EVERY_OBJECT, absent_where=_OF_DEFAULT, values=("applications", "service-principals")),
        texts("left_to_default", "the restrictions that a custom policy does not define, by their columns here, sorted: the "
            "default policy's hold instead", _FOUND),
        flag("enabled", "isEnabled: the policy is on; where it is off, nothing below limits or blocks anything. Graph does not "
            "say whether the default policy's restrictions then hold for the objects of a custom policy", _FOUND,
            wire="isEnabled"),
        *_blocked("password", "a client secret"),
        *_lifetime("password", "a client secret"),
        *_blocked("custom_password", "a client secret of one's own choosing"),
        *_blocked("symmetric_key", "a symmetric key"),
        *_lifetime("symmetric_key", "a symmetric key"),
        *_lifetime("certificate", "a certificate"),
        flag("trusted_authorities_only",
            "a certificate that is added has to come from a trusted authority; false where that is off", _FOUND),
        _from("trusted_authorities_only_from"),
        texts("exclusions", "who may add what a restriction that is on forbids: its type, and the custom security attribute "
            "of those who may, sorted", _FOUND),
        *_limits("secret", "a client secret (0: none can be added)"),
        *_limits("certificate", "a certificate"),
        *_restricted("custom_secrets_blocked", "a client secret of one's own choosing cannot be added"),
        *_restricted("uris_restricted", "an identifier URI that may be another tenant's cannot be added",
            absent=_NO_URIS, absent_where=_OF_PRINCIPALS),
        *_of_uris("uri_addition_blocked", "an identifier URI other than the default one cannot be added"),
        *_of_uris("unique_uris_only", "an identifier URI that is added has to hold an id of the tenant or the application, or "
            "a verified domain"),
        texts("uri_exceptions", "the applications that both leave out: those that get v2 tokens, those of SAML", _FOUND,
            absent=_NO_URIS, absent_where=_OF_PRINCIPALS, values=("saml", "v2-tokens")),
        texts("audience_limits", "the audiences that an application cannot be given, by the name of each restriction", _BETA,
            absent=_NO_URIS, absent_where=_OF_PRINCIPALS, values=("azureAdMultipleOrgs", "personalMicrosoftAccount")),
        texts("redirect_uri_limits", "the restrictions of redirect URIs that are on, by name", _BETA,
            absent=_NO_URIS, absent_where=_OF_PRINCIPALS,
            values=("uriWithBlockedDomain", "uriWithBlockedScheme", "uriWithWildcard", "uriWithoutAllowedDomain",
                "uriWithoutAllowedScheme")),
    ),
)
