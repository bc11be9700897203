"""Joins: the vault of a credential's certificate, and other holders of it; certain, bounded, or unknown with a reason."""

from collections.abc import Sequence
from typing import Any

import pytest

from keyaudit.model.coverage import Coverage, State
from keyaudit.model.reasons import Reason
from keyaudit.model.schema.columns import Type
from keyaudit.model.tables import TABLES
from keyaudit.model.values.times import DAY
from tests.inventory.sample import (
    AS_OF,
    TENANT,
    Row,
    assessed,
    credential,
    fetch,
    in_memory,
    refused,
    row,
    vault,
    vault_scope,
)

KV = vault_scope("kv")
READ = ("certificate.list", "certificate.versions", "certificate.get")
WHOLE = {
    TENANT: assessed(TENANT, "subscription.list", "vault.query", "vault.list", "application.list", "service_principal.list"),
    KV: assessed(KV, *READ),
}
FIREWALL, PERMISSION, BAD, HIDDEN = Reason.FIREWALL, Reason.PERMISSION, Reason.BAD_VALUE, Reason.NOT_VISIBLE
UNREAD = {**WHOLE, KV: [refused(KV, "certificate.list", FIREWALL), *assessed(KV, *READ[1:])]}
CERT, OTHER, KEY, SHA1 = "C1" * 32, "C2" * 32, "AA" * 32, "51" * 20
_OF_KEY_VAULTS: dict[str, Any] = {
    column.name: False if column.type is Type.BOOLEAN else 0
    for column in TABLES["vault"].stored
    if column.present_where("kind", "key-vault")
}
DIGESTS = ("thumbprint", "thumbprint_sha256", "public_key_sha256")
UNREADABLE: dict[str, Any] = dict.fromkeys(DIGESTS, BAD)
NOT_ISSUED: dict[str, Any] = dict.fromkeys(DIGESTS)
COLUMNS = ("custody", "vault_certificate_id", "private_exportable", "superseded_in_vault", "newer_since")


def held(key_id: str = "k", **values: Any) -> Row:
    """A certificate of an application whose public part is in Entra."""
    shown = {"kind": "certificate", "entra_custody": "external", "thumbprint_sha256": CERT, "public_key_sha256": KEY}
    return credential(key_id, **{**shown, "thumbprint": SHA1, **values})


def stored(version: str, age: int = 100, *, name: str = "c", **values: Any) -> Row:
    certificate_id = f"https://kv.vault.azure.net/certificates/{name}"
    defaults = {
        "certificate_id": certificate_id,
        "version": version,
        "vault_id": KV.id,
        "scope_id": KV.id,
        "enabled": True,
        "versions_listed": True,
        "kty": "RSA",
        "exportable": True,
        "created_on": AS_OF - age * DAY,
        "thumbprint": SHA1,
        "thumbprint_sha256": CERT,
        "public_key_sha256": KEY,
    }
    return row("certificate", f"{certificate_id}/{version}", **{**defaults, **values})


def renewed(version: str, age: int, **values: Any) -> Row:
    return stored(
        version, age, **{"thumbprint": "52" * 20, "thumbprint_sha256": OTHER, "public_key_sha256": "BB" * 32, **values}
    )


def joined(
    certificates: Sequence[Row],
    coverage: dict[Any, list[Coverage]] = WHOLE,
    *more: Row,
    **values: Any,
) -> dict[str, object]:
    """The first credential, each column its value or the reason why it is unknown."""
    rows = {
        "vault": [vault(kind="key-vault", **_OF_KEY_VAULTS)],
        "certificate": certificates,
        "credential": [held(**values), *more],
    }
    with in_memory(rows, coverage, "credential", columns={"credential": (*COLUMNS, "same_elsewhere")}) as connection:
        found = fetch(connection, "SELECT * FROM credential ORDER BY id")[0]
    unknown: Any = found["unknown"]
    return {
        **{name: value for name, value in found.items() if value is not None or name not in unknown},
        **unknown,
        "all": found,
    }


def said(found: dict[str, object]) -> tuple[object, ...]:
    where = found["vault_certificate_id"]
    named = where.rpartition("certificates/")[2] if isinstance(where, str) and "/" in where else where
    return (found["custody"], named, found["private_exportable"])


