"""The simulated year: learned on eleven months, the last one shows the intrusion and nothing else above medium."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from keyaudit.model.values.times import DAY, iso_date
from keyaudit.simulator.estates.ids import Ground
from keyaudit.simulator.estates.logs.year import (
    DISGUISE,
    FOOTHOLD,
    KEYS,
    LAST_MONTH,
    MAIL,
    VIVA_INSIGHTS,
    WITHOUT_PRINCIPAL,
    Line,
    Year,
)
from tests.cli.conftest import Keyaudit
from tests.logs import YEAR, imported, write

LAST_DAY = "2025-11-30"
INTRUDER, SIGNER = YEAR.app(DISGUISE), YEAR.app(FOOTHOLD)


@pytest.fixture(scope="module")
def lines() -> list[Line]:
    return list(YEAR.lines())


@pytest.fixture(scope="module")
def december(lines: list[Line]) -> list[Line]:
    return [line for line in lines if line.moment >= YEAR.last_month]


@pytest.fixture(scope="module")
def exported(lines: list[Line], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole year, as people export it."""
    folder = tmp_path_factory.mktemp("year") / "exported"
    folder.mkdir()
    write(lines, folder)
    return folder


@pytest.fixture
def logs(keyaudit: Keyaudit, exported: Path) -> Path:
    """The whole year, imported."""
    folder = exported.with_name("logs")
    if not folder.exists():
        assert keyaudit("usage", "import", exported, "--out", folder).code == 0
    return folder


@pytest.fixture
def baseline(keyaudit: Keyaudit, logs: Path) -> Path:
    """What is usual, from eleven months."""
    folder = logs.parent / "baseline"
    if not folder.exists():
        ran = keyaudit("usage", "learn", logs, "--last-day", LAST_DAY, "--out", folder)
        assert (ran.code, ran.err) == (0, "")
    return folder


def test_the_intrusion_is_found_and_nothing_else_is_above_medium(keyaudit: Keyaudit, logs: Path, baseline: Path) -> None:
    ran = keyaudit("usage", "check", logs, "--baseline", baseline, "-o", "json")
    found = ran.json["findings"]
    grave = {(each["app_id"], each["operation"]): each for each in found if each["severity"] in ("high", "critical")}
    assert set(grave) == {(INTRUDER, "read-mail"), (SIGNER, "sign")}
    assert {why["kind"] for each in grave.values() for why in each["reasons"]} == {"new-app"}
    assert {row["client_app_id"] for row in grave[INTRUDER, "read-mail"]["reasons"][0]["evidence"]} == {INTRUDER}
    medium = {(each["app_id"], each["operation"]) for each in found if each["severity"] == "medium"}
    refused = {(YEAR.app(name), "sign") for name in ("vm-batch-02", "func-key-rotator")}
    tokens = {(app, "sign-in") for app in (INTRUDER, YEAR.app(WITHOUT_PRINCIPAL))}
    assert medium == {*tokens, (VIVA_INSIGHTS, "read-mail"), *refused}
    assert (ran.code, ran.json["accepted"], ran.json["unknown"]) == (1, 0, [])


def test_what_was_announced_fails_nothing(keyaudit: Keyaudit, logs: Path, baseline: Path, tmp_path: Path) -> None:
    entries = [
        f"  - {{app_id: {app}, operation: {operation}, owner: finance, reason: invoices, until: 2026-03-31}}\n"
        for app, operation in ((INTRUDER, "read-mail"), (SIGNER, "sign"), (INTRUDER, "decrypt"))
    ]
    path = tmp_path / "accept.yaml"
    path.write_text(f"version: 1\naccept:\n{''.join(entries)}", encoding="utf-8")
    ran = keyaudit("usage", "check", logs, "--baseline", baseline, "--accept", path, "-o", "json")
    assert (ran.code, ran.json["accepted"], len(ran.json["unused_announcements"])) == (0, 2, 1)
    text = keyaudit("usage", "check", logs, "--baseline", baseline, "--accept", path).out
    assert "accepted until 2026-03-31 by finance: invoices" in text


def test_what_an_earlier_check_reported_is_counted(keyaudit: Keyaudit, logs: Path, baseline: Path, tmp_path: Path) -> None:
    record = tmp_path / "reported"
    check = ("usage", "check", logs, "--baseline", baseline, "--reported", record)
    assert keyaudit(*check, "--last-day", "2025-12-27").code == 1
    ran = keyaudit(*check, "-o", "json")
    assert (ran.code, set(ran.json["open"]), ran.json["reported_before"]) == (0, {"low", "info"}, 9)
    counted = [each["app_id"] for each in ran.json["findings"] if each["reported_until"] == "2025-12-27"]
    assert {INTRUDER, SIGNER} < set(counted)
    text = " ".join(keyaudit(*check).out.split())
    assert "COUNTED read-mail: mailboxes of contoso.example" in text
    assert "reported by the check that ended with 2025-12-27, and only counted here" in text
    assert "9 reported before." in text
    record.write_text(record.read_text().replace(INTRUDER, SIGNER))
    assert keyaudit(*check).code == 5


