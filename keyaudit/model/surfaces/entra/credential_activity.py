"""Last uses of applications' credentials, from Entra's report (beta).

A row proves use. A missing row proves nothing, because the report does not say what it leaves out. The operation is in
`model.operations.privileges`.
"""

from keyaudit.model.schema.columns import Area, Table, text, time, where_found
from keyaudit.model.schema.wire import At, Read, translated
from keyaudit.model.values.times import parse_time

SURFACE = "credential activity"

_CREDENTIAL = ("credential_activity.list",)
# The documentation lists one name, its samples use the other.
# https://learn.microsoft.com/graph/api/resources/appcredentialsigninactivity
_KINDS = {"certificate": "certificate", "clientsecret": "password", "secret": "password"}
_ENDS = At("expirationDateTime", instead="expirationDate")
_ORIGINS = {"application": "application", "serviceprincipal": "service_principal"}

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
    reads=(
        # The report's own ids can differ in case only.
        Read(
            operation="credential_activity.list",
            id="credentialActivities/{key}",
            key="appId",
            more_keys=("keyId",),
            beside_keys=("credentialOrigin", "resourceId"),
            fixed={"name": None},
        ),
    ),
    columns=(
        *where_found(),
        text("key_id", "keyId of the credential", _CREDENTIAL, wire=At("keyId", str, str.lower)),
        text("app_id", "the application (client) id", _CREDENTIAL, wire=At("appId", str, str.lower)),
        text("kind", "keyType: what the credential is", _CREDENTIAL, values=("password", "certificate"),
            wire=At("keyType", str, translated(_KINDS))),
        text("holder_kind", "credentialOrigin: the kind of object that the credential belongs to", _CREDENTIAL,
            values=("application", "service_principal"),
            wire=At("credentialOrigin", str, translated(_ORIGINS))),
        text("used_for", "resourceId: the resource it was used for", _CREDENTIAL, absent="the report names none",
            wire="resourceId"),
        # A credential is in the report because it was used, so that signInActivity is never null.
        time("last_used_on", "lastSignInDateTime", _CREDENTIAL, absent="the report has none", past=True,
            wire=At("signInActivity.lastSignInDateTime?", str, parse_time)),
        time("expires_on", "the credential's end, as the report has it", _CREDENTIAL, absent="the report has none",
            wire=_ENDS),
    ),
)
