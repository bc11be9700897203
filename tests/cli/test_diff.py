"""What changed between two snapshots: new, worse, mended, and what cannot be seen any more, which is never mended."""

import csv
import io
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from keyaudit.cli.clock import SystemClock
from keyaudit.simulator.estate import Estate
from keyaudit.simulator.estates import estate
from keyaudit.simulator.faults import Fault
from tests.cli.conftest import Keyaudit
from tests.cli.tenants import running

LISTS = ("vault.query", "vault.list")


@pytest.fixture
def tenant() -> Estate:
    """A small one."""
    return estate("sized:2x20x1x1", SystemClock().now())


def read(keyaudit: Keyaudit, found: Estate, folder: Path, *faults: Fault) -> Path:
    """A snapshot of it, in the folder."""
    with running(found, faults=faults) as simulated, pytest.MonkeyPatch.context() as patch:
        for name, value in simulated.environ.items():
            patch.setenv(name, value)
        keyaudit("collect", "--tenant", found.tenant_id, "--out", folder, "--quiet")
    return folder


def became(keyaudit: Keyaudit, old: Path, new: Path, name: str) -> Counter[str]:
    """What became of the findings of what that vault held."""
    changes = keyaudit("diff", old, new, "-o", "json").json["changes"]
    return Counter(each["change"] for each in changes if f"//{name}." in each["subject"])


def test_a_snapshot_does_not_differ_from_itself(keyaudit: Keyaudit, contoso: Path) -> None:
    found = keyaudit("diff", contoso, contoso, "-o", "json")
    assert found.code == 0
    assert found.json["changes"] == found.json["dark"] == []
    assert found.json["same"] == len(keyaudit("report", "--from", contoso, "-o", "json").json["findings"])


def test_what_went_dark_is_not_mended(keyaudit: Keyaudit, contoso: Path, blind_spots: Path) -> None:
    ran = keyaudit("diff", contoso, blind_spots, "-o", "json")
    assert ran.code == 3
    changes = ran.json["changes"]
    assert {each["change"] for each in changes} == {"dark"}
    before = {each["id"] for each in keyaudit("report", "--from", contoso, "-o", "json").json["findings"]}
    after = keyaudit("report", "--from", blind_spots, "-o", "json").json["findings"]
    failing = {each["id"] for each in after if each["outcome"] == "fail"}
    assert {each["finding"] for each in changes} == before - failing
    assert all(each["after"] is None and each["before"] for each in changes)
    scopes = {each["scope"]["name"] for each in ran.json["dark"]}
    assert {"kv-hr-prod", "kv-payments-prod", "kv-orders-prod", "kv-stores-dev"} <= scopes
    text = keyaudit("diff", contoso, blind_spots).out
    assert "gone dark: vault kv-hr-prod (the identity may not read it): " in re.sub(r"\s+", " ", text)
    assert "0 fixed" in text


def test_what_is_seen_for_the_first_time_is_new(keyaudit: Keyaudit, contoso: Path, blind_spots: Path, tmp_path: Path) -> None:
    ran = keyaudit("collect", "--demo", "--out", tmp_path / "later", "--quiet")
    assert ran.code == 0
    rows = list(csv.DictReader(io.StringIO(keyaudit("diff", blind_spots, tmp_path / "later", "-o", "csv").out, newline="")))
    assert {row["change"] for row in rows} == {"new"}
    dark = keyaudit("diff", contoso, blind_spots, "-o", "json").json["changes"]
    assert {row["finding_id"] for row in rows} == {each["finding"] for each in dark}


def test_snapshots_in_the_wrong_order_are_refused(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    assert keyaudit("collect", "--demo", "--out", tmp_path / "later", "--quiet").code == 0
    ran = keyaudit("diff", tmp_path / "later", contoso)
    assert ran.code == 2
    assert "name the earlier snapshot first" in ran.err
    assert keyaudit("diff", contoso, tmp_path / "none").code == 2


def test_what_a_deleted_vault_held_is_fixed(keyaudit: Keyaudit, tenant: Estate, tmp_path: Path) -> None:
    old = read(keyaudit, tenant, tmp_path / "old")
    gone = tenant.vaults[0].name
    new = read(keyaudit, replace(tenant, vaults=tenant.vaults[1:]), tmp_path / "new")
    fixed = became(keyaudit, old, new, gone)
    assert set(fixed) == {"fixed"}
    found = keyaudit("report", "--from", old, "-o", "json").json["findings"]
    assert fixed.total() == sum(f"//{gone}." in each["subject"] for each in found)


def test_a_vault_that_was_not_listed_because_lists_were_refused_is_dark(
    keyaudit: Keyaudit, tenant: Estate, tmp_path: Path
) -> None:
    old = read(keyaudit, tenant, tmp_path / "old")
    refused = [Fault(listing, "every", status=403) for listing in LISTS]
    new = read(keyaudit, tenant, tmp_path / "new", *refused)
    assert set(became(keyaudit, old, new, tenant.vaults[0].name)) == {"dark"}


def test_a_key_is_fixed_once_a_whole_list_lacks_it_and_dark_where_the_list_was_refused(
    keyaudit: Keyaudit, tenant: Estate, tmp_path: Path
) -> None:
    vault = tenant.vaults[0]
    old = read(keyaudit, tenant, tmp_path / "old")
    left = replace(vault, keys=())
    whole = read(keyaudit, replace(tenant, vaults=(left, *tenant.vaults[1:])), tmp_path / "whole")
    assert set(became(keyaudit, old, whole, vault.name)) == {"fixed"}
    cut = Fault("key.list", "every", where=vault.name, status=500)
    new = read(keyaudit, replace(tenant, vaults=(left, *tenant.vaults[1:])), tmp_path / "cut", cut)
    assert set(became(keyaudit, old, new, vault.name)) == {"dark"}
