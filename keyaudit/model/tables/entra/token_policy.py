"""The table of token policies."""

from keyaudit.model.schema.columns import Area, Left, Table, Where, duration, flag, integer, text, texts, where_found
from keyaudit.model.schema.opens import WIDE
from keyaudit.model.schema.wire import Read

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
    meaning="a policy on the tokens that Entra issues, or on tokens of federated domains that it accepts",
    added_by=(*_LISTED, _SINGLE),
    parts={
        "claims_mapping.list": ({"kind": "claims-mapping"},),
        "token_lifetime.list": ({"kind": "token-lifetime"},),
        "token_issuance.list": ({"kind": "token-issuance"},),
        _SINGLE: ({"kind": "federated-token-validation"},),
    },
    opens=WIDE,
    reads=(
        Read(
            operation=_SINGLE,
            id="policies/federatedTokenValidationPolicy",
            single=True,
            fixed={
                "kind": "federated-token-validation",
                **dict.fromkeys(("name", "is_default", "applies_to", "access_token_lifetime", "claims", "transforms_claims",
                    "signature_algorithm", "signs")),
            },
        ),
    ),
    columns=(
        *where_found(*_LISTED, wire="displayName"),
        text("kind", "what it governs", values=_POLICIES),
        flag("is_default",
            "isOrganizationDefault: it applies to every object without its own policy; only a token lifetime policy can",
            ("token_lifetime.list",),
            absent="only a token lifetime policy can be a default", absent_where=_only("token-lifetime")),
        texts("applies_to", "ids of the applications and service principals that it was assigned to, sorted", _APPLIED,
            absent="a policy of the whole tenant has no assignments",
            absent_where=(Where("kind", ("federated-token-validation",)),)),
        duration("access_token_lifetime", "AccessTokenLifetime: how long access, ID and SAML tokens are valid",
            ("token_lifetime.list",),
            absent="not set, or not a token lifetime policy"),
        integer("access_token_minutes", "the same in minutes, rounded up",
            absent="not set, or not a token lifetime policy", unit="minutes", derived=True),
        texts("claims", "the types of the claims that it adds, sorted: JwtClaimType and SamlClaimType",
            ("claims_mapping.list",),
            absent="not a claims mapping", absent_where=_only("claims-mapping")),
        flag("transforms_claims", "it computes claim values by transformations", ("claims_mapping.list",),
            absent="not a claims mapping", absent_where=_only("claims-mapping")),
        text("signature_algorithm", "SigningAlgorithm: the signature algorithm of SAML tokens", ("token_issuance.list",),
            absent="not set, or not a token issuance policy",
            values=("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2000/09/xmldsig#rsa-sha1")),
        text("signs", "TokenResponseSigningPolicy: the signed parts of a SAML response", ("token_issuance.list",),
            absent="not set, or not a token issuance policy", values=("ResponseOnly", "TokenOnly", "ResponseAndToken")),
        text("validated_domains", "rootDomains: the domains for which the identity provider's domain must match the user's; "
            "without any, one federated domain can vouch for the users of every domain",
            (_SINGLE,), absent="not about federated tokens",
            absent_where=_only("federated-token-validation"),
            values=("none", "all", "allFederated", "allManaged", "enumerated", "allManagedAndEnumeratedFederated"),
            wire="validatingDomains.rootDomains"),
        texts("validated_names", "domainNames: the listed domains, sorted", (_SINGLE,),
            absent="none are enumerated", wire="validatingDomains.domainNames",
            left_out=Left(None, "only enumerated domains have it: https://learn.microsoft.com/graph/api/resources/alldomains")),
    ),
)
