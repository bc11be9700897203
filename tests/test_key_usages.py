"""A key of an application that is no credential, and one that nobody knows: each says nothing about anything else."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from keyaudit.model.errors import Exit
from keyaudit.model.findings import Outcome
from keyaudit.simulator.estate import Application, Estate, KeyCredential, ServicePrincipal
from keyaudit.simulator.estates import estate
from keyaudit.simulator.x509 import certificate
from tests.collect.estate import AS_OF, DAY
from tests.collect.rig import take
from tests.judged import Outcomes, changed, judged

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
SIGNER = next(each for each in CONTOSO.service_principals if each.name == "Supplier Portal")
"""Entra signs its tokens with a key of its own."""
SAML = next(each for each in CONTOSO.service_principals if each.sso_mode == "saml" and each.keys)


def holding(holder: Application | ServicePrincipal, *keys: KeyCredential) -> Estate:
    """Contoso, where that application or service principal has these keys as well."""
    more = replace(holder, keys=(*holder.keys, *keys))
    return replace(
        CONTOSO,
        applications=tuple(more if each is holder else each for each in CONTOSO.applications),
        service_principals=tuple(more if each is holder else each for each in CONTOSO.service_principals),
    )


@pytest.fixture(scope="module")
def contoso(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcomes, Sequence[Exit]]:
    return judged(asyncio.run(take(tmp_path_factory.mktemp("usages") / "contoso", estate=CONTOSO)))


@pytest.mark.parametrize("holder", [APPLICATION, SIGNER, SAML], ids=["application", "signer", "saml"])
async def test_a_token_encryption_certificate_changes_no_result_and_no_gate(
    tmp_path: Path, contoso: tuple[Outcomes, Sequence[Exit]], holder: Application | ServicePrincipal
) -> None:
    found, gate = judged(await take(tmp_path / "out", estate=holding(holder, replace(KEY, usage="Encrypt"))))
    assert changed(contoso[0], found) == {}
    assert gate == contoso[1]


async def test_a_credential_beside_a_token_encryption_certificate_is_found(
    tmp_path: Path, contoso: tuple[Outcomes, Sequence[Exit]]
) -> None:
    # The caller that adds it chooses keyId and customKeyIdentifier, so these are the same.
    estate_ = holding(APPLICATION, replace(KEY, usage="Encrypt"), KEY)
    found, _ = judged(await take(tmp_path / "out", estate=estate_))
    failed = {policy for (policy, _), (outcome, _) in changed(contoso[0], found).items() if outcome is Outcome.FAIL}
    assert {"app-cert-too-long", "app-credential-never-expires"} <= failed


@pytest.mark.parametrize(
    ("holder", "key"),
    [
        (APPLICATION, replace(KEY, usage="Attest")),
        (SIGNER, replace(KEY, usage="Attest")),
        pytest.param(SAML, replace(KEY, usage="Attest"), marks=pytest.mark.exhaustive),
        (APPLICATION, replace(KEY, type="Quantum")),
        pytest.param(SIGNER, replace(KEY, type="Quantum"), marks=pytest.mark.exhaustive),
        pytest.param(APPLICATION, replace(KEY, usage="Attest", type="Quantum"), marks=pytest.mark.exhaustive),
    ],
    ids=["usage", "signer-usage", "saml-usage", "type", "signer-type", "both"],
)
async def test_a_usage_or_type_that_nobody_knows_is_unknown_on_that_credential_alone(
    tmp_path: Path,
    contoso: tuple[Outcomes, Sequence[Exit]],
    holder: Application | ServicePrincipal,
    key: KeyCredential,
) -> None:
    found, _ = judged(await take(tmp_path / "out", estate=holding(holder, key)))
    different = changed(contoso[0], found)
    assert all(holder.id in subject or holder.app_id in subject for _, subject in different), different
    unknown = {policy for (policy, subject), (outcome, _) in different.items()
               if outcome is Outcome.UNKNOWN and key.key_id in subject}  # fmt: skip
    assert {"app-expired-credential-left", "app-weak-certificate"} <= unknown
    # Nothing that failed or was unknown before is a pass because of it.
    assert not any(outcome is Outcome.PASS and each in contoso[0] for each, (outcome, _) in different.items())
