"""Graph's resources on certificate authorities that the tenant trusts."""

from base64 import b64encode
from collections.abc import Sequence

from keyaudit.simulator.estate import Authority, AuthorityStore
from keyaudit.simulator.microsoft_graph import odata
from keyaudit.simulator.microsoft_graph.resources import Resource, collection, listed
from keyaudit.simulator.service import Directory
from keyaudit.simulator.wire import Request, iso
from keyaudit.simulator.x509 import thumbprint

_CLASSIC = "29728ade-6ae4-4ee9-9103-412912537da5"
"""The fixed id of the one configuration in the older store."""


def resource(directory: Directory, version: str, path: list[str], _request: Request) -> Resource | None:
    """The resource of a path; None for other paths."""
    held = directory.estate.token_signing
    match [part.lower() for part in path]:
        case ["directory", "publickeyinfrastructure", "certificatebasedauthconfigurations", *rest]:
            return _infrastructures(directory, version, rest)
        case ["organization", tenant, "certificatebasedauthconfiguration"] if tenant == directory.tenant_id.lower():
            found = [held.classic] if held.classic else []
            return listed("classic_authority.list", version, "certificateBasedAuthConfiguration", found, _classic)
        case ["directory", "certificateauthorities", "certificatebasedapplicationconfigurations"] if version == "beta":
            return _for_applications(held.for_applications, version)
    return None


def _infrastructures(directory: Directory, version: str, path: list[str]) -> Resource | None:
    stores, name = directory.estate.token_signing.infrastructures, "certificateBasedAuthConfigurations"
    if not path:
        return listed("pki.list", version, name, stores, _infrastructure)
    if path[1:] != ["certificateauthorities"]:
        return None
    chosen = next((one for one in stores if one.id.lower() == path[0]), None)
    place = f"directory/publicKeyInfrastructure/{name}('{path[0]}')/certificateAuthorities"
    return Resource(
        operation="pki.authorities",
        relations=(name, "certificateAuthorities"),
        type="microsoft.graph.certificateAuthorityDetail",
        members=(),
        render=collection(version, place, chosen.authorities, _detail) if chosen else None,
    )


def _infrastructure(found: AuthorityStore) -> dict[str, object]:
    return {
        "@odata.type": "#microsoft.graph.certificateBasedAuthPki",
        "id": found.id,
        "deletedDateTime": None,
        "displayName": found.name,
        "status": "succeeded",
        "statusDetails": None,
        "lastModifiedDateTime": None,
    }


def _detail(found: Authority) -> dict[str, object]:
    return {
        "@odata.type": "#microsoft.graph.certificateAuthorityDetail",
        "id": found.id,
        "deletedDateTime": None,
        "certificateAuthorityType": "root" if found.root else "intermediate",
        "certificate": b64encode(found.certificate).decode(),
        "displayName": found.name,
        "issuer": found.name,
        "createdDateTime": None if found.created is None else iso(found.created),
        "thumbprint": thumbprint(found.certificate),
        "certificateRevocationListUrl": found.crl,
        "deltacertificateRevocationListUrl": found.delta_crl,
        "isIssuerHintEnabled": False,
    }


def _classic(found: Sequence[Authority]) -> dict[str, object]:
    authorities = [
        {
            "isRootAuthority": one.root,
            "certificateRevocationListUrl": one.crl,
            "deltaCertificateRevocationListUrl": one.delta_crl,
            "certificate": b64encode(one.certificate).decode(),
            "issuer": one.name,
        }
        for one in found
    ]
    return {"id": _CLASSIC, "certificateAuthorities": authorities}


def _for_applications(stores: Sequence[AuthorityStore], version: str) -> Resource:
    def render(asked: Request, options: odata.Options) -> dict[str, object]:
        def body(store: AuthorityStore) -> dict[str, object]:
            authorities = [
                {
                    "id": one.id,
                    "isRootAuthority": one.root,
                    "certificate": b64encode(one.certificate).decode(),
                    "issuer": one.name,
                }
                for one in store.authorities
            ]
            shown = {"id": store.id, "deletedDateTime": None, "displayName": store.name, "description": None}
            return {**shown, **({"trustedCertificateAuthorities": authorities} if options.expand else {})}

        return odata.page(asked, options, (version, "certificateBasedApplicationConfigurations"), stores, body)

    return Resource(
        operation="app_authority.list",
        relations=("certificateAuthorities",),
        type="microsoft.graph.certificateBasedApplicationConfiguration",
        members=("trustedCertificateAuthorities",),
        render=render,
    )
