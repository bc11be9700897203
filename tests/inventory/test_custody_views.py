"""Custody records beside Azure: what a record says of an object counts where it surely is of it, and where that is not known,
nothing is said.
"""

from typing import Any

import pytest
from msgspec import structs

from keyaudit.model.reasons import Reason
from keyaudit.model.values.times import DAY
from tests.inventory.sample import AS_OF, RUN, TENANT, Row, assessed, fetch, in_memory, key, row, vault, vault_scope

KV = vault_scope("kv")
READ = {TENANT: assessed(TENANT, "service_principal.list"), KV: assessed(KV, "key.list", "key.versions")}
KEY = "https://kv.vault.azure.net/keys/k"
SHA1, SHA256 = "A" * 40, "B" * 64
PERMISSION = Reason.PERMISSION


def record(name: str, kept_in: str, *, ended: int = 0, on: int = 9) -> Row:
    """A record of an object, which ends so many days ago; a negative number of days is in the future."""
    days = {"valid_until": AS_OF - ended * DAY, "recorded_on": AS_OF - on * DAY}
    id_ = f"{name} {kept_in} {ended} {on}"
    return row("custody_record", id_, name=name, kept_in=kept_in, owner="PKI", evidence="ticket", scope_id=TENANT.id, **days)


def view(table: str, column: str, **rows: list[Row]) -> dict[str, object]:
    """By id the value of a column of a view, or the reason why it is unknown."""
    run = structs.replace(RUN, evidence={"custody": "0" * 64})
    with in_memory(rows, READ, table, run=run, columns={table: [column]}) as connection:
        found: list[dict[str, Any]] = fetch(connection, f"SELECT id, {column}, unknown FROM {table}")
    return {each["id"]: each["unknown"].get(column, each[column]) for each in found}


@pytest.mark.parametrize(
    ("records", "values", "custody"),
    [
        ([record(SHA1, "hsm")], {}, "hsm"),
        ([record(SHA256, "hsm")], {}, "hsm"),
        # The weaker one counts.
        ([record(SHA1, "hsm"), record(SHA256, "software")], {}, "software"),
        ([record("C" * 40, "software")], {}, None),
        ([record(SHA1, "hsm", ended=2)], {}, None),
        ([record(SHA1, "hsm")], {"thumbprint": PERMISSION}, "permission"),
        # Whether another record says hsm does not matter.
        ([record(SHA256, "software")], {"thumbprint": PERMISSION}, "software"),
        ([record(SHA256, "hsm")], {"thumbprint": PERMISSION}, "permission"),
        ([], {"thumbprint": PERMISSION}, "permission"),
    ],
)
def test_a_record_says_where_the_key_of_a_signing_certificate_is(
    records: list[Row], values: dict[str, Any], custody: str | None
) -> None:
    given = {"thumbprint": SHA1, "thumbprint_sha256": SHA256, "scope_id": TENANT.id, **values}
    others = records or [record("another", "hsm")]
    rows = {"signing_certificate": [row("signing_certificate", "c", **given)], "custody_record": others}
    assert view("signing_certificate", "custody_record", **rows) == {"c": custody}


def test_the_last_record_of_the_shares_of_an_hsm_counts_by_its_name_or_id() -> None:
    hsm, kv = vault("pool", kind="managed-hsm"), vault("kv", kind="key-vault")
    shares = [
        record("pool", "security-domain", on=9),
        record(str(hsm["id"]), "security-domain", on=3),
        record("kv", "security-domain"),
    ]
    others = [record("pool", "security-domain", on=1, ended=2), record("pool", "hsm", on=1)]
    found = view("vault", "security_domain_recorded_on", vault=[hsm, kv], custody_record=[*shares, *others])
    assert found == {hsm["id"]: AS_OF - 3 * DAY, kv["id"]: None}


@pytest.mark.parametrize(
    ("records", "named", "kept"),
    [
        ([record("device", "hsm")], "Device", "hsm"),
        ([record("d1", "hsm")], "Device", "hsm"),
        # The weaker one counts.
        ([record("device", "hsm"), record("d1", "software")], "Device", "software"),
        ([record("another", "software")], "Device", None),
        # By its id it is known without its name.
        ([record("d1", "software")], PERMISSION, "software"),
        ([record("device", "software")], PERMISSION, "permission"),
    ],
)
def test_a_record_says_what_a_device_is_by_its_name_or_its_id(records: list[Row], named: object, kept: str | None) -> None:
    device = row("hsm_device", "d1", scope_id=TENANT.id, name=named)
    assert view("hsm_device", "custody_record", hsm_device=[device], custody_record=records) == {"d1": kept}


def _certificate(**values: Any) -> Row:
    given = {"certificate_id": "https://kv.vault.azure.net/certificates/c", "kty": "RSA-HSM", **values}
    return row("certificate", "https://kv.vault.azure.net/certificates/c/1", scope_id=KV.id, vault_id=KV.id, **given)


@pytest.mark.parametrize(
    ("name", "keys", "certificates", "custody"),
    [
        (KEY, [key("1", custody="vault-hsm")], [], "hsm"),
        (f"{KEY}/1", [key("1", custody="software")], [], "software"),
        (f"{KEY}/2", [key("1", custody="software")], [], None),
        # Versions differ.
        (KEY, [key("1", custody="vault-hsm"), key("2", custody="software")], [], "software"),
        (KEY, [key("1", custody=PERMISSION), key("2", custody="software")], [], "software"),
        (KEY, [key("1", custody=PERMISSION), key("2", custody="vault-hsm")], [], "permission"),
        (SHA1, [], [_certificate(thumbprint=SHA1)], "hsm"),
        (SHA256, [], [_certificate(thumbprint=SHA1, thumbprint_sha256=SHA256, kty="RSA")], "software"),
        (SHA256, [], [_certificate(thumbprint=SHA1, thumbprint_sha256=SHA256, kty=PERMISSION)], "permission"),
        (SHA256, [], [_certificate(thumbprint=SHA1, thumbprint_sha256="C" * 64)], None),
        # A certificate that was not read may be that of a record, but not the key at an address.
        (SHA256, [], [_certificate(thumbprint=SHA1, thumbprint_sha256=PERMISSION)], "permission"),
        (KEY, [key("1", custody="vault-hsm")], [_certificate(thumbprint=SHA1, thumbprint_sha256=PERMISSION)], "hsm"),
    ],
)
def test_azure_says_where_the_key_of_a_record_is(
    name: str, keys: list[Row], certificates: list[Row], custody: str | None
) -> None:
    recorded = record(name, "hsm")
    found = view("custody_record", "azure_custody", custody_record=[recorded], key=keys, certificate=certificates)
    assert found == {recorded["id"]: custody}
