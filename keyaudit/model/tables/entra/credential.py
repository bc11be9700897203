"""The table of credentials: client secrets, certificates and federated credentials."""

from keyaudit.model.directory.federated_subject import Breadth, Grade
from keyaudit.model.repositories import Held
from keyaudit.model.schema.columns import Area, Table, Where, count, flag, text, texts, time, where_found
from keyaudit.model.schema.holder_columns import HOLDER
from keyaudit.model.schema.opens import recent
from keyaudit.model.schema.x509_columns import strength_columns
from keyaudit.model.severity import Opens

_CREDENTIAL = ("application.list", "service_principal.list")
_SHOWN = (*_CREDENTIAL, "application.get", "service_principal.get")
"""The operations that return certificates: the lists, or each object separately."""
_OWN_KINDS = ("password", "certificate", "symmetric-key")
_IDENTITIES = ("managed_identity.query", "managed_identity.federated_of")
_FEDERATED = (
    "application.federated",
    "application.federated_of",
    "service_principal.federated",
    "service_principal.federated_of",
)
_SUBJECT = (
    *_FEDERATED,
    *("application.expressions_of", "service_principal.expressions_of", "managed_identity.expressions_of"),
)

_APPLICATIONS_OWN = tuple({"holder_kind": "application", "kind": kind} for kind in _OWN_KINDS)
_PRINCIPALS_OWN = tuple({"holder_kind": "service_principal", "kind": kind} for kind in _OWN_KINDS)
_APPLICATIONS_FEDERATED = ({"holder_kind": "application", "kind": "federated"},)
_PRINCIPALS_FEDERATED = ({"holder_kind": "service_principal", "kind": "federated"},)
_IDENTITIES_FEDERATED = ({"holder_kind": "managed_identity", "kind": "federated"},)

_NO_CERTIFICATE = "it is not a certificate"
_NO_REPOSITORY = "the credential does not require it, or trusts neither GitHub nor GitLab"
_NOT_FEDERATED = (Where("kind", _OWN_KINDS),)
_FEDERATED_ALONE = (Where("kind", ("federated",)),)
_NO_KEY = (Where("kind", ("password", "federated")),)
_NOT_CERTIFICATE = (Where("kind", ("password", "symmetric-key", "federated")),)