MATCHES: list[tuple[list[Row], dict[str, Any], tuple[object, ...]]] = [
    ([stored("1")], {}, ("software", "c/1", True)),
    ([stored("1", kty="RSA-HSM", exportable=False)], {}, ("vault-hsm", "c/1", False)),
    ([], {}, ("external", None, None)),
    ([renewed("1", 5)], {}, ("external", None, None)),
    # Another certificate on the same key has the same private half; the very same one is named before it.
    ([stored("1", thumbprint_sha256=OTHER, thumbprint=None)], {}, ("software", "c/1", True)),
    ([stored("1"), stored("2", 5, thumbprint_sha256=OTHER, thumbprint=None)], {}, ("software", "c/1", True)),
    # Of two copies the weaker, wherever it lies.
    ([stored("1", kty="RSA-HSM", exportable=False), stored("1", name="d")], {}, ("software", "d/1", True)),
    ([stored("1", kty=PERMISSION, exportable=PERMISSION)], {}, ("permission", "c/1", "permission")),
    ([stored("1", kty=PERMISSION, exportable=PERMISSION), stored("2")], {}, ("software", "c/2", True)),
    # Imported twice, once at an unknown time.
    ([stored("1"), stored("2", created_on=BAD)], {}, ("software", "c/1", True)),
    # Of several reasons, of versions or of certificates, the first in alphabetical order.
    *(
        (
            [stored("1", kty=PERMISSION, exportable=PERMISSION), stored("2", 5, name=name, kty=BAD, exportable=BAD)],
            {},
            ("bad_value", f"{name}/2", "bad_value"),
        )
        for name in ("c", "d")
    ),
    # The creator of a credential sets its thumbprint: it counts only if the certificate itself cannot be read.
    ([stored("1")], {"thumbprint_sha256": OTHER, "public_key_sha256": "BB" * 32}, ("external", None, None)),
    ([stored("1")], {"thumbprint_sha256": HIDDEN, "public_key_sha256": HIDDEN}, ("software", "c/1", True)),
    ([stored("1")], {"thumbprint_sha256": HIDDEN, "public_key_sha256": HIDDEN, "thumbprint": CERT}, ("software", "c/1", True)),
    ([renewed("1", 5)], {"thumbprint_sha256": HIDDEN, "public_key_sha256": HIDDEN}, ("not_visible",) * 3),
    ([stored("1")], {"thumbprint_sha256": HIDDEN, "public_key_sha256": HIDDEN, "thumbprint": KEY}, ("not_visible",) * 3),
    # A certificate in the vault that could not be read may be it.
    ([stored("1", **UNREADABLE)], {}, ("bad_value",) * 3),
    ([stored("1", **NOT_ISSUED)], {}, ("external", None, None)),
    # The platform holds the keys that Entra signs with, even if others have them, too.
    ([stored("1")], {"entra_custody": "platform"}, ("platform", "c/1", True)),
    ([stored("1")], {"entra_custody": BAD}, ("bad_value", "c/1", True)),
]


@pytest.mark.parametrize(("certificates", "values", "expected"), MATCHES)
def test_custody_is_that_of_the_certificate_in_a_vault(
    certificates: list[Row], values: dict[str, Any], expected: tuple[object, ...]
) -> None:
    assert said(joined(certificates, **values)) == expected


def test_the_thumbprint_of_a_password_names_no_certificate() -> None:
    values = {"kind": "password", "entra_custody": None, "thumbprint_sha256": None, "public_key_sha256": None}
    found = joined([stored("1"), renewed("2", 5)], UNREAD, **values)
    assert said(found) == (None, None, None)
    assert (found["superseded_in_vault"], found["same_elsewhere_min"], found["same_elsewhere_max"]) == (False, 0, 0)
    symmetric = {**values, "kind": "symmetric-key", "entra_custody": "external"}
    assert joined([stored("1")], UNREAD, **symmetric)["custody"] == "external"


UNSEEN: list[tuple[dict[Any, list[Coverage]], str]] = [
    (UNREAD, "firewall"),
    ({**WHOLE, KV: [*assessed(KV, *READ[:2]), refused(KV, "certificate.get", PERMISSION, State.PARTIAL)]}, "permission"),
    ({**WHOLE, KV: assessed(KV, "certificate.list")}, "interrupted"),
    ({**WHOLE, KV: []}, "interrupted"),
    ({**WHOLE, TENANT: assessed(TENANT, "application.list", "service_principal.list")}, "interrupted"),
    ({**WHOLE, TENANT: [*WHOLE[TENANT][:1], refused(TENANT, "vault.query", Reason.EXCLUDED_BY_CONFIG)]}, "excluded_by_config"),
]


@pytest.mark.parametrize(("coverage", "reason"), UNSEEN)
def test_no_match_is_no_answer_unless_every_vault_was_read(coverage: dict[Any, list[Coverage]], reason: str) -> None:
    found = joined([], coverage)
    assert [found[name] for name in COLUMNS] == [reason] * 5
    assert found["entra_custody"] == "external"
    # Found relations are certain, even if other data was not read.
    assert said(joined([stored("1"), renewed("2", 5)], coverage)) == ("software", "c/1", True)


