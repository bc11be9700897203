"""The table of token policies."""

from keyaudit.model.columns import Area, Table, Where, duration, flag, integer, text, texts, where_found

_KINDS = ("claims_mapping", "token_lifetime", "token_issuance")
_LISTED = tuple(f"{kind}.list" for kind in _KINDS)
_SINGLE = "federated_token_validation.get"
_APPLIED = tuple(f"{kind}.{what}" for kind in _KINDS for what in ("applied", "applied_of"))

_POLICIES = ("claims-mapping", "token-lifetime", "token-issuance", "federated-token-validation")


def _only(kind: str) -> tuple[Where, ...]:
    """The rows of all other kinds."""
    return (Where("kind", tuple(other for other in _POLICIES if other != kind)),)


TOKEN_POLICY = Table(
    name="token_policy",
    order=190,
    area=Area.FEDERATION,
    noun="token policy",
    plural="token policies",
    meaning="a policy on the tokens that Entra issues, or on those of federated domains that it accepts",
    added_by=(*_LISTED, _SINGLE),
    parts={
        "claims_mapping.list": ({"kind": "claims-mapping"},),
        "token_lifetime.list": ({"kind": "token-lifetime"},),
        "token_issuance.list": ({"kind": "token-issuance"},),
        _SINGLE: ({"kind": "federated-token-validation"},),
    },
    columns=(
        *where_found(*_LISTED, wire="displayName"),
        text("kind", "what it governs", values=_POLICIES),
        flag("is_default",
            "isOrganizationDefault: it holds for everything without a policy of its own; only a token lifetime can",
            ("token_lifetime.list",),
            absent="only a token lifetime can be a default", absent_where=_only("token-lifetime")),
        texts("applies_to", "ids of the applications and service principals that it was assigned to, sorted", _APPLIED,
            absent="a policy of the whole tenant is assigned to nothing",
            absent_where=(Where("kind", ("federated-token-validation",)),)),
        duration("access_token_lifetime", "AccessTokenLifetime: how long access, ID and SAML tokens are valid",
            ("token_lifetime.list",),
            absent="none is set, or not a token lifetime"),
        integer("access_token_minutes", "the same in minutes, rounded up",
            absent="none is set, or not a token lifetime", unit="minutes", derived=True),
        texts("claims", "the types of the claims that it adds, sorted: JwtClaimType and SamlClaimType",
            ("claims_mapping.list",),
            absent="not a claims mapping", absent_where=_only("claims-mapping")),
        flag("transforms_claims", "it makes up values of claims by transformations", ("claims_mapping.list",),
            absent="not a claims mapping", absent_where=_only("claims-mapping")),
        text("signature_algorithm", "SigningAlgorithm: what SAML tokens are signed with", ("token_issuance.list",),
            absent="none is set, or not a token issuance policy",
            values=("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2000/09/xmldsig#rsa-sha1")),
        text("signs", "TokenResponseSigningPolicy: what of a SAML answer is signed", ("token_issuance.list",),
            absent="none is set, or not a token issuance policy", values=("ResponseOnly", "TokenOnly", "ResponseAndToken")),
        text("validated_domains", "rootDomains: for which domains the identity provider's domain must be the user's own; with "
            "none, one federated domain can vouch for the users of all", (_SINGLE,), absent="not about federated tokens",
            absent_where=_only("federated-token-validation"),
            values=("none", "all", "allFederated", "allManaged", "enumerated", "allManagedAndEnumeratedFederated")),
        texts("validated_names", "domainNames: the domains that are enumerated, sorted", (_SINGLE,),
            absent="none are enumerated"),
    ),
)
