"""Certificates, secrets and deleted objects are answered as they were recorded, and refused class by class."""

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from msgspec import structs

from keyaudit.simulator.wire import CANARY
from tests.simulator.client import ARM, wire
from tests.simulator.recorded import bodies, shape
from tests.simulator.small import CERTIFICATE, MANY, OPEN, SMALL, SUBSCRIPTION

VAULT = "https://kv-open.vault.azure.net"
DELETED_VAULTS = f"{ARM}/subscriptions/{SUBSCRIPTION}/providers/Microsoft.KeyVault/deletedVaults?api-version=2026-02-01"
VERSION = "api-version=2025-07-01"


async def test_a_certificate_and_its_lists() -> None:
    async with wire(SMALL) as client:
        found = (await client.get(f"{VAULT}/certificates/backing/?{VERSION}")).data
        listed = (await client.get(f"{VAULT}/certificates?{VERSION}")).data
        versions = (await client.get(f"{VAULT}/certificates/backing/versions?{VERSION}")).data
        deleted = (await client.get(f"{VAULT}/deletedcertificates?{VERSION}")).data
    recorded = next(body for body in bodies("keyvault-certificates", "/certificates/") if "cer" in body)
    # The recorded one has a name that is not its subject's, and was made with no other action than to renew.
    assert shape(found) == shape(recorded)
    page = bodies("keyvault-certificates", "/certificates?")[0]
    assert [shape(item) for item in listed["value"]] == [shape(page["value"][0])]
    assert list(listed) == list(page)
    assert (versions["value"][0]["id"], versions["nextLink"]) == (found["id"], None)
    gone = bodies("keyvault-certificates", "/deletedcertificates?")[0]["value"][1]
    assert [shape(item) for item in deleted["value"]] == [shape(gone)]


async def test_the_certificate_is_a_real_one_and_agrees_with_what_is_said_of_it() -> None:
    async with wire(SMALL) as client:
        found = (await client.get(f"{VAULT}/certificates/backing/{CERTIFICATE.current}?{VERSION}")).data
    certificate = x509.load_der_x509_certificate(base64.b64decode(found["cer"]))
    thumbprint = base64.urlsafe_b64encode(certificate.fingerprint(hashes.SHA1())).decode().rstrip("=")
    assert found["x5t"] == thumbprint
    assert certificate.not_valid_after_utc.timestamp() == found["attributes"]["exp"]
    assert certificate.subject.rfc4514_string() == found["policy"]["x509_props"]["subject"]


async def test_what_is_not_issued_is_listed_only_where_it_is_asked_for() -> None:
    async with wire(SMALL) as client:
        listed = (await client.get(f"{VAULT}/certificates?{VERSION}&includePending=true")).data["value"]
        found = (await client.get(f"{VAULT}/certificates/requested/?{VERSION}")).data
    assert ["x5t" in item for item in listed] == [True, False]
    assert not {"cer", "x5t", "sid"} & found.keys()
    assert found["attributes"].keys() == {"enabled", "created", "updated", "recoveryLevel", "recoverableDays"}


async def test_a_certificate_that_is_not_there() -> None:
    async with wire(SMALL) as client:
        reply = await client.get(f"{VAULT}/certificates/certificate-that-does-not-exist/?{VERSION}")
        versions = await client.get(f"{VAULT}/certificates/certificate-that-does-not-exist/versions?{VERSION}")
    recorded = bodies("keyvault-errors", "/certificates/", 404)[0]
    assert (reply.status, shape(reply.data)) == (404, shape(recorded))
    assert reply.data["error"]["code"] == recorded["error"]["code"] == "CertificateNotFound"
    assert (versions.status, versions.data["value"]) == (200, [])


