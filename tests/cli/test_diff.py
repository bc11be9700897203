"""What changed between two snapshots: new, worse, mended, and what cannot be seen any more, which is never mended."""

import csv
import io
import re
from pathlib import Path

from tests.cli.conftest import Keyaudit


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
