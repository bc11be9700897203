"""--import relying-parties: what services trust, from their files to the verdict."""

import json
from pathlib import Path

import pytest

from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.model.errors import Exit
from keyaudit.model.stolen_keys import STOLEN as KNOWN
from keyaudit.policy.load import load
from tests.cli.conftest import Keyaudit, collected
from tests.cli.trusted import STOLEN, published, retired, stolen, written

STALE, LAX = "use-jwks-stale-trust", "use-validator-common-metadata"
ANY_AUDIENCE = "use-validator-any-audience"
ESTATE = "sized:1x1"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot without evidence."""
    return collected(tmp_path_factory.mktemp("plain") / "snapshot", ESTATE)


def _judged(*arguments: str | Path) -> tuple[str | Path, ...]:
    return ("gate", "--select", STALE, "--select", LAX, "-o", "json", *arguments)


def _settings(path: Path, tenant: str, **checks: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    section = {"Instance": "https://login.microsoftonline.com/", "TenantId": tenant, "TokenValidationParameters": checks}
    path.write_text(json.dumps({"AzureAd": section}), encoding="utf-8")


def test_without_the_files_neither_policy_is_judged_and_each_says_how_it_would_be(keyaudit: Keyaudit, plain: Path) -> None:
    ran = keyaudit(*_judged("--from", plain))
    assert [each["policy"] for each in ran.json["not_judged"]] == [STALE, LAX]
    assert not ran.json["findings"]
    told = keyaudit("report", "--select", STALE, "--from", plain).out
    assert "supply it with --import relying-parties=PATH" in " ".join(told.split())


@pytest.mark.exhaustive
def test_with_planted_files_both_find_what_was_planted_and_nothing_else(
    keyaudit: Keyaudit, plain: Path, tmp_path: Path
) -> None:
    told = keyaudit("trust", "list", "--from", plain, "-o", "json").json
    keys, now = published(told["keys"]), told["run"]["as_of"]
    files = tmp_path / "files"
    written(files / "fresh" / "jwks.json", keys, fetched_on=now)
    written(files / "stale" / "jwks.json", [*keys[:1], retired(), stolen()], fetched_on=now)
    written(files / "forgotten" / "jwks.json", keys[:1], fetched_on="2020-01-01T00:00:00Z")
    _settings(files / "own" / "appsettings.json", "8f1a0e5e-1111-4222-8333-444444444444")
    _settings(files / "lax" / "appsettings.json", "common", ValidateIssuer=False)
    _settings(files / "strict" / "appsettings.json", "organizations", ValidateIssuer=True)
    out = collected(tmp_path / "out", ESTATE, "--import", f"relying-parties={files}")
    assert set(open_snapshot(out).run.evidence) == {"relying-parties"}
    ran = keyaudit(*_judged("--from", out))
    assert ran.code == Exit.FINDINGS
    assert ran.json["not_judged"] == []
    found = {(each["policy"], each["row"]["name"].split()[-1], each["severity"]) for each in ran.json["findings"]}
    assert found == {
        (STALE, "stale/jwks.json:1", "high"),
        (STALE, "stale/jwks.json:1", "critical"),
        (STALE, "forgotten/jwks.json:1", "high"),
        (LAX, "lax/appsettings.json:1", "high"),
    }
    # `trust scan` and the policy find the same in the same files.
    scanned = keyaudit("trust", "scan", files, "-o", "json").json["validators"]
    assert [each["file"] for each in scanned if each["outcome"] == "fail"] == ["lax/appsettings.json"]
    # Files can be taken in beside a snapshot, too.
    assert keyaudit(*_judged("--from", out, "--import", f"relying-parties={files}")).json["findings"] == ran.json["findings"]
    rows = keyaudit("inventory", "trusted-keys", "--from", out, "-o", "json").json["rows"]
    assert len(rows) == len(keys) + 4


def test_a_service_that_takes_tokens_for_others_is_found_and_one_whose_file_does_not_say_is_unknown(
    keyaudit: Keyaudit, plain: Path, tmp_path: Path
) -> None:
    files, tenant = tmp_path / "files", "8f1a0e5e-1111-4222-8333-444444444444"
    _settings(files / "lax" / "appsettings.json", tenant, ValidateAudience=False)
    _settings(files / "strict" / "appsettings.json", tenant, ValidateAudience=True)
    _settings(files / "silent" / "appsettings.json", tenant)
    ran = keyaudit("report", "--select", ANY_AUDIENCE, "--from", plain, "--import", f"relying-parties={files}", "-o", "json")
    found = {(each["outcome"], each["row"]["name"].split()[-1]) for each in ran.json["findings"]}
    assert found == {("fail", "lax/appsettings.json:1"), ("unknown", "silent/appsettings.json:1")}


def test_with_clean_files_neither_finds_anything(keyaudit: Keyaudit, plain: Path, tmp_path: Path) -> None:
    told = keyaudit("trust", "list", "--from", plain, "-o", "json").json
    written(tmp_path / "files" / "api" / "jwks.json", published(told["keys"]), fetched_on=told["run"]["as_of"])
    _settings(tmp_path / "files" / "api" / "appsettings.json", "common", ValidateIssuer=True)
    ran = keyaudit(*_judged("--from", plain, "--import", f"relying-parties={tmp_path / 'files'}"))
    assert (ran.code, ran.json["findings"], ran.json["not_judged"]) == (Exit.CLEAN, [], [])


def test_a_file_that_cannot_be_read_is_unknown_even_where_nothing_else_was_read(keyaudit: Keyaudit, tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    (files / "appsettings.json").write_text("{", encoding="utf-8")
    (files / "pinned.pem").write_text("no key", encoding="utf-8")
    out = tmp_path / "out"
    asked = ("collect", "--demo", "--estate", ESTATE, "--source", "applications", "--quiet")
    told = keyaudit(*asked, "--out", out, "--import", f"relying-parties={files}")
    assert (told.code, told.err) == (Exit.INCOMPLETE, "")
    assert "Not read from the relying parties: 2 files." in told.out
    assert "appsettings.json:1: not read: " in told.out
    ran = keyaudit(*_judged("--from", out))
    assert ran.code == Exit.INCOMPLETE
    assert {(each["policy"], each["outcome"]) for each in ran.json["findings"]} == {(STALE, "unknown"), (LAX, "unknown")}


def test_what_holds_nothing_of_it_is_refused_before_anything_is_read(keyaudit: Keyaudit, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "notes.txt").write_text("hello", encoding="utf-8")
    for path in (tmp_path / "files", tmp_path / "none"):
        ran = keyaudit("collect", "--demo", "--out", tmp_path / "out", "--import", f"relying-parties={path}")
        assert (ran.code, (tmp_path / "out").exists()) == (Exit.USAGE, False)
        assert "--import relying-parties: " in ran.err


def test_the_policy_knows_every_key_that_is_known_to_be_stolen() -> None:
    [policy] = [each for each in load() if each.text.id == STALE]
    assert policy.parameters["known_bad"].value("default") == tuple(sorted(KNOWN))
    assert STOLEN in KNOWN
