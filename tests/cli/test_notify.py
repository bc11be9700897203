"""Digests that are really sent, by apprise to a server of ours; and addresses, whose secrets are nowhere to be seen."""

import json
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from keyaudit.cli.settings.channels import VARIABLE
from keyaudit.model.errors import Exit
from tests.cli.conftest import Keyaudit

SECRET = "hunter2"
KEYS = tuple(
    word for name in ("expired-still-enabled", "no-auto-rotation", "no-expiry") for word in ("--select", f"kv-key-{name}")
)


class Server(HTTPServer):
    """Takes messages, and remembers them."""

    def __init__(self, status: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = status
        self.got: list[tuple[str, str, str]] = []

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.got.append((self.path, self.headers.get("Authorization", ""), body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def listening(status: int = 200) -> Iterator[Server]:
    with Server(status) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (VARIABLE, "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def test_each_owner_gets_a_message_and_the_reading_gives_the_exit_code(
    keyaudit: Keyaudit, contoso: Path, blind_spots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = ("notify", "--from", blind_spots, "--since", contoso, *KEYS)
    dry = keyaudit(*changed, "--dry-run")
    assert dry.code == Exit.INCOMPLETE
    titles = [line for line in dry.out.splitlines() if line.startswith("keyaudit, simulated tenant: ")]
    assert len(titles) > 2
    with listening() as server:
        monkeypatch.setenv(VARIABLE, f"json://user:{SECRET}@{server.host}/hook/{SECRET}\nform://{server.host}/{SECRET}")
        ran = keyaudit(*changed)
    assert ran.code == Exit.INCOMPLETE, ran.err
    assert ran.out.startswith(f"{len(titles)} messages for 2 addresses: {2 * len(titles)} delivered, 0 not.\n")
    assert SECRET not in ran.out + ran.err
    as_json = [json.loads(body) for path, _, body in server.got if path.startswith("/hook")]
    as_form = [parse_qs(body) for path, _, body in server.got if not path.startswith("/hook")]
    assert [each["title"] for each in as_json] == titles == [each["title"][0] for each in as_form]
    for message, form in zip(as_json, as_form, strict=True):
        assert message["message"] == form["message"][0]
        assert f"{message['title']}\nTo: " in dry.out
        assert f"\n\n{message['message']}\n" in f"{dry.out}\n"
        assert "no longer readable" in message["message"]
    assert {auth[:6] for path, auth, _ in server.got if path.startswith("/hook")} == {"Basic "}


def test_nothing_changed_and_nothing_is_sent(keyaudit: Keyaudit, hardened: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening() as server:
        monkeypatch.setenv(VARIABLE, f"json://{server.host}")
        ran = keyaudit("notify", "--from", hardened, "--since", hardened, *KEYS)
    assert ran.code == Exit.CLEAN
    assert ran.out.startswith("No changes to report to owners since 2")
    assert server.got == []


@pytest.mark.parametrize("status", [500, pytest.param(None, marks=pytest.mark.exhaustive)])
def test_a_message_that_is_not_taken_is_exit_70_and_names_no_secret(
    keyaudit: Keyaudit, contoso: Path, blind_spots: Path, tmp_path: Path, status: int | None
) -> None:
    with listening(status or 200) as good, Server(200) as closed, listening(status or 200) as bad:
        closed.server_close()
        host = closed.host if status is None else bad.host
        file = tmp_path / "addresses"
        file.write_text(f"# ours\njson://{good.host}/{SECRET}\n\njson://{host}/{SECRET}\n")
        file.chmod(0o600)
        ran = keyaudit("notify", "--from", blind_spots, "--since", contoso, "--to-file", file, *KEYS)
    assert ran.code == Exit.BUG
    assert f"{file}, address 2 (JSON): could not deliver the message 'keyaudit, simulated tenant: " in ran.err
    assert SECRET not in ran.out + ran.err
    assert host not in ran.out + ran.err
    assert good.got


def test_an_address_without_a_secret_may_be_on_the_command_line(keyaudit: Keyaudit, contoso: Path, blind_spots: Path) -> None:
    with listening() as server:
        ran = keyaudit("notify", "--from", blind_spots, "--since", contoso, *KEYS, "--to", f"json://{server.host}/")
    assert ran.code == Exit.INCOMPLETE, ran.err
    assert server.got


@pytest.mark.parametrize(
    "address",
    [
        f"slack://{SECRET}/{SECRET}/{SECRET}",
        f"json://user:{SECRET}@localhost",
        f"json://localhost/{SECRET}",
        f"jsons://localhost?token={SECRET}",
        f"json://localhost/#{SECRET}",
        f"mailto://me:{SECRET}@example.com",
        f"https://example.com/{SECRET}",
        f"json://{SECRET}:x",
        f"{SECRET}",
        "json://",
        "",
    ],
)
def test_any_other_is_refused_with_the_reason_before_anything_is_read(keyaudit: Keyaudit, address: str) -> None:
    ran = keyaudit("notify", "--demo", "--since", "nowhere", "--to", address)
    assert ran.code == Exit.USAGE
    assert "a command line shows secrets in an address to other users" in ran.err
    assert VARIABLE in ran.err
    assert SECRET not in ran.out + ran.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"slak://{SECRET}/{SECRET}", "address 1: not an address that apprise supports"),
        (f"json://localhost\nslack://{SECRET}", "address 2: not an address that apprise supports"),
        ("# nothing\n", "contains no address"),
        ("json://localhost/" + "x" * 70_000, "64 KB"),
    ],
)
def test_a_file_with_none_is_refused(keyaudit: Keyaudit, tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "addresses"
    file.write_text(text)
    ran = keyaudit("notify", "--demo", "--since", "nowhere", "--to-file", file)
    assert ran.code == Exit.USAGE
    assert words in ran.err
    assert SECRET not in ran.out + ran.err


def test_a_file_that_others_can_read_is_told_of(keyaudit: Keyaudit, tmp_path: Path) -> None:
    file = tmp_path / "addresses"
    file.write_text("json://localhost\n")
    file.chmod(0o644)
    assert "chmod 600" in keyaudit("notify", "--demo", "--since", "nowhere", "--to-file", file).err
    file.chmod(0o600)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "chmod 600" not in keyaudit("notify", "--demo", "--since", "nowhere", "--to-file", file).err


def test_nobody_to_tell_is_a_mistake(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    ran = keyaudit("notify", "--from", contoso, "--since", contoso)
    assert ran.code == Exit.USAGE
    assert "--dry-run" in ran.err
    assert keyaudit("notify", "--from", contoso, "--since", contoso, "--to-file", tmp_path / "none").code == Exit.USAGE
    assert keyaudit("notify", "--from", contoso, "--since", contoso, "--to-file", tmp_path).code == Exit.USAGE


def test_only_an_earlier_snapshot_of_the_same_tenant_is_taken(keyaudit: Keyaudit, contoso: Path, hardened: Path) -> None:
    ran = keyaudit("notify", "--from", contoso, "--since", hardened, "--select", "kv-purge-*", "--dry-run")
    assert ran.code == Exit.UNSAFE
    assert "name a snapshot of this tenant" in ran.err


@pytest.mark.exhaustive
def test_a_live_tenant_is_compared_with_a_snapshot(keyaudit: Keyaudit, blind_spots: Path) -> None:
    high = ("--select", "combo-unobserved-crown-key")
    ran = keyaudit("notify", "--demo", "--since", blind_spots, *high, "--dry-run", "--quiet")
    assert ran.code == Exit.CLEAN
    assert ran.err == ""
    assert "new high" in ran.out
    assert "no longer readable" not in ran.out


def test_without_apprise_it_says_what_to_install(keyaudit: Keyaudit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "apprise", None)
    ran = keyaudit("notify", "--demo", "--since", "nowhere", "--to", "json://localhost:1")
    assert ran.code == Exit.USAGE
    assert "pip install '.[notify]' in the checkout" in ran.err


def settings(folder: Path, text: str) -> Path:
    file = folder / "keyaudit.toml"
    file.write_text(f"schema = 1\n[notify]\n{text}")
    file.chmod(0o600)
    return file


def titles(server: Server, path: str) -> list[str]:
    return [json.loads(body)["title"] for got, _, body in server.got if got == path]


def test_an_owners_message_goes_to_that_owner_and_the_others_to_the_default(
    keyaudit: Keyaudit, contoso: Path, blind_spots: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = ("notify", "--from", blind_spots, "--since", contoso, *KEYS)
    with listening() as server:
        monkeypatch.setenv("FACILITIES", f"json://{server.host}/{SECRET}/facilities")
        text = f"""default = ["json://{server.host}/{SECRET}/default"]
        [notify.owners]
        Facilities = ["$FACILITIES", "json://{server.host}/{SECRET}/facilities"]
        people-systems = "json://{server.host}/{SECRET}/people"
        nobody-here = ["json://{server.host}/{SECRET}/unused"]
        """
        file = settings(tmp_path, text)
        dry = keyaudit(*changed, "--config", file, "--dry-run")
        assert server.got == []
        ran = keyaudit(*changed, "--config", file)
    assert ran.code == dry.code == Exit.INCOMPLETE, ran.err
    assert SECRET not in ran.out + ran.err + dry.out + dry.err
    begun = "keyaudit, simulated tenant: Contoso (simulated tenant), "
    assert titles(server, f"/{SECRET}/facilities") == [f"{begun}facilities"]
    assert titles(server, f"/{SECRET}/people") == [f"{begun}people-systems"]
    others = titles(server, f"/{SECRET}/default")
    assert f"{begun}no owner known" in others
    assert not {f"{begun}facilities", f"{begun}people-systems"} & set(others)
    assert len(others) + 2 == len(server.got) == dry.out.count(begun)
    assert ran.out.startswith(f"{len(server.got)} messages for 3 addresses: {len(server.got)} delivered, 0 not.\n")
    assert f"  {begun}facilities\n    to {file}:5, owner Facilities, FACILITIES, address 1 (JSON)\n" in ran.out
    assert f"{begun}people-systems\nTo: {file}:6, owner people-systems, address 1\n" in dry.out
    assert f"{begun}no owner known\nTo: {file}:3, default, address 1\n" in dry.out


def test_settings_without_a_default_are_refused_before_anything_is_read(keyaudit: Keyaudit, tmp_path: Path) -> None:
    file = settings(tmp_path, f"[notify.owners]\nfacilities = 'json://localhost/{SECRET}'\n")
    ran = keyaudit("notify", "--demo", "--since", "nowhere", "--config", file)
    assert ran.code == Exit.USAGE
    assert "no destination for owners without an entry in [notify.owners]" in ran.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"default = ['slak://{SECRET}']", "keyaudit.toml:3, default, address 1: not an address that apprise supports"),
        ("default = ['$NOT_SET_HERE']", "keyaudit.toml:3, default, NOT_SET_HERE: this variable is not set"),
        ("default = []", "keyaudit.toml:3: default: no address"),
        ("default = 5", "keyaudit.toml:3: notify.default: not a text"),
        (f"[notify.owners]\nA = '{SECRET}'\na = '{SECRET}'", "keyaudit.toml:5: owner 'a': empty, or named twice"),
        (f"[notify.owners]\na = ['{SECRET}', 5]", "keyaudit.toml:4: notify.owners.a: not a text"),
        ("owner = 'x'", "keyaudit.toml:3: no such setting: notify.owner"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_with_their_place(
    keyaudit: Keyaudit, tmp_path: Path, text: str, words: str
) -> None:
    ran = keyaudit("notify", "--demo", "--since", "nowhere", "--config", settings(tmp_path, text + "\n"))
    assert ran.code == Exit.USAGE
    assert words in ran.err
    assert SECRET not in ran.out + ran.err


def test_settings_with_secrets_that_others_can_read_are_told_of_and_never_shown(keyaudit: Keyaudit, tmp_path: Path) -> None:
    file = settings(tmp_path, f"default = 'json://localhost/{SECRET}'\nowners = {{a = 'json://localhost/{SECRET}'}}\n")
    asked = ("notify", "--demo", "--since", "nowhere", "--config", file)
    assert "chmod 600" not in keyaudit(*asked).err
    file.chmod(0o644)
    assert "chmod 600" in keyaudit(*asked).err
    for more in ((), ("-o", "json")):
        shown = keyaudit("config", "show", "--config", file, *more)
        assert "notify.owners" in shown.out
        assert SECRET not in shown.out
    settings(tmp_path, "default = 'json://localhost'\n").chmod(0o644)
    assert "chmod 600" not in keyaudit(*asked).err