@pytest.mark.exhaustive
def test_a_month_without_intrusion_passes(keyaudit: Keyaudit, logs: Path, tmp_path: Path) -> None:
    for last in ("2025-09-30", "2025-10-31"):
        folder = tmp_path / last
        keyaudit("usage", "learn", logs, "--last-day", last, "--out", folder)
        ran = keyaudit(
            "usage", "check", logs, "--baseline", folder, "--last-day", "2025-11-30" if last > "2025-10" else "2025-10-31"
        )
        assert ran.code == 0
        assert "Nothing open at or above high." in ran.out


@pytest.mark.exhaustive
def test_what_was_learned_from_belongs(keyaudit: Keyaudit, logs: Path, baseline: Path) -> None:
    """All of it but an application that is always refused, and so is never usual."""
    ran = keyaudit(
        "usage", "check", logs, "--baseline", baseline, "--first-day", "2025-01-01", "--last-day", LAST_DAY, "-o", "json"
    )
    assert [(each["app_id"], each["severity"]) for each in ran.json["findings"]] == [(YEAR.app("vm-batch-02"), "medium")]
    assert (ran.code, ran.json["unknown"]) == (0, [])


def test_text_names_the_reason_the_rows_and_the_count(keyaudit: Keyaudit, logs: Path, baseline: Path) -> None:
    ran = keyaudit("usage", "check", logs, "--baseline", baseline)
    assert "HIGH      read-mail: mailboxes of contoso.example\n          by " + INTRUDER in ran.out
    assert "- new-app, high: first time that this application did this" in ran.out
    assert "from 203.0.113." in ran.out
    assert "sign-in: application 00000002-0000-0ff1-ce00-000000000000 (Office 365" in ran.out
    assert "2 findings at or above high: exit 1." in " ".join(ran.out.split())


def test_csv_has_a_line_for_each_reason(keyaudit: Keyaudit, logs: Path, baseline: Path) -> None:
    ran = keyaudit("usage", "check", logs, "--baseline", baseline, "-o", "csv")
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert {(row["kind"], row["severity"]) for row in rows if row["app_id"] == INTRUDER} == {
        ("new-app", "high"),
        ("new-app", "medium"),
    }
    assert all(row["status"] == "open" and row["window_from"] == "2025-12-01" for row in rows)


def test_without_a_baseline_nothing_is_known(keyaudit: Keyaudit, logs: Path) -> None:
    ran = keyaudit("usage", "check", logs)
    assert ran.code == 3
    assert "there is no baseline to compare with; make one with usage learn" in ran.out
    assert "Nothing can be decided without a baseline: exit 3." in ran.out


def unknown(
    keyaudit: Keyaudit, folder: Path, kept: Sequence[Line], baseline: Path
) -> tuple[int, list[tuple[str, str, list[str]]]]:
    imported(folder, kept)
    ran = keyaudit("usage", "check", folder, "--baseline", baseline, "--fail-on", "critical", "-o", "json")
    return ran.code, [(each["cause"], each["subject"], each["days"]) for each in ran.json["unknown"]]


@pytest.mark.exhaustive
def test_a_missing_week_is_unknown(keyaudit: Keyaudit, december: list[Line], baseline: Path, tmp_path: Path) -> None:
    week = range(YEAR.last_month + 7 * DAY, YEAR.last_month + 14 * DAY)
    kept = [line for line in december if line.log != KEYS or line.moment not in week]
    days = [iso_date(day) for day in range(week.start, week.stop, DAY)]
    assert unknown(keyaudit, tmp_path / "logs", kept, baseline) == (3, [("missing-days", "AZKVAuditLogs", days)])


@pytest.mark.exhaustive
def test_the_first_week_is_missed_too(keyaudit: Keyaudit, december: list[Line], baseline: Path, tmp_path: Path) -> None:
    """The check begins where the baseline ends, and not where the logs happen to begin."""
    kept = [line for line in december if line.moment >= YEAR.last_month + 7 * DAY]
    code, found = unknown(keyaudit, tmp_path / "logs", kept, baseline)
    assert code == 3
    assert [(cause, len(days)) for cause, _, days in found] == [("missing-days", 7)] * 4


def test_a_log_that_is_gone_is_unknown(keyaudit: Keyaudit, december: list[Line], baseline: Path, tmp_path: Path) -> None:
    kept = [line for line in december if line.log != MAIL]
    assert unknown(keyaudit, tmp_path / "logs", kept, baseline) == (3, [("source-absent", "OfficeActivity", [])])


@pytest.mark.exhaustive
def test_throttled_mailboxes_are_unknown(keyaudit: Keyaudit, baseline: Path, tmp_path: Path) -> None:
    # Users who read on that day the mailbox that the intruder reads most.
    mailbox = YEAR.mailbox(3)
    year = Year(ground=YEAR.ground, first=YEAR.first, throttled=[(mailbox, day) for day in range(340, 345)])
    kept = list(year.lines(range(LAST_MONTH, 365)))
    code, found = unknown(keyaudit, tmp_path / "logs", kept, baseline)
    assert code == 3
    assert [(cause, subject) for cause, subject, _ in found] == [("mailbox-throttled", mailbox)]
    assert set() < set(found[0][2]) <= {iso_date(YEAR.first + day * DAY) for day in range(340, 345)}


