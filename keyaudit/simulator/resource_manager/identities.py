"""User-assigned managed identities: in Resource Graph, and their federated credentials in Azure Resource Manager."""

from collections.abc import Iterator, Sequence

from keyaudit.simulator.estate import FederatedCredential, ManagedIdentity
from keyaudit.simulator.resource_manager.answers import answer, error
from keyaudit.simulator.service import Directory, Route
from keyaudit.simulator.wire import Answer, Request

_PREVIEW = "2025-05-31-preview"
TYPE = "microsoft.managedidentity/userassignedidentities"


def routes(directory: Directory) -> Sequence[Route]:
    """The paths below an identity."""

    def federated(request: Request, stars: list[str]) -> Answer:
        wanted = [star.lower() for star in stars]
        preview = request.query.get("api-version", "").endswith("-preview")
        for identity in directory.estate.identities:
            if [identity.subscription.lower(), identity.resource_group.lower(), identity.name.lower()] == wanted:
                if preview and identity.stable_only:
                    message = f"No registered resource provider found for location '{identity.location}' and this API version."
                    return error(400, "NoRegisteredProviderFound", message)
                return answer({"value": [federated_resource(identity, one, preview=preview) for one in identity.federated]})
        return no_identity(stars[2])

    def listed(request: Request, stars: list[str]) -> Answer:
        preview = request.query.get("api-version", "").endswith("-preview")
        here = [each for each in directory.estate.identities if each.subscription.lower() == stars[0].lower()]
        if preview and any(each.stable_only for each in here):
            message = "No registered resource provider found for location and this API version."
            return error(400, "NoRegisteredProviderFound", message)
        return answer({"value": [identity_resource(directory, each, preview=preview) for each in here]})

    def single(request: Request, stars: list[str]) -> Answer:
        found = named(directory, stars)
        preview = request.query.get("api-version", "").endswith("-preview")
        return no_identity(stars[2]) if found is None else answer(identity_resource(directory, found, preview=preview))

    every = f"subscriptions/*/providers/{TYPE}"
    path = f"subscriptions/*/resourcegroups/*/providers/{TYPE}/*/federatedidentitycredentials"
    return (
        Route("managed_identity.expressions_of", path, federated, version=_PREVIEW),
        Route("managed_identity.federated_of", path, federated),
        Route("managed_identity.get", f"subscriptions/*/resourcegroups/*/providers/{TYPE}/*", single),
        Route("managed_identity.list", every, listed, version=_PREVIEW),
        Route("managed_identity.list_stable", every, listed),
    )


def named(directory: Directory, place: Sequence[str]) -> ManagedIdentity | None:
    """The identity of a subscription, resource group and name."""
    wanted = [each.lower() for each in place]
    found = (
        one
        for one in directory.estate.identities
        if [one.subscription.lower(), one.resource_group.lower(), one.name.lower()] == wanted
    )
    return next(found, None)


def rows(directory: Directory) -> Iterator[dict[str, object]]:
    """The identities as Resource Graph has them."""
    for identity in directory.estate.identities:
        yield {
            "id": _id(identity),
            "name": identity.name,
            "type": TYPE,
            "tenantId": directory.tenant_id,
            "kind": "",
            "location": identity.location,
            "resourceGroup": identity.resource_group.lower(),
            "subscriptionId": identity.subscription.lower(),
            "managedBy": "",
            "sku": None,
            "plan": None,
            "properties": {
                "tenantId": directory.tenant_id,
                "principalId": identity.principal_id,
                "clientId": identity.client_id,
            },
            "tags": None,
            "identity": None,
            "zones": None,
            "extendedLocation": None,
        }


def identity_resource(directory: Directory, identity: ManagedIdentity, *, preview: bool) -> dict[str, object]:
    """An identity in Azure Resource Manager; only preview versions have assignment restrictions."""
    properties: dict[str, object] = {
        "tenantId": directory.tenant_id,
        "principalId": identity.principal_id,
        "clientId": identity.client_id,
        "isolationScope": identity.isolation,
    }
    if preview and identity.limited_to:
        properties["assignmentRestrictions"] = {"providers": list(identity.limited_to)}
    return {
        "id": _id(identity),
        "name": identity.name,
        "type": "Microsoft.ManagedIdentity/userAssignedIdentities",
        "location": identity.location,
        "tags": {},
        "properties": properties,
    }


def _id(identity: ManagedIdentity) -> str:
    return (
        f"/subscriptions/{identity.subscription}/resourcegroups/{identity.resource_group}"
        f"/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{identity.name}"
    )


def no_identity(name: str) -> Answer:
    """The 404 for an identity."""
    message = f"The Resource 'Microsoft.ManagedIdentity/userAssignedIdentities/{name}' was not found."
    return error(404, "ResourceNotFound", message)


def federated_resource(identity: ManagedIdentity, found: FederatedCredential, *, preview: bool) -> dict[str, object]:
    """A federated credential; only preview versions have claims-matching expressions."""
    properties: dict[str, object] = {"issuer": found.issuer, "subject": found.subject, "audiences": list(found.audiences)}
    if preview:
        expression = found.claims_expression
        properties["claimsMatchingExpression"] = expression and {"value": expression, "languageVersion": 1}
    return {
        "id": f"{_id(identity)}/federatedIdentityCredentials/{found.name}",
        "name": found.name,
        "type": "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
        "properties": properties,
    }
