"""The table of last uses of credentials, from Entra's report.

A row proves use. A missing row proves nothing, because the report does not say what it leaves out.
"""

from keyaudit.model.columns import Area, Table, text, time, where_found

_CREDENTIAL = ("credential_activity.list",)


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
        time("last_used_on", "lastSignInDateTime", _CREDENTIAL, absent="the report has none", past=True),
        time("expires_on", "the credential's end, as the report has it", _CREDENTIAL, absent="the report has none"),
    ),
)
