"""`keyaudit rotation` of a certificate, over a simulated tenant in which every state of four services that serve it is there.

The answer depends on the state alone, so after every step of every interleaving it is one of those that are checked here.
"""

import asyncio
import base64
import itertools
from collections.abc import Iterator, Sequence

import pytest
from msgspec.structs import replace

from keyaudit import ask
from keyaudit.collect.evidence import Evidence
from keyaudit.collect.supplied_rows import with_evidence
from keyaudit.inventory.snapshot import Snapshot
from keyaudit.model.coverage import State as Read
from keyaudit.model.errors import Exit
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES
from keyaudit.questions.rotation.answer import Kind, Proof, State
from keyaudit.simulator import x509
from keyaudit.simulator.estate import Certificate, CertificateVersion, Key, Resource, Secret, SecretVersion, Vault
from keyaudit.simulator.key_vault import certificates
from tests.collect.estate import AS_OF, DAY, ESTATE, SUBSCRIPTION, version
from tests.collect.rig import take
from tests.logs import store
from tests.matrices import turning
from tests.rotated import read_once
from tests.test_rotation import MADE, place, use

STATES = tuple(itertools.product((False, True), repeat=4))
"""Which of the four services have moved."""
EVERY = ("encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey")
"""What the key of a certificate may do if its policy names no operations: it signs all the same."""
OLD, NEW = (
    CertificateVersion(version=name * 32, created=AS_OF - days * DAY, nbf=AS_OF - days * DAY, exp=AS_OF + 300 * DAY)
    for name, days in (("a", 400), ("b", MADE))
)


def named(moved: Sequence[bool]) -> str:
    return "c-" + "".join("ny"[each] for each in moved)


def certificate(name: str) -> Certificate:
    return Certificate(name=name, versions=(NEW, OLD), current=NEW.version, subject=f"{name}.example")


EDGE = Vault(
    name="kv-edge",
    subscription=SUBSCRIPTION,
    resource_group="rg-main",
    # The key and the secret that back each.
    keys=tuple(
        Key(
            name=named(moved),
            versions=tuple(
                replace(version(days), version=each.version, key_ops=EVERY) for each, days in ((NEW, MADE), (OLD, 400))
            ),
            current=NEW.version,
            managed=True,
        )
        for moved in STATES
    ),
    secrets=tuple(
        Secret(
            name=named(moved),
            versions=tuple(SecretVersion(version=each.version, created=each.created) for each in (NEW, OLD)),
            managed=True,
        )
        for moved in STATES
    ),
    certificates=tuple(certificate(named(moved)) for moved in STATES),
)


def services(moved: Sequence[bool]) -> Iterator[Resource]:
    """Four services that serve a certificate, each of a kind that shows it in another field: the certificate itself, a
    thumbprint in a host name, a thumbprint of its own, and the active version of a reference.
    """
    name = named(moved)
    secret = f"https://kv-edge.vault.azure.net/secrets/{name}"
    used = [(OLD, NEW)[each] for each in moved]
    der = [certificates.der(EDGE, certificate(name), each) for each in used]
    listener = {"keyVaultSecretId": secret, "publicCertData": base64.b64encode(der[0]).decode()}
    host = {"keyVaultId": secret, "certificate": {"thumbprint": x509.thumbprint(der[1])}, "certificateStatus": "Completed"}
    stored = {"keyVaultId": place(EDGE), "keyVaultSecretName": name, "thumbprint": x509.thumbprint(der[2])}
    reference: dict[str, object] = {
        "vaultName": "kv-edge",
        "secretName": name,
        "status": "Resolved",
        "activeVersion": used[3].version,
    }
    settings: dict[str, dict[str, object]] = {
        "Microsoft.Network/applicationGateways": {"sslCertificates": [{"properties": listener}]},
        "Microsoft.ApiManagement/service": {"hostnameConfigurations": [host]},
        "Microsoft.Web/certificates": {**stored, "keyVaultSecretStatus": "Succeeded"},
        "Microsoft.Web/sites": {},
    }
    for type_, properties in settings.items():
        yield Resource(
            type=type_,
            name=f"{type_.rpartition('/')[2].lower()[:4]}-{name}",
            subscription=SUBSCRIPTION,
            resource_group="rg-main",
            properties=properties,
            children={"config/configreferences/appsettings": {"TLS": reference}} if type_.endswith("sites") else {},
        )


TENANT = replace(ESTATE, vaults=(EDGE,), resources=tuple(each for moved in STATES for each in services(moved)))


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    folder = tmp_path_factory.mktemp("rotation")
    made = asyncio.run(take(folder / "read", estate=TENANT))
    # The vault is used every day, so that its log is complete, and nobody reads a certificate there.
    uses = (use(EDGE, "other", NEW.version, day, "5a000000-0000-4000-8000-00000000000a") for day in range(1, 90))
    return with_evidence(made, folder / "with-logs", Evidence(logs=store(folder / "logs", uses, tenant=TENANT.tenant_id)))


@pytest.fixture(scope="module", autouse=True)
def _read_once(taken: Snapshot) -> Iterator[None]:
    with read_once(taken):
        yield


def without(taken: Snapshot, operation: str) -> Snapshot:
    coverage = [
        replace(each, state=Read.NOT_ASSESSED, reason=Reason.PERMISSION) if each.operation == operation else each
        for each in taken.coverage
    ]
    return replace(taken, coverage=coverage)


@pytest.mark.parametrize("moved", turning(STATES, lambda moved: moved), ids=named)
def test_the_answer_is_right_in_every_state_of_four_services_that_serve_a_certificate(
    taken: Snapshot, moved: tuple[bool, ...]
) -> None:
    name = named(moved)
    found = ask.rotation(taken, f"kv-edge/{name}", as_of=AS_OF)
    assert not found.wraps
    # Its own four, and none of the 60 others.
    kinds = zip((f"appl-{name}", f"serv-{name}", f"cert-{name}", f"site-{name}/TLS"), moved, strict=True)
    assert {each.name: each.state for each in found.consumers} == {
        service: State.MOVED if each else State.NOT_MOVED for service, each in kinds
    }
    assert {(each.kind, each.proof) for each in found.consumers} == {(Kind.SERVICE, Proof.SERVICE)}
    assert found.verdict.exit is (Exit.CLEAN if all(moved) else Exit.FINDINGS)
    assert found.all_moved is all(moved)


@pytest.mark.parametrize("operation", ["consumer.query", "site.setting_references", "front_door.secrets", "subscription.list"])
def test_services_that_were_not_read_leave_it_open(taken: Snapshot, operation: str) -> None:
    assert operation in TABLES["secret_use"].listed_by
    found = ask.rotation(without(taken, operation), f"kv-edge/{named((True,) * 4)}", as_of=AS_OF)
    assert (found.verdict.exit, found.all_moved) == (Exit.INCOMPLETE, False)
    assert Reason.PERMISSION in {each.reason for each in found.unread}
    # Somebody on the old version is named all the same.
    late = ask.rotation(without(taken, operation), f"kv-edge/{named((True, False, True, True))}", as_of=AS_OF)
    assert late.verdict.exit is Exit.FINDINGS
