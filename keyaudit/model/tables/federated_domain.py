"""The table of federated domains."""

from keyaudit.model.columns import Area, Column, Table, flag, text, time, where_found

_SETTINGS = ("domain.federation",)


def _text(name: str, meaning: str, absent: str, values: tuple[str, ...] = ()) -> Column:
    return text(name, meaning, _SETTINGS, absent=absent, values=values)


FEDERATED_DOMAIN = Table(
    name="federated_domain",
    order=180,
    area=Area.FEDERATION,
    noun="federated domain",
    plural="federated domains",
    meaning="a domain of the tenant whose users sign in at an identity provider that Entra trusts",
    added_by=("organization.get", "domain.list"),
    columns=(
        *where_found(),
        _text("provider_name", "display name of the identity provider", "it has no name"),
        _text("issuer_uri", "whose tokens are accepted", "none is set"),
        _text("protocol", "preferredAuthenticationProtocol", "none is set", ("wsFed", "saml")),
        _text(
            "mfa_behavior",
            "federatedIdpMfaBehavior: whether a second factor that the identity provider vouches for counts",
            "never set: the older SupportsMfa decides and, where that was not set either, its word counts",
            ("acceptIfMfaDoneByFederatedIdp", "enforceMfaByFederatedIdp", "rejectMfaByFederatedIdp"),
        ),
        flag("signs_requests", "isSignedAuthenticationRequestRequired: Entra signs the SAML requests that it sends there",
            _SETTINGS,
            absent="never set, which means no"),
        _text(
            "update_result",
            "certificateUpdateResult: how the last look for a new certificate in the provider's metadata ended",
            "there was none",
        ),
        time("updated_on", "when that was", _SETTINGS, absent="there was none", past=True),
        _text("sign_in_uri", "passiveSignInUri: where browsers are sent", "none is set"),
        _text("active_sign_in_uri", "activeSignInUri: where older programs send passwords", "none is set"),
        _text("sign_out_uri", "signOutUri", "none is set"),
        _text("metadata_uri", "metadataExchangeUri", "none is set"),
        flag("has_next_certificate", "nextSigningCertificate is set: tokens signed with either certificate are accepted",
            _SETTINGS),
    ),
)
