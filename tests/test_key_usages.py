"""A key of an application that is no credential, and one that nobody knows: each says nothing about anything else."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import pytest
from msgspec.structs import replace

from keyaudit.model.errors import Exit
from keyaudit.model.results.findings import Outcome
from keyaudit.simulator.estate import Application, Estate, KeyCredential, ServicePrincipal
from keyaudit.simulator.estates import estate
from keyaudit.simulator.x509 import certificate
from tests.collect.estate import AS_OF, DAY
from tests.collect.rig import take
from tests.judged import Outcomes, changed, judged

Holder = TypeVar("Holder", Application, ServicePrincipal)

CONTOSO = estate("contoso", AS_OF)
START, END = AS_OF - 30 * DAY, AS_OF + 4_700 * DAY
# A certificate of 13 years, as in https://learn.microsoft.com/entra/identity/enterprise-apps/howto-saml-token-encryption
KEY = KeyCredential(
    key_id="cccccccc-0000-4000-8000-000000000001",
    start=START,
    end=END,
    thumbprint="AB" * 20,
    certificate=certificate("CN=SAML encryption", key_name="encryption", start=START, end=END),
)
APPLICATION = next(each for each in CONTOSO.applications if each.name == "Billing API")
OTHER = next(each for each in CONTOSO.applications if each.name == "ERP Bridge")
SIGNER = next(each for each in CONTOSO.service_principals if each.name == "Supplier Portal")
"""Entra signs its tokens with a key of its own."""
SAML = next(each for each in CONTOSO.service_principals if each.sso_mode == "saml" and each.keys)


UNKNOWN_USAGE, UNKNOWN_TYPE = replace(KEY, usage="Attest"), replace(KEY, type="Quantum")


def holding(*more: tuple[Application | ServicePrincipal, KeyCredential]) -> Estate:
    """Contoso, where each of these applications and service principals has that key as well."""
    found = CONTOSO
    for holder, key in more:
        found = replace(
            found,
            applications=tuple(_with(each, key) if each.id == holder.id else each for each in found.applications),
            service_principals=tuple(_with(each, key) if each.id == holder.id else each for each in found.service_principals),
        )
    return found


def _with(holder: Holder, key: KeyCredential) -> Holder:
    return replace(holder, keys=(*holder.keys, key))


@pytest.fixture(scope="module")
def contoso(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcomes, Sequence[Exit]]:
    return judged(asyncio.run(take(tmp_path_factory.mktemp("usages") / "contoso", estate=CONTOSO)))


@pytest.mark.exhaustive
async def test_token_encryption_certificates_change_no_result_and_no_gate(
    tmp_path: Path, contoso: tuple[Outcomes, Sequence[Exit]]
) -> None:
    encrypts = replace(KEY, usage="Encrypt")
    found, gate = judged(
        await take(tmp_path / "out", estate=holding((APPLICATION, encrypts), (SIGNER, encrypts), (SAML, encrypts)))
    )
    assert changed(contoso[0], found) == {}
    assert gate == contoso[1]


@pytest.mark.exhaustive
async def test_a_credential_beside_a_token_encryption_certificate_is_found(
    tmp_path: Path, contoso: tuple[Outcomes, Sequence[Exit]]
) -> None:
    # The caller that adds it chooses keyId and customKeyIdentifier, so these are the same.
    estate_ = holding((APPLICATION, replace(KEY, usage="Encrypt")), (APPLICATION, KEY))
    found, _ = judged(await take(tmp_path / "out", estate=estate_))
    failed = {policy for (policy, _), (outcome, _) in changed(contoso[0], found).items() if outcome is Outcome.FAIL}
    assert {"app-cert-too-long", "app-credential-never-expires"} <= failed


@pytest.mark.parametrize(
    "more",
    [
        ((APPLICATION, UNKNOWN_USAGE), (SIGNER, UNKNOWN_USAGE), (OTHER, UNKNOWN_TYPE)),
        pytest.param(((SAML, UNKNOWN_USAGE), (SIGNER, UNKNOWN_TYPE)), marks=pytest.mark.exhaustive),
        pytest.param(((APPLICATION, replace(UNKNOWN_USAGE, type="Quantum")),), marks=pytest.mark.exhaustive),
    ],
    ids=["each", "principals", "both"],
)
async def test_a_usage_or_type_that_nobody_knows_is_unknown_on_that_credential_alone(
    tmp_path: Path,
    contoso: tuple[Outcomes, Sequence[Exit]],
    more: tuple[tuple[Application | ServicePrincipal, KeyCredential], ...],
) -> None:
    found, _ = judged(await take(tmp_path / "out", estate=holding(*more)))
    different = changed(contoso[0], found)
    ids = {id_ for holder, _ in more for id_ in (holder.id, holder.app_id)}
    assert all(any(id_ in subject for id_ in ids) for _, subject in different), different
    for holder, key in more:
        unknown = {
            policy
            for (policy, subject), (outcome, _) in different.items()
            if outcome is Outcome.UNKNOWN and holder.id in subject and key.key_id in subject
        }
        # It lives too long, or should not be there; what a live and strong one cannot violate does not apply.
        fails = "app-cert-too-long" if isinstance(holder, Application) else "sp-credential-on-service-principal"
        assert fails in unknown
        assert unknown.isdisjoint({"app-expired-credential-left", "app-weak-certificate"})
    # No result that was there becomes a pass because of it.
    assert not any(outcome is Outcome.PASS and each in contoso[0] for each, (outcome, _) in different.items())
