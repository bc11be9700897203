"""The stories of the demo's privileged applications, as its inventory tells them."""

from pathlib import Path
from typing import Any

import pytest

from keyaudit.inventory.snapshot import open_snapshot
from tests.inventory.sample import fetch

DAY = 86_400


@pytest.fixture(scope="module")
def rows(contoso: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """By table and name."""
    snapshot = open_snapshot(contoso)
    with snapshot.connect(snapshot.run.as_of) as connection:
        tables = ("service_principal", "application", "sign_in_activity")
        return {table: {row["name"]: row for row in fetch(connection, f"SELECT * FROM {table}")} for table in tables}  # type: ignore[misc]


def test_who_controls_the_tenant(rows: dict[str, dict[str, dict[str, Any]]]) -> None:
    principals = {name for name, row in rows["service_principal"].items() if row["tier0"]}
    # github-infra holds a directory role by a group alone, and a policy finds that anyone's pull request can be it.
    assert principals == {
        "Billing API",
        "Legacy Reporting",
        "Alpine Ski House Booking",
        "etl-runner",
        "github-infra",
        "logic-invoice-intake",
    }
    assert {name for name, row in rows["application"].items() if row["tier0"]} == principals - {
        "Alpine Ski House Booking",
        "logic-invoice-intake",
    }
    assert all(row["tier0"] is not None for table in ("application", "service_principal") for row in rows[table].values())
    assert rows["application"]["github-infra"]["directory_roles"] == ["Application Administrator"]


def test_who_reads_all_of_one_kind_of_data(rows: dict[str, dict[str, dict[str, Any]]]) -> None:
    found = {
        name: row["tenant_wide_app_roles"] for name, row in rows["service_principal"].items() if row["tenant_wide_app_roles"]
    }
    assert found == {
        "Integration Hub": ["Mail.ReadWrite"],
        "Backup Orchestrator": ["Sites.FullControl.All", "full_access_as_app"],
        "notification-sender-prod": ["Mail.Send"],
        "Humongous Insurance Claims": ["Files.Read.All"],
        "Fabrikam Invoice Agent": ["Mail.ReadWrite"],
        "Returns Agent": ["Files.Read.All"],
    }


def test_what_has_not_been_used_for_long_and_what_nobody_knows(
    rows: dict[str, dict[str, dict[str, Any]]], contoso: Path
) -> None:
    as_of = open_snapshot(contoso).run.as_of
    principals = rows["service_principal"]
    last = principals["Legacy Reporting"]["last_sign_in_on"]
    assert (as_of - last) // DAY >= 412
    silent = principals["Store Wifi Portal"]
    assert (silent["last_sign_in_on"], silent["unknown"]) == (None, {})


def test_consents_for_everyone(rows: dict[str, dict[str, dict[str, Any]]]) -> None:
    assert rows["service_principal"]["Tailspin CRM"]["delegated_for_everyone"] == [
        "Contacts.Read",
        "User.Read",
        "offline_access",
    ]
    # A user's own consent is not everyone's.
    assert rows["service_principal"]["Proseware Learning"]["delegated_for_everyone"] == []