async def test_secrets_and_their_lists() -> None:
    async with wire(SMALL) as client:
        listed = (await client.get(f"{VAULT}/secrets?{VERSION}")).data
        unknown = (await client.get(f"{VAULT}/secrets/secret-name/versions?{VERSION}")).data
        versions = (await client.get(f"{VAULT}/secrets/password/versions?{VERSION}")).data
        deleted = (await client.get(f"{VAULT}/deletedsecrets?{VERSION}")).data
    recorded = bodies("keyvault-secrets-list", "/secrets?")[0]["value"][0]
    assert [item["id"] for item in listed["value"]] == [f"{VAULT}/secrets/backing", f"{VAULT}/secrets/Password"]
    assert [item.get("managed") for item in listed["value"]] == [True, None]
    assert list(listed["value"][1]) == ["contentType", *recorded]
    assert unknown == bodies("keyvault-secrets-list", "/versions?")[0]
    assert versions["value"][0]["id"].startswith(f"{VAULT}/secrets/Password/")
    gone = bodies("keyvault-secrets-list", "/deletedsecrets?")[0]["value"][0]
    assert list(deleted["value"][0]) == [member for member in gone if member != "tags"]


@pytest.mark.parametrize("path", ["secrets/Password", "secrets/password/" + "2" * 32, "secrets/backing/"])
async def test_the_value_of_a_secret_is_the_canary(path: str) -> None:
    async with wire(SMALL) as client:
        found = (await client.get(f"{VAULT}/{path}?{VERSION}")).data
        lists = [
            await client.get(f"{VAULT}/{each}?{VERSION}") for each in ("secrets", "secrets/Password/versions", "deletedsecrets")
        ]
    recorded = bodies("keyvault-secrets-list", "/secrets/", method="PUT")[0]
    assert found["value"] == CANARY
    assert set(found) - {"contentType", "managed"} == set(recorded) - {"tags"}
    assert not any(CANARY in each.body.decode() for each in lists)
    assert client.simulator.calls["canary.secret"] == 1


async def test_a_secret_that_is_not_there() -> None:
    async with wire(SMALL) as client:
        replies = [
            await client.get(f"{VAULT}/{path}?{VERSION}") for path in ("secrets/nothing", "secrets/Password/" + "3" * 32)
        ]
    assert [(reply.status, reply.data["error"]["code"]) for reply in replies] == [(404, "SecretNotFound")] * 2


async def test_the_policy_and_the_operation_of_a_certificate() -> None:
    async with wire(SMALL) as client:
        whole = (await client.get(f"{VAULT}/certificates/backing?{VERSION}")).data
        policy = (await client.get(f"{VAULT}/certificates/Backing/policy?{VERSION}")).data
        completed = await client.get(f"{VAULT}/certificates/backing/pending?{VERSION}")
        going_on = await client.get(f"{VAULT}/certificates/requested/pending?{VERSION}")
        missing = [(await client.get(f"{VAULT}/certificates/none/{path}?{VERSION}")).status for path in ("policy", "pending")]
    assert policy == whole["policy"]
    later, _, done = [*bodies("keyvault-certificates", "/pending")[:2], bodies("keyvault-certificates", "/pending")[-1]]
    assert shape(completed.data) == shape(done)
    assert shape(going_on.data) == shape(later)
    assert (completed.headers.get("Retry-After"), going_on.headers["Retry-After"]) == (None, "10")
    csr = x509.load_der_x509_csr(base64.b64decode(completed.data["csr"]))
    issued = x509.load_der_x509_certificate(base64.b64decode(whole["cer"]))
    assert csr.is_signature_valid
    assert (csr.public_key(), csr.subject) == (issued.public_key(), issued.subject)
    assert missing == [404, 404]


