"""A part of a tenant: what certainly lies outside is left out, what may lie within stays, and every output says so."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Keyaudit, Reported
from tests.matrices import first_of

Finding = dict[str, Any]
PROD = "7864a904-c447-4c4c-ad83-0d54fdd71216"
DATA = f"/subscriptions/{PROD}/resourcegroups/rg-data-prod/providers/microsoft.keyvault/vaults/kv-data-prod"


def places(finding: Finding) -> list[str]:
    """Where the row of a finding is, as Azure names it."""
    row = finding["row"] or {}
    return [str(row[name]) for name in ("id", "scope_id", "vault_id") if row.get(name)]


def in_vault(finding: Finding) -> bool:
    return any(place == DATA or place.startswith(f"{DATA}/") for place in places(finding))


def in_production(finding: Finding) -> bool:
    return any(place.startswith(f"/subscriptions/{PROD}") for place in places(finding))


def found(keyaudit: Keyaudit, snapshot: Path, *flags: str) -> list[Finding]:
    """The findings of a report, those that pass too."""
    done = keyaudit("report", "--from", snapshot, "--all", "-o", "json", "-q", *flags)
    assert done.code in (0, 3), done.err
    return list(json.loads(done.out)["findings"])


CHOSEN: dict[str, tuple[tuple[str, ...], Callable[[Finding], bool]]] = {
    "a vault": (("--vault", DATA), in_vault),
    "a subscription by its id": (("--subscription", PROD), in_production),
    "a name": (("--resource", "consumer-token-*"), lambda each: str(each["row"].get("name", "")).startswith("consumer-token-")),
    "an owner by tag": (("--owner", "DATA-platform"), lambda each: each["owners"] == ["data-platform"]),
}


@pytest.mark.parametrize("what", first_of(CHOSEN))
def test_the_findings_are_those_of_the_whole_report_that_lie_within(
    what: str, keyaudit: Keyaudit, contoso: Path, contoso_report: Reported
) -> None:
    flags, lies_within = CHOSEN[what]
    whole = {each["id"]: each for each in contoso_report.json["findings"]}
    part = found(keyaudit, contoso, *flags)
    assert {each["id"] for each in part} == {id_ for id_, each in whole.items() if lies_within(each)}
    for each in part:
        same = ("outcome", "severity", "message", "fix", "owners", "unknown", "row")
        assert {name: each[name] for name in same} == {name: whole[each["id"]][name] for name in same}


def test_an_area_is_one_line_of_the_table_of_areas(keyaudit: Keyaudit, contoso: Path, contoso_report: Reported) -> None:
    federation = {"signing_certificate", "federated_domain", "token_policy", "trusted_authority", "issuer_key", "shared_key"}
    tables = {each["id"]: each["table"] for each in contoso_report.json["policies"]}
    wanted = {each["id"] for each in contoso_report.json["findings"] if tables[each["policy"]] in federation}
    assert {each["id"] for each in found(keyaudit, contoso, "--area", "Federation")} == wanted


def test_what_may_lie_within_stays(keyaudit: Keyaudit, blind_spots: Path, blind_report: Reported) -> None:
    """A row whose owner or environment could not be read is no other owner's, and in no other environment."""
    rows = [each for each in blind_report.json["findings"] if each["row"]]
    unread = {each["id"] for each in rows if each["owner_unknown"]}
    others = {each["id"] for each in rows if each["owners"] and each["owners"] != ["data-platform"]}
    part = {each["id"] for each in found(keyaudit, blind_spots, "--owner", "data-platform")}
    assert unread
    assert unread <= part
    assert not others & part


