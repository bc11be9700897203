"""Several tenants in one run: each is read and judged as if alone, and none hides what another came to."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from keyaudit.cli.clock import SystemClock
from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.model.errors import Exit
from keyaudit.model.severity import Severity
from keyaudit.simulator.estates import estate
from keyaudit.simulator.serve import Simulator
from tests.cli.conftest import Keyaudit
from tests.cli.tenants import running
from tests.estates import snapshot

NOBODY = "00000000-0000-4000-8000-00000000dead"
# Some that find something in each of these tenants.
FEW = ("--select", "kv-key-*", "--select", "kv-no-private-endpoint", "--select", "app-no-owner")
VAULTS = ("--source", "vaults", "--select", "kv-purge-*", "--select", "kv-no-*", "--select", "kv-public-*")


@pytest.fixture(scope="module")
def fabrikam() -> Path:
    """A snapshot of another tenant."""
    return snapshot("sized:2x3x1x4")


@pytest.fixture
def simulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """Two tenants that let one and the same application in."""
    now = SystemClock().now()
    second = estate("sized:1x2x1x3@7", now)
    # A vault's name is one of a kind in all of Azure.
    vaults = tuple(replace(vault, name=f"{vault.name}-b"[-24:].strip("-")) for vault in second.vaults)
    with running(estate("sized:2x3x1x4", now), others=[replace(second, vaults=vaults)]) as simulated:
        for name, value in simulated.environ.items():
            monkeypatch.setenv(name, value)
        yield simulated


def ids(*names: str) -> list[str]:
    """The ids of the tenants of these estates."""
    return [estate(name, SystemClock().now()).tenant_id for name in names]


BOTH = ("sized:2x3x1x4", "sized:1x2x1x3@7")


def test_each_run_of_a_merged_report_is_the_report_of_that_tenant(contoso: Path, fabrikam: Path, keyaudit: Keyaudit) -> None:
    alone = [keyaudit("report", "--from", folder, *FEW, "-o", "json") for folder in (contoso, fabrikam)]
    assert all(each.json["findings"] for each in alone)
    both = keyaudit("report", "--from", contoso, "--from", fabrikam, *FEW, "-o", "json")
    assert both.json["runs"] == [each.json for each in alone]
    assert both.json["verdict"] == {
        "exit": Exit.CLEAN,
        "name": "complete",
        "conditions": [{"exit": 0, "name": "complete"}],
        "complete": True,
    }
    assert both.code == Exit.CLEAN


def test_the_gravest_exit_code_counts_and_the_others_are_said(
    blind_spots: Path, fabrikam: Path, keyaudit: Keyaudit, tmp_path: Path
) -> None:
    file = tmp_path / "all.json"
    both = ("--from", fabrikam, "--from", blind_spots, *FEW, "--select", "sp-first-party-with-credential")
    ran = keyaudit("gate", *both, "--fail-on", "critical", "--export", f"json={file}")
    written = json.loads(file.read_text(encoding="utf-8"))
    held = {condition["exit"] for run in written["runs"] for condition in run["verdict"]["conditions"]}
    assert [condition["exit"] for condition in written["verdict"]["conditions"]] == [1, 3]
    assert held >= {1, 3}
    assert ran.code == Exit.FINDINGS
    assert not written["verdict"]["complete"]
    text = ran.out
    assert text.count("=== tenant ") == 2
    assert text.splitlines()[-4].startswith("=== 2 tenants, exit 1: ")
    assert text.splitlines()[-3].startswith("    also 3: ")


def test_people_get_one_part_for_each_tenant_and_auditors_one_table(
    contoso: Path, fabrikam: Path, keyaudit: Keyaudit, tmp_path: Path
) -> None:
    file, table = tmp_path / "all.csv", tmp_path / "all.txt"
    both = ("--from", contoso, "--from", fabrikam, *FEW)
    ran = keyaudit("report", *both, "--export", f"csv={file}", "--export", f"table={table}")
    names = [line for line in ran.out.splitlines() if line.startswith("=== ")]
    assert [name.partition(" (")[0] for name in names] == [
        "=== tenant Contoso",
        "=== tenant Contoso, sized",
        "=== 2 tenants, exit 0: no gate evaluated: everything required was assessed",
    ]
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    assert {row["tenant_id"] for row in rows} == {open_snapshot(folder).run.tenant_id for folder in (contoso, fabrikam)}
    assert "tenant_id" not in [row["tenant_id"] for row in rows]
    assert table.read_text(encoding="utf-8").count("=== tenant ") == 2


def test_what_cannot_be_meant_is_refused(contoso: Path, blind_spots: Path, fabrikam: Path, keyaudit: Keyaudit) -> None:
    for arguments, what in (
        (("report", "--from", contoso, "--from", contoso), "twice"),
        # Another snapshot, but of the same tenant.
        (("report", "--from", contoso, "--from", blind_spots, *FEW[:2]), "the same tenant"),
        (("report", "--tenant", "a.example", "--tenant", "A.example"), "twice"),
        (("inventory", "--from", contoso, "--from", fabrikam), "name one"),
        (("expiring", "--tenant", "a.example", "--tenant", "b.example"), "name one"),
        (("collect", "--out", "x", "--tenant", "../a", "--tenant", "b.example"), "neither a tenant id nor a domain"),
    ):
        ran = keyaudit(*arguments)
        assert (ran.code, what in ran.err) == (Exit.USAGE, True), (arguments, ran.err)


def test_a_snapshot_of_a_tenant_that_was_not_named_is_refused(contoso: Path, fabrikam: Path, keyaudit: Keyaudit) -> None:
    named = [part for folder in (contoso, fabrikam) for part in ("--tenant", open_snapshot(folder).run.tenant_id)]
    folders = ("--from", contoso, "--from", fabrikam, *FEW[:2])
    assert keyaudit("report", *folders, *named, "-q").code == Exit.CLEAN
    assert keyaudit("report", *folders, *named[:2], "-q").code == Exit.UNSAFE


def test_a_tenant_that_cannot_be_signed_in_to_is_a_gap_that_gates(simulator: Simulator, keyaudit: Keyaudit) -> None:
    [first] = ids(BOTH[0])
    flags = ("--auth", "env", "--tenant", first, "--tenant", NOBODY, *VAULTS)
    ran = keyaudit("report", *flags, "-o", "json", "-q")
    read, unread = ran.json["runs"]
    assert (read["verdict"]["exit"], unread["verdict"]["exit"]) == (Exit.CLEAN, Exit.NO_ACCESS)
    assert {record["reason"] for record in unread["coverage"] if record["detail"].startswith("no token")} == {"auth_failed"}
    assert unread["run"]["tenant"]["id"] == NOBODY
    assert not any(record["state"] == "assessed" for record in unread["coverage"])
    assert {finding["outcome"] for finding in unread["findings"]} == {"unknown"}
    assert ran.code == Exit.NO_ACCESS
    text = keyaudit("gate", *flags, "-q").out
    assert f"=== tenant {NOBODY}" in text
    assert "=== 2 tenants, exit 4: " in text
    # Alone it ends the run, as ever.
    assert keyaudit("report", "--auth", "env", "--tenant", NOBODY, "-q").out == ""


def test_collect_makes_a_snapshot_of_each_and_goes_on_with_what_is_missing(
    simulator: Simulator, keyaudit: Keyaudit, tmp_path: Path
) -> None:
    first, second = ids(*BOTH)
    out = tmp_path / "out"
    flags = ("--auth", "env", "--source", "vaults", "--out", out, "-q")
    ran = keyaudit("collect", *flags, "--tenant", first, "--tenant", NOBODY)
    assert (ran.code, f"tenant {NOBODY}: sign-in: no token" in ran.err) == (Exit.NO_ACCESS, True)
    assert {path.name for path in out.iterdir()} == {first}
    before = (out / first / "manifest.json").read_bytes()
    ran = keyaudit("collect", *flags, "--tenant", first, "--tenant", second, "--resume")
    assert ran.code == Exit.CLEAN
    assert (out / first / "manifest.json").read_bytes() == before
    assert open_snapshot(out / second).run.tenant_id == second
    both = keyaudit("report", "--from", out / first, "--from", out / second, *FEW, "-o", "json")
    assert [run["run"]["tenant"]["id"] for run in both.json["runs"]] == [first, second]
    assert json.loads(before)["run"]["tenant_id"] == first


def test_several_tenants_are_side_by_side_in_each_format(
    contoso: Path, fabrikam: Path, keyaudit: Keyaudit, tmp_path: Path
) -> None:
    both = ("--from", contoso, "--from", fabrikam, *FEW)
    page, matrix = tmp_path / "both.html", tmp_path / "both.csv"
    ran = keyaudit("report", *both, "-o", "json", "--export", f"html={page}", "--export", f"matrix={matrix}")
    made = ran.json
    for run, row in zip(made["runs"], made["matrix"], strict=True):
        assert row["tenant_id"] == run["run"]["tenant"]["id"]
        # The matrix counts what the run lists, and has no number where no policy was evaluated.
        counted = [each["open"] for each in row["areas"] if each["open"] is not None]
        listed = [each["severity"] for each in run["findings"] if each["outcome"] == "fail"]
        assert {level: sum(of[level] for of in counted) for level in counted[0]} == {
            level: listed.count(level) for level in counted[0]
        }
        assert [each["area"] for each in row["areas"] if each["open"] is None] == [
            "Access",
            "Federation",
            "Other services",
            "Logs and alerts",
            "Tenant settings",
        ]
    findings = {each["id"]: each for run in made["runs"] for each in run["findings"]}
    worst = made["worst"]
    assert worst
    assert all(findings[each["finding"]]["severity"] == each["severity"] for each in worst)
    ranks = [list(Severity).index(each["severity"]) for each in worst]
    assert ranks == sorted(ranks, reverse=True)
    with matrix.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [(each["tenant_id"], each["area"]) for each in lines] == [
        (row["tenant_id"], area["area"]) for row in made["matrix"] for area in row["areas"]
    ]
    assert [each["high"] for each in lines] == [
        "" if area["open"] is None else str(area["open"]["high"]) for row in made["matrix"] for area in row["areas"]
    ]
    shown = page.read_text(encoding="utf-8")
    assert all(row["tenant_id"] in shown for row in made["matrix"])
    assert all(each["finding"][:6] in shown for each in worst)
    text = keyaudit("report", *both).out
    assert "  Access: not evaluated\n" in text
    assert all(f"{each['severity']:<8} {each['finding'][:6]} " in text for each in worst[:10])
