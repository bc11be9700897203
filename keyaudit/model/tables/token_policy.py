"""The table of token policies."""

from keyaudit.model.columns import Column, Table, Type, Where, where_found

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
        *where_found(*_LISTED),
        Column(
            name="kind",
            type=Type.TEXT,
            meaning="what it governs",
            values=_POLICIES,
        ),
        Column(
            name="is_default",
            type=Type.BOOLEAN,
            meaning="isOrganizationDefault: it holds for everything without a policy of its own; only a token lifetime can",
            operations=("token_lifetime.list",),
            absent_where=_only("token-lifetime"),
            absent="only a token lifetime can be a default",
        ),
        Column(
            name="applies_to",
            type=Type.TEXTS,
            meaning="ids of the applications and service principals that it was assigned to, sorted",
            operations=_APPLIED,
            absent="a policy of the whole tenant is assigned to nothing",
            absent_where=(Where("kind", ("federated-token-validation",)),),
        ),
        Column(
            name="access_token_lifetime",
            type=Type.DURATION,
            unit="seconds",
            meaning="AccessTokenLifetime: how long access, ID and SAML tokens are valid",
            operations=("token_lifetime.list",),
            absent="none is set, or not a token lifetime",
        ),
        Column(
            name="access_token_minutes",
            type=Type.INTEGER,
            unit="minutes",
            meaning="the same in minutes, rounded up",
            absent="none is set, or not a token lifetime",
            derived_from=("access_token_lifetime",),
        ),
        Column(
            name="claims",
            type=Type.TEXTS,
            meaning="the types of the claims that it adds, sorted: JwtClaimType and SamlClaimType",
            operations=("claims_mapping.list",),
            absent_where=_only("claims-mapping"),
            absent="not a claims mapping",
        ),
        Column(
            name="transforms_claims",
            type=Type.BOOLEAN,
            meaning="it makes up values of claims by transformations",
            operations=("claims_mapping.list",),
            absent_where=_only("claims-mapping"),
            absent="not a claims mapping",
        ),
        Column(
            name="signature_algorithm",
            type=Type.TEXT,
            meaning="SigningAlgorithm: what SAML tokens are signed with",
            operations=("token_issuance.list",),
            absent="none is set, or not a token issuance policy",
            values=("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2000/09/xmldsig#rsa-sha1"),
        ),
        Column(
            name="signs",
            type=Type.TEXT,
            meaning="TokenResponseSigningPolicy: what of a SAML answer is signed",
            operations=("token_issuance.list",),
            absent="none is set, or not a token issuance policy",
            values=("ResponseOnly", "TokenOnly", "ResponseAndToken"),
        ),
        Column(
            name="validated_domains",
            type=Type.TEXT,
            meaning=(
                "rootDomains: for which domains the identity provider's domain must be the user's own; with none, one federated"
                " domain can vouch for the users of all"
            ),
            operations=(_SINGLE,),
            absent_where=_only("federated-token-validation"),
            absent="not about federated tokens",
            values=("none", "all", "allFederated", "allManaged", "enumerated", "allManagedAndEnumeratedFederated"),
        ),
        Column(
            name="validated_names",
            type=Type.TEXTS,
            meaning="domainNames: the domains that are enumerated, sorted",
            operations=(_SINGLE,),
            absent="none are enumerated",
        ),
    ),
)
