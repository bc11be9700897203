"""Graph's resources for keys that sign and verify tokens: federation, token policies, key sets."""

from base64 import b64encode

from keyaudit.simulator.estate import ExternalProvider, Federation, KeySet, TokenPolicy
from keyaudit.simulator.key_sets import b2c_key
from keyaudit.simulator.microsoft_graph import odata
from keyaudit.simulator.microsoft_graph.resources import Resource, collection, listed
from keyaudit.simulator.service import Directory
from keyaudit.simulator.wire import Request, iso

_POLICIES = {
    "claimsmappingpolicies": ("claimsMappingPolicies", "claims_mapping"),
    "tokenlifetimepolicies": ("tokenLifetimePolicies", "token_lifetime"),
    "tokenissuancepolicies": ("tokenIssuancePolicies", "token_issuance"),
}
_ENUMERATED = frozenset({"enumerated", "allManagedAndEnumeratedFederated"})


def resource(directory: Directory, version: str, path: list[str], request: Request) -> Resource | None:
    """The resource of a path; None for other paths."""
    held = directory.estate.token_signing
    match [part.lower() for part in path]:
        case ["domains", name, "federationconfiguration"]:
            return _federation(directory, version, name)
        case ["directory", "federationconfigurations", kind] if kind.endswith("graph.samlorwsfedexternaldomainfederation"):
            return listed("external_federation.list", version, "federationConfigurations", held.external, _external)
        case ["policies", "federatedtokenvalidationpolicy"]:
            return _validation(directory, version)
        case ["policies", kind, *rest] if kind in _POLICIES:
            return _policies(directory, version, kind, rest, request)
        case ["trustframework", "keysets"] if version == "beta":
            return listed("b2c.key_sets", version, "trustFramework/keySets", held.key_sets, _key_set)
    return None


def _federation(directory: Directory, version: str, name: str) -> Resource:
    """A domain's federation; 404 if it has none."""
    named = {domain.name.lower(): domain.federation for domain in directory.estate.domains}
    found = named.get(name)
    return Resource(
        operation="domain.federation",
        relations=("domains", "federationConfiguration"),
        type="microsoft.graph.internalDomainFederation",
        members=(),
        render=collection(version, f"domains('{name}')/federationConfiguration", [found], _internal) if found else None,
    )


def _provider(found: Federation | ExternalProvider) -> dict[str, object]:
    certificate = found.certificate
    return {
        "id": found.id,
        "displayName": found.name,
        "issuerUri": f"http://{found.host}/adfs/services/trust",
        "metadataExchangeUri": f"https://{found.host}/adfs/services/trust/mex",
        "signingCertificate": certificate and b64encode(certificate).decode(),
        "passiveSignInUri": f"https://{found.host}/adfs/ls",
    }


def _internal(found: Federation) -> dict[str, object]:
    following, status = found.next_certificate, None
    if found.update_result is not None:
        ran = None if found.updated is None else iso(found.updated)
        status = {"certificateUpdateResult": found.update_result, "lastRunDateTime": ran}
    return {
        "@odata.type": "#microsoft.graph.internalDomainFederation",
        **_provider(found),
        "preferredAuthenticationProtocol": found.protocol,
        "activeSignInUri": f"https://{found.host}/adfs/services/trust/2005/usernamemixed",
        "signOutUri": f"https://{found.host}/adfs/ls",
        "promptLoginBehavior": None,
        "isSignedAuthenticationRequestRequired": found.signs_requests,
        "nextSigningCertificate": following and b64encode(following).decode(),
        "federatedIdpMfaBehavior": found.mfa_behavior,
        "signingCertificateUpdateStatus": status,
    }


def _external(found: ExternalProvider) -> dict[str, object]:
    return {
        "@odata.type": "#microsoft.graph.samlOrWsFedExternalDomainFederation",
        **_provider(found),
        "preferredAuthenticationProtocol": "saml",
        "domains": [{"id": name} for name in found.domains],
    }


def _validation(directory: Directory, version: str) -> Resource:
    held = directory.estate.token_signing
    enumerated = held.validated_domains in _ENUMERATED
    domains: dict[str, object] = {
        "@odata.type": f"#microsoft.graph.{'enumeratedDomains' if enumerated else 'allDomains'}",
        "rootDomains": held.validated_domains,
    }
    if enumerated:
        domains["domainNames"] = list(held.validated_names)
    body: dict[str, object] = {
        "id": directory.guid("federated token validation"),
        "deletedDateTime": None,
        "validatingDomains": domains,
    }

    def render(_asked: Request, options: odata.Options) -> dict[str, object]:
        return odata.entity(options, (version, "policies/federatedTokenValidationPolicy"), body)

    return Resource(
        operation="federated_token_validation.get",
        relations=("policies",),
        type="microsoft.graph.federatedTokenValidationPolicy",
        members=tuple(body),
        render=render,
    )


def _policies(directory: Directory, version: str, kind: str, path: list[str], request: Request) -> Resource | None:
    """The policies of a kind, with the objects that they apply to if expanded; or the objects of one policy."""
    name, operation = _POLICIES[kind]
    policies = [one for one in directory.estate.token_signing.policies if one.collection == name]

    def applied(one: str) -> dict[str, object]:
        kind = "servicePrincipal" if one in directory.principal_ids else "application"
        return {"@odata.type": f"#microsoft.graph.{kind}", "id": one, "deletedDateTime": None}

    if path:
        if path[1:] != ["appliesto"]:
            return None
        chosen = next((one for one in policies if one.id.lower() == path[0]), None)
        place = f"policies/{name}/appliesTo"
        return Resource(
            operation=f"{operation}.applied_of",
            relations=("policies", "appliesTo"),
            type="microsoft.graph.directoryObject",
            members=(),
            render=collection(version, place, chosen.applies_to, applied) if chosen else None,
        )

    def render(asked: Request, options: odata.Options) -> dict[str, object]:
        def body(one: TokenPolicy) -> dict[str, object]:
            related = odata.related(options, [applied(each) for each in one.applies_to])
            return {**_policy(one), **({"appliesTo": related} if options.expand else {})}

        return odata.page(asked, options, (version, f"policies/{name}"), policies, body)

    expanded = "$expand" in request.query
    return Resource(
        operation=f"{operation}.{'applied' if expanded else 'list'}",
        relations=("policies", "appliesTo" if expanded else ""),
        type=f"microsoft.graph.{name}",
        members=("appliesTo",),
        render=render,
    )


def _policy(found: TokenPolicy) -> dict[str, object]:
    return {
        "id": found.id,
        "deletedDateTime": None,
        "definition": list(found.definition),
        "displayName": found.name,
        "isOrganizationDefault": found.default,
    }


def _key_set(found: KeySet) -> dict[str, object]:
    return {"id": found.id, "keys": [b2c_key(one) for one in found.keys]}
