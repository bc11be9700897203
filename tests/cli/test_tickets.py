"""`keyaudit tickets`: what a webhook really gets, and that nothing is sent twice."""

import json
import shutil
from pathlib import Path

import pytest

from keyaudit.model.errors import Exit
from keyaudit.send.webhook import ADDRESS, HEADER
from tests.cli.conftest import Keyaudit
from tests.cli.test_notify import SECRET, listening

KEYS = ("--select", "kv-key-expired-still-enabled", "--quiet")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (ADDRESS, HEADER, "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def kept(contoso: Path, tmp_path: Path) -> Path:
    """A folder with one snapshot."""
    shutil.copytree(contoso, tmp_path / "kept" / "1")
    return tmp_path / "kept"


def test_each_finding_is_sent_once_and_the_dry_run_says_which(
    keyaudit: Keyaudit, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = keyaudit("report", "--from", kept / "1", *KEYS, "-o", "json").json["findings"]
    found = [each for each in found if each["severity"] in ("high", "critical")]
    dry = keyaudit("tickets", kept, *KEYS, "--dry-run")
    assert (dry.code, dry.err) == (Exit.CLEAN, "")
    assert dry.out.endswith(f"Tickets to send: {len(found)} opened, 0 closed\n")
    assert not (kept / "tickets.jsonl").exists()
    with listening() as server:
        monkeypatch.setenv(ADDRESS, f"http://{server.host}/{SECRET}")
        monkeypatch.setenv(HEADER, f"Authorization: Bearer {SECRET}")
        ran, again = keyaudit("tickets", kept, *KEYS), keyaudit("tickets", kept, *KEYS)
    assert (ran.code, ran.err) == (Exit.CLEAN, "")
    assert ran.out == dry.out.replace("to send", "sent")
    assert again.out == "Tickets sent: 0 opened, 0 closed\n"
    assert {json.loads(text)["correlation_id"] for _, _, text in server.got} == {each["id"] for each in found}
    assert len(server.got) == len(found) > 0
    assert {(path, header) for path, header, _ in server.got} == {(f"/{SECRET}", f"Bearer {SECRET}")}
    assert SECRET not in ran.out + dry.out
    assert sorted(path.name for path in kept.iterdir()) == ["1", "tickets.jsonl"]


@pytest.mark.exhaustive
def test_one_that_is_not_accepted_is_sent_by_the_next_run(
    keyaudit: Keyaudit, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening(500) as server:
        monkeypatch.setenv(ADDRESS, f"http://{server.host}/{SECRET}")
        ran = keyaudit("tickets", kept, *KEYS)
        assert ran.code == Exit.BUG
        assert "was rejected: it answered 500; the next run sends it again" in ran.err
        assert "Tickets sent: 0 opened, 0 closed; " in ran.out
        server.status = 302
        assert "it answered 302" in keyaudit("tickets", kept, *KEYS).err
        server.status = 200
        assert keyaudit("tickets", kept, *KEYS).code == Exit.CLEAN
    refused = keyaudit("tickets", kept, *KEYS)
    assert (refused.code, refused.out) == (Exit.CLEAN, "Tickets sent: 0 opened, 0 closed\n")
    (kept / "tickets.jsonl").unlink()
    alone = keyaudit("tickets", kept, *KEYS)
    assert alone.code == Exit.BUG
    assert "no connection" in alone.err
    assert SECRET not in ran.err + alone.err


@pytest.mark.parametrize(
    ("address", "header", "place"),
    [
        ("", "", ADDRESS),
        (f"http://hooks.example/{SECRET}", "", ADDRESS),
        (f"ftp://hooks.example/{SECRET}", "", ADDRESS),
        (f"https://[{SECRET}", "", ADDRESS),
        (f"https:///{SECRET}", "", ADDRESS),
        (f"https://a..b/{SECRET}", "", ADDRESS),
        ("https://hooks.example", f"Bearer {SECRET}", HEADER),
        ("https://hooks.example", f"A: {SECRET}\r\nB: c", HEADER),
    ],
)
def test_an_address_that_others_could_read_is_refused_and_not_quoted(
    keyaudit: Keyaudit, kept: Path, monkeypatch: pytest.MonkeyPatch, address: str, header: str, place: str
) -> None:
    monkeypatch.setenv(ADDRESS, address)
    monkeypatch.setenv(HEADER, header)
    ran = keyaudit("tickets", kept, *KEYS)
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert ran.err.startswith(f"keyaudit: {place}: ")
    assert SECRET not in ran.err
