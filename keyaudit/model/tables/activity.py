"""The tables of last activity of service principals and credentials, from Entra's reports.

A row proves use. A missing row proves nothing, because the reports do not say what they leave out.
"""

from keyaudit.model.columns import Area, Column, Table, text, time, where_found

_SIGN_IN = ("sign_in_activity.list",)
_CREDENTIAL = ("credential_activity.list",)
_NEVER = "the report has no date"


def _last(name: str, meaning: str, operations: tuple[str, ...]) -> Column:
    return time(name, meaning, operations, absent=_NEVER, past=True)


SIGN_IN_ACTIVITY = Table(
    name="sign_in_activity",
    order=150,
    area=Area.TENANT,
    noun="record of sign-ins",
    plural="records of sign-ins",
    meaning="when an application was last used in this tenant (servicePrincipalSignInActivities, beta)",
    added_by=_SIGN_IN,
    row_for_each=_SIGN_IN,
    columns=(
        *where_found(),
        text("app_id", "the application (client) id", _SIGN_IN),
        _last("last_sign_in_on", "in any role", _SIGN_IN),
        _last("last_delegated_on", "as a client, with a user", _SIGN_IN),
        _last("last_app_only_on", "as a client, without a user", _SIGN_IN),
        _last("last_client_sign_in_on", "as a client: the later of the two", _SIGN_IN),
    ),
)

CREDENTIAL_ACTIVITY = Table(
    name="credential_activity",
    order=160,
    area=Area.TENANT,
    replaced=False,
    noun="record of a credential's use",
    plural="records of credentials' use",
    meaning="when a credential was last used for a resource (appCredentialSignInActivities, beta); one may have several",
    added_by=_CREDENTIAL,
    row_for_each=_CREDENTIAL,
    columns=(
        *where_found(),
        text("key_id", "keyId of the credential", _CREDENTIAL),
        text("app_id", "the application (client) id", _CREDENTIAL),
        text("kind", "keyType: what the credential is", _CREDENTIAL, values=("password", "certificate")),
        text("holder_kind", "credentialOrigin: the kind of object that the credential belongs to", _CREDENTIAL,
            values=("application", "service_principal")),
        text("used_for", "resourceId: the resource it was used for", _CREDENTIAL, absent="the report names none",
            wire="resourceId"),
        _last("last_used_on", "lastSignInDateTime", _CREDENTIAL),
        time("expires_on", "the credential's expiration date in the report", _CREDENTIAL, absent="the report has no date"),
    ),
)