def test_show_lists_who_belongs(keyaudit: Keyaudit, baseline: Path) -> None:
    ran = keyaudit("usage", "show", baseline)
    assert ran.code == 0
    assert f"tenant {YEAR.ground.tenant}" in ran.out
    assert "d3590ed6-52b3-4102-aeff-aad2292ab01c (Microsoft Office)" in ran.out
    assert any(line.startswith("read-mail") and YEAR.app("Backup Orchestrator") in line for line in ran.out.splitlines())


@pytest.mark.exhaustive
def test_a_baseline_grows_by_the_days_after_it(keyaudit: Keyaudit, logs: Path, baseline: Path, tmp_path: Path) -> None:
    keyaudit("usage", "learn", logs, "--last-day", "2025-10-31", "--out", tmp_path / "october")
    ran = keyaudit(
        "usage", "learn", logs, "--last-day", LAST_DAY, "--merge", tmp_path / "october", "--out", tmp_path / "november"
    )
    assert (ran.code, f"{tmp_path / 'november'}: learned from 2025-11-01 to 2025-11-30" in ran.out) == (0, True)
    rows = [(folder / "belongs.parquet").read_bytes() for folder in (tmp_path / "november", baseline)]
    assert rows[0] == rows[1]


@pytest.mark.exhaustive
def test_learning_says_what_was_missing(keyaudit: Keyaudit, december: list[Line], tmp_path: Path) -> None:
    hole = YEAR.last_month + 9 * DAY
    imported(tmp_path / "logs", [line for line in december if line.log != MAIL or line.moment - line.moment % DAY != hole])
    ran = keyaudit("usage", "learn", tmp_path / "logs", "--out", tmp_path / "baseline")
    assert ran.code == 3
    assert "Missing from the baseline:\n  OfficeActivity: no event on 2025-12-10" in ran.out


def test_another_tenants_baseline_is_refused(keyaudit: Keyaudit, baseline: Path, tmp_path: Path) -> None:
    other = Year(ground=Ground(7, 0, "fabrikam.example"), first=YEAR.first)
    imported(tmp_path / "logs", other.lines(range(LAST_MONTH, 365)))
    ran = keyaudit("usage", "check", tmp_path / "logs", "--baseline", baseline)
    assert (ran.code, ran.out) == (5, "")
    assert f"the logs are of tenant {other.ground.tenant}, the baseline of {YEAR.ground.tenant}" in ran.err


@pytest.mark.exhaustive
def test_the_same_logs_give_the_same_bytes(keyaudit: Keyaudit, logs: Path, baseline: Path) -> None:
    first, second = (keyaudit("usage", "check", logs, "--baseline", baseline, "-o", "json").out for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--first-day", "yesterday"], "--first-day: not a date: 'yesterday'"),
        (["--first-day", "2026-02-01"], "the window would end before it begins"),
        (["--baseline", "none"], "holds no baseline of usage"),
        (["--accept", "none.yaml"], "none.yaml: cannot be read"),
    ],
)
def test_what_cannot_be_meant_is_refused(keyaudit: Keyaudit, logs: Path, arguments: list[str], said: str) -> None:
    ran = keyaudit("usage", "check", logs, *arguments)
    assert ran.code == 2
    assert said in ran.err


def test_a_baseline_is_not_written_over(keyaudit: Keyaudit, logs: Path, baseline: Path) -> None:
    ran = keyaudit("usage", "learn", logs, "--out", baseline)
    assert (ran.code, "already exists" in ran.err) == (2, True)
    ran = keyaudit(
        "usage", "learn", logs, "--first-day", "2031-01-01", "--last-day", "2031-01-02", "--out", baseline.with_name("new")
    )
    assert (ran.code, baseline.with_name("new").exists()) == (2, False)


def test_hostile_names_stay_inert(keyaudit: Keyaudit, december: list[Line], baseline: Path, tmp_path: Path) -> None:
    evil = "\x1b[31m=cmd()##vso[task.complete]\u202e"
    record = {
        "CreationTime": "2025-12-05T10:00:00", "Id": "1", "Operation": "MailItemsAccessed", "Workload": "Exchange",
        "OrganizationId": YEAR.ground.tenant, "ResultStatus": "Succeeded", "AppId": evil, "MailboxOwnerUPN": f"{evil}@{evil}",
        "ClientInfoString": evil, "ClientIPAddress": evil, "UserId": evil,
    }  # fmt: skip
    imported(tmp_path / "logs", [*december, Line(MAIL, YEAR.last_month, json.dumps(record))])
    printed = {
        name: keyaudit("usage", "check", tmp_path / "logs", "--baseline", baseline, "-o", name)
        for name in ("text", "json", "csv")
    }
    for ran in printed.values():
        assert ran.code == 1
        assert not {"\x1b", "\u202e"} & set(ran.out)
        assert "##vso" not in ran.out
    for row in csv.DictReader(io.StringIO(printed["csv"].out)):
        assert not any((cell or "").startswith("=") for cell in row.values())
