"""Changes between two snapshots: new, worse, fixed, and no longer readable, which never counts as fixed."""

import csv
import io
import re
from collections import Counter
from io import StringIO
from pathlib import Path

import pytest
from msgspec import structs
from msgspec.structs import replace

from keyaudit import __version__
from keyaudit.cli.clock import SystemClock
from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.report.changes import difference
from keyaudit.report.options import Options
from keyaudit.simulator.estate import Estate
from keyaudit.simulator.estates import estate
from keyaudit.simulator.faults import Fault
from tests.cli.conftest import Keyaudit, Reported, once
from tests.cli.tenants import running
from tests.clock import at
from tests.report.example import REPORT

LISTS = ("vault.query", "vault.list")
FEW = ("--select", "kv-purge-protection-off", "--select", "kv-key-rotation-overdue")
"""A policy over what vaults are, and one over what they hold."""


@pytest.fixture(scope="module")
def tenant() -> Estate:
    """A small one."""
    return estate("sized:2x20x1x1", SystemClock().now())


@pytest.fixture(scope="module")
def old(tenant: Estate, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of it."""
    return read(tenant, tmp_path_factory.mktemp("old") / "snapshot")


@pytest.fixture(scope="module")
def cut(tenant: Estate, old: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A later one, of when the keys of its first vault could not be listed; it holds none any more."""
    fault = Fault("key.list", "every", where=tenant.vaults[0].name, status=403)
    with at(open_snapshot(old).run.as_of + 60):
        return read(emptied(tenant), tmp_path_factory.mktemp("cut") / "snapshot", fault)


def emptied(tenant: Estate) -> Estate:
    """It with no keys in its first vault."""
    return replace(tenant, vaults=(replace(tenant.vaults[0], keys=()), *tenant.vaults[1:]))


def read(found: Estate, folder: Path, *faults: Fault) -> Path:
    """A snapshot of it, in the folder."""
    with running(found, faults=faults) as simulated, pytest.MonkeyPatch.context() as patch:
        for name, value in simulated.environ.items():
            patch.setenv(name, value)
        once("collect", "--tenant", found.tenant_id, "--out", folder, "--quiet")
    return folder


def became(keyaudit: Keyaudit, old: Path, new: Path, name: str) -> Counter[str]:
    """What became of the findings of what that vault held."""
    changes = keyaudit("diff", old, new, *FEW, "-o", "json").json["changes"]
    return Counter(each["change"] for each in changes if f"//{name}." in each["subject"])


def test_what_went_dark_is_not_mended_and_people_are_told_which_vaults_and_why(
    keyaudit: Keyaudit, contoso: Path, blind_spots: Path, contoso_report: Reported, blind_report: Reported
) -> None:
    ran = keyaudit("diff", contoso, blind_spots, *FEW, "-o", "json")
    assert ran.code == 3
    changes = ran.json["changes"]
    assert {each["change"] for each in changes} == {"dark"}
    before, after = (
        {each["id"] for each in report.findings("fail") if each["policy"] in FEW} for report in (contoso_report, blind_report)
    )
    assert {each["finding"] for each in changes} == before - after
    assert all(each["after"] is None and each["before"] for each in changes)
    scopes = {each["scope"]["name"] for each in ran.json["dark"]}
    assert {"kv-hr-prod", "kv-payments-prod", "kv-orders-prod", "kv-stores-dev"} <= scopes
    text = keyaudit("diff", contoso, blind_spots, *FEW).out
    assert "no longer readable: vault kv-hr-prod (the identity may not read it): " in re.sub(r"\s+", " ", text)
    assert "0 fixed" in text


def test_what_is_seen_again_is_new(keyaudit: Keyaudit, tenant: Estate, old: Path, cut: Path, tmp_path: Path) -> None:
    with at(open_snapshot(cut).run.as_of + 60):
        later = read(tenant, tmp_path / "later")
    changes = keyaudit("diff", old, cut, *FEW, "-o", "json").json["changes"]
    rows = list(csv.DictReader(io.StringIO(keyaudit("diff", cut, later, *FEW, "-o", "csv").out, newline="")))
    assert ({each["change"] for each in changes}, {row["change"] for row in rows}) == ({"dark"}, {"new"})
    assert {row["finding_id"] for row in rows} == {each["finding"] for each in changes}


def test_snapshots_in_the_wrong_order_are_refused(keyaudit: Keyaudit, old: Path, cut: Path, tmp_path: Path) -> None:
    ran = keyaudit("diff", cut, old, *FEW)
    assert ran.code == 2
    assert "name the earlier snapshot first" in ran.err
    assert keyaudit("diff", old, tmp_path / "none").code == 2


@pytest.mark.exhaustive
def test_what_a_deleted_vault_held_is_fixed(keyaudit: Keyaudit, tenant: Estate, old: Path, tmp_path: Path) -> None:
    gone = tenant.vaults[0].name
    new = read(replace(tenant, vaults=tenant.vaults[1:]), tmp_path / "new")
    fixed = became(keyaudit, old, new, gone)
    assert set(fixed) == {"fixed"}
    found = keyaudit("report", "--from", old, *FEW, "-o", "json").json["findings"]
    assert fixed.total() == sum(f"//{gone}." in each["subject"] for each in found)


@pytest.mark.exhaustive
def test_a_vault_that_was_not_listed_because_lists_were_refused_is_dark(
    keyaudit: Keyaudit, tenant: Estate, old: Path, tmp_path: Path
) -> None:
    refused = [Fault(listing, "every", status=403) for listing in LISTS]
    new = read(tenant, tmp_path / "new", *refused)
    assert set(became(keyaudit, old, new, tenant.vaults[0].name)) == {"dark"}


def test_a_key_is_fixed_once_a_whole_list_lacks_it_and_dark_where_the_list_was_refused(
    keyaudit: Keyaudit, tenant: Estate, old: Path, cut: Path, tmp_path: Path
) -> None:
    vault = tenant.vaults[0].name
    whole = read(emptied(tenant), tmp_path / "whole")
    assert set(became(keyaudit, old, whole, vault)) == {"fixed"}
    assert set(became(keyaudit, old, cut, vault)) == {"dark"}


def test_a_difference_is_never_by_policy_version_and_says_what_may_have_been_printed_otherwise(
    keyaudit: Keyaudit, contoso: Path, contoso_report: Reported, monkeypatch: pytest.MonkeyPatch
) -> None:
    same = ("diff", contoso, contoso, "--select", "kv-key-exportable")
    text = " ".join(keyaudit(*same).out.split())
    assert (
        f"Both are evaluated with the policies of keyaudit {__version__}, so no change comes from a new version of them."
        in text
    )
    assert "a report printed then" not in text
    found = keyaudit(*same, "-o", "json").json
    assert (found["evaluated_by"], found["revised"], found["changes"], found["dark"]) == (__version__, 0, [], [])
    monkeypatch.setattr(difference, "changed_since", lambda version: {"kv-key-exportable"} if version == __version__ else set())
    count = sum(each["policy"] == "kv-key-exportable" for each in contoso_report.findings("fail"))
    assert count == found["same"] > 1
    text = " ".join(keyaudit(*same).out.split())
    assert (
        f"{count} findings of the older snapshot are by policies that are new or changed since keyaudit {__version__}," in text
    )
    assert keyaudit(*same, "-o", "json").json["revised"] == count


def test_versions_that_collected_differently_are_named() -> None:
    old = structs.replace(REPORT, run=structs.replace(REPORT.run, tool_version="0.0.9"))
    found, out = difference.compare(old, REPORT), StringIO()
    difference.render_text(structs.replace(found, revised=1), out, Options())
    text = " ".join(out.getvalue().split())
    assert f"keyaudit 0.0.9 collected the older snapshot and {REPORT.run.tool_version} the newer one: differences" in text
    assert "1 finding of the older snapshot is by policies that are new or changed since keyaudit 0.0.9, so a report" in text
