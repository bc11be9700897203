"""Forms that are small on each day: device code, a credential that is added and used elsewhere, and a first read of a vault.

Device code: https://www.microsoft.com/security/blog/2025/02/13/storm-2372-conducts-device-code-phishing-campaign/. A credential
on an existing application: https://www.microsoft.com/security/blog/2024/01/25/midnight-blizzard-guidance-for-responders-on-
nation-state-attack/.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from keyaudit.inventory.logs import Use
from keyaudit.logs.report.words import reason
from tests.inventory.usage.test_intrusions import ADMIN, ELSEWHERE, LEARNED, change, learned, next_day, person
from tests.logs import use

BROKER, CLI = "29d9ed98-a469-4536-ade2-f981bc1d605e", "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
ETL, AGENTS = "0000000c-2222-4222-8222-222222222222", "0000000d-2222-4222-8222-222222222222"
OFFICE, HOST, GRAPH, VAULTS = "198.51.100.7", "20.40.7.9", "00000003-0000-0000-c000-000000000000", "vaults"
OLD, NEW = "a0000000-1111-4111-8111-111111111111", "b0000000-1111-4111-8111-111111111111"


def by_device(day: int, app: str, number: int, network: str) -> Use:
    columns = {"source": "SigninLogs", "target_kind": "application", "target_id": app, "client": f"Mozilla/5.0 ({number})"}
    return use(day, app, operation="device-code-sign-in", network=network, principal_id=person(number), **columns)


def signs_in(day: int, key: str, network: str, to: str = GRAPH, app: str = ETL, **columns: Any) -> Use:
    of = {"source": "AADServicePrincipalSignInLogs", "target_kind": "application", "target_id": to, "credential_key_id": key}
    return use(day, app, operation="sign-in", network=network, **of, **columns)


def secret(day: int, name: str, app: str = ETL) -> Use:
    return use(day, app, operation="read-secret", target_kind="secret", target_id=f"https://{name}", network=HOST)


def usual() -> list[Use]:
    made = [change(day, "add-credential", target_kind="application") for day in range(5, LEARNED, 28)]
    for day in range(LEARNED):
        made += [
            signs_in(day, OLD, HOST),
            signs_in(day, OLD, f"20.{day}.9.4", app=AGENTS),
            by_device(day, CLI, day % 5, OFFICE),
        ]
        made += [secret(day, "kv-etl.vault.azure.net/secrets/warehouse")]
        made += [use(day, "payroll", target_id="https://kv-hr.vault.azure.net/keys/signing/" + "c" * 32, network=HOST)]
    return made


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return learned(tmp_path_factory.mktemp("usual"), usual())


SHOP, HR = "kv-shop.vault.azure.net/secrets", "kv-hr.vault.azure.net/secrets"
ADDED = change(LEARNED, "add-credential", target_kind="application", credential_key_id=NEW)
FORMS: dict[str, tuple[Sequence[Use], list[tuple[str, str]]]] = {
    "by device code to the broker, which nobody signed in to so": (
        [by_device(LEARNED, BROKER, 1, OFFICE)],
        [("high", "new-app")],
    ),
    "by device code to a known application, from elsewhere": (
        [by_device(LEARNED, CLI, 1, ELSEWHERE)],
        [("high", "new-network")],
    ),
    "by device code to a known application, another user": ([by_device(LEARNED, CLI, 40, OFFICE)], []),
    "a credential is added, and used from elsewhere for two APIs": (
        [ADDED, signs_in(LEARNED, NEW, ELSEWHERE), signs_in(LEARNED, NEW, ELSEWHERE, VAULTS)],
        [("high", "new-credential-from-new-network")],
    ),
    "a credential is added, and used from where it was": ([ADDED, signs_in(LEARNED, NEW, HOST)], []),
    "a credential is added, and refused from elsewhere": ([ADDED, signs_in(LEARNED, NEW, ELSEWHERE, succeeded=False)], []),
    "a known credential is used from elsewhere": ([signs_in(LEARNED, OLD, ELSEWHERE)], []),
    "a credential of an application that comes from anywhere": ([ADDED, signs_in(LEARNED, NEW, ELSEWHERE, app=AGENTS)], []),
    "a secret of a vault that it never used": ([secret(LEARNED, f"{SHOP}/payment")], [("medium", "secret-of-new-vault")]),
    "the private key of a certificate of such a vault": (
        [secret(LEARNED, f"{HR}/signing")],
        [("high", "certificate-of-new-vault")],
    ),
    "another secret of its vault": ([secret(LEARNED, "kv-etl.vault.azure.net/secrets/lake")], []),
}
"""By form: the uses, and the reasons at medium or above."""


@pytest.mark.parametrize("form", FORMS)
def test_what_is_small_on_each_day_is_told_by_what_it_is(tmp_path: Path, baseline: Path, form: str) -> None:
    made, expected = FORMS[form]
    found = next_day(tmp_path, made, baseline)
    reasons = [(each, why) for each in found.findings for why in each.why if why.severity in ("medium", "high", "critical")]
    assert [(why.severity, why.kind) for _, why in reasons] == expected
    assert all(reason(each, why) and why.evidence for each, why in reasons)
    assert ADMIN not in {each.app_id for each, _ in reasons}


def services(day: int, network: str) -> list[Use]:
    """Four services sign, each with a key of its own."""
    keys = {f"service {n}": f"https://kv-{n}.vault.azure.net/keys/signing/" + f"{n}" * 32 for n in range(4)}
    return [use(day, app, target_id=key, network=network) for app, key in keys.items()]


def test_one_event_that_moves_several_applications_is_one_finding(tmp_path: Path) -> None:
    """A failover; and beside it, from elsewhere, somebody signs with the key of one of them."""
    (tmp_path / "before").mkdir()
    baseline = learned(tmp_path / "before", [each for day in range(LEARNED) for each in services(day, HOST)])
    moved = next_day(tmp_path, [*services(LEARNED, "20.90.7.9"), services(LEARNED, ELSEWHERE)[3]], baseline)
    assert [(each.app_id, each.open, each.part_of) for each in moved.findings] == [
        ("service 0", True, ""),
        ("service 3", True, ""),
        ("service 1", False, "service 0"),
        ("service 2", False, "service 0"),
    ]
    assert (moved.failing, moved.exit) == (2, 1)
    assert all(each.severity == "high" for each in moved.findings)


def test_two_applications_that_moved_are_two_findings(tmp_path: Path) -> None:
    (tmp_path / "before").mkdir()
    baseline = learned(tmp_path / "before", [each for day in range(LEARNED) for each in services(day, HOST)])
    moved = next_day(tmp_path, services(LEARNED, "20.90.7.9")[:2], baseline)
    assert [(each.app_id, each.open) for each in moved.findings] == [("service 0", True), ("service 1", True)]


def consent(day: int, number: int, to: str) -> Use:
    made = change(day, "grant-permission", permission="User.Read openid", granted_to=to, principal_id=person(number))
    return structs.replace(made, actor_app_id=None)


def test_consents_to_sign_in_are_told_once_for_an_application(tmp_path: Path) -> None:
    """Ten users consent to one application that is usual, and five to one that is new."""
    (tmp_path / "before").mkdir()
    baseline = learned(tmp_path / "before", [consent(day, day, "usual") for day in range(LEARNED)])
    made = [consent(LEARNED, number, "usual") for number in range(40, 50)]
    found = next_day(tmp_path, [*made, *(consent(LEARNED, number, "new") for number in range(5))], baseline)
    assert [(each.app_id, each.severity, each.why[0].uses) for each in found.findings] == [("new", "low", 5)]
    assert found.exit == 0