async def test_the_issuers_of_a_vault_are_those_of_its_certificates() -> None:
    policy = structs.replace(CERTIFICATE.policy, issuer="digicert")
    bought = structs.replace(CERTIFICATE, name="bought", policy=policy)
    vault = structs.replace(OPEN, certificates=(CERTIFICATE, bought), contacts=("keys@small.example",))
    async with wire(structs.replace(SMALL, vaults=(vault, MANY))) as client:
        listed = (await client.get(f"{VAULT}/certificates/issuers?{VERSION}")).data
        one = (await client.get(f"{VAULT}/certificates/issuers/DigiCert?{VERSION}")).data
        none = await client.get(f"{VAULT}/certificates/issuers/self?{VERSION}")
        contacts = [
            (await client.get(f"https://kv-{name}.vault.azure.net/certificates/contacts?{VERSION}")).data
            for name in ("open", "many")
        ]
    assert listed["value"] == [{"id": f"{VAULT}/certificates/issuers/digicert", "provider": "Digicert"}]
    assert (one["id"], one["attributes"]["created"]) == (listed["value"][0]["id"], policy.updated)
    assert "pwd" not in one["credentials"]
    assert (none.status, none.data["error"]["code"]) == (404, "CertificateIssuerNotFound")
    assert [each["contacts"] for each in contacts] == [[{"email": "keys@small.example"}], []]


async def test_the_control_plane_lists_secrets_without_values() -> None:
    home = f"{ARM}/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-main/providers/Microsoft.KeyVault/vaults/kv-open/secrets"
    async with wire(SMALL) as client:
        listed = (await client.get(f"{home}?api-version=2026-02-01")).data["value"]
        one = (await client.get(f"{home}/password?api-version=2026-02-01")).data
        none = await client.get(f"{home}/nothing?api-version=2026-02-01")
        by_vault = (await client.get(f"{VAULT}/secrets?{VERSION}")).data["value"]
    assert [item["properties"]["secretUri"] for item in listed] == [item["id"] for item in by_vault]
    assert one == listed[1]
    assert one["properties"].keys() == {"attributes", "contentType", "secretUri", "secretUriWithVersion"}
    assert none.status == 404


async def test_deleted_vaults() -> None:
    async with wire(SMALL) as client:
        page = (await client.get(DELETED_VAULTS)).data
        following = [(await client.get(page["nextLink"])).data]
        following.append((await client.get(following[0]["nextLink"])).data)
    recorded = bodies("arm-deletedvaults-list", "/deletedVaults")[1]["value"][0]
    assert [shape(item) for item in page["value"]] == [shape(recorded)]
    assert [each["value"] for each in following] == [[], []]
    assert "nextLink" not in following[1]


@pytest.mark.parametrize(
    ("word", "refused", "permission"),
    [
        ("certificates", {"certificates", "certificates/backing/versions", "certificates/backing/"}, "certificates "),
        ("secrets", {"secrets", "secrets/Password/versions"}, "secrets list"),
        ("deleted", {"deletedkeys", "deletedcertificates", "deletedsecrets"}, ""),
        ("list", {"keys"}, "keys list"),
    ],
)
@pytest.mark.parametrize("rbac", [True, None])
async def test_each_class_is_refused_by_itself(word: str, refused: set[str], permission: str, rbac: bool | None) -> None:
    every = {
        *("keys", "certificates", "certificates/backing/versions", "certificates/backing/", "secrets"),
        *("secrets/Password/versions", "deletedkeys", "deletedcertificates", "deletedsecrets"),
    }
    vault = structs.replace(OPEN, refused=(word,), rbac=rbac)
    async with wire(structs.replace(SMALL, vaults=(vault,))) as client:
        replies = {path: await client.get(f"{VAULT}/{path}?{VERSION}") for path in every}
    assert {path for path, reply in replies.items() if reply.status == 403} == refused
    for path in refused:
        error = replies[path].data["error"]
        assert error["innererror"]["code"] == ("ForbiddenByRbac" if rbac else "AccessDenied")
        assert rbac or permission in error["message"]


async def test_a_vault_without_soft_delete_answers_with_an_error() -> None:
    vault = structs.replace(OPEN, soft_delete=False)
    async with wire(structs.replace(SMALL, vaults=(vault,))) as client:
        replies = [await client.get(f"{VAULT}/deleted{kind}?{VERSION}") for kind in ("keys", "certificates", "secrets")]
    assert [reply.status for reply in replies] == [400] * 3
