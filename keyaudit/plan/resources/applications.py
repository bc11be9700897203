"""Applications and service principals of a plan, with their credentials, as Microsoft Graph answers.

Defaults: docs/resources of hashicorp/terraform-provider-azuread, and https://learn.microsoft.com/graph/api/application-addpassword.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Raw

from keyaudit.model.values.guid import GUID
from keyaudit.plan.document.resources import AFTER_APPLY, NOT_IN_PLAN, Planned, Value, View, texts, wire
from keyaudit.plan.resources.credentials import federated, of_issued, password, public_key, signing_set
from keyaudit.plan.resources.redirects import Redirects
from keyaudit.plan.scopes import Ground

APPLICATION, REGISTRATION, PRINCIPAL = "azuread_application", "azuread_application_registration", "azuread_service_principal"
_PASSWORDS = {"application": "azuread_application_password", "service_principal": "azuread_service_principal_password"}
_KEYS = {"application": "azuread_application_certificate", "service_principal": "azuread_service_principal_certificate"}
_FEDERATED = ("azuread_application_federated_identity_credential", "azuread_application_flexible_federated_identity_credential")
_SIGNING = "azuread_service_principal_token_signing_certificate"
_PARTS = tuple(
    f"azuread_application_{each}"
    for each in (
        "api_access",
        "app_role",
        "identifier_uri",
        "optional_claims",
        "permission_scope",
        "pre_authorized",
    )
)
_OWNER = "azuread_application_owner"
BESIDE = (*_PASSWORDS.values(), *_KEYS.values(), *_FEDERATED, _SIGNING, _OWNER)
"""The resources beside an application or service principal that are read with it."""
_ID = re.compile(rf"(?:/(?:applications|servicePrincipals)/)?({GUID.pattern})", re.ASCII | re.IGNORECASE)
_HOLDERS = {"application": (APPLICATION, REGISTRATION), "service_principal": (PRINCIPAL,)}
_NAMING = {
    "application": ("application_id", "application_object_id"),
    "service_principal": ("service_principal_id",),
}
"""The attributes of a credential that name its holder; older versions of the provider have the second one."""


class Applications:
    """Adds applications, service principals and their credentials to the answers."""

    def __init__(self, ground: Ground, issued: Mapping[str, Mapping[str, object]]) -> None:
        """`issued`: by address, what is known of new certificates of vaults, which may be credentials."""
        self._ground, self._answers, self._resources = ground, ground.answers, ground.resources
        self._issued = issued
        self.published: dict[str, dict[str, str]] = {}
        """By service principal, roles that others refer to by name: an id that stands for its own, and the name."""
        self._redirects = Redirects(ground, lambda planned: self.object_id(planned, "application_id"))
        self._holders = {kind: self._of_kind(kind) for kind in _HOLDERS}
        self._apps = {
            (planned.text("client_id") or planned.stands_for("client_id")).lower(): planned
            for planned in self._holders["application"].values()
        }

    def answer(self) -> None:
        """Add all of them."""
        for kind in _HOLDERS:
            holders = self._holders[kind]
            passwords, keys = self._by_holder(kind, _PASSWORDS[kind]), self._by_holder(kind, _KEYS[kind])
            signing = self._by_holder(kind, _SIGNING) if kind == "service_principal" else {}
            named = dict.fromkeys((*holders, *passwords, *keys, *signing))
            trusted = self._by_holder(kind, *_FEDERATED) if kind == "application" else {}
            redirects = self._redirects.beside if kind == "application" else {}
            for object_id in dict.fromkeys((*named, *trusted, *redirects)):
                planned = holders.get(object_id)
                item = self._item(kind, object_id, planned)
                item["passwordCredentials"] = [password(each, self._ground.now) for each in passwords.get(object_id, ())]
                item["keyCredentials"] = [
                    public_key(each, self._ground.now, self._of_vault(each)) for each in keys.get(object_id, ())
                ]
                for each in signing.get(object_id, ()):
                    parts = signing_set(each, self._ground.now)
                    item["keyCredentials"] += parts.keys
                    item["passwordCredentials"].append(parts.password)
                if planned:
                    item["passwordCredentials"] += _inline(planned, self._ground.now)
                self._answers.add(f"{kind}.list", item)
                self._note(kind, object_id, passwords, keys, signing)
            self._trust(kind, trusted)
            self._own(kind)

    def object_id(self, planned: Planned, *attributes: str) -> str | None:
        """The object that an attribute names: its id, or what stands for the id of one that the plan creates."""
        for attribute in attributes:
            if match := _ID.fullmatch(planned.text(attribute) or ""):
                return match[1].lower()
            if target := self._resources.target(planned, attribute):
                there, _ = target
                if there.type in (APPLICATION, REGISTRATION, PRINCIPAL):
                    return self.object_id_of(there)
        return None

    def object_id_of(self, planned: Planned) -> str:
        """The id of an object of the plan, or what stands for it."""
        known = _ID.fullmatch(planned.text("object_id") or planned.text("id") or "")
        return known[1].lower() if known else planned.guid

    def _of_kind(self, kind: str) -> dict[str, Planned]:
        return {self.object_id_of(planned): planned for planned in self._resources.of(*_HOLDERS[kind])}

    def _by_holder(self, kind: str, *types: str) -> dict[str, list[Planned]]:
        """The resources of these types by the object that they belong to. One whose holder is not known has its own."""
        found: dict[str, list[Planned]] = {}
        for planned in self._resources.of(*types):
            object_id = self.object_id(planned, *_NAMING[kind]) or planned.stands_for("holder")
            found.setdefault(object_id, []).append(planned)
        return found

    def _item(self, kind: str, object_id: str, planned: Planned | None) -> dict[str, Any]:
        path = "applications" if kind == "application" else "servicePrincipals"
        id_ = f"/tenants/{self._ground.tenant_id}/{path}/{object_id}".lower()
        if planned is None:
            found: Mapping[str, Any] = dict.fromkeys(_MEMBERS[kind], NOT_IN_PLAN)
            if not self._redirects.tell(object_id, id_):
                self._answers.outside.add(id_)
        else:
            self._ground.origin(id_, planned, *_ATTRIBUTES[kind])
            found = self._application(planned) if kind == "application" else self._principal(planned)
        if kind == "application":
            found = {**found, **self._redirects.members(object_id, planned)}
            self._answers.decided[id_] = self._redirects.decided(object_id, planned)
        return {"id": object_id, **found}

    def _note(self, kind: str, object_id: str, *credentials: Mapping[str, Sequence[Planned]]) -> None:
        path = "applications" if kind == "application" else "servicePrincipals"
        for held in credentials:
            for each in held.get(object_id, ()):
                id_ = f"/tenants/{self._ground.tenant_id}/{path}/{object_id}/credentials/{key_id(each)}"
                self._ground.origin(id_, each, "end_date", "start_date", "value")
                if issued := self._of_vault(each):
                    self._answers.decided[id_.lower()] = of_issued(issued)

    def _of_vault(self, planned: Planned) -> Mapping[str, object] | None:
        """The known facts of a new certificate of a vault that is used as this credential; None if there is none."""
        target = self._resources.target(planned, "value")
        return self._issued.get(target[0].address) if target and target[1].startswith("certificate_data") else None

    def _application(self, planned: Planned) -> dict[str, Any]:
        registered = planned.type == REGISTRATION
        api = planned.block("api") if not registered else None
        # Other resources set what a registration has no attribute for; without any, it is as a new one is.
        bare = registered and planned.is_new and not any(True for _ in self._resources.of(*_PARTS))
        registered = registered and not bare
        apart = NOT_IN_PLAN if registered else []
        return {
            "appId": planned.text("client_id") or planned.stands_for("client_id"),
            "displayName": planned.value("display_name"),
            "createdDateTime": NOT_IN_PLAN,
            "applicationTemplateId": _template(planned),
            "signInAudience": wire(planned.value("sign_in_audience"), "AzureADMyOrg"),
            "identifierUris": apart if registered else texts(planned.value("identifier_uris")),
            "api": NOT_IN_PLAN if registered else _api(api),
            "appRoles": NOT_IN_PLAN if registered else _roles(planned.blocks("app_role")),
            "isFallbackPublicClient": wire(planned.value("fallback_public_client_enabled"), default=False),
            "servicePrincipalLockConfiguration": NOT_IN_PLAN,
            # A publisher is verified, and an application disabled, after it was registered.
            "verifiedPublisher": None if planned.is_new else NOT_IN_PLAN,
            "disabledByMicrosoftStatus": None if planned.is_new else NOT_IN_PLAN,
            "createdByAppId": NOT_IN_PLAN,
        }

    def _principal(self, planned: Planned) -> dict[str, Any]:
        app_id: Value = planned.value("client_id")
        if isinstance(app_id, Raw):
            target = self._resources.target(planned, "client_id")
            known = target[0] if target and target[0].type in (APPLICATION, REGISTRATION) else None
            app_id = (known.text("client_id") or known.stands_for("client_id")) if known else AFTER_APPLY
        app = self._apps.get(app_id.lower()) if isinstance(app_id, str) else None
        # Of an application in another tenant, a plan has only the id.
        elsewhere = AFTER_APPLY if isinstance(app_id, Raw) else NOT_IN_PLAN
        roles = elsewhere if app is None or app.type == REGISTRATION else _roles(app.blocks("app_role"))
        return {
            "appId": app_id,
            "displayName": elsewhere if app is None else app.value("display_name"),
            "createdDateTime": NOT_IN_PLAN,
            "accountEnabled": wire(planned.value("account_enabled"), default=True),
            "servicePrincipalType": "Application",
            "appOwnerOrganizationId": elsewhere if app is None else self._ground.tenant_id,
            "preferredSingleSignOnMode": planned.value("preferred_single_sign_on_mode") or None,
            "preferredTokenSigningKeyThumbprint": NOT_IN_PLAN,
            "alternativeNames": texts(planned.value("alternative_names")),
            "servicePrincipalNames": elsewhere if app is None else [app_id],
            "tags": texts(planned.value("tags"))
            if planned.is_set("tags") or not isinstance(planned.value("tags"), Raw)
            else [],
            "appRoleAssignmentRequired": wire(planned.value("app_role_assignment_required"), default=False),
            "verifiedPublisher": elsewhere if app is None else None,
            "createdByAppId": NOT_IN_PLAN,
            "disabledByMicrosoftStatus": NOT_IN_PLAN if app is None or not planned.is_new else None,
            "appRoles": self._with_published(planned, roles),
        }

    def _with_published(self, planned: Planned, roles: Value) -> Value:
        more = self.published.get(self.object_id_of(planned), {})
        named = [{"id": id_, "value": name, "allowedMemberTypes": ["Application"]} for id_, name in more.items()]
        return [*(roles if isinstance(roles, list) else ()), *named] if named else roles

    def _trust(self, kind: str, trusted: Mapping[str, Sequence[Planned]]) -> None:
        holders = self._holders[kind]
        # A list of those that have some is whole for the plan only if nothing in it existed before.
        self._answers.list(f"{kind}.federated", whole=all(planned.is_new for planned in holders.values()))
        for object_id, found in trusted.items():
            self._answers.add(f"{kind}.federated", {"id": object_id})
            for each in found:
                item = federated(each, self._ground.issuer(each.value("issuer"), each, "issuer"))
                self._answers.add(f"{kind}.federated_of", item, id=object_id)
                self._answers.add(f"{kind}.expressions_of", item, id=object_id)
                place = f"/tenants/{self._ground.tenant_id}/applications/{object_id}/credentials/{item['id']}"
                self._ground.origin(place, each, "issuer", "subject", "audiences", "claims_matching_expression")

    def _own(self, kind: str) -> None:
        more: dict[str, list[Planned]] = {}
        for planned in self._resources.of(_OWNER) if kind == "application" else ():
            more.setdefault(self.object_id(planned, "application_id") or planned.guid, []).append(planned)
        for object_id, planned in self._holders[kind].items():
            owners = planned.value("owners") if planned.is_set("owners") or planned.has("owners") else []
            # Computed where it is not set; the provider then leaves nobody but those of other resources.
            found = [] if isinstance(owners, Raw) and not planned.is_set("owners") else owners
            if isinstance(found, list) and not any(
                isinstance(each.value("owner_object_id"), Raw) for each in more.get(object_id, ())
            ):
                ids = [*found, *(each.value("owner_object_id") for each in more.get(object_id, ()))]
                members: Value = [{"id": each} for each in ids]
            else:
                members = AFTER_APPLY if found is not None else []
            self._answers.add(f"{kind}.owners", {"id": object_id, "owners": members})


def _template(planned: Planned) -> Value:
    """The gallery's template. Computed where it is not set, so it is none of a new application."""
    if planned.is_set("template_id"):
        return planned.value("template_id")
    return None if planned.is_new else planned.text("template_id") or NOT_IN_PLAN


