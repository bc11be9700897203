"""`keyaudit trust`: published keys, keys that services hold, and the settings by which they take tokens."""

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

from keyaudit.model.errors import Exit
from tests.cli.conftest import Keyaudit
from tests.cli.trusted import CONSUMERS, STOLEN, published, retired, stolen, written
from tests.estates import snapshot


@pytest.fixture(scope="module")
def unread() -> Path:
    """A snapshot of another tenant, in which nobody looked for published keys."""
    return snapshot("sized:1x1", "--source", "applications")


def test_the_list_says_of_each_key_once_where_it_is_and_what_is_wrong_with_it(keyaudit: Keyaudit, contoso: Path) -> None:
    ran = keyaudit("trust", "list", "--from", contoso, "-o", "json")
    assert ran.code == Exit.CLEAN
    keys = ran.json["keys"]
    assert len({key["thumbprint"] for key in keys}) == len(keys) == 9
    # The tenant's, one of personal accounts that stands among them, one that stands where it should, and applications' own.
    assert sorted(map(str, (key["published_in"] for key in keys if not key["app_id"]))) == [
        "['common', 'consumers']",
        "['tenant', 'common', 'consumers']",
        *["['tenant', 'common', 'organizations']"] * 4,
    ]
    assert [key["token_issuer"] for key in keys if key["consumer_key_of_tenant"]] == [CONSUMERS]
    assert [(key["app_name"], key["published_in"]) for key in keys if key["expired"]] == [
        ("Woodgrove Treasury", ["application"]),
        (None, ["tenant", "common", "organizations"]),
    ]
    assert sum(key["for_consumers"] is True for key in keys) == 2
    assert not any(key["stolen"] or key["unknown"] for key in keys)

    text = keyaudit("trust", "list", "--from", contoso).out
    assert (
        "9 keys: 2 expired and still published, 1 for personal accounts among the tenant's and 3 of single applications."
        in (" ".join(text.split()))
    )
    [first, *rest] = csv.DictReader(io.StringIO(keyaudit("trust", "list", "--from", contoso, "-o", "csv").out))
    assert len(rest) == 8
    assert first["note"].endswith("and is still published; own key of Woodgrove Treasury")


def test_the_list_says_what_was_not_read(keyaudit: Keyaudit, unread: Path) -> None:
    ran = keyaudit("trust", "list", "--from", unread, "-o", "json")
    assert ran.json["keys"] == []
    assert {gap["reason"] for gap in ran.json["gaps"]} == {"excluded_by_config"}
    told = " ".join(keyaudit("trust", "list", "--from", unread).out.split())
    assert "0 keys. Left out by configuration: 1 place." in told
    assert "the keys that Entra publishes for everybody" in told


@pytest.mark.exhaustive
def test_history_says_what_came_and_went(keyaudit: Keyaudit, contoso: Path, tmp_path: Path, unread: Path) -> None:
    (tmp_path / "all").mkdir()
    shutil.copytree(contoso, tmp_path / "all" / "a")
    alone = keyaudit("trust", "list", "--from", contoso, "--history", tmp_path / "all")
    assert alone.code == Exit.CLEAN
    assert "Only one snapshot: nothing to compare." in alone.out
    # The same tenant on the same day, read but for its applications: their keys may be there still.
    keyaudit("collect", "--demo", "-q", "--source", "issuer-keys", "--out", tmp_path / "all" / "b")
    ran = keyaudit("trust", "list", "--from", contoso, "--history", tmp_path / "all", "-o", "json")
    [step] = ran.json["history"]
    assert (step["came"], step["complete"]) == ([], False)
    assert {key["key_set"].split()[0] for key in step["gone"]} == {"application"}
    told = " ".join(keyaudit("trust", "list", "--from", contoso, "--history", tmp_path / "all").out.split())
    assert "0 came, 3 went. Not every key set was read both times" in told

    shutil.copytree(unread, tmp_path / "all" / "c")
    assert keyaudit("trust", "list", "--from", contoso, "--history", tmp_path / "all").code == Exit.UNSAFE
    assert keyaudit("trust", "list", "--from", contoso, "--history", tmp_path / "none").code == Exit.USAGE


