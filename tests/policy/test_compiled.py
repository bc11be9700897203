"""The shipped policies as compiled data: the same policies, and never ones that somebody else or another version wrote."""

import hashlib
from functools import cache
from pathlib import Path

import msgspec
import pytest

from keyaudit.policy import compiled
from keyaudit.policy import load as load_module
from keyaudit.policy.load import Policy, load, policy_files, shipped

ROOT = shipped()
MADE_FROM = b"d" * hashlib.sha256().digest_size


@cache
def from_yaml() -> tuple[Policy, ...]:
    return load(ROOT)


@pytest.fixture(autouse=True)
def _not_kept_for_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call of `load` is one of a process of its own."""
    kept = load_module._shipped
    monkeypatch.setattr(load_module, "_shipped", getattr(kept, "__wrapped__", kept))


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A file of compiled policies."""
    path = tmp_path / "cache" / compiled.NAME
    compiled.write(path, from_yaml(), MADE_FROM, ROOT)
    return path


def test_compiled_policies_are_those_of_the_files(kept: Path) -> None:
    assert compiled.read(kept, MADE_FROM, ROOT) == from_yaml()
    assert load() == from_yaml()


def test_a_file_that_was_made_from_something_else_is_not_read(kept: Path) -> None:
    assert compiled.read(kept, MADE_FROM[::-1].replace(b"d", b"e"), ROOT) is None


@pytest.mark.parametrize("at", [0, 40, 64, 5_000, -1])
def test_a_changed_byte_is_noticed(kept: Path, at: int) -> None:
    data = bytearray(kept.read_bytes())
    data[at] ^= 1
    kept.write_bytes(data)
    assert compiled.read(kept, MADE_FROM, ROOT) is None


def test_what_does_not_decode_as_policies_is_not_read(kept: Path) -> None:
    for body in (b"", b"\xc1", msgspec.msgpack.encode([{"text": 1}]), msgspec.msgpack.encode("policies")):
        kept.write_bytes(MADE_FROM + hashlib.sha256(body).digest() + body)
        assert compiled.read(kept, MADE_FROM, ROOT) is None


def test_a_file_that_others_can_write_to_is_not_read(kept: Path) -> None:
    assert kept.stat().st_mode & 0o077 == 0
    kept.chmod(0o622)
    assert compiled.read(kept, MADE_FROM, ROOT) is None


def test_an_edit_of_a_policy_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("id: a\n")
    before = compiled.digest(tmp_path, [file])
    assert compiled.digest(tmp_path, [file]) == before
    file.write_text("id: b\n")
    assert compiled.digest(tmp_path, [file]) != before


def test_the_cache_is_made_at_first_use_and_read_from_then_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert load() == from_yaml()
    [path] = tmp_path.rglob(f"*{compiled.NAME}")
    monkeypatch.setattr("keyaudit.policy.reading.files.read", None)
    assert load() == from_yaml()
    assert compiled.read(path, compiled.digest(ROOT, list(policy_files(ROOT))), ROOT) == from_yaml()


def test_without_a_place_to_keep_them_policies_load_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert load() == from_yaml()
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