_COMMON = (
    "appId",
    "displayName",
    "createdDateTime",
    "verifiedPublisher",
    "disabledByMicrosoftStatus",
    "createdByAppId",
    "appRoles",
)
_MEMBERS = {
    "application": (
        *_COMMON,
        *("signInAudience", "identifierUris", "api", "isFallbackPublicClient"),
        *("servicePrincipalLockConfiguration", "applicationTemplateId"),
    ),
    "service_principal": (
        *_COMMON,
        *("accountEnabled", "servicePrincipalType", "appOwnerOrganizationId", "preferredSingleSignOnMode", "tags"),
        *("preferredTokenSigningKeyThumbprint", "alternativeNames", "servicePrincipalNames", "appRoleAssignmentRequired"),
    ),
}
_ATTRIBUTES = {
    "application": ("display_name", "sign_in_audience", "identifier_uris", "owners", "web", "api", "app_role"),
    "service_principal": ("client_id", "account_enabled", "owners", "tags"),
}


def key_id(planned: Planned) -> str:
    """The keyId of a credential, or what stands for it."""
    known = (planned.text("key_id") or planned.text("credential_id") or "").rpartition("/")[2].lower()
    return known if GUID.fullmatch(known) else planned.guid


def _inline(planned: Planned, now: int) -> Sequence[Mapping[str, Any]]:
    """The password that an application may have in a block."""
    block = planned.block("password")
    return [password(block, now, planned.stands_for("password"))] if isinstance(block, View) else []


def _api(found: View | Raw | None) -> Value:
    if isinstance(found, Raw):
        return found
    if found is None:
        return {
            "requestedAccessTokenVersion": 1,
            "acceptMappedClaims": False,
            "oauth2PermissionScopes": [],
            "preAuthorizedApplications": NOT_IN_PLAN,
        }
    scopes = found.blocks("oauth2_permission_scope")
    return {
        "requestedAccessTokenVersion": wire(found.value("requested_access_token_version"), 1),
        "acceptMappedClaims": wire(found.value("mapped_claims_enabled"), default=False),
        "oauth2PermissionScopes": scopes
        if isinstance(scopes, Raw)
        else [{"id": each.value("id"), "value": each.value("value")} for each in scopes],
        # Another resource has them.
        "preAuthorizedApplications": NOT_IN_PLAN,
    }


def _roles(found: list[View] | Raw) -> Value:
    if isinstance(found, Raw):
        return found
    return [
        {"id": each.value("id"), "value": each.value("value"), "allowedMemberTypes": texts(each.value("allowed_member_types"))}
        for each in found
    ]
