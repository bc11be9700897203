"""The table of credentials: passwords, certificates and federated credentials."""

from keyaudit.model.columns import Column, Table, Type, Where, where_found
from keyaudit.model.tables.holder import HOLDER
from keyaudit.model.tables.x509 import strength_columns

_CREDENTIAL = ("application.list", "service_principal.list")
_OWN_KINDS = ("password", "certificate", "symmetric-key")
_IDENTITIES = ("managed_identity.query", "managed_identity.federated_of")
_FEDERATED = (
    "application.federated",
    "application.federated_of",
    "service_principal.federated",
    "service_principal.federated_of",
)

_APPLICATIONS_OWN = tuple({"holder_kind": "application", "kind": kind} for kind in _OWN_KINDS)
_PRINCIPALS_OWN = tuple({"holder_kind": "service_principal", "kind": kind} for kind in _OWN_KINDS)
_APPLICATIONS_FEDERATED = ({"holder_kind": "application", "kind": "federated"},)
_PRINCIPALS_FEDERATED = ({"holder_kind": "service_principal", "kind": "federated"},)
_IDENTITIES_FEDERATED = ({"holder_kind": "managed_identity", "kind": "federated"},)

_NO_CERTIFICATE = "it is not a certificate"
_NOT_FEDERATED = (Where("kind", _OWN_KINDS),)
_FEDERATED_ALONE = (Where("kind", ("federated",)),)
_NO_KEY = (Where("kind", ("password", "federated")),)
_NOT_CERTIFICATE = (Where("kind", ("password", "symmetric-key", "federated")),)
_IN_VAULT = (
    "public_key_sha256",
    "thumbprint",
    "entra_custody",
    "certificate.public_key_sha256",
    "certificate.thumbprint",
    "certificate.kty",
    "certificate.key_version_id",
    "key.custody",
)
_SUPERSEDED = (
    "thumbprint_sha256",
    "thumbprint",
    "certificate.thumbprint_sha256",
    "certificate.thumbprint",
    "certificate.enabled",
    "certificate.created_on",
    "certificate.versions_listed",
)

