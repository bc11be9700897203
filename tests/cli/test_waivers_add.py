"""`waivers add` writes the full id of one resource, and no waiver that covers nothing."""

from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from keyaudit.model.errors import Exit
from keyaudit.model.values.times import DAY, iso_date
from keyaudit.simulator.estates import estate
from tests.cli.conftest import Keyaudit, Ran, Reported
from tests.cli.test_diff import read
from tests.cli.test_waivers import NO_EXPIRY, entry, written
from tests.clock import START

TOKEN_SIGNING = "https://kv-identity-prod.vault.azure.net/keys/consumer-token-signing"
SHOWN = "kv-identity-prod/keys/consumer-token-signing"

Add = Callable[..., Ran]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "waivers.yaml"


@pytest.fixture
def add(keyaudit: Keyaudit, contoso: Path, file: Path) -> Add:
    def run(resource: str, *more: str | Path, policy: str = NO_EXPIRY, snapshot: Path = contoso) -> Ran:
        last = iso_date(START + 20 * DAY)
        who = ("--reason", "r", "--owner", "o", "--approved-by", "a", "--expires", last, "--file", file)
        return keyaudit("waivers", "add", "--policy", policy, "--resource", resource, *who, "--from", snapshot, *more)

    return run


def waived(keyaudit: Keyaudit, snapshot: Path, file: Path, policy: str = NO_EXPIRY) -> list[str]:
    """The subjects that the file covers."""
    report = keyaudit("report", "--from", snapshot, "--select", policy, "--waivers", file, "-o", "json").json
    return [each["subject"] for each in report["findings"] if each["outcome"] == "waived"]


def of(report: Reported, policy: str) -> list[dict[str, Any]]:
    return [each for each in report.findings("fail") if each["policy"] == policy]


@pytest.mark.parametrize("asked", [SHOWN, TOKEN_SIGNING.upper()])
def test_the_name_that_screens_show_and_the_id_are_textsas_the_full_id(
    keyaudit: Keyaudit, contoso: Path, add: Add, file: Path, asked: str
) -> None:
    ran = add(asked)
    assert ran.code == Exit.CLEAN, ran.err
    assert ran.out.startswith(f"{file}: added W-")
    assert ran.out.endswith(": covers 1 finding\n")
    assert TOKEN_SIGNING in file.read_text(encoding="utf-8").lower()
    assert waived(keyaudit, contoso, file) == [TOKEN_SIGNING]


@pytest.mark.parametrize("digits", [6, pytest.param(16, marks=pytest.mark.exhaustive)])
def test_a_finding_id_or_its_beginning_names_its_resource(
    keyaudit: Keyaudit, contoso: Path, contoso_report: Reported, add: Add, file: Path, digits: int
) -> None:
    [finding] = [each for each in of(contoso_report, NO_EXPIRY) if each["subject"] == TOKEN_SIGNING]
    ran = add(finding["id"][:digits])
    assert ran.code == Exit.CLEAN, ran.err
    assert waived(keyaudit, contoso, file) == [TOKEN_SIGNING]


