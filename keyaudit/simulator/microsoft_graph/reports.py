"""Graph's reports of last use, in beta only. Dates are as in the documentation's samples."""

from base64 import b64encode

from keyaudit.simulator.estate import CredentialUse, SignIn
from keyaudit.simulator.microsoft_graph.resources import Resource, collection
from keyaudit.simulator.service import Directory
from keyaudit.simulator.wire import Request, iso


def part(directory: Directory, version: str, path: list[str], _request: Request) -> Resource | None:
    """The report of a path."""
    if version != "beta":
        return None
    match [piece.lower() for piece in path]:
        case ["reports", "serviceprincipalsigninactivities"]:
            return Resource(
                operation="sign_in_activity.list",
                relations=("reports", "servicePrincipalSignInActivities"),
                type="microsoft.graph.servicePrincipalSignInActivity",
                members=_sign_in(directory, SignIn(app_id="")),
                render=collection(
                    version,
                    "reports/servicePrincipalSignInActivities",
                    directory.estate.sign_ins,
                    lambda one: _sign_in(directory, one),
                ),
                limit="reports",
            )
        case ["reports", "appcredentialsigninactivities"]:
            return Resource(
                operation="credential_activity.list",
                relations=("reports", "appCredentialSignInActivities"),
                type="microsoft.graph.appCredentialSignInActivity",
                members=_use(directory, CredentialUse(key_id="", app_id="", last=None, resource_id="")),
                render=collection(
                    version,
                    "reports/appCredentialSignInActivities",
                    directory.estate.credential_uses,
                    lambda one: _use(directory, one),
                ),
                limit="reports",
            )
    return None


def _moment(directory: Directory, seconds: int | None, *names: str) -> dict[str, object] | None:
    if seconds is None:
        return None
    return {"lastSignInDateTime": iso(seconds), "lastSignInRequestId": directory.guid("sign-in", *names)}


def _sign_in(directory: Directory, found: SignIn) -> dict[str, object]:
    moments = [one for one in (found.delegated, found.app_only, found.resource) if one is not None]
    return {
        "id": b64encode(found.app_id.encode()).decode(),
        "appId": found.app_id,
        "lastSignInActivity": _moment(directory, max(moments, default=None), found.app_id, "last"),
        "delegatedClientSignInActivity": _moment(directory, found.delegated, found.app_id, "delegated"),
        "delegatedResourceSignInActivity": _moment(directory, found.resource, found.app_id, "resource"),
        "applicationAuthenticationClientSignInActivity": _moment(directory, found.app_only, found.app_id, "app"),
        "applicationAuthenticationResourceSignInActivity": None,
    }


def _use(directory: Directory, found: CredentialUse) -> dict[str, object]:
    origin = "servicePrincipal" if found.on_principal else "application"
    ids = {name: directory.guid(name, found.app_id) for name in ("application", "principal")}
    for application in directory.estate.applications:
        if application.app_id == found.app_id:
            ids["application"] = application.id
    return {
        "id": b64encode(f"{found.key_id}|{origin}".encode()).decode(),
        "keyId": found.key_id,
        "keyType": "certificate" if found.certificate else "clientSecret",
        "keyUsage": "verify",
        "appId": found.app_id,
        "appObjectId": ids["application"],
        "servicePrincipalObjectId": ids["principal"],
        "resourceId": found.resource_id,
        "credentialOrigin": origin,
        "expirationDateTime": None if found.end is None else iso(found.end),
        "signInActivity": _moment(directory, found.last, found.key_id, found.resource_id),
    }
