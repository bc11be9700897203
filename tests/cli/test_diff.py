"""What changed between two snapshots: new, worse, mended, and what cannot be seen any more, which is never mended."""

import csv
import io
import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from keyaudit.cli.clock import SystemClock
from keyaudit.simulator.estate import Estate
from keyaudit.simulator.estates import estate
from keyaudit.simulator.faults import Fault
from tests.cli.conftest import Keyaudit, collected, once
from tests.cli.tenants import running

LISTS = ("vault.query", "vault.list")


HELD = ("--select", "kv-*")
"""The policies over what vaults are and hold."""


@pytest.fixture(scope="module")
def tenant() -> Estate:
    """A small one."""
    return estate("sized:2x20x1x1", SystemClock().now())


@pytest.fixture(scope="module")
def old(tenant: Estate, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of it."""
    return read(tenant, tmp_path_factory.mktemp("old") / "snapshot")


@pytest.fixture(scope="module")
def later(contoso: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of the tenant of `contoso`, taken after it."""
    return collected(tmp_path_factory.mktemp("later") / "snapshot", "contoso")


@pytest.fixture(scope="module")
def found(contoso: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """All findings of `contoso`."""
    path = tmp_path_factory.mktemp("found") / "report.json"
    once("report", "--from", contoso, "--export", f"json={path}")
    findings: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["findings"]
    return findings


def read(found: Estate, folder: Path, *faults: Fault) -> Path:
    """A snapshot of it, in the folder."""
    with running(found, faults=faults) as simulated, pytest.MonkeyPatch.context() as patch:
        for name, value in simulated.environ.items():
            patch.setenv(name, value)
        once("collect", "--tenant", found.tenant_id, "--out", folder, "--quiet")
    return folder


def became(keyaudit: Keyaudit, old: Path, new: Path, name: str) -> Counter[str]:
    """What became of the findings of what that vault held."""
    changes = keyaudit("diff", old, new, *HELD, "-o", "json").json["changes"]
    return Counter(each["change"] for each in changes if f"//{name}." in each["subject"])


def test_a_snapshot_does_not_differ_from_itself(keyaudit: Keyaudit, contoso: Path, found: list[dict[str, Any]]) -> None:
    ran = keyaudit("diff", contoso, contoso, "-o", "json")
    assert ran.code == 0
    assert ran.json["changes"] == ran.json["dark"] == []
    assert ran.json["same"] == len(found) > 0


def test_what_went_dark_is_not_mended_and_is_new_once_it_is_seen(
    keyaudit: Keyaudit, contoso: Path, blind_spots: Path, later: Path, found: list[dict[str, Any]]
) -> None:
    ran = keyaudit("diff", contoso, blind_spots, "-o", "json")
    assert ran.code == 3
    changes = ran.json["changes"]
    assert {each["change"] for each in changes} == {"dark"}
    before = {each["id"] for each in found}
    after = keyaudit("report", "--from", blind_spots, "-o", "json").json["findings"]
    failing = {each["id"] for each in after if each["outcome"] == "fail"}
    assert {each["finding"] for each in changes} == before - failing
    assert all(each["after"] is None and each["before"] for each in changes)
    scopes = {each["scope"]["name"] for each in ran.json["dark"]}
    assert {"kv-hr-prod", "kv-payments-prod", "kv-orders-prod", "kv-stores-dev"} <= scopes
    rows = list(csv.DictReader(io.StringIO(keyaudit("diff", blind_spots, later, "-o", "csv").out, newline="")))
    assert {row["change"] for row in rows} == {"new"}
    assert {row["finding_id"] for row in rows} == {each["finding"] for each in changes}


def test_people_are_told_which_vaults_went_dark_and_why(keyaudit: Keyaudit, contoso: Path, blind_spots: Path) -> None:
    text = keyaudit("diff", contoso, blind_spots, *HELD).out
    assert "no longer readable: vault kv-hr-prod (the identity may not read it): " in re.sub(r"\s+", " ", text)
    assert "0 fixed" in text


def test_snapshots_in_the_wrong_order_are_refused(keyaudit: Keyaudit, contoso: Path, later: Path, tmp_path: Path) -> None:
    ran = keyaudit("diff", later, contoso, "--select", "kv-purge-*")
    assert ran.code == 2
    assert "name the earlier snapshot first" in ran.err
    assert keyaudit("diff", contoso, tmp_path / "none").code == 2


def test_what_a_deleted_vault_held_is_fixed(keyaudit: Keyaudit, tenant: Estate, old: Path, tmp_path: Path) -> None:
    gone = tenant.vaults[0].name
    new = read(replace(tenant, vaults=tenant.vaults[1:]), tmp_path / "new")
    fixed = became(keyaudit, old, new, gone)
    assert set(fixed) == {"fixed"}
    found = keyaudit("report", "--from", old, *HELD, "-o", "json").json["findings"]
    assert fixed.total() == sum(f"//{gone}." in each["subject"] for each in found)


def test_a_vault_that_was_not_listed_because_lists_were_refused_is_dark(
    keyaudit: Keyaudit, tenant: Estate, old: Path, tmp_path: Path
) -> None:
    refused = [Fault(listing, "every", status=403) for listing in LISTS]
    new = read(tenant, tmp_path / "new", *refused)
    assert set(became(keyaudit, old, new, tenant.vaults[0].name)) == {"dark"}


def test_a_key_is_fixed_once_a_whole_list_lacks_it_and_dark_where_the_list_was_refused(
    keyaudit: Keyaudit, tenant: Estate, old: Path, tmp_path: Path
) -> None:
    vault = tenant.vaults[0]
    left = replace(vault, keys=())
    whole = read(replace(tenant, vaults=(left, *tenant.vaults[1:])), tmp_path / "whole")
    assert set(became(keyaudit, old, whole, vault.name)) == {"fixed"}
    cut = Fault("key.list", "every", where=vault.name, status=500)
    new = read(replace(tenant, vaults=(left, *tenant.vaults[1:])), tmp_path / "cut", cut)
    assert set(became(keyaudit, old, new, vault.name)) == {"dark"}