def test_a_beginning_that_several_finding_ids_have_is_refused_with_each(
    contoso_report: Reported, add: Add, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = of(contoso_report, NO_EXPIRY)
    monkeypatch.setattr("keyaudit.model.results.findings.Finding.id", property(lambda self: f"abcd{len(self.subject):012}"))
    ran = add("abcd")
    assert ran.code == Exit.USAGE
    assert f"'abcd' names {len(found):,} resources: " in ran.err
    assert f" and {len(found) - 5} more; use one of these ids" in ran.err
    assert not file.exists()


def test_a_name_that_several_resources_have_is_refused_even_if_only_one_has_a_finding(
    contoso_report: Reported, add: Add, file: Path
) -> None:
    name = TOKEN_SIGNING.rpartition("/")[2]
    assert len([each for each in of(contoso_report, NO_EXPIRY) if each["subject"].endswith(f"/{name}")]) == 1
    ran = add(name)
    assert ran.code == Exit.USAGE
    twin = "https://kv-identity-test.vault.azure.net/keys/consumer-token-signing"
    assert f"waivers add: '{name}' names 2 resources: {SHOWN} {TOKEN_SIGNING}, " in ran.err
    assert f"{twin}; use one of these ids" in ran.err
    assert not file.exists()


def test_a_namesake_that_an_attacker_registers_is_never_waived_in_its_place(
    keyaudit: Keyaudit, tmp_path: Path, add: Add, file: Path
) -> None:
    tenant = estate("sized:1x2x1x6", START)
    first, *others = tenant.applications
    # Two applications may have the same display name: learn.microsoft.com/graph/api/resources/application, displayName.
    twin = structs.replace(others[0], name=first.name)
    snapshot = read(structs.replace(tenant, applications=(first, twin, *others[1:])), tmp_path / "read")
    ran = add(f"app registration {first.name}", policy="app-*", snapshot=snapshot)
    assert ran.code == Exit.USAGE
    assert "names 2 resources: " in ran.err
    assert not file.exists()


@pytest.mark.parametrize("asked", ["kv-nowhere/keys/a", "*/keys/no-such-key*", "https://kv-nowhere.vault.azure.net/keys/a"])
def test_what_matches_nothing_is_refused_with_what_there_is(contoso_report: Reported, add: Add, file: Path, asked: str) -> None:
    ran = add(asked)
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert ran.err.startswith("keyaudit: waivers add: ")
    assert asked in ran.err
    assert f"{NO_EXPIRY} has open findings for " in ran.err
    assert ran.err.count("/keys/") <= 6
    assert f" and {len(of(contoso_report, NO_EXPIRY)) - 5} more" in ran.err
    assert not file.exists()


def test_a_resource_without_a_finding_of_the_policy_is_refused(add: Add, file: Path) -> None:
    ran = add("kv-identity-test/keys/consumer-token-signing")
    assert ran.code == Exit.USAGE
    assert "https://kv-identity-test.vault.azure.net/keys/consumer-token-signing covers nothing; " in ran.err
    assert not file.exists()


def test_a_pattern_is_textsas_it_is(keyaudit: Keyaudit, contoso: Path, add: Add, file: Path) -> None:
    ran = add("https://kv-identity-*")
    assert ran.code == Exit.CLEAN, ran.err
    assert ran.out.endswith(" for https://kv-identity-*: covers 2 findings\n")
    assert len(waived(keyaudit, contoso, file)) == 2


def test_a_critical_finding_is_refused_without_allow_critical(
    keyaudit: Keyaudit, contoso: Path, contoso_report: Reported, add: Add, file: Path
) -> None:
    policy = "sp-tier0-with-secret"
    finding = next(each for each in of(contoso_report, policy) if each["severity"] == "critical")
    refused = add(finding["id"], policy=policy)
    assert refused.code == Exit.USAGE
    assert "it would cover 1 critical finding and nothing else: " in refused.err
    assert "add --allow-critical if this risk is accepted" in refused.err
    assert not file.exists()
    ran = add(finding["id"], "--allow-critical", policy=policy)
    assert ran.code == Exit.CLEAN, ran.err
    assert "    allow_critical: true\n" in file.read_text(encoding="utf-8")
    assert waived(keyaudit, contoso, file, policy) == [finding["subject"]]


def test_a_gap_is_named_by_its_scope(keyaudit: Keyaudit, blind_spots: Path, add: Add, file: Path) -> None:
    ran = add("kv-hr-prod", "--covers", "coverage", policy="kv-key-exportable", snapshot=blind_spots)
    assert ran.code == Exit.CLEAN, ran.err
    assert "/vaults/kv-hr-prod: accepts " in ran.out
    gated = keyaudit("gate", "--from", blind_spots, "--select", "kv-key-exportable", "--waivers", file)
    assert "ALLOWED  kv-hr-prod" in gated.out
    refused = add("kv-orders-prod", "--covers", "coverage", policy="kv-key-exportable", snapshot=blind_spots)
    assert refused.code == Exit.USAGE
    assert "kv-key-exportable has gaps for " in refused.err


def test_a_mistake_in_another_field_is_told_before_anything_is_read(keyaudit: Keyaudit, file: Path) -> None:
    who = ("--reason", "r", "--owner", "o", "--approved-by", "a", "--expires", "soon", "--file", file)
    ran = keyaudit("waivers", "add", "--policy", NO_EXPIRY, "--resource", SHOWN, *who, "--from", "no-such-snapshot")
    assert ran.code == Exit.USAGE
    assert "'soon' is no date" in ran.err


def test_a_name_in_the_file_matches_nothing_and_every_report_says_so(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    today, last = (iso_date(START + ahead * DAY) for ahead in (0, 20))
    waivers = written(tmp_path, entry("W-1", NO_EXPIRY, SHOWN, last, created=today))
    chosen = ("--from", contoso, "--select", NO_EXPIRY, "--waivers", waivers)
    said = "W-1 of team@contoso.example covers nothing in this run: a waiver matches full ids, never names"
    files = {name: tmp_path / f"r.{name}" for name in ("markdown", "html", "sarif", "junit", "json", "jsonl")}
    exports = [word for name, path in files.items() for word in ("--export", f"{name}={path}")]
    first_screen = keyaudit("report", *chosen, *exports)
    assert "waiver W-1 of team@contoso.example covers nothing" in first_screen.out
    for printed in (
        keyaudit("report", *chosen, "--full"),
        keyaudit("gate", *chosen),
    ):
        assert said in " ".join(printed.out.split())
    texts = {name: path.read_text(encoding="utf-8") for name, path in files.items()}
    for name in ("markdown", "html", "sarif", "junit"):
        assert said in unescape(texts[name]), name
    for name in ("json", "jsonl"):
        assert '"id": "W-1", "state": "unused", "covered": 0' in texts[name], name
    assert waived(keyaudit, contoso, waivers) == []


def test_the_id_of_a_finding_names_its_policy(keyaudit: Keyaudit, contoso: Path, contoso_report: Reported, file: Path) -> None:
    [finding] = [each for each in of(contoso_report, NO_EXPIRY) if each["subject"] == TOKEN_SIGNING]
    who = ("--reason", "r", "--owner", "o", "--approved-by", "a", "--expires", iso_date(START + 20 * DAY), "--file", file)
    ran = keyaudit("waivers", "add", "--resource", finding["id"][:16].upper(), *who, "--from", contoso)
    assert (ran.code, ran.err) == (Exit.CLEAN, "")
    assert waived(keyaudit, contoso, file) == [TOKEN_SIGNING]
    refused = keyaudit("waivers", "add", "--resource", "no such thing", *who, "--from", contoso)
    assert refused.code == Exit.USAGE
    assert "--policy: is needed: 'no such thing' is the id of no open finding" in refused.err
