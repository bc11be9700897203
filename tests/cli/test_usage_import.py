"""`keyaudit usage import`: what it prints, and how it ends."""

import re
from pathlib import Path

import pytest

from keyaudit.inventory.logs import open_logs
from tests.cli.conftest import Keyaudit
from tests.collect.usage import forms, made
from tests.collect.usage.forms import FORMS
from tests.collect.usage.made import TENANT
from tests.collect.usage.rig import written


def test_logs_that_can_be_read(keyaudit: Keyaudit, tmp_path: Path) -> None:
    ran = keyaudit("usage", "import", written(tmp_path / "logs", "portal"), "--out", tmp_path / "store")
    assert (ran.code, ran.err) == (0, "")
    assert f"4 files, tenant {TENANT}" in ran.out
    [line] = [line for line in ran.out.splitlines() if line.startswith("AZKVAuditLogs")]
    assert line.split() == ["AZKVAuditLogs", "2026-03-30", "2026-04-01", "3", "60", "54", "0", "6", "0"]
    assert "Not read" not in ran.out.partition("\n\n")[2].replace("Not read\n", "", 1)
    assert open_logs(tmp_path / "store").tenant_id == TENANT


def test_what_was_not_read_is_named_with_its_place(keyaudit: Keyaudit, tmp_path: Path) -> None:
    good = FORMS["storage"]["PT1H.json"]
    (tmp_path / "a").write_text(good + '{"time": "\x1b[2J##vso[x]"}\n' * 9)
    (tmp_path / "b").write_text(FORMS["event hub"]["c"][:-50])
    ran = keyaudit("usage", "import", tmp_path / "a", tmp_path / "b", "--out", tmp_path / "store")
    assert ran.code == 3
    assert f"{tmp_path}/a: line 61: " in ran.out
    assert f"{tmp_path}/a: and 4 more records" in ran.out
    assert f"{tmp_path}/b: after record 59: cut off" in ran.out
    assert "The import is incomplete" in ran.out
    assert "\x1b" not in ran.out


def test_days_without_events_are_named(keyaudit: Keyaudit, tmp_path: Path) -> None:
    records = [made.mail_audit(event) for event in made.mail()[:3]]
    for record, day in zip(records, ("01", "03", "09"), strict=True):
        record["CreationTime"] = f"2026-05-{day}T00:00:00"
    (tmp_path / "a").write_text(forms.listed(records))
    ran = keyaudit("usage", "import", tmp_path / "a", "--out", tmp_path / "store")
    assert ran.code == 0
    assert "  OfficeActivity: 2026-05-02\n  OfficeActivity: 2026-05-04 to 2026-05-08, 5 days\n" in ran.out


@pytest.mark.parametrize(("arguments", "what"), [(["none"], "cannot be read"), (["."], "an empty folder")])
def test_what_cannot_be_begun(
    keyaudit: Keyaudit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], what: str
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    ran = keyaudit("usage", "import", *arguments, "--out", tmp_path / "store")
    assert (ran.code, ran.out) == (2, "")
    assert what in ran.err
    assert not (tmp_path / "store").exists()


def test_a_folder_in_use_is_refused_before_anything_is_read(keyaudit: Keyaudit, tmp_path: Path) -> None:
    ran = keyaudit("usage", "import", "none", "--out", written(tmp_path / "logs", "storage"))
    assert (ran.code, ran.err) == (2, f"keyaudit: {tmp_path}/logs: is not empty; name a new folder\n")


def test_logs_are_added_to_earlier_ones(keyaudit: Keyaudit, tmp_path: Path) -> None:
    files = sorted(written(tmp_path / "logs", "storage").iterdir())
    for number, file in enumerate(files):
        merge = ["--merge", tmp_path / f"store-{number - 1}"] if number else []
        assert keyaudit("usage", "import", file, "--out", tmp_path / f"store-{number}", *merge).code == 0
    ran = keyaudit("usage", "import", tmp_path / "logs", "--out", tmp_path / "whole")
    merged, whole = open_logs(tmp_path / f"store-{len(files) - 1}"), open_logs(tmp_path / "whole")
    assert list(merged.manifest.stored()) == list(whole.manifest.stored())
    again = keyaudit("usage", "import", tmp_path / "logs", "--out", tmp_path / "again", "--merge", merged.folder)
    assert again.code == 0
    rows = [next(line.split() for line in each.out.splitlines() if line.startswith("AZKVAuditLogs")) for each in (ran, again)]
    kept = "54"
    assert [row[1:4] + row[5:7] for row in rows] == [
        ["2026-03-30", "2026-04-01", "3", kept, duplicates] for duplicates in ("0", kept)
    ]


@pytest.mark.parametrize(
    ("tenant", "code", "what"),
    [(TENANT, 2, "none: no such folder"), ("22222222-2222-4222-8222-222222222222", 5, "and others are of tenant")],
)
def test_earlier_logs_have_to_be_there_and_of_the_same_tenant(
    keyaudit: Keyaudit, tmp_path: Path, tenant: str, code: int, what: str
) -> None:
    (tmp_path / "a").write_text(FORMS["storage"]["blob"])
    (tmp_path / "b").write_text(FORMS["storage"]["blob"].replace(TENANT, tenant))
    if code == 5:
        keyaudit("usage", "import", tmp_path / "a", "--out", tmp_path / "none")
    ran = keyaudit("usage", "import", tmp_path / "b", "--merge", tmp_path / "none", "--out", tmp_path / "store")
    assert (ran.code, ran.out) == (code, "")
    assert what in ran.err
    assert not (tmp_path / "store").exists()


def test_logs_of_two_tenants_are_refused(keyaudit: Keyaudit, tmp_path: Path) -> None:
    text = FORMS["storage"]["blob"]
    (tmp_path / "a").write_text(text)
    (tmp_path / "b").write_text(text.replace(TENANT, "22222222-2222-4222-8222-222222222222"))
    ran = keyaudit("usage", "import", tmp_path / "a", tmp_path / "b", "--out", tmp_path / "store")
    assert ran.code == 5
    assert f"{tmp_path}/b: record 1 is of tenant 22222222-2222-4222-8222-222222222222" in ran.err
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "FILE|DIR...: missing; name files of logs, or folders of them"),
        (["a", "--master", "local[*]"], "--master: applies only to --engine spark; leave it out, or add --engine spark"),
        (["a", "--logs", "b"], "--logs: applies only to --engine spark; leave it out, or add --engine spark"),
        (["--engine", "spark", "--logs", "b"], "--engine spark: needs --master; add --master"),
        (["--engine", "spark", "--master", "local[*]"], "--engine spark: needs --logs; add --logs"),
        (["a", "--engine", "spark", "--master", "yarn"], "a: is not read with --engine spark; name it with --logs"),
    ],
)
def test_options_of_another_engine_are_refused(keyaudit: Keyaudit, tmp_path: Path, arguments: list[str], said: str) -> None:
    ran = keyaudit("usage", "import", *arguments, "--out", tmp_path / "store")
    assert (ran.code, ran.out, ran.err) == (2, "", f"keyaudit: {said}\n")


def test_a_missing_library_is_named(keyaudit: Keyaudit, tmp_path: Path, without_pyspark: str) -> None:
    ran = keyaudit("usage", "import", "--engine", "spark", "--master", "local[2]", "--logs", "a", "--out", tmp_path / "store")
    assert (ran.code, ran.out) == (2, "")
    assert re.fullmatch(without_pyspark, ran.err)