ROTATED: list[tuple[list[Row], object, object]] = [
    ([stored("1"), renewed("2", 30), renewed("3", 5)], True, 30),
    ([stored("1"), renewed("2", 30, enabled=False), renewed("3", 5)], True, 5),
    ([stored("1"), renewed("2", 30, enabled=False)], False, None),
    ([stored("2", 5), renewed("1", 100)], False, None),
    ([stored("1"), renewed("2", 30, name="d")], False, None),
    # A renewal that keeps the key is a new certificate all the same.
    ([stored("1"), renewed("2", 30, public_key_sha256=KEY)], True, 30),
    # Imported again: it is as new as its last version.
    ([stored("1"), stored("2", 30)], False, None),
    ([stored("1"), renewed("2", 50), stored("3", 30)], False, None),
    ([stored("1"), stored("2", 50), renewed("3", 30)], True, 30),
    # Superseded in one vault, independent of other vaults.
    ([stored("1"), renewed("2", 30), stored("1", 100, name="d")], True, 30),
    ([stored("1"), renewed("2", 30), stored("1", 100, name="d"), renewed("2", 50, name="d")], True, 50),
    # Only another certificate on the key is there.
    ([stored("1", thumbprint_sha256=OTHER, thumbprint=None), renewed("2", 30)], False, None),
    ([], False, None),
    ([stored("1"), renewed("2", 30, enabled=BAD)], "bad_value", "bad_value"),
    ([stored("1"), renewed("2", 30, created_on=BAD)], "bad_value", "bad_value"),
    ([stored("1"), renewed("2", 30, enabled=BAD), renewed("3", 20, enabled=PERMISSION)], "bad_value", "bad_value"),
    ([stored("1", versions_listed=PERMISSION)], "permission", "permission"),
    ([stored("1", versions_listed=False)], "truncated", "truncated"),
    # It may be this one.
    ([stored("1", thumbprint_sha256=BAD, thumbprint=None), renewed("2", 30)], "bad_value", "bad_value"),
    ([stored("1"), stored("1", name="d", thumbprint_sha256=BAD)], False, None),
    # One that surely is newer settles it, but not since when there was one.
    ([stored("1"), renewed("2", 30, enabled=BAD), renewed("3", 5)], True, "bad_value"),
]


@pytest.mark.parametrize(("certificates", "superseded", "since"), ROTATED)
def test_a_certificate_is_superseded_where_a_newer_version_is_enabled(
    certificates: list[Row], superseded: object, since: object
) -> None:
    found = joined(certificates)
    assert found["superseded_in_vault"] == superseded
    assert found["newer_since"] == (AS_OF - since * DAY if isinstance(since, int) else since)


def test_a_credential_of_an_unknown_type_is_found_by_its_certificate_alone() -> None:
    found = joined([stored("1"), renewed("2", 30)], kind=BAD)
    assert said(found) == ("software", "c/1", True)
    assert found["superseded_in_vault"] is True
    # Another certificate on the key, in the place of one whose thumbprint its author chose.
    found = joined([stored("1", thumbprint_sha256=OTHER), renewed("2", 30)], kind=BAD)
    assert found["superseded_in_vault"] is False


def test_a_certificate_that_was_not_read_may_be_superseded() -> None:
    shown: dict[str, Any] = {"thumbprint_sha256": BAD, "thumbprint": None}
    found = joined([stored("1"), renewed("2", 30)], **shown)
    assert [found[name] for name in ("superseded_in_vault", "newer_since")] == ["bad_value", "bad_value"]
    # Of what is no certificate, there is no newer one.
    found = joined([stored("1")], kind="password", entra_custody=None, **NOT_ISSUED)
    assert [found[name] for name in COLUMNS] == [None, None, None, False, None]


def by_thumbprint(key_id: str, **values: Any) -> Row:
    return held(key_id, thumbprint_sha256=HIDDEN, public_key_sha256=HIDDEN, **values)


