"""The table of token-signing certificates: those that Entra signs with, and those of identity providers that it trusts."""

from keyaudit.model.evidence import CUSTODY, LOGS
from keyaudit.model.schema.columns import Area, Table, Where, count, flag, text, time, where_found
from keyaudit.model.schema.opens import recent
from keyaudit.model.schema.x509_columns import x509_columns
from keyaudit.model.severity import Opens

_PRINCIPAL = ("service_principal.list",)
_FEDERATED = ("organization.get", "domain.list", "domain.federation", "external_federation.list")
_ALL = (*_PRINCIPAL, *_FEDERATED)
_BYTES = (*_PRINCIPAL, "service_principal.get", *_FEDERATED)


_NOT_ENTRAS = "Entra does not sign with it"
_OF_OTHERS = (Where("kind", ("federated-domain", "external-idp")),)
_DOMAINS = ({"kind": "federated-domain", "app_id": None, "sso_mode": None, "holder_enabled": None},)
_EXTERNAL = ({"kind": "external-idp", "app_id": None, "sso_mode": None, "holder_enabled": None},)

SIGNING_CERTIFICATE = Table(
    name="signing_certificate",
    order=120,
    area=Area.FEDERATION,
    noun="token-signing certificate",
    plural="token-signing certificates",
    meaning=(
        "a certificate with which Entra signs an application's tokens (Sign, Verify and password folded into one), or with "
        "which an identity provider signs tokens that Entra accepts"
    ),
    added_by=_ALL,
    parts={
        "service_principal.list": ({"kind": "saml", "sso_mode": "saml"}, {"kind": "application"}),
        "organization.get": _DOMAINS,
        "domain.list": _DOMAINS,
        "domain.federation": _DOMAINS,
        "external_federation.list": _EXTERNAL,
    },
    part_of="holder_id",
    # A federated domain's certificate signs in as any user of the domain, its administrators included.
    opens={
        Opens.TENANT: 'kind == "federated-domain"',
        Opens.ONE: f"holder_enabled is not None and holder_enabled and ({recent('last_sign_in_on')})",
    },
    columns=(
        *where_found(*_ALL),
        text("kind", "the signer. saml: Entra, for an application that signs in by SAML; application: Entra, for another "
            "application (a custom or leftover signing key); federated-domain, external-idp: an identity provider",
            _PRINCIPAL,
            values=("saml", "application", "federated-domain", "external-idp")),
        text("holder_id", "id of the service principal, domain or identity provider"),
        text("holder_name", "its display name; a domain's name", (*_PRINCIPAL, "external_federation.list"),
            absent="it has no name"),
        text("app_id", "the application (client) id", _PRINCIPAL, guid=True, absent=_NOT_ENTRAS, absent_where=_OF_OTHERS),
        flag("holder_enabled", "the service principal may sign in", _PRINCIPAL,
            absent=f"Graph holds no value, or {_NOT_ENTRAS}"),
        text("sso_mode", "preferredSingleSignOnMode of the service principal", _PRINCIPAL,
            absent=f"single sign-on is not set up, or {_NOT_ENTRAS}", values=("saml", "password", "oidc", "notSupported")),
        text("thumbprint", "SHA-1 of the certificate in upper-case hex; where Graph returns no certificate, "
            "customKeyIdentifier, which is usually the same", _ALL,
            absent="none was given"),
        flag("active", "it is in use. Either Entra signs with it: preferredTokenSigningKeyThumbprint names it, or it is the "
            "only certificate and none is preferred. Or Entra accepts its signatures, which is always true of a domain's next "
            "certificate", _PRINCIPAL),
        flag("is_next", "nextSigningCertificate of a domain: accepted in addition to signingCertificate, and easy to overlook"),
        flag("like_current", "a domain's next certificate has the same subject and issuer as its signingCertificate",
            ("domain.federation",),
            absent="not a domain's next certificate", absent_where=(Where("is_next", (False,)),)),
        text("current_subject", "subject of its domain's signingCertificate, which is accepted as well",
            absent="not a domain's next certificate", absent_where=(Where("is_next", (False,)),), derived=True),
        text("current_issuer", "issuer of that certificate",
            absent="not a domain's next certificate", absent_where=(Where("is_next", (False,)),), derived=True),
        flag("has_successor", "its holder has another certificate that expires later", derived=True),
        flag("has_valid_successor", "its holder has another valid certificate that expires later: once this one has expired, "
            "Entra signs with the other one even if it is inactive; false if Entra does not sign with it", derived=True),
        count("same_elsewhere",
            "other applications with a token-signing certificate with the same key", derived=True),
        time("starts_on", "startDateTime of a certificate that Entra signs with; notBefore of other certificates", _ALL,
            absent="Graph has no date"),
        time("expires_on", "endDateTime of a certificate that Entra signs with; notAfter of other certificates", _ALL,
            absent="no end was set", follows="starts_on"),
        flag("claims_mapped",
            "a claims-mapping policy is assigned to the service principal, so its own key signs its tokens",
            derived=True),
        text("custody", "where the private key is stored: platform, in Entra; external, at the identity provider, not visible",
            values=("platform", "external")),
        text("custody_record", "where the private key is stored, according to a custody record for this certificate",
            absent="no custody record names it", values=("hsm", "software"),
            needs=CUSTODY, derived=True),
        flag("used_after_expiry", "the sign-in logs show a SAML sign-in to its application after its expiration; false if it "
            "has no expiration date or is not in use", needs=LOGS, derived=True),
        time("last_sign_in_on",
            "the last sign-in of its application in the report: as a client or as the called API, with or without a user",
            absent=f"the report has nothing of it, which is no proof that it is not used, or {_NOT_ENTRAS}", derived=True),
        flag("mfa_trusted", "its holder can claim a second factor: the domain's mfa_behavior is not rejectMfaByFederatedIdp; "
            "false for other kinds of holders", derived=True),
        flag("signs_for_administrators", "a user with a sign-in name in the domain holds, directly or through a group, a "
            "directory role that gives control of the whole tenant; false for other kinds of holders", derived=True),
        *x509_columns(_BYTES),
    ),
)
