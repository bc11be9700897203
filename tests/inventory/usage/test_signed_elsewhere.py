"""Sign-ins with a credential whose key is in a vault: those that no signature there explains."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from keyaudit.inventory.logs import Use
from keyaudit.inventory.usage.complete_since import stretches
from keyaudit.model.values.times import DAY
from keyaudit.questions.incident.answer import KeyFacts, Signed
from keyaudit.questions.incident.evidence.signing import signed
from keyaudit.questions.incident.evidence.subject import About
from keyaudit.questions.incident.evidence.work import Shown
from tests.logs import START, store, use

VAULT, HOST = "/subscriptions/s/vaults/v", "https://v.vault.azure.net"
KEY, VERSION, CREDENTIAL = f"{HOST}/keys/signer", "a" * 32, "0a000000-0000-4000-8000-000000000001"
MADE = START + 10 * DAY
ABOUT = About(
    key_ids=frozenset({KEY}),
    secret_ids=frozenset(),
    version="",
    credentials=frozenset({CREDENTIAL}),
    app_id="app",
    vault_id=VAULT,
    apps=frozenset({"app"}),
    objects=frozenset(),
    domains=frozenset(),
    signs_for={},
)
FACTS = KeyFacts(
    id=f"{KEY}/{VERSION}",
    version=VERSION,
    kind="RSA",
    custody="vault-hsm",
    enabled=True,
    exportable=False,
    created_on=MADE,
    expires_on=None,
    unknown={},
)


def others(days: Iterable[int]) -> list[Use]:
    """Somebody uses another key of the vault every day, so that its log is known to be complete."""
    return [use(day, "other", resource_id=VAULT, target_id=f"{HOST}/keys/other/{VERSION}") for day in days]


def sign(on: int, **columns: Any) -> Use:
    made = use(0, resource_id=VAULT, target_id=f"{KEY}/{VERSION}", **columns)
    return structs.replace(made, used_on=on, mark=f"sign {on}")


def sign_in(on: int) -> Use:
    made = use(
        0,
        source="AADServicePrincipalSignInLogs",
        operation="sign-in",
        target_kind="application",
        target_id="api",
        credential_key_id=CREDENTIAL,
        name=f"sign-in {on}",
    )
    return structs.replace(made, used_on=on, mark=None)


def of(folder: Path, uses: Iterable[Use], facts: KeyFacts = FACTS, about: About = ABOUT) -> Signed | None:
    made = store(folder / "logs", uses)
    with made.connect() as connection:
        found = Shown(acts=[], outside=[], learned=[], logs=list(stretches(connection)), unlogged=[])
        return signed(connection, about, [facts], found, START + 60 * DAY)


USUAL = [*others(range(60)), sign(MADE + DAY), sign_in(MADE + DAY + 60), sign(MADE + 2 * DAY), sign_in(MADE + 2 * DAY + 1800)]


def test_sign_ins_that_follow_a_signature_are_explained(tmp_path: Path) -> None:
    found = of(tmp_path, USUAL)
    assert found is not None
    assert (found.covered, found.before, found.records, found.gap) == (True, 0, (), 1800)


def test_a_sign_in_before_the_first_signature_was_signed_elsewhere(tmp_path: Path) -> None:
    found = of(tmp_path, [*USUAL, sign_in(MADE + 3600)])
    assert found is not None
    assert (found.before, found.records, found.made_on) == (1, [f"sign-in {MADE + 3600}"], MADE + DAY)
    # The clocks of two logs may differ by some minutes.
    found = of(tmp_path / "near", [*USUAL, sign_in(MADE + DAY - 300)])
    assert found is not None
    assert found.before == 0


def test_a_sign_in_long_after_the_last_signature_is_told_with_the_time_between(tmp_path: Path) -> None:
    found = of(tmp_path, [*USUAL, sign_in(MADE + 5 * DAY)])
    assert found is not None
    assert (found.before, found.gap, found.gap_record) == (0, 3 * DAY, f"sign-in {MADE + 5 * DAY}")


def test_refused_signatures_explain_nothing(tmp_path: Path) -> None:
    found = of(tmp_path, [*others(range(60)), sign(MADE + DAY, succeeded=False), sign_in(MADE + DAY + 60)])
    assert found is not None
    assert (found.before, found.made_on) == (1, None)


def test_a_log_that_begins_after_the_key_was_made_proves_nothing(tmp_path: Path) -> None:
    assert of(tmp_path, [*others(range(20, 60)), sign_in(MADE + 15 * DAY)]) == Signed(covered=False)


@pytest.mark.parametrize(
    "changed", [{"exportable": True}, {"exportable": None}, {"created_on": None}], ids=["exportable", "unknown", "undated"]
)
def test_a_key_that_may_be_elsewhere_anyway_is_not_compared(tmp_path: Path, changed: Mapping[str, Any]) -> None:
    assert of(tmp_path, [*USUAL, sign_in(MADE + 3600)], structs.replace(FACTS, **changed)) is None


@pytest.mark.parametrize("operation", ["import", "backup", "restore"])
def test_a_key_that_was_copied_is_not_compared(tmp_path: Path, operation: str) -> None:
    copied = sign(MADE + 60, operation=operation)
    assert of(tmp_path, [*USUAL, copied, sign_in(MADE + 3600)]) is None


def test_the_same_key_in_two_vaults_is_not_compared(tmp_path: Path) -> None:
    about = structs.replace(ABOUT, key_ids=frozenset({KEY, "https://w.vault.azure.net/keys/signer"}))
    assert of(tmp_path, [*USUAL, sign_in(MADE + 3600)], about=about) is None
