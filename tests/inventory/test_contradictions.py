"""A list that other answers contradict is not taken for whole; one that agrees with them is left alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from keyaudit.model.coverage import Coverage, State
from keyaudit.model.reasons import Reason
from tests.inventory.sample import AS_OF, TENANT, Row, assessed, credential, key, refused, row, snapshot, vault_scope

KV, OTHER = vault_scope("kv"), vault_scope("other")
VAULT = "https://kv.vault.azure.net"
OF_VAULT = ("key.list", "certificate.list", "secret.list")
REPORTS = ("sign_in_activity.list", "credential_activity.list")


def certificate(name: str = "k", **values: object) -> Row:
    defaults: Row = {"name": name, "scope_id": KV.id, "issued": True, "key_version_id": f"{VAULT}/keys/{name}/1"}
    return row("certificate", f"{VAULT}/certificates/{name}/1", **(defaults | values))


def managed(name: str = "k") -> Row:
    return key("1", name=name, managed=True) | {"name": name}


def secret(name: str = "k") -> Row:
    return row("secret", f"{VAULT}/secrets/{name}/1", name=name, scope_id=KV.id, managed=True)


def sign_in(on: int | None = AS_OF) -> Row:
    return row("sign_in_activity", "s", scope_id=TENANT.id, app_id="a", last_app_only_on=on)


def use(on: int | None = AS_OF) -> Row:
    return row("credential_activity", "u", scope_id=TENANT.id, key_id="c", app_id="a", last_used_on=on)


def found(folder: Path, rows: Mapping[str, Sequence[Row]], *records: Coverage) -> dict[str, str]:
    """By operation what the snapshot says of each list in the first scope that was not read completely."""
    made = snapshot(folder, rows, {records[0].scope: records})
    return {record.operation: f"{record.state} {record.reason}: {record.detail}" for record in made.coverage if record.reason}


@pytest.mark.parametrize(
    ("rows", "contradicted"),
    [
        ({}, {}),
        ({"key": [managed()], "certificate": [certificate()], "secret": [secret()]}, {}),
        ({"key": [key("1", managed=False)]}, {}),
        # It is not issued yet, or its GET was refused.
        ({"certificate": [certificate(key_version_id=None)]}, {}),
        ({"certificate": [certificate(key_version_id=Reason.PERMISSION)]}, {}),
        (
            {"certificate": [certificate()], "secret": [secret("K")]},
            {"key.list": "not_assessed inconsistent: it lacks 1 key that certificates of the vault name"},
        ),
        (
            {
                "certificate": [certificate(), certificate("l"), certificate("m")],
                "key": [managed()],
                "secret": [secret(name) for name in "klm"],
            },
            {"key.list": "not_assessed inconsistent: it lacks 2 keys that certificates of the vault name"},
        ),
        (
            {"certificate": [certificate()], "key": [managed()], "secret": [secret("other")]},
            {"secret.list": "not_assessed inconsistent: it lacks 1 secret that certificates of the vault are stored in"},
        ),
        # One that is not issued yet has a key, and no secret.
        ({"certificate": [certificate(issued=False)], "key": [managed()]}, {}),
        (
            {"key": [managed()]},
            {"certificate.list": "not_assessed inconsistent: it lacks 1 certificate that keys of the vault belong to"},
        ),
    ],
)
def test_keys_and_certificates_of_a_vault_bear_each_other_out(
    tmp_path: Path, rows: Mapping[str, Sequence[Row]], contradicted: dict[str, str]
) -> None:
    assert found(tmp_path / "out", rows, *assessed(KV, *OF_VAULT)) == contradicted


def test_what_one_vault_holds_contradicts_no_other(tmp_path: Path) -> None:
    rows = {"certificate": [certificate()], "key": [managed()]}
    assert found(tmp_path / "out", rows, *assessed(OTHER, *OF_VAULT)) == {}


def test_a_list_that_was_refused_keeps_its_reason_and_one_with_rows_is_read_in_part(tmp_path: Path) -> None:
    records = (refused(KV, "key.list", Reason.FIREWALL), *assessed(KV, "certificate.list"))
    assert found(tmp_path / "refused", {"certificate": [certificate()]}, *records) == {"key.list": "not_assessed firewall: "}
    listed = Coverage(scope=KV, operation="key.list", state=State.ASSESSED, received=1, kept=1)
    rows = {"certificate": [certificate("l")], "key": [key("1", managed=False)]}
    assert found(tmp_path / "part", rows, listed)["key.list"].startswith("partial inconsistent: it lacks 1 key")


@pytest.mark.parametrize(
    ("rows", "contradicted"),
    [
        ({}, ""),
        ({"credential": [credential("c", starts_on=0)]}, ""),
        ({"sign_in_activity": [sign_in()], "credential_activity": [use()], "credential": [credential("c", starts_on=0)]}, ""),
        ({"sign_in_activity": [sign_in()], "credential": [credential("c", starts_on=0)]}, "credential_activity.list"),
        # Its credential need not be the one in the other report.
        ({"sign_in_activity": [sign_in()]}, ""),
        ({"sign_in_activity": [sign_in(None)], "credential": [credential("c", starts_on=0)]}, ""),
        ({"sign_in_activity": [sign_in()], "credential": [credential("c", starts_on=AS_OF + 1)]}, ""),
        (
            {
                "sign_in_activity": [sign_in()],
                "credential": [credential("c", starts_on=0), credential("f", kind="symmetric-key", starts_on=0)],
            },
            "",
        ),
        ({"credential_activity": [use()]}, "sign_in_activity.list"),
        ({"credential_activity": [use(None)]}, ""),
    ],
)
def test_an_empty_report_of_last_use_is_believed_unless_the_other_shows_uses(
    tmp_path: Path, rows: Mapping[str, Sequence[Row]], contradicted: str
) -> None:
    noted = found(tmp_path / "out", rows, *assessed(TENANT, *REPORTS))
    assert set(noted) == ({contradicted} if contradicted else set())
    assert all(text.startswith("not_assessed inconsistent: it is empty, and 1 ") for text in noted.values())
