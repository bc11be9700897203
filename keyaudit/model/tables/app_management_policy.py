"""The table of app management policies: what new credentials of applications and service principals may be."""

from keyaudit.model.columns import Column, Table, Type, Where, where_found

_FOUND = ("app_management.default", "app_management.list")
_SECRET = ("password_blocked", "password_blocked_from", "password_lifetime", "password_lifetime_from")
_OFF = "no such limit: the policy or the restriction is off, or it was never set"


def _blocked(name: str, what: str) -> tuple[Column, Column]:
    return (
        Column(
            name=f"{name}_blocked",
            type=Type.BOOLEAN,
            meaning=f"{what} cannot be added; false where the policy or the restriction is off",
            operations=_FOUND,
        ),
        _from(f"{name}_blocked_from"),
    )


def _lifetime(name: str, what: str) -> tuple[Column, Column]:
    return (
        Column(
            name=f"{name}_lifetime",
            type=Type.DURATION,
            unit="seconds",
            meaning=f"{what} that is added has to live less than this",
            operations=_FOUND,
            absent=_OFF,
        ),
        _from(f"{name}_lifetime_from"),
    )


def _from(name: str) -> Column:
    return Column(
        name=name,
        type=Type.TIME,
        unit="seconds since 1970 UTC",
        meaning="the restriction holds for objects made at this moment or later",
        operations=_FOUND,
        absent="it holds for all, or is off",
    )


def _secret_limit(name: str, which: str) -> Column:
    return Column(
        name=name,
        type=Type.DURATION,
        unit="seconds",
        meaning=f"a client secret that {which} is given has to live less than this; 0 where it is given none",
        absent="no such limit: a secret may live as long as anyone likes",
        derived_from=_SECRET,
    )


APP_MANAGEMENT_POLICY = Table(
    name="app_management_policy",
    noun="app management policy",
    plural="app management policies",
    meaning="what an app management policy asks of one kind of object; the default policy has two such parts, and two rows",
    added_by=_FOUND,
    parts={"app_management.default": ({"kind": "default"},), "app_management.list": ({"kind": "custom"},)},
    columns=(
        *where_found(*_FOUND),
        Column(
            name="kind",
            type=Type.TEXT,
            meaning="default: for all that have no policy of their own",
            values=("default", "custom"),
        ),
        Column(
            name="applies_to",
            type=Type.TEXT,
            meaning="which objects it is for; what a custom policy is assigned to takes nothing from the default one",
            values=("applications", "service-principals", "assigned"),
        ),
        Column(
            name="assigned_to",
            type=Type.TEXTS,
            meaning="object ids of the applications and service principals that a custom policy is assigned to, sorted",
            operations=("app_management.list", "app_management.applied"),
            absent="the default policy is assigned to nothing by name",
            absent_where=(Where("kind", ("default",)),),
        ),
        Column(
            name="enabled",
            type=Type.BOOLEAN,
            meaning="isEnabled: the policy is on; where it is off, nothing below limits or blocks anything",
            operations=_FOUND,
        ),
        *_blocked("password", "a client secret"),
        *_lifetime("password", "a client secret"),
        *_blocked("custom_password", "a client secret of one's own choosing"),
        *_blocked("symmetric_key", "a symmetric key"),
        *_lifetime("symmetric_key", "a symmetric key"),
        *_lifetime("certificate", "a certificate"),
        Column(
            name="trusted_authorities_only",
            type=Type.BOOLEAN,
            meaning="a certificate that is added has to come from a trusted authority; false where that is off",
            operations=_FOUND,
        ),
        _from("trusted_authorities_only_from"),
        Column(
            name="exclusions",
            type=Type.TEXTS,
            meaning=(
                "who may add what a restriction that is on forbids: its type, and the custom security attribute of those who"
                " may, sorted"
            ),
            operations=_FOUND,
        ),
        _secret_limit("secret_limit", "an object of whatever age"),
        _secret_limit("new_secret_limit", "an object made now"),
    ),
)