NO_PRINCIPALS = {
    **WHOLE,
    TENANT: [*assessed(TENANT, "application.list"), refused(TENANT, "service_principal.list", PERMISSION)],
}
ELSEWHERE: list[tuple[list[Row], dict[Any, list[Coverage]], tuple[int, int | None], object]] = [
    ([], WHOLE, (0, 0), None),
    ([held("l", holder="b"), held("m", holder="c", on="service_principal")], WHOLE, (2, 2), None),
    # Itself, and its own service principal.
    ([held("l"), held("k", on="service_principal")], WHOLE, (0, 0), None),
    ([held("l", holder="b", app_id="A")], WHOLE, (0, 0), None),
    # Another certificate on the same key, and the same thumbprint on another key.
    ([held("l", holder="b", thumbprint_sha256=OTHER)], WHOLE, (1, 1), None),
    ([held("l", holder="b", public_key_sha256="BB" * 32)], WHOLE, (0, 0), None),
    ([held("l", holder="b")], NO_PRINCIPALS, (1, None), "permission"),
    ([by_thumbprint("l", holder="b"), by_thumbprint("m", holder="b")], WHOLE, (0, 1), "not_visible"),
    ([by_thumbprint("l", holder="b", app_id=BAD), by_thumbprint("m", holder="c")], WHOLE, (0, 2), "not_visible"),
    ([held("l", holder="b", app_id=BAD), held("m", holder="c")], WHOLE, (1, 2), "bad_value"),
]


@pytest.mark.parametrize(("others", "coverage", "bounds", "reason"), ELSEWHERE)
def test_other_identities_with_the_same_key_are_counted_within_bounds(
    others: list[Row],
    coverage: dict[Any, list[Coverage]],
    bounds: tuple[int, int | None],
    reason: object,
) -> None:
    found = joined([], coverage, *others)
    of_it: Any = found["all"]
    assert (of_it["same_elsewhere_min"], of_it["same_elsewhere_max"]) == bounds
    assert of_it["unknown"].get("same_elsewhere") == reason


def test_the_thumbprint_of_a_certificate_that_is_not_shown_proves_no_other_to_be_the_same() -> None:
    hidden = {"thumbprint_sha256": HIDDEN, "public_key_sha256": HIDDEN}
    of_it: Any = joined([], WHOLE, by_thumbprint("l", holder="b"), held("m", holder="c"), **hidden)["all"]
    assert (of_it["same_elsewhere_min"], of_it["same_elsewhere_max"]) == (0, None)
    assert of_it["unknown"]["same_elsewhere"] == "not_visible"


def signing(name: str, holder: str, **values: Any) -> Row:
    values = {"kind": "saml" if "app_id" in values else "federated-domain", "public_key_sha256": KEY, **values}
    return row("signing_certificate", f"/{holder}/{name}", **{"holder_id": holder, **values})


@pytest.mark.parametrize(
    ("rows", "refuse", "bounds", "reason"),
    [
        ([signing("a", "a", app_id="1")], "", (0, 0), None),
        # Not the domain of an identity provider, which may serve several, and has a finding of its own where it has the key.
        ([signing("a", "a", app_id="1"), signing("n", "domain"), signing("o", "other")], "", (0, 0), None),
        ([signing("a", "domain"), signing("b", "other")], "", (0, 0), None),
        ([signing("a", "domain"), signing("b", "e", app_id="1"), signing("c", "f", app_id="2")], "", (2, 2), None),
        ([signing("a", "a", app_id="1"), signing("n", "domain", public_key_sha256=HIDDEN)], "", (0, 0), None),
        ([signing("a", "a", app_id="1"), signing("b", "b", app_id=BAD)], "", (0, 1), "bad_value"),
        ([signing("a", "a", app_id="1"), signing("b", "b", app_id="2", kind=BAD)], "", (1, 1), None),
        ([signing("a", "a", app_id="1"), signing("b", "b", app_id="2", public_key_sha256=HIDDEN)], "", (0, 1), "not_visible"),
        # A domain that was refused leaves applications as they are; applications that were not read could have its key.
        ([signing("a", "a", app_id="1")], "domain.federation", (0, 0), None),
        ([signing("a", "a", app_id="1"), signing("b", "b", app_id="2")], "domain.federation", (1, 1), None),
        ([signing("a", "a", app_id="1"), signing("b", "b", app_id="2")], "service_principal.list", (1, None), "permission"),
        ([signing("a", "domain")], "service_principal.list", (0, None), "permission"),
    ],
)
def test_applications_with_one_signing_key_are_counted(
    rows: list[Row], refuse: str, bounds: tuple[int, int | None], reason: object
) -> None:
    lists = ("service_principal.list", "domain.federation", "external_federation.list")
    coverage = assessed(TENANT, *(each for each in lists if each != refuse))
    coverage += [refused(TENANT, refuse, PERMISSION)] if refuse else []
    placed = [{**each, "scope_id": TENANT.id} for each in rows]
    with in_memory({"signing_certificate": placed}, {TENANT: coverage}, "signing_certificate") as connection:
        found: Any = fetch(connection, "SELECT * FROM signing_certificate ORDER BY id")[0]
    assert (found["same_elsewhere_min"], found["same_elsewhere_max"]) == bounds
    assert found["unknown"].get("same_elsewhere") == reason
