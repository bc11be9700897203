"""How many active credentials in Entra have a certificate's key, and of how many identities: certain, bounded or unknown."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from keyaudit.model.coverage import Coverage
from keyaudit.model.reasons import Reason
from keyaudit.model.values.times import DAY
from tests.inventory.sample import AS_OF, TENANT, Row, assessed, credential, refused, row, seen, vault_scope

KV = vault_scope("kv")
LISTED = {TENANT: assessed(TENANT, "application.list", "service_principal.list")}
KEY, SHA1 = "AA" * 32, "51" * 20
HIDDEN, BAD, PERMISSION = Reason.NOT_VISIBLE, Reason.BAD_VALUE, Reason.PERMISSION
SHA256 = "thumbprint_sha256"


def held(key_id: str, holder: str = "a", **values: Any) -> Row:
    defaults = {"kind": "certificate", "public_key_sha256": KEY, SHA256: "C1" * 32, "thumbprint": SHA1, "expires_on": AS_OF + 1}
    return credential(key_id, holder=holder, **{**defaults, **values})


def unshown(key_id: str, holder: str = "a", **values: Any) -> Row:
    return held(key_id, holder, public_key_sha256=HIDDEN, **{SHA256: HIDDEN, **values})


def counted(
    credentials: Sequence[Row],
    coverage: Mapping[Any, Sequence[Coverage]] = LISTED,
    **values: Any,
) -> tuple[tuple[object, object, object], tuple[object, object, object]]:
    """At least, at most and why they differ: of credentials, then of identities."""
    certificate_id = "https://kv.vault.azure.net/certificates/c"
    shown = {"certificate_id": certificate_id, "vault_id": KV.id, "scope_id": KV.id, "enabled": True, "versions_listed": True}
    digests = {"thumbprint": SHA1, SHA256: "C1" * 32, "public_key_sha256": KEY}
    certificate = row("certificate", f"{certificate_id}/1", **{**shown, **digests, **values})
    rows = {"certificate": [certificate], "credential": credentials}
    [found] = seen("certificate", rows, coverage)
    unknown: Any = found["unknown"]
    one, other = (
        (found[f"{name}_min"], found[f"{name}_max"], unknown.get(name)) for name in ("live_credentials", "live_identities")
    )
    return one, other


NONE, ONE = (0, 0, None), (1, 1, None)
CASES: list[tuple[list[Row], tuple[object, ...], tuple[object, ...]]] = [
    ([], NONE, NONE),
    ([held("1")], ONE, ONE),
    # Another certificate on the same key opens as much; a password, or one on another key, nothing of this one.
    ([held("1", **{SHA256: "C2" * 32})], ONE, ONE),
    ([held("1", public_key_sha256="BB" * 32), credential("2")], NONE, NONE),
    # Who sets a thumbprint is not believed where the certificate itself is shown.
    ([held("1", public_key_sha256="BB" * 32, thumbprint=SHA1)], NONE, NONE),
    ([held("1"), held("2")], (2, 2, None), ONE),
    ([held("1"), held("2", "b")], (2, 2, None), (2, 2, None)),
    # An application and its own service principal count once, in any case of ids.
    ([held("1", app_id="App"), held("2", "p", on="service_principal", app_id="aPP")], (2, 2, None), ONE),
    ([held("1", expires_on=AS_OF)], NONE, NONE),
    ([held("1", expires_on=None)], ONE, ONE),
    ([held("1", expires_on=BAD)], (0, 1, BAD), (0, 1, BAD)),
    ([held("1", usage="Verify")], ONE, ONE),
    ([held("1", usage="Sign")], NONE, NONE),
    ([held("1", usage=BAD)], (0, 1, BAD), (0, 1, BAD)),
    # A key of an unknown type may be one that signs in, with the certificate that Graph shows.
    ([held("1", kind=BAD)], (0, 1, BAD), (0, 1, BAD)),
    ([held("1", kind=BAD, public_key_sha256="BB" * 32)], NONE, NONE),
    ([held("1", app_id=BAD)], ONE, ONE),
    # One that cannot be named may be the one that can.
    ([held("1"), held("2", "b", app_id=BAD)], (2, 2, None), (1, 2, BAD)),
    # Certificates that Graph does not show may have any key, with any thumbprint.
    ([unshown("1", thumbprint=None)], (0, 1, HIDDEN), (0, 1, HIDDEN)),
    ([unshown("1")], (0, 1, HIDDEN), (0, 1, HIDDEN)),
    ([unshown("1", app_id=BAD), unshown("2", "b")], (0, 2, HIDDEN), (0, 2, HIDDEN)),
    ([held("1"), unshown("2", "b")], (1, 2, HIDDEN), (1, 2, HIDDEN)),
    ([held("1"), unshown("2", "b", thumbprint="52" * 20)], (1, 2, HIDDEN), (1, 2, HIDDEN)),
    ([unshown("1", expires_on=AS_OF - DAY)], NONE, NONE),
]


@pytest.mark.parametrize(("credentials", "number", "identities"), CASES)
def test_live_credentials_are_counted_by_key(
    credentials: list[Row], number: tuple[object, ...], identities: tuple[object, ...]
) -> None:
    assert counted(credentials) == (number, identities)


@pytest.mark.parametrize(
    ("coverage", "reason"),
    [
        ({TENANT: [refused(TENANT, "application.list", PERMISSION), *assessed(TENANT, "service_principal.list")]}, PERMISSION),
        ({TENANT: assessed(TENANT, "application.list")}, Reason.INTERRUPTED),
        ({KV: assessed(KV, "certificate.get")}, Reason.INTERRUPTED),
    ],
)
def test_without_both_lists_there_may_be_more(coverage: dict[Any, list[Coverage]], reason: Reason) -> None:
    assert counted([held("1")], coverage) == ((1, None, reason), (1, None, reason))


def test_a_certificate_that_was_not_read_may_be_anybodys() -> None:
    unread: dict[str, Any] = {"public_key_sha256": PERMISSION, SHA256: PERMISSION}
    found = counted([held("1")], **unread)
    assert found == ((0, None, PERMISSION), (0, None, PERMISSION))


def test_what_is_not_issued_is_nobodys() -> None:
    unissued: dict[str, Any] = {"public_key_sha256": None, SHA256: None, "thumbprint": None}
    assert counted([held("1"), unshown("2")], **unissued) == (NONE, NONE)
