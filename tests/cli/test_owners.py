"""Owners by rules in keyaudit.toml: who is asked, where that is from, and which rules are proposed."""

import csv
import io
import re
from collections import Counter
from pathlib import Path

import pytest

from keyaudit.cli.settings.config import read_config
from tests.cli.conftest import Keyaudit, Reported

FEW = ("--select", "app-*", "--select", "kv-key-*")
RULES = """
[owners]
fallback = "platform-team"
[[owners.rules]]
owner = "team-pay"
vault = "kv-payments-*"
[[owners.rules]]
owner = ["identity@contoso.example", "second"]
application = "*"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Settings with rules for owners."""
    path = tmp_path / "keyaudit.toml"
    path.write_text(RULES, encoding="utf-8")
    return path


def opened(written: str) -> list[dict[str, str]]:
    """The open findings of a report in CSV."""
    return [row for row in csv.DictReader(io.StringIO(written, newline="")) if row["status"] == "fail"]


def rows(keyaudit: Keyaudit, *arguments: str | Path) -> list[dict[str, str]]:
    """The open findings as CSV has them."""
    return opened(keyaudit("report", *arguments, "-o", "csv").out)


@pytest.mark.exhaustive
def test_a_rule_gives_an_owner_to_what_has_none_and_to_nothing_else(
    keyaudit: Keyaudit, contoso: Path, config: Path, tmp_path: Path
) -> None:
    table = tmp_path / "ruled.csv"
    by_owner = ("report", "--from", contoso, *FEW, "--group-by", "owner", "-c", config, "--export", f"csv={table}")
    assert "no owner." not in keyaudit(*by_owner).out
    before, after = rows(keyaudit, "--from", contoso, *FEW), opened(table.read_text(encoding="utf-8"))
    assert len(before) == len(after)
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old["owner"] != new["owner"]]
    assert all(not old["owner"] and not old["owner_source"] for old, _ in changed)
    assert len(changed) == sum(not row["owner"] for row in before) > 10
    by = Counter((new["owner_source"], new["owner"]) for _, new in changed)
    assert set(by) == {
        ("[owners] rule 2", "identity@contoso.example|second"),
        ("[owners] fallback", "platform-team"),
    }
    # The outcome of no finding depends on an owner.
    assert [(row["finding_id"], row["severity"]) for row in before] == [(row["finding_id"], row["severity"]) for row in after]


@pytest.mark.exhaustive
def test_reports_by_owner_and_doctor_say_how_many_have_none_and_which_rule_would_catch_most(
    keyaudit: Keyaudit, contoso: Path, config: Path
) -> None:
    table = config.with_suffix(".csv")
    by_owner = ("report", "--from", contoso, *FEW, "--group-by", "owner", "--export", f"csv={table}")
    text = " ".join(keyaudit(*by_owner).out.split())
    without = sum(not row["owner"] for row in opened(table.read_text(encoding="utf-8")))
    said = re.search(r"(\d+) of (\d+) findings have no owner\. An \[owners\] rule for (.+?) would match (\d+):", text)
    assert said is not None
    assert int(said[1]) == without
    assert said[0] in " ".join(keyaudit("doctor", "--from", contoso, *FEW).out.split())
    owners = keyaudit("doctor", "--from", contoso, *FEW, "-o", "json").json["owners"]
    [proposed] = owners["proposed"]
    assert (owners["without"], owners["findings"], proposed["count"]) == (without, int(said[2]), int(said[4]))
    # The proposed rule catches as many as that.
    config.write_text(f'[[owners.rules]]\nowner = "TEAM"\n{proposed["pattern"]} = "{proposed["value"]}"\n', encoding="utf-8")
    assert sum(row["owner"] == "TEAM" for row in rows(keyaudit, "--from", contoso, *FEW, "-c", config)) == proposed["count"]
    config.write_text(RULES, encoding="utf-8")
    assert "no owner." not in keyaudit("doctor", "--from", contoso, *FEW, "-c", config).out


@pytest.mark.exhaustive
def test_init_proposes_rules_that_catch_what_they_say(
    keyaudit: Keyaudit, contoso: Path, contoso_report: Reported, tmp_path: Path
) -> None:
    assert keyaudit("init", "--owners", "--from", contoso, "--out", tmp_path).code == 0
    path = tmp_path / "keyaudit.toml"
    text = path.read_text(encoding="utf-8")
    # As it is, nothing changes.
    assert read_config(path).owners.rules == ()
    proposed = text.partition("[owners]")[2].partition("# [[owners.rules]]                            # by")[0]
    counts = [int(count) for count in re.findall(r"# \[\[owners\.rules\]\] +# (\d+) findings? without an owner", proposed)]
    assert len(counts) == 10
    assert counts == sorted(counts, reverse=True)
    path.write_text(text.replace(proposed, proposed.replace("\n# ", "\n")), encoding="utf-8")
    rules = read_config(path).owners.rules
    assert [rule.owners for rule in rules] == [("TEAM",)] * 10
    ruled = rows(keyaudit, "--from", contoso, "-c", path)
    found = Counter(row["owner_source"] for row in ruled)
    assert [found[f"[owners] rule {number}"] for number in range(1, 11)] == counts
    # Of the findings without an owner, the rules catch more than half, and the fallback all others.
    before = sum(not each["owners"] for each in contoso_report.findings("fail"))
    assert before == sum(counts) + found["[owners] fallback"] < 2 * sum(counts)
    assert all(row["owner"] for row in ruled)


def test_rules_are_proposed_only_from_a_snapshot_and_into_a_new_file(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    assert "needs a snapshot" in keyaudit("init", "--owners", "--out", tmp_path).err
    assert "--custody or --owners" in keyaudit("init", "--from", contoso, "--out", tmp_path).err
    (tmp_path / "keyaudit.toml").write_text("schema = 1\n", encoding="utf-8")
    ran = keyaudit("init", "--owners", "--custody", "--from", contoso, "--out", tmp_path)
    assert (ran.code, "already exists" in ran.err) == (2, True)
    assert (tmp_path / "keyaudit.toml").read_text(encoding="utf-8") == "schema = 1\n"


@pytest.mark.exhaustive
def test_owners_of_rules_are_pseudonyms_where_names_are_left_out(keyaudit: Keyaudit, contoso: Path, config: Path) -> None:
    found = rows(keyaudit, "--from", contoso, *FEW, "-c", config, "--redact", "names")
    ruled = [row for row in found if row["owner_source"].startswith("[owners]")]
    assert len(ruled) > 10
    assert not any(name in row["owner"] for row in ruled for name in ("platform", "identity", "second", "team"))


@pytest.mark.exhaustive
def test_what_expires_is_listed_by_the_owner_of_its_rule(keyaudit: Keyaudit, contoso: Path, config: Path) -> None:
    def sources(*more: str | Path) -> Counter[str]:
        found = csv.DictReader(io.StringIO(keyaudit("expiring", "90d", "--from", contoso, *more, "-o", "csv").out, newline=""))
        return Counter(row["owner_source"] for row in found)

    before, after = sources(), sources("-c", config)
    assert before[""] > 1
    assert after["[owners] rule 2"] + after["[owners] fallback"] == before[""]
    assert after[""] == 0
