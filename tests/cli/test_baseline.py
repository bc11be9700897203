"""A baseline: a gate that fails on what is new or worse, and does not forget what is old for ever."""

import csv
import io
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.cli.clock import SystemClock
from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.model.values.times import DAY, iso_date, parse_time
from keyaudit.simulator.estate import Estate
from keyaudit.simulator.estate.key_vault import Key
from keyaudit.simulator.estates import estate
from tests.cli.conftest import Keyaudit, once
from tests.cli.tenants import running
from tests.clock import at

SOME = "kv-key-oldest-signing-version kv-key-rotation-overdue app-secret-too-long sp-credential-on-service-principal"
FEW = tuple(word for name in SOME.split() for word in ("--select", name))


@pytest.fixture(scope="module")
def made(contoso: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A baseline of all that is found, which nobody edits."""
    path = tmp_path_factory.mktemp("made") / "baseline.json"
    once("baseline", "create", "--from", contoso, "--out", path)
    return path


@pytest.fixture
def baseline(made: Path, tmp_path: Path) -> Path:
    """A copy of it, to be edited."""
    return Path(shutil.copy(made, tmp_path))


def edited(path: Path, change: Any) -> Path:
    found = json.loads(path.read_text(encoding="utf-8"))
    change(found)
    path.write_text(json.dumps(found), encoding="utf-8")
    return path


def test_a_gate_passes_on_a_dirty_tenant_the_day_it_is_switched_on(keyaudit: Keyaudit, contoso: Path, baseline: Path) -> None:
    was, now = baseline.parent / "was.json", baseline.parent / "now.json"
    gate = ("gate", "--from", contoso, *FEW, "--baseline", baseline, "--export", f"json={now}")
    assert keyaudit("gate", "--from", contoso, *FEW, "--export", f"json={was}").code == 1
    old = keyaudit(*gate)
    assert old.code == 1
    [blocking] = re.findall(r"^  blocking   (\d+)$", old.out, re.MULTILINE)
    hint = f"  HINT  the baseline knows {blocking} of the {blocking} blocking findings; with --new-only, only the others"
    assert hint in old.out
    ran = keyaudit(*gate, "--new-only")
    assert "HINT" not in ran.out
    assert ran.code == 0, ran.out
    assert "new-only" in ran.out
    assert " known, " in ran.out
    plain, report = (json.loads(path.read_text(encoding="utf-8")) for path in (was, now))
    assert not any(report["verdict"]["failed"].values())
    assert report["verdict"]["known"] == plain["verdict"]["failed"]
    assert all(each["known"] for each in report["findings"])
    assert [each["id"] for each in report["findings"]] == [each["id"] for each in plain["findings"]]


def test_what_is_new_or_worse_fails(keyaudit: Keyaudit, contoso: Path, baseline: Path) -> None:
    def without_one(found: Any) -> None:
        found["findings"] = [each for each in found["findings"] if each["policy"] != "kv-key-oldest-signing-version"]

    since = ("gate", "--from", contoso, *FEW, "--baseline", baseline, "--new-only")
    edited(baseline, without_one)
    ran = keyaudit(*since)
    assert ran.code == 1
    blocking = [line for line in ran.out.splitlines() if line.startswith("  BLOCK")]
    assert blocking
    assert all("kv-key-oldest-signing-version" in line for line in blocking)

    def milder(found: Any) -> None:
        without_one(found)
        for each in found["findings"]:
            if each["severity"] == "high":
                each["severity"] = "medium"

    edited(baseline, milder)
    worse = keyaudit(*since, "--fail-on", "high")
    assert worse.code == 1
    blocking = [line for line in worse.out.splitlines() if line.startswith("  BLOCK")]
    assert blocking
    assert all("HIGH" in line for line in blocking)


def test_an_entry_older_than_the_limit_is_open_again(keyaudit: Keyaudit, contoso: Path, baseline: Path) -> None:
    def older(found: Any) -> None:
        made = parse_time(found["as_of"])
        for each in found["findings"]:
            if each["policy"] == "kv-key-oldest-signing-version":
                each["since"] = iso_date(made - 180 * DAY)
            elif each["policy"] == "app-secret-too-long":
                each["since"] = iso_date(made - 179 * DAY)

    ran = keyaudit("gate", "--from", contoso, *FEW, "--baseline", edited(baseline, older), "--new-only")
    assert ran.code == 1
    assert "OUTLIVED" in ran.out
    assert all("kv-key-oldest-signing-version" in line for line in ran.out.splitlines() if line.startswith("  BLOCK"))


def test_making_it_anew_makes_nothing_younger(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    def older(found: Any) -> None:
        for each in found["findings"][:3]:
            each["since"] = "2026-03-01"

    baseline = tmp_path / "baseline.json"
    create = ("baseline", "create", "--from", contoso, *FEW, "--out", baseline)
    assert keyaudit(*create).code == 0
    edited(baseline, older)
    assert keyaudit(*create, "--limit", "90").code == 0
    again = json.loads(baseline.read_text(encoding="utf-8"))
    assert again["limit_days"] == 90
    assert [each["since"] for each in again["findings"][:3]] == ["2026-03-01"] * 3
    assert len(again["findings"]) > 3
    assert all(each["since"] != "2026-03-01" for each in again["findings"][3:])
    shown = keyaudit("baseline", "show", baseline)
    assert shown.code == 0
    assert "2026-03-01" in shown.out


@pytest.mark.exhaustive
def test_what_was_not_read_gates_whatever_the_baseline_says(keyaudit: Keyaudit, blind_spots: Path, tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    made = keyaudit("baseline", "create", "--from", blind_spots, *FEW, "--out", path)
    assert made.code == 3
    assert "the baseline does not cover what was not read" in made.out
    assert json.loads(path.read_text(encoding="utf-8"))["findings"]
    assert keyaudit("gate", "--from", blind_spots, *FEW, "--baseline", path, "--new-only").code == 3
    assert "of an incomplete run" in keyaudit("baseline", "show", path).out


UNKNOWABLE = "agent-foreign-blueprint-with-secret"


def test_an_unknown_result_is_known_only_on_demand_for_its_reason_and_for_30_days(
    keyaudit: Keyaudit, contoso: Path, tmp_path: Path
) -> None:
    path = tmp_path / "baseline.json"
    chosen = ("--from", contoso, "--select", UNKNOWABLE)
    assert keyaudit("baseline", "create", *chosen, "--out", path).code == 0
    gate = ("gate", *chosen, "--baseline", path, "--new-only")
    assert keyaudit(*gate).code == 3
    ran = keyaudit("baseline", "create", *chosen, "--out", path, "--with-unknown")
    assert "1 unknown result, each for 30 days at most" in ran.out
    ran = keyaudit(*gate)
    assert ran.code == 0, ran.out
    assert "  KNOWN  unknown results in the baseline: 1; they pass, for at most 30 days" in ran.out
    assert keyaudit(*gate[:-1]).code == 3
    [entry] = json.loads(path.read_text(encoding="utf-8"))["unknown"]
    assert (entry["policy"], entry["because"]) == (UNKNOWABLE, "client_secret: publisher_only")
    assert "1 unknown result; the first one counts again on" in keyaudit("baseline", "show", path).out

    def changed(**to: str) -> Path:
        copy = Path(shutil.copy(path, tmp_path / "changed.json"))
        return edited(copy, lambda found: found["unknown"][0].update(to))

    for to in (
        {"because": "client_secret: permission"},
        {"subject": "/x"},
        {"severity": "low"},
        {"policy": "kv-key-no-expiry"},
    ):
        assert keyaudit("gate", *chosen, "--baseline", changed(**to), "--new-only").code == 3, to
    day = parse_time(json.loads(path.read_text(encoding="utf-8"))["as_of"])
    for days, code in ((29, 0), (31, 3)):
        old = changed(since=iso_date(day - days * DAY))
        assert keyaudit("gate", *chosen, "--baseline", old, "--new-only").code == code, days
    # Creating it again makes no entry younger.
    old = changed(since=iso_date(day - 20 * DAY))
    keyaudit("baseline", "create", *chosen, "--out", old, "--with-unknown")
    assert json.loads(old.read_text(encoding="utf-8"))["unknown"][0]["since"] == iso_date(day - 20 * DAY)


def test_a_blind_tenant_passes_on_the_day_that_its_unknown_results_were_recorded(
    keyaudit: Keyaudit, blind_spots: Path, tmp_path: Path
) -> None:
    path = tmp_path / "baseline.json"
    chosen = ("--from", blind_spots, "--select", "kv-key-*")
    keyaudit("baseline", "create", *chosen, "--out", path, "--with-unknown")
    ran = keyaudit("gate", *chosen, "--baseline", path, "--new-only", "-o", "json")
    assert (ran.code, ran.json["verdict"]["known_unknown"]) == (0, sum(ran.json["verdict"]["unknown"].values()))
    edited(path, lambda found: found["unknown"].pop())
    assert keyaudit("gate", *chosen, "--baseline", path, "--new-only").code == 3


def test_auditors_see_since_when(keyaudit: Keyaudit, contoso: Path, baseline: Path) -> None:
    out = keyaudit("report", "--from", contoso, *FEW, "-o", "csv", "--baseline", baseline).out
    rows = list(csv.DictReader(io.StringIO(out, newline="")))
    day = json.loads(baseline.read_text(encoding="utf-8"))["findings"][0]["since"]
    assert {row["first_seen_at"] for row in rows if row["status"] == "fail"} == {f"{day}T00:00:00Z"}
    assert {row["first_seen_at"] for row in rows if row["status"] != "fail"} == {""}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda found: found.pop("findings"), "not a baseline"),
        (lambda found: found.update(schema="keyaudit-baseline/9"), "not a baseline of this version"),
        (lambda found: found.update(limit_days=10**9), "limit_days"),
        (lambda found: found["findings"][0].update(since="yesterday"), "not a baseline"),
        (lambda found: found["findings"][0].update(since="2099-01-01"), "an entry starts after the baseline"),
        (lambda found: found["findings"][0].update(severity="grave"), "not a baseline"),
        (lambda found: found["findings"][0].update(owner="me"), "not a baseline"),
    ],
)
def test_what_is_no_baseline(keyaudit: Keyaudit, baseline: Path, change: Any, said: str) -> None:
    ran = keyaudit("gate", "--demo", "--baseline", edited(baseline, change))
    assert ran.code == 2
    assert said in ran.err
    assert "reading tenant" not in ran.err


def of_another(found: Any, *, evaluated: bool = True, rule: bool = False, limits: bool = False, run: str = "another") -> None:
    """The baseline as another version or other settings would have made it, without the findings of one policy."""
    found["findings"] = [each for each in found["findings"] if each["policy"] != "kv-key-oldest-signing-version"]
    found["run"] = run
    recorded = found["policies"]["kv-key-oldest-signing-version"]
    if not evaluated:
        del found["policies"]["kv-key-oldest-signing-version"]
    if rule:
        recorded["rule"] = "0" * 16
    if limits:
        recorded["limits"] = "0" * 16


TOLD = ("  VERSION", "  SETTINGS", "  SAME", "  TENANT", "  UNRECORDED")


@pytest.mark.parametrize(
    ("how", "begins", "origin"),
    [
        ({"evaluated": False}, "  VERSION  {} of policies that were evaluated only once", "not-evaluated"),
        ({"rule": True}, "  VERSION  {} may have changed by policy version: the rule is another one", "rule"),
        ({"limits": True}, "  SETTINGS  {} may have changed by settings: the limits are other ones", "limits"),
        ({}, "  SAME  {} of policies with the same rule and limits: the tenant changed, or time passed", "same"),
    ],
)
def test_a_gate_says_what_a_changed_policy_found_and_fails_all_the_same(
    keyaudit: Keyaudit, contoso: Path, baseline: Path, how: Any, begins: str, origin: str
) -> None:
    edited(baseline, lambda found: of_another(found, **how))
    file = baseline.parent / "gate.json"
    gate = ("gate", "--from", contoso, *FEW, "--baseline", baseline, "--new-only", "--fail-on", "low")
    ran = keyaudit(*gate, "--export", f"json={file}")
    assert ran.code == 1
    report = json.loads(file.read_text(encoding="utf-8"))
    count = sum(each["outcome"] == "fail" and not each["known"] for each in report["findings"])
    assert count > 1
    assert report["verdict"]["baseline"]["not_covered"] == {origin: count}
    [line] = [line for line in ran.out.splitlines() if line.startswith(TOLD)]
    assert line == f"{begins.format(count)}{line[len(begins.format(count)) :]}"
    assert line.endswith(f": kv-key-oldest-signing-version ({count})")
    assert ("HINT" in ran.out) is (origin != "same")


@pytest.mark.parametrize("redact", [False, pytest.param(True, marks=pytest.mark.exhaustive)])
def test_with_the_snapshot_of_the_baseline_it_is_certain_what_the_tenant_changed(
    keyaudit: Keyaudit, tmp_path: Path, redact: bool
) -> None:
    """Another rule would have left out a key, and since then two keys have grown too old."""
    tenant = estate("sized:1x20x1x1", SystemClock().now())
    then, later, path, file = (tmp_path / name for name in ("then", "later", "b.json", "gate.json"))
    few = ("--select", "kv-key-rotation-overdue", "--profile", "strict")
    collected_from(tenant, then)
    keyaudit("baseline", "create", "--from", then, *few, "--out", path)

    def without_one(found: Any) -> None:
        del found["findings"][:1]
        found["policies"]["kv-key-rotation-overdue"]["rule"] = "0" * 16

    edited(path, without_one)
    found = keyaudit("report", "--from", then, *few, "-o", "json").json["findings"]
    failing = {each["subject"].rpartition("/")[2] for each in found}
    young = [key.name for key in tenant.vaults[0].keys if key.name not in failing][:2]
    assert len(failing) == 2
    keys = tuple(aged(key) if key.name in young else key for key in tenant.vaults[0].keys)
    with at(open_snapshot(then).run.as_of + 60):
        collected_from(replace(tenant, vaults=(replace(tenant.vaults[0], keys=keys),)), later)
    more = ("--redact", "names") if redact else ()
    gate = ("gate", "--from", later, *few, "--baseline", path, "--new-only", "--fail-on", "low", *more)
    ran = keyaudit(*gate, "--since", then, "--export", f"json={file}")
    assert ran.code == 1
    assert json.loads(file.read_text(encoding="utf-8"))["verdict"]["baseline"]["not_covered"] == {"tenant": 2, "version": 1}
    policy = "kv-key-rotation-overdue"
    assert [line for line in ran.out.splitlines() if line.startswith(TOLD)] == [
        f"  VERSION  1 changed by policy version, settings or date, not by the tenant: {policy} (1)",
        f"  TENANT  2 changed by the tenant, because time passed, or because they were not readable then: {policy} (2)",
    ]
    assert "HINT" not in ran.out
    # Another snapshot proves nothing about that run.
    edited(path, lambda found: found.update(run="another"))
    assert "may have changed by policy version" in keyaudit(*gate, "--since", then).out


def collected_from(tenant: Estate, folder: Path) -> None:
    with running(tenant) as simulated, pytest.MonkeyPatch.context() as patch:
        for name, value in simulated.environ.items():
            patch.setenv(name, value)
        once("collect", "--tenant", tenant.tenant_id, "--out", folder, "--quiet")


def aged(key: Key) -> Key:
    """The key, as if every version was created ten years earlier."""
    return replace(key, versions=tuple(replace(each, created=(each.created or 0) - 3_653 * DAY) for each in key.versions))


def test_over_its_own_run_nothing_that_a_baseline_lacks_is_of_the_tenant(
    keyaudit: Keyaudit, contoso: Path, baseline: Path
) -> None:
    run_id = json.loads(baseline.read_text(encoding="utf-8"))["run"]
    edited(baseline, lambda found: of_another(found, rule=True, run=run_id))
    out = keyaudit("gate", "--from", contoso, *FEW, "--baseline", baseline, "--new-only").out
    [line] = [line for line in out.splitlines() if line.startswith(TOLD)]
    assert re.fullmatch(
        r"  VERSION  \d+ changed by policy version, settings or date, not by the tenant: kv-key-oldest-signing-version \(\d+\)",
        line,
    )
    assert "HINT" not in out


def test_a_gate_that_finds_what_the_baseline_has_speaks_of_no_version(
    keyaudit: Keyaudit, contoso: Path, baseline: Path
) -> None:
    out = keyaudit("gate", "--from", contoso, *FEW, "--baseline", baseline, "--new-only").out
    assert not any(word in out for word in (*TOLD, "HINT"))


def test_a_baseline_of_an_older_version_is_read_and_says_that_it_cannot_tell(
    keyaudit: Keyaudit, contoso: Path, baseline: Path
) -> None:
    def older(found: Any) -> None:
        of_another(found)
        del found["policies"], found["tool_version"]

    ran = keyaudit("gate", "--from", contoso, *FEW, "--baseline", edited(baseline, older), "--new-only")
    assert ran.code == 1
    assert "the baseline does not say which policies it was created with" in ran.out
    assert keyaudit("baseline", "show", baseline).code == 0


def test_settings_are_told_from_rules(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    path, config = tmp_path / "b.json", tmp_path / "keyaudit.toml"
    keyaudit("baseline", "create", "--from", contoso, *FEW, "--out", path)
    config.write_text('schema = 1\n[policy.parameters.kv-key-rotation-overdue]\nmax_age = "P30D"\n', encoding="utf-8")
    edited(path, lambda found: found.update(run="another"))
    out = keyaudit("gate", "--from", contoso, *FEW, "--baseline", path, "--new-only", "--config", config).out
    [line] = [line for line in out.splitlines() if line.startswith(TOLD)]
    assert line.startswith("  SETTINGS  ")
    assert "kv-key-rotation-overdue" in line


def test_creating_it_again_says_what_the_version_changed(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    create = ("baseline", "create", "--from", contoso, *FEW, "--out", path)
    assert "compared" not in keyaudit(*create).out

    def older(found: Any) -> None:
        of_another(found, evaluated=False)
        found["findings"].append({"policy": "kv-gone", "subject": "x", "severity": "high", "since": "2026-01-01"})
        found["policies"]["kv-gone"] = {"rule": "0" * 16, "limits": "0" * 16}

    edited(path, older)
    lines = keyaudit(*create).out.splitlines()
    assert re.fullmatch(r"\d+ new or raised, compared with the file that was there:", lines[1])
    assert re.fullmatch(
        r"  VERSION  \d+ of policies that were evaluated only once, .*: kv-key-oldest-signing-version \(\d+\)", lines[2]
    )
    assert lines[3] == "1 no longer open, compared with the file that was there:"
    assert lines[4].endswith(": kv-gone (1)")
    assert len(lines) == 5
    # Created once more, nothing differs.
    assert "compared" not in keyaudit(*create).out


def test_creating_it_again_from_an_incomplete_run_keeps_what_could_not_be_evaluated(
    keyaudit: Keyaudit, blind_spots: Path, baseline: Path
) -> None:
    gone = {("kv-key-rotation-overdue", "of-a-list-that-was-not-read"): True, ("app-secret-too-long", "of-one-that-was"): False}

    def with_those_that_are_gone(found: Any) -> None:
        for policy, subject in gone:
            like = next(each for each in found["findings"] if each["policy"] == policy)
            found["findings"].append(like | {"subject": subject})

    edited(baseline, with_those_that_are_gone)
    before = {(each["policy"], each["subject"]): each for each in json.loads(baseline.read_text(encoding="utf-8"))["findings"]}
    lines = keyaudit("baseline", "create", "--from", blind_spots, *FEW, "--out", baseline).out.splitlines()
    assert "The run was incomplete: the baseline does not cover what was not read." in lines
    after = {(each["policy"], each["subject"]): each for each in json.loads(baseline.read_text(encoding="utf-8"))["findings"]}
    # kv-payments-prod's keys were not read; the applications were.
    unread = {key for key in before if key[0] == "kv-key-rotation-overdue" and "kv-payments-prod" in key[1]}
    assert unread
    assert all(after[key] == before[key] for key in unread)
    assert {key: key in after for key in gone} == gone
    found = json.loads(keyaudit("report", "--from", blind_spots, *FEW, "-o", "json").out)["findings"]
    secrets = {(each["policy"], each["subject"]) for each in found if each["policy"] == "app-secret-too-long"}
    assert {key for key in after if key[0] == "app-secret-too-long"} <= secrets


def test_showing_it_names_policies_with_another_rule(keyaudit: Keyaudit, baseline: Path) -> None:
    assert "another rule" not in keyaudit("baseline", "show", baseline).out

    def older(found: Any) -> None:
        of_another(found, rule=True)
        found["policies"]["kv-gone"] = {"rule": "0" * 16, "limits": "0" * 16}
        found["tool_version"] = "0.0.9"

    out = keyaudit("baseline", "show", edited(baseline, older)).out
    assert "created by keyaudit 0.0.9" in out
    assert "1 policy has another rule in this version: kv-key-oldest-signing-version" in out
    assert "1 policy is not among the shipped ones: kv-gone" in out


@pytest.mark.parametrize("value", ["text", {"rule": 1, "limits": "x"}, {"rule": "x"}, {"rule": "x", "limits": "x", "more": 1}])
def test_a_broken_record_of_a_policy_is_no_baseline(keyaudit: Keyaudit, baseline: Path, value: Any) -> None:
    path = edited(baseline, lambda found: found["policies"].update({"kv-key-oldest-signing-version": value}))
    ran = keyaudit("gate", "--demo", "--baseline", path)
    assert ran.code == 2
    assert "not a baseline" in ran.err


def test_a_baseline_is_of_one_tenant_and_new_only_needs_one(
    keyaudit: Keyaudit, contoso: Path, baseline: Path, tmp_path: Path
) -> None:
    other = edited(baseline, lambda found: found.update(tenant="00000000-0000-0000-0000-000000000000"))
    assert keyaudit("gate", "--from", contoso, "--baseline", other).code == 5
    assert keyaudit("baseline", "create", "--from", contoso, *FEW, "--out", other).code == 2
    assert keyaudit("gate", "--from", contoso, "--new-only").code == 2
    assert keyaudit("gate", "--from", contoso, "--baseline", tmp_path / "none").code == 2
    assert keyaudit("gate", "--from", contoso, "--baseline", tmp_path).code == 2