def test_what_was_not_read_elsewhere_does_not_make_a_gate_incomplete(keyaudit: Keyaudit, blind_spots: Path) -> None:
    gates = {
        vault: keyaudit("gate", "--from", blind_spots, "--fail-on", "critical", "--vault", vault, "-o", "json", "-q")
        for vault in ("kv-data-prod", "kv-payments-prod")
    }
    for vault, done in gates.items():
        told = json.loads(done.out)
        assert {gap["scope"]["name"] for gap in told["gaps"] if gap["scope"]["kind"] == "vault"} <= {vault}


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--vault", "kv-dat"), "--vault: nothing that was read matches 'kv-dat'; did you mean kv-data-prod?"),
        (("--environment", "prdo"), "--environment: nothing that was read matches 'prdo'; did you mean prod?"),
        (("--area", "logs and"), "--area: nothing that was read matches 'logs and'; did you mean Logs and alerts or Logs?"),
        (("--owner", "nobody-at-all-*"), "--owner: nothing that was read matches 'nobody-at-all-*'"),
        (("--vault", "kv-data-prod", "--owner", "treasury"), "--vault, --owner: no resource in the data matches all of them"),
        (("--resource", "no-such-key"), "--resource: nothing that was read matches"),
    ],
)
def test_what_matches_nothing_is_an_error_and_no_empty_report(
    flags: tuple[str, ...], said: str, keyaudit: Keyaudit, contoso: Path
) -> None:
    done = keyaudit("report", "--from", contoso, *flags)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_a_gate_takes_vaults_and_subscriptions_alone_and_says_so(keyaudit: Keyaudit, contoso: Path) -> None:
    done = keyaudit("gate", "--from", contoso, "--vault", "kv-data-prod")
    assert done.code == 1
    assert "part       only vaults kv-data-prod" in done.out
    assert re.search(r"^  checked    \d+ objects of \d+ kinds against \d+ policies$", done.out, re.MULTILINE)
    assert {line.split()[1] for line in done.out.splitlines() if line.startswith("  BLOCK")} >= {
        "combo-app-to-signing-key-path"
    }
    assert "kv-identity-prod" not in done.out
    assert keyaudit("gate", "--from", contoso, "--vault", "kv-nowhere").code == 2
    # A tag that somebody removes must not take a finding out of a gate.
    for flag in ("--owner", "--environment", "--area", "--resource"):
        assert keyaudit("gate", "--from", contoso, flag, "x").code == 2


def test_every_output_says_that_it_is_a_part(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    names = ("json", "html", "markdown")
    exports = [f"{name}={tmp_path / name}" for name in names]
    done = keyaudit("export", *exports, "--from", contoso, "--vault", "kv-data-prod", "--environment", "prod", "-q")
    assert done.code == 0, done.err
    assert json.loads((tmp_path / "json").read_text("utf-8"))["run"]["exclusions"] == [
        "only vaults kv-data-prod",
        "only environments prod",
        "--environment leaves out applications, their credentials and other kinds that have no environment",
    ]
    assert "only vaults kv-data-prod" in (tmp_path / "html").read_text("utf-8")
    assert "only vaults kv-data-prod" in (tmp_path / "markdown").read_text("utf-8")
    hidden = keyaudit("report", "--from", contoso, "--vault", "kv-data-prod", "--redact", "names", "-q")
    assert "kv-data-prod" not in hidden.out
    assert "only vaults " in " ".join(hidden.out.split())


def test_lists_take_a_part_too(keyaudit: Keyaudit, contoso: Path) -> None:
    rows = list(
        csv.DictReader(io.StringIO(keyaudit("inventory", "keys", "--from", contoso, "--owner", "treasury", "-o", "csv").out))
    )
    assert rows
    assert {row["vault_name"] for row in rows} == {"kv-payments-prod"}
    soon = keyaudit("expiring", "400d", "--from", contoso, "--vault", "kv-data-prod", "-o", "csv")
    ends = list(csv.DictReader(io.StringIO(soon.out)))
    assert ends
    assert all("kv-data-prod" in row["resource"] for row in ends)


def test_the_next_commands_keep_the_part_where_they_take_it(keyaudit: Keyaudit, contoso: Path) -> None:
    out = keyaudit("report", "--from", contoso, "--subscription", PROD).out
    whole, explain, soon = [line for line in out.splitlines() if line.startswith("Next: ")]
    assert f"--subscription {PROD}" in whole
    assert f"--subscription {PROD}" in soon
    assert "--subscription" not in explain


def test_other_commands_do_not_take_a_part_of_a_snapshot(keyaudit: Keyaudit, contoso: Path) -> None:
    assert "leave them out" in keyaudit("access", "kv-data-prod", "--from", contoso, "--vault", "kv-data-prod").err
    assert "whole tenant" in keyaudit("report", "--from", contoso, "--framework", "cis-azure-6.0", "--owner", "treasury").err