def test_a_cache_with_a_retired_consumer_key_fails_and_a_fresh_one_passes(
    keyaudit: Keyaudit, contoso: Path, tmp_path: Path
) -> None:
    keys = published(keyaudit("trust", "list", "--from", contoso, "-o", "json").json["keys"])
    fresh = written(tmp_path / "fresh.json", keys)
    ran = keyaudit("trust", "check", fresh, "--from", contoso)
    assert ran.code == Exit.CLEAN, ran.out
    assert "6 keys in 1 file: 0 stolen, 0 withdrawn, 0 unknown, 6 published." in ran.out

    stale = written(tmp_path / "stale.json", [*keys, retired()])
    ran = keyaudit("trust", "check", stale, fresh, "--from", contoso, "-o", "json")
    assert ran.code == Exit.FINDINGS
    [found] = [key for key in ran.json["keys"] if key["state"] != "published"]
    assert (found["state"], found["file"], found["token_issuer"]) == ("withdrawn", str(stale), CONSUMERS)


def test_offline_nothing_is_known_but_that_a_key_is_stolen(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    stale, both = written(tmp_path / "stale.json", [retired()]), written(tmp_path / "both.json", [retired(), stolen()])
    ran = keyaudit("trust", "check", stale)
    assert ran.code == Exit.INCOMPLETE
    assert "there is no list of published keys to compare with" in " ".join(ran.out.split())
    ran = keyaudit("trust", "check", both, "-o", "json")
    assert ran.code == Exit.FINDINGS
    assert [(key["state"], key["thumbprint"] == STOLEN) for key in ran.json["keys"]] == [("unknown", False), ("stolen", True)]
    assert [condition["exit"] for condition in ran.json["verdict"]["conditions"]] == [1, 3]
    # A stolen key is reported as stolen, even if Entra publishes it.
    assert keyaudit("trust", "check", written(tmp_path / "one.json", [stolen()]), "--from", contoso).code == Exit.FINDINGS


def test_a_snapshot_without_the_published_keys_leaves_it_unknown(keyaudit: Keyaudit, unread: Path, tmp_path: Path) -> None:
    ran = keyaudit("trust", "check", written(tmp_path / "a.json", [retired()]), "--from", unread, "-o", "json")
    assert ran.code == Exit.INCOMPLETE
    assert [key["unknown"]["published"] for key in ran.json["keys"]] == ["excluded_by_config"]


def test_keys_of_other_issuers_are_unknown_and_say_so(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    others = ("https://accounts.example.org", "https://login.microsoftonline.com/11111111-2222-4333-8444-555555555555/v2.0")
    keys = [{"kty": "RSA", "kid": f"k{number}", "issuer": issuer} for number, issuer in enumerate(others)]
    ran = keyaudit("trust", "check", written(tmp_path / "a.json", keys), "--from", contoso, "-o", "json")
    assert ran.code == Exit.INCOMPLETE
    assert [key["unknown"]["published"] for key in ran.json["keys"]] == ["not_supplied", "other_tenant"]
    assert "its issuer is not Entra" in " ".join(keyaudit("trust", "check", tmp_path / "a.json", "--from", contoso).out.split())


def test_a_broken_file_is_unknown_and_hides_no_stolen_key_beside_it(keyaudit: Keyaudit, tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("nothing of the kind", encoding="utf-8")
    ran = keyaudit("trust", "check", broken, "-o", "json")
    assert (ran.code, [each["reason"] for each in ran.json["not_read"]]) == (Exit.INCOMPLETE, ["unrecognised"])
    ran = keyaudit(
        "trust",
        "check",
        broken,
        written(tmp_path / "bad.json", [{"kid": 7}, {"kid": "a", "x5c": "no"}, stolen()]),
        "-o",
        "json",
    )
    assert ran.code == Exit.FINDINGS
    assert [key["state"] for key in ran.json["keys"]] == ["unknown", "unknown", "stolen"]
    for nothing in (tmp_path / "none.json", tmp_path):
        assert keyaudit("trust", "check", nothing).code == Exit.USAGE
    assert keyaudit("trust", "check", written(tmp_path / "empty.json", [])).code == Exit.USAGE


LAX = {"AzureAd": {"Instance": "https://login.microsoftonline.com/", "TenantId": "common", "ClientId": "a"}}


def _settings(folder: Path, **checks: object) -> Path:
    folder.mkdir(parents=True)
    section = {**LAX["AzureAd"], "TokenValidationParameters": checks} if checks else LAX["AzureAd"]
    (folder / "appsettings.json").write_text(json.dumps({"AzureAd": section}, indent=2), encoding="utf-8")
    return folder


def test_a_scan_finds_what_takes_anybodys_tokens_with_file_and_line(keyaudit: Keyaudit, tmp_path: Path) -> None:
    _settings(tmp_path / "lax", ValidateIssuer=False)
    _settings(tmp_path / "good", ValidateIssuer=True)
    _settings(tmp_path / "node_modules" / "theirs", ValidateIssuer=False)
    ran = keyaudit("trust", "scan", tmp_path, "-o", "json")
    assert ran.code == Exit.FINDINGS
    assert [(each["file"], each["line"], each["section"], each["outcome"]) for each in ran.json["validators"]] == [
        ("good/appsettings.json", 4, "AzureAd", "pass"),
        ("lax/appsettings.json", 4, "AzureAd", "fail"),
    ]
    assert ran.json["skipped"] == {"node_modules": 1}
    text = " ".join(keyaudit("trust", "scan", tmp_path).out.split())
    assert "FAIL lax/appsettings.json:4 (AzureAd): uses keys of common, and checks neither issuer nor tenant" in text
    assert "Not examined: 1 node_modules." in text
    rows = list(csv.DictReader(io.StringIO(keyaudit("trust", "scan", tmp_path, "-o", "csv").out)))
    assert [(row["outcome"], row["validates_issuer"]) for row in rows] == [("pass", "true"), ("fail", "false")]


def test_a_scan_passes_only_what_it_could_read_and_what_says_so(keyaudit: Keyaudit, tmp_path: Path) -> None:
    assert keyaudit("trust", "scan", _settings(tmp_path / "good", ValidateIssuer=True)).code == Exit.CLEAN
    silent = keyaudit("trust", "scan", _settings(tmp_path / "silent"), "-o", "json")
    assert silent.code == Exit.INCOMPLETE
    [found] = silent.json["validators"]
    assert found["unknown"]["validates_issuer"] == "not_supplied"
    (tmp_path / "good" / "appsettings.Production.json").write_text("{", encoding="utf-8")
    ran = keyaudit("trust", "scan", tmp_path / "good")
    assert ran.code == Exit.INCOMPLETE
    assert "UNKNOWN appsettings.Production.json:1: not read: not JSON" in " ".join(ran.out.split())
    assert keyaudit("trust", "scan", tmp_path / "none").code == Exit.USAGE
    (tmp_path / "empty").mkdir()
    nothing = keyaudit("trust", "scan", tmp_path / "empty")
    assert nothing.code == Exit.NO_ACCESS
    assert "nothing was checked" in " ".join(nothing.out.split())


def test_names_and_texts_of_files_give_no_orders_to_a_terminal_or_a_spreadsheet(
    keyaudit: Keyaudit, contoso: Path, tmp_path: Path
) -> None:
    odd = "=cmd|x!A1\n\x1b[31m##vso[x]\udcff"
    _settings(tmp_path / odd, ValidateIssuer=False)
    keys = written(tmp_path / "a.json", [{"kid": "\ud800\0\x1b[2J=1+1", "issuer": "\u202e##vso[y]"}])
    for output in ("text", "csv"):
        for command in (("scan", tmp_path), ("check", keys, "--from", contoso)):
            ran = keyaudit("trust", *command, "-o", output)
            assert ran.code == (Exit.FINDINGS if command[0] == "scan" else Exit.INCOMPLETE), ran.err
            assert not {"\x1b", "\u202e", "\0"}.intersection(ran.out)
            assert "##vso" not in ran.out
    assert "'=cmd" in keyaudit("trust", "scan", tmp_path, "-o", "csv").out
