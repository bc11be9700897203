"""Token signing as the simulated tenant shows it, held against what is documented of the real one."""

import base64

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from keyaudit.simulator.estates import estate
from tests.simulator.client import GRAPH, LOGIN, wire
from tests.simulator.small import ADFS, APPLICATIONS, AS_OF, POLICIES, PRINCIPALS, SMALL

CONTOSO = estate("contoso", AS_OF)


async def test_only_a_federated_domain_has_a_federation() -> None:
    async with wire(SMALL) as client:
        found = await client.get(f"{GRAPH}/domains/ADFS.example/federationConfiguration")
        none = await client.get(f"{GRAPH}/domains/small.example/federationConfiguration")
    [item] = found.data["value"]
    assert item["@odata.type"] == "#microsoft.graph.internalDomainFederation"
    assert base64.b64decode(item["signingCertificate"]) == ADFS
    assert (item["nextSigningCertificate"], item["federatedIdpMfaBehavior"]) == (None, None)
    assert (none.status, none.data["error"]["code"]) == (404, "Request_ResourceNotFound")


async def test_what_a_policy_applies_to_is_there_only_where_it_is_expanded() -> None:
    async with wire(SMALL) as client:
        plain = await client.get(f"{GRAPH}/policies/claimsMappingPolicies")
        expanded = await client.get(f"{GRAPH}/policies/claimsMappingPolicies?$expand=appliesTo")
        single = await client.get(f"{GRAPH}/policies/claimsMappingPolicies/{POLICIES[0].id}/appliesTo")
        other = await client.get(f"{GRAPH}/policies/claimsMappingPolicies?$expand=owners")
    assert "appliesTo" not in plain.data["value"][0]
    applied = [(one["@odata.type"], one["id"]) for one in expanded.data["value"][0]["appliesTo"]]
    assert applied == [
        ("#microsoft.graph.application", APPLICATIONS[0].id),
        ("#microsoft.graph.servicePrincipal", PRINCIPALS[0].id),
    ]
    assert [one["id"] for one in single.data["value"]] == [id_ for _, id_ in applied]
    assert other.status == 400


async def test_a_tokens_key_is_published_with_its_certificate() -> None:
    async with wire(SMALL) as client:
        keys = (await client.send("GET", f"{LOGIN}/{SMALL.tenant_id}/discovery/v2.0/keys")).data["keys"]
        token = client.simulator.token("https://graph.microsoft.com")
    [key] = keys
    assert list(key) == ["kty", "use", "kid", "x5t", "n", "e", "x5c", "issuer"]
    held = x509.load_der_x509_certificate(base64.b64decode(key["x5c"][0])).public_key()
    assert isinstance(held, rsa.RSAPublicKey)
    text, _, signature = token.rpartition(".")
    held.verify(base64.urlsafe_b64decode(signature + "=="), text.encode(), padding.PKCS1v15(), hashes.SHA256())


async def test_contosos_key_set_holds_a_key_whose_certificate_has_ended() -> None:
    async with wire(CONTOSO) as client:
        keys = (await client.send("GET", f"{LOGIN}/{CONTOSO.tenant_id}/discovery/v2.0/keys")).data["keys"]
    ends = [x509.load_der_x509_certificate(base64.b64decode(key["x5c"][0])).not_valid_after_utc for key in keys]
    assert [end.timestamp() < AS_OF for end in ends] == [False, False, False, True, False]


async def test_an_application_with_a_key_of_its_own_is_checked_by_it() -> None:
    own = next(one for one in CONTOSO.service_principals if one.name == "Supplier Portal")
    async with wire(CONTOSO) as client:
        found = await client.send("GET", f"{LOGIN}/{CONTOSO.tenant_id}/discovery/keys?appid={own.app_id}")
        other = await client.send("GET", f"{LOGIN}/{CONTOSO.tenant_id}/discovery/keys?appid={CONTOSO.tenant_id}")
    [key] = found.data["keys"]
    assert base64.urlsafe_b64decode(key["x5t"] + "=").hex().upper() == own.keys[0].thumbprint
    assert key["kid"] != other.data["keys"][0]["kid"]
