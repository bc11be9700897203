"""Reads of token signing and validation: federated domains, token policies, key sets, certificate authorities."""

from keyaudit.model.operations.about import HOLDER, RELATED, Unnamed
from keyaudit.model.operations.kinds import (
    OTHER_CLOUDS,
    Family,
    Operation,
    Paging,
    Right,
    Rights,
    Surface,
    Throttle,
    graph,
    graph_right,
)

_POLICY = graph_right("Policy.Read.All")
_AUTHORITIES = graph_right("PublicKeyInfrastructure.Read.All")
_ANYBODY = Right(rights=Rights.NONE)
_KEY_SET = Unnamed("a key set has only keys, and several tenants share some of them")


def _token_policy(id_: str, name: str, collection: str) -> tuple[Operation, ...]:
    """The list of a kind of policy with the objects that each applies to, and a separate read for policies with many."""
    path = f"/v1.0/policies/{collection}"
    return (
        graph(f"{id_}.list", f"{name} policies", path, right=_POLICY),
        graph(f"{id_}.applied", f"what {name} policies apply to", path, query=(("$expand", "appliesTo"),), right=_POLICY),
        graph(
            f"{id_}.applied_of",
            f"what a {name} policy with many applies to",
            f"{path}/{{id}}/appliesTo",
            right=_POLICY,
            after=(f"{id_}.applied",),
            about=RELATED,
        ),
    )


def _shared_keys(authority: str, whose: str, not_in: tuple[str, ...] = ()) -> Operation:
    """Keys that many tenants share. https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc"""
    return Operation(
        id=f"login.{authority}_keys",
        noun=f"the keys that Entra publishes for {whose}",
        surface=Surface.LOGIN,
        path=f"/{authority}/discovery/v2.0/keys",
        throttle=Throttle.NONE,
        right=_ANYBODY,
        not_in=not_in,
        about=Unnamed("it is the same for every tenant"),
    )


FAMILY = Family("token signing", order=100)

DECLARED = (
    # The page of the list names Domain.Read.All, the permissions reference names this one; both are accepted.
    # https://learn.microsoft.com/graph/api/internaldomainfederation-get
    graph(
        "domain.federation",
        "the federation of a domain",
        "/v1.0/domains/{id}/federationConfiguration",
        right=graph_right("Domain-InternalFederation.Read.All"),
        after=("organization.get", "domain.list"),
        about=HOLDER,
    ),
    graph(
        "external_federation.list",
        "identity providers of other organizations",
        "/v1.0/directory/federationConfigurations/graph.samlOrWsFedExternalDomainFederation",
        right=graph_right("Domain.Read.All"),
    ),
    *_token_policy("claims_mapping", "claims-mapping", "claimsMappingPolicies"),
    *_token_policy("token_lifetime", "token-lifetime", "tokenLifetimePolicies"),
    *_token_policy("token_issuance", "token-issuance", "tokenIssuancePolicies"),
    graph(
        "federated_token_validation.get",
        "the validation of federated tokens",
        "/v1.0/policies/federatedTokenValidationPolicy",
        paging=Paging.NONE,
        right=_POLICY,
    ),
    graph(
        "pki.list",
        "public key infrastructures for certificate-based sign-in",
        "/v1.0/directory/publicKeyInfrastructure/certificateBasedAuthConfigurations",
        right=_AUTHORITIES,
    ),
    graph(
        "pki.authorities",
        "the authorities of a public key infrastructure",
        "/v1.0/directory/publicKeyInfrastructure/certificateBasedAuthConfigurations/{id}/certificateAuthorities",
        right=_AUTHORITIES,
        after=("pki.list",),
        about=HOLDER,
    ),
    graph(
        "classic_authority.list",
        "authorities for certificate-based sign-in in the older store",
        "/v1.0/organization/{tenant}/certificateBasedAuthConfiguration",
        about=Unnamed("it is a request to the tenant itself, which the token determines"),
        right=graph_right("Organization.Read.All"),
    ),
    # A store has at most 10 authorities, fewer than the maximum of $expand.
    # https://learn.microsoft.com/graph/api/resources/certificatebasedapplicationconfiguration
    graph(
        "app_authority.list",
        "authorities that must issue applications' certificates",
        "/beta/directory/certificateAuthorities/certificateBasedApplicationConfigurations",
        query=(("$expand", "trustedCertificateAuthorities"),),
        right=graph_right("AppCertTrustConfiguration.Read.All"),
    ),
    graph(
        "organization.type",
        "the kind of tenant",
        "/v1.0/organization",
        query=(("$select", "id,tenantType"),),
        right=graph_right("Organization.Read.All"),
    ),
    graph(
        "b2c.key_sets",
        "key sets of Azure AD B2C",
        "/beta/trustFramework/keySets",
        right=graph_right("TrustFrameworkKeySet.Read.All"),
        after=("organization.type",),
    ),
    Operation(
        id="login.keys",
        noun="the keys that the tenant publishes to verify tokens",
        surface=Surface.LOGIN,
        path="/{tenant}/discovery/v2.0/keys",
        throttle=Throttle.NONE,
        right=_ANYBODY,
        after=("login.metadata",),
        about=_KEY_SET,
    ),
    # https://learn.microsoft.com/entra/identity-platform/access-tokens
    Operation(
        id="login.app_keys",
        noun="the keys that the tenant publishes for an application that has its own",
        surface=Surface.LOGIN,
        path="/{tenant}/discovery/keys",
        query=(("appid", "{app}"),),
        throttle=Throttle.NONE,
        right=_ANYBODY,
        after=("service_principal.list",),
        about=_KEY_SET,
    ),
    _shared_keys("common", "everybody"),
    _shared_keys("organizations", "every organization"),
    # Personal Microsoft accounts exist in the global cloud only.
    # https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud
    _shared_keys("consumers", "personal accounts", OTHER_CLOUDS),
)