CREDENTIAL = Table(
    name="credential",
    order=110,
    area=Area.APPLICATIONS,
    noun="credential",
    plural="credentials",
    meaning="a client secret, certificate or federated credential of an application, service principal or managed identity;"
    " SAML certificates and token-encryption certificates are not included",
    added_by=(*_CREDENTIAL, *_FEDERATED, *_IDENTITIES),
    parts={
        "application.list": _APPLICATIONS_OWN,
        "service_principal.list": _PRINCIPALS_OWN,
        "application.federated": _APPLICATIONS_FEDERATED,
        "application.federated_of": _APPLICATIONS_FEDERATED,
        "service_principal.federated": _PRINCIPALS_FEDERATED,
        "service_principal.federated_of": _PRINCIPALS_FEDERATED,
        "managed_identity.query": _IDENTITIES_FEDERATED,
        "managed_identity.federated_of": _IDENTITIES_FEDERATED,
    },
    part_of="holder_id",
    opens={
        Opens.TENANT: "holder_tier0",
        Opens.WIDE: "holder_tenant_wide or holder_opens_subscriptions or holder_opens_signing",
        # The permissions of Microsoft's own applications cannot all be seen, nor those in other tenants.
        Opens.ONE: (
            'holder_home == "microsoft" or not holder_unprivileged or holder_opens_vaults'
            f' or (holder_audience is not None and holder_audience != "AzureADMyOrg") or ({recent("holder_last_sign_in_on")})'
        ),
    },
    columns=(
        *where_found(*_CREDENTIAL, *_FEDERATED),
        text("kind", "what it is", _CREDENTIAL, values=(*_OWN_KINDS, "federated")),
        text("key_id", "keyId, or a federated credential's id", _CREDENTIAL),
        text("holder_kind", "the kind of object that it belongs to",
            values=("application", "service_principal", "managed_identity")),
        text("holder_id",
            "id of the application or service principal, or ARM id of a managed identity that only ARM lists"),
        text("holder_name", "its display name", _CREDENTIAL, absent="it has no name"),
        text("app_id", "the application (client) id", _CREDENTIAL, guid=True),
        text("holder_type", "servicePrincipalType of a service principal; Application for an application", _CREDENTIAL,
            values=("Application", "ManagedIdentity", "Legacy", "SocialIdp", "ServiceIdentity")),
        text("holder_home", "the owner of the holder's application",
            _CREDENTIAL, values=("own", "microsoft", "foreign", "none")),
        texts("holder_names", "servicePrincipalNames of the service principal that holds it, sorted; empty for other holders",
            ("service_principal.list",)),
        flag("holder_domain_name", "one of those names is its app id for a whole domain (APPID/*.DOMAIN), as added by the "
            "hybrid configuration of SharePoint Server", ("service_principal.list",)),
        time("starts_on", "startDateTime", _CREDENTIAL, absent="the credential is federated", absent_where=_FEDERATED_ALONE),
        time("expires_on", "endDateTime", _CREDENTIAL,
            absent="no end was set, or the credential is federated", follows="starts_on"),
        text("usage", "Verify: Entra verifies signatures with it; Sign: Entra signs with it", _CREDENTIAL,
            absent="not a certificate or symmetric key", absent_where=_NO_KEY, values=("Verify", "Sign")),
        text("thumbprint",
            "customKeyIdentifier in upper-case hex: usually the certificate's SHA-1, but the caller that adds it can choose it",
            _CREDENTIAL,
            absent="none was given"),
        text("thumbprint_sha256", "SHA-256 of the certificate in upper-case hex, computed from Graph's copy",
            _SHOWN,
            absent=_NO_CERTIFICATE, absent_where=_NOT_CERTIFICATE),
        text("public_key_sha256",
            "SHA-256 of its SubjectPublicKeyInfo in upper-case hex: the same for every certificate with the same key", _SHOWN,
            absent=_NO_CERTIFICATE, absent_where=_NOT_CERTIFICATE),
        text("thumbprint_sha1", "SHA-1 of the certificate in upper-case hex, computed from Graph's copy: the thumbprint that "
            "Windows and Azure show for it", _SHOWN, absent=_NO_CERTIFICATE, absent_where=_NOT_CERTIFICATE),
        text("certificate_subject", "the certificate's subject in RFC 4514 form; the creator of the certificate chooses it",
            _SHOWN, absent=_NO_CERTIFICATE, absent_where=_NOT_CERTIFICATE),
        text("certificate_issuer", "the certificate's issuer in RFC 4514 form", _SHOWN,
            absent=_NO_CERTIFICATE, absent_where=_NOT_CERTIFICATE),
        text("subject_tenant", "the owner of the tenant whose id is the certificate's common name", _SHOWN,
            absent=f"the common name is no id, or {_NO_CERTIFICATE}", values=("own", "other")),
        text("pin", "APPID/SHA256 of its holder and its certificate: the form in which keyaudit.toml records a certificate "
            "that an administrator compared", _SHOWN, absent=_NO_CERTIFICATE, absent_where=_NOT_CERTIFICATE),
        *strength_columns(_SHOWN, _NO_CERTIFICATE, _NOT_CERTIFICATE),
        time("certificate_read_on", "when an earlier run read the certificate, if this run copied it because the credential's "
            "listing was unchanged", absent=f"this run read it, or {_NO_CERTIFICATE}"),
        text("entra_custody",
            "the part that Entra stores. platform: the private key; external: only the public key, for a certificate with "
            "usage Verify",
            _CREDENTIAL, absent="a client secret or federated credential has no private key", absent_where=_NO_KEY,
            values=("external", "platform")),
        text("custody", "where the private key is stored. platform: in Entra; else as the certificate with the same key in a "
            "vault (software before an HSM if copies differ); external: every vault was read and none has it; unknown if a "
            "vault was not read, unlike entra_custody", absent="a client secret or federated credential has no private key",
            values=("external", "platform", "vault-hsm", "software"), derived=True),
        text("vault_certificate_id", "the matching Key Vault certificate version, else one with the same key; matched by "
            "thumbprint, which the caller that adds a credential can choose, only if Graph does not return the certificate",
            absent="no vault has it", derived=True),
        flag("private_exportable",
            "a Key Vault certificate with its key is exportable, so secret readers of the vault can read the key",
            absent="no vault has it", derived=True),
        flag("superseded_in_vault",
            "it is an older version of a Key Vault certificate whose enabled newer version is a different certificate",
            derived=True),
        time("newer_since", "when the first enabled newer version was created",
            absent="no vault has a newer one", derived=True),
        count("same_elsewhere", "other identities with a credential of the same certificate or key; an application and its "
            "service principal count once. 0 for other kinds of credentials", derived=True),
        text("platform_series", "its position among the unexpired credentials of its holder, if a platform renews them: three "
            "or more certificates from one issuer, none self-issued, each valid for at most 120 days",
            absent="they are not", values=("newest", "older"), derived=True),
        flag("on_application_too",
            "the application object of a service principal in this tenant has the same certificate, by its SHA-256; false for "
            "a client secret, because two secrets cannot be compared", derived=True),
        time("last_used_on", "the last use in the credential report",
            absent="the report shows no use, which proves nothing: it omits federated credentials and old uses",
            derived=True),
        *HOLDER,
        texts("openshift_clusters", "names of the OpenShift clusters that sign in as its application, sorted", derived=True),
        text("issuer", "the issuer of the tokens that a federated credential accepts", _FEDERATED,
            absent="not a federated credential", absent_where=_NOT_FEDERATED),
        text("issuer_host", "the host of that issuer, in lower case",
            absent="not a federated credential", absent_where=_NOT_FEDERATED, derived=True),
        flag("issuer_own", "the issuer is this tenant, a Kubernetes cluster in its subscriptions, or a cluster that Azure Arc "
            "connects",
            absent="not a federated credential", absent_where=_NOT_FEDERATED, derived=True),
        text("subject", "the subject that a federated credential accepts", _FEDERATED,
            absent="it has a claims-matching expression instead, or is not a federated credential"),
        texts("audiences", "the audiences that a federated credential accepts", _FEDERATED,
            absent="not a federated credential", absent_where=_NOT_FEDERATED),
        text("claims_expression", "the claims-matching expression of a federated credential",
            _SUBJECT,
            absent="it matches by subject, or it is not a federated credential"),
        text("subject_grade", "immutable: it trusts ids, or names that no outsider can register; mutable: names that others "
            "can register once they are released; unnamed: it names nobody, so no name can be taken over; dead: it never "
            "matches; other: unknown issuer",
            _SUBJECT, absent="not a federated credential", absent_where=_NOT_FEDERATED, values=tuple(map(str, Grade))),
        text("subject_breadth", "how many of the issuer's workloads it trusts",
            _SUBJECT, absent="not a federated credential", absent_where=_NOT_FEDERATED, values=tuple(map(str, Breadth))),
        time("issuer_retires_on", "the announced date on which the issuer is retired in the public cloud", _FEDERATED,
            absent="no retirement is announced, or it is not a federated credential"),
        flag("subject_dangling", "it trusts an identity of this tenant that does not exist",
            absent="not a federated credential", absent_where=_NOT_FEDERATED, derived=True),
        text("repository_host", "the hosting service of the GitHub repository or GitLab project that it trusts", _SUBJECT,
            absent=_NO_REPOSITORY),
        text("repository_owner", "the organisation, user or group that it trusts, by name", _SUBJECT,
            absent=_NO_REPOSITORY),
        text("repository_owner_id", "the id of that owner, if the credential requires it", _SUBJECT, absent=_NO_REPOSITORY),
        text("repository_path", "the repository (OWNER/NAME) or project that it trusts, by name", _SUBJECT,
            absent=_NO_REPOSITORY),
        text("repository_id", "the id of that repository or project, if the credential requires it", _SUBJECT,
            absent=_NO_REPOSITORY),
        text("repository_listed", "whether a supplied list of repositories contains it. yes: listed, with no conflicting id; "
            "re-registered: the name is listed, but the list or a federated credential records another id of the repository "
            "or its owner; owner-only: only its owner is listed; no: neither is listed; not-compared: no list was supplied",
            absent="it trusts no GitHub repository or GitLab project by name or id", values=tuple(map(str, Held)),
            derived=True),
        text("immutable_credential", "a credential that names the same workload by ids, as parameters of az ad app "
            "federated-credential create", absent="a supplied list has no ids for it, or it already uses ids",
            derived=True),
    ),
)
