"""Last sign-ins of applications, from Entra's report (beta).

A row proves use. A missing row proves nothing, because the report does not say what it leaves out. The operation is in
`model.operations.privileges`.
"""

from keyaudit.model.schema.columns import Area, Column, Table, text, time, where_found
from keyaudit.model.schema.wire import At, Combined, Read, Way
from keyaudit.model.values.times import parse_time

SURFACE = "sign-in activity"

_SIGN_IN = ("sign_in_activity.list",)
_WHEN = "lastSignInDateTime?"
_DELEGATED = At(f"delegatedClientSignInActivity?.{_WHEN}", str, parse_time)
_APP_ONLY = At(f"applicationAuthenticationClientSignInActivity?.{_WHEN}", str, parse_time)


def _last(name: str, meaning: str, wire: Way) -> Column:
    return time(name, meaning, _SIGN_IN, absent="the report has none", past=True, wire=wire)


def _later(*moments: int | None) -> int | None:
    return max((moment for moment in moments if moment is not None), default=None)


SIGN_IN_ACTIVITY = Table(
    name="sign_in_activity",
    order=150,
    area=Area.TENANT,
    noun="record of sign-ins",
    plural="records of sign-ins",
    meaning="when an application was last used in this tenant (servicePrincipalSignInActivities, beta)",
    added_by=_SIGN_IN,
    row_for_each=_SIGN_IN,
    reads=(
        Read(
            operation="sign_in_activity.list",
            id="signInActivities/{key}",
            key="appId",
            key_column="app_id",
            fixed={"name": None},
        ),
    ),
    columns=(
        *where_found(),
        text("app_id", "the application (client) id", _SIGN_IN),
        _last("last_sign_in_on", "in any role", At(f"lastSignInActivity?.{_WHEN}", str, parse_time)),
        _last("last_delegated_on", "as a client, with a user", _DELEGATED),
        _last("last_app_only_on", "as a client, without a user", _APP_ONLY),
        _last("last_client_sign_in_on", "as a client: the later of the two", Combined((_DELEGATED, _APP_ONLY), _later)),
    ),
)
