"""User-assigned managed identities of a plan, with their federated credentials, as Azure answers.

website/docs/r/user_assigned_identity.html.markdown and federated_identity_credential of hashicorp/terraform-provider-azurerm.
"""

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Raw

from keyaudit.model.values.guid import GUID
from keyaudit.plan.document.resources import AFTER_APPLY, NOT_IN_PLAN, Planned, Value, texts
from keyaudit.plan.resources import azapi
from keyaudit.plan.scopes import Ground, stand_in

IDENTITY, FEDERATED = "azurerm_user_assigned_identity", "azurerm_federated_identity_credential"
_KIND = "Microsoft.ManagedIdentity/userAssignedIdentities"
_FEDERATED_TYPE = f"{_KIND}/federatedIdentityCredentials".lower()
"""https://learn.microsoft.com/azure/templates/microsoft.managedidentity/userassignedidentities/federatedidentitycredentials"""
_ID = re.compile(rf"/subscriptions/([^/]+)/resourceGroups/([^/]+)/providers/{re.escape(_KIND)}/([^/]+)", re.IGNORECASE)


class Identities:
    """Adds identities, their service principals and their credentials to the answers."""

    def __init__(self, ground: Ground) -> None:
        self._ground, self._answers = ground, ground.answers
        self.read: set[str] = set()
        """The addresses of credentials of azapi that are among them."""
        self._planned = {planned.address: ground.id_of(planned, _KIND) for planned in ground.resources.of(IDENTITY)}

    def answer(self) -> None:
        """Add all of them."""
        ground = self._ground
        for planned in ground.resources.of(IDENTITY):
            id_ = self._planned[planned.address]
            principal, client = self.principal(planned), _guid(planned, "client_id")
            properties = {"principalId": principal, "clientId": client}
            # https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/managed-identities-isolation-scope
            limits = {"isolationScope": planned.value("isolation_scope") or ("None" if planned.is_new else NOT_IN_PLAN)}
            self._answers.add("managed_identity.query", {"id": id_, "name": planned.value("name"), "properties": properties})
            parts = _ID.fullmatch(id_)
            if parts:
                subscription = parts[1].lower()
                # Only the restrictions of identities are read there, and those of the plan's are all in it.
                self._answers.list("managed_identity.list", whole=True, subscription=subscription)
                self._answers.add("managed_identity.list", {"id": id_, "properties": limits}, subscription=subscription)
                segments = {"subscription": subscription, "resource_group": parts[2], "identity": parts[3]}
                for operation in ("managed_identity.expressions_of", "managed_identity.federated_of"):
                    self._answers.list(operation, whole=planned.is_new, **segments)
            self._list_principal(planned, id_, principal, client, explicit=True)
            ground.origin(id_, planned, "name", "isolation_scope")
        for planned in ground.resources.of(FEDERATED):
            issuer = ground.issuer(planned.value("issuer"), planned, "issuer")
            trusted = {"issuer": issuer, "subject": planned.value("subject"), "audiences": texts(planned.value("audience"))}
            self._trust(planned, trusted, "issuer", "subject", "audience")
        for planned in ground.resources.of(azapi.RESOURCE):
            body = azapi.body_of(planned) if azapi.type_of(planned) == _FEDERATED_TYPE else None
            if body is not None:
                self.read.add(planned.address)
                self._trust(planned, self._of_body(planned, body), "body")

    def at(self, address: str) -> str | None:
        """The id of a planned identity."""
        return self._planned.get(address)

    @staticmethod
    def principal(planned: Planned) -> str:
        """The object id of an identity's service principal, or what stands for it."""
        known = (planned.text("principal_id") or "").lower()
        return known if GUID.fullmatch(known) else planned.guid

    def answer_own(self) -> None:
        """Add the service principals of resources' own identities that are given access."""
        for principal, planned in self._ground.own_identities.items():
            id_ = self._ground.id_of(planned, "Microsoft.Resources/planned")
            self._list_principal(planned, id_, principal, planned.stands_for("identity.client_id"), explicit=False)

    def _list_principal(self, planned: Planned, id_: str, principal: str, client: str, *, explicit: bool) -> None:
        item = {
            "id": principal,
            "appId": client,
            "displayName": planned.value("name"),
            "createdDateTime": NOT_IN_PLAN,
            "accountEnabled": True,
            "servicePrincipalType": "ManagedIdentity",
            "appOwnerOrganizationId": None,
            "preferredSingleSignOnMode": None,
            "preferredTokenSigningKeyThumbprint": None,
            "alternativeNames": [f"isExplicit={explicit}", id_],
            "servicePrincipalNames": [client],
            "tags": [],
            "appRoleAssignmentRequired": False,
            "verifiedPublisher": None,
            "createdByAppId": None,
            "disabledByMicrosoftStatus": None,
            "appRoles": [],
            "keyCredentials": [],
            "passwordCredentials": [],
        }
        self._answers.add("service_principal.list", item)
        self._answers.add("service_principal.owners", {"id": principal, "owners": []})
        self._ground.origin(f"/tenants/{self._ground.tenant_id}/servicePrincipals/{principal}", planned, "name")

    def _of_body(self, planned: Planned, body: dict[str, Any]) -> Mapping[str, Value]:
        """What a credential of azapi trusts."""
        properties = azapi.member(body, "properties")
        found = {name: azapi.within(properties, name, absent=AFTER_APPLY) for name in ("issuer", "subject", "audiences")}
        unknown = [name for name, value in found.items() if isinstance(value, Raw)]
        # The body may refer to several things: its reference is that of the issuer where only the issuer is known after apply.
        issuer = found["issuer"] if unknown not in ([], ["issuer"]) else self._ground.issuer(found["issuer"], planned, "body")
        return {**found, "issuer": issuer}

    def _trust(self, planned: Planned, trusted: Mapping[str, Value], *attributes: str) -> None:
        id_ = self._holder(planned)
        parts = _ID.fullmatch(id_)
        if parts is None:
            return
        name = planned.text("name") or stand_in(planned.address)
        item = {
            "id": f"{id_}/federatedIdentityCredentials/{name}",
            "name": name,
            "properties": trusted,
        }
        segments = {"subscription": parts[1].lower(), "resource_group": parts[2], "identity": parts[3]}
        if id_.lower() not in {each.lower() for each in self._planned.values()}:
            # The identity exists, and the plan has no resource for it.
            self._answers.outside.add(id_.lower())
            unknown = {"principalId": NOT_IN_PLAN, "clientId": NOT_IN_PLAN}
            self._answers.add("managed_identity.query", {"id": id_, "name": parts[3], "properties": unknown})
            self._ground.seen(id_)
        for operation in ("managed_identity.expressions_of", "managed_identity.federated_of"):
            self._answers.add(operation, item, **segments)
        self._ground.origin(f"{id_}/federatedIdentityCredentials/{name}", planned, *attributes)
        found = next((each for each in self._ground.resources.of(IDENTITY) if self._planned[each.address] == id_), None)
        if found:
            principal = f"/tenants/{self._ground.tenant_id}/servicePrincipals/{self.principal(found)}"
            self._ground.origin(f"{principal}/federatedIdentityCredentials/{name}", planned, *attributes)

    def _holder(self, planned: Planned) -> str:
        # Versions before 5 have the second attribute.
        for attribute in ("user_assigned_identity_id", "parent_id"):
            known = planned.text(attribute)
            if known:
                return known
            target = self._ground.resources.target(planned, attribute)
            if target and target[0].address in self._planned:
                return self._planned[target[0].address]
        subscription = self._ground.subscription(planned)
        return f"/subscriptions/{subscription}/resourceGroups/after-apply/providers/{_KIND}/{stand_in(planned.address)}"


def _guid(planned: Planned, attribute: str) -> str:
    known = (planned.text(attribute) or "").lower()
    return known if GUID.fullmatch(known) else planned.stands_for(attribute)
