"""Custody records: read from a file, evaluated, and held against what Azure shows."""

from pathlib import Path

import pytest
from msgspec import structs

from keyaudit.collect.custody import custody
from keyaudit.model.custody import Kept
from keyaudit.model.errors import UsageError
from keyaudit.model.values.times import DAY, parse_date
from tests.inventory.sample import AS_OF, RUN, TENANT, Row, assessed, fetch, in_memory, key, row, vault, vault_scope
from tests.obstacles import OBSTACLES

SHA1 = "AB" * 20
RECORD = f"""version: 1
records:
  - of: {":".join(["ab"] * 20)}
    kept_in: hsm
    owner: identity team
    recorded_on: 2026-01-31
    valid_until: 2027-01-31
    evidence: ticket 7
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "custody.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_record_is_read(tmp_path: Path) -> None:
    [record] = custody(written(tmp_path, RECORD)).records
    assert (record.of, record.kept_in, record.hsm) == (SHA1, Kept.HSM, None)
    assert (record.recorded_on, record.valid_until) == (parse_date("2026-01-31"), parse_date("2027-01-31"))


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("kept_in: hsm", "kept_in: safe", "4:14: no such value: 'safe'; one of hsm, "),
        ("    owner: identity team\n", "", "3:5: no owner; it is required"),
        ("evidence: ticket 7", "evidence: ' '", "8:15: an empty text"),
        ("2027-01-31", "2025-01-31", "7:18: valid_until is before recorded_on; write the last day on which it is valid"),
        ("2027-01-31", "2027-02-29", "7:18: '2027-02-29' is no date; write the day, as in 2027-01-31"),
        ("version: 1", "version: 2", "1:10: version '2': written for another version; this keyaudit reads version 1"),
        (
            "    evidence",
            "    proof",
            "8:5: no such field: 'proof'; one of ",
        ),
        ("version: 1\n", "- a\n", "2:1: not YAML"),
        ("kept_in: hsm", "kept_in: *x", "4:14: an alias (*x); write the value out"),
        ("    owner: identity team", "    owner: a\n    owner: b", "6:5: 'owner' twice; it is on line 5 already"),
    ],
)
def test_what_is_no_record_is_refused_with_its_place(tmp_path: Path, old: str, new: str, what: str) -> None:
    file = written(tmp_path, RECORD.replace(old, new))
    with pytest.raises(UsageError) as refused:
        custody(file)
    assert any(line.startswith(f"--import custody: {file}:{what}") for line in str(refused.value).splitlines())


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        custody(written(tmp_path, RECORD.replace("hsm", "safe").replace("2026-01-31", "soon")))
    assert len(str(refused.value).splitlines()) == 2


@pytest.mark.parametrize("name", OBSTACLES)
def test_what_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    OBSTACLES[name][0](tmp_path / "custody.yaml")
    with pytest.raises(UsageError, match=r"--import custody: .*custody.yaml: "):
        custody(tmp_path / "custody.yaml")


def record(of: str, kept: str = "hsm", days_left: int = 1) -> Row:
    columns = {"kept_in": kept, "owner": "o", "recorded_on": AS_OF - 9 * DAY, "valid_until": AS_OF + days_left * DAY}
    return row("custody_record", f"{of} {kept} {days_left}", scope_id=TENANT.id, name=of, evidence="e", **columns)


SUPPLIED = structs.replace(RUN, evidence={"custody": "0" * 64})
READ = {TENANT: assessed(TENANT, "vault.query"), vault_scope("kv"): assessed(vault_scope("kv"), "key.list")}


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([record(SHA1)], "hsm"),
        ([record(SHA1), record(SHA1, "software")], "software"),
        ([record(SHA1, days_left=-2)], None),
        ([record("CD" * 20)], None),
    ],
)
def test_a_record_says_where_a_federation_key_is(records: list[Row], expected: str | None) -> None:
    domain = row(
        "signing_certificate", "d", scope_id=TENANT.id, kind="federated-domain", holder_id="d", thumbprint=SHA1,
        thumbprint_sha256="EF" * 32,
    )  # fmt: skip
    rows = {"signing_certificate": [domain], "custody_record": records}
    with in_memory(rows, READ, "signing_certificate", run=SUPPLIED) as connection:
        [found] = fetch(connection, "SELECT custody_record FROM signing_certificate")
    assert found["custody_record"] == expected


@pytest.mark.parametrize(("of", "kept", "expected"), [("kv", "security-domain", True), ("kv", "hsm", False)])
def test_a_record_confirms_the_shares_of_a_security_domain(of: str, kept: str, expected: bool) -> None:
    hsm = vault(kind="managed-hsm")
    with in_memory({"vault": [hsm], "custody_record": [record(of, kept)]}, READ, "vault", run=SUPPLIED) as connection:
        [found] = fetch(connection, "SELECT security_domain_recorded_on AS on_ FROM vault")
    assert found["on_"] == (AS_OF - 9 * DAY if expected else None)


@pytest.mark.parametrize(
    ("custody_of", "azure"), [("vault-hsm", "hsm"), ("managed-hsm", "hsm"), ("external-hsm", "hsm"), ("software", "software")]
)
def test_a_record_is_held_against_what_azure_shows(custody_of: str, azure: str) -> None:
    held = key("1", custody=custody_of)
    rows = {"vault": [vault()], "key": [held], "custody_record": [record("https://kv.vault.azure.net/keys/k")]}
    with in_memory(rows, READ, "custody_record", run=SUPPLIED) as connection:
        [found] = fetch(connection, "SELECT azure_custody FROM custody_record")
    assert found["azure_custody"] == azure


def test_a_record_of_another_key_is_not_held_against_it() -> None:
    rows = {"vault": [vault()], "key": [key("1")], "custody_record": [record("https://kv.vault.azure.net/keys/other")]}
    with in_memory(rows, READ, "custody_record", run=SUPPLIED) as connection:
        [found] = fetch(connection, "SELECT azure_custody FROM custody_record")
    assert found["azure_custody"] is None
