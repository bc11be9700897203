"""The table of federated domains."""

from keyaudit.model.schema.columns import Area, Table, flag, text, time, where_found
from keyaudit.model.schema.opens import TENANT

_SETTINGS = ("domain.federation",)

FEDERATED_DOMAIN = Table(
    name="federated_domain",
    order=180,
    area=Area.FEDERATION,
    noun="federated domain",
    plural="federated domains",
    meaning="a domain of the tenant whose users sign in at an identity provider that Entra trusts",
    added_by=("organization.get", "domain.list"),
    opens=TENANT,
    columns=(
        *where_found(),
        text("provider_name", "display name of the identity provider", _SETTINGS, absent="it has no name", wire="displayName"),
        text("issuer_uri", "the issuer of accepted tokens", _SETTINGS, absent="none is set", wire="issuerUri"),
        text("protocol", "preferredAuthenticationProtocol", _SETTINGS,
            absent="none is set", values=("wsFed", "saml"), wire="preferredAuthenticationProtocol"),
        text("mfa_behavior", "federatedIdpMfaBehavior: whether Entra accepts multifactor authentication by the identity "
            "provider",
            _SETTINGS, absent="never set: the older SupportsMfa decides; if that is unset, too, Entra accepts the provider's "
                "claim",
            values=("acceptIfMfaDoneByFederatedIdp", "enforceMfaByFederatedIdp", "rejectMfaByFederatedIdp"),
            wire="federatedIdpMfaBehavior"),
        flag("signs_requests", "isSignedAuthenticationRequestRequired: Entra signs the SAML requests that it sends there",
            _SETTINGS,
            absent="never set, which means no", wire="isSignedAuthenticationRequestRequired"),
        text("update_result",
            "certificateUpdateResult: the result of the last check for a new certificate in the provider's metadata", _SETTINGS,
            absent="there was none", wire="signingCertificateUpdateStatus.certificateUpdateResult"),
        time("updated_on", "when that was", _SETTINGS,
            absent="there was none", past=True, wire="signingCertificateUpdateStatus.lastRunDateTime"),
        text("sign_in_uri", "passiveSignInUri: the address to which Entra sends browsers", _SETTINGS,
            absent="none is set", wire="passiveSignInUri"),
        text("active_sign_in_uri", "activeSignInUri: the address to which older programs send passwords", _SETTINGS,
            absent="none is set", wire="activeSignInUri"),
        text("sign_out_uri", "signOutUri", _SETTINGS, absent="none is set", wire="signOutUri"),
        text("metadata_uri", "metadataExchangeUri", _SETTINGS, absent="none is set", wire="metadataExchangeUri"),
        flag("has_next_certificate", "nextSigningCertificate is set: tokens signed with either certificate are accepted",
            _SETTINGS),
    ),
)