CREDENTIAL = Table(
    name="credential",
    noun="credential",
    plural="credentials",
    meaning="a password, certificate or federated credential of an application, service principal or managed identity;"
    " a SAML set is not here",
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
    columns=(
        *where_found(*_CREDENTIAL, *_FEDERATED),
        Column(
            name="kind",
            type=Type.TEXT,
            meaning="what it is",
            values=(*_OWN_KINDS, "federated"),
            operations=_CREDENTIAL,
        ),
        Column(name="key_id", type=Type.TEXT, meaning="keyId, or a federated credential's id", operations=_CREDENTIAL),
        Column(
            name="holder_kind",
            type=Type.TEXT,
            meaning="what it hangs on",
            values=("application", "service_principal", "managed_identity"),
        ),
        Column(
            name="holder_id",
            type=Type.TEXT,
            meaning="id of the application or service principal, or ARM id of a managed identity of which only ARM tells",
        ),
        Column(
            name="holder_name",
            type=Type.TEXT,
            meaning="its display name",
            absent="it has no name",
            operations=_CREDENTIAL,
        ),
        Column(name="app_id", type=Type.TEXT, meaning="the application (client) id", operations=_CREDENTIAL),
        Column(
            name="holder_type",
            type=Type.TEXT,
            meaning="servicePrincipalType of a service principal; Application for an application",
            operations=_CREDENTIAL,
            values=("Application", "ManagedIdentity", "Legacy", "SocialIdp", "ServiceIdentity"),
        ),
        Column(
            name="holder_home",
            type=Type.TEXT,
            meaning="whose application the holder is",
            operations=_CREDENTIAL,
            values=("own", "microsoft", "foreign", "none"),
        ),
        Column(
            name="microsoft_made",
            type=Type.BOOLEAN,
            meaning="the holder is named as Microsoft's own software names what it registers",
            operations=_CREDENTIAL,
        ),
        Column(
            name="starts_on",
            type=Type.TIME,
            unit="seconds since 1970 UTC",
            meaning="startDateTime",
            operations=_CREDENTIAL,
            absent="the credential is federated",
            absent_where=_FEDERATED_ALONE,
        ),
        Column(
            name="expires_on",
            type=Type.TIME,
            unit="seconds since 1970 UTC",
            meaning="endDateTime",
            operations=_CREDENTIAL,
            absent="no end was set, or the credential is federated",
            follows="starts_on",
        ),
        Column(
            name="usage",
            type=Type.TEXT,
            meaning="Verify: Entra checks with it; Sign: Entra signs with it",
            operations=_CREDENTIAL,
            absent="not a certificate or symmetric key",
            values=("Verify", "Sign"),
            absent_where=_NO_KEY,
        ),
        Column(
            name="thumbprint",
            type=Type.TEXT,
            meaning="customKeyIdentifier in upper-case hex: usually the certificate's SHA-1, but whoever adds it can set it",
            operations=_CREDENTIAL,
            absent="none was given",
        ),
        Column(
            name="thumbprint_sha256",
            type=Type.TEXT,
            meaning="SHA-256 of the certificate in upper-case hex, computed from what Graph shows of it",
            operations=_CREDENTIAL,
            absent=_NO_CERTIFICATE,
            absent_where=_NOT_CERTIFICATE,
        ),
        Column(
            name="public_key_sha256",
            type=Type.TEXT,
            meaning="SHA-256 of its SubjectPublicKeyInfo in upper-case hex: alike for every certificate on the same key",
            operations=_CREDENTIAL,
            absent=_NO_CERTIFICATE,
            absent_where=_NOT_CERTIFICATE,
        ),
        *strength_columns(_CREDENTIAL, _NO_CERTIFICATE, _NOT_CERTIFICATE),
        Column(
            name="entra_custody",
            type=Type.TEXT,
            meaning="what Entra holds. platform: the private half; external: of a certificate of usage Verify, the public half",
            operations=_CREDENTIAL,
            absent="a password or federated credential has no private half",
            values=("external", "platform"),
            absent_where=_NO_KEY,
        ),
        Column(
            name="custody",
            type=Type.TEXT,
            meaning=(
                "where the private half is kept: platform, by Entra; else as the certificate on the same key in a vault,"
                " software before an HSM where copies differ; external where every vault was read and none has it,"
                " unknown where one was not, unlike entra_custody"
            ),
            absent="a password or federated credential has no private half",
            values=("external", "platform", "vault-hsm", "software"),
            derived_from=_IN_VAULT,
        ),
        Column(
            name="vault_certificate_id",
            type=Type.TEXT,
            meaning=(
                "the version of a Key Vault certificate that it is, else one on the same key; by thumbprint, which whoever adds"
                " a credential can set, only where Graph does not show the certificate"
            ),
            absent="no vault has it",
            derived_from=_IN_VAULT,
        ),
        Column(
            name="private_exportable",
            type=Type.BOOLEAN,
            meaning="a Key Vault certificate on its key is exportable: whoever reads the vault's secrets has the private half",
            absent="no vault has it",
            derived_from=(*_IN_VAULT, "certificate.exportable"),
        ),
        Column(
            name="superseded_in_vault",
            type=Type.BOOLEAN,
            meaning="it is an older version of a Key Vault certificate of which a newer one, another certificate, is enabled",
            derived_from=_SUPERSEDED,
        ),
        Column(
            name="newer_since",
            type=Type.TIME,
            unit="seconds since 1970 UTC",
            meaning="when the first of the newer versions that are enabled was made",
            absent="no vault has a newer one",
            derived_from=_SUPERSEDED,
        ),
        Column(
            name="same_elsewhere",
            type=Type.COUNT,
            meaning=(
                "other identities that have a credential of the same certificate or key; an application and its own service"
                " principal are one. 0 for what is no certificate"
            ),
            derived_from=("credential.public_key_sha256", "credential.thumbprint", "credential.app_id", "holder_id"),
            rows_of=_CREDENTIAL,
        ),
        Column(
            name="on_application_too",
            type=Type.BOOLEAN,
            meaning="the application object of a service principal's credential in this tenant has the same credential",
            derived_from=("application.app_id", "key_id", "thumbprint"),
        ),
        Column(
            name="last_used_on",
            type=Type.TIME,
            unit="seconds since 1970 UTC",
            meaning="the last use that the report of credentials knows",
            absent="the report has no use of it, which proves nothing: it has none of federated credentials, and forgets",
            derived_from=("key_id", "app_id", "credential_activity.key_id", "credential_activity.last_used_on"),
        ),
        *HOLDER,
        Column(
            name="issuer",
            type=Type.TEXT,
            meaning="whose tokens a federated credential accepts",
            operations=_FEDERATED,
            absent="not a federated credential",
            absent_where=_NOT_FEDERATED,
        ),
        Column(
            name="issuer_host",
            type=Type.TEXT,
            meaning="the host of that issuer, in lower case",
            absent="not a federated credential",
            derived_from=("issuer",),
            absent_where=_NOT_FEDERATED,
        ),
        Column(
            name="issuer_own",
            type=Type.BOOLEAN,
            meaning="that issuer is this tenant itself, or a Kubernetes cluster in its subscriptions",
            absent="not a federated credential",
            derived_from=("issuer", "account_key.oidc_issuer"),
            absent_where=_NOT_FEDERATED,
        ),
        Column(
            name="subject",
            type=Type.TEXT,
            meaning="the subject that a federated credential accepts",
            operations=_FEDERATED,
            absent="a claims-matching expression stands in its place, or it is not a federated credential",
        ),
        Column(
            name="audiences",
            type=Type.TEXTS,
            meaning="the audiences that a federated credential accepts",
            operations=_FEDERATED,
            absent="not a federated credential",
            absent_where=_NOT_FEDERATED,
        ),
        Column(
            name="claims_expression",
            type=Type.TEXT,
            meaning="the claims-matching expression of a federated credential",
            operations=(*_FEDERATED, "application.expressions_of", "service_principal.expressions_of"),
            absent="it matches by subject, or it is not a federated credential",
        ),
    ),
)
