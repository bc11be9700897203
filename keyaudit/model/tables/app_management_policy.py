"""The table of app management policies, which limit new credentials of applications and service principals."""

from keyaudit.model.columns import Area, Column, RestsOn, Table, Where, duration, flag, text, texts, time, where_found

_FOUND = ("app_management.default", "app_management.list")
_SECRET = ("password_blocked", "password_blocked_from", "password_lifetime", "password_lifetime_from")
_BETA = ("app_management.default_beta", "app_management.list_beta")
_OF_PRINCIPALS = (Where("applies_to", ("service-principals",)),)
_NO_URIS = "a service principal is given no such thing"
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


def _secret_limit(name: str, which: str) -> Column:
    return duration(name, f"a client secret that {which} is given has to live less than this; 0 where it is given none",
        absent="no such limit: a secret may live as long as anyone likes", rests_on=RestsOn.OBJECT, derived_from=_SECRET)


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
        *where_found(*_FOUND),
        text("kind", "default: for all that have no policy of their own", values=("default", "custom")),
        text("applies_to", "which objects it is for; what a custom policy is assigned to takes nothing from the default one",
            values=("applications", "service-principals", "assigned")),
        texts("assigned_to",
            "object ids of the applications and service principals that a custom policy is assigned to, sorted",
            ("app_management.list", "app_management.applied"),
            absent="the default policy is assigned to nothing by name", absent_where=(Where("kind", ("default",)),)),
        flag("enabled", "isEnabled: the policy is on; where it is off, nothing below limits or blocks anything", _FOUND),
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
        _secret_limit("secret_limit", "an object of any age"),
        _secret_limit("new_secret_limit", "an object made now"),
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
